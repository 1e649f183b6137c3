/* SPDX-License-Identifier: MIT */
/*
 * i4 weights x packed int8 activations. vpdpbusd multiplies 4 unsigned by 4 signed bytes and adds the exact sum to an int32; nibbles are
 * taken as 16 q by a mask, which is what the zero point in sixteenths wants. The zero point starts the sum: vpdpwssd of (zero, 0) and the
 * negated sum.
 */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__matmul_i4_avx512vnni */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* broadcast_quad_avx512vnni, widen_bytes_avx512vnni, prefetch_columns_avx512vnni */

enum {
    PAIR_AHEAD_I4_AVX512VNNI = 8, /* groups of each of two panels to fetch ahead */
    AHEAD_I4_AVX512VNNI = 32,     /* groups of the weight stream to fetch ahead: 8 KB; 2 to 32 KB measured */
    AHEAD_X_I4_AVX512VNNI = 4096  /* bytes of the activations to fetch ahead, from the second-level cache: K 8192 gains a fifth */
};

/* dots[c] += 16 q x of one group for all columns. */
SLM_INLINE_AVX512VNNI void dots_i4_avx512vnni(const uint8_t *quants, const uint8_t *x, uint32_t columns, __m512i dots[SLM_COLUMNS])
{
    const __m512i high_nibbles = _mm512_set1_epi8((char)0xf0);
    SLM_UNROLL_AVX512VNNI
    for (uint32_t j = 0; j < 4; j++) {
        const __m512i line = _mm512_loadu_si512(quants + (size_t)64 * j);
        const __m512i low = _mm512_and_si512(_mm512_slli_epi16(line, 4), high_nibbles), high = _mm512_and_si512(line, high_nibbles);
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < columns; c++) {
            dots[c] = _mm512_dpbusd_epi32(dots[c], low, broadcast_quad_avx512vnni(x + (size_t)4 * (j * columns + c)));
        }
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < columns; c++) {
            dots[c] = _mm512_dpbusd_epi32(dots[c], high, broadcast_quad_avx512vnni(x + (size_t)4 * ((j + 4) * columns + c)));
        }
    }
}

/* Up to 8 columns once are a matter of memory, and the hardware loses the streams at page borders: ask for group g + most, behind the end
 * of the panel for that of the panel `next` bytes further. */
SLM_INLINE_AVX512VNNI void prefetch_i4_avx512vnni(const uint8_t *panel, uint32_t groups, uint32_t g, uint32_t most, uint64_t next)
{
    const uint32_t ahead = groups < most ? groups : most;
    const uint8_t *from = g + ahead < groups ? panel : panel + next;
    const uint32_t group = g + ahead < groups ? g + ahead : g + ahead - groups;
    SLM_UNROLL_AVX512VNNI
    for (uint32_t line = 0; line < 4; line++) {
        prefetch_avx512vnni(from, (size_t)256 * group + (size_t)64 * line);
    }
    if (group % 4 == 0) {
        prefetch_avx512vnni(from, slm__i4_scales_offset(groups) + (size_t)16 * group);
        prefetch_avx512vnni(from, slm__i4_zeros_offset(groups) + (size_t)16 * group);
    }
}

/* Group g of one panel: acc[c] moves on by one step for all columns; `columns` is a constant of the caller. */
SLM_INLINE_AVX512VNNI void group_i4_avx512vnni(const uint8_t *panel, uint32_t groups, uint32_t g, const uint8_t *x, uint32_t columns,
                                               uint32_t most, uint64_t next, __m512 acc[SLM_COLUMNS])
{
    const uint8_t *scales = panel + slm__i4_scales_offset(groups), *zeros = panel + slm__i4_zeros_offset(groups);
    const uint8_t *x_scales = x + (size_t)columns * SLM_PACKED_SCALES, *x_sums = x + (size_t)columns * SLM_PACKED_SUMS;
    const __m512i zero = widen_bytes_avx512vnni(zeros + (size_t)16 * g);
    __m512i dots[SLM_COLUMNS];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < columns; c++) {
        dots[c] = _mm512_dpwssd_epi32(_mm512_setzero_si512(), zero, broadcast_quad_avx512vnni(x_sums + (size_t)4 * c));
    }
    prefetch_i4_avx512vnni(panel, groups, g, most, next);
    if (columns >= 4) {
        prefetch_columns_avx512vnni(x, AHEAD_X_I4_AVX512VNNI, columns);
    }
    dots_i4_avx512vnni(panel + (size_t)256 * g, x, columns, dots);
    const __m512i scale_bits = _mm512_slli_epi32(widen_bytes_avx512vnni(scales + (size_t)16 * g), 19);
    const __m512 scale = _mm512_castsi512_ps(_mm512_add_epi32(scale_bits, _mm512_set1_epi32(111 << 23)));
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < columns; c++) {
        const __m512 factor = _mm512_mul_ps(scale, broadcast_f32_avx512vnni(x_scales + (size_t)4 * c));
        acc[c] = _mm512_fmadd_ps(factor, _mm512_cvtepi32_ps(dots[c]), acc[c]);
    }
}

/* 16 rows, all columns; `columns` is a constant of the caller. */
SLM_INLINE_AVX512VNNI void columns_i4_avx512vnni(const uint8_t *panel, uint32_t groups, const uint8_t *x, uint32_t columns, float *y,
                                                 size_t y_stride)
{
    __m512 acc[SLM_COLUMNS];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < columns; c++) {
        acc[c] = _mm512_setzero_ps();
    }
    for (uint32_t g = 0; g < groups; g++, x += (size_t)columns * SLM_PACKED_GROUP) {
        group_i4_avx512vnni(panel, groups, g, x, columns, AHEAD_I4_AVX512VNNI, slm__i4_panel_bytes(groups), acc);
    }
    const __m512 row = _mm512_loadu_ps(panel + slm__i4_rows_offset(groups));
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < columns; c++) {
        _mm512_storeu_ps(y + c * y_stride, _mm512_mul_ps(acc[c], row));
    }
}

/* One column is nothing but memory: two panels side by side are twice as many streams. */
static void pair_i4_avx512vnni(const uint8_t *panel, uint32_t groups, const uint8_t *x, float *y)
{
    const uint64_t bytes = slm__i4_panel_bytes(groups);
    __m512 acc[2][SLM_COLUMNS];
    acc[0][0] = acc[1][0] = _mm512_setzero_ps();
    for (uint32_t g = 0; g < groups; g++, x += SLM_PACKED_GROUP) {
        group_i4_avx512vnni(panel, groups, g, x, 1, PAIR_AHEAD_I4_AVX512VNNI, 2 * bytes, acc[0]);
        group_i4_avx512vnni(panel + bytes, groups, g, x, 1, PAIR_AHEAD_I4_AVX512VNNI, 2 * bytes, acc[1]);
    }
    for (uint32_t h = 0; h < 2; h++) {
        _mm512_storeu_ps(y + (size_t)16 * h, _mm512_mul_ps(acc[h][0], _mm512_loadu_ps(panel + h * bytes + slm__i4_rows_offset(groups))));
    }
}

static void panel_i4_avx512vnni(const uint8_t *panel, uint32_t groups, const uint8_t *x, uint32_t columns, float *y, size_t y_stride)
{
    switch (columns) {
    case 1: columns_i4_avx512vnni(panel, groups, x, 1, y, y_stride); break;
    case 2: columns_i4_avx512vnni(panel, groups, x, 2, y, y_stride); break;
    case 3: columns_i4_avx512vnni(panel, groups, x, 3, y, y_stride); break;
    case 4: columns_i4_avx512vnni(panel, groups, x, 4, y, y_stride); break;
    case 5: columns_i4_avx512vnni(panel, groups, x, 5, y, y_stride); break;
    case 6: columns_i4_avx512vnni(panel, groups, x, 6, y, y_stride); break;
    case 7: columns_i4_avx512vnni(panel, groups, x, 7, y, y_stride); break;
    default: columns_i4_avx512vnni(panel, groups, x, 8, y, y_stride); break;
    }
}

void slm__matmul_i4_avx512vnni(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                               float *y, size_t y_stride)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (; columns == 1 && panel_end - panel_begin >= 2; panel_begin += 2) {
        pair_i4_avx512vnni(w->data + panel_begin * w->panel_bytes, groups, packed, y + (size_t)16 * panel_begin);
    }
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        panel_i4_avx512vnni(w->data + p * w->panel_bytes, groups, packed, columns, y + (size_t)16 * p, y_stride);
    }
}
