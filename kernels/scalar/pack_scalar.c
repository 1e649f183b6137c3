/* SPDX-License-Identifier: MIT */
/* Activations into the columns-side-by-side order that matmul reads; for i8 and i4 weights quantized to int8 per group of 32. */
#include "kernels/half_bits.h"             /* slm__f32_bits */
#include "kernels/scalar/scalar_kernels.h" /* slm__pack_..._scalar */
#include <string.h>

/* packed: [padded_cols][columns] f32 */
void slm__pack_floats_scalar(const float *x, size_t x_stride, uint32_t columns, uint32_t cols, void *packed)
{
    float *out = packed;
    const uint32_t padded = slm__padded_cols(cols);
    for (uint32_t k = 0; k < padded; k++) {
        for (uint32_t c = 0; c < columns; c++) {
            out[(size_t)k * columns + c] = k < cols ? x[c * x_stride + k] : 0.0f;
        }
    }
}

/* The largest |x| as bits: for finite values the order of integers is the order of magnitudes, infinities and NaNs lie above. */
static uint32_t group_amax_bits_scalar(const float x[SLM_GROUP])
{
    uint32_t amax = 0;
    for (uint32_t i = 0; i < SLM_GROUP; i++) {
        const uint32_t magnitude = slm__f32_bits(x[i]) & 0x7fffffffu;
        amax = magnitude > amax ? magnitude : amax;
    }
    return amax;
}

/* Round to the nearest integer, ties to even: after adding 1.5 * 2^23 the low bits are the integer. |value| <= 127. */
static int32_t round_even_scalar(float value) { return (int32_t)(slm__f32_bits(value + 0x1.8p+23f) - 0x4b400000u); }

/* q[i] = round(x[i] * 127 / amax); returns the scale. */
static float quantize_group_scalar(const float x[SLM_GROUP], int8_t q[SLM_GROUP])
{
    const uint32_t amax_bits = group_amax_bits_scalar(x);
    memset(q, 0, SLM_GROUP);
    if (amax_bits >= 0x7f800000u) {
        return slm__f32_of_bits(0x7fc00000u);
    }
    const float amax = slm__f32_of_bits(amax_bits);
    if (amax < 0x1p-100f) {
        return 0.0f;
    }
    const float inverse = 127.0f / amax;
    for (uint32_t i = 0; i < SLM_GROUP; i++) {
        float value = x[i] * inverse;
        value = value > 127.0f ? 127.0f : value;
        value = value < -127.0f ? -127.0f : value;
        q[i] = (int8_t)round_even_scalar(value);
    }
    return amax / 127.0f;
}

/* group: [8 quads][columns] 4 x i8, [columns] f32 scales, [columns] i32 minus the sum of the 32 values */
static void store_group_scalar(const int8_t q[SLM_GROUP], float scale, uint32_t column, uint32_t columns, uint8_t *group)
{
    int32_t negated_sum = 0;
    for (uint32_t i = 0; i < SLM_GROUP; i++) {
        negated_sum -= q[i];
    }
    for (uint32_t j = 0; j < SLM_GROUP / 4; j++) {
        memcpy(group + ((size_t)j * columns + column) * 4, q + (size_t)4 * j, 4);
    }
    memcpy(group + (size_t)columns * SLM_PACKED_SCALES + (size_t)column * 4, &scale, 4);
    memcpy(group + (size_t)columns * SLM_PACKED_SUMS + (size_t)column * 4, &negated_sum, 4);
}

void slm__pack_quants_scalar(const float *x, size_t x_stride, uint32_t columns, uint32_t cols, void *packed)
{
    const uint32_t groups = slm__padded_cols(cols) / SLM_GROUP;
    for (uint32_t g = 0; g < groups; g++) {
        const uint32_t first = g * SLM_GROUP, count = cols - first < SLM_GROUP ? cols - first : SLM_GROUP;
        uint8_t *group = (uint8_t *)packed + (size_t)g * columns * SLM_PACKED_GROUP;
        for (uint32_t c = 0; c < columns; c++) {
            float values[SLM_GROUP] = {0};
            int8_t q[SLM_GROUP];
            memcpy(values, x + c * x_stride + first, count * sizeof values[0]);
            const float scale = quantize_group_scalar(values, q);
            store_group_scalar(q, scale, c, columns, group);
        }
    }
}
