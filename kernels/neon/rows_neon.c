/* SPDX-License-Identifier: MIT */
/* Operations on one row of activations, four elements at a time; a tail goes through a copy, so that nothing behind it is touched. */
#include "kernels/neon/neon_kernels.h" /* slm__rms_norm_neon and others */
#include "kernels/neon/simd_neon.h"    /* exp_neon, tree16_neon, load_row_neon, store_row_neon */
#include <math.h>

/* Lane i mod 16 takes element i. A lane without an element gets fma(0, 0, lane) = lane, since sums of squares are never -0. */
static float sum_of_squares_neon(const float *x, uint32_t n)
{
    float32x4_t lane[4] = {vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f)};
    uint32_t i = 0;
    for (; n - i >= 16; i += 16) {
        SLM_UNROLL_NEON
        for (uint32_t j = 0; j < 4; j++) {
            const float32x4_t a = vld1q_f32(x + i + 4 * j);
            lane[j] = vfmaq_f32(lane[j], a, a);
        }
    }
    float rest[16] = {0};
    memcpy(rest, x + i, (n - i) * sizeof rest[0]);
    SLM_UNROLL_NEON
    for (uint32_t j = 0; j < 4; j++) {
        const float32x4_t a = vld1q_f32(rest + 4 * j);
        lane[j] = vfmaq_f32(lane[j], a, a);
    }
    return tree16_neon(lane);
}

void slm__rms_norm_neon(const float *x, const float *weight, float eps, uint32_t n, float *y)
{
    const float factor = 1.0f / sqrtf(sum_of_squares_neon(x, n) / (float)n + eps);
    for (uint32_t i = 0; i < n; i += 4) {
        store_row_neon(y, i, n, vmulq_f32(vmulq_n_f32(load_row_neon(x, i, n), factor), load_row_neon(weight, i, n)));
    }
}

void slm__add_neon(float *y, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 4) {
        store_row_neon(y, i, n, vaddq_f32(load_row_neon(y, i, n), load_row_neon(x, i, n)));
    }
}

void slm__silu_mul_neon(const float *gate, const float *up, uint32_t n, float *y)
{
    const float32x4_t one = vdupq_n_f32(1.0f);
    for (uint32_t i = 0; i < n; i += 4) {
        const float32x4_t g = load_row_neon(gate, i, n);
        const float32x4_t silu = vdivq_f32(g, vaddq_f32(one, exp_neon(vnegq_f32(g))));
        store_row_neon(y, i, n, vmulq_f32(silu, load_row_neon(up, i, n)));
    }
}

void slm__rope_neon(float *head, const float *cos, const float *sin, uint32_t half)
{
    for (uint32_t i = 0; i < half; i += 4) {
        const float32x4_t a = load_row_neon(head, i, half), b = load_row_neon(head + half, i, half);
        const float32x4_t c = load_row_neon(cos, i, half), s = load_row_neon(sin, i, half);
        store_row_neon(head, i, half, vfmaq_f32(vnegq_f32(vmulq_f32(b, s)), a, c));
        store_row_neon(head + half, i, half, vfmaq_f32(vmulq_f32(a, s), b, c));
    }
}

void slm__scale_neon(float *y, const float *x, float factor, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 4) {
        store_row_neon(y, i, n, vmulq_n_f32(load_row_neon(x, i, n), factor));
    }
}
