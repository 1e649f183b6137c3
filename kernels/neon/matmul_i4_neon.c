/* SPDX-License-Identifier: MIT */
/*
 * i4 weights x packed int8 activations without dot instructions. A product is at most 15 * 127 in size, so a lane sums the 8 of a group in
 * int16 (15 240), and pairs of lanes still fit (30 480). A line of 64 bytes is four registers of 4 rows; the halves of a register are
 * summed apart.
 */
#include "kernels/neon/neon_kernels.h" /* slm__matmul_i4_neon */
#include "kernels/neon/simd_neon.h"    /* broadcast_quad_neon */

enum {
    TILE_I4_NEON = 4,         /* columns in a tile, or registers of 4 rows that are summed at once: 16 registers of sums */
    AHEAD_I4_NEON = 2048,     /* bytes of the weight stream to ask for ahead of a single column */
    AHEAD_PLANE_I4_NEON = 128 /* the same for scales and zeros, which are a sixteenth */
};

struct panel_i4_neon {
    const uint8_t *quants, *scales, *zeros, *rows;
    uint32_t groups;
};

/* Quad c of the `count` quads at x in every 32-bit lane. Four are loaded at once: gcc has no load that broadcasts. */
SLM_INLINE_NEON int8x16_t quad_i4_neon(const uint8_t *x, uint32_t count, uint32_t c)
{
    if (count < 4) {
        return broadcast_quad_neon(x + 4 * c);
    }
    const int32x4_t quads = vld1q_s32((const int32_t *)(const void *)x);
    switch (c) {
    case 0: return vreinterpretq_s8_s32(vdupq_laneq_s32(quads, 0));
    case 1: return vreinterpretq_s8_s32(vdupq_laneq_s32(quads, 1));
    case 2: return vreinterpretq_s8_s32(vdupq_laneq_s32(quads, 2));
    default: return vreinterpretq_s8_s32(vdupq_laneq_s32(quads, 3));
    }
}

/* dots[s][c] = the dots of one group: `span` x 4 rows, `count` columns of the `columns` in x; span * count <= TILE_I4_NEON. */
SLM_INLINE_NEON void dots_i4_neon(const uint8_t *quants, const uint8_t *x, uint32_t columns, uint32_t span, uint32_t count,
                                  int32x4_t dots[TILE_I4_NEON])
{
    int16x8_t low[TILE_I4_NEON], high[TILE_I4_NEON];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < span * count; i++) {
        low[i] = high[i] = vdupq_n_s16(0);
    }
    SLM_UNROLL_NEON
    for (uint32_t j = 0; j < 4; j++) {
        SLM_UNROLL_NEON
        for (uint32_t nibble = 0; nibble < 2; nibble++) {
            int8x16_t q[TILE_I4_NEON];
            load_afresh_neon();
            SLM_UNROLL_NEON
            for (uint32_t s = 0; s < span; s++) {
                const uint8x16_t line = vld1q_u8(quants + 64 * j + 16 * s);
                q[s] = vreinterpretq_s8_u8(nibble ? vshrq_n_u8(line, 4) : vandq_u8(line, vdupq_n_u8(15)));
            }
            SLM_UNROLL_NEON
            for (uint32_t c = 0; c < count; c++) {
                const int8x16_t quad = quad_i4_neon(x + (size_t)4 * (j + 4 * nibble) * columns, count, c);
                SLM_UNROLL_NEON
                for (uint32_t s = 0; s < span; s++) {
                    low[s * count + c] = hold_wide_neon(vmlal_s8(low[s * count + c], vget_low_s8(q[s]), vget_low_s8(quad)));
                    high[s * count + c] = hold_wide_neon(vmlal_high_s8(high[s * count + c], q[s], quad));
                }
            }
        }
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < span * count; i++) {
        dots[i] = vpaddlq_s16(vpaddq_s16(low[i], high[i]));
    }
}

SLM_INLINE_NEON void prefetch_i4_neon(const struct panel_i4_neon *panel, uint32_t g)
{
    SLM_UNROLL_NEON
    for (uint32_t line = 0; line < 4; line++) {
        prefetch_neon(panel->quants + (size_t)256 * g + (size_t)64 * line, AHEAD_I4_NEON);
    }
    if (g % 4 == 0) {
        prefetch_neon(panel->scales + (size_t)16 * g, AHEAD_PLANE_I4_NEON);
        prefetch_neon(panel->zeros + (size_t)16 * g, AHEAD_PLANE_I4_NEON);
    }
}

/* One group of `span` x 4 rows from row `row` on, `count` columns from x on, added to acc[s][c]. */
SLM_INLINE_NEON void group_i4_neon(const struct panel_i4_neon *panel, uint32_t g, uint32_t row, uint32_t span, const uint8_t *x,
                                   uint32_t columns, uint32_t count, float32x4_t *acc)
{
    const uint8_t *x_scales = x + (size_t)columns * SLM_PACKED_SCALES, *x_sums = x + (size_t)columns * SLM_PACKED_SUMS;
    int32x4_t dots[TILE_I4_NEON];
    load_afresh_neon();
    dots_i4_neon(panel->quants + (size_t)256 * g + (size_t)4 * row, x, columns, span, count, dots);
    SLM_UNROLL_NEON
    for (uint32_t s = 0; s < span; s++) {
        const size_t at = (size_t)16 * g + row + 4 * s;
        const float32x4_t scale = scale_i4_neon(widen_four_neon(panel->scales + at));
        const int16x4_t zero = vreinterpret_s16_u16(widen_four_neon(panel->zeros + at));
        SLM_UNROLL_NEON
        for (uint32_t c = 0; c < count; c++) {
            const int32x4_t dot = add_sum_neon(vshlq_n_s32(dots[s * count + c], 4), zero, x_sums, count, c);
            const float32x4_t factor = vmulq_n_f32(scale, broadcast_f32_neon(x_scales + 4 * c));
            acc[s * count + c] = vfmaq_f32(acc[s * count + c], factor, vcvtq_f32_s32(dot));
        }
    }
}

/* 16 rows, `count` (1..4) of the `columns` columns in x, TILE_I4_NEON / count registers of rows at a time. */
SLM_INLINE_NEON void tile_i4_neon(const struct panel_i4_neon *panel, const uint8_t *x, uint32_t columns, uint32_t count, float *y,
                                  size_t y_stride)
{
    const uint32_t span = TILE_I4_NEON / count;
    float32x4_t acc[4 * TILE_I4_NEON];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4 * count; i++) {
        acc[i] = vdupq_n_f32(0.0f);
    }
    for (uint32_t g = 0; g < panel->groups; g++, x += (size_t)columns * SLM_PACKED_GROUP) {
        if (count == 1) {
            prefetch_i4_neon(panel, g);
        }
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < 4; i += span) {
            group_i4_neon(panel, g, 4 * i, span, x, columns, count, acc + i * count);
        }
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4; i++) {
        const float32x4_t row = vld1q_f32((const float *)(const void *)panel->rows + 4 * i);
        SLM_UNROLL_NEON
        for (uint32_t c = 0; c < count; c++) {
            vst1q_f32(y + c * y_stride + (size_t)4 * i, vmulq_f32(acc[i * count + c], row));
        }
    }
}

void slm__matmul_i4_neon(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                         float *y, size_t y_stride)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const uint8_t *data = w->data + p * w->panel_bytes, *x = packed;
        const struct panel_i4_neon panel = {data, data + slm__i4_scales_offset(groups), data + slm__i4_zeros_offset(groups),
                                            data + slm__i4_rows_offset(groups), groups};
        float *out = y + (size_t)16 * p;
        uint32_t c = 0;
        for (; c + TILE_I4_NEON <= columns; c += TILE_I4_NEON) {
            tile_i4_neon(&panel, x + 4 * c, columns, TILE_I4_NEON, out + c * y_stride, y_stride);
        }
        switch (columns - c) {
        case 1: tile_i4_neon(&panel, x + 4 * c, columns, 1, out + c * y_stride, y_stride); break;
        case 2: tile_i4_neon(&panel, x + 4 * c, columns, 2, out + c * y_stride, y_stride); break;
        case 3: tile_i4_neon(&panel, x + 4 * c, columns, 3, out + c * y_stride, y_stride); break;
        default: break;
        }
    }
}
