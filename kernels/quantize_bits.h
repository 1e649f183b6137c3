/* SPDX-License-Identifier: MIT */
/* The one rule by which activations, keys, values and queries become int8 with a scale (kernels/README.md, section 2): for the scalar tier,
 * and for what does not fill a register of the others. */
#ifndef SLM_KERNELS_QUANTIZE_BITS_H
#define SLM_KERNELS_QUANTIZE_BITS_H

#include "kernels/half_bits.h" /* slm__f32_bits, slm__f32_of_bits */
#include <stdint.h>

/* The largest |x| as bits: for finite values the order of integers is the order of magnitudes, infinities and NaNs lie above. */
static inline uint32_t slm__amax_bits(const float *x, uint32_t n)
{
    uint32_t amax = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t magnitude = slm__f32_bits(x[i]) & 0x7fffffffu;
        amax = magnitude > amax ? magnitude : amax;
    }
    return amax;
}

/* The scale of values with that maximum, and what to multiply them by: 0 where all codes are 0. */
static inline float slm__quantize_scale(uint32_t amax_bits, float *inverse)
{
    const float amax = slm__f32_of_bits(amax_bits);
    *inverse = 0.0f;
    if (amax_bits >= 0x7f800000u) {
        return slm__f32_of_bits(0x7fc00000u);
    }
    if (amax < 0x1p-100f) {
        return 0.0f;
    }
    *inverse = 127.0f / amax;
    return amax / 127.0f;
}

/* The nearest integer within +-127, ties to even: after adding 1.5 * 2^23 the low bits are the integer. */
static inline int8_t slm__quantize_value(float value, float inverse)
{
    value *= inverse;
    value = value > 127.0f ? 127.0f : value;
    value = value < -127.0f ? -127.0f : value;
    return (int8_t)(int32_t)(slm__f32_bits(value + 0x1.8p+23f) - 0x4b400000u);
}

/* q[i] = round(x[i] * 127 / amax), i < n; returns the scale. */
static inline float slm__quantize(const float *x, uint32_t n, int8_t *q)
{
    float inverse;
    const float scale = slm__quantize_scale(slm__amax_bits(x, n), &inverse);
    for (uint32_t i = 0; i < n; i++) {
        q[i] = inverse == 0.0f ? 0 : slm__quantize_value(x[i], inverse);
    }
    return scale;
}

#endif
