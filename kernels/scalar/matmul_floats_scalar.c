/* SPDX-License-Identifier: MIT */
/* f32, f16 and bf16 weights x packed f32 activations: y = sum over k in order of w x, one fused multiply-add each; a half becomes f32
 * exactly. The type is the matrix's, asked once for 16 weights. */
#include "kernels/scalar/float_weights_scalar.h" /* slm__float_weights_scalar */
#include "kernels/scalar/scalar_kernels.h"       /* slm__matmul_floats_scalar */
#include <math.h>
#include <string.h>

/* y[r] = sum over k of panel[k][r] x[k * columns]; panel [padded][16] */
static void panel_column_scalar(const struct slm_matrix *w, const uint8_t *panel, const float *x, uint32_t columns, float *y)
{
    float sum[SLM_PANEL_ROWS] = {0}, weights[SLM_PANEL_ROWS];
    for (uint32_t k = 0; k < slm__padded_cols(w->cols); k++) {
        slm__float_weights_scalar(w->type, panel, (size_t)SLM_PANEL_ROWS * k, 1, SLM_PANEL_ROWS, weights);
        for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
            sum[r] = fmaf(weights[r], x[(size_t)k * columns], sum[r]);
        }
    }
    memcpy(y, sum, sizeof sum);
}

void slm__matmul_floats_scalar(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                               float *y, size_t y_stride)
{
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        for (uint32_t c = 0; c < columns; c++) {
            panel_column_scalar(w, w->data + p * w->panel_bytes, (const float *)packed + c, columns,
                                y + c * y_stride + (size_t)SLM_PANEL_ROWS * p);
        }
    }
}
