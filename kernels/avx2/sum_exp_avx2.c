/* SPDX-License-Identifier: MIT */
/* The sum under a softmax over a vocabulary, 16 at a time. */
#include "kernels/avx2/avx2_kernels.h" /* slm__sum_exp_avx2 */
#include "kernels/avx2/simd_avx2.h"    /* SLM_INLINE_AVX2 */
#include "kernels/exp_minus.h"         /* slm__sum_exp_end */

/* slm__exp_minus(), operation by operation. */
SLM_INLINE_AVX2 __m256 exp_minus_avx2(__m256 x)
{
    x = _mm256_castsi256_ps(_mm256_min_epi32(_mm256_castps_si256(x), _mm256_set1_epi32(0x42a00000)));
    const __m256 shift = _mm256_set1_ps(0x1.8p+23f);
    const __m256 t = _mm256_add_ps(_mm256_mul_ps(x, _mm256_set1_ps(-0x1.715476p+0f)), shift), n = _mm256_sub_ps(t, shift);
    __m256 r = _mm256_sub_ps(_mm256_mul_ps(n, _mm256_set1_ps(-0x1.63p-1f)), x);
    r = _mm256_sub_ps(r, _mm256_mul_ps(n, _mm256_set1_ps(-0x1.bd0106p-13f)));
    __m256 p = _mm256_set1_ps(0x1.6a23cp-10f);
    p = _mm256_add_ps(_mm256_mul_ps(p, r), _mm256_set1_ps(0x1.123a22p-7f));
    p = _mm256_add_ps(_mm256_mul_ps(p, r), _mm256_set1_ps(0x1.5558f4p-5f));
    p = _mm256_add_ps(_mm256_mul_ps(p, r), _mm256_set1_ps(0x1.555492p-3f));
    p = _mm256_add_ps(_mm256_mul_ps(p, r), _mm256_set1_ps(0x1.fffffcp-2f));
    p = _mm256_add_ps(_mm256_add_ps(_mm256_mul_ps(p, _mm256_mul_ps(r, r)), r), _mm256_set1_ps(1.0f));
    const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(127 - 0x4b400000)), 23);
    return _mm256_mul_ps(p, _mm256_castsi256_ps(power));
}

double slm__sum_exp_avx2(const float *x, float max, uint32_t n)
{
    double lanes[16];
    __m256d sums[4];
    uint32_t i = 0;
    SLM_UNROLL_AVX2
    for (uint32_t j = 0; j < 4; j++) {
        sums[j] = _mm256_setzero_pd();
    }
    for (; n - i >= 16; i += 16) {
        SLM_UNROLL_AVX2
        for (uint32_t j = 0; j < 2; j++) {
            const __m256 term = exp_minus_avx2(_mm256_sub_ps(_mm256_set1_ps(max), _mm256_loadu_ps(x + i + (size_t)8 * j)));
            sums[2 * j] = _mm256_add_pd(sums[2 * j], _mm256_cvtps_pd(_mm256_castps256_ps128(term)));
            sums[2 * j + 1] = _mm256_add_pd(sums[2 * j + 1], _mm256_cvtps_pd(_mm256_extractf128_ps(term, 1)));
        }
    }
    SLM_UNROLL_AVX2
    for (uint32_t j = 0; j < 4; j++) {
        _mm256_storeu_pd(lanes + (size_t)4 * j, sums[j]);
    }
    return slm__sum_exp_end(lanes, x, max, i, n);
}
