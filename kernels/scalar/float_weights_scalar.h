/* SPDX-License-Identifier: MIT */
/* Weights kept as f32, f16 or bf16, as f32: for products and for rows of the embedding. */
#ifndef SLM_KERNELS_SCALAR_FLOAT_WEIGHTS_SCALAR_H
#define SLM_KERNELS_SCALAR_FLOAT_WEIGHTS_SCALAR_H

#include "kernels/half_bits.h" /* slm__f16_to_f32, slm__bf16_to_f32 */
#include "kernels/kernels.h"   /* enum slm_weight_type */

/* out[i] = element first + i * step of the panel, i < count */
static inline void slm__float_weights_scalar(enum slm_weight_type type, const uint8_t *panel, size_t first, size_t step, uint32_t count,
                                             float *out)
{
    const float *floats = (const float *)(const void *)panel + first;
    const uint16_t *halves = (const uint16_t *)(const void *)panel + first;
    for (uint32_t i = 0; type == SLM_WEIGHT_F32 && i < count; i++) {
        out[i] = floats[i * step];
    }
    for (uint32_t i = 0; type == SLM_WEIGHT_F16 && i < count; i++) {
        out[i] = slm__f16_to_f32(halves[i * step]);
    }
    for (uint32_t i = 0; type == SLM_WEIGHT_BF16 && i < count; i++) {
        out[i] = slm__bf16_to_f32(halves[i * step]);
    }
}

#endif
