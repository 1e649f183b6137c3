/* SPDX-License-Identifier: MIT */
/* Operations on one row of activations, sixteen lanes at a time. Tails are masked loads and stores, which touch no byte of other lanes. */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__rms_norm_avx512vnni and others */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* exp_avx512vnni, tanh_avx512vnni, tree16_avx512vnni, load_first_avx512vnni */
#include <math.h>

/* elements i .. min(i + 16, n), zeros behind */
SLM_INLINE_AVX512VNNI __m512 load_row_avx512vnni(const float *x, uint32_t i, uint32_t n) { return load_first_avx512vnni(x + i, n - i); }

SLM_INLINE_AVX512VNNI void store_row_avx512vnni(float *y, uint32_t i, uint32_t n, __m512 value)
{
    if (n - i >= 16) {
        _mm512_storeu_ps(y + i, value);
    } else {
        _mm512_mask_storeu_ps(y + i, (__mmask16)((1u << (n - i)) - 1u), value);
    }
}

void slm__rms_norm_avx512vnni(const float *x, const float *weight, float eps, uint32_t n, float *y)
{
    /* A lane without an element gets fma(0, 0, lane) = lane, since sums of squares are never -0. */
    __m512 squares = _mm512_setzero_ps();
    for (uint32_t i = 0; i < n; i += 16) {
        const __m512 v = load_row_avx512vnni(x, i, n);
        squares = _mm512_fmadd_ps(v, v, squares);
    }
    const __m512 factor = _mm512_set1_ps(1.0f / sqrtf(tree16_avx512vnni(squares) / (float)n + eps));
    for (uint32_t i = 0; i < n; i += 16) {
        const __m512 normal = _mm512_mul_ps(load_row_avx512vnni(x, i, n), factor);
        store_row_avx512vnni(y, i, n, _mm512_mul_ps(normal, load_row_avx512vnni(weight, i, n)));
    }
}

void slm__layer_norm_avx512vnni(const float *x, const float *weight, const float *bias, float eps, uint32_t n, float *y)
{
    /* A lane without an element gets + 0, which changes no bit: sums that start at +0 are never -0. */
    __m512 sum = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
    for (uint32_t i = 0; i < n; i += 16) {
        sum = _mm512_add_ps(sum, load_row_avx512vnni(x, i, n));
    }
    const __m512 mean = _mm512_set1_ps(tree16_avx512vnni(sum) / (float)n);
    for (uint32_t i = 0; i < n; i += 16) {
        const __mmask16 inside = (__mmask16)(n - i >= 16 ? 0xffffu : (1u << (n - i)) - 1u);
        const __m512 d = _mm512_maskz_sub_ps(inside, load_row_avx512vnni(x, i, n), mean);
        squares = _mm512_fmadd_ps(d, d, squares);
    }
    const __m512 factor = _mm512_set1_ps(1.0f / sqrtf(tree16_avx512vnni(squares) / (float)n + eps));
    for (uint32_t i = 0; i < n; i += 16) {
        const __m512 normal = _mm512_mul_ps(_mm512_sub_ps(load_row_avx512vnni(x, i, n), mean), factor);
        const __m512 add = bias != NULL ? load_row_avx512vnni(bias, i, n) : _mm512_setzero_ps();
        store_row_avx512vnni(y, i, n, _mm512_fmadd_ps(normal, load_row_avx512vnni(weight, i, n), add));
    }
}

void slm__add_avx512vnni(float *y, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 16) {
        store_row_avx512vnni(y, i, n, _mm512_add_ps(load_row_avx512vnni(y, i, n), load_row_avx512vnni(x, i, n)));
    }
}

void slm__multiply_avx512vnni(float *y, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 16) {
        store_row_avx512vnni(y, i, n, _mm512_mul_ps(load_row_avx512vnni(y, i, n), load_row_avx512vnni(x, i, n)));
    }
}

void slm__scale_avx512vnni(float *y, const float *x, float factor, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 16) {
        store_row_avx512vnni(y, i, n, _mm512_mul_ps(load_row_avx512vnni(x, i, n), _mm512_set1_ps(factor)));
    }
}

/* x / (1 + exp(-x)) */
SLM_INLINE_AVX512VNNI __m512 silu_avx512vnni(__m512 x)
{
    const __m512 negative = _mm512_xor_ps(x, _mm512_set1_ps(-0.0f));
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0f), exp_avx512vnni(negative)));
}

void slm__silu_mul_avx512vnni(const float *gate, const float *up, uint32_t n, float *y)
{
    uint32_t i = 0;
    for (; n - i >= 64; i += 64) { /* four chains side by side: one alone waits for each of its steps */
        __m512 v[4];
        SLM_UNROLL_AVX512VNNI
        for (uint32_t j = 0; j < 4; j++) {
            v[j] = silu_avx512vnni(_mm512_loadu_ps(gate + i + (size_t)16 * j));
        }
        SLM_UNROLL_AVX512VNNI
        for (uint32_t j = 0; j < 4; j++) {
            _mm512_storeu_ps(y + i + (size_t)16 * j, _mm512_mul_ps(v[j], _mm512_loadu_ps(up + i + (size_t)16 * j)));
        }
    }
    for (; i < n; i += 16) {
        const __m512 silu = silu_avx512vnni(load_row_avx512vnni(gate, i, n));
        store_row_avx512vnni(y, i, n, _mm512_mul_ps(silu, load_row_avx512vnni(up, i, n)));
    }
}

void slm__silu_avx512vnni(const float *x, uint32_t n, float *y)
{
    for (uint32_t i = 0; i < n; i += 16) {
        store_row_avx512vnni(y, i, n, silu_avx512vnni(load_row_avx512vnni(x, i, n)));
    }
}

void slm__gelu_tanh_avx512vnni(const float *x, uint32_t n, float *y)
{
    const __m512 one = _mm512_set1_ps(1.0f), half = _mm512_set1_ps(0.5f);
    const __m512 cubic = _mm512_set1_ps(0.044715f), root = _mm512_set1_ps(0.7978845608f); /* sqrt(2 / pi) */
    for (uint32_t i = 0; i < n; i += 16) {
        const __m512 v = load_row_avx512vnni(x, i, n);
        const __m512 inner = _mm512_mul_ps(root, _mm512_fmadd_ps(_mm512_mul_ps(cubic, _mm512_mul_ps(v, v)), v, v));
        store_row_avx512vnni(y, i, n, _mm512_mul_ps(_mm512_mul_ps(half, v), _mm512_add_ps(one, tanh_avx512vnni(inner))));
    }
}

void slm__softcap_avx512vnni(float *y, float cap, uint32_t n)
{
    const __m512 limit = _mm512_set1_ps(cap);
    for (uint32_t i = 0; i < n; i += 16) {
        store_row_avx512vnni(y, i, n, _mm512_mul_ps(limit, tanh_avx512vnni(_mm512_div_ps(load_row_avx512vnni(y, i, n), limit))));
    }
}

void slm__rope_avx512vnni(float *head, const float *cos, const float *sin, uint32_t half)
{
    for (uint32_t i = 0; i < half; i += 16) {
        const __m512 a = load_row_avx512vnni(head, i, half), b = load_row_avx512vnni(head + half, i, half);
        const __m512 c = load_row_avx512vnni(cos, i, half), s = load_row_avx512vnni(sin, i, half);
        store_row_avx512vnni(head, i, half, _mm512_fmsub_ps(a, c, _mm512_mul_ps(b, s)));
        store_row_avx512vnni(head + half, i, half, _mm512_fmadd_ps(b, c, _mm512_mul_ps(a, s)));
    }
}
