/* SPDX-License-Identifier: MIT */
/*
 * i4 weights x packed int8 activations in registers of 8 rows, two a line, for the avx2 tier and for avxvnni, whose compiler flags choose
 * the second of two ways to multiply. Without vpdpbusd: maddubs multiplies 0..15 by -127..127 and adds pairs, so eight of them sum in int16
 * without overflow (8 * 2 * 15 * 127 = 30 480), and one madd by 16 a group widens the sum to int32. With it: nibbles are taken as 16 q by a
 * mask. The zero point is a madd of (zero, 0) and the negated sum.
 */
#ifndef SLM_KERNELS_TILES_I4_AVX2_H
#define SLM_KERNELS_TILES_I4_AVX2_H

#include "kernels/avx2/simd_avx2.h" /* load_bytes_avx2, broadcast_quad_avx2 */
#include "kernels/kernels.h"        /* struct slm_matrix, panel and packed layout */
#include <stdbool.h>

enum {
    TILE_I4_AVX2 = 8,  /* registers of sums in a tile: halves x columns at most */
    AHEAD_I4_AVX2 = 32 /* groups of the weight stream to fetch ahead: 8 KB; 2-16 KB measured, 20 -> 31 GB/s */
};

struct panel_i4_avx2 {
    const uint8_t *quants, *scales, *zeros, *rows;
    uint32_t groups;
};

/* f32 bits = (u8 << 19) + (111 << 23), 8 rows */
SLM_INLINE_AVX2 __m256 scales_i4_avx2(const uint8_t *at)
{
    const __m256i bits = _mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)at)), 19);
    return _mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_set1_epi32(111 << 23)));
}

#if defined(__AVXVNNI__)
SLM_INLINE_AVX2 __m256i low_nibbles_avx2(__m256i line)
{
    return _mm256_and_si256(_mm256_slli_epi16(line, 4), _mm256_set1_epi8((char)0xf0));
}
SLM_INLINE_AVX2 __m256i high_nibbles_avx2(__m256i line) { return _mm256_and_si256(line, _mm256_set1_epi8((char)0xf0)); }
SLM_INLINE_AVX2 __m256i dot_i4_avx2(__m256i sum, __m256i q, __m256i quad) { return _mm256_dpbusd_avx_epi32(sum, q, quad); }
SLM_INLINE_AVX2 __m256i widen_i4_avx2(__m256i sum) { return sum; }
#else
SLM_INLINE_AVX2 __m256i low_nibbles_avx2(__m256i line) { return _mm256_and_si256(line, _mm256_set1_epi8(15)); }
SLM_INLINE_AVX2 __m256i high_nibbles_avx2(__m256i line) { return low_nibbles_avx2(_mm256_srli_epi16(line, 4)); }
SLM_INLINE_AVX2 __m256i dot_i4_avx2(__m256i sum, __m256i q, __m256i quad) { return _mm256_add_epi16(sum, _mm256_maddubs_epi16(q, quad)); }
SLM_INLINE_AVX2 __m256i widen_i4_avx2(__m256i sum) { return _mm256_madd_epi16(sum, _mm256_set1_epi16(16)); }
#endif

/* sums[h][c] += the products of one group: `halves` x 8 rows, `count` columns of the `columns` in x. */
SLM_INLINE_AVX2 void dots_i4_avx2(const uint8_t *quants, const uint8_t *x, uint32_t columns, uint32_t halves, uint32_t count,
                                  __m256i sums[TILE_I4_AVX2])
{
    SLM_UNROLL_AVX2
    for (uint32_t j = 0; j < 4; j++) {
        const __m256i line[2] = {load_bytes_avx2(quants + 64 * j), load_bytes_avx2(quants + 64 * j + 32 * (halves - 1))};
        SLM_UNROLL_AVX2
        for (uint32_t nibble = 0; nibble < 2; nibble++) {
            const __m256i q[2] = {nibble == 0 ? low_nibbles_avx2(line[0]) : high_nibbles_avx2(line[0]),
                                  nibble == 0 ? low_nibbles_avx2(line[1]) : high_nibbles_avx2(line[1])};
            SLM_UNROLL_AVX2
            for (uint32_t c = 0; c < count; c++) {
                const __m256i quad = broadcast_quad_avx2(x + (size_t)4 * ((j + 4 * nibble) * columns + c));
                SLM_UNROLL_AVX2
                for (uint32_t h = 0; h < halves; h++) {
                    sums[h * count + c] = hold_avx2(dot_i4_avx2(sums[h * count + c], q[h], quad));
                }
            }
        }
    }
}

/* Up to 8 columns once are a matter of memory, and the hardware loses the streams at page borders: ask for group g + AHEAD, behind the end
 * of the panel for that of the next one. */
SLM_INLINE_AVX2 void prefetch_i4_avx2(const uint8_t *panel, uint32_t groups, uint32_t g)
{
    const uint32_t ahead = groups < AHEAD_I4_AVX2 ? groups : AHEAD_I4_AVX2;
    const uint8_t *from = g + ahead < groups ? panel : panel + slm__i4_panel_bytes(groups);
    const uint32_t group = g + ahead < groups ? g + ahead : g + ahead - groups;
    SLM_UNROLL_AVX2
    for (uint32_t line = 0; line < 4; line++) {
        prefetch_avx2(from, (size_t)256 * group + (size_t)64 * line);
    }
    if (group % 4 == 0) {
        prefetch_avx2(from, slm__i4_scales_offset(groups) + (size_t)16 * group);
        prefetch_avx2(from, slm__i4_zeros_offset(groups) + (size_t)16 * group);
    }
}

/* What one group adds to 8 rows of one column, whose products are `sum`. */
SLM_INLINE_AVX2 __m256 step_i4_avx2(const uint8_t *scales, const uint8_t *zeros, __m256i sum, __m256i x_sum, __m256 x_scale, __m256 acc)
{
    const __m256i zero = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)zeros));
    const __m256i dot = _mm256_add_epi32(widen_i4_avx2(sum), _mm256_madd_epi16(zero, x_sum));
    return _mm256_fmadd_ps(_mm256_mul_ps(scales_i4_avx2(scales), x_scale), _mm256_cvtepi32_ps(dot), acc);
}

/* A group of one column: 16 rows. */
SLM_INLINE_AVX2 void column_group_i4_avx2(const struct panel_i4_avx2 *panel, uint32_t g, const uint8_t *x, __m256 acc[2])
{
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    SLM_UNROLL_AVX2
    for (uint32_t j = 0; j < 4; j++) {
        const __m256i low = broadcast_quad_avx2(x + (size_t)4 * j), high = broadcast_quad_avx2(x + (size_t)4 * (j + 4));
        SLM_UNROLL_AVX2
        for (uint32_t h = 0; h < 2; h++) {
            const __m256i line = load_bytes_avx2(panel->quants + (size_t)256 * g + (size_t)64 * j + (size_t)32 * h);
            sums[h] = dot_i4_avx2(sums[h], low_nibbles_avx2(line), low);
            sums[h] = dot_i4_avx2(sums[h], high_nibbles_avx2(line), high);
        }
    }
    const __m256 x_scale = broadcast_f32_avx2(x + SLM_PACKED_SCALES);
    const __m256i x_sum = broadcast_quad_avx2(x + SLM_PACKED_SUMS);
    SLM_UNROLL_AVX2
    for (uint32_t h = 0; h < 2; h++) {
        const size_t at = (size_t)16 * g + (size_t)8 * h;
        acc[h] = step_i4_avx2(panel->scales + at, panel->zeros + at, sums[h], x_sum, x_scale, acc[h]);
    }
}

/* One panel and one column. With two groups of it (576 bytes in all planes) as many bytes of what is read next are asked for. */
static void column_i4_avx2(const struct panel_i4_avx2 *panel, const uint8_t *next, const uint8_t *x, float *y)
{
    size_t at = 0; /* in next, which may be shorter */
    const uint32_t groups = panel->groups, pairs = groups / 2 * 2;
    __m256 acc[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (uint32_t g = 0; g < pairs; g += 2, x += (size_t)2 * SLM_PACKED_GROUP, at += 576) {
        prefetch_lines_avx2(next, at, at + 320);
        column_group_i4_avx2(panel, g, x, acc);
        prefetch_lines_avx2(next, at + 320, at + 576);
        column_group_i4_avx2(panel, g + 1, x + SLM_PACKED_GROUP, acc);
    }
    if (pairs < groups) {
        prefetch_lines_avx2(next, at, at + 256);
        at += 256;
        column_group_i4_avx2(panel, pairs, x, acc);
    }
    prefetch_lines_avx2(next, at, at + 192); /* the end of the planes, the row factors */
    SLM_UNROLL_AVX2
    for (uint32_t h = 0; h < 2; h++) {
        const __m256 row = _mm256_loadu_ps((const float *)(const void *)panel->rows + (size_t)8 * h);
        _mm256_storeu_ps(y + (size_t)8 * h, _mm256_mul_ps(acc[h], row));
    }
}

/* `halves` x 8 rows from row 8 * half on, `count` columns from x on; halves * count <= TILE_I4_AVX2.
 * first: the panel's first tile, which fetches. */
SLM_INLINE_AVX2 void tile_i4_avx2(const struct panel_i4_avx2 *panel, uint32_t half, uint32_t halves, const uint8_t *x, uint32_t columns,
                                  uint32_t count, bool first, float *y, size_t y_stride)
{
    __m256 acc[TILE_I4_AVX2];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < halves * count; i++) {
        acc[i] = _mm256_setzero_ps();
    }
    for (uint32_t g = 0; g < panel->groups; g++, x += (size_t)columns * SLM_PACKED_GROUP) {
        __m256i sums[TILE_I4_AVX2];
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < halves * count; i++) {
            sums[i] = _mm256_setzero_si256();
        }
        if (first) {
            prefetch_i4_avx2(panel->quants, panel->groups, g);
        }
        dots_i4_avx2(panel->quants + (size_t)256 * g + (size_t)32 * half, x, columns, halves, count, sums);
        const uint8_t *x_scales = x + (size_t)columns * SLM_PACKED_SCALES, *x_sums = x + (size_t)columns * SLM_PACKED_SUMS;
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < halves * count; i++) {
            const size_t at = (size_t)16 * g + (size_t)8 * (half + i / count), c = i % count;
            const __m256i x_sum = broadcast_quad_avx2(x_sums + 4 * c);
            acc[i] = step_i4_avx2(panel->scales + at, panel->zeros + at, sums[i], x_sum, broadcast_f32_avx2(x_scales + 4 * c), acc[i]);
        }
    }
    SLM_UNROLL_AVX2
    for (uint32_t h = 0; h < halves; h++) {
        const __m256 row = _mm256_loadu_ps((const float *)(const void *)panel->rows + 8 * (half + h));
        SLM_UNROLL_AVX2
        for (uint32_t c = 0; c < count; c++) {
            _mm256_storeu_ps(y + c * y_stride + (size_t)8 * (half + h), _mm256_mul_ps(acc[h * count + c], row));
        }
    }
}

/* All columns of a panel, four at a time. `columns` is a constant of the caller, except in builds for size. */
SLM_INLINE_AVX2 void columns_i4_avx2(const struct panel_i4_avx2 *panel, const uint8_t *x, uint32_t columns, float *y, size_t y_stride)
{
    const uint32_t rest = columns % 4;
    for (uint32_t c = 0; c < columns - rest; c += 4) {
        tile_i4_avx2(panel, 0, 2, x + 4 * c, columns, 4, c == 0, y + c * y_stride, y_stride);
    }
    x += 4 * (columns - rest);
    y += (columns - rest) * y_stride;
    if (!SLM_SMALL && rest > 0) {
        tile_i4_avx2(panel, 0, 2, x, columns, rest, columns == rest, y, y_stride);
    }
    switch (SLM_SMALL ? rest : 0) {
    case 1: tile_i4_avx2(panel, 0, 2, x, columns, 1, columns == 1, y, y_stride); break;
    case 2: tile_i4_avx2(panel, 0, 2, x, columns, 2, columns == 2, y, y_stride); break;
    case 3: tile_i4_avx2(panel, 0, 2, x, columns, 3, columns == 3, y, y_stride); break;
    default: break;
    }
}

static void panel_i4_avx2(const struct panel_i4_avx2 *panel, const uint8_t *x, uint32_t columns, float *y, size_t y_stride)
{
    switch (SLM_SMALL ? 0 : columns) {
    case 1: column_i4_avx2(panel, panel->quants, x, y); break;
    case 2: columns_i4_avx2(panel, x, 2, y, y_stride); break;
    case 3: columns_i4_avx2(panel, x, 3, y, y_stride); break;
    case 4: columns_i4_avx2(panel, x, 4, y, y_stride); break;
    case 5: columns_i4_avx2(panel, x, 5, y, y_stride); break;
    case 6: columns_i4_avx2(panel, x, 6, y, y_stride); break;
    case 7: columns_i4_avx2(panel, x, 7, y, y_stride); break;
    default: columns_i4_avx2(panel, x, SLM_SMALL ? columns : 8, y, y_stride); break;
    }
}

static inline struct panel_i4_avx2 panel_at_i4_avx2(const struct slm_matrix *w, uint32_t p)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    const uint8_t *data = w->data + p * w->panel_bytes;
    return (struct panel_i4_avx2){data, data + slm__i4_scales_offset(groups), data + slm__i4_zeros_offset(groups),
                                  data + slm__i4_rows_offset(groups), groups};
}

static inline void matmul_i4_avx2(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed,
                                  uint32_t columns, float *y, size_t y_stride)
{
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const struct panel_i4_avx2 panel = panel_at_i4_avx2(w, p);
        panel_i4_avx2(&panel, packed, columns, y + (size_t)16 * p, y_stride);
    }
}

static inline void gemv_i4_avx2(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, float *y,
                                const void *ahead)
{
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const struct panel_i4_avx2 panel = panel_at_i4_avx2(w, p);
        const uint8_t *next = p + 1 < panel_end ? panel.quants + w->panel_bytes : ahead != NULL ? ahead : panel.quants;
        column_i4_avx2(&panel, next, packed, y + (size_t)16 * p);
    }
}

#endif
