/* SPDX-License-Identifier: MIT */
/* Eight lanes of f32: the shared steps of the AVX2 kernels. exp and tanh repeat poly_math.h operation by operation. max(a, b) of the
 * instruction is a > b ? a : b, just as larger() of the specification. */
#ifndef SLM_KERNELS_SIMD_AVX2_H
#define SLM_KERNELS_SIMD_AVX2_H

#include "kernels/kernels.h" /* SLM_SMALL */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Functions with constant counts must be inlined and their loops unrolled, or arrays of registers become memory. */
#define SLM_INLINE_AVX2 static inline __attribute__((always_inline))
/* Builds for size (SMALL=1) have long code that is needed in several places once, and call it. */
#if SLM_SMALL
#  define SLM_LONG_AVX2 static __attribute__((noinline))
#else
#  define SLM_LONG_AVX2 SLM_INLINE_AVX2
#endif
#if defined(__clang__)
#  define SLM_UNROLL_AVX2 _Pragma("clang loop unroll(full)")
#else
#  define SLM_UNROLL_AVX2 _Pragma("GCC unroll 16")
#endif

/* Keeps the compiler from reassociating a chain of integer sums, which would need every product in a register at once. */
SLM_INLINE_AVX2 __m256i hold_avx2(__m256i value)
{
    __asm__("" : "+x"(value));
    return value;
}

/* Keeps sums that fill all registers where they are, and the compiler from reordering the steps between them. */
SLM_INLINE_AVX2 __m256 hold_sum_avx2(__m256 value)
{
    __asm__("" : "+x"(value));
    return value;
}

SLM_INLINE_AVX2 __m256i load_bytes_avx2(const void *at) { return _mm256_loadu_si256((const __m256i *)at); }

/* Ask for the line that lies `ahead` bytes behind `at`. A hint: the address may be outside of every buffer and is never read. */
SLM_INLINE_AVX2 void prefetch_avx2(const void *at, size_t ahead) { _mm_prefetch((const char *)((uintptr_t)at + ahead), _MM_HINT_T0); }

/* The lines of bytes [from, to), from a multiple of 64. */
SLM_INLINE_AVX2 void prefetch_lines_avx2(const void *at, size_t from, size_t to)
{
    SLM_UNROLL_AVX2
    for (; from < to; from += 64) {
        prefetch_avx2(at, from);
    }
}

/* 4 bytes at any address, in every 32-bit lane */
SLM_INLINE_AVX2 __m256i broadcast_quad_avx2(const uint8_t *at)
{
    int32_t quad;
    __builtin_memcpy(&quad, at, sizeof quad);
    return _mm256_set1_epi32(quad);
}

SLM_INLINE_AVX2 __m256 broadcast_f32_avx2(const uint8_t *at)
{
    float value;
    __builtin_memcpy(&value, at, sizeof value);
    return _mm256_set1_ps(value);
}

/* 8 halves, exactly */
SLM_INLINE_AVX2 __m256 load_f16_avx2(const void *at) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)at)); }

SLM_INLINE_AVX2 __m256 load_bf16_avx2(const void *at)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)at)), 16));
}

/* All ones in the first n of 8 lanes, n <= 8. */
SLM_INLINE_AVX2 __m256i first_lanes_avx2(uint32_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* Elements i .. min(i + 8, n), zeros behind. */
SLM_INLINE_AVX2 __m256 load_row_avx2(const float *x, uint32_t i, uint32_t n)
{
    return n - i >= 8 ? _mm256_loadu_ps(x + i) : _mm256_maskload_ps(x + i, first_lanes_avx2(n - i));
}

SLM_INLINE_AVX2 void store_row_avx2(float *y, uint32_t i, uint32_t n, __m256 value)
{
    if (n - i >= 8) {
        _mm256_storeu_ps(y + i, value);
    } else {
        _mm256_maskstore_ps(y + i, first_lanes_avx2(n - i), value);
    }
}

/* tree16 over lanes 0-7 and 8-15 */
SLM_INLINE_AVX2 float tree16_avx2(__m256 low, __m256 high)
{
    const __m256 eight = _mm256_add_ps(low, high);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* the same with larger(v[i], v[i + width]) */
SLM_INLINE_AVX2 float maximum16_avx2(__m256 low, __m256 high)
{
    const __m256 eight = _mm256_max_ps(low, high);
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/* The largest of 8 integers. */
SLM_INLINE_AVX2 uint32_t maximum_epi32_avx2(__m256i eight)
{
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(four);
}

/* Lane i: tree16 of lanes[i]. */
SLM_INLINE_AVX2 __m128 tree16_of_4_avx2(__m256 lanes[4][2])
{
    const __m256 a = _mm256_add_ps(lanes[0][0], lanes[0][1]), b = _mm256_add_ps(lanes[1][0], lanes[1][1]);
    const __m256 c = _mm256_add_ps(lanes[2][0], lanes[2][1]), d = _mm256_add_ps(lanes[3][0], lanes[3][1]);
    const __m256 ab = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31)); /* 4 of a, 4 of b */
    const __m256 cd = _mm256_add_ps(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
    const __m256 two = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee)); /* 2 of a c, 2 of b d */
    const __m256 one = _mm256_add_ps(two, _mm256_movehdup_ps(two));                                     /* a . c . b . d . */
    return _mm256_castps256_ps128(_mm256_permutevar8x32_ps(one, _mm256_setr_epi32(0, 4, 2, 6, 0, 4, 2, 6)));
}

/* Lane i: maximum16 of lanes[i]. */
SLM_INLINE_AVX2 __m128 maximum16_of_4_avx2(__m256 lanes[4][2])
{
    const __m256 a = _mm256_max_ps(lanes[0][0], lanes[0][1]), b = _mm256_max_ps(lanes[1][0], lanes[1][1]);
    const __m256 c = _mm256_max_ps(lanes[2][0], lanes[2][1]), d = _mm256_max_ps(lanes[3][0], lanes[3][1]);
    const __m256 ab = _mm256_max_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    const __m256 cd = _mm256_max_ps(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
    const __m256 two = _mm256_max_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
    const __m256 one = _mm256_max_ps(two, _mm256_movehdup_ps(two));
    return _mm256_castps256_ps128(_mm256_permutevar8x32_ps(one, _mm256_setr_epi32(0, 4, 2, 6, 0, 4, 2, 6)));
}

SLM_INLINE_AVX2 __m256 exp_avx2(__m256 x)
{
    const __m256 round = _mm256_set1_ps(0x1.8p+23f);
    x = _mm256_max_ps(_mm256_set1_ps(-104.0f), x);
    x = _mm256_min_ps(_mm256_set1_ps(89.0f), x);
    const __m256 t = _mm256_fmadd_ps(x, _mm256_set1_ps(0x1.715476p+0f), round), n = _mm256_sub_ps(t, round);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-0x1.62e43p-1f), x);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(0x1.05c61p-29f), r);
    __m256 p = _mm256_set1_ps(0x1.6a23cp-10f);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.123a22p-7f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.5558f4p-5f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.555492p-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.fffffcp-2f));
    p = _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1.0f));
    const __m256i biased = _mm256_sub_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(0x4b400000 - 254));
    const __m256i first = _mm256_srli_epi32(biased, 1), second = _mm256_sub_epi32(biased, first);
    p = _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(first, 23)));
    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(second, 23)));
}

SLM_INLINE_AVX2 __m256 tanh_avx2(__m256 x)
{
    const __m256 sign_bit = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1.0f);
    const __m256 magnitude = _mm256_andnot_ps(sign_bit, x), square = _mm256_mul_ps(x, x);
    __m256 q = _mm256_set1_ps(-0x1.6a5278p-8f);
    q = _mm256_fmadd_ps(q, square, _mm256_set1_ps(0x1.4f9918p-6f));
    q = _mm256_fmadd_ps(q, square, _mm256_set1_ps(-0x1.b7da4ap-5f));
    q = _mm256_fmadd_ps(q, square, _mm256_set1_ps(0x1.11044ep-3f));
    q = _mm256_fmadd_ps(q, square, _mm256_set1_ps(-0x1.555526p-2f));
    const __m256 small = _mm256_fmadd_ps(_mm256_mul_ps(q, square), x, x);
    const __m256 exponential = exp_avx2(_mm256_add_ps(magnitude, magnitude));
    const __m256 large = _mm256_sub_ps(one, _mm256_div_ps(_mm256_set1_ps(2.0f), _mm256_add_ps(exponential, one)));
    const __m256 signed_large = _mm256_or_ps(large, _mm256_and_ps(sign_bit, x));
    return _mm256_blendv_ps(signed_large, small, _mm256_cmp_ps(magnitude, _mm256_set1_ps(0.625f), _CMP_LT_OQ));
}

SLM_INLINE_AVX2 __m256 erf_avx2(__m256 x)
{
    const __m256 sign_bit = _mm256_set1_ps(-0.0f), magnitude = _mm256_andnot_ps(sign_bit, x), square = _mm256_mul_ps(x, x);
    const __m256 m = _mm256_min_ps(_mm256_set1_ps(4.0f), magnitude); /* a NaN passes */
    __m256 q = _mm256_set1_ps(-0x1.395a2p-11f);
    q = _mm256_fmadd_ps(q, square, _mm256_set1_ps(0x1.470dbcp-8f));
    q = _mm256_fmadd_ps(q, square, _mm256_set1_ps(-0x1.b683ap-6f));
    q = _mm256_fmadd_ps(q, square, _mm256_set1_ps(0x1.ce19e6p-4f));
    q = _mm256_fmadd_ps(q, square, _mm256_set1_ps(-0x1.8126e2p-2f));
    q = _mm256_fmadd_ps(q, square, _mm256_set1_ps(0x1.06eba6p-3f));
    const __m256 small = _mm256_fmadd_ps(q, x, x);
    __m256 p = _mm256_set1_ps(-0x1.7f4ef2p-17f);
    p = _mm256_fmadd_ps(p, m, _mm256_set1_ps(0x1.548076p-12f));
    p = _mm256_fmadd_ps(p, m, _mm256_set1_ps(-0x1.de7334p-9f));
    p = _mm256_fmadd_ps(p, m, _mm256_set1_ps(0x1.8596c0p-6f));
    p = _mm256_fmadd_ps(p, m, _mm256_set1_ps(-0x1.b3399ap-4f));
    p = _mm256_fmadd_ps(p, m, _mm256_set1_ps(-0x1.453108p-1f));
    p = _mm256_fmadd_ps(p, m, _mm256_set1_ps(-0x1.20ef4cp+0f));
    const __m256 large = _mm256_sub_ps(_mm256_set1_ps(1.0f), exp_avx2(_mm256_mul_ps(p, m)));
    const __m256 signed_large = _mm256_or_ps(large, _mm256_and_ps(sign_bit, x));
    return _mm256_blendv_ps(signed_large, small, _mm256_cmp_ps(magnitude, _mm256_set1_ps(0.925f), _CMP_LT_OQ));
}

#endif
