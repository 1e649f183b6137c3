/* SPDX-License-Identifier: MIT */
/* Three arrays of one length, checked against each other and against the embedding. */
#include "import/gguf_tokens.h"

#include "base/byte_reader.h" /* slm__load_u32 */
#include "base/utf8.h"        /* slm__utf8_valid_prefix */
#include <inttypes.h>         /* PRIu64 */

struct arrays {
    const struct slm_gguf_key *tokens, *scores, *types;
};

static slm_status find_arrays(const struct slm_gguf *gguf, uint32_t vocab, bool scored, struct arrays *arrays, slm_error *error)
{
    arrays->tokens = slm__gguf_find(gguf, "tokenizer.ggml.tokens");
    arrays->scores = scored ? slm__gguf_find(gguf, "tokenizer.ggml.scores") : NULL;
    arrays->types = slm__gguf_find(gguf, "tokenizer.ggml.token_type");
    if (!slm__gguf_is_array(arrays->tokens, SLM_GGUF_STRING)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "key tokenizer.ggml.tokens is missing or no array of strings");
    }
    if (arrays->tokens->count > vocab) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer.ggml.tokens has %" PRIu64 " tokens, the embedding has %" PRIu32 " rows",
                         arrays->tokens->count, vocab);
    }
    if (scored && (!slm__gguf_is_array(arrays->scores, SLM_GGUF_F32) || arrays->scores->count != arrays->tokens->count)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "key tokenizer.ggml.scores is no array of one number for each token");
    }
    const bool integers = slm__gguf_is_array(arrays->types, SLM_GGUF_I32) || slm__gguf_is_array(arrays->types, SLM_GGUF_U32);
    if ((arrays->types != NULL || scored) && (!integers || arrays->types->count != arrays->tokens->count)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "key tokenizer.ggml.token_type is no array of one integer for each token");
    }
    return SLM_OK;
}

static slm_status read_token(const struct arrays *arrays, uint32_t id, struct slm_span text, struct slm_gguf_tokens *tokens,
                             slm_error *error)
{
    uint64_t type = arrays->types != NULL ? slm__gguf_item_u64(arrays->types, id) : SLM_PIECE_NORMAL;
    if (slm__utf8_valid_prefix(text) != text.length) {
        return slm__fail(error, SLM_E_ENCODING, "token %" PRIu32 " of tokenizer.ggml.tokens is not valid UTF-8", id);
    }
    if (type == 0 && arrays->scores == NULL) {
        type = SLM_PIECE_NORMAL;
    }
    if (type < SLM_PIECE_NORMAL || type > SLM_PIECE_BYTE) {
        return slm__fail(error, SLM_E_BAD_VALUE, "token %" PRIu32 " has type %" PRIu64 " (known are 1 to 6)", id, type);
    }
    tokens->types[id] = (uint8_t)type;
    tokens->texts[id] = text.length > 0 ? text : slm__span(NULL, 0);
    if (arrays->scores != NULL) {
        const uint32_t bits = slm__load_u32(arrays->scores->value.data + 4 * (size_t)id);
        memcpy(&tokens->scores[id], &bits, sizeof bits);
        if (tokens->scores[id] != tokens->scores[id]) {
            return slm__fail(error, SLM_E_BAD_VALUE, "token %" PRIu32 " has a score that is no number", id);
        }
    }
    return SLM_OK;
}

slm_status slm__gguf_tokens_read(const struct slm_gguf *gguf, uint32_t vocab, bool scored, struct slm_arena *arena,
                                 struct slm_gguf_tokens *tokens, slm_error *error)
{
    struct arrays arrays;
    memset(tokens, 0, sizeof *tokens);
    SLM_TRY(find_arrays(gguf, vocab, scored, &arrays, error));
    tokens->count = (uint32_t)arrays.tokens->count;
    tokens->texts = slm__arena_take(arena, (size_t)tokens->count * sizeof *tokens->texts);
    tokens->scores = scored ? slm__arena_take(arena, (size_t)tokens->count * sizeof *tokens->scores) : NULL;
    tokens->types = slm__arena_take(arena, tokens->count);
    if (tokens->texts == NULL || tokens->types == NULL || (scored && tokens->scores == NULL)) {
        return slm__arena_failure(arena, error);
    }
    uint64_t cursor = 0;
    for (uint32_t id = 0; id < tokens->count; id++) {
        SLM_TRY(read_token(&arrays, id, slm__gguf_next_text(arrays.tokens, &cursor), tokens, error));
    }
    return SLM_OK;
}
