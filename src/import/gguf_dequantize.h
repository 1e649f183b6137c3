/* SPDX-License-Identifier: MIT */
/* Blocks of GGUF's quantized types, and plain numbers, to f32. Every value is a product (or a difference of two) of exact factors, rounded
 * as ggml's own code rounds it, so results are equal bit by bit. */
#ifndef SLM_IMPORT_GGUF_DEQUANTIZE_H
#define SLM_IMPORT_GGUF_DEQUANTIZE_H

#include "import/value_types.h" /* slm_decode_blocks_fn */

slm_decode_blocks_fn slm__decode_f32, slm__decode_f16, slm__decode_bf16, slm__decode_f64;
slm_decode_blocks_fn slm__decode_q4_0, slm__decode_q4_1, slm__decode_q5_0, slm__decode_q5_1, slm__decode_q8_0;
slm_decode_blocks_fn slm__decode_q2_k, slm__decode_q3_k, slm__decode_q4_k, slm__decode_q5_k, slm__decode_q6_k;
slm_decode_blocks_fn slm__decode_iq4_nl, slm__decode_iq4_xs;
/* gguf_dequantize_grids.c */
slm_decode_blocks_fn slm__decode_iq1_s, slm__decode_iq1_m;
slm_decode_blocks_fn slm__decode_iq2_xxs, slm__decode_iq2_xs, slm__decode_iq2_s;
slm_decode_blocks_fn slm__decode_iq3_xxs, slm__decode_iq3_s;
/* gguf_dequantize_tiny.c */
slm_decode_blocks_fn slm__decode_tq1_0, slm__decode_tq2_0, slm__decode_mxfp4, slm__decode_nvfp4;

/* Scale and minimum of run j of 32 values in a super-block of Q4_K or Q5_K, from the 12 packed bytes and the block's two factors. */
void slm__unpack_k_scale(const uint8_t *packed, int j, float d, float dmin, float *scale, float *minimum);

#endif
