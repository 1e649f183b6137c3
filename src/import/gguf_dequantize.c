/* SPDX-License-Identifier: MIT */
/* Decoders of single block types. The layouts are those of ggml (ggml-common.h); fields are named as there: d and m are f16 scale and
 * minimum, qs the low bits of the codes, qh their high bits. A super-block of the K types has 256 values. */
#include "import/gguf_dequantize.h"

#include "base/byte_reader.h"   /* slm__load_u32, slm__load_u64 */
#include "import/block_bytes.h" /* slm__block_f16, slm__block_u16 */

void slm__decode_f32(const uint8_t *blocks, uint64_t count, float *out)
{
    for (uint64_t i = 0; i < count; i++) {
        out[i] = slm__block_f32(slm__load_u32(blocks + 4 * i));
    }
}

void slm__decode_f16(const uint8_t *blocks, uint64_t count, float *out)
{
    for (uint64_t i = 0; i < count; i++) {
        out[i] = slm__block_f16(blocks + 2 * i);
    }
}

void slm__decode_bf16(const uint8_t *blocks, uint64_t count, float *out)
{
    for (uint64_t i = 0; i < count; i++) {
        out[i] = slm__block_f32(slm__block_u16(blocks + 2 * i) << 16);
    }
}

void slm__decode_f64(const uint8_t *blocks, uint64_t count, float *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t bits = slm__load_u64(blocks + 8 * i);
        double value;
        memcpy(&value, &bits, sizeof value);
        out[i] = (float)value;
    }
}

/* d, qs[16]: d * (q - 8) */
void slm__decode_q4_0(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 18, out += 32) {
        const float d = slm__block_f16(blocks);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)((int)(blocks[2 + i] & 15) - 8) * d;
            out[i + 16] = (float)((int)(blocks[2 + i] >> 4) - 8) * d;
        }
    }
}

/* d, m, qs[16]: d * q + m */
void slm__decode_q4_1(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 20, out += 32) {
        const float d = slm__block_f16(blocks), m = slm__block_f16(blocks + 2);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)(blocks[4 + i] & 15) * d + m;
            out[i + 16] = (float)(blocks[4 + i] >> 4) * d + m;
        }
    }
}

/* d, qh u32, qs[16]: d * (q - 16); bit i of qh is the fifth bit of value i */
void slm__decode_q5_0(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 22, out += 32) {
        const float d = slm__block_f16(blocks);
        const uint32_t high = slm__load_u32(blocks + 2);
        for (uint32_t i = 0; i < 16; i++) {
            const int low_code = (int)((blocks[6 + i] & 15u) | (high >> i & 1u) << 4);
            const int high_code = (int)((uint32_t)(blocks[6 + i] >> 4) | (high >> (i + 16) & 1u) << 4);
            out[i] = (float)(low_code - 16) * d;
            out[i + 16] = (float)(high_code - 16) * d;
        }
    }
}

/* d, m, qh u32, qs[16]: d * q + m */
void slm__decode_q5_1(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 24, out += 32) {
        const float d = slm__block_f16(blocks), m = slm__block_f16(blocks + 2);
        const uint32_t high = slm__load_u32(blocks + 4);
        for (uint32_t i = 0; i < 16; i++) {
            const uint32_t low_code = (blocks[8 + i] & 15u) | (high >> i & 1u) << 4;
            const uint32_t high_code = (uint32_t)(blocks[8 + i] >> 4) | (high >> (i + 16) & 1u) << 4;
            out[i] = (float)low_code * d + m;
            out[i + 16] = (float)high_code * d + m;
        }
    }
}

/* d, qs i8[32]: d * q */
void slm__decode_q8_0(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 34, out += 32) {
        const float d = slm__block_f16(blocks);
        for (int i = 0; i < 32; i++) {
            out[i] = (float)(int8_t)blocks[2 + i] * d;
        }
    }
}

/* scales[16], qs[64], d, dmin: d * (s & 15) * q - dmin * (s >> 4), one s for 16 values. In each half of 128 values bit pair j of 32 bytes
 * holds values 32j .. 32j+31. */
void slm__decode_q2_k(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 84, out += 256) {
        const float d = slm__block_f16(blocks + 80), dmin = slm__block_f16(blocks + 82);
        for (int i = 0; i < 256; i++) {
            const uint32_t scale = blocks[i / 16];
            const uint32_t code = (uint32_t)(blocks[16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2)) & 3u;
            out[i] = d * (float)(scale & 15u) * (float)code - dmin * (float)(scale >> 4);
        }
    }
}

/* hmask[32], qs[64], scales[12], d: d * (s - 32) * (q - (high bit ? 0 : 4)), one s for 16 values, codes as in Q2_K */
void slm__decode_q3_k(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 110, out += 256) {
        const float d = slm__block_f16(blocks + 108);
        const uint8_t *packed = blocks + 96;
        int scales[16];
        for (int j = 0; j < 16; j++) {
            const int low = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
            scales[j] = (low | (packed[8 + j % 4] >> (2 * (j / 4)) & 3) << 4) - 32;
        }
        for (int i = 0; i < 256; i++) {
            const int code = blocks[32 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
            const int high = blocks[i % 32] >> (i / 32) & 1;
            out[i] = d * (float)scales[i / 16] * (float)(high != 0 ? code : code - 4);
        }
    }
}

/* The eight 6-bit scales and minima of Q4_K and Q5_K in 12 bytes. */
void slm__unpack_k_scale(const uint8_t *packed, int j, float d, float dmin, float *scale, float *minimum)
{
    const int s = j < 4 ? packed[j] & 63 : (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
    const int m = j < 4 ? packed[j + 4] & 63 : packed[j + 4] >> 4 | (packed[j] >> 6) << 4;
    *scale = d * (float)s;
    *minimum = dmin * (float)m;
}

/* d, dmin, scales[12], qs[128]: d * s * q - dmin * m per 32 values; 32 bytes of qs hold low nibbles of one run, high nibbles of the next */
void slm__decode_q4_k(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 144, out += 256) {
        const float d = slm__block_f16(blocks), dmin = slm__block_f16(blocks + 2);
        for (int j = 0; j < 8; j++) {
            float scale, minimum;
            slm__unpack_k_scale(blocks + 4, j, d, dmin, &scale, &minimum);
            for (int i = 0; i < 32; i++) {
                const int code = blocks[16 + j / 2 * 32 + i] >> (j % 2 * 4) & 15;
                out[32 * j + i] = scale * (float)code - minimum;
            }
        }
    }
}

/* d, dmin, scales[12], qh[32], qs[128]: as Q4_K; bit j of qh[i] is the fifth bit of value i of run j */
void slm__decode_q5_k(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 176, out += 256) {
        const float d = slm__block_f16(blocks), dmin = slm__block_f16(blocks + 2);
        for (int j = 0; j < 8; j++) {
            float scale, minimum;
            slm__unpack_k_scale(blocks + 4, j, d, dmin, &scale, &minimum);
            for (int i = 0; i < 32; i++) {
                const int code = (blocks[48 + j / 2 * 32 + i] >> (j % 2 * 4) & 15) | (blocks[16 + i] >> j & 1) << 4;
                out[32 * j + i] = scale * (float)code - minimum;
            }
        }
    }
}

/* ql[128], qh[64], scales i8[16], d: d * s * (q - 32), one s for 16 values. Half h, quarter t of 32 values: low nibbles of ql for t 0, 1,
 * high ones for t 2 and 3; bits 2t, 2t+1 of qh. */
void slm__decode_q6_k(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 210, out += 256) {
        const float d = slm__block_f16(blocks + 208);
        for (int i = 0; i < 256; i++) {
            const int half = i / 128, quarter = i % 128 / 32, l = i % 32;
            const int low = blocks[64 * half + quarter % 2 * 32 + l] >> (quarter / 2 * 4) & 15;
            const int high = blocks[128 + 32 * half + l] >> (2 * quarter) & 3;
            const int scale = (int8_t)blocks[192 + i / 16];
            out[i] = d * (float)scale * (float)((low | high << 4) - 32);
        }
    }
}

static const int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/* d, qs[16]: d * table[q] */
void slm__decode_iq4_nl(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 18, out += 32) {
        const float d = slm__block_f16(blocks);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)iq4_values[blocks[2 + i] & 15];
            out[i + 16] = d * (float)iq4_values[blocks[2 + i] >> 4];
        }
    }
}

/* d, scales_h u16, scales_l[4], qs[128]: d * (s - 32) * table[q] per 32 values */
void slm__decode_iq4_xs(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 136, out += 256) {
        const float d = slm__block_f16(blocks);
        const uint32_t high = slm__block_u16(blocks + 2);
        for (int g = 0; g < 8; g++) {
            const int low = blocks[4 + g / 2] >> (g % 2 * 4) & 15;
            const float scale = d * (float)((low | (int)(high >> (2 * g) & 3u) << 4) - 32);
            for (int i = 0; i < 16; i++) {
                out[32 * g + i] = scale * (float)iq4_values[blocks[8 + 16 * g + i] & 15];
                out[32 * g + i + 16] = scale * (float)iq4_values[blocks[8 + 16 * g + i] >> 4];
            }
        }
    }
}
