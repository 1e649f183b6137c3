/* SPDX-License-Identifier: MIT */
/* f32, f16 and bf16 weights x packed f32 activations: a lane is a row, k in order, one fused multiply-add each. */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__matmul_f32_avx512vnni and others */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* SLM_INLINE_AVX512VNNI */

/* The line of 16 weights of one k; `type` is a constant of the caller. */
SLM_INLINE_AVX512VNNI __m512 load_weights_avx512vnni(const uint8_t *panel, size_t k, enum slm_weight_type type)
{
    if (type == SLM_WEIGHT_F32) {
        return _mm512_loadu_ps(panel + 64 * k);
    }
    const __m256i halves = _mm256_loadu_si256((const __m256i *)(const void *)(panel + 32 * k));
    return type == SLM_WEIGHT_F16 ? _mm512_cvtph_ps(halves) : _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

/* `panels` x 16 rows, all columns; panels * columns <= 8 are constants of the caller. x: [padded][columns] */
SLM_INLINE_AVX512VNNI void columns_floats_avx512vnni(const struct slm_matrix *w, enum slm_weight_type type, const uint8_t *panel,
                                                     uint32_t panels, const float *x, uint32_t columns, float *y, size_t y_stride)
{
    const uint32_t padded = slm__padded_cols(w->cols);
    __m512 acc[SLM_COLUMNS];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < panels * columns; i++) {
        acc[i] = _mm512_setzero_ps();
    }
    for (uint32_t k = 0; k < padded; k++, x += columns) {
        SLM_UNROLL_AVX512VNNI
        for (uint32_t i = 0; i < panels * columns; i++) {
            const __m512 weights = load_weights_avx512vnni(panel + i / columns * w->panel_bytes, k, type);
            acc[i] = _mm512_fmadd_ps(weights, _mm512_set1_ps(x[i % columns]), acc[i]);
        }
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < panels * columns; i++) {
        _mm512_storeu_ps(y + i % columns * y_stride + (size_t)16 * (i / columns), acc[i]);
    }
}

SLM_INLINE_AVX512VNNI void panel_floats_avx512vnni(const struct slm_matrix *w, enum slm_weight_type type, const uint8_t *panel,
                                                   const float *x, uint32_t columns, float *y, size_t y_stride)
{
    switch (columns) {
    case 1: columns_floats_avx512vnni(w, type, panel, 1, x, 1, y, y_stride); break;
    case 2: columns_floats_avx512vnni(w, type, panel, 1, x, 2, y, y_stride); break;
    case 3: columns_floats_avx512vnni(w, type, panel, 1, x, 3, y, y_stride); break;
    case 4: columns_floats_avx512vnni(w, type, panel, 1, x, 4, y, y_stride); break;
    case 5: columns_floats_avx512vnni(w, type, panel, 1, x, 5, y, y_stride); break;
    case 6: columns_floats_avx512vnni(w, type, panel, 1, x, 6, y, y_stride); break;
    case 7: columns_floats_avx512vnni(w, type, panel, 1, x, 7, y, y_stride); break;
    default: columns_floats_avx512vnni(w, type, panel, 1, x, 8, y, y_stride); break;
    }
}

/* A single column runs four panels side by side, since one sum alone would wait for its own latency. */
SLM_INLINE_AVX512VNNI void matmul_floats_avx512vnni(const struct slm_matrix *w, enum slm_weight_type type, uint32_t begin, uint32_t end,
                                                    const float *x, uint32_t columns, float *y, size_t y_stride)
{
    uint32_t p = begin;
    for (; columns == 1 && p + 4 <= end; p += 4) {
        columns_floats_avx512vnni(w, type, w->data + p * w->panel_bytes, 4, x, 1, y + (size_t)16 * p, y_stride);
    }
    for (; p < end; p++) {
        panel_floats_avx512vnni(w, type, w->data + p * w->panel_bytes, x, columns, y + (size_t)16 * p, y_stride);
    }
}

void slm__matmul_f32_avx512vnni(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                                float *y, size_t y_stride)
{
    matmul_floats_avx512vnni(w, SLM_WEIGHT_F32, panel_begin, panel_end, packed, columns, y, y_stride);
}

void slm__matmul_f16_avx512vnni(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                                float *y, size_t y_stride)
{
    matmul_floats_avx512vnni(w, SLM_WEIGHT_F16, panel_begin, panel_end, packed, columns, y, y_stride);
}

void slm__matmul_bf16_avx512vnni(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                                 float *y, size_t y_stride)
{
    matmul_floats_avx512vnni(w, SLM_WEIGHT_BF16, panel_begin, panel_end, packed, columns, y, y_stride);
}
