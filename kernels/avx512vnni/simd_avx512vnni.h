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

#endif
