/* SPDX-License-Identifier: MIT */
/* Operations on one row of activations. Tails are masked loads and stores, which touch no byte of the other lanes. */
#include "kernels/avx2/avx2_kernels.h" /* slm__rms_norm_avx2 and others */
#include "kernels/avx2/simd_avx2.h"    /* exp_avx2, tree16_avx2, load_row_avx2, store_row_avx2 */
#include <math.h>

/* Lane i mod 16 takes element i. A lane without an element gets fma(0, 0, lane) = lane, since sums of squares are never -0. */
static float sum_of_squares_avx2(const float *x, uint32_t n)
{
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    for (uint32_t i = 0; i < n; i += 16) {
        const __m256 a = load_row_avx2(x, i, n);
        low = _mm256_fmadd_ps(a, a, low);
        if (n - i > 8) {
            const __m256 b = load_row_avx2(x, i + 8, n);
            high = _mm256_fmadd_ps(b, b, high);
        }
    }
    return tree16_avx2(low, high);
}

void slm__rms_norm_avx2(const float *x, const float *weight, float eps, uint32_t n, float *y)
{
    const __m256 factor = _mm256_set1_ps(1.0f / sqrtf(sum_of_squares_avx2(x, n) / (float)n + eps));
    for (uint32_t i = 0; i < n; i += 8) {
        store_row_avx2(y, i, n, _mm256_mul_ps(_mm256_mul_ps(load_row_avx2(x, i, n), factor), load_row_avx2(weight, i, n)));
    }
}

void slm__add_avx2(float *y, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 8) {
        store_row_avx2(y, i, n, _mm256_add_ps(load_row_avx2(y, i, n), load_row_avx2(x, i, n)));
    }
}

void slm__silu_mul_avx2(const float *gate, const float *up, uint32_t n, float *y)
{
    const __m256 sign_bit = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1.0f);
    for (uint32_t i = 0; i < n; i += 8) {
        const __m256 g = load_row_avx2(gate, i, n);
        const __m256 silu = _mm256_div_ps(g, _mm256_add_ps(one, exp_avx2(_mm256_xor_ps(g, sign_bit))));
        store_row_avx2(y, i, n, _mm256_mul_ps(silu, load_row_avx2(up, i, n)));
    }
}

void slm__rope_avx2(float *head, const float *cos, const float *sin, uint32_t half)
{
    for (uint32_t i = 0; i < half; i += 8) {
        const __m256 a = load_row_avx2(head, i, half), b = load_row_avx2(head + half, i, half);
        const __m256 c = load_row_avx2(cos, i, half), s = load_row_avx2(sin, i, half);
        store_row_avx2(head, i, half, _mm256_fmsub_ps(a, c, _mm256_mul_ps(b, s)));
        store_row_avx2(head + half, i, half, _mm256_fmadd_ps(b, c, _mm256_mul_ps(a, s)));
    }
}

void slm__scale_avx2(float *y, const float *x, float factor, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 8) {
        store_row_avx2(y, i, n, _mm256_mul_ps(load_row_avx2(x, i, n), _mm256_set1_ps(factor)));
    }
}
