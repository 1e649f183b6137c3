/* SPDX-License-Identifier: MIT */
/*
 * Activations to int8 per group of 32, into the columns-side-by-side order that matmul reads. Eight groups at a time, of eight columns or
 * of fewer and their next groups, share the search for the largest value, the divisions and the sums: one alone is a long chain.
 */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__pack_quants_avx512vnni */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* SLM_UNROLL_AVX512VNNI */
#include <string.h>

/* Lane i: the largest of the 16 integers of v[i]. */
SLM_INLINE_AVX512VNNI __m256i maxima_of_8_avx512vnni(const __m512i v[8])
{
    __m512i four[2];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < 2; i++) {
        const __m512i *of = v + (size_t)4 * i;
        const __m512i a = _mm512_max_epi32(_mm512_unpacklo_epi32(of[0], of[1]), _mm512_unpackhi_epi32(of[0], of[1]));
        const __m512i b = _mm512_max_epi32(_mm512_unpacklo_epi32(of[2], of[3]), _mm512_unpackhi_epi32(of[2], of[3]));
        four[i] = _mm512_max_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b)); /* 0 1 2 3 in each block of 4 lanes */
    }
    const __m512i even = _mm512_shuffle_i32x4(four[0], four[1], 0x88), odd = _mm512_shuffle_i32x4(four[0], four[1], 0xdd);
    const __m512i two = _mm512_max_epi32(even, odd); /* blocks: 0-3, 0-3, 4-7, 4-7 */
    const __m512i low = _mm512_shuffle_i32x4(two, two, 0x08), high = _mm512_shuffle_i32x4(two, two, 0x0d);
    return _mm512_castsi512_si256(_mm512_max_epi32(low, high));
}

/* Scales of eight groups, and their codes as int16: of each block of 4 in the first half of a group, then of its second half. No product
 * can round to more than 127: |x| <= amax. */
SLM_INLINE_AVX512VNNI __m256 quantize_eight_avx512vnni(const float *const x[8], __m512i words[8])
{
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    const __m256 most = _mm256_set1_ps(127.0f), nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
    float inverses[8];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < 8; i++) {
        const __m512i first = _mm512_and_si512(_mm512_loadu_si512(x[i]), magnitude);
        words[i] = _mm512_max_epi32(first, _mm512_and_si512(_mm512_loadu_si512(x[i] + 16), magnitude));
    }
    const __m256i amax_bits = maxima_of_8_avx512vnni(words);
    const __m256 amax = _mm256_castsi256_ps(amax_bits);
    const __mmask8 finite = _mm256_cmplt_epi32_mask(amax_bits, _mm256_set1_epi32(0x7f800000));
    const __mmask8 usable = finite & _mm256_cmp_ps_mask(amax, _mm256_set1_ps(0x1p-100f), _CMP_GE_OQ);
    _mm256_storeu_ps(inverses, _mm256_div_ps(most, amax));
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < 8; i++) {
        const __mmask16 some = (usable >> i & 1) != 0 ? 0xffff : 0;
        const __m512 inverse = _mm512_set1_ps(inverses[i]);
        words[i] = _mm512_packs_epi32(_mm512_maskz_cvtps_epi32(some, _mm512_mul_ps(_mm512_loadu_ps(x[i]), inverse)),
                                      _mm512_maskz_cvtps_epi32(some, _mm512_mul_ps(_mm512_loadu_ps(x[i] + 16), inverse)));
    }
    return _mm256_mask_mov_ps(nan, finite, _mm256_maskz_div_ps(usable, amax, most));
}

/* quads[j]: codes 8j .. 8j+3 of all eight groups, then 8j+4 .. 8j+7. */
SLM_INLINE_AVX512VNNI void transpose_avx512vnni(const __m512i words[8], __m512i quads[4])
{
    const __m512i low = _mm512_setr_epi32(0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(1));
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
    __m512i four[2][2]; /* [half of the groups][half of the codes]: blocks of one quad of four groups */
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < 2; i++) {
        const __m512i a = _mm512_packs_epi16(words[4 * i], words[4 * i + 1]), b = _mm512_packs_epi16(words[4 * i + 2], words[4 * i + 3]);
        four[i][0] = _mm512_permutex2var_epi32(a, low, b);
        four[i][1] = _mm512_permutex2var_epi32(a, high, b);
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < 2; i++) {
        quads[2 * i] = _mm512_permutex2var_epi32(four[0][i], first, four[1][i]);
        quads[2 * i + 1] = _mm512_permutex2var_epi32(four[0][i], second, four[1][i]);
    }
}

/* Minus the sums of the eight groups. */
SLM_INLINE_AVX512VNNI __m256i negated_sums_avx512vnni(const __m512i quads[4])
{
    __m512i sums = _mm512_setzero_si512();
    SLM_UNROLL_AVX512VNNI
    for (uint32_t j = 0; j < 4; j++) {
        sums = _mm512_dpbusd_epi32(sums, _mm512_set1_epi8(1), quads[j]);
    }
    const __m256i sum = _mm256_add_epi32(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1));
    return _mm256_sub_epi32(_mm256_setzero_si256(), sum);
}

/* The same group of eight columns. */
static void pack_columns_avx512vnni(const float *const x[8], uint8_t *group)
{
    __m512i words[8], quads[4];
    const __m256 scales = quantize_eight_avx512vnni(x, words);
    transpose_avx512vnni(words, quads);
    SLM_UNROLL_AVX512VNNI
    for (uint32_t j = 0; j < 4; j++) {
        _mm512_storeu_si512(group + (size_t)64 * j, quads[j]);
    }
    _mm256_storeu_ps((float *)(void *)(group + (size_t)8 * SLM_PACKED_SCALES), scales);
    _mm256_storeu_si256((__m256i *)(void *)(group + (size_t)8 * SLM_PACKED_SUMS), negated_sums_avx512vnni(quads));
}

/* One group of one column on its way through pack_some. */
struct place_avx512vnni {
    uint32_t group, column;
};

static void step_avx512vnni(struct place_avx512vnni *place, uint32_t columns)
{
    place->column++;
    if (place->column == columns) {
        *place = (struct place_avx512vnni){place->group + 1, 0};
    }
}

/* Eight groups, of which `count` are wanted, the first for `place`; columns, then groups. */
static void pack_some_avx512vnni(const float *const x[8], struct place_avx512vnni place, uint32_t count, uint32_t columns, uint8_t *packed)
{
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
    __m512i words[8], quads[4];
    float scales[8];
    int32_t sums[8];
    uint8_t codes[8][SLM_GROUP];
    _mm256_storeu_ps(scales, quantize_eight_avx512vnni(x, words));
    transpose_avx512vnni(words, quads);
    _mm256_storeu_si256((__m256i *)(void *)sums, negated_sums_avx512vnni(quads));
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < 8; i++) {
        _mm256_storeu_si256((__m256i *)(void *)codes[i], _mm256_permutevar8x32_epi32(_mm512_cvtepi16_epi8(words[i]), order));
    }
    for (uint32_t i = 0; i < count; i++, step_avx512vnni(&place, columns)) {
        uint8_t *at = packed + (size_t)place.group * columns * SLM_PACKED_GROUP + (size_t)4 * place.column;
        for (uint32_t j = 0; j < SLM_GROUP / 4; j++) {
            memcpy(at + (size_t)4 * j * columns, codes[i] + (size_t)4 * j, 4);
        }
        memcpy(at + (size_t)columns * SLM_PACKED_SCALES, &scales[i], 4);
        memcpy(at + (size_t)columns * SLM_PACKED_SUMS, &sums[i], 4);
    }
}

void slm__pack_quants_avx512vnni(const float *x, size_t x_stride, uint32_t columns, uint32_t cols, void *packed)
{
    const uint32_t whole = cols / SLM_GROUP, tail = cols % SLM_GROUP, all = (whole + (tail > 0 ? 1 : 0)) * columns;
    float last[SLM_COLUMNS][SLM_GROUP]; /* the unfinished group of each column, padded */
    const float *from[8];
    struct place_avx512vnni next = {0, 0};
    for (uint32_t c = 0; tail > 0 && c < columns; c++) {
        memset(last[c], 0, sizeof last[c]);
        memcpy(last[c], x + c * x_stride + (size_t)SLM_GROUP * whole, tail * sizeof last[c][0]);
    }
    for (uint32_t done = 0; done < all; done += 8) {
        const struct place_avx512vnni first = next;
        const uint32_t count = all - done < 8 ? all - done : 8;
        for (uint32_t i = 0; i < count; i++, step_avx512vnni(&next, columns)) {
            from[i] = next.group < whole ? x + next.column * x_stride + (size_t)SLM_GROUP * next.group : last[next.column];
        }
        for (uint32_t i = count; i < 8; i++) {
            from[i] = from[0];
        }
        if (columns == 8) {
            pack_columns_avx512vnni(from, (uint8_t *)packed + (size_t)done * SLM_PACKED_GROUP);
        } else {
            pack_some_avx512vnni(from, first, count, columns, packed);
        }
    }
}
