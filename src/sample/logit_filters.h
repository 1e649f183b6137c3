/* SPDX-License-Identifier: MIT */
/*
 * What changes single logits before the choice: the caller's biases and the penalties of tokens seen. A logit of -infinity means
 * forbidden and stays; a finite one stays finite, whatever is added (it stops at the largest float), unless its bias is -infinity.
 */
#ifndef SLM_SAMPLE_LOGIT_FILTERS_H
#define SLM_SAMPLE_LOGIT_FILTERS_H

#include "base/status.h" /* slm_status, slm_error, slm_logit_bias */
#include <stdbool.h>

struct slm_penalties {
    float repetition; /* logits >= 0 are divided, others multiplied by it; 1: off */
    float frequency;  /* subtracted for each occurrence; 0: off */
    float presence;   /* subtracted once; 0: off */
};

bool slm__penalties_off(const struct slm_penalties *penalties);

/* Add each bias; the tokens are known to be in the vocabulary, a token given twice gets both. */
void slm__logits_add_bias(float *logits, const slm_logit_bias *bias, uint32_t count);

/* Penalise each token of window[count] in logits[vocab]. `seen` has room for vocab counters, contents undefined before and after.
 * Takes O(count). SLM_E_BAD_TOKEN when a token of the window is not in the vocabulary, `logits` are unchanged then. */
slm_status slm__logits_penalise(float *logits, uint32_t vocab, const struct slm_penalties *penalties, const int32_t *window, uint64_t count,
                                uint32_t *seen, slm_error *error);

#endif
