/* SPDX-License-Identifier: MIT */
/* Half precision by bits: f16 and bf16 to f32 (exact) and back (round to nearest, ties to even). No intrinsics, so that every tier and
 * every compiler gives what F16C gives: subnormals are exact, overflow is infinity, a NaN stays a NaN and becomes quiet. */
#ifndef SLM_KERNELS_HALF_BITS_H
#define SLM_KERNELS_HALF_BITS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t slm__f32_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float slm__f32_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float slm__f16_to_f32(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t body = (uint32_t)(half & 0x7fffu) << 13, exponent = body & 0x0f800000u;
    if (exponent == 0x0f800000u) {
        const uint32_t quiet = body > 0x0f800000u ? 0x00400000u : 0u;
        return slm__f32_of_bits(sign | (body + (112u << 23) + (112u << 23)) | quiet);
    }
    if (exponent == 0) { /* m * 2^-24: put m into the fraction of 2^-14 and take 2^-14 away, exactly */
        const float magnitude = slm__f32_of_bits(body + (113u << 23)) - 0x1p-14f;
        return slm__f32_of_bits(sign | slm__f32_bits(magnitude));
    }
    return slm__f32_of_bits(sign | (body + (112u << 23)));
}

/* magnitude: f32 bits below 2^-14. The unit of a subnormal half is 2^-24; the significand is shifted down to it and rounded. */
static inline uint32_t slm__f16_subnormal_bits(uint32_t magnitude)
{
    const uint32_t exponent = magnitude >> 23;
    if (exponent < 102) { /* below 2^-25: rounds to zero */
        return 0;
    }
    const uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u, shift = 126u - exponent;
    const uint32_t whole = significand >> shift, rest = significand & ((1u << shift) - 1u), half = 1u << (shift - 1u);
    return whole + (rest > half || (rest == half && (whole & 1u)) ? 1u : 0u);
}

static inline uint16_t slm__f32_to_f16(float value)
{
    const uint32_t bits = slm__f32_bits(value), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        return (uint16_t)(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
    }
    if (magnitude >= 0x477ff000u) { /* 65520 and more */
        return (uint16_t)(sign | 0x7c00u);
    }
    if (magnitude < 0x38800000u) { /* below 2^-14 */
        return (uint16_t)(sign | slm__f16_subnormal_bits(magnitude));
    }
    return (uint16_t)(sign | (((magnitude + 0xfffu + ((magnitude >> 13) & 1u)) >> 13) - (112u << 10)));
}

static inline float slm__bf16_to_f32(uint16_t half) { return slm__f32_of_bits((uint32_t)half << 16); }

static inline uint16_t slm__f32_to_bf16(float value)
{
    const uint32_t bits = slm__f32_bits(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return (uint16_t)((bits >> 16) | 0x40u);
    }
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

#endif
