/* SPDX-License-Identifier: MIT */
/* The layout of kernels/blocks.h: of K a lane is a token, of V a row; scales of i8 behind either. */
#include "ops/kv_tile.h"
#include "ops/attention_op.h" /* slm__op_k_offset, slm__op_v_offset */
#include <string.h>

static void clear_k(enum slm_kv_type type, uint32_t head_dim, uint32_t slot, uint8_t *tile)
{
    const uint32_t lines = type == SLM_CACHE_I8 ? slm__head_quads(head_dim) : head_dim;
    const uint32_t lane_bytes = type == SLM_CACHE_I8 ? 4 : slm__kv_element_bytes(type);
    for (uint32_t panel = slot / 16; panel < 4; panel++) {
        const uint32_t lane = panel == slot / 16 ? slot % 16 : 0;
        for (uint32_t d = 0; d < lines; d++) {
            memset(tile + (((size_t)panel * lines + d) * 16 + lane) * lane_bytes, 0, (size_t)(16 - lane) * lane_bytes);
        }
    }
    if (type == SLM_CACHE_I8) {
        memset(tile + slm__k_scales_offset(head_dim) + (size_t)slot * 4, 0, (size_t)(SLM_TILE - slot) * 4);
    }
}

static void clear_v(enum slm_kv_type type, uint32_t head_dim, uint32_t slot, uint8_t *tile)
{
    const size_t row = (size_t)slm__head_stride(head_dim) * slm__kv_element_bytes(type);
    memset(tile + slot * row, 0, (SLM_TILE - slot) * row);
    if (type == SLM_CACHE_I8) {
        memset(tile + slm__v_scales_offset(head_dim) + (size_t)slot * 4, 0, (size_t)(SLM_TILE - slot) * 4);
    }
}

void slm__op_kv_clear(enum slm_kv_type type, uint32_t head_dim, uint32_t kv_heads, uint32_t slot, uint8_t *tiles)
{
    for (uint32_t h = 0; h < kv_heads && slot < SLM_TILE; h++) {
        clear_k(type, head_dim, slot, tiles + slm__op_k_offset(type, head_dim, h));
        clear_v(type, head_dim, slot, tiles + slm__op_v_offset(type, head_dim, kv_heads, h));
    }
}
