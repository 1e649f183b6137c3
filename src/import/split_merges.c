/* SPDX-License-Identifier: MIT */
/* Counted first, then listed, then sorted by an order without ties. */
#include "import/split_merges.h"

#include "base/heap_sort.h" /* slm__heap_sort */

struct split {
    float score;
    uint32_t left_length; /* characters; 0 where the length does not count */
    uint32_t right_length;
    struct slm_tokenizer_merge merge;
};

static bool split_less(const void *items, uint32_t a, uint32_t b)
{
    const struct split *x = (const struct split *)items + a;
    const struct split *y = (const struct split *)items + b;
    if (x->score > y->score || x->score < y->score) {
        return x->score > y->score;
    }
    if (x->left_length != y->left_length) {
        return x->left_length > y->left_length;
    }
    if (x->right_length != y->right_length) {
        return x->right_length > y->right_length;
    }
    if (x->merge.result != y->merge.result) {
        return x->merge.result < y->merge.result;
    }
    return x->merge.left != y->merge.left ? x->merge.left < y->merge.left : x->merge.right < y->merge.right;
}

static void split_swap(void *items, uint32_t a, uint32_t b)
{
    struct split *list = items;
    struct split swapped = list[a];
    list[a] = list[b];
    list[b] = swapped;
}

static uint32_t characters(struct slm_span text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.length; i++) {
        count += (text.data[i] & 0xC0) != 0x80;
    }
    return count;
}

struct walk {
    const struct slm_vocabulary_index *index;
    const uint8_t *parts;
    bool longer_first;
    struct split *list; /* NULL: only count */
    uint32_t count;
};

static bool usable(const struct walk *walk, uint32_t id)
{
    return id != SLM_TOKENIZER_NONE && (walk->parts == NULL || walk->parts[id] != 0);
}

/* All cuts of token `id`. */
static void cut_token(struct walk *walk, uint32_t id, float score)
{
    struct slm_span text = walk->index->tokens[id].text;
    for (size_t at = 1; at < text.length; at++) {
        struct slm_span left = slm__span(text.data, at);
        struct slm_span right = slm__span(text.data + at, text.length - at);
        uint32_t left_id = slm__vocabulary_find(walk->index, left);
        uint32_t right_id = usable(walk, left_id) ? slm__vocabulary_find(walk->index, right) : SLM_TOKENIZER_NONE;
        if (!usable(walk, right_id)) {
            continue;
        }
        if (walk->list != NULL) {
            struct split split = {
                score, walk->longer_first ? characters(left) : 0, walk->longer_first ? characters(right) : 0, {left_id, right_id, id}};
            walk->list[walk->count] = split;
        }
        walk->count++;
    }
}

static void cut_all(struct walk *walk, const float *scores)
{
    walk->count = 0;
    for (uint32_t id = 0; id < walk->index->token_count; id++) {
        const struct slm_gpt2_token *token = &walk->index->tokens[id];
        if (token->text.data != NULL && token->in_model && token->text.length <= SLM_TOKENIZER_TOKEN_BYTES_MAX && usable(walk, id)) {
            cut_token(walk, id, scores[id]);
        }
    }
}

slm_status slm__split_merges(const struct slm_vocabulary_index *index, const float *scores, const uint8_t *parts, bool longer_first,
                             struct slm_arena *arena, struct slm_tokenizer_spec *spec, slm_error *error)
{
    struct walk walk = {index, parts, longer_first, NULL, 0};
    cut_all(&walk, scores);
    uint32_t count = walk.count;
    walk.list = slm__arena_take(arena, (size_t)count * sizeof *walk.list);
    struct slm_tokenizer_merge *merges = slm__arena_take(arena, (size_t)count * sizeof *merges);
    if (walk.list == NULL || merges == NULL) {
        return slm__arena_failure(arena, error);
    }
    cut_all(&walk, scores);
    slm__heap_sort(walk.list, count, split_less, split_swap);
    for (uint32_t i = 0; i < count; i++) {
        merges[i] = walk.list[i].merge;
    }
    spec->merges = merges;
    spec->merge_count = count;
    return SLM_OK;
}
