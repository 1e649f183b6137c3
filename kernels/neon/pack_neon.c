/* SPDX-License-Identifier: MIT */
/* Activations quantized to int8 per group of 32, in the columns-side-by-side order that matmul reads. Packing of floats is left to scalar. */
#include "kernels/half_bits.h"         /* slm__f32_of_bits */
#include "kernels/neon/neon_kernels.h" /* slm__pack_quants_neon */
#include "kernels/neon/simd_neon.h"    /* SLM_INLINE_NEON */

/* The largest |x| of the group as bits, by integer maximum. */
SLM_INLINE_NEON uint32_t group_amax_bits_neon(const float x[SLM_GROUP])
{
    uint32x4_t amax = vdupq_n_u32(0);
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < SLM_GROUP; i += 4) {
        amax = vmaxq_u32(amax, vreinterpretq_u32_f32(vabsq_f32(vld1q_f32(x + i))));
    }
    return vmaxvq_u32(amax);
}

/* 16 q of finite values. */
SLM_INLINE_NEON int8x16_t round_sixteen_neon(const float x[16], float inverse)
{
    const float32x4_t limit = vdupq_n_f32(127.0f), least = vdupq_n_f32(-127.0f);
    int32x4_t q[4];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4; i++) {
        const float32x4_t value = vmulq_n_f32(vld1q_f32(x + 4 * i), inverse);
        q[i] = vcvtnq_s32_f32(vmaxq_f32(vminq_f32(value, limit), least)); /* no NaN here: minimum and maximum are the selections */
    }
    const int16x8_t low = vmovn_high_s32(vmovn_s32(q[0]), q[1]), high = vmovn_high_s32(vmovn_s32(q[2]), q[3]);
    return vmovn_high_s16(vmovn_s16(low), high);
}

/* One column of a group: quads `columns` apart, then the scale, then minus the sum. */
static void pack_group_neon(const float x[SLM_GROUP], uint32_t column, uint32_t columns, uint8_t *group)
{
    const uint32_t amax_bits = group_amax_bits_neon(x);
    const float amax = slm__f32_of_bits(amax_bits);
    int8x16_t q[2] = {vdupq_n_s8(0), vdupq_n_s8(0)};
    float scale = 0.0f;
    if (amax_bits >= 0x7f800000u) {
        scale = slm__f32_of_bits(0x7fc00000u);
    } else if (amax >= 0x1p-100f) {
        const float inverse = 127.0f / amax;
        scale = amax / 127.0f;
        q[0] = round_sixteen_neon(x, inverse);
        q[1] = round_sixteen_neon(x + 16, inverse);
    }
    const int32_t negated_sum = -(vaddlvq_s8(q[0]) + vaddlvq_s8(q[1]));
    int8_t bytes[SLM_GROUP];
    vst1q_s8(bytes, q[0]);
    vst1q_s8(bytes + 16, q[1]);
    for (uint32_t j = 0; j < SLM_GROUP / 4; j++) {
        memcpy(group + ((size_t)j * columns + column) * 4, bytes + (size_t)4 * j, 4);
    }
    memcpy(group + (size_t)columns * SLM_PACKED_SCALES + (size_t)column * 4, &scale, 4);
    memcpy(group + (size_t)columns * SLM_PACKED_SUMS + (size_t)column * 4, &negated_sum, 4);
}

void slm__pack_quants_neon(const float *x, size_t x_stride, uint32_t columns, uint32_t cols, void *packed)
{
    const uint32_t whole = cols / SLM_GROUP, tail = cols % SLM_GROUP;
    uint8_t *group = packed;
    for (uint32_t g = 0; g < whole; g++, group += (size_t)columns * SLM_PACKED_GROUP) {
        for (uint32_t c = 0; c < columns; c++) {
            pack_group_neon(x + c * x_stride + (size_t)SLM_GROUP * g, c, columns, group);
        }
    }
    for (uint32_t c = 0; tail > 0 && c < columns; c++) {
        float values[SLM_GROUP] = {0};
        memcpy(values, x + c * x_stride + (size_t)SLM_GROUP * whole, tail * sizeof values[0]);
        pack_group_neon(values, c, columns, group);
    }
}
