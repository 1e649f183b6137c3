/* SPDX-License-Identifier: MIT */
/*
 * How a session chooses its next token: settings, generator, and the chain of slm_sampling: bias, penalties, top-k, temperature, top-p,
 * min-p, one draw. The same settings, seed and logits give the same tokens on every machine.
 */
#ifndef SLM_SAMPLE_SAMPLER_H
#define SLM_SAMPLE_SAMPLER_H

#include "base/random.h"          /* struct slm_random */
#include "base/status.h"          /* slm_status, slm_error, slm_sampling, slm_logit_bias */
#include "sample/logit_filters.h" /* struct slm_penalties */
#include "sample/logprobs.h"      /* struct slm_passes */
#include <stddef.h>

enum { SLM_SAMPLER_BIAS_MAX = 1024 };

/* Plain data of fixed size, no pointers: a copy by assignment goes on with the same draws. */
struct slm_sampler {
    struct slm_random random;
    struct slm_penalties penalties;
    float temperature;       /* 0: greedy */
    float top_p;             /* 0: off */
    float min_p;             /* 0: off */
    uint32_t top_k;          /* 0: off */
    uint32_t penalty_window; /* 0: the whole history */
    uint32_t vocab;
    uint32_t bias_count;
    slm_logit_bias bias[SLM_SAMPLER_BIAS_MAX];
};

/* `sampling` has been brought to the size known here; NULL: greedy. SLM_E_ARGUMENT or SLM_E_BAD_TOKEN names field and value, and
 * `sampler` is as before. */
slm_status slm__sampler_init(struct slm_sampler *sampler, const slm_sampling *sampling, uint32_t vocab, slm_error *error);

/* Memory that slm__sampler_choose() works in; it keeps nothing there between calls. */
size_t slm__sampler_scratch_bytes(uint32_t vocab);

/*
 * Choose from logits[vocab] after the tokens history[history_count]. `scratch` is aligned to 64. *logprob is the token's log-probability
 * under the model's own logits, before any setting.
 * SLM_E_NOT_FINITE: a logit is NaN or +infinity, or all tokens are forbidden (-infinity by model or bias). SLM_E_BAD_TOKEN: of the
 * history that penalties look at. On failure nothing has changed, the generator neither; greedy choices never use it.
 */
slm_status slm__sampler_choose(struct slm_sampler *sampler, const struct slm_passes *by, const float *logits, uint32_t vocab,
                               const int32_t *history, uint64_t history_count, void *scratch, int32_t *token, float *logprob,
                               slm_error *error);

#endif
