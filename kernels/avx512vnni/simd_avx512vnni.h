/* SPDX-License-Identifier: MIT */
/* Sixteen lanes: the shared steps of the AVX512-VNNI kernels. A line of a panel is one register. */
#ifndef SLM_KERNELS_SIMD_AVX512VNNI_H
#define SLM_KERNELS_SIMD_AVX512VNNI_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Functions with constant counts must be inlined and their loops unrolled, or arrays of registers become memory. */
#define SLM_INLINE_AVX512VNNI static inline __attribute__((always_inline))
#if defined(__clang__)
#  define SLM_UNROLL_AVX512VNNI _Pragma("clang loop unroll(full)")
#else
#  define SLM_UNROLL_AVX512VNNI _Pragma("GCC unroll 16")
#endif

/* Keeps the compiler from moving a sum into another register or to the stack between two steps of its chain. */
SLM_INLINE_AVX512VNNI __m512i hold_avx512vnni(__m512i value)
{
    __asm__("" : "+v"(value));
    return value;
}

/* 4 bytes at any address, in every 32-bit lane */
SLM_INLINE_AVX512VNNI __m512i broadcast_quad_avx512vnni(const uint8_t *at)
{
    int32_t quad;
    __builtin_memcpy(&quad, at, sizeof quad);
    return _mm512_set1_epi32(quad);
}

SLM_INLINE_AVX512VNNI __m512 broadcast_f32_avx512vnni(const uint8_t *at) { return _mm512_castsi512_ps(broadcast_quad_avx512vnni(at)); }

/* 16 bytes to 16 lanes, zero-extended */
SLM_INLINE_AVX512VNNI __m512i widen_bytes_avx512vnni(const uint8_t *at)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)at));
}

/* Ask for the line that lies `ahead` bytes behind `at`. A hint: the address may be outside of every buffer and is never read. */
SLM_INLINE_AVX512VNNI void prefetch_avx512vnni(const void *at, size_t ahead)
{
    _mm_prefetch((const char *)((uintptr_t)at + ahead), _MM_HINT_T0);
}

/* The lines of bytes [from, to), from a multiple of 64. */
SLM_INLINE_AVX512VNNI void prefetch_lines_avx512vnni(const void *at, size_t from, size_t to)
{
    SLM_UNROLL_AVX512VNNI
    for (; from < to; from += 64) {
        prefetch_avx512vnni(at, from);
    }
}

/* The same for a packed group of activations. */
SLM_INLINE_AVX512VNNI void prefetch_columns_avx512vnni(const void *at, size_t ahead, uint32_t columns)
{
    SLM_UNROLL_AVX512VNNI
    for (uint32_t line = 0; line < (columns * 40 + 63) / 64; line++) { /* SLM_PACKED_GROUP bytes a column */
        prefetch_avx512vnni(at, ahead + (size_t)64 * line);
    }
}

/* The first n of 16 floats, zeros behind; n > 0, and bytes behind them are not touched. */
SLM_INLINE_AVX512VNNI __m512 load_first_avx512vnni(const float *at, uint32_t n)
{
    return n >= 16 ? _mm512_loadu_ps(at) : _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1u), at);
}

/* tree16 */
SLM_INLINE_AVX512VNNI float tree16_avx512vnni(__m512 lanes)
{
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* the same with larger(v[i], v[i + width]), which is what the instruction's max(a, b) does */
SLM_INLINE_AVX512VNNI float maximum16_avx512vnni(__m512 lanes)
{
    const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/* One step of four such trees at once: lanes of the lower half of each pair come first. Blocks of 4 lanes: a = a0 a1 a2 a3 and so on. */
SLM_INLINE_AVX512VNNI void halves_avx512vnni(__m512 a, __m512 b, __m512 *low, __m512 *high)
{
    *low = _mm512_shuffle_f32x4(a, b, 0x44);  /* a0 a1 b0 b1 */
    *high = _mm512_shuffle_f32x4(a, b, 0xee); /* a2 a3 b2 b3 */
}

SLM_INLINE_AVX512VNNI void quarters_avx512vnni(__m512 a, __m512 b, __m512 *low, __m512 *high)
{
    *low = _mm512_shuffle_f32x4(a, b, 0x88);  /* a0 a2 b0 b2 */
    *high = _mm512_shuffle_f32x4(a, b, 0xdd); /* a1 a3 b1 b3 */
}

/* Lane i: tree16 of lanes[i]. */
SLM_INLINE_AVX512VNNI __m128 tree16_of_4_avx512vnni(const __m512 lanes[4])
{
    __m512 low[2], high[2];
    halves_avx512vnni(lanes[0], lanes[1], &low[0], &high[0]);
    halves_avx512vnni(lanes[2], lanes[3], &low[1], &high[1]);
    quarters_avx512vnni(_mm512_add_ps(low[0], high[0]), _mm512_add_ps(low[1], high[1]), &low[0], &high[0]);
    const __m512 four = _mm512_add_ps(low[0], high[0]);
    const __m512 two = _mm512_add_ps(four, _mm512_permute_ps(four, 0x0e));
    return _mm512_castps512_ps128(_mm512_maskz_compress_ps(0x1111, _mm512_add_ps(two, _mm512_movehdup_ps(two))));
}

/* Lane i: maximum16 of lanes[i]. */
SLM_INLINE_AVX512VNNI __m128 maximum16_of_4_avx512vnni(const __m512 lanes[4])
{
    __m512 low[2], high[2];
    halves_avx512vnni(lanes[0], lanes[1], &low[0], &high[0]);
    halves_avx512vnni(lanes[2], lanes[3], &low[1], &high[1]);
    quarters_avx512vnni(_mm512_max_ps(low[0], high[0]), _mm512_max_ps(low[1], high[1]), &low[0], &high[0]);
    const __m512 four = _mm512_max_ps(low[0], high[0]);
    const __m512 two = _mm512_max_ps(four, _mm512_permute_ps(four, 0x0e));
    return _mm512_castps512_ps128(_mm512_maskz_compress_ps(0x1111, _mm512_max_ps(two, _mm512_movehdup_ps(two))));
}

/* exp and tanh repeat poly_math.h operation by operation. */
SLM_INLINE_AVX512VNNI __m512 exp_avx512vnni(__m512 x)
{
    const __m512 round = _mm512_set1_ps(0x1.8p+23f);
    x = _mm512_max_ps(_mm512_set1_ps(-104.0f), x);
    x = _mm512_min_ps(_mm512_set1_ps(89.0f), x);
    const __m512 t = _mm512_fmadd_ps(x, _mm512_set1_ps(0x1.715476p+0f), round), n = _mm512_sub_ps(t, round);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0x1.62e43p-1f), x);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(0x1.05c61p-29f), r);
    __m512 p = _mm512_set1_ps(0x1.6a23cp-10f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.123a22p-7f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.5558f4p-5f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.555492p-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.fffffcp-2f));
    p = _mm512_add_ps(_mm512_fmadd_ps(p, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, n); /* one rounding, as the second of two exact multiplications has it */
}

SLM_INLINE_AVX512VNNI __m512 tanh_avx512vnni(__m512 x)
{
    const __m512 sign_bit = _mm512_set1_ps(-0.0f), one = _mm512_set1_ps(1.0f);
    const __m512 magnitude = _mm512_andnot_ps(sign_bit, x), square = _mm512_mul_ps(x, x);
    __m512 q = _mm512_set1_ps(-0x1.6a5278p-8f);
    q = _mm512_fmadd_ps(q, square, _mm512_set1_ps(0x1.4f9918p-6f));
    q = _mm512_fmadd_ps(q, square, _mm512_set1_ps(-0x1.b7da4ap-5f));
    q = _mm512_fmadd_ps(q, square, _mm512_set1_ps(0x1.11044ep-3f));
    q = _mm512_fmadd_ps(q, square, _mm512_set1_ps(-0x1.555526p-2f));
    const __m512 small = _mm512_fmadd_ps(_mm512_mul_ps(q, square), x, x);
    const __m512 exponential = exp_avx512vnni(_mm512_add_ps(magnitude, magnitude));
    const __m512 large = _mm512_sub_ps(one, _mm512_div_ps(_mm512_set1_ps(2.0f), _mm512_add_ps(exponential, one)));
    const __m512 signed_large = _mm512_or_ps(large, _mm512_and_ps(sign_bit, x));
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(magnitude, _mm512_set1_ps(0.625f), _CMP_LT_OQ), signed_large, small);
}

#endif
