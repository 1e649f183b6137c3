/* SPDX-License-Identifier: MIT */
/*
 * Tiles of i8 and i4 weights x packed int8 activations by SMMLA, which multiplies 2 rows x 8 k by 2 columns x 8 k. Zipping two lines of
 * weights gives the rows; the columns are zipped once per call for a block of groups and then read by every panel, whose sums rest in y
 * between the blocks (exactly: they are f32 there as here).
 */
#ifndef SLM_KERNELS_TILES_NEON_I8MM_H
#define SLM_KERNELS_TILES_NEON_I8MM_H

#include "kernels/kernels.h"                         /* struct slm_matrix, panel and packed layout */
#include "kernels/neon/simd_neon.h"                  /* widen_four_neon, scale_i4_neon, add_sum_neon, load_f16_neon */
#include "kernels/neon_dotprod/tiles_neon_dotprod.h" /* struct panel_neon_dotprod, add_group_neon_dotprod, tile_neon_dotprod */

enum {
    BLOCK_NEON_I8MM = 16,      /* groups zipped at a time */
    PAIRS_NEON_I8MM = 4,       /* pairs of columns at most */
    ZIPPED_NEON_I8MM = 32 * 8, /* bytes of a zipped group: [4 pairs of quads][8 columns][8 k] */
    ROW_NEON_I8MM = 64         /* bytes of one pair of quads */
};

/* out: [count groups][4 pairs of quads][8 columns][8 k] from packed groups of 4..8 columns; other columns stay as they are. */
static inline void zip_neon_i8mm(const uint8_t *x, uint32_t columns, uint32_t count, int8_t *out)
{
    const size_t step = (size_t)4 * columns;
    for (uint32_t g = 0; g < count; g++, x += (size_t)SLM_PACKED_GROUP * columns, out += ZIPPED_NEON_I8MM) {
        for (uint32_t m = 0; m < 4; m++) {
            for (uint32_t c = 0; c < columns; c += 4) {
                const uint32_t first = c + 4 > columns ? columns - 4 : c; /* the last four end with the last column */
                int32x4x2_t quads;
                quads.val[0] = vreinterpretq_s32_u8(vld1q_u8(x + step * (2 * m) + (size_t)4 * first));
                quads.val[1] = vreinterpretq_s32_u8(vld1q_u8(x + step * (2 * m + 1) + (size_t)4 * first));
                vst2q_s32((int32_t *)(void *)(out + ROW_NEON_I8MM * m + (size_t)8 * first), quads);
            }
        }
    }
}

/* sums[half][pair] += 2 rows x 2 columns for the 8 k of pair m of quads; w: rows 0-1 and rows 2-3. */
SLM_INLINE_NEON void multiply_neon_i8mm(const int8x16_t w[2], const int8_t *zipped, uint32_t m, uint32_t pairs,
                                        int32x4_t sums[2][PAIRS_NEON_I8MM])
{
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < pairs; i++) {
        const int8x16_t x = vld1q_s8(zipped + ROW_NEON_I8MM * m + 16 * i);
        sums[0][i] = vmmlaq_s32(sums[0][i], w[0], x);
        sums[1][i] = vmmlaq_s32(sums[1][i], w[1], x);
    }
}

SLM_INLINE_NEON int8x16_t zip_low_neon_i8mm(uint8x16_t a, uint8x16_t b)
{
    return vreinterpretq_s8_s32(vzip1q_s32(vreinterpretq_s32_u8(a), vreinterpretq_s32_u8(b)));
}

SLM_INLINE_NEON int8x16_t zip_high_neon_i8mm(uint8x16_t a, uint8x16_t b)
{
    return vreinterpretq_s8_s32(vzip2q_s32(vreinterpretq_s32_u8(a), vreinterpretq_s32_u8(b)));
}

/* 4 rows of a group of i8. */
SLM_INLINE_NEON void sums_i8_neon_i8mm(const uint8_t *quants, const int8_t *zipped, uint32_t pairs, int32x4_t sums[2][PAIRS_NEON_I8MM])
{
    SLM_UNROLL_NEON
    for (uint32_t m = 0; m < 4; m++) {
        load_afresh_neon();
        const uint8x16_t even = vld1q_u8(quants + 128 * m), odd = vld1q_u8(quants + 128 * m + 64);
        const int8x16_t w[2] = {zip_low_neon_i8mm(even, odd), zip_high_neon_i8mm(even, odd)};
        multiply_neon_i8mm(w, zipped, m, pairs, sums);
    }
}

/* 4 rows of a group of i4, codes as 16 q - 128. Two lines hold quads 2 m, 2 m + 1 in the low nibbles and 4 more in the high ones. */
SLM_INLINE_NEON void sums_i4_neon_i8mm(const uint8_t *quants, const int8_t *zipped, uint32_t pairs, int32x4_t sums[2][PAIRS_NEON_I8MM])
{
    SLM_UNROLL_NEON
    for (uint32_t m = 0; m < 2; m++) {
        load_afresh_neon();
        const uint8x16_t flip = vdupq_n_u8(0x88), high_nibbles = vdupq_n_u8(0xf0);
        const uint8x16_t even = veorq_u8(vld1q_u8(quants + 128 * m), flip), odd = veorq_u8(vld1q_u8(quants + 128 * m + 64), flip);
        const uint8x16_t rows[2] = {vreinterpretq_u8_s8(zip_low_neon_i8mm(even, odd)), vreinterpretq_u8_s8(zip_high_neon_i8mm(even, odd))};
        const int8x16_t low[2] = {vreinterpretq_s8_u8(vshlq_n_u8(rows[0], 4)), vreinterpretq_s8_u8(vshlq_n_u8(rows[1], 4))};
        multiply_neon_i8mm(low, zipped, m, pairs, sums);
        const int8x16_t high[2] = {vreinterpretq_s8_u8(vandq_u8(rows[0], high_nibbles)),
                                   vreinterpretq_s8_u8(vandq_u8(rows[1], high_nibbles))};
        multiply_neon_i8mm(high, zipped, m + 2, pairs, sums);
    }
}

/* One group of 4 rows (register `at` of a line), all columns: sums of 2 x 2 become one register of 4 rows per column. */
SLM_INLINE_NEON void group_neon_i8mm(const struct panel_neon_dotprod *panel, bool i4, uint32_t g, uint32_t at, const uint8_t *x,
                                     const int8_t *zipped, uint32_t count, float32x4_t *acc)
{
    const uint32_t pairs = (count + 1) / 2;
    const size_t plane = (size_t)16 * g + (size_t)4 * at;
    int32x4_t sums[2][PAIRS_NEON_I8MM], dots[2 * PAIRS_NEON_I8MM];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < pairs; i++) {
        sums[0][i] = sums[1][i] = vdupq_n_s32(0);
    }
    if (i4) {
        sums_i4_neon_i8mm(panel->quants + (size_t)256 * g + (size_t)16 * at, zipped, pairs, sums);
    } else {
        sums_i8_neon_i8mm(panel->quants + (size_t)512 * g + (size_t)16 * at, zipped, pairs, sums);
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < pairs; i++) {
        dots[2 * i] = vuzp1q_s32(sums[0][i], sums[1][i]);
        dots[2 * i + 1] = vuzp2q_s32(sums[0][i], sums[1][i]);
    }
    load_afresh_neon();
    if (i4) {
        const int16x4_t zero = vsub_s16(vreinterpret_s16_u16(widen_four_neon(panel->zeros + plane)), vdup_n_s16(128));
        SLM_UNROLL_NEON
        for (uint32_t c = 0; c < count; c++) {
            dots[c] = add_sum_neon(dots[c], zero, x + SLM_PACKED_SUMS * count, count, c);
        }
    }
    const float32x4_t scale =
        i4 ? scale_i4_neon(widen_four_neon(panel->scales + plane)) : load_f16_neon((const uint16_t *)(const void *)panel->scales + plane);
    add_group_neon_dotprod(scale, x + SLM_PACKED_SCALES * count, count, dots, acc);
}

/* Groups [first, last) of one panel, 8 rows after 8 rows, `count` columns (a constant, 4..8). y holds the sums of the groups before;
 * behind the last group of i4 the rows' factors follow. */
SLM_INLINE_NEON void tile_neon_i8mm(const struct panel_neon_dotprod *panel, bool i4, uint32_t first, uint32_t last, const uint8_t *packed,
                                    const int8_t *zipped, uint32_t count, float *y, size_t y_stride)
{
    for (uint32_t at = 0; at < 4; at += 2) {
        float32x4_t acc[2 * SLM_COLUMNS];
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < 2 * count; i++) {
            acc[i] = first == 0 ? vdupq_n_f32(0.0f) : vld1q_f32(y + i % count * y_stride + (size_t)4 * (at + i / count));
        }
        for (uint32_t g = first; g < last; g++) {
            const uint8_t *x = packed + (size_t)SLM_PACKED_GROUP * count * g;
            const int8_t *group = zipped + (size_t)ZIPPED_NEON_I8MM * (g - first);
            group_neon_i8mm(panel, i4, g, at, x, group, count, acc);
            group_neon_i8mm(panel, i4, g, at + 1, x, group, count, acc + count);
        }
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < 2 * count; i++) {
            const size_t row = (size_t)4 * (at + i / count);
            if (i4 && last == panel->groups) {
                acc[i] = vmulq_f32(acc[i], vld1q_f32((const float *)(const void *)panel->rows + row));
            }
            vst1q_f32(y + i % count * y_stride + row, acc[i]);
        }
    }
}

SLM_INLINE_NEON struct panel_neon_dotprod panel_neon_i8mm(const struct slm_matrix *w, bool i4, uint32_t p)
{
    return i4 ? panel_i4_neon_dotprod(w, p) : panel_i8_neon_dotprod(w, p);
}

/* Block after block of groups, in each all panels. */
SLM_INLINE_NEON void blocks_neon_i8mm(const struct slm_matrix *w, bool i4, uint32_t begin, uint32_t end, const uint8_t *packed,
                                      uint32_t count, float *y, size_t y_stride)
{
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    int8_t zipped[BLOCK_NEON_I8MM * ZIPPED_NEON_I8MM];
    if (count % 2 != 0) { /* the last column's partner: multiplied, not used */
        memset(zipped, 0, sizeof zipped);
    }
    for (uint32_t first = 0; first < groups; first += BLOCK_NEON_I8MM) {
        const uint32_t last = groups - first < BLOCK_NEON_I8MM ? groups : first + BLOCK_NEON_I8MM;
        zip_neon_i8mm(packed + (size_t)SLM_PACKED_GROUP * count * first, count, last - first, zipped);
        for (uint32_t p = begin; p < end; p++) {
            const struct panel_neon_dotprod panel = panel_neon_i8mm(w, i4, p);
            tile_neon_i8mm(&panel, i4, first, last, packed, zipped, count, y + (size_t)16 * p, y_stride);
        }
    }
}

/* Up to three columns are a matter of memory and of too few pairs: the dot product serves them. */
SLM_INLINE_NEON void few_columns_neon_i8mm(const struct slm_matrix *w, bool i4, uint32_t begin, uint32_t end, const uint8_t *packed,
                                           uint32_t count, float *y, size_t y_stride)
{
    for (uint32_t p = begin; p < end; p++) {
        const struct panel_neon_dotprod panel = panel_neon_i8mm(w, i4, p);
        tile_neon_dotprod(&panel, i4, packed, count, y + (size_t)16 * p, y_stride);
    }
}

SLM_INLINE_NEON void matmul_neon_i8mm(const struct slm_matrix *w, bool i4, uint32_t begin, uint32_t end, const uint8_t *packed,
                                      uint32_t columns, float *y, size_t y_stride)
{
    switch (columns) {
    case 1: few_columns_neon_i8mm(w, i4, begin, end, packed, 1, y, y_stride); break;
    case 2: few_columns_neon_i8mm(w, i4, begin, end, packed, 2, y, y_stride); break;
    case 3: few_columns_neon_i8mm(w, i4, begin, end, packed, 3, y, y_stride); break;
    case 4: blocks_neon_i8mm(w, i4, begin, end, packed, 4, y, y_stride); break;
    case 5: blocks_neon_i8mm(w, i4, begin, end, packed, 5, y, y_stride); break;
    case 6: blocks_neon_i8mm(w, i4, begin, end, packed, 6, y, y_stride); break;
    case 7: blocks_neon_i8mm(w, i4, begin, end, packed, 7, y, y_stride); break;
    default: blocks_neon_i8mm(w, i4, begin, end, packed, 8, y, y_stride); break;
    }
}

#endif
