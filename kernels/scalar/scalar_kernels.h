/* SPDX-License-Identifier: MIT */
/* The functions of the scalar tier, for scalar_fill.c. What each does: kernels.h; to the bit: kernels/README.md. */
#ifndef SLM_KERNELS_SCALAR_KERNELS_H
#define SLM_KERNELS_SCALAR_KERNELS_H

#include "kernels/kernels.h" /* function types */

slm_pack_fn slm__pack_floats_scalar, slm__pack_quants_scalar;
slm_matmul_fn slm__matmul_floats_scalar, slm__matmul_i8_scalar, slm__matmul_i4_scalar;
slm_gather_fn slm__gather_floats_scalar, slm__gather_i8_scalar, slm__gather_i4_scalar;
slm_rms_norm_fn slm__rms_norm_scalar;
slm_add_fn slm__add_scalar;
slm_layer_norm_fn slm__layer_norm_scalar;
slm_silu_mul_fn slm__silu_mul_scalar;
slm_activate_fn slm__silu_scalar, slm__gelu_tanh_scalar, slm__gelu_erf_scalar;
slm_multiply_fn slm__multiply_scalar;
slm_softcap_fn slm__softcap_scalar;
slm_rope_fn slm__rope_scalar;
slm_scale_fn slm__scale_scalar;
slm_sum_exp_fn slm__sum_exp_scalar;
slm_kv_store_fn slm__store_k_f32_scalar, slm__store_k_f16_scalar, slm__store_k_i8_scalar;
slm_kv_store_fn slm__store_v_f32_scalar, slm__store_v_f16_scalar, slm__store_v_i8_scalar;
slm_quantize_query_fn slm__quantize_query_scalar;
slm_attend_fn slm__attend_f32_scalar, slm__attend_f16_scalar, slm__attend_i8_scalar;
slm_attend_merge_fn slm__attend_merge_scalar;
slm_attend_finish_fn slm__attend_finish_scalar;
slm_peak_fn slm__peak_scalar;
slm_read_fn slm__read_scalar;

#endif
