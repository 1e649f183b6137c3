/* SPDX-License-Identifier: MIT */
/* What AVX512-VNNI could do at best: vpdpbusd in registers (i8 and i4 alike), and reading without computing. */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__peak_avx512vnni, slm__read_avx512vnni */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* SLM_UNROLL_AVX512VNNI */

SLM_INLINE_AVX512VNNI __m512i xor4_avx512vnni(__m512i a, __m512i b, __m512i c, __m512i d)
{
    return _mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d));
}

/* Exclusive or of the 16 lanes. */
static uint32_t fold_avx512vnni(__m512i v)
{
    const __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
    __m128i quarter = _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    quarter = _mm_xor_si128(quarter, _mm_shuffle_epi32(quarter, 0x4e));
    return (uint32_t)_mm_cvtsi128_si32(_mm_xor_si128(quarter, _mm_shuffle_epi32(quarter, 0xb1)));
}

/* Twelve independent vpdpbusd of 64 multiply-adds each per iteration; inline assembly, since a compiler would see through the
 * loop or place it where it is fetched slowly. */
uint64_t slm__peak_avx512vnni(uint32_t which, uint64_t iterations, uint32_t *sink)
{
    const __m512i u = _mm512_set1_epi8(which == 1 ? 15 : 127), v = _mm512_set1_epi8(1);
    __m512i a = u, b = u, c = u, d = u, e = u, f = u, g = u, h = u, i = u, j = u, k = u, l = u;
    uint64_t left = iterations;
    if (left > 0) {
        __asm__ volatile(".p2align 6\n1:\n\t"
                         "vpdpbusd %13, %14, %0\n\t"
                         "vpdpbusd %13, %14, %1\n\t"
                         "vpdpbusd %13, %14, %2\n\t"
                         "vpdpbusd %13, %14, %3\n\t"
                         "vpdpbusd %13, %14, %4\n\t"
                         "vpdpbusd %13, %14, %5\n\t"
                         "vpdpbusd %13, %14, %6\n\t"
                         "vpdpbusd %13, %14, %7\n\t"
                         "vpdpbusd %13, %14, %8\n\t"
                         "vpdpbusd %13, %14, %9\n\t"
                         "vpdpbusd %13, %14, %10\n\t"
                         "vpdpbusd %13, %14, %11\n\t"
                         "dec %12\n\tjnz 1b"
                         : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e), "+v"(f), "+v"(g), "+v"(h), "+v"(i), "+v"(j), "+v"(k), "+v"(l),
                           "+r"(left)
                         : "v"(v), "v"(u)
                         : "cc");
    }
    *sink = fold_avx512vnni(xor4_avx512vnni(xor4_avx512vnni(a, b, c, d), xor4_avx512vnni(e, f, g, h), xor4_avx512vnni(i, j, k, l), u));
    return iterations * 12 * 64 * 2;
}

uint32_t slm__read_avx512vnni(const void *data, size_t bytes)
{
    const uint8_t *at = data;
    __m512i sums[4];
    for (uint32_t j = 0; j < 4; j++) {
        sums[j] = _mm512_setzero_si512();
    }
    for (size_t i = 0; i < bytes; i += sizeof sums) {
        SLM_UNROLL_AVX512VNNI
        for (uint32_t j = 0; j < 4; j++) {
            sums[j] = _mm512_xor_si512(sums[j], _mm512_loadu_si512(at + i + (size_t)64 * j));
        }
    }
    return fold_avx512vnni(xor4_avx512vnni(sums[0], sums[1], sums[2], sums[3]));
}
