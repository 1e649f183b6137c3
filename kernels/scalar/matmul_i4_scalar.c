/* SPDX-License-Identifier: MIT */
/* i4 weights x packed int8 activations: y = row * sum over groups of (scale * activation scale) * (16 dot - zero * sum). */
#include "kernels/half_bits.h"             /* slm__f32_of_bits */
#include "kernels/scalar/scalar_kernels.h" /* slm__matmul_i4_scalar */
#include <math.h>
#include <string.h>

/* 16 * sum of q x over the 32 k of row r. quants: the group's 4 lines; quads: the column's first quad, `columns` quads apart. */
static int32_t dot16_i4_scalar(const uint8_t *quants, uint32_t r, const int8_t *quads, uint32_t columns)
{
    int32_t dot = 0;
    for (uint32_t j = 0; j < 4; j++) {
        const uint8_t *line = quants + (size_t)64 * j + (size_t)4 * r;
        const int8_t *low = quads + (size_t)4 * columns * j, *high = low + (size_t)16 * columns;
        for (uint32_t b = 0; b < 4; b++) {
            dot += (line[b] & 15) * low[b] + (line[b] >> 4) * high[b];
        }
    }
    return 16 * dot;
}

/* One output: row r of `panel`, column c. */
static float row_i4_scalar(const uint8_t *panel, uint32_t groups, uint32_t r, const uint8_t *packed, uint32_t c, uint32_t columns)
{
    const uint8_t *scales = panel + slm__i4_scales_offset(groups), *zeros = panel + slm__i4_zeros_offset(groups);
    float sum = 0.0f, row, x_scale;
    for (uint32_t g = 0; g < groups; g++) {
        const uint8_t *x = packed + (size_t)g * columns * SLM_PACKED_GROUP;
        int32_t negated_sum;
        memcpy(&x_scale, x + (size_t)columns * SLM_PACKED_SCALES + (size_t)4 * c, 4);
        memcpy(&negated_sum, x + (size_t)columns * SLM_PACKED_SUMS + (size_t)4 * c, 4);
        const int32_t dot = dot16_i4_scalar(panel + (size_t)256 * g, r, (const int8_t *)x + (size_t)4 * c, columns);
        const float scale = slm__f32_of_bits(((uint32_t)scales[(size_t)16 * g + r] << 19) + (111u << 23));
        sum = fmaf(scale * x_scale, (float)(dot + zeros[(size_t)16 * g + r] * negated_sum), sum);
    }
    memcpy(&row, panel + slm__i4_rows_offset(groups) + (size_t)4 * r, 4);
    return sum * row;
}

void slm__matmul_i4_scalar(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                           float *y, size_t y_stride)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        for (uint32_t c = 0; c < columns; c++) {
            for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
                y[c * y_stride + (size_t)16 * p + r] = row_i4_scalar(w->data + p * w->panel_bytes, groups, r, packed, c, columns);
            }
        }
    }
}
