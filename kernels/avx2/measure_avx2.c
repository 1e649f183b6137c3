/* SPDX-License-Identifier: MIT */
/* What AVX2 could do at best: the multiply-accumulate mixes of the i8 and the i4 kernel in registers, and reading without computing. Inline
 * assembly, since a compiler would see through the loops. */
#include "kernels/avx2/avx2_kernels.h" /* slm__peak_avx2, slm__read_avx2 */
#include <immintrin.h>

/* Six independent maddubs + paddw per iteration. */
static __m256i peak_i4_avx2(uint64_t iterations)
{
    const __m256i u = _mm256_set1_epi8(3), v = _mm256_set1_epi8(1);
    __m256i a0 = u, a1 = u, a2 = u, a3 = u, a4 = u, a5 = u, t0, t1, t2, t3, t4, t5;
    for (uint64_t i = 0; i < iterations; i++) {
        __asm__ volatile("vpmaddubsw %12, %13, %6\n\tvpmaddubsw %12, %13, %7\n\tvpmaddubsw %12, %13, %8\n\t"
                         "vpmaddubsw %12, %13, %9\n\tvpmaddubsw %12, %13, %10\n\tvpmaddubsw %12, %13, %11\n\t"
                         "vpaddw %6, %0, %0\n\tvpaddw %7, %1, %1\n\tvpaddw %8, %2, %2\n\t"
                         "vpaddw %9, %3, %3\n\tvpaddw %10, %4, %4\n\tvpaddw %11, %5, %5"
                         : "+x"(a0), "+x"(a1), "+x"(a2), "+x"(a3), "+x"(a4), "+x"(a5), "=&x"(t0), "=&x"(t1), "=&x"(t2), "=&x"(t3),
                           "=&x"(t4), "=&x"(t5)
                         : "x"(v), "x"(u));
    }
    return _mm256_xor_si256(_mm256_xor_si256(_mm256_xor_si256(a0, a1), _mm256_xor_si256(a2, a3)), _mm256_xor_si256(a4, a5));
}

/* Six independent sign + maddubs + madd + paddd per iteration. */
static __m256i peak_i8_avx2(uint64_t iterations)
{
    const __m256i u = _mm256_set1_epi8(3), v = _mm256_set1_epi8(1), ones = _mm256_set1_epi16(1);
    __m256i a0 = u, a1 = u, a2 = u, a3 = u, a4 = u, a5 = u, t0, t1, t2, t3, t4, t5;
    for (uint64_t i = 0; i < iterations; i++) {
        __asm__ volatile("vpsignb %13, %12, %6\n\tvpsignb %13, %12, %7\n\tvpsignb %13, %12, %8\n\t"
                         "vpsignb %13, %12, %9\n\tvpsignb %13, %12, %10\n\tvpsignb %13, %12, %11\n\t"
                         "vpmaddubsw %6, %13, %6\n\tvpmaddubsw %7, %13, %7\n\tvpmaddubsw %8, %13, %8\n\t"
                         "vpmaddubsw %9, %13, %9\n\tvpmaddubsw %10, %13, %10\n\tvpmaddubsw %11, %13, %11\n\t"
                         "vpmaddwd %14, %6, %6\n\tvpmaddwd %14, %7, %7\n\tvpmaddwd %14, %8, %8\n\t"
                         "vpmaddwd %14, %9, %9\n\tvpmaddwd %14, %10, %10\n\tvpmaddwd %14, %11, %11\n\t"
                         "vpaddd %6, %0, %0\n\tvpaddd %7, %1, %1\n\tvpaddd %8, %2, %2\n\t"
                         "vpaddd %9, %3, %3\n\tvpaddd %10, %4, %4\n\tvpaddd %11, %5, %5"
                         : "+x"(a0), "+x"(a1), "+x"(a2), "+x"(a3), "+x"(a4), "+x"(a5), "=&x"(t0), "=&x"(t1), "=&x"(t2), "=&x"(t3),
                           "=&x"(t4), "=&x"(t5)
                         : "x"(v), "x"(u), "x"(ones));
    }
    return _mm256_xor_si256(_mm256_xor_si256(_mm256_xor_si256(a0, a1), _mm256_xor_si256(a2, a3)), _mm256_xor_si256(a4, a5));
}

static uint32_t fold_avx2(__m256i value)
{
    const __m128i four = _mm_xor_si128(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
    const uint64_t two = (uint64_t)_mm_cvtsi128_si64(four) ^ (uint64_t)_mm_extract_epi64(four, 1);
    return (uint32_t)two ^ (uint32_t)(two >> 32);
}

/* Six instructions of 32 multiply-adds each. */
uint64_t slm__peak_avx2(uint32_t which, uint64_t iterations, uint32_t *sink)
{
    *sink = fold_avx2(which == 1 ? peak_i4_avx2(iterations) : peak_i8_avx2(iterations));
    return iterations * 6 * 32 * 2;
}

uint32_t slm__read_avx2(const void *data, size_t bytes)
{
    const uint8_t *at = data;
    __m256i sum[8];
    for (uint32_t i = 0; i < 8; i++) {
        sum[i] = _mm256_setzero_si256();
    }
    for (size_t i = 0; i < bytes; i += sizeof sum) {
        for (uint32_t j = 0; j < 8; j++) {
            sum[j] = _mm256_xor_si256(sum[j], _mm256_load_si256((const __m256i *)(const void *)(at + i + (size_t)32 * j)));
        }
    }
    for (uint32_t j = 1; j < 8; j++) {
        sum[0] = _mm256_xor_si256(sum[0], sum[j]);
    }
    return fold_avx2(sum[0]);
}
