/* SPDX-License-Identifier: MIT */
/* What not every family needs: layer norm, activations without a gate, soft caps, an elementwise product. */
#include "kernels/avx2/avx2_kernels.h" /* slm__layer_norm_avx2 and others */
#include "kernels/avx2/simd_avx2.h"    /* exp_avx2, tanh_avx2, erf_avx2, tree16_avx2, load_row_avx2, store_row_avx2 */
#include <math.h>

/* Lane i mod 16 takes element i. A lane without an element gets + 0, which changes no bit: sums that start at +0 are never -0. */
static float sum_avx2(const float *x, uint32_t n)
{
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    for (uint32_t i = 0; i < n; i += 16) {
        low = _mm256_add_ps(low, load_row_avx2(x, i, n));
        if (n - i > 8) {
            high = _mm256_add_ps(high, load_row_avx2(x, i + 8, n));
        }
    }
    return tree16_avx2(low, high);
}

/* x - mean of elements i .. min(i + 8, n), zeros behind */
SLM_INLINE_AVX2 __m256 difference_avx2(const float *x, uint32_t i, uint32_t n, __m256 mean)
{
    const __m256 d = _mm256_sub_ps(load_row_avx2(x, i, n), mean);
    return n - i >= 8 ? d : _mm256_and_ps(d, _mm256_castsi256_ps(first_lanes_avx2(n - i)));
}

static float sum_of_square_differences_avx2(const float *x, uint32_t n, __m256 mean)
{
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    for (uint32_t i = 0; i < n; i += 16) {
        const __m256 a = difference_avx2(x, i, n, mean);
        low = _mm256_fmadd_ps(a, a, low);
        if (n - i > 8) {
            const __m256 b = difference_avx2(x, i + 8, n, mean);
            high = _mm256_fmadd_ps(b, b, high);
        }
    }
    return tree16_avx2(low, high);
}

void slm__layer_norm_avx2(const float *x, const float *weight, const float *bias, float eps, uint32_t n, float *y)
{
    const __m256 mean = _mm256_set1_ps(sum_avx2(x, n) / (float)n);
    const __m256 factor = _mm256_set1_ps(1.0f / sqrtf(sum_of_square_differences_avx2(x, n, mean) / (float)n + eps));
    for (uint32_t i = 0; i < n; i += 8) {
        const __m256 normal = _mm256_mul_ps(_mm256_sub_ps(load_row_avx2(x, i, n), mean), factor);
        const __m256 add = bias != NULL ? load_row_avx2(bias, i, n) : _mm256_setzero_ps();
        store_row_avx2(y, i, n, _mm256_fmadd_ps(normal, load_row_avx2(weight, i, n), add));
    }
}

void slm__silu_avx2(const float *x, uint32_t n, float *y)
{
    const __m256 sign_bit = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1.0f);
    for (uint32_t i = 0; i < n; i += 8) {
        const __m256 v = load_row_avx2(x, i, n);
        store_row_avx2(y, i, n, _mm256_div_ps(v, _mm256_add_ps(one, exp_avx2(_mm256_xor_ps(v, sign_bit)))));
    }
}

void slm__gelu_tanh_avx2(const float *x, uint32_t n, float *y)
{
    const __m256 one = _mm256_set1_ps(1.0f), half = _mm256_set1_ps(0.5f);
    const __m256 cubic = _mm256_set1_ps(0.044715f), root = _mm256_set1_ps(0.7978845608f); /* sqrt(2 / pi) */
    for (uint32_t i = 0; i < n; i += 8) {
        const __m256 v = load_row_avx2(x, i, n);
        const __m256 inner = _mm256_mul_ps(root, _mm256_fmadd_ps(_mm256_mul_ps(cubic, _mm256_mul_ps(v, v)), v, v));
        store_row_avx2(y, i, n, _mm256_mul_ps(_mm256_mul_ps(half, v), _mm256_add_ps(one, tanh_avx2(inner))));
    }
}

void slm__gelu_erf_avx2(const float *x, uint32_t n, float *y)
{
    const __m256 one = _mm256_set1_ps(1.0f), half = _mm256_set1_ps(0.5f), root = _mm256_set1_ps(0.70710678f);
    for (uint32_t i = 0; i < n; i += 8) {
        const __m256 v = load_row_avx2(x, i, n);
        store_row_avx2(y, i, n, _mm256_mul_ps(_mm256_mul_ps(half, v), _mm256_add_ps(one, erf_avx2(_mm256_mul_ps(root, v)))));
    }
}

void slm__multiply_avx2(float *y, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 8) {
        store_row_avx2(y, i, n, _mm256_mul_ps(load_row_avx2(y, i, n), load_row_avx2(x, i, n)));
    }
}

void slm__softcap_avx2(float *y, float cap, uint32_t n)
{
    const __m256 limit = _mm256_set1_ps(cap);
    for (uint32_t i = 0; i < n; i += 8) {
        store_row_avx2(y, i, n, _mm256_mul_ps(limit, tanh_avx2(_mm256_div_ps(load_row_avx2(y, i, n), limit))));
    }
}
