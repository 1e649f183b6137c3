/* SPDX-License-Identifier: MIT */
/* Operations on one row of activations: norm, addition, gated silu, rotary embedding, scaling. */
#include "kernels/poly_math.h"             /* slm__expf */
#include "kernels/scalar/scalar_kernels.h" /* slm__rms_norm_scalar and others */
#include <math.h>

/* Sum of 16 lanes by halves: 8, 4, 2, 1. */
static float tree16_rows_scalar(float lane[16])
{
    for (uint32_t width = 8; width > 0; width /= 2) {
        for (uint32_t i = 0; i < width; i++) {
            lane[i] += lane[i + width];
        }
    }
    return lane[0];
}

void slm__rms_norm_scalar(const float *x, const float *weight, float eps, uint32_t n, float *y)
{
    float lane[16] = {0};
    for (uint32_t i = 0; i < n; i++) {
        lane[i % 16] = fmaf(x[i], x[i], lane[i % 16]);
    }
    const float factor = 1.0f / sqrtf(tree16_rows_scalar(lane) / (float)n + eps);
    for (uint32_t i = 0; i < n; i++) {
        y[i] = x[i] * factor * weight[i];
    }
}

void slm__add_scalar(float *y, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        y[i] += x[i];
    }
}

void slm__silu_mul_scalar(const float *gate, const float *up, uint32_t n, float *y)
{
    for (uint32_t i = 0; i < n; i++) {
        y[i] = gate[i] / (1.0f + slm__expf(-gate[i])) * up[i];
    }
}

void slm__rope_scalar(float *head, const float *cos, const float *sin, uint32_t half)
{
    for (uint32_t i = 0; i < half; i++) {
        const float a = head[i], b = head[i + half];
        head[i] = fmaf(a, cos[i], -(b * sin[i]));
        head[i + half] = fmaf(b, cos[i], a * sin[i]);
    }
}

void slm__scale_scalar(float *y, const float *x, float factor, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        y[i] = x[i] * factor;
    }
}
