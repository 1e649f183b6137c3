/* SPDX-License-Identifier: MIT */
/* The int8 rule of activations, keys, values and queries: quantize_bits.h in registers of four. */
#ifndef SLM_KERNELS_QUANTIZE_NEON_H
#define SLM_KERNELS_QUANTIZE_NEON_H

#include "kernels/half_bits.h"      /* slm__f32_of_bits */
#include "kernels/neon/simd_neon.h" /* SLM_INLINE_NEON */

/* What the largest |x| of a vector says: its scale, and the factor of its codes; 0: all codes are 0. */
struct steps_neon {
    float scale, inverse;
};

/* amax of 16 values and of what came before, as bits by integer maximum */
SLM_INLINE_NEON uint32x4_t amax_sixteen_neon(uint32x4_t amax, const float x[16])
{
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 16; i += 4) {
        amax = vmaxq_u32(amax, vreinterpretq_u32_f32(vabsq_f32(vld1q_f32(x + i))));
    }
    return amax;
}

SLM_INLINE_NEON struct steps_neon steps_neon(uint32x4_t amax_lanes)
{
    const uint32_t amax_bits = vmaxvq_u32(amax_lanes);
    const float amax = slm__f32_of_bits(amax_bits);
    if (amax_bits >= 0x7f800000u) {
        return (struct steps_neon){slm__f32_of_bits(0x7fc00000u), 0.0f};
    }
    return amax >= 0x1p-100f ? (struct steps_neon){amax / 127.0f, 127.0f / amax} : (struct steps_neon){0.0f, 0.0f};
}

/* 16 codes of finite values. No product can round to more than 127, since |x| <= amax. */
SLM_INLINE_NEON int8x16_t round_sixteen_neon(const float x[16], float inverse)
{
    int32x4_t q[4];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4; i++) {
        q[i] = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 4 * i), inverse));
    }
    const int16x8_t low = vmovn_high_s32(vmovn_s32(q[0]), q[1]), high = vmovn_high_s32(vmovn_s32(q[2]), q[3]);
    return vmovn_high_s16(vmovn_s16(low), high);
}

/* n values; q has room for n rounded up to 16 and gets zeros behind n. Returns the scale. */
static inline float quantize_neon(const float *x, uint32_t n, int8_t *q)
{
    float rest[16] = {0};
    const uint32_t whole = n & ~15u;
    uint32x4_t amax = vdupq_n_u32(0);
    memcpy(rest, x + whole, (n - whole) * sizeof rest[0]);
    for (uint32_t i = 0; i < whole; i += 16) {
        amax = amax_sixteen_neon(amax, x + i);
    }
    const struct steps_neon steps = steps_neon(amax_sixteen_neon(amax, rest));
    for (uint32_t i = 0; i < n; i += 16) {
        const float *at = i < whole ? x + i : rest;
        vst1q_s8(q + i, steps.inverse != 0.0f ? round_sixteen_neon(at, steps.inverse) : vdupq_n_s8(0));
    }
    return steps.scale;
}

#endif
