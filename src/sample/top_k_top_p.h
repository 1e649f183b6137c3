/* SPDX-License-Identifier: MIT */
/*
 * The candidates of one choice, and what thins them out: top-k, top-p, min-p; then the draw. Nothing is sorted: a filter finds the
 * last candidate that it keeps by radix selection, in a few passes over the candidates.
 *
 * A candidate is a 64-bit key that orders by logit, and among equal logits the lower token first. Its probability is its mass divided
 * by the sum of masses; masses are integers, so sums do not depend on their order.
 */
#ifndef SLM_SAMPLE_TOP_K_TOP_P_H
#define SLM_SAMPLE_TOP_K_TOP_P_H

#include <stddef.h>
#include <stdint.h>

/* The most tokens of a vocabulary: the masses of so many candidates, at most 2^40 each, fit in 64 bits together. */
enum { SLM_CANDIDATES_MAX = (1 << 24) - 1 };
enum { SLM_CANDIDATE_BINS = 2048 };

struct slm_candidates {
    uint64_t *keys; /* [count], by token */
    float *weights; /* [count], exp((logit - best logit) / temperature), at most 1; from slm__candidates_weigh() on */
    uint64_t *bins; /* [SLM_CANDIDATE_BINS], for selection */
    uint32_t count;
};

/* Take each token whose logit is above -infinity; keys has room for vocab. `logits` may be the memory of weights: it is read before. */
void slm__candidates_take(struct slm_candidates *candidates, const float *logits, uint32_t vocab);
/* Keep the k best, k > 0. Before slm__candidates_weigh(). */
void slm__candidates_top_k(struct slm_candidates *candidates, uint32_t k);
/* Compute the weights; temperature > 0, best: the largest logit. */
void slm__candidates_weigh(struct slm_candidates *candidates, float best, float temperature);
/* Keep the smallest set of best candidates whose probabilities reach p, 0 < p < 1: at least the best. */
void slm__candidates_top_p(struct slm_candidates *candidates, float p);
/* Keep candidates with at least p times the probability of the best, 0 < p <= 1: at least the best. */
void slm__candidates_min_p(struct slm_candidates *candidates, float p);
/* The token at `unit`, in [0, 1), of the cumulative probabilities of the candidates by token. */
int32_t slm__candidates_draw(const struct slm_candidates *candidates, double unit);

#endif
