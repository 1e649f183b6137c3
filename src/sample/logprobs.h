/* SPDX-License-Identifier: MIT */
/* What the model itself says: checking its logits, their maximum, and the log-probability of a token under their softmax. Results do not
 * depend on who does the work. */
#ifndef SLM_SAMPLE_LOGPROBS_H
#define SLM_SAMPLE_LOGPROBS_H

#include "base/parallel.h"   /* struct slm_team */
#include "base/status.h"     /* slm_status, slm_error */
#include "kernels/kernels.h" /* struct slm_kernels */

/* Who passes over logits. */
struct slm_passes {
    struct slm_team *team; /* NULL: the calling thread alone */
    const struct slm_kernels *kernels;
};

/* The largest logit, which no token below `from` has. */
struct slm_logits_top {
    float max;
    uint32_t from;
};

/* Of logits[vocab] that hold no NaN. */
struct slm_logits_top slm__logits_top(const struct slm_passes *by, const float *logits, uint32_t vocab);

/* *top is that of logits[vocab], vocab > 0. -infinity is a legal logit; a NaN, +infinity, or nothing but -infinity is
 * SLM_E_NOT_FINITE. */
slm_status slm__logits_check(const struct slm_passes *by, const float *logits, uint32_t vocab, struct slm_logits_top *top,
                             slm_error *error);

/* The lowest token that has it. */
int32_t slm__logits_find(const float *logits, uint32_t vocab, const struct slm_logits_top *top);

/* The softmax of logits that passed the check: their maximum, and log of the sum of exp(logit - max). */
struct slm_log_softmax {
    float max;
    double log_sum;
};

/* SLM_E_NOT_FINITE as slm__logits_check(). */
slm_status slm__log_softmax(const struct slm_passes *by, const float *logits, uint32_t vocab, struct slm_log_softmax *softmax,
                            slm_error *error);
/* Log-probability of a token with this logit, as slm__logprob() gives it. */
float slm__log_softmax_of(const struct slm_log_softmax *softmax, float logit);

/* log(exp(logits[token]) / sum over i of exp(logits[i])), for logits that passed the check, logits[token] finite and `max` their maximum.
 * The same bits on every machine: our own exp and log, and a fixed order of summation. */
float slm__logprob(const struct slm_passes *by, const float *logits, uint32_t vocab, float max, int32_t token);

/* The `count` most probable tokens of such logits into `top`, best first, the lower id first among equals; returns how many there are:
 * tokens of -infinity are left out. The log-probabilities are those of slm__logprob(). */
uint32_t slm__top_logprobs(const struct slm_passes *by, const float *logits, uint32_t vocab, float max, uint32_t count,
                           slm_token_logprob *top);

#endif
