/* SPDX-License-Identifier: MIT */
/* Logit bias and penalties, one token at a time. */
#include "sample/logit_filters.h"

#include <float.h>
#include <math.h> /* INFINITY */

/* A finite logit must not become infinite by arithmetic: +infinity could not be compared, -infinity would forbid. */
static float saturate(float logit)
{
    if (logit > FLT_MAX) {
        return FLT_MAX;
    }
    return logit < -FLT_MAX ? -FLT_MAX : logit;
}

bool slm__penalties_off(const struct slm_penalties *penalties)
{
    return penalties->repetition == 1.0f && penalties->frequency == 0.0f && penalties->presence == 0.0f;
}

void slm__logits_add_bias(float *logits, const slm_logit_bias *bias, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        float *logit = &logits[bias[i].token];
        if (*logit == -INFINITY || bias[i].bias == -INFINITY) {
            *logit = -INFINITY;
        } else {
            *logit = saturate(*logit + bias[i].bias);
        }
    }
}

static float penalised(float logit, const struct slm_penalties *penalties, uint32_t occurrences)
{
    if (logit == -INFINITY) {
        return logit;
    }
    logit = saturate(logit < 0.0f ? logit * penalties->repetition : logit / penalties->repetition);
    logit = saturate(logit - (float)occurrences * penalties->frequency);
    return saturate(logit - penalties->presence);
}

slm_status slm__logits_penalise(float *logits, uint32_t vocab, const struct slm_penalties *penalties, const int32_t *window, uint64_t count,
                                uint32_t *seen, slm_error *error)
{
    /* Only the counters of tokens that occur are used, so only these are cleared. */
    for (uint64_t i = 0; i < count; i++) {
        if (window[i] < 0 || (uint32_t)window[i] >= vocab) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "token %ld of the sequence is not in the vocabulary of %lu tokens", (long)window[i],
                             (unsigned long)vocab);
        }
        seen[window[i]] = 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        seen[window[i]]++;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint32_t *occurrences = &seen[window[i]];
        if (*occurrences > 0) {
            logits[window[i]] = penalised(logits[window[i]], penalties, *occurrences);
            *occurrences = 0;
        }
    }
    return SLM_OK;
}
