/* SPDX-License-Identifier: MIT */
/* Encoding one panel: refuse what the type cannot hold, write the bytes, measure the error. f32, f16 and bf16 are done here; i8 and i4 have
 * a file each. Everything is the same plain arithmetic in the same order on every machine. */
#include "format/weight_encode.h" /* declarations of this file */
#include "format/weight_blocks.h" /* slm__encode_i8, slm__encode_i4, slm__lanes_load */
#include "kernels/half_bits.h"    /* slm__f32_to_f16, slm__f32_to_bf16, slm__f32_bits */

#include <string.h> /* memset, memcpy */

float slm__encode_limit(enum slm_weight_type type)
{
    switch (type) {
    case SLM_WEIGHT_F32: return 0x1.fffffep127f;
    case SLM_WEIGHT_F16: return 65519.996f;       /* the next float rounds to infinity */
    case SLM_WEIGHT_BF16: return 0x1.fefffep127f; /* the same */
    case SLM_WEIGHT_I8: return 65504.0f * 127.0f; /* the largest scale times the largest code */
    case SLM_WEIGHT_I4: return 0x1p126f;          /* so that no sum or product of a search or of decoding overflows */
    case SLM_WEIGHT_NONE:
    case SLM_WEIGHT_TYPES: break;
    }
    return 0.0f;
}

/* One decoded row. */
size_t slm__encode_scratch(uint32_t cols) { return (size_t)slm__padded_cols(cols) * sizeof(float); }

static slm_status check_values(enum slm_weight_type type, const float *const rows[16], uint32_t row_count, uint32_t cols, uint32_t *bad_row,
                               uint32_t *bad_col)
{
    const uint32_t limit = slm__f32_bits(slm__encode_limit(type)); /* magnitudes order as their bits; infinity and NaN are above all */
    for (uint32_t r = 0; r < row_count; r++) {
        for (uint32_t k = 0; k < cols; k++) {
            if ((slm__f32_bits(rows[r][k]) & 0x7fffffffu) > limit) {
                *bad_row = r;
                *bad_col = k;
                return SLM_E_BAD_VALUE;
            }
        }
    }
    return SLM_OK;
}

void slm__lanes_load(struct slm_lanes *lanes, const float *const rows[16], uint32_t row_count, uint32_t cols, uint32_t group,
                     const float factor[SLM_PANEL_ROWS])
{
    const uint32_t count = slm__group_columns(cols, group);
    memset(lanes, 0, sizeof *lanes);
    for (uint32_t r = 0; r < row_count; r++) {
        const float *row = rows[r] + (size_t)group * SLM_GROUP;
        for (uint32_t k = 0; k < count; k++) {
            lanes->x[k][r] = row[k] * factor[r];
        }
    }
}

static void encode_f32(const float *const rows[16], uint32_t row_count, uint32_t cols, uint8_t *panel)
{
    for (uint32_t r = 0; r < row_count; r++) {
        for (uint32_t k = 0; k < cols; k++) {
            memcpy(panel + (size_t)64 * k + (size_t)4 * r, &rows[r][k], 4);
        }
    }
}

static void encode_half(enum slm_weight_type type, const float *const rows[16], uint32_t row_count, uint32_t cols, uint8_t *panel)
{
    for (uint32_t r = 0; r < row_count; r++) {
        for (uint32_t k = 0; k < cols; k++) {
            uint16_t half = type == SLM_WEIGHT_F16 ? slm__f32_to_f16(rows[r][k]) : slm__f32_to_bf16(rows[r][k]);
            memcpy(panel + (size_t)32 * k + (size_t)2 * r, &half, 2);
        }
    }
}

static void measure(enum slm_weight_type type, const float *const rows[16], uint32_t row_count, uint32_t cols, const uint8_t *panel,
                    float *decoded, struct slm_encode_error *sums)
{
    for (uint32_t r = 0; r < row_count; r++) {
        slm__decode_panel_row(type, panel, r, cols, decoded);
        for (uint32_t k = 0; k < cols; k++) {
            double w = (double)rows[r][k], difference = w - (double)decoded[k];
            sums->error += difference * difference;
            sums->energy += w * w;
        }
    }
}

slm_status slm__encode_panel(enum slm_weight_type type, const float *const rows[16], uint32_t row_count, uint32_t cols, uint8_t *panel,
                             void *scratch, struct slm_encode_error *sums, uint32_t *bad_row, uint32_t *bad_col)
{
    SLM_TRY(check_values(type, rows, row_count, cols, bad_row, bad_col));
    memset(panel, 0, (size_t)slm__panel_bytes(type, cols));
    switch (type) {
    case SLM_WEIGHT_F32: encode_f32(rows, row_count, cols, panel); break;
    case SLM_WEIGHT_F16:
    case SLM_WEIGHT_BF16: encode_half(type, rows, row_count, cols, panel); break;
    case SLM_WEIGHT_I8: slm__encode_i8(rows, row_count, cols, panel); break;
    case SLM_WEIGHT_I4: slm__encode_i4(rows, NULL, row_count, cols, panel); break;
    case SLM_WEIGHT_NONE:
    case SLM_WEIGHT_TYPES: return SLM_E_INTERNAL;
    }
    if (sums != NULL) {
        measure(type, rows, row_count, cols, panel, scratch, sums);
    }
    return SLM_OK;
}

slm_status slm__encode_panel_i4_codes(const float *const rows[16], const struct slm_i4_steps *steps, uint32_t row_count, uint32_t cols,
                                      uint8_t *panel, void *scratch, struct slm_encode_error *sums, uint32_t *bad_row, uint32_t *bad_col)
{
    SLM_TRY(check_values(SLM_WEIGHT_I4, rows, row_count, cols, bad_row, bad_col));
    memset(panel, 0, (size_t)slm__panel_bytes(SLM_WEIGHT_I4, cols));
    slm__encode_i4(rows, steps, row_count, cols, panel);
    if (sums != NULL) {
        measure(SLM_WEIGHT_I4, rows, row_count, cols, panel, scratch, sums);
    }
    return SLM_OK;
}
