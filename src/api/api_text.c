/* SPDX-License-Identifier: MIT */
/* Text to token ids and back. */
#include "api/handles.h"
#include "base/buffer.h" /* struct slm_buffer */

enum { TEXT_LIMIT = 1 << 30 };

static slm_status require_tokenizer(const struct slm_model *model, slm_error *error)
{
    SLM_TRY(slm__require(model, "model", error));
    if (model->runtime.tokenizer == NULL) {
        return slm__fail(error, SLM_E_NO_TOKENIZER, "the model has no tokenizer: it works on token ids only");
    }
    return SLM_OK;
}

slm_status slm_tokenize(const slm_model *model, const char *text, uint64_t length, uint32_t flags, int32_t *ids, uint64_t capacity,
                        uint64_t *count, slm_error *error)
{
    struct slm_span span;
    SLM_TRY(require_tokenizer(model, error));
    SLM_TRY(slm__text_in(text, length, "text", &span, error));
    SLM_TRY(slm__require(count, "count", error));
    if (capacity > 0) {
        SLM_TRY(slm__require(ids, "ids", error));
    }
    if ((flags & ~(uint32_t)(SLM_TOKENIZE_ADD_SPECIAL | SLM_TOKENIZE_PLAIN | SLM_TOKENIZE_STRICT)) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", flags);
    }
    return slm__tokenizer_encode(&model->tokenizer, &model->engine->memory, span, flags, ids, capacity, count, error);
}

slm_status slm_detokenize(const slm_model *model, const int32_t *ids, uint64_t count, uint32_t flags, char *text, uint64_t capacity,
                          uint64_t *needed, slm_error *error)
{
    struct slm_buffer buffer;
    SLM_TRY(require_tokenizer(model, error));
    SLM_TRY(slm__require(needed, "needed", error));
    if (count > 0) {
        SLM_TRY(slm__require(ids, "ids", error));
    }
    if ((flags & ~(uint32_t)SLM_DETOKENIZE_SKIP_SPECIAL) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", flags);
    }
    slm__buffer_init(&buffer, &model->engine->memory, TEXT_LIMIT);
    slm_status status = slm__tokenizer_decode(&model->tokenizer, &model->engine->memory, ids, count, flags, &buffer, error);
    if (status == SLM_OK) {
        status = slm__copy_out(slm__span(buffer.data, buffer.length), text, capacity, needed, error);
    }
    slm__buffer_free(&buffer);
    return status;
}

slm_status slm_token_bytes(const slm_model *model, int32_t token, char *bytes, uint64_t capacity, uint64_t *needed, slm_error *error)
{
    struct slm_span span = {NULL, 0};
    uint32_t flags = 0;
    SLM_TRY(require_tokenizer(model, error));
    SLM_TRY(slm__require(needed, "needed", error));
    if (slm__tokenizer_token_bytes(&model->tokenizer, token, &span, &flags) != SLM_OK) {
        return slm__fail(error, SLM_E_BAD_TOKEN, "token %d is not one of the tokenizer's %u", token,
                         slm__tokenizer_size(&model->tokenizer));
    }
    return slm__copy_out(span, bytes, capacity, needed, error);
}
