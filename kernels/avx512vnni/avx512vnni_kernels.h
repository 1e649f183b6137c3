/* SPDX-License-Identifier: MIT */
/* The functions of the AVX512-VNNI tier, for avx512vnni_fill.c. What each does: kernels.h; to the bit: kernels/README.md. */
#ifndef SLM_KERNELS_AVX512VNNI_KERNELS_H
#define SLM_KERNELS_AVX512VNNI_KERNELS_H

#include "kernels/kernels.h" /* function types */

slm_matmul_fn slm__matmul_f32_avx512vnni, slm__matmul_f16_avx512vnni, slm__matmul_bf16_avx512vnni;
slm_matmul_fn slm__matmul_i8_avx512vnni, slm__matmul_i4_avx512vnni;
slm_matmul_fn slm__gemm_quants_avx512vnni;
slm_pack_fn slm__pack_quants_avx512vnni;
slm_rms_norm_fn slm__rms_norm_avx512vnni;
slm_layer_norm_fn slm__layer_norm_avx512vnni;
slm_add_fn slm__add_avx512vnni;
slm_silu_mul_fn slm__silu_mul_avx512vnni;
slm_activate_fn slm__silu_avx512vnni, slm__gelu_tanh_avx512vnni;
slm_multiply_fn slm__multiply_avx512vnni;
slm_softcap_fn slm__softcap_avx512vnni;
slm_rope_fn slm__rope_avx512vnni;
slm_scale_fn slm__scale_avx512vnni;
slm_attend_fn slm__attend_f32_avx512vnni, slm__attend_f16_avx512vnni, slm__attend_i8_avx512vnni;
slm_attend_merge_fn slm__attend_merge_avx512vnni;
slm_attend_finish_fn slm__attend_finish_avx512vnni;
slm_peak_fn slm__peak_avx512vnni;
slm_read_fn slm__read_avx512vnni;

#endif
