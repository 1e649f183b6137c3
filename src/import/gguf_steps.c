/* SPDX-License-Identifier: MIT */
/* Steps and zeros of block types; gguf_dequantize.c describes the layouts. A minimum m of d * q + m is the zero -m / d, which need not be
 * whole. */
#include "import/gguf_steps.h"

#include "import/block_bytes.h"     /* slm__block_f16 */
#include "import/gguf_dequantize.h" /* slm__unpack_k_scale */

/* One f16 step at `offset` of each block, for `runs` runs of 32 values, and the same zero for all. */
static void single_steps(const uint8_t *blocks, uint64_t count, uint32_t bytes, uint32_t offset, uint32_t runs, float zero, float *steps,
                         float *zeros)
{
    for (uint64_t i = 0; i < count * runs; i++) {
        steps[i] = slm__block_f16(blocks + i / runs * bytes + offset);
        zeros[i] = zero;
    }
}

void slm__steps_q4_0(const uint8_t *blocks, uint64_t count, float *steps, float *zeros)
{
    single_steps(blocks, count, 18, 0, 1, 8.0f, steps, zeros);
}

void slm__steps_q5_0(const uint8_t *blocks, uint64_t count, float *steps, float *zeros)
{
    single_steps(blocks, count, 22, 0, 1, 16.0f, steps, zeros);
}

void slm__steps_iq4_nl(const uint8_t *blocks, uint64_t count, float *steps, float *zeros)
{
    single_steps(blocks, count, 18, 0, 1, 127.0f, steps, zeros);
}

void slm__steps_tq1_0(const uint8_t *blocks, uint64_t count, float *steps, float *zeros)
{
    single_steps(blocks, count, 54, 52, 8, 1.0f, steps, zeros);
}

void slm__steps_tq2_0(const uint8_t *blocks, uint64_t count, float *steps, float *zeros)
{
    single_steps(blocks, count, 66, 64, 8, 1.0f, steps, zeros);
}

void slm__steps_q4_1(const uint8_t *blocks, uint64_t count, float *steps, float *zeros)
{
    for (uint64_t i = 0; i < count; i++) {
        steps[i] = slm__block_f16(blocks + 20 * i);
        zeros[i] = steps[i] != 0.0f ? -slm__block_f16(blocks + 20 * i + 2) / steps[i] : 0.0f;
    }
}

void slm__steps_q4_k(const uint8_t *blocks, uint64_t count, float *steps, float *zeros)
{
    for (uint64_t i = 0; i < 8 * count; i++) {
        const uint8_t *block = blocks + i / 8 * 144;
        float minimum;
        slm__unpack_k_scale(block + 4, (int)(i % 8), slm__block_f16(block), slm__block_f16(block + 2), &steps[i], &minimum);
        zeros[i] = steps[i] != 0.0f ? minimum / steps[i] : 0.0f;
    }
}
