/* SPDX-License-Identifier: MIT */
/* Decoders of GGUF's block types with values of three states (TQ) and of 4-bit floating point (MXFP4, NVFP4). */
#include "import/gguf_dequantize.h"

#include "import/block_bytes.h" /* slm__block_f16 */

/* The value that byte `byte` holds at place `n` of its five (or four) digits to the base of 3: the digits stand behind the binary point. */
static int ternary_digit(uint32_t byte, int n)
{
    static const uint8_t powers[5] = {1, 3, 9, 27, 81};
    return (int)(((byte * powers[n] & 255u) * 3u) >> 8) - 1;
}

/* qs[48], qh[4], d: d * digit. qs[0..31] give values 0..159, all bytes for each of 5 places in turn; qs[32..47] the next 80; qh with 4
 * places the last 16. */
void slm__decode_tq1_0(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 54, out += 256) {
        const float d = slm__block_f16(blocks + 52);
        for (int i = 0; i < 160; i++) {
            out[i] = d * (float)ternary_digit(blocks[i % 32], i / 32);
        }
        for (int i = 0; i < 80; i++) {
            out[160 + i] = d * (float)ternary_digit(blocks[32 + i % 16], i / 16);
        }
        for (int i = 0; i < 16; i++) {
            out[240 + i] = d * (float)ternary_digit(blocks[48 + i % 4], i / 4);
        }
    }
}

/* qs[64], d: d * (q - 1); in each half of 128 values bit pair j of 32 bytes holds values 32j .. 32j+31 */
void slm__decode_tq2_0(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 66, out += 256) {
        const float d = slm__block_f16(blocks + 64);
        for (int i = 0; i < 256; i++) {
            out[i] = d * (float)((blocks[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3) - 1);
        }
    }
}

/* Twice the values of e2m1: so they are integers, and the scales are halved. */
static const int8_t fp4_values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* e, qs[16]: 2^(e - 128) * table[q]; for e 0 and 1 the power is a subnormal number */
void slm__decode_mxfp4(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 17, out += 32) {
        const uint32_t e = blocks[0];
        const float d = slm__block_f32(e < 2 ? 0x00200000u << e : (e - 1) << 23);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)fp4_values[blocks[1 + i] & 15];
            out[i + 16] = d * (float)fp4_values[blocks[1 + i] >> 4];
        }
    }
}

/* Half of an e4m3 number without sign, bias 7; 0x7f counts as 0. */
static float half_e4m3(uint32_t byte)
{
    const int exponent = (int)(byte >> 3 & 15u);
    const float mantissa = (float)(byte & 7u);
    if (byte == 0x7f) {
        return 0.0f;
    }
    return exponent == 0 ? ldexpf(mantissa, -10) : ldexpf(8.0f + mantissa, exponent - 11);
}

/* d[4], qs[32]: for each 16 values a scale and 8 bytes, low nibbles, then high nibbles */
void slm__decode_nvfp4(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 36, out += 64) {
        for (int g = 0; g < 4; g++) {
            const float d = half_e4m3(blocks[g]);
            for (int i = 0; i < 8; i++) {
                out[16 * g + i] = d * (float)fp4_values[blocks[4 + 8 * g + i] & 15];
                out[16 * g + i + 8] = d * (float)fp4_values[blocks[4 + 8 * g + i] >> 4];
            }
        }
    }
}
