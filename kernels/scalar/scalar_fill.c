/* SPDX-License-Identifier: MIT */
/* The scalar tier's table: every slot that has a meaning. */
#include "kernels/scalar/scalar_kernels.h" /* every function of the tier */
#include <string.h>

/* A build without tiers, rarer families and parts that see leaves out what only these call, as the Makefile says. */
#ifndef SLM_COMMON_KERNELS
#  define SLM_COMMON_KERNELS 0
#endif

static const struct slm_kernels scalar_table = {
    .isa = SLM_TIER_SCALAR,
    .pack[SLM_WEIGHT_F32] = slm__pack_floats_scalar,
    .pack[SLM_WEIGHT_F16] = slm__pack_floats_scalar,
    .pack[SLM_WEIGHT_BF16] = slm__pack_floats_scalar,
    .pack[SLM_WEIGHT_I8] = slm__pack_quants_scalar,
    .pack[SLM_WEIGHT_I4] = slm__pack_quants_scalar,
    .matmul[SLM_WEIGHT_F32] = slm__matmul_floats_scalar,
    .matmul[SLM_WEIGHT_F16] = slm__matmul_floats_scalar,
    .matmul[SLM_WEIGHT_BF16] = slm__matmul_floats_scalar,
    .matmul[SLM_WEIGHT_I8] = slm__matmul_i8_scalar,
    .matmul[SLM_WEIGHT_I4] = slm__matmul_i4_scalar,
    .gather[SLM_WEIGHT_F32] = slm__gather_floats_scalar,
    .gather[SLM_WEIGHT_F16] = slm__gather_floats_scalar,
    .gather[SLM_WEIGHT_BF16] = slm__gather_floats_scalar,
    .gather[SLM_WEIGHT_I8] = slm__gather_i8_scalar,
    .gather[SLM_WEIGHT_I4] = slm__gather_i4_scalar,
    .rms_norm = slm__rms_norm_scalar,
    .add = slm__add_scalar,
    .silu_mul = slm__silu_mul_scalar,
    .activate[SLM_ACTIVATION_SILU] = slm__silu_scalar,
    .activate[SLM_ACTIVATION_GELU_TANH] = slm__gelu_tanh_scalar,
    .multiply = slm__multiply_scalar,
    .softcap = slm__softcap_scalar,
    .rope = slm__rope_scalar,
    .scale = slm__scale_scalar,
    .sum_exp = slm__sum_exp_scalar,
    .store_k[SLM_CACHE_F32] = slm__store_k_f32_scalar,
    .store_k[SLM_CACHE_F16] = slm__store_k_f16_scalar,
    .store_k[SLM_CACHE_I8] = slm__store_k_i8_scalar,
    .store_v[SLM_CACHE_F32] = slm__store_v_f32_scalar,
    .store_v[SLM_CACHE_F16] = slm__store_v_f16_scalar,
    .store_v[SLM_CACHE_I8] = slm__store_v_i8_scalar,
    .quantize_query = slm__quantize_query_scalar,
    .attend[SLM_CACHE_F32] = slm__attend_f32_scalar,
    .attend[SLM_CACHE_F16] = slm__attend_f16_scalar,
    .attend[SLM_CACHE_I8] = slm__attend_i8_scalar,
    .attend_merge = slm__attend_merge_scalar,
    .attend_finish = slm__attend_finish_scalar,
    .peak = slm__peak_scalar,
    .read = slm__read_scalar,
#if !SLM_COMMON_KERNELS
    .layer_norm = slm__layer_norm_scalar,
    .activate[SLM_ACTIVATION_GELU_ERF] = slm__gelu_erf_scalar,
#endif
};

void slm__fill_scalar(struct slm_kernels *table) { memcpy(table, &scalar_table, sizeof *table); }
