/* SPDX-License-Identifier: MIT */
/* The sum under a softmax over a vocabulary; 16 terms at a time, of which compilers make vectors of the baseline. */
#include "kernels/exp_minus.h"             /* slm__exp_minus, slm__sum_exp_end */
#include "kernels/scalar/scalar_kernels.h" /* slm__sum_exp_scalar */

double slm__sum_exp_scalar(const float *x, float max, uint32_t n)
{
    double lanes[16] = {0};
    float terms[16];
    uint32_t i = 0;
    for (; !SLM_SMALL && n - i >= 16; i += 16) {
        for (uint32_t j = 0; j < 16; j++) {
            terms[j] = slm__exp_minus(max - x[i + j]);
        }
        for (uint32_t j = 0; j < 16; j++) {
            lanes[j] += (double)terms[j];
        }
    }
    return slm__sum_exp_end(lanes, x, max, i, n);
}
