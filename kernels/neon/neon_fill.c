/* SPDX-License-Identifier: MIT */
/* The NEON tier (every AArch64 processor): what it puts over the scalar table. */
#include "kernels/neon/neon_kernels.h" /* every function of the tier */

void slm__fill_neon(struct slm_kernels *table)
{
    table->pack[SLM_WEIGHT_F32] = slm__pack_floats_neon;
    table->pack[SLM_WEIGHT_F16] = slm__pack_floats_neon;
    table->pack[SLM_WEIGHT_BF16] = slm__pack_floats_neon;
    table->pack[SLM_WEIGHT_I8] = slm__pack_quants_neon;
    table->pack[SLM_WEIGHT_I4] = slm__pack_quants_neon;
    table->matmul[SLM_WEIGHT_F32] = slm__matmul_f32_neon;
    table->matmul[SLM_WEIGHT_F16] = slm__matmul_f16_neon;
    table->matmul[SLM_WEIGHT_BF16] = slm__matmul_bf16_neon;
    table->matmul[SLM_WEIGHT_I8] = slm__matmul_i8_neon;
    table->matmul[SLM_WEIGHT_I4] = slm__matmul_i4_neon;
    table->rms_norm = slm__rms_norm_neon;
    table->layer_norm = slm__layer_norm_neon;
    table->add = slm__add_neon;
    table->silu_mul = slm__silu_mul_neon;
    table->rope = slm__rope_neon;
    table->scale = slm__scale_neon;
    table->activate[SLM_ACTIVATION_SILU] = slm__silu_neon;
    table->activate[SLM_ACTIVATION_GELU_TANH] = slm__gelu_tanh_neon;
    table->activate[SLM_ACTIVATION_GELU_ERF] = slm__gelu_erf_neon;
    table->multiply = slm__multiply_neon;
    table->softcap = slm__softcap_neon;
    table->sum_exp = slm__sum_exp_neon;
    table->store_k[SLM_CACHE_F16] = slm__store_k_f16_neon;
    table->store_k[SLM_CACHE_I8] = slm__store_k_i8_neon;
    table->store_v[SLM_CACHE_F16] = slm__store_v_f16_neon;
    table->store_v[SLM_CACHE_I8] = slm__store_v_i8_neon;
    table->quantize_query = slm__quantize_query_neon;
    table->attend[SLM_CACHE_F32] = slm__attend_f32_neon;
    table->attend[SLM_CACHE_F16] = slm__attend_f16_neon;
    table->attend[SLM_CACHE_I8] = slm__attend_i8_neon;
    table->attend_merge = slm__attend_merge_neon;
    table->attend_finish = slm__attend_finish_neon;
    table->peak = slm__peak_neon;
    table->read = slm__read_neon;
}
