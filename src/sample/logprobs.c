/* SPDX-License-Identifier: MIT */
/*
 * Passes over the logits of a whole vocabulary. They are cut into parts that depend on its size alone and that the threads share; in a part
 * token i goes to lane i % 16, so that compilers can use vectors; lanes are added as a tree, parts in order. No bit depends on threads.
 */
#include "sample/logprobs.h"

#include "base/parts.h"        /* SLM_SMALL */
#include "kernels/poly_math.h" /* slm__log64 */
#include "sample/exp_minus.h"  /* slm__exp_minus */
#include <float.h>
#include <math.h> /* INFINITY, isnan */
#include <stdbool.h>

enum { LOGIT_LANES = 16, MOST_PARTS = 64, PART_MIN = 1024, PART_GRAIN = 4 };

struct pass;
typedef void part_fn(struct pass *pass, uint32_t part, const float *logits, uint32_t count);

struct pass {
    part_fn *work;
    const float *logits;
    uint32_t vocab;
    uint32_t length; /* of a part, but for the last */
    float max;       /* what exponentials are relative to */
    float maxima[MOST_PARTS];
    uint32_t above[MOST_PARTS]; /* how many logits are NaN or +infinity */
    double sums[MOST_PARTS];
};

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

static void pass_over_parts(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    struct pass *pass = context;
    (void)thread;
    for (uint32_t part = begin; part < end; part++) {
        const uint32_t first = part * pass->length, left = pass->vocab - first;
        pass->work(pass, part, pass->logits + first, left < pass->length ? left : pass->length);
    }
}

/* Runs pass->work on all parts; returns how many they are. */
static uint32_t pass_over(struct slm_team *team, struct pass *pass)
{
    const uint32_t fair = (pass->vocab + MOST_PARTS - 1) / MOST_PARTS;
    const uint32_t lanes = (fair + LOGIT_LANES - 1) / LOGIT_LANES * LOGIT_LANES;
    pass->length = lanes > PART_MIN ? lanes : PART_MIN;
    const uint32_t parts = (pass->vocab + pass->length - 1) / pass->length;
    if (team != NULL) {
        slm__team_for(team, parts, PART_GRAIN, pass_over_parts, pass);
    } else {
        pass_over_parts(pass, 0, parts, 0);
    }
    return parts;
}

/* Logits that are taken 16 at a time; builds for size take all one by one, to the same lanes. */
static uint32_t in_lanes(uint32_t count) { return SLM_SMALL ? 0 : count - count % LOGIT_LANES; }

/* The comparison with the largest number is false for NaN too. */
static void find_maximum(struct pass *pass, uint32_t part, const float *logits, uint32_t count)
{
    float lanes[LOGIT_LANES];
    uint32_t above[LOGIT_LANES] = {0};
    for (int i = 0; i < LOGIT_LANES; i++) {
        lanes[i] = -INFINITY;
    }
    for (uint32_t base = 0; base < in_lanes(count); base += LOGIT_LANES) {
        for (uint32_t i = 0; i < LOGIT_LANES; i++) {
            lanes[i] = logits[base + i] > lanes[i] ? logits[base + i] : lanes[i];
            above[i] += !(logits[base + i] <= FLT_MAX);
        }
    }
    for (uint32_t i = in_lanes(count); i < count; i++) {
        lanes[0] = logits[i] > lanes[0] ? logits[i] : lanes[0];
        above[0] += !(logits[i] <= FLT_MAX);
    }
    for (int i = 1; i < LOGIT_LANES; i++) {
        lanes[0] = lanes[i] > lanes[0] ? lanes[i] : lanes[0];
        above[0] += above[i];
    }
    pass->maxima[part] = lanes[0];
    pass->above[part] = above[0];
}

/* The maximum; *above: how many logits are NaN or +infinity. */
static float logits_max(struct slm_team *team, const float *logits, uint32_t vocab, uint32_t *above)
{
    struct pass pass;
    pass.work = find_maximum;
    pass.logits = logits;
    pass.vocab = vocab;
    const uint32_t parts = pass_over(team, &pass);
    float max = -INFINITY;
    *above = 0;
    for (uint32_t part = 0; part < parts; part++) {
        max = pass.maxima[part] > max ? pass.maxima[part] : max;
        *above += pass.above[part];
    }
    return max;
}

float slm__logits_max(struct slm_team *team, const float *logits, uint32_t vocab)
{
    uint32_t above;
    return logits_max(team, logits, vocab, &above);
}

slm_status slm__logits_check(struct slm_team *team, const float *logits, uint32_t vocab, float *max, slm_error *error)
{
    uint32_t above;
    *max = logits_max(team, logits, vocab, &above);
    if (above != 0) {
        return fail_not_finite(logits, vocab, error);
    }
    if (*max == -INFINITY) {
        return slm__fail(error, SLM_E_NOT_FINITE, "the model's logits are -infinity for all of its %lu tokens", (unsigned long)vocab);
    }
    return SLM_OK;
}

int32_t slm__logits_find(const float *logits, uint32_t vocab, float max)
{
    uint32_t token = 0;
    for (; !SLM_SMALL && token + LOGIT_LANES < vocab; token += LOGIT_LANES) {
        uint32_t found = 0;
        for (uint32_t i = 0; i < LOGIT_LANES; i++) {
            found |= logits[token + i] == max;
        }
        if (found != 0) {
            break;
        }
    }
    while (token + 1 < vocab && logits[token] != max) {
        token++;
    }
    return (int32_t)token;
}

static void add_exponentials(struct pass *pass, uint32_t part, const float *logits, uint32_t count)
{
    double lanes[LOGIT_LANES] = {0};
    float terms[LOGIT_LANES];
    for (uint32_t base = 0; base < in_lanes(count); base += LOGIT_LANES) {
        for (uint32_t i = 0; i < LOGIT_LANES; i++) {
            terms[i] = slm__exp_minus(pass->max - logits[base + i]);
        }
        for (uint32_t i = 0; i < LOGIT_LANES; i++) {
            lanes[i] += (double)terms[i];
        }
    }
    for (uint32_t i = in_lanes(count); i < count; i++) {
        lanes[i % LOGIT_LANES] += (double)slm__exp_minus(pass->max - logits[i]);
    }
    for (int half = LOGIT_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            lanes[i] += lanes[i + half];
        }
    }
    pass->sums[part] = lanes[0];
}

/* Sum over i of exp(logits[i] - max). */
static double sum_of_exp(struct slm_team *team, const float *logits, uint32_t vocab, float max)
{
    struct pass pass;
    pass.work = add_exponentials;
    pass.logits = logits;
    pass.vocab = vocab;
    pass.max = max;
    const uint32_t parts = pass_over(team, &pass);
    double sum = 0;
    for (uint32_t part = 0; part < parts; part++) {
        sum += pass.sums[part];
    }
    return sum;
}

slm_status slm__log_softmax(struct slm_team *team, const float *logits, uint32_t vocab, struct slm_log_softmax *softmax, slm_error *error)
{
    SLM_TRY(slm__logits_check(team, logits, vocab, &softmax->max, error));
    softmax->log_sum = slm__log64(sum_of_exp(team, logits, vocab, softmax->max));
    return SLM_OK;
}

float slm__log_softmax_of(const struct slm_log_softmax *softmax, float logit)
{
    const double logprob = (double)logit - (double)softmax->max - softmax->log_sum;
    return logprob < -(double)FLT_MAX ? -FLT_MAX : (float)logprob;
}

float slm__logprob(struct slm_team *team, const float *logits, uint32_t vocab, float max, int32_t token)
{
    const struct slm_log_softmax softmax = {max, slm__log64(sum_of_exp(team, logits, vocab, max))};
    return slm__log_softmax_of(&softmax, logits[token]);
}

uint32_t slm__top_logprobs(struct slm_team *team, const float *logits, uint32_t vocab, float max, uint32_t count, slm_token_logprob *top)
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
    const struct slm_log_softmax softmax = {max, slm__log64(sum_of_exp(team, logits, vocab, max))};
    for (uint32_t i = 0; i < used; i++) {
        top[i].logprob = slm__log_softmax_of(&softmax, top[i].logprob);
    }
    return used;
}
