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

void slm__pack_quants_avx2(const float *x, size_t x_stride, uint32_t columns, uint32_t cols, void *packed)
{
    const uint32_t whole = cols / SLM_GROUP, tail = cols % SLM_GROUP;
    uint8_t *group = packed;
    for (uint32_t g = 0; g < whole; g++, group += (size_t)columns * SLM_PACKED_GROUP) {
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
