/* SPDX-License-Identifier: MIT */
/* i8 weights x packed int8 activations: y = sum over groups of (scale * activation scale) * dot. */
#include "kernels/half_bits.h"             /* slm__f16_to_f32 */
#include "kernels/scalar/scalar_kernels.h" /* slm__matmul_i8_scalar */
#include <math.h>
#include <string.h>

/* Sum of q x over the 32 k of row r. quants: the group's 8 lines; quads: the column's first quad, `columns` quads apart. */
static int32_t dot_i8_scalar(const int8_t *quants, uint32_t r, const int8_t *quads, uint32_t columns)
{
    int32_t dot = 0;
    for (uint32_t j = 0; j < 8; j++) {
        for (uint32_t b = 0; b < 4; b++) {
            dot += quants[(size_t)64 * j + (size_t)4 * r + b] * quads[(size_t)4 * columns * j + b];
        }
    }
    return dot;
}

/* One output: row r of `panel`, column c. */
static float row_i8_scalar(const uint8_t *panel, uint32_t groups, uint32_t r, const uint8_t *packed, uint32_t c, uint32_t columns)
{
    const uint8_t *scales = panel + slm__i8_scales_offset(groups);
    float sum = 0.0f;
    for (uint32_t g = 0; g < groups; g++) {
        const uint8_t *x = packed + (size_t)g * columns * SLM_PACKED_GROUP;
        uint16_t scale;
        float x_scale;
        memcpy(&scale, scales + (size_t)32 * g + (size_t)2 * r, 2);
        memcpy(&x_scale, x + (size_t)columns * SLM_PACKED_SCALES + (size_t)4 * c, 4);
        const int32_t dot = dot_i8_scalar((const int8_t *)panel + (size_t)512 * g, r, (const int8_t *)x + (size_t)4 * c, columns);
        sum = fmaf(slm__f16_to_f32(scale) * x_scale, (float)dot, sum);
    }
    return sum;
}

void slm__matmul_i8_scalar(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                           float *y, size_t y_stride)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        for (uint32_t c = 0; c < columns; c++) {
            for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
                y[c * y_stride + (size_t)16 * p + r] = row_i8_scalar(w->data + p * w->panel_bytes, groups, r, packed, c, columns);
            }
        }
    }
}
