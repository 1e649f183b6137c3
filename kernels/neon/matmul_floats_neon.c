/* SPDX-License-Identifier: MIT */
/* f32, f16 and bf16 weights x packed f32 activations: a lane is a row, k in order, one fused multiply-add each. */
#include "kernels/neon/neon_kernels.h" /* slm__matmul_f32_neon, slm__matmul_f16_neon, slm__matmul_bf16_neon */
#include "kernels/neon/simd_neon.h"    /* load_f16_neon, load_bf16_neon, fma_lane_neon */

enum { TILE_FLOATS_NEON = 16 }; /* registers of sums in a tile: panels x 4 quarters x columns at most */

/* 4 weights, `i` counting weights from `line`; `type` is a constant of the caller. */
SLM_INLINE_NEON float32x4_t load_weights_neon(const uint8_t *line, size_t i, enum slm_weight_type type)
{
    if (type == SLM_WEIGHT_F32) {
        return vld1q_f32((const float *)(const void *)line + i);
    }
    const uint16_t *halves = (const uint16_t *)(const void *)line + i;
    return type == SLM_WEIGHT_F16 ? load_f16_neon(halves) : load_bf16_neon(halves);
}

/* x[0 .. count) in the first lanes. */
SLM_INLINE_NEON float32x4_t load_columns_neon(const float *x, uint32_t count)
{
    float32x4_t value = vld1q_dup_f32(x);
    if (count == 4) {
        return vld1q_f32(x);
    }
    value = count > 1 ? vld1q_lane_f32(x + 1, value, 1) : value;
    return count > 2 ? vld1q_lane_f32(x + 2, value, 2) : value;
}

/* `panels` x 16 rows, `count` (1..4) of the `columns` columns in x [padded][columns]; panels * 4 * count <= TILE_FLOATS_NEON. */
SLM_INLINE_NEON void tile_floats_neon(const struct slm_matrix *w, enum slm_weight_type type, const uint8_t *panel, uint32_t panels,
                                      const float *x, uint32_t columns, uint32_t count, float *y, size_t y_stride)
{
    const uint32_t padded = slm__padded_cols(w->cols);
    const size_t line = type == SLM_WEIGHT_F32 ? 64 : 32; /* bytes of 16 weights */
    float32x4_t acc[TILE_FLOATS_NEON];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4 * panels * count; i++) {
        acc[i] = vdupq_n_f32(0.0f);
    }
    for (uint32_t k = 0; k < padded; k++, x += columns) {
        const float32x4_t values = load_columns_neon(x, count);
        SLM_UNROLL_NEON
        for (uint32_t h = 0; h < 4 * panels; h++) {
            const float32x4_t weights = load_weights_neon(panel + h / 4 * w->panel_bytes + line * k, (size_t)4 * (h % 4), type);
            SLM_UNROLL_NEON
            for (uint32_t c = 0; c < count; c++) {
                acc[h * count + c] = fma_lane_neon(acc[h * count + c], weights, values, c);
            }
        }
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4 * panels * count; i++) {
        vst1q_f32(y + i % count * y_stride + (size_t)4 * (i / count), acc[i]);
    }
}

/* All columns of a panel, four at a time. */
SLM_INLINE_NEON void panel_floats_neon(const struct slm_matrix *w, enum slm_weight_type type, const uint8_t *panel, const float *x,
                                       uint32_t columns, float *y, size_t y_stride)
{
    uint32_t c = 0;
    for (; c + 4 <= columns; c += 4) {
        tile_floats_neon(w, type, panel, 1, x + c, columns, 4, y + c * y_stride, y_stride);
    }
    switch (columns - c) {
    case 1: tile_floats_neon(w, type, panel, 1, x + c, columns, 1, y + c * y_stride, y_stride); break;
    case 2: tile_floats_neon(w, type, panel, 1, x + c, columns, 2, y + c * y_stride, y_stride); break;
    case 3: tile_floats_neon(w, type, panel, 1, x + c, columns, 3, y + c * y_stride, y_stride); break;
    default: break;
    }
}

/* A single column runs two panels side by side, since the sums of one alone would wait for each other's latency. */
SLM_INLINE_NEON void matmul_floats_neon(const struct slm_matrix *w, enum slm_weight_type type, uint32_t begin, uint32_t end, const float *x,
                                        uint32_t columns, float *y, size_t y_stride)
{
    uint32_t p = begin;
    for (; columns == 1 && p + 2 <= end; p += 2) {
        tile_floats_neon(w, type, w->data + p * w->panel_bytes, 2, x, 1, 1, y + (size_t)16 * p, y_stride);
    }
    for (; p < end; p++) {
        panel_floats_neon(w, type, w->data + p * w->panel_bytes, x, columns, y + (size_t)16 * p, y_stride);
    }
}

void slm__matmul_f32_neon(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                          float *y, size_t y_stride)
{
    matmul_floats_neon(w, SLM_WEIGHT_F32, panel_begin, panel_end, packed, columns, y, y_stride);
}

void slm__matmul_f16_neon(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                          float *y, size_t y_stride)
{
    matmul_floats_neon(w, SLM_WEIGHT_F16, panel_begin, panel_end, packed, columns, y, y_stride);
}

void slm__matmul_bf16_neon(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                           float *y, size_t y_stride)
{
    matmul_floats_neon(w, SLM_WEIGHT_BF16, panel_begin, panel_end, packed, columns, y, y_stride);
}
