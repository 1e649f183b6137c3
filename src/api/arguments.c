/* SPDX-License-Identifier: MIT */
/* The rules that all entry points share: struct_size, lengths, NULL. */
#include "api/handles.h"
#include <string.h>

slm_status slm__require(const void *pointer, const char *name, slm_error *error)
{
    return pointer != NULL ? SLM_OK : slm__fail(error, SLM_E_ARGUMENT, "%s is NULL", name);
}

slm_status slm__require_zero(int64_t value, const char *name, slm_error *error)
{
    return value == 0 ? SLM_OK : slm__fail(error, SLM_E_ARGUMENT, "%s is %lld; it has to be 0", name, (long long)value);
}

slm_status slm__require_weights(const struct slm_model *model, slm_error *error)
{
    SLM_TRY(slm__require(model, "model", error));
    if (model->transformer.layer_count == 0) {
        return slm__fail(error, SLM_E_STATE, "the model is a tokenizer without weights: it cannot run");
    }
    return SLM_OK;
}

slm_status slm__options_in(void *known, uint32_t known_size, const void *given, slm_error *error)
{
    uint32_t size = 0;
    memset(known, 0, known_size);
    if (given == NULL) {
        return SLM_OK;
    }
    memcpy(&size, given, sizeof size);
    if (size < sizeof size || size > 1u << 16) {
        return slm__fail(error, SLM_E_STRUCT_SIZE, "struct_size is %u; set it to sizeof the struct", size);
    }
    for (uint32_t i = known_size; i < size; i++) {
        if (((const uint8_t *)given)[i] != 0) {
            return slm__fail(error, SLM_E_STRUCT_SIZE,
                             "the options have %u bytes of which this library knows %u, and byte %u beyond is set", size, known_size, i);
        }
    }
    memcpy(known, given, size < known_size ? size : known_size);
    return SLM_OK;
}

slm_status slm__struct_out(void *given, const void *known, uint32_t known_size, slm_error *error)
{
    uint32_t size = 0;
    SLM_TRY(slm__require(given, "the result struct", error));
    memcpy(&size, given, sizeof size);
    if (size < sizeof size || size > 1u << 16) {
        return slm__fail(error, SLM_E_STRUCT_SIZE, "struct_size is %u; set it to sizeof the struct", size);
    }
    const uint32_t copied = size < known_size ? size : known_size;
    memcpy((uint8_t *)given + sizeof size, (const uint8_t *)known + sizeof size, copied - sizeof size);
    return SLM_OK;
}

slm_status slm__text_in(const char *text, uint64_t length, const char *name, struct slm_span *span, slm_error *error)
{
    if (text == NULL) {
        *span = slm__span("", 0);
        return length == 0 ? SLM_OK : slm__require(text, name, error);
    }
    if (length == SLM_NUL_TERMINATED) {
        length = strlen(text);
    }
    if (length > SIZE_MAX / 4) {
        return slm__fail(error, SLM_E_ARGUMENT, "the length of %s is %llu bytes, which cannot be", name, (unsigned long long)length);
    }
    *span = slm__span(text, (size_t)length);
    return SLM_OK;
}

slm_status slm__path_in(const char *path, uint64_t length, char copy[SLM_PATH_BYTES], slm_error *error)
{
    struct slm_span span;
    SLM_TRY(slm__require(path, "the path", error));
    SLM_TRY(slm__text_in(path, length, "the path", &span, error));
    if (span.length == 0 || span.length >= SLM_PATH_BYTES || memchr(span.data, 0, span.length) != NULL) {
        return slm__fail(error, SLM_E_ARGUMENT, "the path has %llu bytes; 1 to %d without NUL are possible",
                         (unsigned long long)span.length, SLM_PATH_BYTES - 1);
    }
    memcpy(copy, span.data, span.length);
    copy[span.length] = 0;
    return SLM_OK;
}
