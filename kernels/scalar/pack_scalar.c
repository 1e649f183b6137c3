/* SPDX-License-Identifier: MIT */
/* Activations into the columns-side-by-side order that matmul reads; for i8 and i4 weights quantized to int8 per group of 32. */
#include "kernels/quantize_bits.h"         /* slm__quantize */
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
            const float scale = slm__quantize(values, SLM_GROUP, q);
            store_group_scalar(q, scale, c, columns, group);
        }
    }
}
