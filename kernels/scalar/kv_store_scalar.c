/* SPDX-License-Identifier: MIT */
/* One token's key and value into their tiles (layout: blocks.h). */
#include "kernels/half_bits.h"             /* slm__f32_to_f16 */
#include "kernels/quantize_bits.h"         /* slm__quantize */
#include "kernels/scalar/scalar_kernels.h" /* slm__store_..._scalar */
#include <string.h>

/* The first element of a token in [4 panels][lines][16 tokens]. */
static size_t key_lane_scalar(uint32_t slot, uint32_t lines) { return (size_t)(slot / 16) * lines * 16 + slot % 16; }

void slm__store_k_f32_scalar(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    float *lane = (float *)tile + key_lane_scalar(slot, head_dim);
    for (uint32_t d = 0; d < head_dim; d++) {
        lane[(size_t)16 * d] = x[d];
    }
}

void slm__store_k_f16_scalar(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    uint16_t *lane = (uint16_t *)tile + key_lane_scalar(slot, head_dim);
    for (uint32_t d = 0; d < head_dim; d++) {
        lane[(size_t)16 * d] = slm__f32_to_f16(x[d]);
    }
}

void slm__store_k_i8_scalar(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    int8_t q[SLM_HEAD_DIM_MAX + 3];
    const uint32_t quads = slm__head_quads(head_dim);
    int8_t *lane = (int8_t *)tile + 4 * key_lane_scalar(slot, quads);
    const float scale = slm__quantize(x, head_dim, q);
    memset(q + head_dim, 0, 3);
    for (uint32_t j = 0; j < quads; j++) {
        memcpy(lane + (size_t)64 * j, q + (size_t)4 * j, 4);
    }
    memcpy((int8_t *)tile + slm__k_scales_offset(head_dim) + (size_t)4 * slot, &scale, sizeof scale);
}

void slm__store_v_f32_scalar(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    const uint32_t stride = slm__head_stride(head_dim);
    for (uint32_t d = 0; d < stride; d++) {
        ((float *)tile)[(size_t)slot * stride + d] = d < head_dim ? x[d] : 0.0f;
    }
}

void slm__store_v_f16_scalar(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    const uint32_t stride = slm__head_stride(head_dim);
    for (uint32_t d = 0; d < stride; d++) {
        ((uint16_t *)tile)[(size_t)slot * stride + d] = d < head_dim ? slm__f32_to_f16(x[d]) : 0;
    }
}

void slm__store_v_i8_scalar(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    const uint32_t stride = slm__head_stride(head_dim);
    int8_t *row = (int8_t *)tile + (size_t)slot * stride;
    const float scale = slm__quantize(x, head_dim, row);
    memset(row + head_dim, 0, stride - head_dim);
    memcpy((int8_t *)tile + slm__v_scales_offset(head_dim) + (size_t)4 * slot, &scale, sizeof scale);
}
