/* SPDX-License-Identifier: MIT */
/* What plain NEON could do at best: the multiply-accumulate mixes of the i8 and the i4 kernel in registers, and reading without
 * computing. */
#include "kernels/neon/neon_kernels.h" /* slm__peak_neon, slm__read_neon */
#include "kernels/neon/simd_neon.h"    /* hold_neon, hold_wide_neon */

enum { CHAINS_NEON = 8, READ_NEON = 16 };

/* Eight multiply-adds of 8 products each per iteration. */
static void peak_i4_neon(uint64_t iterations, int32x4_t sums[CHAINS_NEON])
{
    int8x8_t u = vdup_n_s8(3), v = vdup_n_s8(1);
    int16x8_t chain[CHAINS_NEON];
    for (uint32_t i = 0; i < CHAINS_NEON; i++) {
        chain[i] = vdupq_n_s16((int16_t)i);
    }
    for (uint64_t n = 0; n < iterations; n++) {
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < CHAINS_NEON; i++) {
            chain[i] = hold_wide_neon(vmlal_s8(chain[i], u, v));
        }
    }
    for (uint32_t i = 0; i < CHAINS_NEON; i++) {
        sums[i] = vreinterpretq_s32_s16(chain[i]);
    }
}

/* Eight times multiply, multiply-add, add pairs: 16 products each per iteration. */
static void peak_i8_neon(uint64_t iterations, int32x4_t sums[CHAINS_NEON])
{
    int8x8_t u = vdup_n_s8(3), v = vdup_n_s8(1);
    for (uint32_t i = 0; i < CHAINS_NEON; i++) {
        sums[i] = vdupq_n_s32((int32_t)i);
    }
    for (uint64_t n = 0; n < iterations; n++) {
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < CHAINS_NEON; i++) {
            const int16x8_t products = vmlal_s8(hold_wide_neon(vmull_s8(u, v)), u, v);
            sums[i] = hold_neon(vpadalq_s16(sums[i], hold_wide_neon(products)));
        }
    }
}

static uint32_t fold_neon(const int32x4_t *values, uint32_t count)
{
    int32x4_t all = values[0];
    for (uint32_t i = 1; i < count; i++) {
        all = veorq_s32(all, values[i]);
    }
    const uint64x2_t two = vreinterpretq_u64_s32(all);
    const uint64_t one = vgetq_lane_u64(two, 0) ^ vgetq_lane_u64(two, 1);
    return (uint32_t)one ^ (uint32_t)(one >> 32);
}

uint64_t slm__peak_neon(uint32_t which, uint64_t iterations, uint32_t *sink)
{
    int32x4_t sums[CHAINS_NEON];
    if (which == 1) {
        peak_i4_neon(iterations, sums);
    } else {
        peak_i8_neon(iterations, sums);
    }
    *sink = fold_neon(sums, CHAINS_NEON);
    return iterations * CHAINS_NEON * (which == 1 ? 8 : 16) * 2;
}

uint32_t slm__read_neon(const void *data, size_t bytes)
{
    const int32_t *at = data;
    int32x4_t sums[READ_NEON];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < READ_NEON; i++) {
        sums[i] = vdupq_n_s32(0);
    }
    for (size_t n = 0; n < bytes / sizeof sums; n++, at += 4 * READ_NEON) {
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < READ_NEON; i++) {
            sums[i] = veorq_s32(sums[i], vld1q_s32(at + 4 * i));
        }
    }
    return fold_neon(sums, READ_NEON);
}
