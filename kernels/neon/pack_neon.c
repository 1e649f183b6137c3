/* SPDX-License-Identifier: MIT */
/* Activations into the columns-side-by-side order that matmul reads; for i8 and i4 weights quantized to int8 per group of 32. */
#include "kernels/neon/neon_kernels.h"  /* slm__pack_..._neon */
#include "kernels/neon/quantize_neon.h" /* steps_neon, round_sixteen_neon */

/* Four values of four columns: x[c][k] becomes out[k][c]. */
SLM_INLINE_NEON void transpose_four_neon(const float *x, size_t x_stride, uint32_t columns, float *out)
{
    const float32x4_t a = vld1q_f32(x), b = vld1q_f32(x + x_stride), c = vld1q_f32(x + 2 * x_stride), d = vld1q_f32(x + 3 * x_stride);
    const float64x2_t even[2] = {vreinterpretq_f64_f32(vtrn1q_f32(a, b)), vreinterpretq_f64_f32(vtrn1q_f32(c, d))}; /* k = 0, 2 */
    const float64x2_t odd[2] = {vreinterpretq_f64_f32(vtrn2q_f32(a, b)), vreinterpretq_f64_f32(vtrn2q_f32(c, d))};  /* k = 1, 3 */
    vst1q_f32(out, vreinterpretq_f32_f64(vtrn1q_f64(even[0], even[1])));
    vst1q_f32(out + columns, vreinterpretq_f32_f64(vtrn1q_f64(odd[0], odd[1])));
    vst1q_f32(out + 2 * (size_t)columns, vreinterpretq_f32_f64(vtrn2q_f64(even[0], even[1])));
    vst1q_f32(out + 3 * (size_t)columns, vreinterpretq_f32_f64(vtrn2q_f64(odd[0], odd[1])));
}

/* packed: [padded_cols][columns] f32 */
void slm__pack_floats_neon(const float *x, size_t x_stride, uint32_t columns, uint32_t cols, void *packed)
{
    float *out = packed;
    uint32_t c = 0;
    for (; c + 4 <= columns; c += 4) {
        uint32_t k = 0;
        for (; k + 4 <= cols; k += 4) {
            transpose_four_neon(x + c * x_stride + k, x_stride, columns, out + (size_t)k * columns + c);
        }
        for (; k < cols; k++) {
            for (uint32_t i = c; i < c + 4; i++) {
                out[(size_t)k * columns + i] = x[i * x_stride + k];
            }
        }
    }
    if (columns == 1) {
        memcpy(out, x, cols * sizeof *out);
        c = 1;
    }
    for (; c < columns; c++) {
        for (uint32_t k = 0; k < cols; k++) {
            out[(size_t)k * columns + c] = x[c * x_stride + k];
        }
    }
    memset(out + (size_t)cols * columns, 0, (size_t)(slm__padded_cols(cols) - cols) * columns * sizeof *out);
}

/* One column of a group: quads `columns` apart, then the scale, then minus the sum. */
static void pack_group_neon(const float x[SLM_GROUP], uint32_t column, uint32_t columns, uint8_t *group)
{
    const struct steps_neon steps = steps_neon(amax_sixteen_neon(amax_sixteen_neon(vdupq_n_u32(0), x), x + 16));
    int8x16_t q[2] = {vdupq_n_s8(0), vdupq_n_s8(0)};
    if (steps.inverse != 0.0f) {
        q[0] = round_sixteen_neon(x, steps.inverse);
        q[1] = round_sixteen_neon(x + 16, steps.inverse);
    }
    const int32_t negated_sum = -(vaddlvq_s8(q[0]) + vaddlvq_s8(q[1]));
    int8_t bytes[SLM_GROUP];
    vst1q_s8(bytes, q[0]);
    vst1q_s8(bytes + 16, q[1]);
    for (uint32_t j = 0; j < SLM_GROUP / 4; j++) {
        memcpy(group + ((size_t)j * columns + column) * 4, bytes + (size_t)4 * j, 4);
    }
    memcpy(group + (size_t)columns * SLM_PACKED_SCALES + (size_t)column * 4, &steps.scale, 4);
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
