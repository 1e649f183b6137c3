/* SPDX-License-Identifier: MIT */
/* f16 and bf16 weights x packed f32 activations: the weight becomes f32 exactly, then as f32. */
#include "kernels/half_bits.h"             /* slm__f16_to_f32, slm__bf16_to_f32 */
#include "kernels/scalar/scalar_kernels.h" /* slm__matmul_f16_scalar, slm__matmul_bf16_scalar */
#include <math.h>
#include <string.h>

/* One panel and one column: panel [padded][16] halves, x [padded][columns]. */
static void panel_f16_scalar(const uint16_t *panel, const float *x, uint32_t columns, uint32_t padded, float *y)
{
    float sum[SLM_PANEL_ROWS] = {0};
    for (uint32_t k = 0; k < padded; k++) {
        for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
            sum[r] = fmaf(slm__f16_to_f32(panel[(size_t)16 * k + r]), x[(size_t)k * columns], sum[r]);
        }
    }
    memcpy(y, sum, sizeof sum);
}

static void panel_bf16_scalar(const uint16_t *panel, const float *x, uint32_t columns, uint32_t padded, float *y)
{
    float sum[SLM_PANEL_ROWS] = {0};
    for (uint32_t k = 0; k < padded; k++) {
        for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
            sum[r] = fmaf(slm__bf16_to_f32(panel[(size_t)16 * k + r]), x[(size_t)k * columns], sum[r]);
        }
    }
    memcpy(y, sum, sizeof sum);
}

void slm__matmul_f16_scalar(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                            float *y, size_t y_stride)
{
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const uint16_t *panel = (const uint16_t *)(const void *)(w->data + p * w->panel_bytes);
        for (uint32_t c = 0; c < columns; c++) {
            panel_f16_scalar(panel, (const float *)packed + c, columns, slm__padded_cols(w->cols), y + c * y_stride + (size_t)16 * p);
        }
    }
}

void slm__matmul_bf16_scalar(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                             float *y, size_t y_stride)
{
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const uint16_t *panel = (const uint16_t *)(const void *)(w->data + p * w->panel_bytes);
        for (uint32_t c = 0; c < columns; c++) {
            panel_bf16_scalar(panel, (const float *)packed + c, columns, slm__padded_cols(w->cols), y + c * y_stride + (size_t)16 * p);
        }
    }
}
