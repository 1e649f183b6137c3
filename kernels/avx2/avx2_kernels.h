/* SPDX-License-Identifier: MIT */
/* The functions of the AVX2 tier, for avx2_fill.c. What each does: kernels.h; to the bit: kernels/README.md. */
#ifndef SLM_KERNELS_AVX2_KERNELS_H
#define SLM_KERNELS_AVX2_KERNELS_H

#include "kernels/kernels.h" /* function types */

slm_pack_fn slm__pack_floats_avx2, slm__pack_quants_avx2;
slm_matmul_fn slm__matmul_f32_avx2, slm__matmul_f16_avx2, slm__matmul_bf16_avx2, slm__matmul_i8_avx2, slm__matmul_i4_avx2;
slm_gemv_fn slm__gemv_i8_avx2, slm__gemv_i4_avx2;
slm_rms_norm_fn slm__rms_norm_avx2;
slm_layer_norm_fn slm__layer_norm_avx2;
slm_add_fn slm__add_avx2;
slm_silu_mul_fn slm__silu_mul_avx2;
slm_activate_fn slm__silu_avx2, slm__gelu_tanh_avx2, slm__gelu_erf_avx2;
slm_multiply_fn slm__multiply_avx2;
slm_softcap_fn slm__softcap_avx2;
slm_rope_fn slm__rope_avx2;
slm_scale_fn slm__scale_avx2;
slm_sum_exp_fn slm__sum_exp_avx2;
slm_kv_store_fn slm__store_k_f16_avx2, slm__store_k_i8_avx2, slm__store_v_f16_avx2, slm__store_v_i8_avx2;
slm_quantize_query_fn slm__quantize_query_avx2;
slm_attend_fn slm__attend_f32_avx2, slm__attend_f16_avx2, slm__attend_i8_avx2;
slm_attend_merge_fn slm__attend_merge_avx2;
slm_attend_finish_fn slm__attend_finish_avx2;
slm_peak_fn slm__peak_avx2;
slm_read_fn slm__read_avx2;

#endif
