/* SPDX-License-Identifier: MIT */
/* What not every family needs: layer norm, both forms of gelu, soft caps, an elementwise product. */
#include "kernels/poly_math.h"             /* slm__tanhf, slm__erff */
#include "kernels/scalar/scalar_kernels.h" /* slm__layer_norm_scalar and others */
#include <math.h>

/* Sum of 16 lanes by halves: 8, 4, 2, 1. */
static float tree16_activation_scalar(float lane[16])
{
    for (uint32_t width = 8; width > 0; width /= 2) {
        for (uint32_t i = 0; i < width; i++) {
            lane[i] += lane[i + width];
        }
    }
    return lane[0];
}

void slm__layer_norm_scalar(const float *x, const float *weight, const float *bias, float eps, uint32_t n, float *y)
{
    float sums[16] = {0}, squares[16] = {0};
    for (uint32_t i = 0; i < n; i++) {
        sums[i % 16] += x[i];
    }
    const float mean = tree16_activation_scalar(sums) / (float)n;
    for (uint32_t i = 0; i < n; i++) {
        const float d = x[i] - mean;
        squares[i % 16] = fmaf(d, d, squares[i % 16]);
    }
    const float factor = 1.0f / sqrtf(tree16_activation_scalar(squares) / (float)n + eps);
    for (uint32_t i = 0; i < n; i++) {
        y[i] = fmaf((x[i] - mean) * factor, weight[i], bias != NULL ? bias[i] : 0.0f);
    }
}

void slm__silu_scalar(const float *x, uint32_t n, float *y)
{
    for (uint32_t i = 0; i < n; i++) {
        y[i] = x[i] / (1.0f + slm__expf(-x[i]));
    }
}

void slm__gelu_tanh_scalar(const float *x, uint32_t n, float *y)
{
    for (uint32_t i = 0; i < n; i++) {
        const float inner = 0.7978845608f * fmaf(0.044715f * (x[i] * x[i]), x[i], x[i]); /* sqrt(2 / pi) (x + 0.044715 x^3) */
        y[i] = (0.5f * x[i]) * (1.0f + slm__tanhf(inner));
    }
}

void slm__gelu_erf_scalar(const float *x, uint32_t n, float *y)
{
    for (uint32_t i = 0; i < n; i++) {
        y[i] = (0.5f * x[i]) * (1.0f + slm__erff(0.70710678f * x[i]));
    }
}

void slm__multiply_scalar(float *y, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        y[i] *= x[i];
    }
}

void slm__softcap_scalar(float *y, float cap, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        y[i] = cap * slm__tanhf(y[i] / cap);
    }
}
