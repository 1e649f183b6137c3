/* SPDX-License-Identifier: MIT */
/*
 * i4 weights x packed int8 activations. vpdpbusd multiplies 4 unsigned by 4 signed bytes and adds the exact sum to an int32; nibbles are
 * taken as 16 q by a mask, which is what the zero point in sixteenths wants. The zero point starts the sum: a madd of (zero, 0) and the
 * negated sum. Two registers of 8 rows a line, four columns at a time.
 */
#include "kernels/avx2/simd_avx2.h"          /* load_bytes_avx2, broadcast_quad_avx2, prefetch_avx2 */
#include "kernels/avxvnni/avxvnni_kernels.h" /* slm__matmul_i4_avxvnni */
#include <stdbool.h>

enum {
    TILE_I4_AVXVNNI = 8,  /* registers of sums in a tile: halves x columns at most */
    AHEAD_I4_AVXVNNI = 32 /* groups of the weight stream to fetch ahead: 8 KB; 2-16 KB measured, 20 -> 31 GB/s */
};

struct panel_i4_avxvnni {
    const uint8_t *quants, *scales, *zeros, *rows;
    uint32_t groups;
};

/* f32 bits = (u8 << 19) + (111 << 23), 8 rows */
SLM_INLINE_AVX2 __m256 scales_i4_avxvnni(const uint8_t *at)
{
    const __m256i bits = _mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)at)), 19);
    return _mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_set1_epi32(111 << 23)));
}

/* dots[h][c] += 16 q x of one group: `halves` x 8 rows, `count` columns of the `columns` in x. */
SLM_INLINE_AVX2 void dots_i4_avxvnni(const uint8_t *quants, const uint8_t *x, uint32_t columns, uint32_t halves, uint32_t count,
                                     __m256i dots[TILE_I4_AVXVNNI])
{
    const __m256i high_nibbles = _mm256_set1_epi8((char)0xf0);
    SLM_UNROLL_AVX2
    for (uint32_t j = 0; j < 4; j++) {
        __m256i line[2] = {load_bytes_avx2(quants + 64 * j), load_bytes_avx2(quants + 64 * j + 32 * (halves - 1))};
        const __m256i low[2] = {_mm256_and_si256(_mm256_slli_epi16(line[0], 4), high_nibbles),
                                _mm256_and_si256(_mm256_slli_epi16(line[1], 4), high_nibbles)};
        line[0] = _mm256_and_si256(line[0], high_nibbles);
        line[1] = _mm256_and_si256(line[1], high_nibbles);
        SLM_UNROLL_AVX2
        for (uint32_t c = 0; c < count; c++) {
            const __m256i first = broadcast_quad_avx2(x + (size_t)4 * (j * columns + c));
            const __m256i second = broadcast_quad_avx2(x + (size_t)4 * ((j + 4) * columns + c));
            SLM_UNROLL_AVX2
            for (uint32_t h = 0; h < halves; h++) {
                dots[h * count + c] = _mm256_dpbusd_avx_epi32(dots[h * count + c], low[h], first);
                dots[h * count + c] = _mm256_dpbusd_avx_epi32(dots[h * count + c], line[h], second);
            }
        }
    }
}

/* Up to 8 columns once are a matter of memory, and the hardware loses the streams at page borders: ask for group g + AHEAD, behind the end
 * of the panel for that of the next one. */
SLM_INLINE_AVX2 void prefetch_i4_avxvnni(const struct panel_i4_avxvnni *panel, uint32_t g)
{
    const uint32_t groups = panel->groups, ahead = groups < AHEAD_I4_AVXVNNI ? groups : AHEAD_I4_AVXVNNI;
    const uint8_t *from = g + ahead < groups ? panel->quants : panel->quants + slm__i4_panel_bytes(groups);
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

/* `halves` x 8 rows from row 8 * half on, `count` columns from x on; halves * count <= TILE_I4_AVXVNNI.
 * first: the panel's first tile, which fetches. */
SLM_INLINE_AVX2 void tile_i4_avxvnni(const struct panel_i4_avxvnni *panel, uint32_t half, uint32_t halves, const uint8_t *x,
                                     uint32_t columns, uint32_t count, bool first, float *y, size_t y_stride)
{
    __m256 acc[TILE_I4_AVXVNNI];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < halves * count; i++) {
        acc[i] = _mm256_setzero_ps();
    }
    for (uint32_t g = 0; g < panel->groups; g++, x += (size_t)columns * SLM_PACKED_GROUP) {
        const uint8_t *x_scales = x + (size_t)columns * SLM_PACKED_SCALES, *x_sums = x + (size_t)columns * SLM_PACKED_SUMS;
        __m256i dots[TILE_I4_AVXVNNI];
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < halves * count; i++) {
            const uint8_t *at = panel->zeros + (size_t)16 * g + (size_t)8 * (half + i / count);
            const __m256i zero = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)at));
            dots[i] = _mm256_madd_epi16(zero, broadcast_quad_avx2(x_sums + (size_t)4 * (i % count)));
        }
        if (first) {
            prefetch_i4_avxvnni(panel, g);
        }
        dots_i4_avxvnni(panel->quants + (size_t)256 * g + (size_t)32 * half, x, columns, halves, count, dots);
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < halves * count; i++) {
            const __m256 scale = scales_i4_avxvnni(panel->scales + (size_t)16 * g + (size_t)8 * (half + i / count));
            const __m256 factor = _mm256_mul_ps(scale, broadcast_f32_avx2(x_scales + (size_t)4 * (i % count)));
            acc[i] = _mm256_fmadd_ps(factor, _mm256_cvtepi32_ps(dots[i]), acc[i]);
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

/* All columns of a panel, four at a time. */
SLM_INLINE_AVX2 void columns_i4_avxvnni(const struct panel_i4_avxvnni *panel, const uint8_t *x, uint32_t columns, float *y, size_t y_stride)
{
    const uint32_t rest = columns % 4;
    for (uint32_t c = 0; c < columns - rest; c += 4) {
        tile_i4_avxvnni(panel, 0, 2, x + 4 * c, columns, 4, c == 0, y + c * y_stride, y_stride);
    }
    if (rest > 0) {
        tile_i4_avxvnni(panel, 0, 2, x + 4 * (columns - rest), columns, rest, columns == rest, y + (columns - rest) * y_stride, y_stride);
    }
}

static void panel_i4_avxvnni(const struct panel_i4_avxvnni *panel, const uint8_t *x, uint32_t columns, float *y, size_t y_stride)
{
    switch (columns) {
    case 1: columns_i4_avxvnni(panel, x, 1, y, y_stride); break;
    case 2: columns_i4_avxvnni(panel, x, 2, y, y_stride); break;
    case 3: columns_i4_avxvnni(panel, x, 3, y, y_stride); break;
    case 4: columns_i4_avxvnni(panel, x, 4, y, y_stride); break;
    case 5: columns_i4_avxvnni(panel, x, 5, y, y_stride); break;
    case 6: columns_i4_avxvnni(panel, x, 6, y, y_stride); break;
    case 7: columns_i4_avxvnni(panel, x, 7, y, y_stride); break;
    default: columns_i4_avxvnni(panel, x, 8, y, y_stride); break;
    }
}

void slm__matmul_i4_avxvnni(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                            float *y, size_t y_stride)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const uint8_t *data = w->data + p * w->panel_bytes;
        const struct panel_i4_avxvnni panel = {data, data + slm__i4_scales_offset(groups), data + slm__i4_zeros_offset(groups),
                                               data + slm__i4_rows_offset(groups), groups};
        panel_i4_avxvnni(&panel, packed, columns, y + (size_t)16 * p, y_stride);
    }
}
