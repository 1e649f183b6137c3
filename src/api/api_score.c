/* SPDX-License-Identifier: MIT */
/* Log-probabilities of labels. */
#include "api/handles.h"
#include "runtime/score.h" /* slm__score */
#include <string.h>

/* Results go to the caller's structs of any age only when all are there. */
static slm_status score_labels(slm_pool *pool, const slm_input *context, const slm_input *labels, uint64_t count,
                               const slm_score_options *options, slm_label_score *scores, uint32_t stride, slm_error *error)
{
    const struct slm_memory *memory = pool->model->memory;
    size_t bytes = 0;
    slm_label_score *known = slm__size_mul((size_t)count, sizeof *known, &bytes) ? slm__allocate(memory, bytes, 64) : NULL;
    if (known == NULL) {
        return slm__fail_memory(error, bytes);
    }
    memset(known, 0, bytes);
    slm_status status = slm__score(pool, context, labels, count, options, known, error);
    for (uint64_t i = 0; i < count && status == SLM_OK; i++) {
        uint8_t *target = (uint8_t *)scores + i * stride;
        memcpy(target, &stride, sizeof stride);
        status = slm__struct_out(target, &known[i], sizeof known[i], error);
    }
    slm__release(memory, known, bytes);
    return status;
}

slm_status slm_score(slm_pool *pool, const slm_input *context, const slm_input *labels, uint64_t count, const slm_score_options *options,
                     slm_label_score *scores, slm_error *error)
{
    SLM_REQUIRE_PART(SCORES, "scores", error);
    const uint32_t all = SLM_SCORE_JOINT | SLM_SCORE_EOS | SLM_SCORE_LENGTH | SLM_SCORE_PLAIN;
    slm_score_options known;
    SLM_TRY(slm__require(pool, "pool", error));
    SLM_TRY(slm__require(context, "context", error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    SLM_TRY(slm__require_zero(known.reserved, "score options: reserved", error));
    if ((known.flags & ~all) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", known.flags);
    }
    if (known.adapter_count > 0) {
        SLM_TRY(slm__require(known.adapters, "adapters", error));
    }
    if (count == 0) {
        return SLM_OK;
    }
    SLM_TRY(slm__require(labels, "labels", error));
    SLM_TRY(slm__require(scores, "scores", error));
    const uint32_t stride = scores[0].struct_size;
    if (stride < sizeof stride || stride % _Alignof(slm_label_score) != 0 || stride > 1u << 16) {
        return slm__fail(error, SLM_E_STRUCT_SIZE, "struct_size of scores[0] is %u; set it to sizeof the struct", stride);
    }
    if (count > UINT32_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "count is %llu; one call scores at most %u labels", (unsigned long long)count, UINT32_MAX);
    }
    return score_labels(pool, context, labels, count, &known, scores, stride, error);
}
