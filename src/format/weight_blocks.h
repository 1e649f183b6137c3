/* SPDX-License-Identifier: MIT */
/* What the encoders share: one group of 32 columns of a panel with a lane per row, rounding, and the i4 scale. */
#ifndef SLM_FORMAT_WEIGHT_BLOCKS_H
#define SLM_FORMAT_WEIGHT_BLOCKS_H

#include "kernels/blocks.h"    /* panel layout */
#include "kernels/half_bits.h" /* slm__f32_bits, slm__f32_of_bits */
#include <stddef.h>

struct slm_i4_steps; /* weight_encode.h */

/* 32 x 16 weights: x[k][r] is column k of row r; zero where the matrix has none. */
struct slm_lanes {
    _Alignas(64) float x[SLM_GROUP][SLM_PANEL_ROWS];
};

/* The rows' columns [32 group, 32 group + 32), each multiplied by its row's factor[r]. */
void slm__lanes_load(struct slm_lanes *lanes, const float *const rows[16], uint32_t row_count, uint32_t cols, uint32_t group,
                     const float factor[SLM_PANEL_ROWS]);
/* Columns of a group that exist: 32, or fewer in the last. */
static inline uint32_t slm__group_columns(uint32_t cols, uint32_t group)
{
    return cols - group * SLM_GROUP < SLM_GROUP ? cols - group * SLM_GROUP : SLM_GROUP;
}

/* Nearest integer, ties to even, for |x| < 2^22: in the sum the integer stands in the low fraction bits. Neither this nor the clamp
 * branches, so that compilers turn the encoders' loops over lanes into vector code (with the same results). */
static inline int32_t slm__nearest(float x) { return (int32_t)(slm__f32_bits(x + 0x1.8p23f) - 0x4b400000u); }
static inline int32_t slm__clamp(int32_t x, int32_t low, int32_t high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* 2^-16 .. 0.96875 */
static inline float slm__i4_scale(uint32_t code) { return slm__f32_of_bits((code << 19) + (111u << 23)); }

void slm__encode_i8(const float *const rows[16], uint32_t row_count, uint32_t cols, uint8_t *panel);
/* steps NULL: every row is searched. */
void slm__encode_i4(const float *const rows[16], const struct slm_i4_steps *steps, uint32_t row_count, uint32_t cols, uint8_t *panel);

#endif
