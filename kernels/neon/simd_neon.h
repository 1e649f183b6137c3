/* SPDX-License-Identifier: MIT */
/* Four lanes of f32: the shared steps of the AArch64 kernels. exp and tanh repeat poly_math.h operation by operation. The maximum
 * instruction of NEON gives a NaN where larger() of the specification gives its second operand, so clamps and maxima compare and select. */
#ifndef SLM_KERNELS_SIMD_NEON_H
#define SLM_KERNELS_SIMD_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Functions with constant counts must be inlined and their loops unrolled, or arrays of registers become memory. */
#define SLM_INLINE_NEON static inline __attribute__((always_inline))
#if defined(__clang__)
#  define SLM_UNROLL_NEON _Pragma("clang loop unroll(full)")
#else
#  define SLM_UNROLL_NEON _Pragma("GCC unroll 32")
#endif

/* Makes the compiler forget what it knows of a value: keeps a chain of integer sums in its order, which else would need every product in a
 * register at once, and loops that measure as they are. */
SLM_INLINE_NEON int32x4_t hold_neon(int32x4_t value)
{
    __asm__("" : "+w"(value));
    return value;
}

SLM_INLINE_NEON int16x8_t hold_wide_neon(int16x8_t value)
{
    __asm__("" : "+w"(value));
    return value;
}

/* No load is moved over this point, none is kept for use behind it. Between two parts of a group that read the same bytes: a compiler
 * that sees them all holds what it has loaded in registers, and puts the sums on the stack. */
SLM_INLINE_NEON void load_afresh_neon(void) { __asm__ volatile("" ::: "memory"); }

/* Has gcc compute the value here, before what lies behind a load_afresh_neon(). Clang keeps its sums in registers better without. */
SLM_INLINE_NEON float32x4_t settle_neon(float32x4_t value)
{
#if !defined(__clang__)
    __asm__ volatile("" : "+w"(value));
#endif
    return value;
}

/* Ask for the line that lies `ahead` bytes behind `at`. A hint: the address may be outside of every buffer and is never read. */
SLM_INLINE_NEON void prefetch_neon(const void *at, size_t ahead) { __builtin_prefetch((const void *)((uintptr_t)at + ahead)); }

/* A quad of packed activations, in every 32-bit lane */
SLM_INLINE_NEON int8x16_t broadcast_quad_neon(const uint8_t *at)
{
    return vreinterpretq_s8_s32(vld1q_dup_s32((const int32_t *)(const void *)at));
}

SLM_INLINE_NEON float broadcast_f32_neon(const uint8_t *at)
{
    float value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* 4 halves, exactly */
SLM_INLINE_NEON float32x4_t load_f16_neon(const uint16_t *at) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(at))); }

SLM_INLINE_NEON float32x4_t load_bf16_neon(const uint16_t *at) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(at), 16)); }

/* 4 bytes at any address as 16-bit numbers */
SLM_INLINE_NEON uint16x4_t widen_four_neon(const uint8_t *at)
{
    uint32_t four;
    memcpy(&four, at, sizeof four);
    return vget_low_u16(vmovl_u8(vcreate_u8(four)));
}

SLM_INLINE_NEON int16x4_t widen_four_signed_neon(const uint8_t *at)
{
    uint32_t four;
    memcpy(&four, at, sizeof four);
    return vget_low_s16(vmovl_s8(vcreate_s8(four)));
}

/* f32 bits = (u8 << 19) + (111 << 23), 4 rows */
SLM_INLINE_NEON float32x4_t scale_i4_neon(uint16x4_t scale)
{
    return vreinterpretq_f32_u32(vaddq_u32(vshlq_n_u32(vmovl_u16(scale), 19), vdupq_n_u32(111u << 23)));
}

/* The negated sums of packed columns, of which there are `count` from x_sums on: those of columns c / 4 * 4 .. + 3, but the last four
 * end with the last column. What lies before the first column belongs to the packed group, even when that is the only one. */
SLM_INLINE_NEON uint32_t first_sum_neon(uint32_t count, uint32_t c) { return c / 4 * 4 + 4 > count ? count - 4u : c / 4 * 4; }

SLM_INLINE_NEON int16x8_t load_sums_neon(const uint8_t *x_sums, uint32_t count, uint32_t c)
{
    return vreinterpretq_s16_u8(vld1q_u8(x_sums + 4 * (int32_t)first_sum_neon(count, c)));
}

/* 4 zeros x the negated sum of column c, an int32 within +-4064, so that its low half is all of it. */
SLM_INLINE_NEON int32x4_t multiply_sum_neon(int16x4_t zero, const uint8_t *x_sums, uint32_t count, uint32_t c)
{
    const int16x8_t sums = load_sums_neon(x_sums, count, c);
    switch (c - first_sum_neon(count, c)) {
    case 0: return vmull_laneq_s16(zero, sums, 0);
    case 1: return vmull_laneq_s16(zero, sums, 2);
    case 2: return vmull_laneq_s16(zero, sums, 4);
    default: return vmull_laneq_s16(zero, sums, 6);
    }
}

/* The same added to dots. */
SLM_INLINE_NEON int32x4_t add_sum_neon(int32x4_t dots, int16x4_t zero, const uint8_t *x_sums, uint32_t count, uint32_t c)
{
    const int16x8_t sums = load_sums_neon(x_sums, count, c);
    switch (c - first_sum_neon(count, c)) {
    case 0: return vmlal_laneq_s16(dots, zero, sums, 0);
    case 1: return vmlal_laneq_s16(dots, zero, sums, 2);
    case 2: return vmlal_laneq_s16(dots, zero, sums, 4);
    default: return vmlal_laneq_s16(dots, zero, sums, 6);
    }
}

/* Elements i .. min(i + 4, n), zeros behind. */
SLM_INLINE_NEON float32x4_t load_row_neon(const float *x, uint32_t i, uint32_t n)
{
    float rest[4] = {0};
    if (n - i >= 4) {
        return vld1q_f32(x + i);
    }
    memcpy(rest, x + i, (n - i) * sizeof rest[0]);
    return vld1q_f32(rest);
}

SLM_INLINE_NEON void store_row_neon(float *y, uint32_t i, uint32_t n, float32x4_t value)
{
    float rest[4];
    if (n - i >= 4) {
        vst1q_f32(y + i, value);
    } else {
        vst1q_f32(rest, value);
        memcpy(y + i, rest, (n - i) * sizeof rest[0]);
    }
}

/* a x[lane] + sum, rounded once; `lane` is a constant after inlining. */
SLM_INLINE_NEON float32x4_t fma_lane_neon(float32x4_t sum, float32x4_t a, float32x4_t x, uint32_t lane)
{
    switch (lane) {
    case 0: return vfmaq_laneq_f32(sum, a, x, 0);
    case 1: return vfmaq_laneq_f32(sum, a, x, 1);
    case 2: return vfmaq_laneq_f32(sum, a, x, 2);
    default: return vfmaq_laneq_f32(sum, a, x, 3);
    }
}

/* a > b ? a : b in each lane */
SLM_INLINE_NEON float32x4_t larger_neon(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }

/* tree16 over lanes 0-3, 4-7, 8-11, 12-15 */
SLM_INLINE_NEON float tree16_neon(const float32x4_t lane[4])
{
    const float32x4_t four = vaddq_f32(vaddq_f32(lane[0], lane[2]), vaddq_f32(lane[1], lane[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

/* the same with larger(v[i], v[i + width]) */
SLM_INLINE_NEON float maximum16_neon(const float32x4_t lane[4])
{
    const float32x4_t four = larger_neon(larger_neon(lane[0], lane[2]), larger_neon(lane[1], lane[3]));
    const float32x2_t low = vget_low_f32(four), high = vget_high_f32(four);
    const float32x2_t two = vbsl_f32(vcgt_f32(low, high), low, high);
    const float first = vget_lane_f32(two, 0), second = vget_lane_f32(two, 1);
    return first > second ? first : second;
}

SLM_INLINE_NEON float32x4_t exp_neon(float32x4_t x)
{
    const float32x4_t round = vdupq_n_f32(0x1.8p+23f), least = vdupq_n_f32(-104.0f), most = vdupq_n_f32(89.0f);
    x = vbslq_f32(vcgtq_f32(least, x), least, x);
    x = vbslq_f32(vcltq_f32(most, x), most, x);
    const float32x4_t t = vfmaq_f32(round, x, vdupq_n_f32(0x1.715476p+0f)), n = vsubq_f32(t, round);
    float32x4_t r = vfmaq_f32(x, n, vdupq_n_f32(-0x1.62e43p-1f));
    r = vfmaq_f32(r, n, vdupq_n_f32(0x1.05c61p-29f));
    float32x4_t p = vdupq_n_f32(0x1.6a23cp-10f);
    p = vfmaq_f32(vdupq_n_f32(0x1.123a22p-7f), p, r);
    p = vfmaq_f32(vdupq_n_f32(0x1.5558f4p-5f), p, r);
    p = vfmaq_f32(vdupq_n_f32(0x1.555492p-3f), p, r);
    p = vfmaq_f32(vdupq_n_f32(0x1.fffffcp-2f), p, r);
    p = vaddq_f32(vfmaq_f32(r, p, vmulq_f32(r, r)), vdupq_n_f32(1.0f));
    const uint32x4_t biased = vsubq_u32(vreinterpretq_u32_f32(t), vdupq_n_u32(0x4b400000u - 254u));
    const uint32x4_t first = vshrq_n_u32(biased, 1), second = vsubq_u32(biased, first);
    p = vmulq_f32(p, vreinterpretq_f32_u32(vshlq_n_u32(first, 23)));
    return vmulq_f32(p, vreinterpretq_f32_u32(vshlq_n_u32(second, 23)));
}

SLM_INLINE_NEON float32x4_t tanh_neon(float32x4_t x)
{
    const float32x4_t one = vdupq_n_f32(1.0f), magnitude = vabsq_f32(x), square = vmulq_f32(x, x);
    float32x4_t q = vdupq_n_f32(-0x1.6a5278p-8f);
    q = vfmaq_f32(vdupq_n_f32(0x1.4f9918p-6f), q, square);
    q = vfmaq_f32(vdupq_n_f32(-0x1.b7da4ap-5f), q, square);
    q = vfmaq_f32(vdupq_n_f32(0x1.11044ep-3f), q, square);
    q = vfmaq_f32(vdupq_n_f32(-0x1.555526p-2f), q, square);
    const float32x4_t small = vfmaq_f32(x, vmulq_f32(q, square), x);
    const float32x4_t exponential = exp_neon(vaddq_f32(magnitude, magnitude));
    const float32x4_t large = vsubq_f32(one, vdivq_f32(vdupq_n_f32(2.0f), vaddq_f32(exponential, one)));
    const uint32x4_t sign = vandq_u32(vreinterpretq_u32_f32(x), vdupq_n_u32(0x80000000u));
    const float32x4_t signed_large = vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(large), sign));
    return vbslq_f32(vcltq_f32(magnitude, vdupq_n_f32(0.625f)), small, signed_large);
}

SLM_INLINE_NEON float32x4_t erf_neon(float32x4_t x)
{
    const float32x4_t magnitude = vabsq_f32(x), square = vmulq_f32(x, x), m = vminq_f32(vdupq_n_f32(4.0f), magnitude);
    float32x4_t q = vdupq_n_f32(-0x1.395a2p-11f);
    q = vfmaq_f32(vdupq_n_f32(0x1.470dbcp-8f), q, square);
    q = vfmaq_f32(vdupq_n_f32(-0x1.b683ap-6f), q, square);
    q = vfmaq_f32(vdupq_n_f32(0x1.ce19e6p-4f), q, square);
    q = vfmaq_f32(vdupq_n_f32(-0x1.8126e2p-2f), q, square);
    q = vfmaq_f32(vdupq_n_f32(0x1.06eba6p-3f), q, square);
    const float32x4_t small = vfmaq_f32(x, q, x);
    float32x4_t p = vdupq_n_f32(-0x1.7f4ef2p-17f);
    p = vfmaq_f32(vdupq_n_f32(0x1.548076p-12f), p, m);
    p = vfmaq_f32(vdupq_n_f32(-0x1.de7334p-9f), p, m);
    p = vfmaq_f32(vdupq_n_f32(0x1.8596c0p-6f), p, m);
    p = vfmaq_f32(vdupq_n_f32(-0x1.b3399ap-4f), p, m);
    p = vfmaq_f32(vdupq_n_f32(-0x1.453108p-1f), p, m);
    p = vfmaq_f32(vdupq_n_f32(-0x1.20ef4cp+0f), p, m);
    const float32x4_t large = vsubq_f32(vdupq_n_f32(1.0f), exp_neon(vmulq_f32(p, m)));
    const uint32x4_t sign = vandq_u32(vreinterpretq_u32_f32(x), vdupq_n_u32(0x80000000u));
    const float32x4_t signed_large = vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(large), sign));
    return vbslq_f32(vcltq_f32(magnitude, vdupq_n_f32(0.925f)), small, signed_large);
}

#endif
