/* SPDX-License-Identifier: MIT */
/*
 * i8 weights x packed int8 activations. vpdpbusd multiplies 4 unsigned by 4 signed bytes and adds the exact sum to an int32; weights become
 * unsigned as w + 128 (one xor), and 128 times the negated sum, from which the dot starts, takes the surplus away again: exact for
 * all codes. A tile is two panels x up to 4 columns: each activation is loaded once for both, so that the multipliers are the limit and
 * not the loads.
 */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__matmul_i8_avx512vnni */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* broadcast_quad_avx512vnni, prefetch_avx512vnni */

enum {
    TILE_I8_AVX512VNNI = 4,              /* columns of a tile at most */
    PAIR_I8_AVX512VNNI = 2 * (512 + 32), /* bytes of a group in a pair of panels, in all planes */
    CHUNK_I8_AVX512VNNI = 16 /* groups that all tiles take before the next ones: weights stay in the first-level cache for the second */
};

/* Two panels side by side; the second is the first again where a run ends with an odd one. */
struct pair_i8_avx512vnni {
    const uint8_t *panel;
    uint64_t step; /* bytes to the second panel */
    uint64_t next; /* bytes to the pair behind */
    uint32_t groups;
};

/* dots[h][c] += (q + 128) x of one group: both panels, `count` columns of the `columns` in x. */
SLM_INLINE_AVX512VNNI void dots_i8_avx512vnni(const uint8_t *quants, uint64_t step, const uint8_t *x, uint32_t columns, uint32_t count,
                                              __m512i dots[2][TILE_I8_AVX512VNNI])
{
    const __m512i offset = _mm512_set1_epi8((char)0x80);
    SLM_UNROLL_AVX512VNNI
    for (uint32_t j = 0; j < 8; j++) {
        const __m512i first = _mm512_xor_si512(_mm512_loadu_si512(quants + (size_t)64 * j), offset);
        const __m512i second = _mm512_xor_si512(_mm512_loadu_si512(quants + step + (size_t)64 * j), offset);
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < count; c++) {
            const __m512i quad = broadcast_quad_avx512vnni(x + (size_t)4 * (j * columns + c));
            dots[0][c] = hold_avx512vnni(_mm512_dpbusd_epi32(dots[0][c], first, quad));
            dots[1][c] = hold_avx512vnni(_mm512_dpbusd_epi32(dots[1][c], second, quad));
        }
    }
}

/* Ask for group g of one panel. */
SLM_INLINE_AVX512VNNI void prefetch_i8_avx512vnni(const uint8_t *panel, uint32_t groups, uint32_t g)
{
    SLM_UNROLL_AVX512VNNI
    for (uint32_t line = 0; line < 8; line++) {
        prefetch_avx512vnni(panel, (size_t)512 * g + (size_t)64 * line);
    }
    if (g % 2 == 0) {
        prefetch_avx512vnni(panel, slm__i8_scales_offset(groups) + (size_t)32 * g);
    }
}

/* Up to 8 columns are a matter of memory, and the hardware loses the streams at page borders. One tile asks for the pair behind, byte after
 * byte; of two, each for one panel: for the group a chunk ahead of g, behind the end for that of the next pair. */
SLM_INLINE_AVX512VNNI void fetch_ahead_i8_avx512vnni(const struct pair_i8_avx512vnni *pair, uint64_t panel, uint32_t g)
{
    const uint32_t groups = pair->groups, chunk = CHUNK_I8_AVX512VNNI, ahead = groups < chunk ? groups : chunk;
    const uint8_t *from = pair->panel + panel + (g + ahead < groups ? 0 : pair->next);
    prefetch_i8_avx512vnni(from, groups, g + ahead < groups ? g + ahead : g + ahead - groups);
}

/* 16 rows of f16 */
SLM_INLINE_AVX512VNNI __m512 scales_i8_avx512vnni(const uint8_t *at)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)at));
}

/* 2 x 16 rows, `count` columns from x on of `columns`, both constants of the caller; groups [begin, end), in order: what those before
 * came to is in y. */
SLM_INLINE_AVX512VNNI void tile_i8_avx512vnni(const struct pair_i8_avx512vnni *pair, uint32_t begin, uint32_t end, const uint8_t *x,
                                              uint32_t columns, uint32_t count, uint32_t tile, uint32_t tiles, float *y, size_t y_stride)
{
    const uint64_t step = pair->step;
    const uint8_t *quants = pair->panel, *scales = quants + slm__i8_scales_offset(pair->groups);
    float *second = y + (step == 0 ? 0 : 16);
    __m512 acc[2][TILE_I8_AVX512VNNI];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < count; c++) {
        acc[0][c] = begin == 0 ? _mm512_setzero_ps() : _mm512_loadu_ps(y + c * y_stride);
        acc[1][c] = begin == 0 ? _mm512_setzero_ps() : _mm512_loadu_ps(second + c * y_stride);
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < count; c++) { /* where results will go: a line of y is rarely at hand */
        prefetch_avx512vnni(y + c * y_stride, 0);
        prefetch_avx512vnni(second + c * y_stride, 0);
    }
    x += (size_t)begin * columns * SLM_PACKED_GROUP;
    for (uint32_t g = begin; g < end; g++, x += (size_t)columns * SLM_PACKED_GROUP) {
        __m512i dots[2][TILE_I8_AVX512VNNI];
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < count; c++) {
            dots[0][c] = _mm512_slli_epi32(broadcast_quad_avx512vnni(x + (size_t)columns * SLM_PACKED_SUMS + (size_t)4 * c), 7);
            dots[1][c] = dots[0][c];
        }
        if (tiles == 1) {
            prefetch_lines_avx512vnni(quants + pair->next, (size_t)PAIR_I8_AVX512VNNI * g, (size_t)PAIR_I8_AVX512VNNI * (g + 1));
        } else {
            fetch_ahead_i8_avx512vnni(pair, tile * step, g);
        }
        dots_i8_avx512vnni(quants + (size_t)512 * g, step, x, columns, count, dots);
        const __m512 scale[2] = {scales_i8_avx512vnni(scales + (size_t)32 * g), scales_i8_avx512vnni(scales + step + (size_t)32 * g)};
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < count; c++) {
            const __m512 x_scale = broadcast_f32_avx512vnni(x + (size_t)columns * SLM_PACKED_SCALES + (size_t)4 * c);
            acc[0][c] = _mm512_fmadd_ps(_mm512_mul_ps(scale[0], x_scale), _mm512_cvtepi32_ps(dots[0][c]), acc[0][c]);
            acc[1][c] = _mm512_fmadd_ps(_mm512_mul_ps(scale[1], x_scale), _mm512_cvtepi32_ps(dots[1][c]), acc[1][c]);
        }
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < count; c++) {
        _mm512_storeu_ps(y + c * y_stride, acc[0][c]);
        _mm512_storeu_ps(second + c * y_stride, acc[1][c]);
    }
}

/* All columns of a pair of panels, four at a time. */
SLM_INLINE_AVX512VNNI void columns_i8_avx512vnni(const struct pair_i8_avx512vnni *pair, const uint8_t *x, uint32_t columns, float *y,
                                                 size_t y_stride)
{
    const uint32_t rest = columns % TILE_I8_AVX512VNNI, whole = columns - rest;
    const uint32_t tiles = (columns + TILE_I8_AVX512VNNI - 1) / TILE_I8_AVX512VNNI;
    const uint32_t chunk = tiles == 1 ? pair->groups : CHUNK_I8_AVX512VNNI;
    for (uint32_t begin = 0; begin < pair->groups; begin += chunk) {
        const uint32_t end = pair->groups - begin < chunk ? pair->groups : begin + chunk;
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < whole; c += TILE_I8_AVX512VNNI) {
            tile_i8_avx512vnni(pair, begin, end, x + (size_t)4 * c, columns, TILE_I8_AVX512VNNI, c > 0, tiles, y + c * y_stride, y_stride);
        }
        if (rest > 0) {
            tile_i8_avx512vnni(pair, begin, end, x + (size_t)4 * whole, columns, rest, whole > 0, tiles, y + whole * y_stride, y_stride);
        }
    }
}

static void panels_i8_avx512vnni(const struct pair_i8_avx512vnni *pair, const uint8_t *x, uint32_t columns, float *y, size_t y_stride)
{
    switch (columns) {
    case 1: columns_i8_avx512vnni(pair, x, 1, y, y_stride); break;
    case 2: columns_i8_avx512vnni(pair, x, 2, y, y_stride); break;
    case 3: columns_i8_avx512vnni(pair, x, 3, y, y_stride); break;
    case 4: columns_i8_avx512vnni(pair, x, 4, y, y_stride); break;
    case 5: columns_i8_avx512vnni(pair, x, 5, y, y_stride); break;
    case 6: columns_i8_avx512vnni(pair, x, 6, y, y_stride); break;
    case 7: columns_i8_avx512vnni(pair, x, 7, y, y_stride); break;
    default: columns_i8_avx512vnni(pair, x, 8, y, y_stride); break;
    }
}

void slm__matmul_i8_avx512vnni(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                               float *y, size_t y_stride)
{
    struct pair_i8_avx512vnni pair = {NULL, w->panel_bytes, 2 * w->panel_bytes, slm__padded_cols(w->cols) / SLM_GROUP};
    for (uint32_t p = panel_begin; p < panel_end; p += 2) {
        pair.panel = w->data + p * w->panel_bytes;
        pair.step = panel_end - p == 1 ? 0 : w->panel_bytes;
        panels_i8_avx512vnni(&pair, packed, columns, y + (size_t)16 * p, y_stride);
    }
}
