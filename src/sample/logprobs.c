/* SPDX-License-Identifier: MIT */
/*
 * Passes over the logits of a whole vocabulary. They are cut into parts that depend on its size alone and that the threads share; in a part
 * compilers can use vectors. No bit depends on threads.
 */
#include "sample/logprobs.h"

#include "base/parts.h"        /* SLM_SMALL */
#include "base/shares.h"       /* slm__team_share */
#include "kernels/poly_math.h" /* slm__log64 */
#include <float.h>
#include <math.h> /* INFINITY, isnan */
#include <stdbool.h>

/* Lanes are for vectors only; parts are multiples of 16 tokens, the lanes of sum_exp. */
enum { LOGIT_LANES = SLM_SMALL ? 1 : 16, MOST_PARTS = 64, PART_MULTIPLE = 16, PART_MIN = 1024, PART_GRAIN = 4 };

struct pass;
typedef void part_fn(struct pass *pass, uint32_t part, const float *logits, uint32_t count);

struct pass {
    part_fn *work;
    const struct slm_passes *by;
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

static void pass_over_parts(void *context, uint32_t begin, uint32_t end, bool last, uint32_t thread)
{
    struct pass *pass = context;
    (void)last;
    (void)thread;
    for (uint32_t part = begin; part < end; part++) {
        const uint32_t first = part * pass->length, left = pass->vocab - first;
        pass->work(pass, part, pass->logits + first, left < pass->length ? left : pass->length);
    }
}

/* Runs pass->work on all parts; returns how many they are. */
static uint32_t pass_over(const struct slm_passes *by, struct pass *pass)
{
    const uint32_t fair = (pass->vocab + MOST_PARTS - 1) / MOST_PARTS;
    const uint32_t multiple = (fair + PART_MULTIPLE - 1) / PART_MULTIPLE * PART_MULTIPLE;
    pass->length = multiple > PART_MIN ? multiple : PART_MIN;
    const uint32_t parts = (pass->vocab + pass->length - 1) / pass->length;
    pass->by = by;
    if (!SLM_SMALL && by->team != NULL) {
        slm__team_share(by->team, parts, PART_GRAIN, pass_over_parts, pass); /* each thread what it made of them as a product */
    } else {
        pass_over_parts(pass, 0, parts, true, 0);
    }
    return parts;
}

/* The comparison with the largest number is false for NaN too. */
static void find_maximum(struct pass *pass, uint32_t part, const float *logits, uint32_t count)
{
    const uint32_t whole = count - count % LOGIT_LANES;
    float lanes[LOGIT_LANES];
    uint32_t above[LOGIT_LANES] = {0};
    for (int i = 0; i < LOGIT_LANES; i++) {
        lanes[i] = -INFINITY;
    }
    for (uint32_t base = 0; base < whole; base += LOGIT_LANES) {
        for (uint32_t i = 0; i < LOGIT_LANES; i++) {
            lanes[i] = logits[base + i] > lanes[i] ? logits[base + i] : lanes[i];
            above[i] += !(logits[base + i] <= FLT_MAX);
        }
    }
    for (uint32_t i = whole; i < count; i++) {
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
static struct slm_logits_top find_top(const struct slm_passes *by, const float *logits, uint32_t vocab, uint32_t *above)
{
    struct pass pass;
    pass.work = find_maximum;
    pass.logits = logits;
    pass.vocab = vocab;
    const uint32_t parts = pass_over(by, &pass);
    struct slm_logits_top top = {-INFINITY, 0};
    *above = 0;
    for (uint32_t part = 0; part < parts; part++) {
        if (pass.maxima[part] > top.max) {
            top = (struct slm_logits_top){pass.maxima[part], part * pass.length};
        }
        *above += pass.above[part];
    }
    return top;
}

struct slm_logits_top slm__logits_top(const struct slm_passes *by, const float *logits, uint32_t vocab)
{
    uint32_t above;
    return find_top(by, logits, vocab, &above);
}

slm_status slm__logits_check(const struct slm_passes *by, const float *logits, uint32_t vocab, struct slm_logits_top *top, slm_error *error)
{
    uint32_t above;
    *top = find_top(by, logits, vocab, &above);
    if (above != 0) {
        return fail_not_finite(logits, vocab, error);
    }
    if (top->max == -INFINITY) {
        return slm__fail(error, SLM_E_NOT_FINITE, "the model's logits are -infinity for all of its %lu tokens", (unsigned long)vocab);
    }
    return SLM_OK;
}

int32_t slm__logits_find(const float *logits, uint32_t vocab, const struct slm_logits_top *top)
{
    uint32_t token = top->from;
    while (token + 1 < vocab && logits[token] != top->max) {
        token++;
    }
    return (int32_t)token;
}

static void add_exponentials(struct pass *pass, uint32_t part, const float *logits, uint32_t count)
{
    pass->sums[part] = pass->by->kernels->sum_exp(logits, pass->max, count);
}

/* Sum over i of exp(logits[i] - max). */
static double sum_of_exp(const struct slm_passes *by, const float *logits, uint32_t vocab, float max)
{
    struct pass pass;
    pass.work = add_exponentials;
    pass.logits = logits;
    pass.vocab = vocab;
    pass.max = max;
    const uint32_t parts = pass_over(by, &pass);
    double sum = 0;
    for (uint32_t part = 0; part < parts; part++) {
        sum += pass.sums[part];
    }
    return sum;
}

slm_status slm__log_softmax(const struct slm_passes *by, const float *logits, uint32_t vocab, struct slm_log_softmax *softmax,
                            slm_error *error)
{
    struct slm_logits_top top;
    SLM_TRY(slm__logits_check(by, logits, vocab, &top, error));
    softmax->max = top.max;
    softmax->log_sum = slm__log64(sum_of_exp(by, logits, vocab, softmax->max));
    return SLM_OK;
}

float slm__log_softmax_of(const struct slm_log_softmax *softmax, float logit)
{
    const double logprob = (double)logit - (double)softmax->max - softmax->log_sum;
    return logprob < -(double)FLT_MAX ? -FLT_MAX : (float)logprob;
}

float slm__logprob(const struct slm_passes *by, const float *logits, uint32_t vocab, float max, int32_t token)
{
    const struct slm_log_softmax softmax = {max, slm__log64(sum_of_exp(by, logits, vocab, max))};
    return slm__log_softmax_of(&softmax, logits[token]);
}

uint32_t slm__top_logprobs(const struct slm_passes *by, const float *logits, uint32_t vocab, float max, uint32_t count,
                           slm_token_logprob *top)
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
    const struct slm_log_softmax softmax = {max, slm__log64(sum_of_exp(by, logits, vocab, max))};
    for (uint32_t i = 0; i < used; i++) {
        top[i].logprob = slm__log_softmax_of(&softmax, top[i].logprob);
    }
    return used;
}
