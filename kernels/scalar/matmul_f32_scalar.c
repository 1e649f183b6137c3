/* SPDX-License-Identifier: MIT */
/* f32 weights x packed f32 activations: y = sum over k in order of w x, one fused multiply-add each. */
#include "kernels/scalar/scalar_kernels.h" /* slm__matmul_f32_scalar */
#include <math.h>
#include <string.h>

void slm__matmul_f32_scalar(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                            float *y, size_t y_stride)
{
    const uint32_t padded = slm__padded_cols(w->cols);
    const float *x = packed; /* [padded][columns] */
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const float *panel = (const float *)(const void *)(w->data + p * w->panel_bytes); /* [padded][16] */
        for (uint32_t c = 0; c < columns; c++) {
            float sum[SLM_PANEL_ROWS] = {0};
            for (uint32_t k = 0; k < padded; k++) {
                for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
                    sum[r] = fmaf(panel[(size_t)16 * k + r], x[(size_t)k * columns + c], sum[r]);
                }
            }
            memcpy(y + c * y_stride + (size_t)16 * p, sum, sizeof sum);
        }
    }
}
