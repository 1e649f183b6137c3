/* SPDX-License-Identifier: MIT */
/* What not every family needs: layer norm, activations alone, soft caps, an elementwise product. Tails as in rows_neon.c. */
#include "kernels/neon/neon_kernels.h" /* slm__layer_norm_neon and others */
#include "kernels/neon/simd_neon.h"    /* exp_neon, tanh_neon, erf_neon, tree16_neon, load_row_neon, store_row_neon */
#include <math.h>

/* Elements i .. i + 16, and `fill` for those from n on. */
SLM_INLINE_NEON void load_sixteen_neon(const float *x, uint32_t i, uint32_t n, float fill, float32x4_t values[4])
{
    float rest[16];
    const float *at = x + i;
    if (n - i < 16) {
        for (uint32_t j = 0; j < 16; j++) {
            rest[j] = j < n - i ? x[i + j] : fill;
        }
        at = rest;
    }
    SLM_UNROLL_NEON
    for (uint32_t j = 0; j < 4; j++) {
        values[j] = vld1q_f32(at + 4 * j);
    }
}

/* 16 lanes: a lane without an element gets +0, which changes no sum that starts at +0. */
static float mean_neon(const float *x, uint32_t n)
{
    float32x4_t lane[4] = {vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f)}, values[4];
    for (uint32_t i = 0; i < n; i += 16) {
        load_sixteen_neon(x, i, n, 0.0f, values);
        SLM_UNROLL_NEON
        for (uint32_t j = 0; j < 4; j++) {
            lane[j] = vaddq_f32(lane[j], values[j]);
        }
    }
    return tree16_neon(lane) / (float)n;
}

/* Mean of (x - mean)^2: a lane without an element gets fma(0, 0, lane). */
static float variance_neon(const float *x, float mean, uint32_t n)
{
    float32x4_t lane[4] = {vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f)}, values[4];
    for (uint32_t i = 0; i < n; i += 16) {
        load_sixteen_neon(x, i, n, mean, values);
        SLM_UNROLL_NEON
        for (uint32_t j = 0; j < 4; j++) {
            const float32x4_t d = vsubq_f32(values[j], vdupq_n_f32(mean));
            lane[j] = vfmaq_f32(lane[j], d, d);
        }
    }
    return tree16_neon(lane) / (float)n;
}

void slm__layer_norm_neon(const float *x, const float *weight, const float *bias, float eps, uint32_t n, float *y)
{
    const float mean = mean_neon(x, n), factor = 1.0f / sqrtf(variance_neon(x, mean, n) + eps);
    for (uint32_t i = 0; i < n; i += 4) {
        const float32x4_t scaled = vmulq_n_f32(vsubq_f32(load_row_neon(x, i, n), vdupq_n_f32(mean)), factor);
        const float32x4_t offset = bias != NULL ? load_row_neon(bias, i, n) : vdupq_n_f32(0.0f);
        store_row_neon(y, i, n, vfmaq_f32(offset, scaled, load_row_neon(weight, i, n)));
    }
}

void slm__silu_neon(const float *x, uint32_t n, float *y)
{
    for (uint32_t i = 0; i < n; i += 4) {
        const float32x4_t value = load_row_neon(x, i, n);
        store_row_neon(y, i, n, vdivq_f32(value, vaddq_f32(vdupq_n_f32(1.0f), exp_neon(vnegq_f32(value)))));
    }
}

void slm__gelu_tanh_neon(const float *x, uint32_t n, float *y)
{
    for (uint32_t i = 0; i < n; i += 4) {
        const float32x4_t value = load_row_neon(x, i, n);
        const float32x4_t cube = vfmaq_f32(value, vmulq_n_f32(vmulq_f32(value, value), 0.044715f), value);
        const float32x4_t open = vaddq_f32(vdupq_n_f32(1.0f), tanh_neon(vmulq_n_f32(cube, 0.7978845608f)));
        store_row_neon(y, i, n, vmulq_f32(vmulq_n_f32(value, 0.5f), open));
    }
}

void slm__gelu_erf_neon(const float *x, uint32_t n, float *y)
{
    for (uint32_t i = 0; i < n; i += 4) {
        const float32x4_t value = load_row_neon(x, i, n);
        const float32x4_t open = vaddq_f32(vdupq_n_f32(1.0f), erf_neon(vmulq_n_f32(value, 0.70710678f)));
        store_row_neon(y, i, n, vmulq_f32(vmulq_n_f32(value, 0.5f), open));
    }
}

void slm__multiply_neon(float *y, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 4) {
        store_row_neon(y, i, n, vmulq_f32(load_row_neon(y, i, n), load_row_neon(x, i, n)));
    }
}

void slm__softcap_neon(float *y, float cap, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 4) {
        const float32x4_t value = tanh_neon(vdivq_f32(load_row_neon(y, i, n), vdupq_n_f32(cap)));
        store_row_neon(y, i, n, vmulq_n_f32(value, cap));
    }
}
