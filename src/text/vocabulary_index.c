/* SPDX-License-Identifier: MIT */
/* Open addressing with id + 1 in a slot; twice as many slots as tokens. */
#include "text/vocabulary_index.h"

#include "text/tokenizer_hash.h" /* slm__tokenizer_hash */

/* The slot that holds `text`, or the empty one where it belongs. */
static uint32_t *index_slot(const struct slm_vocabulary_index *index, struct slm_span text)
{
    uint32_t at = (uint32_t)slm__tokenizer_hash(text) & index->mask;
    while (index->slots[at] != 0 && !slm__span_equal(index->tokens[index->slots[at] - 1].text, text)) {
        at = (at + 1) & index->mask;
    }
    return &index->slots[at];
}

static slm_status fill(struct slm_vocabulary_index *index, slm_error *error)
{
    const struct slm_gpt2_token *tokens = index->tokens;
    for (uint32_t id = 0; id < index->token_count; id++) {
        if (tokens[id].text.data == NULL || !tokens[id].in_model) {
            continue;
        }
        uint32_t *slot = index_slot(index, tokens[id].text);
        if (*slot != 0) {
            return slm__fail(error, SLM_E_BAD_VALUE, "tokens %u and %u have the same text '%.*s'", (unsigned)(*slot - 1), (unsigned)id,
                             SLM_SPAN_ARGS(tokens[id].text));
        }
        *slot = id + 1;
    }
    return SLM_OK;
}

/* A token outside the model whose text the model has under another id would be ambiguous. */
static slm_status check_outside(const struct slm_vocabulary_index *index, slm_error *error)
{
    const struct slm_gpt2_token *tokens = index->tokens;
    for (uint32_t id = 0; id < index->token_count; id++) {
        uint32_t found = tokens[id].text.data == NULL || tokens[id].in_model ? 0 : *index_slot(index, tokens[id].text);
        if (found != 0) {
            return slm__fail(error, SLM_E_BAD_VALUE, "added token '%.*s' has id %u, but %u in the model's vocabulary",
                             SLM_SPAN_ARGS(tokens[id].text), (unsigned)id, (unsigned)(found - 1));
        }
    }
    return SLM_OK;
}

slm_status slm__vocabulary_index_make(const struct slm_gpt2_token *tokens, uint32_t token_count, struct slm_arena *arena,
                                      struct slm_vocabulary_index *index, slm_error *error)
{
    uint32_t slots = 16;
    if (token_count > SLM_TOKENIZER_TOKENS_MAX) {
        return slm__fail(error, SLM_E_LIMIT, "tokenizer: %u tokens, at most %d are supported", (unsigned)token_count,
                         SLM_TOKENIZER_TOKENS_MAX);
    }
    while (slots / 2 < token_count) {
        slots *= 2;
    }
    index->tokens = tokens;
    index->token_count = token_count;
    index->mask = slots - 1;
    index->slots = slm__arena_take(arena, (size_t)slots * sizeof *index->slots);
    if (index->slots == NULL) {
        return slm__arena_failure(arena, error);
    }
    SLM_TRY(fill(index, error));
    return check_outside(index, error);
}

uint32_t slm__vocabulary_find(const struct slm_vocabulary_index *index, struct slm_span text)
{
    uint32_t found = *index_slot(index, text);
    return found == 0 ? SLM_TOKENIZER_NONE : found - 1;
}

/* left and right written together, in `joined`, which is large enough. */
static struct slm_span join(struct slm_gpt2_merge merge, uint8_t *joined)
{
    memcpy(joined, merge.left.data, merge.left.length);
    memcpy(joined + merge.left.length, merge.right.data, merge.right.length);
    return slm__span(joined, merge.left.length + merge.right.length);
}

static slm_status find_merge(const struct slm_vocabulary_index *index, uint32_t rank, struct slm_gpt2_merge merge,
                             struct slm_tokenizer_merge *result, slm_error *error)
{
    uint8_t joined[4 * SLM_TOKENIZER_TOKEN_BYTES_MAX];
    uint32_t left = *index_slot(index, merge.left);
    uint32_t right = *index_slot(index, merge.right);
    if (left == 0 || right == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "merge %u: its part '%.*s' is not in the vocabulary", (unsigned)rank,
                         SLM_SPAN_ARGS(left == 0 ? merge.left : merge.right));
    }
    if (merge.left.length == 0 || merge.right.length == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "merge %u of '%.*s' and '%.*s' has an empty part, so it yields its other part",
                         (unsigned)rank, SLM_SPAN_ARGS(merge.left), SLM_SPAN_ARGS(merge.right));
    }
    if (merge.left.length > sizeof joined / 2 || merge.right.length > sizeof joined / 2) {
        return slm__fail(error, SLM_E_LIMIT, "merge %u has a part longer than %u bytes", (unsigned)rank, (unsigned)(sizeof joined / 2));
    }
    struct slm_span whole = join(merge, joined);
    uint32_t id = *index_slot(index, whole);
    if (id == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "merge %u: its result '%.*s' is not in the vocabulary", (unsigned)rank,
                         SLM_SPAN_ARGS(whole));
    }
    result->left = left - 1;
    result->right = right - 1;
    result->result = id - 1;
    return SLM_OK;
}

slm_status slm__vocabulary_merges(const struct slm_vocabulary_index *index, const struct slm_gpt2_merge *merges, uint32_t merge_count,
                                  struct slm_arena *arena, struct slm_tokenizer_spec *spec, slm_error *error)
{
    struct slm_tokenizer_merge *results = slm__arena_take(arena, (size_t)merge_count * sizeof *results);
    if (results == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t rank = 0; rank < merge_count; rank++) {
        SLM_TRY(find_merge(index, rank, merges[rank], &results[rank], error));
    }
    spec->merges = results;
    spec->merge_count = merge_count;
    return SLM_OK;
}
