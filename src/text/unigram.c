/* SPDX-License-Identifier: MIT */
/*
 * The best path that ends behind each character, from left to right, sums in binary64 in the order of the reference: the first of
 * equal paths stays. A character that is no token by itself may be unknown; neighbouring unknowns of the best path become one.
 */
#include "text/unigram.h"

#include "base/utf8.h"      /* slm__utf8_decode */
#include "text/bpe_merge.h" /* slm__tokenizer_find */

/* The best path that ends at a byte. */
struct place {
    double score;
    uint32_t start; /* of its last token; NONE: no path ends here */
    uint32_t id;
};

static double token_score(const struct slm_tokenizer *t, uint32_t id)
{
    uint64_t bits = slm__load_u64(t->tables[SLM_TOKENIZER_SCORES] + 8 * (size_t)id);
    double score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static void offer(struct place *place, double score, size_t start, uint32_t id)
{
    if (place->start == SLM_TOKENIZER_NONE || score > place->score) {
        place->score = score;
        place->start = (uint32_t)start;
        place->id = id;
    }
}

/* All tokens that begin at `start`, by walking the trie, and the unknown one. */
static void offer_tokens(const struct slm_tokenizer *t, struct slm_span word, size_t start, size_t character, struct place *places)
{
    const uint8_t *trie = t->tables[SLM_TOKENIZER_TRIE];
    double before = places[start].score;
    bool single = false;
    uint32_t node = 0;
    for (size_t end = start; end < word.length;) {
        uint32_t child = slm__load_u32(trie + SLM_TOKENIZER_TRIE_BYTES * (size_t)node) + word.data[end];
        const uint8_t *unit = trie + SLM_TOKENIZER_TRIE_BYTES * (size_t)child;
        if (child >= t->trie_count || slm__load_u32(unit + 4) != node || child == 0) {
            break;
        }
        end++;
        node = child;
        uint32_t id = slm__load_u32(unit + 8);
        if (id != SLM_TOKENIZER_NONE && !(t->guarded && slm__tokenizer_is_control(t, id))) {
            offer(&places[end], before + token_score(t, id), start, id);
            single |= end - start == character;
        }
    }
    if (!single) {
        offer(&places[start + character], before + t->unknown_score, start, t->unknown);
    }
}

/* Write the ids of [start, end), which is one token or a run of unknown ones, in front of ids[at]; returns the new start. */
static size_t put_back(const struct slm_tokenizer *t, struct slm_span text, uint32_t *ids, size_t at)
{
    uint32_t id = slm__tokenizer_find(t, text);
    bool bytes = id == SLM_TOKENIZER_NONE && (t->model_flags & SLM_TOKENIZER_BYTE_FALLBACK) != 0;
    for (size_t i = 0; bytes && i < text.length; i++) {
        bytes = slm__tokenizer_u32(t, SLM_TOKENIZER_FALLBACK, text.data[i]) != SLM_TOKENIZER_NONE;
    }
    if (!bytes) {
        ids[--at] = id == SLM_TOKENIZER_NONE ? t->unknown : id;
        return at;
    }
    for (size_t i = text.length; i-- > 0;) {
        ids[--at] = slm__tokenizer_u32(t, SLM_TOKENIZER_FALLBACK, text.data[i]);
    }
    return at;
}

slm_status slm__unigram_word(const struct slm_tokenizer *tokenizer, struct slm_word_scratch *scratch, struct slm_span word,
                             const uint32_t **ids, size_t *count, slm_error *error)
{
    SLM_TRY(slm__word_scratch_reserve(scratch, word.length, sizeof(struct place) + sizeof(uint32_t), error));
    struct place *places = (struct place *)(void *)scratch->block;
    uint32_t *results = (uint32_t *)(void *)(places + word.length + 1);
    for (size_t i = 0; i <= word.length; i++) {
        places[i].score = 0;
        places[i].start = SLM_TOKENIZER_NONE;
    }
    for (size_t start = 0; start < word.length;) {
        size_t character = slm__utf8_decode(word.data + start, word.length - start).length;
        offer_tokens(tokenizer, word, start, character, places);
        start += character;
    }
    size_t at = word.length;
    for (size_t end = word.length; end > 0;) {
        size_t start = places[end].start;
        while (places[end].id == tokenizer->unknown && start > 0 && places[start].id == tokenizer->unknown) {
            start = places[start].start;
        }
        if (places[end].id == tokenizer->unknown) {
            at = put_back(tokenizer, slm__span(word.data + start, end - start), results, at);
        } else {
            results[--at] = places[end].id;
        }
        end = start;
    }
    *ids = results + at;
    *count = word.length - at;
    return SLM_OK;
}
