/* SPDX-License-Identifier: MIT */
/* Selection among candidates without sorting them. */
#include "sample/top_k_top_p.h"

#include "kernels/exp_minus.h" /* slm__exp_minus */
#include <math.h>              /* INFINITY */
#include <stdbool.h>
#include <string.h> /* memcpy, memset */

/* A key is digits of 11 bits from the highest bit down; the last digit has the remaining 9. */
enum { DIGIT_BITS = 11, FIRST_SHIFT = 64 - DIGIT_BITS };

/* A weight of 1 is this mass; a token 2^40 times less likely than the best has none and is never drawn. */
static const float MASS_OF_ONE = 0x1p40f;

/* Upper half: the float's bits made monotone as an unsigned number; lower half: lower tokens have the greater key. */
static uint64_t candidate_key(float logit, uint32_t token)
{
    float canonical = logit + 0.0f; /* -0 equals +0 */
    uint32_t bits;
    memcpy(&bits, &canonical, sizeof bits);
    bits ^= (0u - (bits >> 31)) | 0x80000000u; /* all bits of a negative number, the sign of others */
    return (uint64_t)bits << 32 | (0xFFFFFFFFu - token);
}

static float candidate_logit(uint64_t key)
{
    uint32_t bits = (uint32_t)(key >> 32);
    bits ^= ((bits >> 31) - 1u) | 0x80000000u;
    float logit;
    memcpy(&logit, &bits, sizeof logit);
    return logit;
}

static int32_t candidate_token(uint64_t key) { return (int32_t)(0xFFFFFFFFu - (uint32_t)key); }

static uint64_t mass_of(float weight) { return (uint64_t)(int64_t)(weight * MASS_OF_ONE); }

static uint64_t total_mass(const struct slm_candidates *candidates)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < candidates->count; i++) {
        total += mass_of(candidates->weights[i]);
    }
    return total;
}

/* bins[d] = sum over candidates whose key begins with `prefix` (the bits of `mask`) and goes on with digit d, of their mass, or of 1.
 * Returns the number of candidates that begin so. */
static uint32_t fill_bins(const struct slm_candidates *candidates, bool by_mass, uint64_t prefix, uint64_t mask, int shift)
{
    uint64_t *bins = candidates->bins;
    uint32_t matching = 0;
    memset(bins, 0, SLM_CANDIDATE_BINS * sizeof *bins);
    for (uint32_t i = 0; i < candidates->count; i++) {
        uint64_t key = candidates->keys[i];
        if ((key & mask) == prefix) {
            bins[key >> shift & (SLM_CANDIDATE_BINS - 1)] += by_mass ? mass_of(candidates->weights[i]) : 1;
            matching++;
        }
    }
    return matching;
}

/* The lowest key to keep so that the kept ones, from the best down, are as few as possible and sum up to at least `need`, which is
 * positive and not more than the sum of all. Each pass learns one more digit of it, until one candidate is left (keys are distinct) or all
 * that begin so are kept. */
static uint64_t select_floor(const struct slm_candidates *candidates, bool by_mass, uint64_t need)
{
    uint64_t prefix = 0;
    uint64_t mask = 0;
    int shift = FIRST_SHIFT;
    while (fill_bins(candidates, by_mass, prefix, mask, shift) > 1) {
        uint64_t digit = SLM_CANDIDATE_BINS - 1;
        while (digit > 0 && candidates->bins[digit] < need) {
            need -= candidates->bins[digit];
            digit--;
        }
        prefix |= digit << shift;
        if (candidates->bins[digit] == need) {
            return prefix;
        }
        mask |= (uint64_t)(SLM_CANDIDATE_BINS - 1) << shift;
        shift = shift > DIGIT_BITS ? shift - DIGIT_BITS : 0;
    }
    return prefix;
}

void slm__candidates_take(struct slm_candidates *candidates, const float *logits, uint32_t vocab)
{
    uint32_t count = 0;
    for (uint32_t token = 0; token < vocab; token++) {
        candidates->keys[count] = candidate_key(logits[token], token);
        count += logits[token] > -INFINITY;
    }
    candidates->count = count;
}

void slm__candidates_top_k(struct slm_candidates *candidates, uint32_t k)
{
    if (k >= candidates->count) {
        return;
    }
    uint64_t lowest = select_floor(candidates, false, k);
    uint32_t count = 0;
    for (uint32_t i = 0; i < candidates->count; i++) {
        candidates->keys[count] = candidates->keys[i];
        count += candidates->keys[i] >= lowest;
    }
    candidates->count = count;
}

static float candidate_weight(uint64_t key, float best, float temperature)
{
    return slm__exp_minus((best - candidate_logit(key)) / temperature);
}

/* In blocks of a fixed number, of which compilers make vectors. */
void slm__candidates_weigh(struct slm_candidates *candidates, float best, float temperature)
{
    enum { BLOCK = 16 };
    const uint64_t *keys = candidates->keys;
    float *weights = candidates->weights;
    uint32_t whole = candidates->count - candidates->count % BLOCK;
    for (uint32_t base = 0; base < whole; base += BLOCK) {
        for (uint32_t i = 0; i < BLOCK; i++) {
            weights[base + i] = candidate_weight(keys[base + i], best, temperature);
        }
    }
    for (uint32_t i = whole; i < candidates->count; i++) {
        weights[i] = candidate_weight(keys[i], best, temperature);
    }
}

void slm__candidates_top_p(struct slm_candidates *candidates, float p)
{
    uint64_t need = (uint64_t)((double)p * (double)total_mass(candidates));
    uint64_t lowest = select_floor(candidates, true, need > 0 ? need : 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < candidates->count; i++) {
        uint64_t key = candidates->keys[i];
        candidates->keys[count] = key;
        candidates->weights[count] = candidates->weights[i];
        count += key >= lowest;
    }
    candidates->count = count;
}

void slm__candidates_min_p(struct slm_candidates *candidates, float p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < candidates->count; i++) {
        float weight = candidates->weights[i];
        candidates->keys[count] = candidates->keys[i];
        candidates->weights[count] = weight;
        count += weight >= p;
    }
    candidates->count = count;
}

int32_t slm__candidates_draw(const struct slm_candidates *candidates, double unit)
{
    /* Less than the total, also where conversion to double rounds it up: unit <= 1 - 2^-53 takes off more. */
    uint64_t target = (uint64_t)(unit * (double)total_mass(candidates));
    uint32_t chosen = 0;
    while (chosen + 1 < candidates->count && mass_of(candidates->weights[chosen]) <= target) {
        target -= mass_of(candidates->weights[chosen]);
        chosen++;
    }
    return candidate_token(candidates->keys[chosen]);
}
