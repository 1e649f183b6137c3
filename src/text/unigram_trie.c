/* SPDX-License-Identifier: MIT */
/* From a sorted list: a node is a range of texts with a common beginning; its children get the first base where all of them fit. */
#include "text/unigram_trie.h"

#include "text/tokenizer_layout.h" /* SLM_TOKENIZER_NONE */

enum { TRIES = 256, UNITS_MAX = 1 << 28 };

/* Texts [low, high) of the sorted list share their first `depth` bytes and hang below `unit`. */
struct range {
    uint32_t low, high, depth, unit;
};

struct builder {
    const struct slm_span *texts;
    uint32_t *order; /* ids by text */
    uint32_t order_count;
    struct slm_unigram_trie *trie;
    uint32_t first_free; /* all units before are taken */
    slm_error *error;
};

static bool text_less(const struct builder *b, uint32_t first, uint32_t second)
{
    struct slm_span x = b->texts[first];
    struct slm_span y = b->texts[second];
    int order = memcmp(x.data, y.data, x.length < y.length ? x.length : y.length);
    return order != 0 ? order < 0 : x.length != y.length ? x.length < y.length : first < second;
}

static void sift_down(struct builder *b, uint32_t at, uint32_t count)
{
    for (uint32_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
        if (child + 1 < count && text_less(b, b->order[child], b->order[child + 1])) {
            child++;
        }
        if (!text_less(b, b->order[at], b->order[child])) {
            return;
        }
        uint32_t swapped = b->order[at];
        b->order[at] = b->order[child];
        b->order[child] = swapped;
    }
}

static void sort_texts(struct builder *b)
{
    for (uint32_t i = b->order_count / 2; i-- > 0;) {
        sift_down(b, i, b->order_count);
    }
    for (uint32_t end = b->order_count; end > 1; end--) {
        uint32_t swapped = b->order[0];
        b->order[0] = b->order[end - 1];
        b->order[end - 1] = swapped;
        sift_down(b, 0, end - 1);
    }
}

/* Make units up to `count` exist. */
static slm_status reach(struct builder *b, uint32_t count)
{
    struct slm_unigram_trie *trie = b->trie;
    if (count > trie->capacity) {
        uint32_t capacity = count + count / 2 + 1024;
        if (capacity > UNITS_MAX) {
            return slm__fail(b->error, SLM_E_LIMIT, "tokenizer: a trie of more than %d units", UNITS_MAX);
        }
        struct slm_trie_unit *units = slm__allocate(&trie->memory, (size_t)capacity * sizeof *units, 64);
        if (units == NULL) {
            return slm__fail_memory(b->error, (size_t)capacity * sizeof *units);
        }
        if (trie->count > 0) {
            memcpy(units, trie->units, (size_t)trie->count * sizeof *units);
        }
        slm__release(&trie->memory, trie->units, (size_t)trie->capacity * sizeof *units);
        trie->units = units;
        trie->capacity = capacity;
    }
    for (; trie->count < count; trie->count++) {
        struct slm_trie_unit unit = {0, SLM_TOKENIZER_NONE, SLM_TOKENIZER_NONE};
        trie->units[trie->count] = unit;
    }
    return SLM_OK;
}

static bool is_free(const struct slm_unigram_trie *trie, uint32_t unit)
{
    return unit >= trie->count || (unit > 0 && trie->units[unit].parent == SLM_TOKENIZER_NONE);
}

/* A base at which the units of all `count` ascending bytes are free: the first one, or the end after many attempts. */
static uint32_t find_base(struct builder *b, const uint8_t *bytes, uint32_t count)
{
    while (!is_free(b->trie, b->first_free)) {
        b->first_free++;
    }
    uint32_t tries = 0;
    for (uint32_t unit = b->first_free; unit < b->trie->count && tries < TRIES; unit++) {
        if (unit <= bytes[0] || !is_free(b->trie, unit)) {
            continue;
        }
        uint32_t base = unit - bytes[0];
        uint32_t i = 1;
        while (i < count && is_free(b->trie, base + bytes[i])) {
            i++;
        }
        if (i == count) {
            return base;
        }
        tries++;
    }
    return b->trie->count > bytes[0] ? b->trie->count - bytes[0] : 1;
}

/* Give the texts of `range` that go on units below its own; their ranges are appended to the queue. */
static slm_status add_children(struct builder *b, struct range range, struct range *queue, uint32_t *queued)
{
    uint8_t bytes[256];
    uint32_t count = 0;
    uint32_t low = range.low;
    while (low < range.high && b->texts[b->order[low]].length == range.depth) {
        b->trie->units[range.unit].id = b->order[low++]; /* of equal texts the last id */
    }
    for (uint32_t i = low; i < range.high; i++) {
        uint8_t byte = b->texts[b->order[i]].data[range.depth];
        if (count == 0 || bytes[count - 1] != byte) {
            bytes[count++] = byte;
        }
    }
    if (count == 0) {
        return SLM_OK;
    }
    uint32_t base = find_base(b, bytes, count);
    SLM_TRY(reach(b, base + bytes[count - 1] + 1));
    b->trie->units[range.unit].base = base;
    for (uint32_t i = 0; i < count; i++) {
        struct range child = {low, low, range.depth + 1, base + bytes[i]};
        while (child.high < range.high && b->texts[b->order[child.high]].data[range.depth] == bytes[i]) {
            child.high++;
        }
        b->trie->units[child.unit].parent = range.unit;
        queue[(*queued)++] = child;
        low = child.high;
    }
    return SLM_OK;
}

static slm_status build(struct builder *b, struct slm_arena *arena, size_t bytes)
{
    struct range *queue = slm__arena_take(arena, (bytes + 1) * sizeof *queue);
    if (queue == NULL) {
        return slm__arena_failure(arena, b->error);
    }
    struct range all = {0, b->order_count, 0, 0};
    uint32_t queued = 1;
    queue[0] = all;
    SLM_TRY(reach(b, 1));
    for (uint32_t i = 0; i < queued; i++) {
        SLM_TRY(add_children(b, queue[i], queue, &queued));
    }
    return SLM_OK;
}

slm_status slm__unigram_trie_build(const struct slm_span *texts, uint32_t count, struct slm_arena *arena, struct slm_unigram_trie *trie,
                                   slm_error *error)
{
    struct builder b = {texts, NULL, 0, trie, 0, error};
    size_t bytes = 0;
    memset(trie, 0, sizeof *trie);
    trie->memory = arena->memory;
    b.order = slm__arena_take(arena, (size_t)count * sizeof *b.order);
    if (b.order == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t id = 0; id < count; id++) {
        if (texts[id].length > 0) {
            b.order[b.order_count++] = id;
            bytes += texts[id].length;
        }
    }
    sort_texts(&b);
    slm_status status = build(&b, arena, bytes);
    if (status != SLM_OK) {
        slm__unigram_trie_free(trie);
    }
    return status;
}

void slm__unigram_trie_free(struct slm_unigram_trie *trie)
{
    slm__release(&trie->memory, trie->units, (size_t)trie->capacity * sizeof *trie->units);
    memset(trie, 0, sizeof *trie);
}
