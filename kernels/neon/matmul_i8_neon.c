/* SPDX-License-Identifier: MIT */
/*
 * i8 weights x packed int8 activations without dot instructions. A product is at most 128 * 127, so two of them fit an int16 (32 512) and
 * three do not: one widening multiply, one multiply-add, then pairs are added to int32. A line of 64 bytes is four registers of 4 rows;
 * the halves of a register are summed apart and joined at the end of the group. One column at a time: its 8 quads meet all 16 rows.
 */
#include "kernels/neon/neon_kernels.h" /* slm__matmul_i8_neon */
#include "kernels/neon/simd_neon.h"    /* broadcast_quad_neon, load_f16_neon */

enum {
    TILE_I8_NEON = 4,         /* columns in a tile: 16 registers of sums */
    AHEAD_I8_NEON = 2048,     /* bytes of the weight stream to ask for ahead of a single column */
    AHEAD_PLANE_I8_NEON = 256 /* the same for scales, which are a sixteenth */
};

/* dots[i] = rows 4 i .. 4 i + 3 of one group and one column, whose quads are `step` bytes apart. */
SLM_INLINE_NEON void dots_i8_neon(const int8_t *quants, const uint8_t *x, size_t step, int32x4_t dots[4])
{
    int32x4_t low[4], high[4];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4; i++) {
        low[i] = high[i] = vdupq_n_s32(0);
    }
    SLM_UNROLL_NEON
    for (uint32_t j = 0; j < 8; j += 2) {
        load_afresh_neon();
        const int8x16_t first = broadcast_quad_neon(x + step * j), second = broadcast_quad_neon(x + step * (j + 1));
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < 4; i++) {
            const int8x16_t q = vld1q_s8(quants + 64 * j + 16 * i), next = vld1q_s8(quants + 64 * (j + 1) + 16 * i);
            const int16x8_t low_pair = vmull_s8(vget_low_s8(q), vget_low_s8(first)), high_pair = vmull_high_s8(q, first);
            low[i] = hold_neon(vpadalq_s16(low[i], vmlal_s8(low_pair, vget_low_s8(next), vget_low_s8(second))));
            high[i] = hold_neon(vpadalq_s16(high[i], vmlal_high_s8(high_pair, next, second)));
        }
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4; i++) {
        dots[i] = vpaddq_s32(low[i], high[i]);
    }
}

SLM_INLINE_NEON void prefetch_i8_neon(const uint8_t *quants, const uint8_t *scales, uint32_t g)
{
    SLM_UNROLL_NEON
    for (uint32_t line = 0; line < 8; line++) {
        prefetch_neon(quants + (size_t)512 * g + (size_t)64 * line, AHEAD_I8_NEON);
    }
    if (g % 2 == 0) {
        prefetch_neon(scales + (size_t)32 * g, AHEAD_PLANE_I8_NEON);
    }
}

/* 16 rows, `count` of the `columns` columns in x. */
SLM_INLINE_NEON void tile_i8_neon(const uint8_t *panel, uint32_t groups, const uint8_t *x, uint32_t columns, uint32_t count, float *y,
                                  size_t y_stride)
{
    const uint8_t *scales = panel + slm__i8_scales_offset(groups);
    float32x4_t acc[4 * TILE_I8_NEON];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4 * count; i++) {
        acc[i] = vdupq_n_f32(0.0f);
    }
    for (uint32_t g = 0; g < groups; g++, x += (size_t)columns * SLM_PACKED_GROUP) {
        const uint16_t *scale = (const uint16_t *)(const void *)(scales + (size_t)32 * g);
        if (count == 1) {
            prefetch_i8_neon(panel, scales, g);
        }
        SLM_UNROLL_NEON
        for (uint32_t c = 0; c < count; c++) {
            const float x_scale = broadcast_f32_neon(x + (size_t)columns * SLM_PACKED_SCALES + 4 * c);
            int32x4_t dots[4];
            load_afresh_neon();
            dots_i8_neon((const int8_t *)panel + (size_t)512 * g, x + 4 * c, (size_t)4 * columns, dots);
            SLM_UNROLL_NEON
            for (uint32_t i = 0; i < 4; i++) {
                const float32x4_t factor = vmulq_n_f32(load_f16_neon(scale + 4 * i), x_scale);
                acc[4 * c + i] = vfmaq_f32(acc[4 * c + i], factor, vcvtq_f32_s32(dots[i]));
            }
        }
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4 * count; i++) {
        vst1q_f32(y + i / 4 * y_stride + (size_t)4 * (i % 4), acc[i]);
    }
}

void slm__matmul_i8_neon(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                         float *y, size_t y_stride)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const uint8_t *panel = w->data + p * w->panel_bytes, *x = packed;
        float *out = y + (size_t)16 * p;
        uint32_t c = 0;
        for (; c + TILE_I8_NEON <= columns; c += TILE_I8_NEON) {
            tile_i8_neon(panel, groups, x + 4 * c, columns, TILE_I8_NEON, out + c * y_stride, y_stride);
        }
        switch (columns - c) {
        case 1: tile_i8_neon(panel, groups, x + 4 * c, columns, 1, out + c * y_stride, y_stride); break;
        case 2: tile_i8_neon(panel, groups, x + 4 * c, columns, 2, out + c * y_stride, y_stride); break;
        case 3: tile_i8_neon(panel, groups, x + 4 * c, columns, 3, out + c * y_stride, y_stride); break;
        default: break;
        }
    }
}
