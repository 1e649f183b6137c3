/* SPDX-License-Identifier: MIT */
/* f32, f16 and bf16 weights x packed f32 activations: a lane is a row, k in order, one fused multiply-add each. */
#include "kernels/avx2/avx2_kernels.h" /* slm__matmul_f32_avx2, slm__matmul_f16_avx2, slm__matmul_bf16_avx2 */
#include "kernels/avx2/simd_avx2.h"    /* load_f16_avx2, load_bf16_avx2 */

enum { TILE_FLOATS_AVX2 = 8 }; /* registers of sums in a tile: panels x 2 halves x columns at most */

/* 8 weights; `type` is a constant of the caller. */
SLM_INLINE_AVX2 __m256 load_weights_avx2(const uint8_t *at, enum slm_weight_type type)
{
    if (type == SLM_WEIGHT_F16) {
        return load_f16_avx2(at);
    }
    return type == SLM_WEIGHT_BF16 ? load_bf16_avx2(at) : _mm256_loadu_ps((const float *)(const void *)at);
}

/* acc[c] += 8 weights of one k times x[c] */
SLM_INLINE_AVX2 void accumulate_floats_avx2(__m256 weights, const float *x, uint32_t count, __m256 *acc)
{
    SLM_UNROLL_AVX2
    for (uint32_t c = 0; c < count; c++) {
        acc[c] = _mm256_fmadd_ps(weights, _mm256_broadcast_ss(x + c), acc[c]);
    }
}

/* `panels` x 16 rows, `count` of the `columns` columns in x [padded][columns]; panels * 2 * count <= TILE_FLOATS_AVX2. */
SLM_INLINE_AVX2 void tile_floats_avx2(const struct slm_matrix *w, enum slm_weight_type type, const uint8_t *panel, uint32_t panels,
                                      const float *x, uint32_t columns, uint32_t count, float *y, size_t y_stride)
{
    const uint32_t padded = slm__padded_cols(w->cols);
    const size_t half = type == SLM_WEIGHT_F32 ? 32 : 16; /* bytes of 8 weights */
    __m256 acc[TILE_FLOATS_AVX2];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 2 * panels * count; i++) {
        acc[i] = _mm256_setzero_ps();
    }
    for (uint32_t k = 0; k < padded; k++, x += columns) {
        const uint8_t *line = panel + 2 * half * k;
        accumulate_floats_avx2(load_weights_avx2(line, type), x, count, acc);
        accumulate_floats_avx2(load_weights_avx2(line + half, type), x, count, acc + count);
        if (panels == 2) {
            line += w->panel_bytes;
            accumulate_floats_avx2(load_weights_avx2(line, type), x, count, acc + 2 * count);
            accumulate_floats_avx2(load_weights_avx2(line + half, type), x, count, acc + 3 * count);
        }
    }
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 2 * panels * count; i++) {
        _mm256_storeu_ps(y + i % count * y_stride + (size_t)8 * (i / count), acc[i]);
    }
}

/* All columns of a panel, four at a time; `columns` is a constant of the caller, except in builds for size. */
SLM_INLINE_AVX2 void columns_floats_avx2(const struct slm_matrix *w, enum slm_weight_type type, const uint8_t *panel, const float *x,
                                         uint32_t columns, float *y, size_t y_stride)
{
    const uint32_t rest = columns % 4;
    if (columns >= 4) {
        tile_floats_avx2(w, type, panel, 1, x, columns, 4, y, y_stride);
    }
    if (columns == 8) {
        tile_floats_avx2(w, type, panel, 1, x + 4, columns, 4, y + 4 * y_stride, y_stride);
    }
    x += columns - rest;
    y += (columns - rest) * y_stride;
    switch (rest) {
    case 1: tile_floats_avx2(w, type, panel, 1, x, columns, 1, y, y_stride); break;
    case 2: tile_floats_avx2(w, type, panel, 1, x, columns, 2, y, y_stride); break;
    case 3: tile_floats_avx2(w, type, panel, 1, x, columns, 3, y, y_stride); break;
    default: break;
    }
}

SLM_INLINE_AVX2 void panel_floats_avx2(const struct slm_matrix *w, enum slm_weight_type type, const uint8_t *panel, const float *x,
                                       uint32_t columns, float *y, size_t y_stride)
{
    switch (SLM_SMALL ? 0 : columns) {
    case 1: columns_floats_avx2(w, type, panel, x, 1, y, y_stride); break;
    case 2: columns_floats_avx2(w, type, panel, x, 2, y, y_stride); break;
    case 4: columns_floats_avx2(w, type, panel, x, 4, y, y_stride); break;
    case 8: columns_floats_avx2(w, type, panel, x, 8, y, y_stride); break;
    default: columns_floats_avx2(w, type, panel, x, columns, y, y_stride); break;
    }
}

/* A single column runs two panels side by side, since two sums alone would wait for each other's latency. */
SLM_INLINE_AVX2 void matmul_floats_avx2(const struct slm_matrix *w, enum slm_weight_type type, uint32_t begin, uint32_t end, const float *x,
                                        uint32_t columns, float *y, size_t y_stride)
{
    uint32_t p = begin;
    for (; columns == 1 && p + 2 <= end; p += 2) {
        tile_floats_avx2(w, type, w->data + p * w->panel_bytes, 2, x, 1, 1, y + (size_t)16 * p, y_stride);
    }
    for (; p < end; p++) {
        panel_floats_avx2(w, type, w->data + p * w->panel_bytes, x, columns, y + (size_t)16 * p, y_stride);
    }
}

void slm__matmul_f32_avx2(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                          float *y, size_t y_stride)
{
    matmul_floats_avx2(w, SLM_WEIGHT_F32, panel_begin, panel_end, packed, columns, y, y_stride);
}

void slm__matmul_f16_avx2(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                          float *y, size_t y_stride)
{
    matmul_floats_avx2(w, SLM_WEIGHT_F16, panel_begin, panel_end, packed, columns, y, y_stride);
}

void slm__matmul_bf16_avx2(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                           float *y, size_t y_stride)
{
    matmul_floats_avx2(w, SLM_WEIGHT_BF16, panel_begin, panel_end, packed, columns, y, y_stride);
}
