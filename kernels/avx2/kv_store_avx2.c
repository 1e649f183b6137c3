/* SPDX-License-Identifier: MIT */
/* One token's key and value into their tiles (layout: blocks.h). */
#include "kernels/avx2/avx2_kernels.h"  /* slm__store_..._avx2 */
#include "kernels/avx2/quantize_avx2.h" /* quantize_avx2 */
#include "kernels/half_bits.h"          /* slm__f32_to_f16 */
#include <string.h>

void slm__store_k_f16_avx2(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    uint16_t *lane = (uint16_t *)tile + (size_t)(slot / 16) * head_dim * 16 + slot % 16, half[8];
    uint32_t d = 0;
    for (; d + 8 <= head_dim; d += 8) {
        _mm_storeu_si128((__m128i *)(void *)half, _mm256_cvtps_ph(_mm256_loadu_ps(x + d), _MM_FROUND_TO_NEAREST_INT));
        for (uint32_t i = 0; i < 8; i++) {
            lane[(size_t)16 * (d + i)] = half[i];
        }
    }
    for (; d < head_dim; d++) {
        lane[(size_t)16 * d] = slm__f32_to_f16(x[d]);
    }
}

void slm__store_v_f16_avx2(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    const uint32_t stride = slm__head_stride(head_dim);
    uint16_t *row = (uint16_t *)tile + (size_t)slot * stride;
    uint32_t d = 0;
    for (; d + 8 <= head_dim; d += 8) {
        _mm_storeu_si128((__m128i *)(void *)(row + d), _mm256_cvtps_ph(_mm256_loadu_ps(x + d), _MM_FROUND_TO_NEAREST_INT));
    }
    for (; d < head_dim; d++) {
        row[d] = slm__f32_to_f16(x[d]);
    }
    memset(row + head_dim, 0, (stride - head_dim) * sizeof *row);
}

void slm__store_k_i8_avx2(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    int8_t q[SLM_HEAD_DIM_MAX + 3];
    const uint32_t quads = slm__head_quads(head_dim);
    uint8_t *lane = (uint8_t *)tile + (size_t)64 * (slot / 16) * quads + (size_t)4 * (slot % 16);
    const float scale = quantize_avx2(x, head_dim, q);
    memset(q + head_dim, 0, 3);
    for (uint32_t j = 0; j < quads; j++) {
        memcpy(lane + (size_t)64 * j, q + (size_t)4 * j, 4);
    }
    memcpy((uint8_t *)tile + slm__k_scales_offset(head_dim) + (size_t)4 * slot, &scale, sizeof scale);
}

void slm__store_v_i8_avx2(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    const uint32_t stride = slm__head_stride(head_dim);
    int8_t *row = (int8_t *)tile + (size_t)slot * stride;
    const float scale = quantize_avx2(x, head_dim, row);
    memset(row + head_dim, 0, stride - head_dim);
    memcpy((uint8_t *)tile + slm__v_scales_offset(head_dim) + (size_t)4 * slot, &scale, sizeof scale);
}
