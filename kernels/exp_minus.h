/* SPDX-License-Identifier: MIT */
/*
 * e^-x for x >= 0, for the passes over a whole vocabulary: 150 000 times a token. Plain multiplications and additions in a fixed order: the
 * same bits everywhere, and unlike a fused multiply-add never a function call, so that compilers use the vectors of the baseline.
 */
#ifndef SLM_KERNELS_EXP_MINUS_H
#define SLM_KERNELS_EXP_MINUS_H

#include <stdint.h>
#include <string.h> /* memcpy */

/*
 * Error below 2 ulp for 0 <= x <= 80 (x not -0), exactly 1 at 0. Above 80, also at infinity, it is e^-80 = 2e-35: next to a term e^0 = 1
 * that changes no sum in double, however large the vocabulary.
 *
 * -x = n ln 2 + r, |r| <= 0.35. Adding 1.5 * 2^23 rounds n to the low bits of t. ln 2 is split so that its first part has 9 bits and its
 * product with n (at most 7 bits) is exact. e^r is the polynomial of slm__expf (kernels/poly_math.h).
 */
static inline float slm__exp_minus(float x)
{
    int32_t x_bits;
    memcpy(&x_bits, &x, sizeof x_bits);
    x_bits = x_bits < 0x42a00000 ? x_bits : 0x42a00000; /* 80: floats >= 0 are ordered as their bits; gcc makes vectors only of this */
    memcpy(&x, &x_bits, sizeof x);
    const float t = x * -0x1.715476p+0f + 0x1.8p+23f;
    const float n = t - 0x1.8p+23f;
    float r = n * -0x1.63p-1f - x;
    r = r - n * -0x1.bd0106p-13f;
    float p = 0x1.6a23cp-10f;
    p = p * r + 0x1.123a22p-7f;
    p = p * r + 0x1.5558f4p-5f;
    p = p * r + 0x1.555492p-3f;
    p = p * r + 0x1.fffffcp-2f;
    p = (p * (r * r) + r) + 1.0f;
    uint32_t bits;
    memcpy(&bits, &t, sizeof bits);
    bits = (bits - 0x4b400000u + 127u) << 23; /* of 2^n */
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

/* The end of sum_exp: elements [from, n), from a multiple of 16, are added to the lanes, then the lanes by halves. */
static inline double slm__sum_exp_end(double lanes[16], const float *x, float max, uint32_t from, uint32_t n)
{
    for (uint32_t i = from; i < n; i++) {
        lanes[i % 16] += (double)slm__exp_minus(max - x[i]);
    }
    for (uint32_t half = 8; half > 0; half /= 2) {
        for (uint32_t i = 0; i < half; i++) {
            lanes[i] += lanes[i + half];
        }
    }
    return lanes[0];
}

#endif
