/* SPDX-License-Identifier: MIT */
/* KV tiles as bytes, for copies that leave a pool. */
#ifndef SLM_OPS_KV_TILE_H
#define SLM_OPS_KV_TILE_H

#include "kernels/blocks.h" /* enum slm_kv_type, tile layout */

/* Clear slots [slot, 64) of all heads of one layer: what stands there belongs to no token. `tiles` may have any alignment. */
void slm__op_kv_clear(enum slm_kv_type type, uint32_t head_dim, uint32_t kv_heads, uint32_t slot, uint8_t *tiles);

#endif
