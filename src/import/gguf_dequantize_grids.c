/* SPDX-License-Identifier: MIT */
/* Decoders of GGUF's IQ1, IQ2 and IQ3 types, whose codes are indices into code books (gguf_grids.h) of 8 or 4 values. The layouts are
 * those of ggml (MIT License, Copyright (c) 2023 Georgi Gerganov and the ggml authors); fields are named as there. All products are exact
 * in f32, so their order does not matter. */
#include "import/gguf_dequantize.h"

#include "base/byte_reader.h"   /* slm__load_u32 */
#include "import/block_bytes.h" /* slm__block_f16, slm__block_u16 */
#include "import/gguf_grids.h"  /* slm__grid_... */

static const uint8_t iq2_values[4] = {8, 25, 43, 0};
static const uint8_t iq3_xxs_values[8] = {4, 12, 20, 28, 36, 44, 52, 62};

/* Seven sign bits; the eighth makes their number even. */
static uint32_t even_signs(uint32_t seven)
{
    const uint32_t four = seven ^ seven >> 4, two = four ^ four >> 2;
    return seven | ((two ^ two >> 1) & 1u) << 7;
}

/* Eight values of an IQ2 grid point. */
static void put_iq2(float scale, uint32_t point, uint32_t signs, float *out)
{
    for (int i = 0; i < 8; i++) {
        const float value = scale * (float)iq2_values[point >> (2 * i) & 3u];
        out[i] = (signs >> i & 1u) != 0 ? -value : value;
    }
}

/* d, then for each 32 values u32 indices (4 x 8 bits), u32 signs (4 x 7 bits) and scale (4 bits): d * (s + 1/2) / 4 * grid */
void slm__decode_iq2_xxs(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 66, out += 256) {
        const float d = slm__block_f16(blocks);
        for (int g = 0; g < 8; g++) {
            const uint8_t *indices = blocks + 2 + 8 * g;
            const uint32_t signs = slm__load_u32(indices + 4);
            const float scale = d * (0.5f + (float)(signs >> 28)) * 0.25f;
            for (int j = 0; j < 4; j++) {
                put_iq2(scale, slm__grid_iq2_xxs[indices[j]], even_signs(signs >> (7 * j) & 127u), out + 32 * g + 8 * j);
            }
        }
    }
}

/* d, qs u16[32], scales[8]: 9 bits of index, 7 of signs; a scale of 4 bits for 16 values */
void slm__decode_iq2_xs(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 74, out += 256) {
        const float d = slm__block_f16(blocks);
        for (int j = 0; j < 32; j++) {
            const uint32_t code = slm__block_u16(blocks + 2 + 2 * j);
            const float scale = d * (0.5f + (float)(blocks[66 + j / 4] >> (j / 2 % 2 * 4) & 15)) * 0.25f;
            put_iq2(scale, slm__grid_iq2_xs[code & 511u], even_signs(code >> 9), out + 8 * j);
        }
    }
}

/* d, qs[32], signs[32], qh[8], scales[8]: indices of 10 bits, the upper two in qh; whole signs; a scale of 4 bits for 16 values */
void slm__decode_iq2_s(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 82, out += 256) {
        const float d = slm__block_f16(blocks);
        for (int j = 0; j < 32; j++) {
            const uint32_t high = (uint32_t)blocks[66 + j / 4] >> (j % 4 * 2) & 3u;
            const float scale = d * (0.5f + (float)(blocks[74 + j / 4] >> (j / 2 % 2 * 4) & 15)) * 0.25f;
            put_iq2(scale, slm__grid_iq2_s[blocks[2 + j] | high << 8], blocks[34 + j], out + 8 * j);
        }
    }
}

/* d, qs[64], then for each 32 values u32 signs (4 x 7 bits) and scale (4 bits): d * (s + 1/2) / 2 * grid, 4 values an index */
void slm__decode_iq3_xxs(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 98, out += 256) {
        const float d = slm__block_f16(blocks);
        for (int i = 0; i < 256; i++) {
            const uint32_t packed = slm__load_u32(blocks + 66 + i / 32 * 4);
            const float scale = d * (0.5f + (float)(packed >> 28)) * 0.5f;
            const uint32_t signs = even_signs(packed >> (i % 32 / 8 * 7) & 127u);
            const uint32_t point = slm__grid_iq3_xxs[blocks[2 + i / 4]];
            const float value = scale * (float)iq3_xxs_values[point >> (i % 4 * 4) & 7u];
            out[i] = (signs >> (i % 8) & 1u) != 0 ? -value : value;
        }
    }
}

/* d, qs[64], qh[8], signs[32], scales[4]: d * (1 + 2 s) * grid; bit j of a qh byte is the ninth bit of index j of 8; a scale of 4 bits for
 * 32 values */
void slm__decode_iq3_s(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 110, out += 256) {
        const float d = slm__block_f16(blocks);
        for (int i = 0; i < 256; i++) {
            const float scale = d * (float)(1 + 2 * (blocks[106 + i / 64] >> (i / 32 % 2 * 4) & 15));
            const uint32_t high = (uint32_t)blocks[66 + i / 32] >> (i / 4 % 8) & 1u;
            const uint32_t point = slm__grid_iq3_s[blocks[2 + i / 4] | high << 8];
            const float value = scale * (float)(1u + 2u * (point >> (i % 4 * 4) & 7u));
            out[i] = (blocks[74 + i / 8] >> (i % 8) & 1) != 0 ? -value : value;
        }
    }
}

/* Eight values of an IQ1 grid point, -1, 0 or 1, moved by an eighth. */
static void put_iq1(float scale, uint32_t point, bool down, float *out)
{
    const float delta = down ? -0.125f : 0.125f;
    for (int i = 0; i < 8; i++) {
        out[i] = scale * ((float)(int)(point >> (2 * i) & 3u) - 1.0f + delta);
    }
}

/* d, qs[32], qh u16[8]: for each 32 values four indices of 11 bits (upper three in qh), a scale of 3 bits, the direction of the eighth */
void slm__decode_iq1_s(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 50, out += 256) {
        const float d = slm__block_f16(blocks);
        for (int j = 0; j < 32; j++) {
            const uint32_t high = slm__block_u16(blocks + 34 + j / 4 * 2);
            const float scale = d * (float)(2u * (high >> 12 & 7u) + 1u);
            put_iq1(scale, slm__grid_iq1[blocks[2 + j] | (high >> (j % 4 * 3) & 7u) << 8], (high & 0x8000u) != 0, out + 8 * j);
        }
    }
}

/* qs[32], qh[16], scales u16[4]: d is made of the top 4 bits of the four words; below them scales of 3 bits for 16 values; a nibble of qh
 * has the upper three bits of an index and the direction of the eighth */
void slm__decode_iq1_m(const uint8_t *blocks, uint64_t count, float *out)
{
    for (; count > 0; count--, blocks += 56, out += 256) {
        uint32_t words[4], half = 0;
        for (int i = 0; i < 4; i++) {
            words[i] = slm__block_u16(blocks + 48 + 2 * i);
            half |= words[i] >> 12 << (4 * i);
        }
        const float d = slm__half_value(half);
        for (int j = 0; j < 32; j++) {
            const uint32_t nibble = (uint32_t)blocks[32 + j / 2] >> (j % 2 * 4) & 15u;
            const float scale = d * (float)(2u * (words[j / 8] >> (j / 2 % 4 * 3) & 7u) + 1u);
            put_iq1(scale, slm__grid_iq1[blocks[j] | (nibble & 7u) << 8], (nibble & 8u) != 0, out + 8 * j);
        }
    }
}
