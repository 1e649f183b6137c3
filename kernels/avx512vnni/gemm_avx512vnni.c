/* SPDX-License-Identifier: MIT */
/*
 * i4 and i8 weights x many columns of packed activations. Two panels are unpacked to unsigned bytes and f32 scales, some groups at a time,
 * into a buffer that stays in the first-level cache while all blocks of 8 columns pass over it: what unpacking costs is shared by all
 * columns, and the loop is the same for both types. Codes are stored as code + 128, and 128 times the negated sum, from which a dot
 * starts, takes the surplus away again.
 *
 * i4: 16 q - zero is twice the signed byte 8 q - zero / 2 where the zero is even, as this library's encoder makes them, so no product with
 * the zero is left: the scale is doubled instead, which changes no bits (packed scales are 0 or at least 2^-107, weights' at least 2^-16:
 * their product is no subnormal number). Where some zero of a pair is odd, as other formats have them, the dots are doubled, and the sum of
 * the activations is added where half a zero was rounded up.
 */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__gemm_quants_avx512vnni */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* broadcast_quad_avx512vnni, widen_bytes_avx512vnni, hold_avx512vnni */
#include <stdbool.h>

enum {
    TILE_GEMM_AVX512VNNI = 4,  /* columns of a tile; the other 4 of a block are the next */
    CHUNK_GEMM_AVX512VNNI = 16 /* groups in the buffer: 19 KB; 8 and 32 are as fast */
};

/* One group of a pair: line j of the first panel, of the second, line j + 1 ...; then the scales of both, and which zeros are odd. */
struct group_gemm_avx512vnni {
    _Alignas(64) uint8_t codes[8][2][64];
    float scales[2][16];
    __mmask16 odd[2];
};

/* Where a pair of panels is and what it is; the second is the first again where a run ends with an odd one. */
struct pair_gemm_avx512vnni {
    const uint8_t *panels[2];
    const float *rows[2]; /* factors of i4 rows; NULL for i8 */
    uint64_t next;        /* bytes to the pair behind */
    uint32_t groups;
    bool i4, odd; /* odd: some zero of i4 is */
};

static void unpack_i4_avx512vnni(const struct pair_gemm_avx512vnni *pair, uint32_t g, uint32_t h, struct group_gemm_avx512vnni *out)
{
    const __m512i four_times =
        _mm512_setr_epi32(0x00000000, 0x01010101, 0x02020202, 0x03030303, 0x04040404, 0x05050505, 0x06060606, 0x07070707, 0x08080808,
                          0x09090909, 0x0a0a0a0a, 0x0b0b0b0b, 0x0c0c0c0c, 0x0d0d0d0d, 0x0e0e0e0e, 0x0f0f0f0f);
    const __m512i eight_q = _mm512_set1_epi8(0x78);
    const uint8_t *quants = pair->panels[h] + (size_t)256 * g, *scales = pair->panels[h] + slm__i4_scales_offset(pair->groups);
    const uint8_t *zeros = pair->panels[h] + slm__i4_zeros_offset(pair->groups) + (size_t)16 * g;
    const __m128i zero = _mm_loadu_si128((const __m128i *)(const void *)zeros);
    const __m512i half = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_avg_epu8(zero, _mm_setzero_si128())), four_times); /* rounded up */
    const __m512i offset = _mm512_sub_epi8(_mm512_set1_epi8((char)128), half);
    SLM_UNROLL_AVX512VNNI
    for (uint32_t j = 0; j < 4; j++) {
        const __m512i line = _mm512_loadu_si512(quants + (size_t)64 * j);
        const __m512i low = _mm512_and_si512(_mm512_slli_epi16(line, 3), eight_q),
                      high = _mm512_and_si512(_mm512_srli_epi16(line, 1), eight_q);
        _mm512_store_si512(out->codes[j][h], _mm512_add_epi8(low, offset));
        _mm512_store_si512(out->codes[j + 4][h], _mm512_add_epi8(high, offset));
    }
    const __m512i bits = _mm512_slli_epi32(widen_bytes_avx512vnni(scales + (size_t)16 * g), 19);
    _mm512_store_si512(out->scales[h], _mm512_add_epi32(bits, _mm512_set1_epi32((pair->odd ? 111 : 112) << 23)));
    out->odd[h] = _mm_test_epi8_mask(zero, _mm_set1_epi8(1));
}

static void unpack_i8_avx512vnni(const struct pair_gemm_avx512vnni *pair, uint32_t g, uint32_t h, struct group_gemm_avx512vnni *out)
{
    const uint8_t *quants = pair->panels[h] + (size_t)512 * g;
    const uint8_t *scales = pair->panels[h] + slm__i8_scales_offset(pair->groups) + (size_t)32 * g;
    SLM_UNROLL_AVX512VNNI
    for (uint32_t j = 0; j < 8; j++) {
        _mm512_store_si512(out->codes[j][h], _mm512_xor_si512(_mm512_loadu_si512(quants + (size_t)64 * j), _mm512_set1_epi8((char)128)));
    }
    _mm512_store_ps(out->scales[h], _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)scales)));
}

static void unpack_avx512vnni(const struct pair_gemm_avx512vnni *pair, uint32_t begin, uint32_t end, struct group_gemm_avx512vnni *out)
{
    for (uint32_t g = begin; g < end; g++) {
        for (uint32_t h = 0; h < 2; h++) {
            if (pair->i4) {
                unpack_i4_avx512vnni(pair, g, h, out + (g - begin));
            } else {
                unpack_i8_avx512vnni(pair, g, h, out + (g - begin));
            }
        }
    }
}

/* 2 x 16 rows, 4 columns from x on of a block of 8; `count` groups, in order. Sums continue those in y, except the first. `rows`: what
 * the whole sums of i4 are multiplied by, or NULL. */
SLM_INLINE_AVX512VNNI void tile_gemm_avx512vnni(bool odd, const struct group_gemm_avx512vnni *group, uint32_t count, bool first,
                                                const float *const *rows, const uint8_t *x, float *const y[2], size_t y_stride)
{
    __m512 acc[2][TILE_GEMM_AVX512VNNI];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < TILE_GEMM_AVX512VNNI; c++) {
        acc[0][c] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(y[0] + c * y_stride);
        acc[1][c] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(y[1] + c * y_stride);
    }
    for (uint32_t g = 0; g < count; g++, group++, x += (size_t)SLM_COLUMNS * SLM_PACKED_GROUP) {
        __m512i dots[2][TILE_GEMM_AVX512VNNI];
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < TILE_GEMM_AVX512VNNI; c++) {
            dots[0][c] = _mm512_slli_epi32(broadcast_quad_avx512vnni(x + (size_t)SLM_COLUMNS * SLM_PACKED_SUMS + (size_t)4 * c), 7);
            dots[1][c] = dots[0][c];
        }
        SLM_UNROLL_AVX512VNNI
        for (uint32_t j = 0; j < 8; j++) {
            const __m512i code[2] = {_mm512_load_si512(group->codes[j][0]), _mm512_load_si512(group->codes[j][1])};
            SLM_UNROLL_AVX512VNNI
            for (uint32_t c = 0; c < TILE_GEMM_AVX512VNNI; c++) {
                const __m512i quad = broadcast_quad_avx512vnni(x + (size_t)4 * (SLM_COLUMNS * j + c));
                dots[0][c] = hold_avx512vnni(_mm512_dpbusd_epi32(dots[0][c], code[0], quad));
                dots[1][c] = hold_avx512vnni(_mm512_dpbusd_epi32(dots[1][c], code[1], quad));
            }
        }
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < TILE_GEMM_AVX512VNNI && odd; c++) {
            const __m512i sum = broadcast_quad_avx512vnni(x + (size_t)SLM_COLUMNS * SLM_PACKED_SUMS + (size_t)4 * c);
            dots[0][c] = _mm512_slli_epi32(dots[0][c], 1);
            dots[1][c] = _mm512_slli_epi32(dots[1][c], 1);
            dots[0][c] = _mm512_mask_sub_epi32(dots[0][c], group->odd[0], dots[0][c], sum);
            dots[1][c] = _mm512_mask_sub_epi32(dots[1][c], group->odd[1], dots[1][c], sum);
        }
        const __m512 scale[2] = {_mm512_load_ps(group->scales[0]), _mm512_load_ps(group->scales[1])};
        SLM_UNROLL_AVX512VNNI
        for (uint32_t c = 0; c < TILE_GEMM_AVX512VNNI; c++) {
            const __m512 x_scale = broadcast_f32_avx512vnni(x + (size_t)SLM_COLUMNS * SLM_PACKED_SCALES + (size_t)4 * c);
            acc[0][c] = _mm512_fmadd_ps(_mm512_mul_ps(scale[0], x_scale), _mm512_cvtepi32_ps(dots[0][c]), acc[0][c]);
            acc[1][c] = _mm512_fmadd_ps(_mm512_mul_ps(scale[1], x_scale), _mm512_cvtepi32_ps(dots[1][c]), acc[1][c]);
        }
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < TILE_GEMM_AVX512VNNI && rows != NULL; c++) {
        acc[0][c] = _mm512_mul_ps(acc[0][c], _mm512_loadu_ps(rows[0]));
        acc[1][c] = _mm512_mul_ps(acc[1][c], _mm512_loadu_ps(rows[1]));
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t c = 0; c < TILE_GEMM_AVX512VNNI; c++) {
        _mm512_storeu_ps(y[0] + c * y_stride, acc[0][c]);
        _mm512_storeu_ps(y[1] + c * y_stride, acc[1][c]);
    }
}

/* Ask for the codes of the next groups, from `begin` on or of the pair behind, some lines with each block: they have the time of a whole
 * pass to come. */
static void fetch_next_avx512vnni(const struct pair_gemm_avx512vnni *pair, uint32_t begin, uint32_t block, uint32_t blocks)
{
    const uint64_t group = pair->i4 ? 256 : 512, from = begin < pair->groups ? group * begin : pair->next;
    for (uint64_t at = (uint64_t)64 * block; at < group * CHUNK_GEMM_AVX512VNNI; at += (uint64_t)64 * blocks) {
        prefetch_avx512vnni(pair->panels[0], from + at);
        prefetch_avx512vnni(pair->panels[1], from + at);
    }
}

static void pair_gemm_avx512vnni(const struct pair_gemm_avx512vnni *pair, const uint8_t *packed, uint32_t columns, float *const y[2],
                                 size_t y_stride)
{
    struct group_gemm_avx512vnni buffer[CHUNK_GEMM_AVX512VNNI];
    const uint32_t blocks = columns / SLM_COLUMNS;
    const size_t block_bytes = (size_t)pair->groups * SLM_COLUMNS * SLM_PACKED_GROUP;
    for (uint32_t begin = 0; begin < pair->groups; begin += CHUNK_GEMM_AVX512VNNI) {
        const uint32_t left = pair->groups - begin, count = left < CHUNK_GEMM_AVX512VNNI ? left : CHUNK_GEMM_AVX512VNNI;
        unpack_avx512vnni(pair, begin, begin + count, buffer);
        for (uint32_t block = 0; block < blocks; block++) {
            const uint8_t *x = packed + block * block_bytes + (size_t)begin * SLM_COLUMNS * SLM_PACKED_GROUP;
            fetch_next_avx512vnni(pair, begin + CHUNK_GEMM_AVX512VNNI, block, blocks);
            SLM_UNROLL_AVX512VNNI
            for (uint32_t c = 0; c < SLM_COLUMNS; c += TILE_GEMM_AVX512VNNI) {
                const size_t at = ((size_t)SLM_COLUMNS * block + c) * y_stride;
                float *const to[2] = {y[0] + at, y[1] + at};
                const float *const *rows = pair->i4 && count == left ? pair->rows : NULL;
                if (pair->odd) {
                    tile_gemm_avx512vnni(true, buffer, count, begin == 0, rows, x + (size_t)4 * c, to, y_stride);
                } else {
                    tile_gemm_avx512vnni(false, buffer, count, begin == 0, rows, x + (size_t)4 * c, to, y_stride);
                }
            }
        }
    }
}

static bool has_odd_zero_avx512vnni(const uint8_t *panel, uint32_t groups)
{
    const uint8_t *zeros = panel + slm__i4_zeros_offset(groups);
    __m512i all = _mm512_setzero_si512();
    for (uint32_t g = 0; g < groups; g++) {
        all = _mm512_or_si512(all, widen_bytes_avx512vnni(zeros + (size_t)16 * g));
    }
    return _mm512_test_epi32_mask(all, _mm512_set1_epi32(1)) != 0;
}

void slm__gemm_quants_avx512vnni(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                                 float *y, size_t y_stride)
{
    struct pair_gemm_avx512vnni pair = {
        .next = 2 * w->panel_bytes, .groups = slm__padded_cols(w->cols) / SLM_GROUP, .i4 = w->type == SLM_WEIGHT_I4};
    for (uint32_t p = panel_begin; p < panel_end; p += 2) {
        const uint32_t second = panel_end - p == 1 ? p : p + 1;
        float *const to[2] = {y + (size_t)16 * p, y + (size_t)16 * second};
        pair.panels[0] = w->data + p * w->panel_bytes;
        pair.panels[1] = w->data + second * w->panel_bytes;
        pair.odd =
            pair.i4 && (has_odd_zero_avx512vnni(pair.panels[0], pair.groups) || has_odd_zero_avx512vnni(pair.panels[1], pair.groups));
        for (uint32_t h = 0; pair.i4 && h < 2; h++) {
            pair.rows[h] = (const float *)(const void *)(pair.panels[h] + slm__i4_rows_offset(pair.groups));
        }
        pair_gemm_avx512vnni(&pair, packed, columns, to, y_stride);
    }
}
