/* SPDX-License-Identifier: MIT */
/*
 * i8 weights x packed int8 activations in registers of 8 rows, for the avx2 tier and for avxvnni, whose compiler flags choose the second of
 * two ways to multiply. Without vpdpbusd: maddubs wants an unsigned and a signed factor, |w| (0..128) and the activation with w's sign,
 * which exists for all codes since activations are never -128; a pair sums to at most 2 * 128 * 127 = 32 512, so each maddubs is exact and
 * is widened at once by a madd with ones. With it: weights become unsigned as w + 128 (one xor), and 128 times the negated sum, from which
 * the dot starts, takes the surplus away again.
 */
#ifndef SLM_KERNELS_TILES_I8_AVX2_H
#define SLM_KERNELS_TILES_I8_AVX2_H

#include "kernels/avx2/simd_avx2.h" /* load_bytes_avx2, broadcast_quad_avx2 */
#include "kernels/kernels.h"        /* struct slm_matrix, panel and packed layout */
#include <stdbool.h>

enum {
    TILE_I8_AVX2 = 8,  /* registers of sums in a tile: halves x columns at most */
    AHEAD_I8_AVX2 = 16 /* groups of the weight stream to fetch ahead: 8 KB; 2-16 KB measured, 26 -> 32 GB/s */
};

#if defined(__AVXVNNI__)
SLM_INLINE_AVX2 __m256i unsigned_i8_avx2(__m256i q) { return _mm256_xor_si256(q, _mm256_set1_epi8((char)0x80)); }
SLM_INLINE_AVX2 __m256i start_i8_avx2(const uint8_t *x_sum) { return _mm256_slli_epi32(broadcast_quad_avx2(x_sum), 7); }
SLM_INLINE_AVX2 __m256i dot_i8_avx2(__m256i sum, __m256i q, __m256i unsigned_q, __m256i quad)
{
    (void)q;
    return _mm256_dpbusd_avx_epi32(sum, unsigned_q, quad);
}
#else
SLM_INLINE_AVX2 __m256i unsigned_i8_avx2(__m256i q) { return _mm256_abs_epi8(q); }
SLM_INLINE_AVX2 __m256i start_i8_avx2(const uint8_t *x_sum)
{
    (void)x_sum;
    return _mm256_setzero_si256();
}
SLM_INLINE_AVX2 __m256i dot_i8_avx2(__m256i sum, __m256i q, __m256i unsigned_q, __m256i quad)
{
    const __m256i pairs = _mm256_maddubs_epi16(unsigned_q, _mm256_sign_epi8(quad, q));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
#endif

/* sums[h][c] += the products of one group: `halves` x 8 rows, `count` columns of the `columns` in x. */
SLM_INLINE_AVX2 void dots_i8_avx2(const uint8_t *quants, const uint8_t *x, uint32_t columns, uint32_t halves, uint32_t count,
                                  __m256i sums[TILE_I8_AVX2])
{
    SLM_UNROLL_AVX2
    for (uint32_t j = 0; j < 8; j++) {
        const __m256i q[2] = {load_bytes_avx2(quants + 64 * j), load_bytes_avx2(quants + 64 * j + 32 * (halves - 1))};
        const __m256i unsigned_q[2] = {unsigned_i8_avx2(q[0]), unsigned_i8_avx2(q[1])};
        SLM_UNROLL_AVX2
        for (uint32_t c = 0; c < count; c++) {
            const __m256i quad = broadcast_quad_avx2(x + (size_t)4 * (j * columns + c));
            SLM_UNROLL_AVX2
            for (uint32_t h = 0; h < halves; h++) {
                sums[h * count + c] = hold_avx2(dot_i8_avx2(sums[h * count + c], q[h], unsigned_q[h], quad));
            }
        }
    }
}

/* Up to 8 columns once are a matter of memory, and the hardware loses the streams at page borders: ask for group g + AHEAD, behind the end
 * of the panel for that of the next one. */
SLM_INLINE_AVX2 void prefetch_i8_avx2(const uint8_t *panel, uint32_t groups, uint32_t g)
{
    const uint32_t ahead = groups < AHEAD_I8_AVX2 ? groups : AHEAD_I8_AVX2;
    const uint8_t *from = g + ahead < groups ? panel : panel + slm__i8_panel_bytes(groups);
    const uint32_t group = g + ahead < groups ? g + ahead : g + ahead - groups;
    SLM_UNROLL_AVX2
    for (uint32_t line = 0; line < 8; line++) {
        prefetch_avx2(from, (size_t)512 * group + (size_t)64 * line);
    }
    if (group % 2 == 0) {
        prefetch_avx2(from, slm__i8_scales_offset(groups) + (size_t)32 * group);
    }
}

/* `halves` x 8 rows from row 8 * half on, `count` columns from x on; halves * count <= TILE_I8_AVX2.
 * first: the panel's first tile, which fetches. */
SLM_INLINE_AVX2 void tile_i8_avx2(const uint8_t *panel, uint32_t groups, uint32_t half, uint32_t halves, const uint8_t *x, uint32_t columns,
                                  uint32_t count, bool first, float *y, size_t y_stride)
{
    const uint8_t *scales = panel + slm__i8_scales_offset(groups) + (size_t)16 * half, *quants = panel + (size_t)32 * half;
    __m256 acc[TILE_I8_AVX2];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < halves * count; i++) {
        acc[i] = _mm256_setzero_ps();
    }
    for (uint32_t g = 0; g < groups; g++, x += (size_t)columns * SLM_PACKED_GROUP) {
        const uint8_t *x_sums = x + (size_t)columns * SLM_PACKED_SUMS;
        __m256i sums[TILE_I8_AVX2];
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < halves * count; i++) {
            sums[i] = start_i8_avx2(x_sums + (size_t)4 * (i % count));
        }
        if (first) {
            prefetch_i8_avx2(panel, groups, g);
        }
        dots_i8_avx2(quants + (size_t)512 * g, x, columns, halves, count, sums);
        const uint8_t *x_scales = x + (size_t)columns * SLM_PACKED_SCALES;
        SLM_UNROLL_AVX2
        for (uint32_t h = 0; h < halves; h++) {
            const __m256 scale = load_f16_avx2(scales + (size_t)32 * g + (size_t)16 * h);
            SLM_UNROLL_AVX2
            for (uint32_t c = 0; c < count; c++) {
                const __m256 factor = _mm256_mul_ps(scale, broadcast_f32_avx2(x_scales + 4 * c));
                acc[h * count + c] = _mm256_fmadd_ps(factor, _mm256_cvtepi32_ps(sums[h * count + c]), acc[h * count + c]);
            }
        }
    }
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < halves * count; i++) {
        _mm256_storeu_ps(y + i % count * y_stride + (size_t)8 * (half + i / count), acc[i]);
    }
}

/* A group of one column: 16 rows. */
SLM_INLINE_AVX2 void column_group_i8_avx2(const uint8_t *quants, const uint8_t *scales, const uint8_t *x, __m256 acc[2])
{
    __m256i sums[TILE_I8_AVX2];
    sums[0] = sums[1] = start_i8_avx2(x + SLM_PACKED_SUMS);
    dots_i8_avx2(quants, x, 1, 2, 1, sums);
    const __m256 x_scale = broadcast_f32_avx2(x + SLM_PACKED_SCALES);
    SLM_UNROLL_AVX2
    for (uint32_t h = 0; h < 2; h++) {
        const __m256 factor = _mm256_mul_ps(load_f16_avx2(scales + (size_t)16 * h), x_scale);
        acc[h] = _mm256_fmadd_ps(factor, _mm256_cvtepi32_ps(sums[h]), acc[h]);
    }
}

/* One panel and one column. With two groups of it (1088 bytes in both planes) as many bytes of what is read next are asked for. */
static void column_i8_avx2(const uint8_t *panel, uint32_t groups, const uint8_t *next, const uint8_t *x, float *y)
{
    size_t at = 0; /* in next, which may be shorter */
    const uint8_t *scales = panel + slm__i8_scales_offset(groups);
    const uint32_t pairs = groups / 2 * 2;
    __m256 acc[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (uint32_t g = 0; g < pairs; g += 2, x += (size_t)2 * SLM_PACKED_GROUP, at += 1088) {
        prefetch_lines_avx2(next, at, at + 576);
        column_group_i8_avx2(panel + (size_t)512 * g, scales + (size_t)32 * g, x, acc);
        prefetch_lines_avx2(next, at + 576, at + 1088);
        column_group_i8_avx2(panel + (size_t)512 * (g + 1), scales + (size_t)32 * (g + 1), x + SLM_PACKED_GROUP, acc);
    }
    if (pairs < groups) {
        prefetch_lines_avx2(next, at, at + 576);
        column_group_i8_avx2(panel + (size_t)512 * pairs, scales + (size_t)32 * pairs, x, acc);
    }
    _mm256_storeu_ps(y, acc[0]);
    _mm256_storeu_ps(y + 8, acc[1]);
}

/* All columns of a panel, four at a time. `columns` is a constant of the caller where that many are usual. */
SLM_INLINE_AVX2 void columns_i8_avx2(const uint8_t *panel, uint32_t groups, const uint8_t *x, uint32_t columns, float *y, size_t y_stride)
{
    const uint32_t rest = columns % 4;
    for (uint32_t c = 0; c < columns - rest; c += 4) {
        tile_i8_avx2(panel, groups, 0, 2, x + 4 * c, columns, 4, c == 0, y + c * y_stride, y_stride);
    }
    x += 4 * (columns - rest);
    y += (columns - rest) * y_stride;
    switch (rest) {
    case 1: tile_i8_avx2(panel, groups, 0, 2, x, columns, 1, columns == 1, y, y_stride); break;
    case 2: tile_i8_avx2(panel, groups, 0, 2, x, columns, 2, columns == 2, y, y_stride); break;
    case 3: tile_i8_avx2(panel, groups, 0, 2, x, columns, 3, columns == 3, y, y_stride); break;
    default: break;
    }
}

static void panel_i8_avx2(const uint8_t *panel, uint32_t groups, const uint8_t *x, uint32_t columns, float *y, size_t y_stride)
{
    switch (SLM_SMALL ? 0 : columns) {
    case 1: column_i8_avx2(panel, groups, panel, x, y); break;
    case 2: columns_i8_avx2(panel, groups, x, 2, y, y_stride); break;
    case 4: columns_i8_avx2(panel, groups, x, 4, y, y_stride); break;
    case 8: columns_i8_avx2(panel, groups, x, 8, y, y_stride); break;
    default: columns_i8_avx2(panel, groups, x, columns, y, y_stride); break;
    }
}

static inline void matmul_i8_avx2(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed,
                                  uint32_t columns, float *y, size_t y_stride)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        panel_i8_avx2(w->data + p * w->panel_bytes, groups, packed, columns, y + (size_t)16 * p, y_stride);
    }
}

static inline void gemv_i8_avx2(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, float *y,
                                const void *ahead)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const uint8_t *panel = w->data + p * w->panel_bytes;
        const uint8_t *next = p + 1 < panel_end ? panel + w->panel_bytes : ahead != NULL ? ahead : panel;
        column_i8_avx2(panel, groups, next, packed, y + (size_t)16 * p);
    }
}

#endif
