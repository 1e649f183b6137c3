/* SPDX-License-Identifier: MIT */
/*
 * The byte layout of weight panels and of packed activations: the contract between the file format, the converter and every kernel.
 *
 * A matrix [rows, cols] lies in panels of 16 output rows; rows are padded to 16 and cols to 32 with zeros. In a panel a lane is a row.
 *
 *   f32       [cols] lines of 16 f32                        64 bytes per k
 *   f16 bf16  [cols] lines of 16 halves                     32 bytes per k
 *   i8        quants  [groups][8 lines][16 rows][4]  i8     line j of a group holds k = 4j .. 4j+3 of each row
 *             scales  [groups][16] f16                      w = scale * q
 *   i4        quants  [groups][4 lines][16 rows][4]  u8     line j, row r, byte b: low nibble k = 4j+b, high nibble k = 16+4j+b
 *             scales  [groups][16] u8                       f32 bits = (u8 << 19) + (111 << 23): 2^-16 .. 0.97
 *             zeros   [groups][16] u8                       in sixteenths of a step
 *             rows    [16] f32                              w = row * scale * (16 q - zero): the stored f32 already contains the 1/16
 *
 * group = 32 consecutive k. Each plane begins at a multiple of 64 bytes, so a panel is a multiple of 64 bytes long.
 *
 * Packed activations: up to 8 columns (token rows of x) side by side, written once and read by every panel.
 *   for f32, f16, bf16 weights:  [cols padded][columns] f32
 *   for i8, i4 weights, per group: [8 quads][columns] 4 x i8 (k = 4j .. 4j+3), then [columns] f32 scale, then [columns] i32 minus the
 *   sum of the group's 32 values. 40 bytes per group and column.
 */
#ifndef SLM_KERNELS_BLOCKS_H
#define SLM_KERNELS_BLOCKS_H

#include <stdint.h>

enum { SLM_PANEL_ROWS = 16, SLM_GROUP = 32, SLM_COLUMNS = 8 };
/* A packed group of n columns: quads at 0, scales at 32 n, negated sums at 36 n, the next group at 40 n. */
enum { SLM_PACKED_SCALES = 32, SLM_PACKED_SUMS = 36, SLM_PACKED_GROUP = 40 };

/* The numbers of SLM_TYPE_... in slm.h and of the file format. */
enum slm_weight_type {
    SLM_WEIGHT_NONE = 0,
    SLM_WEIGHT_F32 = 1,
    SLM_WEIGHT_F16 = 2,
    SLM_WEIGHT_BF16 = 3,
    SLM_WEIGHT_I8 = 4,
    SLM_WEIGHT_I4 = 5,
    SLM_WEIGHT_TYPES = 6
};

static inline uint64_t slm__align64(uint64_t bytes) { return (bytes + 63) & ~(uint64_t)63; }
static inline uint32_t slm__padded_rows(uint32_t rows) { return (rows + 15u) & ~15u; }
static inline uint32_t slm__padded_cols(uint32_t cols) { return (cols + 31u) & ~31u; }

/* Offsets inside a panel of a matrix with `groups` groups. */
static inline uint64_t slm__i8_scales_offset(uint32_t groups) { return (uint64_t)groups * 512; }
static inline uint64_t slm__i8_panel_bytes(uint32_t groups) { return slm__i8_scales_offset(groups) + slm__align64((uint64_t)groups * 32); }
static inline uint64_t slm__i4_scales_offset(uint32_t groups) { return (uint64_t)groups * 256; }
static inline uint64_t slm__i4_zeros_offset(uint32_t groups) { return slm__i4_scales_offset(groups) + slm__align64((uint64_t)groups * 16); }
static inline uint64_t slm__i4_rows_offset(uint32_t groups) { return slm__i4_zeros_offset(groups) + slm__align64((uint64_t)groups * 16); }
static inline uint64_t slm__i4_panel_bytes(uint32_t groups) { return slm__i4_rows_offset(groups) + 64; }

/* Bytes of one panel; 0 for an unknown type. cols <= 2^24, so nothing wraps. */
static inline uint64_t slm__panel_bytes(enum slm_weight_type type, uint32_t cols)
{
    const uint32_t padded = slm__padded_cols(cols), groups = padded / SLM_GROUP;
    switch (type) {
    case SLM_WEIGHT_F32: return (uint64_t)padded * 64;
    case SLM_WEIGHT_F16:
    case SLM_WEIGHT_BF16: return (uint64_t)padded * 32;
    case SLM_WEIGHT_I8: return slm__i8_panel_bytes(groups);
    case SLM_WEIGHT_I4: return slm__i4_panel_bytes(groups);
    case SLM_WEIGHT_NONE:
    case SLM_WEIGHT_TYPES: break;
    }
    return 0;
}

/* Bytes of one packed column. A block of n columns has n times as many. */
static inline uint64_t slm__packed_column_bytes(enum slm_weight_type type, uint32_t cols)
{
    const uint32_t padded = slm__padded_cols(cols);
    return type == SLM_WEIGHT_I8 || type == SLM_WEIGHT_I4 ? (uint64_t)(padded / SLM_GROUP) * SLM_PACKED_GROUP : (uint64_t)padded * 4;
}

/*
 * KV cache. A tile is 64 consecutive absolute positions of one kv head; a segment is 8 tiles. See kernels/README.md, attention.
 *
 *   f32 f16  K  [4 panels][head_dim][16 tokens]             V  [64 tokens][head_stride]
 *   i8       K  [4 panels][quads][16 tokens][4] i8          V  [64 tokens][head_stride] i8
 *               [64] f32 scales: k = scale * q                 [64] f32 scales: v = scale * q
 *
 * quad j holds d = 4j .. 4j+3; quads = head_dim / 4 rounded up, padded with zeros.
 *
 * A query upon i8 tiles: [head_stride] i8, zeros behind head_dim, then an f32 scale and the i32 sum of the codes, padded to 16 bytes.
 */
enum { SLM_TILE = 64, SLM_SEGMENT = 512, SLM_HEAD_DIM_MAX = 1024 };
enum slm_kv_type { SLM_CACHE_NONE = 0, SLM_CACHE_F32 = 1, SLM_CACHE_F16 = 2, SLM_CACHE_I8 = 3, SLM_CACHE_TYPES = 4 };

static inline uint32_t slm__head_stride(uint32_t head_dim) { return (head_dim + 15u) & ~15u; }
static inline uint32_t slm__head_quads(uint32_t head_dim) { return (head_dim + 3u) / 4u; }
static inline uint32_t slm__kv_element_bytes(enum slm_kv_type type) { return type == SLM_CACHE_F32 ? 4 : type == SLM_CACHE_F16 ? 2 : 1; }
static inline uint64_t slm__query_codes_bytes(uint32_t head_dim) { return (uint64_t)slm__head_stride(head_dim) + 16; }
/* Offsets of the scales of i8 tiles. */
static inline uint64_t slm__k_scales_offset(uint32_t head_dim) { return (uint64_t)SLM_TILE * 4 * slm__head_quads(head_dim); }
static inline uint64_t slm__v_scales_offset(uint32_t head_dim) { return (uint64_t)SLM_TILE * slm__head_stride(head_dim); }
static inline uint64_t slm__k_tile_bytes(enum slm_kv_type type, uint32_t head_dim)
{
    if (type == SLM_CACHE_I8) {
        return slm__k_scales_offset(head_dim) + SLM_TILE * 4;
    }
    return (uint64_t)SLM_TILE * head_dim * slm__kv_element_bytes(type);
}
static inline uint64_t slm__v_tile_bytes(enum slm_kv_type type, uint32_t head_dim)
{
    if (type == SLM_CACHE_I8) {
        return slm__v_scales_offset(head_dim) + SLM_TILE * 4;
    }
    return (uint64_t)SLM_TILE * slm__head_stride(head_dim) * slm__kv_element_bytes(type);
}

#endif
