/* SPDX-License-Identifier: MIT */
/* What AVX-VNNI could do at best: vpdpbusd of 32 multiply-adds in registers, for i8 and i4 alike. */
#include "kernels/avx2/simd_avx2.h"          /* SLM_INLINE_AVX2 */
#include "kernels/avxvnni/avxvnni_kernels.h" /* slm__peak_avxvnni */

SLM_INLINE_AVX2 __m256i xor4_avxvnni(__m256i a, __m256i b, __m256i c, __m256i d)
{
    return _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d));
}

/* Twelve independent vpdpbusd per iteration; inline assembly, since a compiler would see through the
 * loop or place it where it is fetched slowly. */
uint64_t slm__peak_avxvnni(uint32_t which, uint64_t iterations, uint32_t *sink)
{
    const __m256i u = _mm256_set1_epi8(which == 1 ? 15 : 127), v = _mm256_set1_epi8(1);
    __m256i a = u, b = u, c = u, d = u, e = u, f = u, g = u, h = u, i = u, j = u, k = u, l = u;
    uint64_t left = iterations;
    if (left > 0) {
        __asm__ volatile(".p2align 6\n1:\n\t"
                         "%{vex%} vpdpbusd %13, %14, %0\n\t"
                         "%{vex%} vpdpbusd %13, %14, %1\n\t"
                         "%{vex%} vpdpbusd %13, %14, %2\n\t"
                         "%{vex%} vpdpbusd %13, %14, %3\n\t"
                         "%{vex%} vpdpbusd %13, %14, %4\n\t"
                         "%{vex%} vpdpbusd %13, %14, %5\n\t"
                         "%{vex%} vpdpbusd %13, %14, %6\n\t"
                         "%{vex%} vpdpbusd %13, %14, %7\n\t"
                         "%{vex%} vpdpbusd %13, %14, %8\n\t"
                         "%{vex%} vpdpbusd %13, %14, %9\n\t"
                         "%{vex%} vpdpbusd %13, %14, %10\n\t"
                         "%{vex%} vpdpbusd %13, %14, %11\n\t"
                         "dec %12\n\tjnz 1b"
                         : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f), "+x"(g), "+x"(h), "+x"(i), "+x"(j), "+x"(k), "+x"(l),
                           "+r"(left)
                         : "x"(v), "x"(u)
                         : "cc");
    }
    const __m256i all = xor4_avxvnni(xor4_avxvnni(a, b, c, d), xor4_avxvnni(e, f, g, h), xor4_avxvnni(i, j, k, l), u);
    *sink = (uint32_t)_mm256_extract_epi32(all, 0) ^ (uint32_t)_mm256_extract_epi32(all, 7);
    return iterations * 12 * 32 * 2;
}
