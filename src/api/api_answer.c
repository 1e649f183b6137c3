/* SPDX-License-Identifier: MIT */
/* What a program may believe of an answer: its values with their probabilities. */
#include "api/handles.h"
#include "kernels/poly_math.h"    /* slm__exp64 */
#include "sample/answer_fields.h" /* slm__answer_fields_list, slm__answer_fields_add */
#include <stddef.h>
#include <string.h>

/* One token of the caller's array, whose structs may be older than allowed_logprob. */
static slm_token token_at(const slm_token *tokens, uint32_t stride, uint64_t i)
{
    slm_token token = {0};
    memcpy(&token, (const uint8_t *)tokens + i * stride, stride < sizeof token ? stride : sizeof token);
    if (stride < offsetof(slm_token, allowed_logprob) + sizeof token.allowed_logprob) {
        token.allowed_logprob = token.logprob;
    }
    return token;
}

static slm_status check_tokens(const slm_token *tokens, uint32_t stride, uint64_t count, uint64_t length, slm_error *error)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t bytes = token_at(tokens, stride, i).text_length;
        sum = bytes > length - sum ? length + 1 : sum + bytes;
        if (sum > length) {
            return slm__fail(error, SLM_E_ARGUMENT, "the texts of the tokens are longer than the answer of %llu bytes",
                             (unsigned long long)length);
        }
    }
    return sum == length ? SLM_OK
                         : slm__fail(error, SLM_E_ARGUMENT, "the texts of the tokens have %llu bytes, the answer %llu",
                                     (unsigned long long)sum, (unsigned long long)length);
}

slm_status slm_answer_fields(const char *text, uint64_t length, const slm_token *tokens, uint64_t token_count, slm_answer_field *fields,
                             uint64_t capacity, uint64_t *count, char *paths, uint64_t path_capacity, uint64_t *path_bytes,
                             slm_error *error)
{
    struct slm_span span;
    struct slm_answer_fields found = {0};
    SLM_REQUIRE_PART(SCORES, "probabilities of an answer's values", error);
    SLM_TRY(slm__text_in(text, length, "text", &span, error));
    SLM_TRY(slm__require(tokens, "tokens", error));
    SLM_TRY(slm__require(count, "count", error));
    SLM_TRY(slm__require(path_bytes, "path_bytes", error));
    const uint32_t stride = tokens[0].struct_size;
    if (stride < offsetof(slm_token, top_count) || stride % _Alignof(slm_token) != 0 || stride > 1u << 16) {
        return slm__fail(error, SLM_E_STRUCT_SIZE, "struct_size of tokens[0] is %u; set it to sizeof the struct", stride);
    }
    SLM_TRY(check_tokens(tokens, stride, token_count, span.length, error));
    SLM_TRY(slm__answer_fields_list(span, &found, error));
    *count = found.count;
    *path_bytes = found.path_bytes;
    if (fields == NULL || paths == NULL || found.count > capacity || found.path_bytes > path_capacity) {
        return slm__fail(error, SLM_E_BUFFER_TOO_SMALL, "the answer has %llu values, whose paths have %llu bytes",
                         (unsigned long long)found.count, (unsigned long long)found.path_bytes);
    }
    if (fields[0].struct_size != sizeof *fields) {
        return slm__fail(error, SLM_E_STRUCT_SIZE, "struct_size of fields[0] is %u; set it to %u", fields[0].struct_size,
                         (uint32_t)sizeof *fields);
    }
    found.fields = fields;
    found.paths = (uint8_t *)paths;
    SLM_TRY(slm__answer_fields_list(span, &found, error));
    for (uint64_t i = 0, at = 0; i < token_count; i++) {
        const slm_token token = token_at(tokens, stride, i);
        slm__answer_fields_add(&found, at, at + token.text_length, token.allowed_logprob, token.logprob);
        at += token.text_length;
    }
    for (uint64_t i = 0; i < found.count; i++) {
        fields[i].probability = slm__exp64(fields[i].probability);
        fields[i].probability_unconstrained = slm__exp64(fields[i].probability_unconstrained);
    }
    return SLM_OK;
}
