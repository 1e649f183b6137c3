/* SPDX-License-Identifier: MIT */
/* One row of a panelled matrix as f32: the embedding look-up. */
#include "kernels/half_bits.h"                   /* slm__f16_to_f32, slm__f32_of_bits */
#include "kernels/scalar/float_weights_scalar.h" /* slm__float_weights_scalar */
#include "kernels/scalar/scalar_kernels.h"       /* slm__gather_..._scalar */
#include <string.h>

static const uint8_t *panel_of_row_scalar(const struct slm_matrix *w, uint32_t row)
{
    return w->data + row / SLM_PANEL_ROWS * w->panel_bytes;
}

void slm__gather_floats_scalar(const struct slm_matrix *w, uint32_t row, float *out)
{
    slm__float_weights_scalar(w->type, panel_of_row_scalar(w, row), row % SLM_PANEL_ROWS, SLM_PANEL_ROWS, w->cols, out);
}

/* w = scale * q */
void slm__gather_i8_scalar(const struct slm_matrix *w, uint32_t row, float *out)
{
    const uint8_t *panel = panel_of_row_scalar(w, row);
    const uint32_t r = row % SLM_PANEL_ROWS, groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint32_t k = 0; k < w->cols; k++) {
        uint16_t scale;
        int8_t q;
        memcpy(&scale, panel + slm__i8_scales_offset(groups) + (size_t)32 * (k / 32) + (size_t)2 * r, sizeof scale);
        memcpy(&q, panel + (size_t)64 * (k / 4) + (size_t)4 * r + k % 4, sizeof q);
        out[k] = slm__f16_to_f32(scale) * (float)q;
    }
}

/* w = (row * scale) * (16 q - zero) */
void slm__gather_i4_scalar(const struct slm_matrix *w, uint32_t row, float *out)
{
    const uint8_t *panel = panel_of_row_scalar(w, row);
    const uint32_t r = row % SLM_PANEL_ROWS, groups = slm__padded_cols(w->cols) / SLM_GROUP;
    const uint8_t *scales = panel + slm__i4_scales_offset(groups) + r, *zeros = panel + slm__i4_zeros_offset(groups) + r;
    float factor;
    memcpy(&factor, panel + slm__i4_rows_offset(groups) + (size_t)4 * r, sizeof factor);
    for (uint32_t k = 0; k < w->cols; k++) {
        const uint32_t g = k / 32, high = k / 16 % 2;
        const uint32_t byte = panel[(size_t)256 * g + (size_t)64 * (k % 16 / 4) + (size_t)4 * r + k % 4];
        const int32_t q16 = (int32_t)(high ? byte & 0xf0u : (byte & 15u) << 4);
        const float scale = slm__f32_of_bits(((uint32_t)scales[(size_t)16 * g] << 19) + (111u << 23));
        out[k] = factor * scale * (float)(q16 - zeros[(size_t)16 * g]);
    }
}
