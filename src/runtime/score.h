/* SPDX-License-Identifier: MIT */
/* Log-probabilities of given continuations of one context, in the free sessions of a pool. */
#ifndef SLM_RUNTIME_SCORE_H
#define SLM_RUNTIME_SCORE_H

#include "runtime/pool.h" /* struct slm_pool */

/* `options` is of the known size. scores: `count` elements of the known size. */
slm_status slm__score(struct slm_pool *pool, const slm_input *context, const slm_input *labels, uint64_t count,
                      const slm_score_options *options, slm_label_score *scores, slm_error *error);

#endif
