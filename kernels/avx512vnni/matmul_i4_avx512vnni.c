/* SPDX-License-Identifier: MIT */
/*
 * i4 weights x packed int8 activations. vpdpbusd multiplies 4 unsigned by 4 signed bytes and adds the exact sum to an int32; nibbles are
 * taken as 16 q by a mask, which is what the zero point in sixteenths wants. The zero point starts the sum: vpmaddwd of (zero, 0) and the
 * negated sum. A tile is two panels x up to 4 columns: each activation is loaded once for both, so that the multipliers are the limit and
 * not the loads.
 */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__matmul_i4_avx512vnni */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* broadcast_quad_avx512vnni, widen_bytes_avx512vnni, prefetch_avx512vnni */

enum {
    TILE_I4_AVX512VNNI = 4,                   /* columns of a tile at most */
    PAIR_I4_AVX512VNNI = 2 * (256 + 16 + 16), /* bytes of a group in a pair of panels, in all planes */
    CHUNK_I4_AVX512VNNI = 32 /* groups that all tiles take before the next ones: weights stay in the first-level cache for the second */
};

/* Two panels side by side; the second is the first again where a run ends with an odd one. */
struct pair_i4_avx512vnni {
    const uint8_t *panel;
    uint64_t step; /* bytes to the second panel */
    uint64_t next; /* bytes to the pair behind */
    uint32_t groups;
};

/* dots[h][c] += 16 q x of one group: both panels, `count` columns of the `columns` in x. */
SLM_INLINE_AVX512VNNI void dots_i4_avx512vnni(const uint8_t *quants, uint64_t step, const uint8_t *x, uint32_t columns, uint32_t count,
                                              __m512i dots[2][TILE_I4_AVX512VNNI])
{
    const __m512i high_nibbles = _mm512_set1_epi8((char)0xf0);
    SLM_UNROLL_AVX512VNNI
    for (uint32_t j = 0; j < 4; j++) {
        const __m512i line[2] = {_mm512_loadu_si512(quants + (size_t)64 * j), _mm512_loadu_si512(quants + step + (size_t)64 * j)};
        __m512i q[2] = {_mm512_and_si512(_mm512_slli_epi16(line[0], 4), high_nibbles),
                        _mm512_and_si512(_mm512_slli_epi16(line[1], 4), high_nibbles)};
        SLM_UNROLL_AVX512VNNI
        for (uint32_t nibble = 0; nibble < 2; nibble++) {
            SLM_UNROLL_AVX512VNNI
            for (uint32_t c = 0; c < count; c++) {
                const __m512i quad = broadcast_quad_avx512vnni(x + (size_t)4 * ((j + 4 * nibble) * columns + c));
                dots[0][c] = hold_avx512vnni(_mm512_dpbusd_epi32(dots[0][c], q[0], quad));
                dots[1][c] = hold_avx512vnni(_mm512_dpbusd_epi32(dots[1][c], q[1], quad));
            }
            q[0] = _mm512_and_si512(line[0], high_nibbles);
            q[1] = _mm512_and_si512(line[1], high_nibbles);
        }
    }
}

/* Ask for group g of one panel. */
SLM_INLINE_AVX512VNNI void prefetch_i4_avx512vnni(const uint8_t *panel, uint32_t groups, uint32_t g)
{
    SLM_UNROLL_AVX512VNNI
    for (uint32_t line = 0; line < 4; line++) {
        prefetch_avx512vnni(panel, (size_t)256 * g + (size_t)64 * line);
    }
    if (g % 4 == 0) {
        prefetch_avx512vnni(panel, slm__i4_scales_offset(groups) + (size_t)16 * g);
        prefetch_avx512vnni(panel, slm__i4_zeros_offset(groups) + (size_t)16 * g);
    }
}

/* Up to 8 columns are a matter of memory, and the hardware loses the streams at page borders. One tile asks for the pair behind, byte after
 * byte; of two, each for one panel: for the group a chunk ahead of g, behind the end for that of the next pair. */
SLM_INLINE_AVX512VNNI void fetch_ahead_i4_avx512vnni(const struct pair_i4_avx512vnni *pair, uint64_t panel, uint32_t g)
{
    const uint32_t groups = pair->groups, chunk = CHUNK_I4_AVX512VNNI, ahead = groups < chunk ? groups : chunk;
    const uint8_t *from = pair->panel + panel + (g + ahead < groups ? 0 : pair->next);
    prefetch_i4_avx512vnni(from, groups, g + ahead < groups ? g + ahead : g + ahead - groups);
}

/* f32 bits = (u8 << 19) + (111 << 23), 16 rows */
SLM_INLINE_AVX512VNNI __m512 scales_i4_avx512vnni(const uint8_t *at)
{
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32(widen_bytes_avx512vnni(at), 19), _mm512_set1_epi32(111 << 23)));
}

/* 2 x 16 rows, `count` columns from x on of `columns`, both constants of the caller; groups [begin, end), in order: what those before
 * came to is in y. */
SLM_INLINE_AVX512VNNI void tile_i4_avx512vnni(const struct pair_i4_avx512vnni *pair, uint32_t begin, uint32_t end, const uint8_t *x,
                                              uint32_t columns, uint32_t count, uint32_t tile, uint32_t tiles, float *y, size_t y_stride)
{
    const uint64_t step = pair->step;
    const uint8_t *quants = pair->panel, *scales = quants + slm__i4_scales_offset(pair->groups);
    const uint8_t *zeros = quants + slm__i4_zeros_offset(pair->groups), *rows = quants + slm__i4_rows_offset(pair->groups);
    float *second = y + (step == 0 ? 0 : 16);
    __m512 acc[2][TILE_I4_AVX512VNNI];
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
        const __m512i zero[2] = {widen_bytes_avx512vnni(zeros + (size_t)16 * g), widen_bytes_avx512vnni(zeros + step + (size_t)16 * g)};
        __m512i dots[2][TILE_I4_AVX512VNNI];
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < count; c++) {
            const __m512i sum = broadcast_quad_avx512vnni(x + (size_t)columns * SLM_PACKED_SUMS + (size_t)4 * c);
            dots[0][c] = _mm512_madd_epi16(zero[0], sum);
            dots[1][c] = _mm512_madd_epi16(zero[1], sum);
        }
        if (tiles == 1) {
            prefetch_lines_avx512vnni(quants + pair->next, (size_t)PAIR_I4_AVX512VNNI * g, (size_t)PAIR_I4_AVX512VNNI * (g + 1));
        } else {
            fetch_ahead_i4_avx512vnni(pair, tile * step, g);
        }
        dots_i4_avx512vnni(quants + (size_t)256 * g, step, x, columns, count, dots);
        const __m512 scale[2] = {scales_i4_avx512vnni(scales + (size_t)16 * g), scales_i4_avx512vnni(scales + step + (size_t)16 * g)};
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < count; c++) {
            const __m512 x_scale = broadcast_f32_avx512vnni(x + (size_t)columns * SLM_PACKED_SCALES + (size_t)4 * c);
            acc[0][c] = _mm512_fmadd_ps(_mm512_mul_ps(scale[0], x_scale), _mm512_cvtepi32_ps(dots[0][c]), acc[0][c]);
            acc[1][c] = _mm512_fmadd_ps(_mm512_mul_ps(scale[1], x_scale), _mm512_cvtepi32_ps(dots[1][c]), acc[1][c]);
        }
    }
    const __m512 one = _mm512_set1_ps(1.0f),
                 row[2] = {end < pair->groups ? one : _mm512_loadu_ps(rows), end < pair->groups ? one : _mm512_loadu_ps(rows + step)};
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < count; c++) {
        _mm512_storeu_ps(y + c * y_stride, _mm512_mul_ps(acc[0][c], row[0]));
        _mm512_storeu_ps(second + c * y_stride, _mm512_mul_ps(acc[1][c], row[1]));
    }
}

/* All columns of a pair of panels, four at a time. */
SLM_INLINE_AVX512VNNI void columns_i4_avx512vnni(const struct pair_i4_avx512vnni *pair, const uint8_t *x, uint32_t columns, float *y,
                                                 size_t y_stride)
{
    const uint32_t rest = columns % TILE_I4_AVX512VNNI, whole = columns - rest;
    const uint32_t tiles = (columns + TILE_I4_AVX512VNNI - 1) / TILE_I4_AVX512VNNI;
    const uint32_t chunk = tiles == 1 ? pair->groups : CHUNK_I4_AVX512VNNI;
    for (uint32_t begin = 0; begin < pair->groups; begin += chunk) {
        const uint32_t end = pair->groups - begin < chunk ? pair->groups : begin + chunk;
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < whole; c += TILE_I4_AVX512VNNI) {
            tile_i4_avx512vnni(pair, begin, end, x + (size_t)4 * c, columns, TILE_I4_AVX512VNNI, c > 0, tiles, y + c * y_stride, y_stride);
        }
        if (rest > 0) {
            tile_i4_avx512vnni(pair, begin, end, x + (size_t)4 * whole, columns, rest, whole > 0, tiles, y + whole * y_stride, y_stride);
        }
    }
}

static void panels_i4_avx512vnni(const struct pair_i4_avx512vnni *pair, const uint8_t *x, uint32_t columns, float *y, size_t y_stride)
{
    switch (columns) {
    case 1: columns_i4_avx512vnni(pair, x, 1, y, y_stride); break;
    case 2: columns_i4_avx512vnni(pair, x, 2, y, y_stride); break;
    case 3: columns_i4_avx512vnni(pair, x, 3, y, y_stride); break;
    case 4: columns_i4_avx512vnni(pair, x, 4, y, y_stride); break;
    case 5: columns_i4_avx512vnni(pair, x, 5, y, y_stride); break;
    case 6: columns_i4_avx512vnni(pair, x, 6, y, y_stride); break;
    case 7: columns_i4_avx512vnni(pair, x, 7, y, y_stride); break;
    default: columns_i4_avx512vnni(pair, x, 8, y, y_stride); break;
    }
}

void slm__matmul_i4_avx512vnni(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                               float *y, size_t y_stride)
{
    struct pair_i4_avx512vnni pair = {NULL, w->panel_bytes, 2 * w->panel_bytes, slm__padded_cols(w->cols) / SLM_GROUP};
    for (uint32_t p = panel_begin; p < panel_end; p += 2) {
        pair.panel = w->data + p * w->panel_bytes;
        pair.step = panel_end - p == 1 ? 0 : w->panel_bytes;
        panels_i4_avx512vnni(&pair, packed, columns, y + (size_t)16 * p, y_stride);
    }
}
