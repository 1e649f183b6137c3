/* SPDX-License-Identifier: MIT */
/* The sum under a softmax over a vocabulary, 16 at a time. */
#include "kernels/exp_minus.h"         /* slm__sum_exp_end */
#include "kernels/neon/neon_kernels.h" /* slm__sum_exp_neon */
#include "kernels/neon/simd_neon.h"    /* SLM_INLINE_NEON */

/* slm__exp_minus(), operation by operation. */
SLM_INLINE_NEON float32x4_t exp_minus_neon(float32x4_t x)
{
    x = vreinterpretq_f32_s32(vminq_s32(vreinterpretq_s32_f32(x), vdupq_n_s32(0x42a00000)));
    const float32x4_t shift = vdupq_n_f32(0x1.8p+23f);
    const float32x4_t t = vaddq_f32(vmulq_n_f32(x, -0x1.715476p+0f), shift), n = vsubq_f32(t, shift);
    float32x4_t r = vsubq_f32(vmulq_n_f32(n, -0x1.63p-1f), x);
    r = vsubq_f32(r, vmulq_n_f32(n, -0x1.bd0106p-13f));
    float32x4_t p = vdupq_n_f32(0x1.6a23cp-10f);
    p = vaddq_f32(vmulq_f32(p, r), vdupq_n_f32(0x1.123a22p-7f));
    p = vaddq_f32(vmulq_f32(p, r), vdupq_n_f32(0x1.5558f4p-5f));
    p = vaddq_f32(vmulq_f32(p, r), vdupq_n_f32(0x1.555492p-3f));
    p = vaddq_f32(vmulq_f32(p, r), vdupq_n_f32(0x1.fffffcp-2f));
    p = vaddq_f32(vaddq_f32(vmulq_f32(p, vmulq_f32(r, r)), r), vdupq_n_f32(1.0f));
    const int32x4_t power = vshlq_n_s32(vaddq_s32(vreinterpretq_s32_f32(t), vdupq_n_s32(127 - 0x4b400000)), 23);
    return vmulq_f32(p, vreinterpretq_f32_s32(power));
}

double slm__sum_exp_neon(const float *x, float max, uint32_t n)
{
    double lanes[16];
    float64x2_t sums[8];
    uint32_t i = 0;
    SLM_UNROLL_NEON
    for (uint32_t j = 0; j < 8; j++) {
        sums[j] = vdupq_n_f64(0.0);
    }
    for (; n - i >= 16; i += 16) {
        SLM_UNROLL_NEON
        for (uint32_t j = 0; j < 4; j++) {
            const float32x4_t term = exp_minus_neon(vsubq_f32(vdupq_n_f32(max), vld1q_f32(x + i + 4 * j)));
            sums[2 * j] = vaddq_f64(sums[2 * j], vcvt_f64_f32(vget_low_f32(term)));
            sums[2 * j + 1] = vaddq_f64(sums[2 * j + 1], vcvt_high_f64_f32(term));
        }
    }
    SLM_UNROLL_NEON
    for (uint32_t j = 0; j < 8; j++) {
        vst1q_f64(lanes + 2 * j, sums[j]);
    }
    return slm__sum_exp_end(lanes, x, max, i, n);
}
