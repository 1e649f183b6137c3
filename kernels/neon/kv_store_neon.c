/* SPDX-License-Identifier: MIT */
/* One token's key and value into their f16 and i8 tiles (layout: blocks.h). f32 tiles are left to scalar. */
#include "kernels/half_bits.h"          /* slm__f32_to_f16 */
#include "kernels/neon/neon_kernels.h"  /* slm__store_..._neon */
#include "kernels/neon/quantize_neon.h" /* quantize_neon */

SLM_INLINE_NEON uint16x4_t round_f16_neon(const float *x) { return vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(x))); }

void slm__store_k_f16_neon(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    uint16_t *lane = (uint16_t *)tile + (size_t)(slot / 16) * head_dim * 16 + slot % 16, half[4];
    uint32_t d = 0;
    for (; d + 4 <= head_dim; d += 4) {
        vst1_u16(half, round_f16_neon(x + d));
        for (uint32_t i = 0; i < 4; i++) {
            lane[(size_t)16 * (d + i)] = half[i];
        }
    }
    for (; d < head_dim; d++) {
        lane[(size_t)16 * d] = slm__f32_to_f16(x[d]);
    }
}

void slm__store_v_f16_neon(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    const uint32_t stride = slm__head_stride(head_dim);
    uint16_t *row = (uint16_t *)tile + (size_t)slot * stride;
    uint32_t d = 0;
    for (; d + 4 <= head_dim; d += 4) {
        vst1_u16(row + d, round_f16_neon(x + d));
    }
    for (; d < head_dim; d++) {
        row[d] = slm__f32_to_f16(x[d]);
    }
    memset(row + head_dim, 0, (stride - head_dim) * sizeof *row);
}

void slm__store_k_i8_neon(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    int8_t q[SLM_HEAD_DIM_MAX];
    const uint32_t quads = slm__head_quads(head_dim);
    int8_t *lane = (int8_t *)tile + 4 * ((size_t)(slot / 16) * quads * 16 + slot % 16);
    const float scale = quantize_neon(x, head_dim, q);
    for (uint32_t j = 0; j < quads; j++) {
        memcpy(lane + (size_t)64 * j, q + (size_t)4 * j, 4);
    }
    memcpy((int8_t *)tile + slm__k_scales_offset(head_dim) + (size_t)4 * slot, &scale, sizeof scale);
}

void slm__store_v_i8_neon(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    int8_t *row = (int8_t *)tile + (size_t)slot * slm__head_stride(head_dim);
    const float scale = quantize_neon(x, head_dim, row); /* to the end of the padded row */
    memcpy((int8_t *)tile + slm__v_scales_offset(head_dim) + (size_t)4 * slot, &scale, sizeof scale);
}
