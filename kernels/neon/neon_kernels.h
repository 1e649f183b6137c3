/* SPDX-License-Identifier: MIT */
/* The functions of the NEON tier, for neon_fill.c. What each does: kernels.h; to the bit: kernels/README.md. */
#ifndef SLM_KERNELS_NEON_KERNELS_H
#define SLM_KERNELS_NEON_KERNELS_H

#include "kernels/kernels.h" /* function types */

slm_pack_fn slm__pack_floats_neon, slm__pack_quants_neon;
slm_matmul_fn slm__matmul_f32_neon, slm__matmul_f16_neon, slm__matmul_bf16_neon, slm__matmul_i8_neon, slm__matmul_i4_neon;
slm_rms_norm_fn slm__rms_norm_neon;
slm_layer_norm_fn slm__layer_norm_neon;
slm_add_fn slm__add_neon;
slm_silu_mul_fn slm__silu_mul_neon;
slm_rope_fn slm__rope_neon;
slm_scale_fn slm__scale_neon;
slm_activate_fn slm__silu_neon, slm__gelu_tanh_neon, slm__gelu_erf_neon;
slm_multiply_fn slm__multiply_neon;
slm_softcap_fn slm__softcap_neon;
slm_sum_exp_fn slm__sum_exp_neon;
slm_kv_store_fn slm__store_k_f16_neon, slm__store_v_f16_neon, slm__store_k_i8_neon, slm__store_v_i8_neon;
slm_quantize_query_fn slm__quantize_query_neon;
slm_attend_fn slm__attend_f32_neon, slm__attend_f16_neon, slm__attend_i8_neon;
slm_attend_merge_fn slm__attend_merge_neon;
slm_attend_finish_fn slm__attend_finish_neon;
slm_peak_fn slm__peak_neon;
slm_read_fn slm__read_neon;

#endif
