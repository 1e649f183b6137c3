/* SPDX-License-Identifier: MIT */
/* f32 rows -> the panels of kernels/blocks.h, and back. Deterministic: plain C in one order, whatever the threads or instruction set. */
#ifndef SLM_FORMAT_WEIGHT_ENCODE_H
#define SLM_FORMAT_WEIGHT_ENCODE_H

#include "base/status.h"    /* slm_status */
#include "kernels/blocks.h" /* enum slm_weight_type, panel layout */
#include <stddef.h>

/* Sums over encoded weights, for the relative rms error sqrt(error / energy). */
struct slm_encode_error {
    double error;  /* sum of (w - encoded)^2 */
    double energy; /* sum of w^2 */
};

/* Encode one panel: rows[r] points to `cols` floats for r < row_count (1..16; fewer than 16 at the matrix's end); missing rows and padding
 * become zeros. `panel` has slm__panel_bytes(type, cols) bytes, 64-byte aligned; all of them are written. `scratch` has
 * slm__encode_scratch(cols) bytes, 16-byte aligned. `sums` (may be NULL) is added to.
 * f16, bf16: nearest, ties to even. i8: round to nearest with a search over f16 scales; i4: search over scale and zero.
 * SLM_E_BAD_VALUE: a value is NaN, infinite or above slm__encode_limit(type); its position is in *bad_row, *bad_col, and the caller names
 * the tensor. Any number of threads may encode different panels. */
slm_status slm__encode_panel(enum slm_weight_type type, const float *const rows[16], uint32_t row_count, uint32_t cols, uint8_t *panel,
                             void *scratch, struct slm_encode_error *sums, uint32_t *bad_row, uint32_t *bad_col);
size_t slm__encode_scratch(uint32_t cols);
/* The largest magnitude that this type can hold. */
float slm__encode_limit(enum slm_weight_type type);

/* Codes that a source already has, kept exactly. i8: scales f16[row][groups], codes i8[row][cols padded]. */
void slm__encode_panel_i8_codes(const int8_t *const codes[16], const uint16_t *const scales[16], uint32_t row_count, uint32_t cols,
                                uint8_t *panel);

/* Rows that a source has in 4 bits: w = step * (q - zero), q 0..15, with a step (of either sign) and a zero for each 32 columns. */
struct slm_i4_steps {
    const float *step[16], *zero[16]; /* [groups] of a row; step[r] NULL: row r is encoded as by slm__encode_panel() */
};

/* As slm__encode_panel() of i4, but the codes are kept (mirrored where the step is negative), zeros are rounded to sixteenths of a step,
 * and steps to the format's scales, the row's factor chosen so that least is lost. A group whose zero lies outside 0 to 15.94, or whose
 * step is 0, is encoded anew. `rows` has the values that steps and codes stand for. */
slm_status slm__encode_panel_i4_codes(const float *const rows[16], const struct slm_i4_steps *steps, uint32_t row_count, uint32_t cols,
                                      uint8_t *panel, void *scratch, struct slm_encode_error *sums, uint32_t *bad_row, uint32_t *bad_col);

/* The inverse: row `row` (0..15) of a panel to `cols` floats, with the same bits as the gather kernels. */
void slm__decode_panel_row(enum slm_weight_type type, const uint8_t *panel, uint32_t row, uint32_t cols, float *out);

#endif
