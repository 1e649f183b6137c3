/* SPDX-License-Identifier: MIT */
/* A whole key, value or query to int8 with one scale: slm__quantize of quantize_bits.h, eight lanes at a time. */
#ifndef SLM_KERNELS_QUANTIZE_AVX2_H
#define SLM_KERNELS_QUANTIZE_AVX2_H

#include "kernels/avx2/simd_avx2.h" /* load_bytes_avx2, maximum_epi32_avx2 */
#include "kernels/quantize_bits.h"  /* slm__amax_bits, slm__quantize_scale, slm__quantize_value */
#include <string.h>

/* q[i] = round(x[i] * 127 / amax), i < n; returns the scale. */
SLM_INLINE_AVX2 float quantize_avx2(const float *x, uint32_t n, int8_t *q)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    const __m256 limit = _mm256_set1_ps(127.0f), negative_limit = _mm256_set1_ps(-127.0f);
    const uint32_t whole = n / 8 * 8;
    __m256i amax = _mm256_setzero_si256();
    for (uint32_t i = 0; i < whole; i += 8) {
        amax = _mm256_max_epi32(amax, _mm256_and_si256(load_bytes_avx2(x + i), magnitude));
    }
    const uint32_t tail = slm__amax_bits(x + whole, n - whole), most = maximum_epi32_avx2(amax);
    float inverse;
    const float scale = slm__quantize_scale(most > tail ? most : tail, &inverse);
    if (inverse == 0.0f) {
        memset(q, 0, n);
        return scale;
    }
    for (uint32_t i = 0; i < whole; i += 8) {
        const __m256 value = _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(inverse));
        const __m256i code = _mm256_cvtps_epi32(_mm256_max_ps(_mm256_min_ps(value, limit), negative_limit));
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1));
        _mm_storel_epi64((__m128i *)(void *)(q + i), _mm_packs_epi16(words, words));
    }
    for (uint32_t i = whole; i < n; i++) {
        q[i] = slm__quantize_value(x[i], inverse);
    }
    return scale;
}

#endif
