/* SPDX-License-Identifier: MIT */
/* One row of a panel back to f32: the meaning of the bytes, in the order of operations that the gather kernels use. */
#include "format/weight_blocks.h" /* slm__i4_scale, panel layout, half_bits.h */
#include "format/weight_encode.h" /* declarations of this file */

#include <string.h> /* memcpy */

static uint16_t load_half(const uint8_t *bytes)
{
    uint16_t half;
    memcpy(&half, bytes, sizeof half);
    return half;
}

static float load_float(const uint8_t *bytes)
{
    float value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* scale * q */
static void decode_i8(const uint8_t *panel, uint32_t row, uint32_t cols, float *out)
{
    const uint8_t *scales = panel + slm__i8_scales_offset(slm__padded_cols(cols) / SLM_GROUP) + (size_t)2 * row;
    for (uint32_t k = 0; k < cols; k++) {
        float scale = slm__f16_to_f32(load_half(scales + (size_t)32 * (k / SLM_GROUP)));
        out[k] = scale * (float)(int8_t)panel[(size_t)64 * (k / 4) + (size_t)4 * row + k % 4];
    }
}

/* (row * scale) * (16 q - zero) */
static void decode_i4(const uint8_t *panel, uint32_t row, uint32_t cols, float *out)
{
    uint32_t groups = slm__padded_cols(cols) / SLM_GROUP;
    const uint8_t *scales = panel + slm__i4_scales_offset(groups) + row, *zeros = panel + slm__i4_zeros_offset(groups) + row;
    float factor = load_float(panel + slm__i4_rows_offset(groups) + (size_t)4 * row);
    for (uint32_t k = 0; k < cols; k++) {
        uint32_t group = k / SLM_GROUP, line = k % 16 / 4;
        uint32_t byte = panel[(size_t)256 * group + (size_t)64 * line + (size_t)4 * row + k % 4];
        int32_t q = (int32_t)(k % SLM_GROUP < 16 ? byte & 15u : byte >> 4);
        float scale = factor * slm__i4_scale(scales[(size_t)16 * group]);
        out[k] = scale * (float)(16 * q - zeros[(size_t)16 * group]);
    }
}

void slm__decode_panel_row(enum slm_weight_type type, const uint8_t *panel, uint32_t row, uint32_t cols, float *out)
{
    switch (type) {
    case SLM_WEIGHT_F32:
        for (uint32_t k = 0; k < cols; k++) {
            out[k] = load_float(panel + (size_t)64 * k + (size_t)4 * row);
        }
        break;
    case SLM_WEIGHT_F16:
        for (uint32_t k = 0; k < cols; k++) {
            out[k] = slm__f16_to_f32(load_half(panel + (size_t)32 * k + (size_t)2 * row));
        }
        break;
    case SLM_WEIGHT_BF16:
        for (uint32_t k = 0; k < cols; k++) {
            out[k] = slm__bf16_to_f32(load_half(panel + (size_t)32 * k + (size_t)2 * row));
        }
        break;
    case SLM_WEIGHT_I8: decode_i8(panel, row, cols, out); break;
    case SLM_WEIGHT_I4: decode_i4(panel, row, cols, out); break;
    case SLM_WEIGHT_NONE:
    case SLM_WEIGHT_TYPES: break;
    }
}
