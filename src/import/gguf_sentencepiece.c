/* SPDX-License-Identifier: MIT */
/* Three arrays of one length become pieces. Without add_space_prefix the format's default holds: there is one. */
#include "import/gguf_sentencepiece.h"

#include "base/byte_reader.h"                /* slm__load_u32 */
#include "base/utf8.h"                       /* slm__utf8_valid_prefix */
#include "import/sentencepiece_vocabulary.h" /* slm__tokenizer_spec_from_pieces */
#include <inttypes.h>                        /* PRIu64 */

struct arrays {
    const struct slm_gguf_key *tokens, *scores, *types;
};

static slm_status find_arrays(const struct slm_gguf *gguf, uint32_t vocab, struct arrays *arrays, slm_error *error)
{
    arrays->tokens = slm__gguf_find(gguf, "tokenizer.ggml.tokens");
    arrays->scores = slm__gguf_find(gguf, "tokenizer.ggml.scores");
    arrays->types = slm__gguf_find(gguf, "tokenizer.ggml.token_type");
    if (!slm__gguf_is_array(arrays->tokens, SLM_GGUF_STRING)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "key tokenizer.ggml.tokens is missing or no array of strings");
    }
    if (arrays->tokens->count > vocab) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer.ggml.tokens has %" PRIu64 " tokens, the embedding has %" PRIu32 " rows",
                         arrays->tokens->count, vocab);
    }
    if (!slm__gguf_is_array(arrays->scores, SLM_GGUF_F32) || arrays->scores->count != arrays->tokens->count) {
        return slm__fail(error, SLM_E_BAD_VALUE, "key tokenizer.ggml.scores is no array of one number for each token");
    }
    bool integers = slm__gguf_is_array(arrays->types, SLM_GGUF_I32) || slm__gguf_is_array(arrays->types, SLM_GGUF_U32);
    if (!integers || arrays->types->count != arrays->tokens->count) {
        return slm__fail(error, SLM_E_BAD_VALUE, "key tokenizer.ggml.token_type is no array of one integer for each token");
    }
    return SLM_OK;
}

static slm_status read_piece(const struct arrays *arrays, uint32_t id, struct slm_span text, float *score, uint8_t *type, slm_error *error)
{
    uint32_t bits = slm__load_u32(arrays->scores->value.data + 4 * (size_t)id);
    uint64_t number = slm__gguf_item_u64(arrays->types, id);
    memcpy(score, &bits, sizeof *score);
    if (slm__utf8_valid_prefix(text) != text.length) {
        return slm__fail(error, SLM_E_ENCODING, "token %" PRIu32 " of tokenizer.ggml.tokens is not valid UTF-8", id);
    }
    if (*score != *score || number < SLM_PIECE_NORMAL || number > SLM_PIECE_BYTE) {
        return slm__fail(error, SLM_E_BAD_VALUE, "token %" PRIu32 " has type %" PRIu64 " (known are 1 to 6), or a score that is no number",
                         id, number);
    }
    *type = (uint8_t)number;
    return SLM_OK;
}

slm_status slm__gguf_sentencepiece(const struct slm_gguf *gguf, uint32_t vocab, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                                   slm_error *error)
{
    struct arrays arrays;
    SLM_TRY(find_arrays(gguf, vocab, &arrays, error));
    uint32_t count = (uint32_t)arrays.tokens->count;
    struct slm_span *texts = slm__arena_take(arena, (size_t)count * sizeof *texts);
    float *scores = slm__arena_take(arena, (size_t)count * sizeof *scores);
    uint8_t *types = slm__arena_take(arena, count);
    if (texts == NULL || scores == NULL || types == NULL) {
        return slm__arena_failure(arena, error);
    }
    uint64_t cursor = 0;
    for (uint32_t id = 0; id < count; id++) {
        struct slm_span text = slm__gguf_next_text(arrays.tokens, &cursor);
        SLM_TRY(read_piece(&arrays, id, text, &scores[id], &types[id], error));
        texts[id] = text.length > 0 ? text : slm__span(NULL, 0);
    }
    uint64_t prefix = 1;
    (void)slm__gguf_u64(slm__gguf_find(gguf, "tokenizer.ggml.add_space_prefix"), &prefix);
    struct slm_sentencepiece pieces = {texts, scores, types, count, NULL, 0, prefix != 0, count};
    return slm__tokenizer_spec_from_pieces(&pieces, arena, spec, error);
}
