/* SPDX-License-Identifier: MIT */
/* Settings and their checks, and the chain from logits to a token. */
#include "sample/sampler.h"

#include "base/decimal.h"       /* slm__decimal_format */
#include "base/memory.h"        /* slm__round_up */
#include "sample/logprobs.h"    /* slm__logits_check, slm__logits_find, slm__logprob */
#include "sample/top_k_top_p.h" /* struct slm_candidates */
#include <float.h>
#include <math.h>   /* INFINITY */
#include <string.h> /* memcpy, memset */

static slm_status fail_number(slm_error *error, const char *field, float value, const char *supported)
{
    char text[32] = "";
    if (SLM_WITH_MESSAGES) {
        slm__decimal_format((double)value, text);
    }
    return slm__fail(error, SLM_E_ARGUMENT, "sampling: %s is %s; supported is %s", field, text, supported);
}

/* A finite number that is at least 0. */
static bool is_amount(float value) { return value >= 0.0f && value <= FLT_MAX; }

static bool is_number(float value) { return value >= -FLT_MAX && value <= FLT_MAX; }

static slm_status check_numbers(const slm_sampling *sampling, slm_error *error)
{
    const char *amount = "0 or more, and finite";
    if (!is_amount(sampling->temperature)) {
        return fail_number(error, "temperature", sampling->temperature, amount);
    }
    if (!is_amount(sampling->top_p)) {
        return fail_number(error, "top_p", sampling->top_p, amount);
    }
    if (!(sampling->min_p >= 0.0f && sampling->min_p <= 1.0f)) {
        return fail_number(error, "min_p", sampling->min_p, "0 to 1");
    }
    if (!is_amount(sampling->repetition_penalty)) {
        return fail_number(error, "repetition_penalty", sampling->repetition_penalty, amount);
    }
    if (!is_number(sampling->frequency_penalty)) {
        return fail_number(error, "frequency_penalty", sampling->frequency_penalty, "any finite number");
    }
    if (!is_number(sampling->presence_penalty)) {
        return fail_number(error, "presence_penalty", sampling->presence_penalty, "any finite number");
    }
    if (sampling->reserved != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "sampling: reserved is %lu; it must be 0", (unsigned long)sampling->reserved);
    }
    return SLM_OK;
}

static slm_status check_bias(const slm_sampling *sampling, uint32_t vocab, slm_error *error)
{
    if (sampling->bias_count > SLM_SAMPLER_BIAS_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "sampling: bias_count is %llu; at most %d are supported",
                         (unsigned long long)sampling->bias_count, SLM_SAMPLER_BIAS_MAX);
    }
    if (sampling->bias == NULL && sampling->bias_count > 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "sampling: bias is NULL, but bias_count is %llu", (unsigned long long)sampling->bias_count);
    }
    for (uint64_t i = 0; i < sampling->bias_count; i++) {
        const slm_logit_bias *bias = &sampling->bias[i];
        if (bias->token < 0 || (uint32_t)bias->token >= vocab) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "sampling: bias %llu is for token %ld, which is not in the vocabulary of %lu tokens",
                             (unsigned long long)i, (long)bias->token, (unsigned long)vocab);
        }
        if (!(bias->bias <= FLT_MAX)) {
            return fail_number(error, "a logit bias", bias->bias, "any finite number, or -infinity to forbid the token");
        }
    }
    return SLM_OK;
}

slm_status slm__sampler_init(struct slm_sampler *sampler, const slm_sampling *sampling, uint32_t vocab, slm_error *error)
{
    static const slm_sampling greedy = {.struct_size = sizeof greedy};
    if (sampling == NULL) {
        sampling = &greedy;
    }
    if (vocab == 0 || vocab > SLM_CANDIDATES_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "sampling: the vocabulary has %lu tokens; supported are 1 to %d", (unsigned long)vocab,
                         SLM_CANDIDATES_MAX);
    }
    SLM_TRY(check_numbers(sampling, error));
    SLM_TRY(check_bias(sampling, vocab, error));
    memset(sampler, 0, sizeof *sampler);
    slm__random_seed(&sampler->random, sampling->seed);
    sampler->penalties.repetition = sampling->repetition_penalty > 0.0f ? sampling->repetition_penalty : 1.0f;
    sampler->penalties.frequency = sampling->frequency_penalty;
    sampler->penalties.presence = sampling->presence_penalty;
    sampler->temperature = sampling->temperature;
    sampler->top_p = sampling->top_p < 1.0f ? sampling->top_p : 0.0f;
    sampler->min_p = sampling->min_p;
    sampler->top_k = sampling->top_k;
    sampler->penalty_window = sampling->penalty_window;
    sampler->vocab = vocab;
    sampler->bias_count = (uint32_t)sampling->bias_count;
    if (sampling->bias_count > 0) {
        memcpy(sampler->bias, sampling->bias, sampler->bias_count * sizeof sampler->bias[0]);
    }
    return SLM_OK;
}

/*
 * Scratch, each part at a multiple of 64:
 *
 *     bins      [SLM_CANDIDATE_BINS] of uint64_t
 *     keys      [vocab] of uint64_t; before there are candidates, the penalties' counters [vocab] of uint32_t
 *     adjusted  [vocab] of float: logits with bias and penalties; afterwards the candidates' weights
 */
struct sampler_scratch {
    uint64_t *bins;
    uint64_t *keys;
    float *adjusted;
};

static size_t bins_bytes(void) { return SLM_CANDIDATE_BINS * sizeof(uint64_t); }
static size_t keys_bytes(uint32_t vocab) { return (size_t)slm__round_up((uint64_t)vocab * sizeof(uint64_t), 64); }
static size_t adjusted_bytes(uint32_t vocab) { return (size_t)slm__round_up((uint64_t)vocab * sizeof(float), 64); }

size_t slm__sampler_scratch_bytes(uint32_t vocab) { return bins_bytes() + keys_bytes(vocab) + adjusted_bytes(vocab); }

static struct sampler_scratch divide_scratch(void *memory, uint32_t vocab)
{
    uint8_t *bytes = memory;
    struct sampler_scratch scratch = {
        .bins = (void *)bytes,
        .keys = (void *)(bytes + bins_bytes()),
        .adjusted = (void *)(bytes + bins_bytes() + keys_bytes(vocab)),
    };
    return scratch;
}

/* scratch->adjusted = logits with bias and penalties; *top is theirs, above -infinity. */
static slm_status adjust_logits(const struct slm_sampler *sampler, const struct slm_passes *by, const float *logits, const int32_t *history,
                                uint64_t history_count, const struct sampler_scratch *scratch, struct slm_logits_top *top, slm_error *error)
{
    uint32_t vocab = sampler->vocab;
    memcpy(scratch->adjusted, logits, vocab * sizeof *logits);
    slm__logits_add_bias(scratch->adjusted, sampler->bias, sampler->bias_count);
    if (!slm__penalties_off(&sampler->penalties)) {
        uint64_t window = sampler->penalty_window;
        window = window == 0 || window > history_count ? history_count : window;
        const int32_t *tokens = window == 0 ? history : history + (history_count - window);
        SLM_TRY(
            slm__logits_penalise(scratch->adjusted, vocab, &sampler->penalties, tokens, window, (uint32_t *)(void *)scratch->keys, error));
    }
    *top = slm__logits_top(by, scratch->adjusted, vocab);
    if (top->max == -INFINITY) {
        return slm__fail(error, SLM_E_NOT_FINITE, "sampling: logit bias forbids every token that the model allows");
    }
    return SLM_OK;
}

/* Draw a token from logits[vocab] whose maximum is `max`; logits may be scratch->adjusted. */
static int32_t draw_token(struct slm_sampler *sampler, const float *logits, float max, const struct sampler_scratch *scratch)
{
    struct slm_candidates candidates = {.keys = scratch->keys, .weights = scratch->adjusted, .bins = scratch->bins};
    slm__candidates_take(&candidates, logits, sampler->vocab);
    if (sampler->top_k > 0) {
        slm__candidates_top_k(&candidates, sampler->top_k);
    }
    slm__candidates_weigh(&candidates, max, sampler->temperature);
    if (sampler->top_p > 0.0f) {
        slm__candidates_top_p(&candidates, sampler->top_p);
    }
    if (sampler->min_p > 0.0f) {
        slm__candidates_min_p(&candidates, sampler->min_p);
    }
    return slm__candidates_draw(&candidates, slm__random_unit(&sampler->random));
}

slm_status slm__sampler_choose(struct slm_sampler *sampler, const struct slm_passes *by, const float *logits, uint32_t vocab,
                               const int32_t *history, uint64_t history_count, void *scratch, int32_t *token, float *logprob,
                               slm_error *error)
{
    if (vocab != sampler->vocab) {
        return slm__fail(error, SLM_E_INTERNAL, "a sampler for %lu tokens was given %lu logits", (unsigned long)sampler->vocab,
                         (unsigned long)vocab);
    }
    struct slm_logits_top model_top;
    SLM_TRY(slm__logits_check(by, logits, vocab, &model_top, error));
    struct sampler_scratch parts = divide_scratch(scratch, vocab);
    const float *adjusted = logits;
    struct slm_logits_top top = model_top;
    if (sampler->bias_count > 0 || !slm__penalties_off(&sampler->penalties)) {
        SLM_TRY(adjust_logits(sampler, by, logits, history, history_count, &parts, &top, error));
        adjusted = parts.adjusted;
    }
    *token = sampler->temperature == 0.0f ? slm__logits_find(adjusted, vocab, &top) : draw_token(sampler, adjusted, top.max, &parts);
    *logprob = slm__logprob(by, logits, vocab, model_top.max, *token);
    return SLM_OK;
}
