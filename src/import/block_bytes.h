/* SPDX-License-Identifier: MIT */
/* Little-endian fields of quantized blocks, at any alignment. */
#ifndef SLM_IMPORT_BLOCK_BYTES_H
#define SLM_IMPORT_BLOCK_BYTES_H

#include <math.h> /* ldexpf */
#include <stdint.h>
#include <string.h> /* memcpy */

static inline float slm__block_f32(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t slm__block_u16(const uint8_t *bytes) { return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8; }

/* The number that the 16 bits of an f16 stand for. */
static inline float slm__half_value(uint32_t half)
{
    const uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31u, mantissa = half & 1023u;
    if (exponent == 0) {
        const float magnitude = ldexpf((float)mantissa, -24);
        return sign != 0 ? -magnitude : magnitude;
    }
    if (exponent == 31) {
        return slm__block_f32(sign | 0x7f800000u | mantissa << 13);
    }
    return slm__block_f32(sign | (exponent + 112u) << 23 | mantissa << 13);
}

static inline float slm__block_f16(const uint8_t *bytes) { return slm__half_value(slm__block_u16(bytes)); }

#endif
