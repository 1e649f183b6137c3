/* SPDX-License-Identifier: MIT */
/* Embeddings of texts. */
#include "api/handles.h"
#include "runtime/embed.h" /* slm__embed */

slm_status slm_embed(slm_pool *pool, const slm_input *inputs, uint64_t count, const slm_embed_options *options, float *embeddings,
                     uint64_t capacity, slm_error *error)
{
    SLM_REQUIRE_PART(SCORES, "embeddings", error);
    slm_embed_options known;
    SLM_TRY(slm__require(pool, "pool", error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    SLM_TRY(slm__require_zero(known.reserved, "embed options: reserved", error));
    if (known.pooling < SLM_POOLING_DEFAULT || known.pooling > SLM_POOLING_FIRST || known.normalize < SLM_NORMALIZE_DEFAULT ||
        known.normalize > SLM_NORMALIZE_NO || (known.flags & ~(uint32_t)(SLM_EMBED_TRUNCATE | SLM_EMBED_PLAIN)) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "pooling %d, normalize %d or flags 0x%x is none of slm.h", known.pooling, known.normalize,
                         known.flags);
    }
    if (known.adapter_count > 0) {
        SLM_TRY(slm__require(known.adapters, "adapters", error));
    }
    if (count == 0) {
        return SLM_OK;
    }
    SLM_TRY(slm__require(inputs, "inputs", error));
    SLM_TRY(slm__require(embeddings, "embeddings", error));
    const uint64_t hidden = pool->model->transformer->hidden_size;
    if (count > UINT64_MAX / hidden || capacity < count * hidden) {
        return slm__fail(error, SLM_E_BUFFER_TOO_SMALL, "%llu embeddings of %llu values do not fit into %llu", (unsigned long long)count,
                         (unsigned long long)hidden, (unsigned long long)capacity);
    }
    return slm__embed(pool, inputs, count, &known, embeddings, error);
}
