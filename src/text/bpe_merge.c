/* SPDX-License-Identifier: MIT */
/* The merge loop, twice: short words by looking at all pairs again and again in a few cache lines, long ones with a heap. Both
 * choose the lowest (rank, position), so they give the same tokens. */
#include "text/bpe_merge.h"

#include "base/utf8.h" /* slm__utf8_decode */

#define NO_RANK UINT32_MAX

struct pair {
    uint32_t rank; /* NO_RANK: the two are not in the list */
    uint32_t result;
};

static struct pair find_pair(const struct slm_tokenizer *t, uint32_t left, uint32_t right)
{
    struct pair none = {NO_RANK, 0};
    uint32_t hash = slm__tokenizer_pair_hash(left, right);
    const uint8_t *slots = t->tables[SLM_TOKENIZER_MERGES];
    for (uint32_t i = 0; i < SLM_TOKENIZER_PROBES; i++) {
        const uint8_t *slot = slots + (size_t)((hash + i) & t->merge_mask) * SLM_TOKENIZER_MERGE_BYTES;
        uint32_t slot_left = slm__load_u32(slot);
        if (slot_left == left && slm__load_u32(slot + 4) == right) {
            struct pair found = {slm__load_u32(slot + 8), slm__load_u32(slot + 12)};
            return SLM_WITH_CHAT && t->guarded && slm__tokenizer_is_control(t, found.result) ? none : found;
        }
        if (slot_left == SLM_TOKENIZER_NONE) {
            break;
        }
    }
    return none;
}

/* Symbols of a byte-level word: a token for each byte; bytes without one are the unknown token, or nothing when there is none. */
static uint32_t start_bytes(const struct slm_tokenizer *t, struct slm_span word, uint32_t *ids)
{
    uint32_t count = 0;
    bool unknown_before = false;
    for (size_t i = 0; i < word.length; i++) {
        uint32_t id = slm__tokenizer_u32(t, SLM_TOKENIZER_BYTE_IDS, word.data[i]);
        bool unknown = id == SLM_TOKENIZER_NONE;
        if (unknown) {
            bool fused = unknown_before && (t->model_flags & SLM_TOKENIZER_FUSE_UNKNOWN) != 0;
            id = fused ? SLM_TOKENIZER_NONE : t->unknown;
        }
        unknown_before = unknown;
        if (id != SLM_TOKENIZER_NONE) {
            ids[count++] = id;
        }
    }
    return count;
}

/* The tokens of all bytes of a character; 0 if one is missing. */
static uint32_t fallback(const struct slm_tokenizer *t, struct slm_span character, uint32_t *ids)
{
    if ((t->model_flags & SLM_TOKENIZER_BYTE_FALLBACK) == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < character.length; i++) {
        ids[i] = slm__tokenizer_u32(t, SLM_TOKENIZER_FALLBACK, character.data[i]);
        if (ids[i] == SLM_TOKENIZER_NONE) {
            return 0;
        }
    }
    return (uint32_t)character.length;
}

/* Symbols of any other word: a token for each character, or for each of its bytes. As the reference does it, an unknown token waits
 * until a character with a token, or one more unknown if they are not fused: byte tokens go before it. */
static uint32_t start_characters(const struct slm_tokenizer *t, struct slm_span word, uint32_t *ids)
{
    uint32_t count = 0;
    bool waiting = false;
    for (size_t i = 0; i < word.length;) {
        size_t length = word.data[i] < 0x80 ? 1 : slm__utf8_decode(word.data + i, word.length - i).length;
        struct slm_span character = slm__span(word.data + i, length);
        uint32_t id = length == 1 ? slm__tokenizer_u32(t, SLM_TOKENIZER_BYTE_IDS, word.data[i]) : slm__tokenizer_find(t, character);
        i += length;
        uint32_t bytes = id == SLM_TOKENIZER_NONE ? fallback(t, character, ids + count) : 0;
        if (bytes > 0) {
            count += bytes;
            continue;
        }
        if (waiting && (id != SLM_TOKENIZER_NONE || (t->model_flags & SLM_TOKENIZER_FUSE_UNKNOWN) == 0)) {
            ids[count++] = t->unknown;
            waiting = false;
        }
        if (id != SLM_TOKENIZER_NONE) {
            ids[count++] = id;
        } else {
            waiting = t->unknown != SLM_TOKENIZER_NONE;
        }
    }
    if (waiting) {
        ids[count++] = t->unknown;
    }
    return count;
}

static uint32_t start_symbols(const struct slm_tokenizer *t, struct slm_span word, uint32_t *ids)
{
    bool byte_level = (t->model_flags & SLM_TOKENIZER_BYTE_LEVEL) != 0;
    return byte_level ? start_bytes(t, word, ids) : start_characters(t, word, ids);
}

static uint32_t merge_short(const struct slm_tokenizer *t, uint32_t *ids, uint32_t count)
{
    struct pair pairs[SLM_BPE_SHORT]; /* pairs[i]: of ids[i] and ids[i + 1] */
    for (uint32_t i = 0; i + 1 < count; i++) {
        pairs[i] = find_pair(t, ids[i], ids[i + 1]);
    }
    while (count > 1) {
        uint32_t best = 0;
        for (uint32_t i = 1; i + 1 < count; i++) {
            best = pairs[i].rank < pairs[best].rank ? i : best;
        }
        if (pairs[best].rank == NO_RANK) {
            break;
        }
        ids[best] = pairs[best].result;
        count--;
        for (uint32_t i = best + 1; i < count; i++) {
            ids[i] = ids[i + 1];
            pairs[i - 1] = pairs[i];
        }
        if (best + 1 < count) {
            pairs[best] = find_pair(t, ids[best], ids[best + 1]);
        }
        if (best > 0) {
            pairs[best - 1] = find_pair(t, ids[best - 1], ids[best]);
        }
    }
    return count;
}

/* A long word: symbols in a doubly linked list by position, and a heap of (rank << 32 | position). Entries of pairs that have changed
 * since stay in the heap and are passed over when they come up: their rank is no longer that of the position. */
struct long_word {
    const struct slm_tokenizer *tokenizer;
    uint32_t *ids;      /* [n]; NONE: joined to an earlier symbol */
    uint32_t *next;     /* [n]; count: none */
    uint32_t *before;   /* [n]; NONE: none */
    struct pair *pairs; /* [n] of the symbol and the next one */
    uint64_t *heap;     /* [2n]: at most one entry a position at the start, and each merge takes one and adds two */
    uint32_t count;
    uint32_t heap_count;
};

enum { LONG_WORD_BYTES = 3 * 4 + 8 + 2 * 8 }; /* per byte of the word */

static void heap_push(struct long_word *word, uint64_t entry)
{
    uint32_t at = word->heap_count++;
    while (at > 0 && word->heap[(at - 1) / 2] > entry) {
        word->heap[at] = word->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    word->heap[at] = entry;
}

static uint64_t heap_pop(struct long_word *word)
{
    uint64_t top = word->heap[0];
    uint64_t moved = word->heap[--word->heap_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= word->heap_count) {
            break;
        }
        if (child + 1 < word->heap_count && word->heap[child + 1] < word->heap[child]) {
            child++;
        }
        if (word->heap[child] >= moved) {
            break;
        }
        word->heap[at] = word->heap[child];
        at = child;
    }
    word->heap[at] = moved;
    return top;
}

/* Look up the pair of the symbol at `position` and the next one. */
static void renew_pair(struct long_word *word, uint32_t position)
{
    uint32_t next = word->next[position];
    struct pair none = {NO_RANK, 0};
    word->pairs[position] = next == word->count ? none : find_pair(word->tokenizer, word->ids[position], word->ids[next]);
    if (word->pairs[position].rank != NO_RANK) {
        heap_push(word, (uint64_t)word->pairs[position].rank << 32 | position);
    }
}

static uint32_t merge_long(struct long_word *word)
{
    for (uint32_t i = 0; i < word->count; i++) {
        word->next[i] = i + 1;
        word->before[i] = i == 0 ? SLM_TOKENIZER_NONE : i - 1;
        renew_pair(word, i);
    }
    while (word->heap_count > 0) {
        uint64_t top = heap_pop(word);
        uint32_t at = (uint32_t)top;
        if (word->ids[at] == SLM_TOKENIZER_NONE || word->pairs[at].rank != (uint32_t)(top >> 32)) {
            continue;
        }
        uint32_t right = word->next[at];
        word->ids[at] = word->pairs[at].result;
        word->ids[right] = SLM_TOKENIZER_NONE;
        word->next[at] = word->next[right];
        if (word->next[at] < word->count) {
            word->before[word->next[at]] = at;
        }
        renew_pair(word, at);
        if (word->before[at] != SLM_TOKENIZER_NONE) {
            renew_pair(word, word->before[at]);
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < word->count; i++) {
        if (word->ids[i] != SLM_TOKENIZER_NONE) {
            word->ids[kept++] = word->ids[i];
        }
    }
    return kept;
}

slm_status slm__bpe_word(const struct slm_tokenizer *tokenizer, struct slm_word_scratch *scratch, struct slm_span word,
                         const uint32_t **ids, size_t *count, slm_error *error)
{
    if (word.length <= SLM_BPE_SHORT) {
        uint32_t symbols = start_symbols(tokenizer, word, scratch->ids);
        *ids = scratch->ids;
        *count = merge_short(tokenizer, scratch->ids, symbols);
        return SLM_OK;
    }
    SLM_TRY(slm__word_scratch_reserve(scratch, word.length, LONG_WORD_BYTES, error));
    size_t n = word.length;
    struct long_word work = {0};
    work.tokenizer = tokenizer;
    work.heap = (uint64_t *)(void *)scratch->block;
    work.pairs = (struct pair *)(void *)(work.heap + 2 * n);
    work.ids = (uint32_t *)(void *)(work.pairs + n);
    work.next = work.ids + n;
    work.before = work.next + n;
    work.count = start_symbols(tokenizer, word, work.ids);
    *count = merge_long(&work);
    *ids = work.ids;
    return SLM_OK;
}
