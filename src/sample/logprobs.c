/* SPDX-License-Identifier: MIT */
/* Passes over the logits of a whole vocabulary, in 16 lanes so that compilers can use vectors without changing a bit. */
#include "sample/logprobs.h"

#include "kernels/poly_math.h" /* slm__log64 */
#include "sample/exp_minus.h"  /* slm__exp_minus */
#include <float.h>
#include <math.h> /* INFINITY, isnan */
#include <stdbool.h>

enum { LOGIT_LANES = 16 };

/* The status of logits that hold a NaN or +infinity, with the first such token. */
static slm_status fail_not_finite(const float *logits, uint32_t vocab, slm_error *error)
{
    uint32_t token = 0;
    while (token + 1 < vocab && logits[token] <= FLT_MAX) {
        token++;
    }
    return slm__fail(error, SLM_E_NOT_FINITE, "the model's logit of token %lu is %s", (unsigned long)token,
                     isnan(logits[token]) ? "not a number" : "+infinity");
}

float slm__logits_max(const float *logits, uint32_t vocab)
{
    float lanes[LOGIT_LANES];
    for (int i = 0; i < LOGIT_LANES; i++) {
        lanes[i] = -INFINITY;
    }
    uint32_t whole = vocab - vocab % LOGIT_LANES;
    for (uint32_t base = 0; base < whole; base += LOGIT_LANES) {
        for (uint32_t i = 0; i < LOGIT_LANES; i++) {
            lanes[i] = logits[base + i] > lanes[i] ? logits[base + i] : lanes[i];
        }
    }
    for (uint32_t i = whole; i < vocab; i++) {
        lanes[0] = logits[i] > lanes[0] ? logits[i] : lanes[0];
    }
    for (int i = 1; i < LOGIT_LANES; i++) {
        lanes[0] = lanes[i] > lanes[0] ? lanes[i] : lanes[0];
    }
    return lanes[0];
}

/* The comparison is false for NaN too. */
static bool none_above_finite(const float *logits, uint32_t vocab)
{
    uint32_t above = 0;
    for (uint32_t i = 0; i < vocab; i++) {
        above += !(logits[i] <= FLT_MAX);
    }
    return above == 0;
}

slm_status slm__logits_check(const float *logits, uint32_t vocab, float *max, slm_error *error)
{
    if (!none_above_finite(logits, vocab)) {
        return fail_not_finite(logits, vocab, error);
    }
    *max = slm__logits_max(logits, vocab);
    if (*max == -INFINITY) {
        return slm__fail(error, SLM_E_NOT_FINITE, "the model's logits are -infinity for all of its %lu tokens", (unsigned long)vocab);
    }
    return SLM_OK;
}

int32_t slm__logits_find(const float *logits, uint32_t vocab, float max)
{
    uint32_t token = 0;
    while (token + 1 < vocab && logits[token] != max) {
        token++;
    }
    return (int32_t)token;
}

/* Sum over i of exp(logits[i] - max): token i goes to lane i % 16, then the lanes are added as a tree. */
static double sum_of_exp(const float *logits, uint32_t vocab, float max)
{
    double lanes[LOGIT_LANES] = {0};
    float terms[LOGIT_LANES];
    uint32_t whole = vocab - vocab % LOGIT_LANES;
    for (uint32_t base = 0; base < whole; base += LOGIT_LANES) {
        for (uint32_t i = 0; i < LOGIT_LANES; i++) {
            terms[i] = slm__exp_minus(max - logits[base + i]);
        }
        for (uint32_t i = 0; i < LOGIT_LANES; i++) {
            lanes[i] += (double)terms[i];
        }
    }
    for (uint32_t i = whole; i < vocab; i++) {
        lanes[i - whole] += (double)slm__exp_minus(max - logits[i]);
    }
    for (int half = LOGIT_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            lanes[i] += lanes[i + half];
        }
    }
    return lanes[0];
}

slm_status slm__log_softmax(const float *logits, uint32_t vocab, struct slm_log_softmax *softmax, slm_error *error)
{
    SLM_TRY(slm__logits_check(logits, vocab, &softmax->max, error));
    softmax->log_sum = slm__log64(sum_of_exp(logits, vocab, softmax->max));
    return SLM_OK;
}

float slm__log_softmax_of(const struct slm_log_softmax *softmax, float logit)
{
    const double logprob = (double)logit - (double)softmax->max - softmax->log_sum;
    return logprob < -(double)FLT_MAX ? -FLT_MAX : (float)logprob;
}

float slm__logprob(const float *logits, uint32_t vocab, float max, int32_t token)
{
    const struct slm_log_softmax softmax = {max, slm__log64(sum_of_exp(logits, vocab, max))};
    return slm__log_softmax_of(&softmax, logits[token]);
}

uint32_t slm__top_logprobs(const float *logits, uint32_t vocab, float max, uint32_t count, slm_token_logprob *top)
{
    uint32_t used = 0;
    for (uint32_t token = 0; token < vocab && count > 0; token++) { /* `logprob` holds logits until the end */
        if (logits[token] == -INFINITY || (used == count && logits[token] <= top[used - 1].logprob)) {
            continue;
        }
        uint32_t place = used < count ? used++ : used - 1;
        for (; place > 0 && top[place - 1].logprob < logits[token]; place--) {
            top[place] = top[place - 1];
        }
        top[place] = (slm_token_logprob){(int32_t)token, logits[token]};
    }
    const struct slm_log_softmax softmax = {max, slm__log64(sum_of_exp(logits, vocab, max))};
    for (uint32_t i = 0; i < used; i++) {
        top[i].logprob = slm__log_softmax_of(&softmax, top[i].logprob);
    }
    return used;
}
