/* SPDX-License-Identifier: MIT */
/*
 * exp, tanh, erf, log, sine and cosine as polynomials, so that results do not depend on the machine's libm: only IEEE add, multiply,
 * divide and fused multiply-add, each rounded once, in the order written here. Vector tiers repeat the f32 functions operation by
 * operation. tests/kernels/check_poly_math.c measures the errors stated below.
 */
#ifndef SLM_KERNELS_POLY_MATH_H
#define SLM_KERNELS_POLY_MATH_H

#include "kernels/half_bits.h" /* slm__f32_bits */
#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t slm__f64_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double slm__f64_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* e^x for every x, error below 1 ulp (subnormal results: 1 unit of 2^-149). x is clamped to [-104, 89], where the result rounds to 0 and
 * overflows to infinity by itself; a NaN passes the clamps. x = n ln 2 + r, |r| <= ln 2 / 2; adding 1.5 * 2^23 rounds n to the low bits
 * of t; 2^n is applied in two halves, so that overflow and subnormals round once. */
static inline float slm__expf(float x)
{
    x = -104.0f > x ? -104.0f : x;
    x = 89.0f < x ? 89.0f : x;
    const float t = fmaf(x, 0x1.715476p+0f, 0x1.8p+23f);
    const float n = t - 0x1.8p+23f;
    float r = fmaf(n, -0x1.62e43p-1f, x);
    r = fmaf(n, 0x1.05c61p-29f, r);
    float p = 0x1.6a23cp-10f;
    p = fmaf(p, r, 0x1.123a22p-7f);
    p = fmaf(p, r, 0x1.5558f4p-5f);
    p = fmaf(p, r, 0x1.555492p-3f);
    p = fmaf(p, r, 0x1.fffffcp-2f);
    p = fmaf(p, r * r, r) + 1.0f;
    const uint32_t biased = slm__f32_bits(t) - (0x4b400000u - 254u); /* n + 254 */
    const uint32_t first = biased >> 1, second = biased - first;
    return p * slm__f32_of_bits(first << 23) * slm__f32_of_bits(second << 23);
}

/* tanh x, error below 2 ulp: x + x^3 Q(x^2) below 0.625, else 1 - 2 / (e^2|x| + 1) with the sign of x. */
static inline float slm__tanhf(float x)
{
    const float magnitude = slm__f32_of_bits(slm__f32_bits(x) & 0x7fffffffu);
    const float square = x * x;
    float q = -0x1.6a5278p-8f;
    q = fmaf(q, square, 0x1.4f9918p-6f);
    q = fmaf(q, square, -0x1.b7da4ap-5f);
    q = fmaf(q, square, 0x1.11044ep-3f);
    q = fmaf(q, square, -0x1.555526p-2f);
    const float small = fmaf(q * square, x, x);
    const float large = 1.0f - 2.0f / (slm__expf(magnitude + magnitude) + 1.0f);
    const float signed_large = slm__f32_of_bits(slm__f32_bits(large) | (slm__f32_bits(x) & 0x80000000u));
    return magnitude < 0.625f ? small : signed_large;
}

/* erf x, error below 2 ulp: x + x Q(x^2) below 0.925, else 1 - e^(m P(m)) with m = min(|x|, 4) and the sign of x; both fitted for the least
 * largest error. */
static inline float slm__erff(float x)
{
    const float magnitude = slm__f32_of_bits(slm__f32_bits(x) & 0x7fffffffu);
    const float square = x * x, m = 4.0f < magnitude ? 4.0f : magnitude;
    static const float q_terms[] = {0x1.470dbcp-8f, -0x1.b683ap-6f, 0x1.ce19e6p-4f, -0x1.8126e2p-2f, 0x1.06eba6p-3f};
    static const float p_terms[] = {0x1.548076p-12f, -0x1.de7334p-9f, 0x1.8596c0p-6f, -0x1.b3399ap-4f, -0x1.453108p-1f, -0x1.20ef4cp+0f};
    float q = -0x1.395a2p-11f, p = -0x1.7f4ef2p-17f;
    for (unsigned i = 0; i < sizeof q_terms / sizeof q_terms[0]; i++) {
        q = fmaf(q, square, q_terms[i]);
    }
    for (unsigned i = 0; i < sizeof p_terms / sizeof p_terms[0]; i++) {
        p = fmaf(p, m, p_terms[i]);
    }
    const float small = fmaf(q, x, x);
    const float large = 1.0f - slm__expf(p * m);
    const float signed_large = slm__f32_of_bits(slm__f32_bits(large) | (slm__f32_bits(x) & 0x80000000u));
    return magnitude < 0.925f ? small : signed_large;
}

/* e^x, error below 1 ulp; the structure of slm__expf with the series to r^13 (|r| <= 0.347: remainder 4e-18). */
static inline double slm__exp64(double x)
{
    x = -746.0 > x ? -746.0 : x;
    x = 710.0 < x ? 710.0 : x;
    const double t = fma(x, 0x1.71547652b82fep+0, 0x1.8p+52);
    const double n = t - 0x1.8p+52;
    double r = fma(n, -0x1.62e42fefa39efp-1, x);
    r = fma(n, -0x1.abc9e3b39803fp-56, r);
    static const double inverse_factorial[] = {1.0 / 479001600.0,
                                               1.0 / 39916800.0,
                                               1.0 / 3628800.0,
                                               1.0 / 362880.0,
                                               1.0 / 40320.0,
                                               1.0 / 5040.0,
                                               1.0 / 720.0,
                                               1.0 / 120.0,
                                               1.0 / 24.0,
                                               1.0 / 6.0,
                                               0.5};
    double p = 1.0 / 6227020800.0;
    for (unsigned i = 0; i < sizeof inverse_factorial / sizeof inverse_factorial[0]; i++) {
        p = fma(p, r, inverse_factorial[i]);
    }
    p = fma(p, r * r, r) + 1.0;
    const uint64_t biased = slm__f64_bits(t) - (0x4338000000000000u - 2046u); /* n + 2046 */
    const uint64_t first = biased >> 1, second = biased - first;
    return p * slm__f64_of_bits(first << 52) * slm__f64_of_bits(second << 52);
}

/* ln x, error below 1 ulp. x = m 2^n with m in [sqrt 1/2, sqrt 2); with f = m - 1 and s = f / (2 + f):
 * ln m = f - (f^2 / 2 - s (f^2 / 2 + R)), R = sum over k of 2 s^2k / (2k + 1), to k = 11 (s^2 <= 0.0295: remainder below 1e-18).
 * ln 0 = -infinity, ln of a negative number = NaN. */
static inline double slm__log64(double x)
{
    if (!(x > 0.0) || x > 0x1.fffffffffffffp+1023) {
        return x == 0.0 ? -HUGE_VAL : x > 0.0 ? x : slm__f64_of_bits(0x7ff8000000000000u);
    }
    const double scaled = x < 0x1p-1022 ? x * 0x1p54 : x, subtract = x < 0x1p-1022 ? 1023.0 + 54.0 : 1023.0;
    const uint64_t bits = slm__f64_bits(scaled) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu); /* carries at sqrt 1/2 */
    const double n = (double)(bits >> 52) - subtract;
    const double f = slm__f64_of_bits((bits & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    const double s = f / (2.0 + f), z = s * s, half_square = 0.5 * f * f;
    static const double odd[] = {2.0 / 21.0, 2.0 / 19.0, 2.0 / 17.0, 2.0 / 15.0, 2.0 / 13.0,
                                 2.0 / 11.0, 2.0 / 9.0,  2.0 / 7.0,  2.0 / 5.0,  2.0 / 3.0};
    double series = 2.0 / 23.0;
    for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        series = fma(series, z, odd[i]);
    }
    const double tail = fma(s, half_square + series * z, n * 0x1.ef35793c76730p-45);
    return fma(n, 0x1.62e42fefa3800p-1, f - (half_square - tail));
}

/* sin r and cos r of r + low, |r| <= 0.79: series to r^17 and r^18 (remainders below 1e-19). */
static inline double slm__sin_kernel(double r, double low)
{
    const double z = r * r;
    static const double term[] = {-1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0,
                                  -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0};
    double p = 1.0 / 355687428096000.0;
    for (unsigned i = 0; i < sizeof term / sizeof term[0]; i++) {
        p = fma(p, z, term[i]);
    }
    return r + fma(p * z, r, fma(-0.5 * z, low, low));
}

static inline double slm__cos_kernel(double r, double low)
{
    const double z = r * r;
    static const double term[] = {1.0 / 20922789888000.0, -1.0 / 87178291200.0, 1.0 / 479001600.0, -1.0 / 3628800.0,
                                  1.0 / 40320.0,          -1.0 / 720.0,         1.0 / 24.0};
    double p = -1.0 / 6402373705728000.0;
    for (unsigned i = 0; i < sizeof term / sizeof term[0]; i++) {
        p = fma(p, z, term[i]);
    }
    const double half = 0.5 * z, one = 1.0 - half;
    return one + fma(p, z * z, ((1.0 - one) - half) - r * low);
}

/* sin x and cos x for |x| < 2^40, error below 1 ulp + 2^-90 absolute; beyond that, and for NaN, both are NaN. x = n pi/2 + r + low:
 * n pi/2 in three parts of 53 bits; x - n * part 1 is exact (a multiple of 2^-53 below 1), the second is subtracted with its error kept. */
static inline void slm__sincos64(double x, double *sine, double *cosine)
{
    if (!(x < 0x1p40 && x > -0x1p40)) {
        *sine = *cosine = slm__f64_of_bits(0x7ff8000000000000u);
        return;
    }
    const double t = fma(x, 0x1.45f306dc9c883p-1, 0x1.8p+52), n = t - 0x1.8p+52;
    const double near = fma(n, -0x1.921fb54442d18p+0, x);
    const double second = n * 0x1.1a62633145c07p-54, second_low = fma(n, 0x1.1a62633145c07p-54, -second);
    const double r = near - second;
    const double back = near - r; /* two-sum of near and -second, whichever is larger */
    const double error = (near - (r + back)) + (back - second);
    const double low = error - fma(n, -0x1.f1976b7ed8fbcp-110, second_low);
    const double s = slm__sin_kernel(r, low), c = slm__cos_kernel(r, low);
    const uint64_t quadrant = slm__f64_bits(t) & 3u;
    const double first = quadrant & 1u ? c : s, other = quadrant & 1u ? s : c;
    *sine = quadrant & 2u ? -first : first;
    *cosine = quadrant == 1u || quadrant == 2u ? -other : other;
}

#endif
