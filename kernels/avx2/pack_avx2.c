/* SPDX-License-Identifier: MIT */
/* Activations into the columns-side-by-side order that matmul reads; for i8 and i4 weights quantized to int8 per group of 32. */
#include "kernels/avx2/avx2_kernels.h" /* slm__pack_..._avx2 */
#include "kernels/avx2/simd_avx2.h"    /* load_bytes_avx2, maximum_epi32_avx2 */
#include "kernels/half_bits.h"         /* slm__f32_of_bits */
#include <string.h>

/* packed: [padded_cols][columns] f32 */
void slm__pack_floats_avx2(const float *x, size_t x_stride, uint32_t columns, uint32_t cols, void *packed)
{
    const size_t padded = slm__padded_cols(cols);
    float *out = packed;
    if (columns == 1) {
        memcpy(out, x, cols * sizeof *out);
    } else {
        for (uint32_t c = 0; c < columns; c++) {
            for (uint32_t k = 0; k < cols; k++) {
                out[(size_t)k * columns + c] = x[c * x_stride + k];
            }
        }
    }
    memset(out + (size_t)cols * columns, 0, (padded - cols) * columns * sizeof *out);
}

/* The largest |x| of the group as bits, by integer maximum. */
SLM_INLINE_AVX2 uint32_t group_amax_bits_avx2(const float x[SLM_GROUP])
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i amax = _mm256_setzero_si256();
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 4; i++) {
        amax = _mm256_max_epi32(amax, _mm256_and_si256(load_bytes_avx2(x + 8 * i), magnitude));
    }
    return maximum_epi32_avx2(amax);
}

/* 32 q of finite values; the registers' int16 and int8 packing works in halves of 16 bytes, the last permutation restores the order. */
SLM_INLINE_AVX2 __m256i round_group_avx2(const float x[SLM_GROUP], float inverse)
{
    const __m256 limit = _mm256_set1_ps(127.0f), factor = _mm256_set1_ps(inverse);
    __m256i q[4];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 4; i++) {
        __m256 value = _mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), factor);
        value = _mm256_max_ps(_mm256_min_ps(value, limit), _mm256_sub_ps(_mm256_setzero_ps(), limit));
        q[i] = _mm256_cvtps_epi32(value);
    }
    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

SLM_INLINE_AVX2 int32_t sum_bytes_avx2(__m256i bytes)
{
    const __m256i eight = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes), _mm256_set1_epi16(1));
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1)));
}

/* One column of a group: quads `columns` apart, then the scale, then minus the sum. */
static void pack_group_avx2(const float x[SLM_GROUP], uint32_t column, uint32_t columns, uint8_t *group)
{
    const uint32_t amax_bits = group_amax_bits_avx2(x);
    const float amax = slm__f32_of_bits(amax_bits);
    __m256i q = _mm256_setzero_si256();
    float scale = 0.0f;
    if (amax_bits >= 0x7f800000u) {
        scale = slm__f32_of_bits(0x7fc00000u);
    } else if (amax >= 0x1p-100f) {
        scale = amax / 127.0f;
        q = round_group_avx2(x, 127.0f / amax);
    }
    const int32_t negated_sum = -sum_bytes_avx2(q);
    uint8_t bytes[SLM_GROUP];
    _mm256_storeu_si256((__m256i *)(void *)bytes, q);
    for (uint32_t j = 0; j < SLM_GROUP / 4; j++) {
        memcpy(group + ((size_t)j * columns + column) * 4, bytes + (size_t)4 * j, 4);
    }
    memcpy(group + (size_t)columns * SLM_PACKED_SCALES + (size_t)column * 4, &scale, 4);
    memcpy(group + (size_t)columns * SLM_PACKED_SUMS + (size_t)column * 4, &negated_sum, 4);
}

/* Lane c: the largest of the 8 integers of v[c]. */
SLM_INLINE_AVX2 __m256i maxima_of_8_avx2(const __m256i v[8])
{
    __m256i two[4], four[2];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 4; i++) {
        two[i] = _mm256_max_epi32(_mm256_unpacklo_epi32(v[2 * i], v[2 * i + 1]), _mm256_unpackhi_epi32(v[2 * i], v[2 * i + 1]));
    }
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 2; i++) {
        four[i] = _mm256_max_epi32(_mm256_unpacklo_epi64(two[2 * i], two[2 * i + 1]), _mm256_unpackhi_epi64(two[2 * i], two[2 * i + 1]));
    }
    return _mm256_max_epi32(_mm256_permute2x128_si256(four[0], four[1], 0x20), _mm256_permute2x128_si256(four[0], four[1], 0x31));
}

/* Rows of 8 quads become columns. */
SLM_INLINE_AVX2 void transpose_quads_avx2(__m256i q[8])
{
    __m256i two[8], four[8];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 8; i += 2) {
        two[i] = _mm256_unpacklo_epi32(q[i], q[i + 1]);     /* quads 0 1 of both, 4 5 */
        two[i + 1] = _mm256_unpackhi_epi32(q[i], q[i + 1]); /* quads 2 3, 6 7 */
    }
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 8; i += 4) {
        four[i] = _mm256_unpacklo_epi64(two[i], two[i + 2]);     /* quad 0 of four columns, quad 4 */
        four[i + 1] = _mm256_unpackhi_epi64(two[i], two[i + 2]); /* 1, 5 */
        four[i + 2] = _mm256_unpacklo_epi64(two[i + 1], two[i + 3]);
        four[i + 3] = _mm256_unpackhi_epi64(two[i + 1], two[i + 3]);
    }
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 4; i++) {
        q[i] = _mm256_permute2x128_si256(four[i], four[i + 4], 0x20);
        q[i + 4] = _mm256_permute2x128_si256(four[i], four[i + 4], 0x31);
    }
}

/* Eight whole columns of a group: the same as pack_group_avx2 for each, scales and transposition together. */
static void pack_eight_avx2(const float *x, size_t x_stride, uint8_t *group)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff), infinity = _mm256_set1_epi32(0x7f800000), ones = _mm256_set1_epi16(1);
    const __m256 most = _mm256_set1_ps(127.0f), least = _mm256_set1_ps(0x1p-100f);
    __m256i q[8], sums[8];
    float inverses[8];
    SLM_UNROLL_AVX2
    for (uint32_t c = 0; c < 8; c++) {
        q[c] = _mm256_setzero_si256();
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < 4; i++) {
            q[c] = _mm256_max_epi32(q[c], _mm256_and_si256(load_bytes_avx2(x + c * x_stride + (size_t)8 * i), magnitude));
        }
    }
    const __m256i amax_bits = maxima_of_8_avx2(q);
    const __m256 amax = _mm256_castsi256_ps(amax_bits), finite = _mm256_castsi256_ps(_mm256_cmpgt_epi32(infinity, amax_bits));
    const __m256 usable = _mm256_and_ps(finite, _mm256_cmp_ps(amax, least, _CMP_GE_OQ));
    const __m256 scale = _mm256_and_ps(_mm256_div_ps(amax, most), usable);
    const __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
    _mm256_storeu_ps(inverses, _mm256_and_ps(_mm256_div_ps(most, amax), usable));
    SLM_UNROLL_AVX2
    for (uint32_t c = 0; c < 8; c++) {
        q[c] = round_group_avx2(x + c * x_stride, inverses[c]);
        /* a column without codes: what an infinity or NaN became is dropped */
        q[c] = _mm256_and_si256(q[c], _mm256_castps_si256(_mm256_cmp_ps(_mm256_set1_ps(inverses[c]), _mm256_setzero_ps(), _CMP_NEQ_OQ)));
        sums[c] = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), q[c]), ones);
    }
    transpose_quads_avx2(q);
    transpose_quads_avx2(sums);
    __m256i negated_sum = _mm256_setzero_si256();
    SLM_UNROLL_AVX2
    for (uint32_t j = 0; j < 8; j++) {
        _mm256_storeu_si256((__m256i *)(void *)(group + (size_t)32 * j), q[j]);
        negated_sum = _mm256_sub_epi32(negated_sum, sums[j]);
    }
    _mm256_storeu_ps((float *)(void *)(group + (size_t)8 * SLM_PACKED_SCALES), _mm256_blendv_ps(nan, scale, finite));
    _mm256_storeu_si256((__m256i *)(void *)(group + (size_t)8 * SLM_PACKED_SUMS), negated_sum);
}

void slm__pack_quants_avx2(const float *x, size_t x_stride, uint32_t columns, uint32_t cols, void *packed)
{
    const uint32_t whole = cols / SLM_GROUP, tail = cols % SLM_GROUP;
    uint8_t *group = packed;
    for (uint32_t g = 0; g < whole; g++, group += (size_t)columns * SLM_PACKED_GROUP) {
        if (columns == 8) {
            pack_eight_avx2(x + (size_t)SLM_GROUP * g, x_stride, group);
            continue;
        }
        for (uint32_t c = 0; c < columns; c++) {
            pack_group_avx2(x + c * x_stride + (size_t)SLM_GROUP * g, c, columns, group);
        }
    }
    for (uint32_t c = 0; tail > 0 && c < columns; c++) {
        float values[SLM_GROUP] = {0};
        memcpy(values, x + c * x_stride + (size_t)SLM_GROUP * whole, tail * sizeof values[0]);
        pack_group_avx2(values, c, columns, group);
    }
}
