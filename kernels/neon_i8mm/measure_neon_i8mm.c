/* SPDX-License-Identifier: MIT */
/* What the 8-bit matrix multiply could do at best: SMMLA in registers; i8 and i4 are the same work. */
#include "kernels/neon/simd_neon.h"              /* hold_neon */
#include "kernels/neon_i8mm/neon_i8mm_kernels.h" /* slm__peak_neon_i8mm */

enum { CHAINS_NEON_I8MM = 16 };

/* Sixteen independent instructions of 32 multiply-adds each per iteration. */
uint64_t slm__peak_neon_i8mm(uint32_t which, uint64_t iterations, uint32_t *sink)
{
    const int8x16_t u = vdupq_n_s8((int8_t)(which + 1)), v = vdupq_n_s8(3);
    int32x4_t chain[CHAINS_NEON_I8MM];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < CHAINS_NEON_I8MM; i++) {
        chain[i] = vdupq_n_s32((int32_t)i);
    }
    for (uint64_t n = 0; n < iterations; n++) {
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < CHAINS_NEON_I8MM; i++) {
            chain[i] = hold_neon(vmmlaq_s32(chain[i], u, v));
        }
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 1; i < CHAINS_NEON_I8MM; i++) {
        chain[0] = vaddq_s32(chain[0], chain[i]);
    }
    *sink = (uint32_t)vaddvq_s32(chain[0]);
    return iterations * CHAINS_NEON_I8MM * 32 * 2;
}
