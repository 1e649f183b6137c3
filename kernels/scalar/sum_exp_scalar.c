/* SPDX-License-Identifier: MIT */
/* The sum under a softmax over a vocabulary. */
#include "kernels/exp_minus.h"             /* slm__exp_minus */
#include "kernels/scalar/scalar_kernels.h" /* slm__sum_exp_scalar */

double slm__sum_exp_scalar(const float *x, float max, uint32_t n)
{
    double lanes[16] = {0};
    for (uint32_t i = 0; i < n; i++) {
        lanes[i % 16] += (double)slm__exp_minus(max - x[i]);
    }
    for (uint32_t half = 8; half > 0; half /= 2) {
        for (uint32_t i = 0; i < half; i++) {
            lanes[i] += lanes[i + half];
        }
    }
    return lanes[0];
}
