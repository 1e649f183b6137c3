/* SPDX-License-Identifier: MIT */
/*
 * Tiles of i8 and i4 weights x packed int8 activations by SDOT. A line of 64 bytes is four registers of 4 rows x 4 k; one lane of a
 * register of activations is a quad, multiplied into all of them, so a lane of a sum is a row. Here and not in a .c file, since the tier
 * above takes its tiles of few columns from here.
 */
#ifndef SLM_KERNELS_TILES_NEON_DOTPROD_H
#define SLM_KERNELS_TILES_NEON_DOTPROD_H

#include "kernels/kernels.h"        /* struct slm_matrix, panel and packed layout */
#include "kernels/neon/simd_neon.h" /* widen_four_neon, scale_i4_neon, multiply_sum_neon, load_f16_neon */
#include <stdbool.h>

enum {
    SUMS_NEON_DOTPROD = 16,        /* registers of f32 sums in a tile: registers of 4 rows x columns */
    DOTS_NEON_DOTPROD = 8,         /* registers of int32 sums of one group at a time */
    AHEAD_NEON_DOTPROD = 2048,     /* bytes of the weight stream to ask for ahead of a single column */
    AHEAD_PLANE_NEON_DOTPROD = 256 /* the same for scales and zeros */
};

/* A panel of i8 or i4; zeros and rows are those of i4. */
struct panel_neon_dotprod {
    const uint8_t *quants, *scales, *zeros, *rows;
    uint32_t groups;
};

/* Registers of 4 rows in a tile of `count` columns, and how many of them are summed at once: all 16 rows for few columns, so that a
 * panel is read in order; 8 rows, one register after the other, for many. */
SLM_INLINE_NEON uint32_t tile_registers_neon_dotprod(uint32_t count) { return count > 4 ? 2 : 4; }

SLM_INLINE_NEON uint32_t tile_span_neon_dotprod(uint32_t count) { return count > 4 ? 1 : count > 2 ? 2 : 4; }

/* sum + the products of w with quad `lane` of x; `lane` is a constant after inlining. */
SLM_INLINE_NEON int32x4_t dot_lane_neon_dotprod(int32x4_t sum, int8x16_t w, int8x16_t x, uint32_t lane)
{
    switch (lane) {
    case 0: return vdotq_laneq_s32(sum, w, x, 0);
    case 1: return vdotq_laneq_s32(sum, w, x, 1);
    case 2: return vdotq_laneq_s32(sum, w, x, 2);
    default: return vdotq_laneq_s32(sum, w, x, 3);
    }
}

/* dots[s][c] += w[s] x quad j of column c. A load of 4 quads may reach into the next quads or the scales of the group, never behind the
 * group; a single column, where it would, has its 8 quads in two registers. */
SLM_INLINE_NEON void dot_quad_neon_dotprod(const int8x16_t *w, uint32_t span, const int8_t *x, uint32_t count, uint32_t j, int32x4_t *dots)
{
    SLM_UNROLL_NEON
    for (uint32_t c = 0; c < count; c++) {
        const int8x16_t quads = vld1q_s8(count == 1 ? x + 16 * (j / 4) : x + 4 * (j * count + c / 4 * 4));
        SLM_UNROLL_NEON
        for (uint32_t s = 0; s < span; s++) {
            dots[s * count + c] = dot_lane_neon_dotprod(dots[s * count + c], w[s], quads, count == 1 ? j % 4 : c % 4);
        }
    }
}

/* acc[c] += (scale x the column's scale) x dots[c], 4 rows. */
SLM_INLINE_NEON void add_group_neon_dotprod(float32x4_t scale, const uint8_t *x_scales, uint32_t count, const int32x4_t *dots,
                                            float32x4_t *acc)
{
    SLM_UNROLL_NEON
    for (uint32_t c = 0; c < count; c++) {
        const float32x4_t factor = vmulq_n_f32(scale, broadcast_f32_neon(x_scales + 4 * c));
        acc[c] = settle_neon(vfmaq_f32(acc[c], factor, vcvtq_f32_s32(dots[c])));
    }
}

/* One group of i8: `span` registers of 4 rows from register `at` on. */
SLM_INLINE_NEON void group_i8_neon_dotprod(const struct panel_neon_dotprod *panel, uint32_t g, uint32_t at, uint32_t span, const uint8_t *x,
                                           uint32_t count, float32x4_t *acc)
{
    const int8_t *quants = (const int8_t *)panel->quants + (size_t)512 * g + (size_t)16 * at;
    const uint16_t *scales = (const uint16_t *)(const void *)(panel->scales + (size_t)32 * g) + (size_t)4 * at;
    int32x4_t dots[DOTS_NEON_DOTPROD];
    load_afresh_neon();
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < span * count; i++) {
        dots[i] = vdupq_n_s32(0);
    }
    SLM_UNROLL_NEON
    for (uint32_t j = 0; j < 8; j++) {
        int8x16_t w[4];
        load_afresh_neon();
        SLM_UNROLL_NEON
        for (uint32_t s = 0; s < span; s++) {
            w[s] = vld1q_s8(quants + 64 * j + 16 * s);
        }
        dot_quad_neon_dotprod(w, span, (const int8_t *)x, count, j, dots);
    }
    SLM_UNROLL_NEON
    for (uint32_t s = 0; s < span; s++) {
        add_group_neon_dotprod(load_f16_neon(scales + 4 * s), x + SLM_PACKED_SCALES * count, count, dots + s * count, acc + s * count);
    }
}

/* One group of i4. The codes are taken as 16 q - 128, which fits an int8: then 16 dot - zero sum = their dot - (zero - 128) sum. */
SLM_INLINE_NEON void group_i4_neon_dotprod(const struct panel_neon_dotprod *panel, uint32_t g, uint32_t at, uint32_t span, const uint8_t *x,
                                           uint32_t count, float32x4_t *acc)
{
    const uint8_t *quants = panel->quants + (size_t)256 * g + (size_t)16 * at;
    const size_t plane = (size_t)16 * g + (size_t)4 * at;
    int32x4_t dots[DOTS_NEON_DOTPROD];
    load_afresh_neon();
    SLM_UNROLL_NEON
    for (uint32_t s = 0; s < span; s++) {
        const int16x4_t zero = vsub_s16(vreinterpret_s16_u16(widen_four_neon(panel->zeros + plane + 4 * s)), vdup_n_s16(128));
        SLM_UNROLL_NEON
        for (uint32_t c = 0; c < count; c++) {
            dots[s * count + c] = multiply_sum_neon(zero, x + SLM_PACKED_SUMS * count, count, c);
        }
    }
    SLM_UNROLL_NEON
    for (uint32_t j = 0; j < 4; j++) {
        int8x16_t low[4], high[4];
        load_afresh_neon();
        SLM_UNROLL_NEON
        for (uint32_t s = 0; s < span; s++) {
            const uint8x16_t line = veorq_u8(vld1q_u8(quants + 64 * j + 16 * s), vdupq_n_u8(0x88));
            low[s] = vreinterpretq_s8_u8(vshlq_n_u8(line, 4));
            high[s] = vreinterpretq_s8_u8(vandq_u8(line, vdupq_n_u8(0xf0)));
        }
        dot_quad_neon_dotprod(low, span, (const int8_t *)x, count, j, dots);
        dot_quad_neon_dotprod(high, span, (const int8_t *)x, count, j + 4, dots);
    }
    SLM_UNROLL_NEON
    for (uint32_t s = 0; s < span; s++) {
        const float32x4_t scale = scale_i4_neon(widen_four_neon(panel->scales + plane + 4 * s));
        add_group_neon_dotprod(scale, x + SLM_PACKED_SCALES * count, count, dots + s * count, acc + s * count);
    }
}

SLM_INLINE_NEON void prefetch_neon_dotprod(const struct panel_neon_dotprod *panel, bool i4, uint32_t g)
{
    const size_t bytes = i4 ? 256 : 512; /* quants of a group */
    SLM_UNROLL_NEON
    for (uint32_t line = 0; line < 8; line++) {
        if (64 * line < bytes) {
            prefetch_neon(panel->quants + bytes * g + (size_t)64 * line, AHEAD_NEON_DOTPROD);
        }
    }
    if (g % 4 == 0) {
        prefetch_neon(panel->scales + (size_t)(i4 ? 16 : 32) * g, AHEAD_PLANE_NEON_DOTPROD);
        prefetch_neon(panel->zeros + (size_t)16 * g, AHEAD_PLANE_NEON_DOTPROD);
    }
}

/* One panel and all of its `count` columns (a constant, 1..8). */
SLM_INLINE_NEON void tile_neon_dotprod(const struct panel_neon_dotprod *panel, bool i4, const uint8_t *packed, uint32_t count, float *y,
                                       size_t y_stride)
{
    const uint32_t registers = tile_registers_neon_dotprod(count), span = tile_span_neon_dotprod(count);
    for (uint32_t first = 0; first < 4; first += registers) {
        const uint8_t *x = packed;
        float32x4_t acc[SUMS_NEON_DOTPROD];
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < registers * count; i++) {
            acc[i] = vdupq_n_f32(0.0f);
        }
        for (uint32_t g = 0; g < panel->groups; g++, x += SLM_PACKED_GROUP * count) {
            if (count == 1) {
                prefetch_neon_dotprod(panel, i4, g);
            }
            SLM_UNROLL_NEON
            for (uint32_t i = 0; i < registers; i += span) {
                if (i4) {
                    group_i4_neon_dotprod(panel, g, first + i, span, x, count, acc + i * count);
                } else {
                    group_i8_neon_dotprod(panel, g, first + i, span, x, count, acc + i * count);
                }
            }
        }
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < registers * count; i++) {
            const size_t row = (size_t)4 * (first + i / count);
            const float32x4_t factor = i4 ? vld1q_f32((const float *)(const void *)panel->rows + row) : acc[i];
            vst1q_f32(y + i % count * y_stride + row, i4 ? vmulq_f32(acc[i], factor) : acc[i]);
        }
    }
}

SLM_INLINE_NEON struct panel_neon_dotprod panel_i8_neon_dotprod(const struct slm_matrix *w, uint32_t p)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    const uint8_t *data = w->data + p * w->panel_bytes, *scales = data + slm__i8_scales_offset(groups);
    return (struct panel_neon_dotprod){data, scales, scales, NULL, groups};
}

SLM_INLINE_NEON struct panel_neon_dotprod panel_i4_neon_dotprod(const struct slm_matrix *w, uint32_t p)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    const uint8_t *data = w->data + p * w->panel_bytes;
    return (struct panel_neon_dotprod){data, data + slm__i4_scales_offset(groups), data + slm__i4_zeros_offset(groups),
                                       data + slm__i4_rows_offset(groups), groups};
}

#endif
