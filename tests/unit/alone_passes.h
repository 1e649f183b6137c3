/* SPDX-License-Identifier: MIT */
/* Passes over logits on the calling thread, without vectors. */
#ifndef SLM_TESTS_ALONE_PASSES_H
#define SLM_TESTS_ALONE_PASSES_H

#include "kernels/kernels.h" /* slm__kernels_fill */
#include "sample/logprobs.h" /* struct slm_passes */

static inline const struct slm_passes *alone(void)
{
    static struct slm_kernels kernels;
    static const struct slm_passes passes = {NULL, &kernels};
    slm__kernels_fill(&kernels, SLM_TIER_SCALAR);
    return &passes;
}

#endif
