/* SPDX-License-Identifier: MIT */
/* The scalar tier's table: every slot that has a meaning. */
#include "kernels/scalar/scalar_kernels.h" /* every function of the tier */
#include <string.h>

void slm__fill_scalar(struct slm_kernels *table)
{
    memset(table, 0, sizeof *table);
    table->pack[SLM_WEIGHT_F32] = slm__pack_floats_scalar;
    table->pack[SLM_WEIGHT_F16] = slm__pack_floats_scalar;
    table->pack[SLM_WEIGHT_BF16] = slm__pack_floats_scalar;
    table->pack[SLM_WEIGHT_I8] = slm__pack_quants_scalar;
    table->pack[SLM_WEIGHT_I4] = slm__pack_quants_scalar;
    table->matmul[SLM_WEIGHT_F32] = slm__matmul_f32_scalar;
    table->matmul[SLM_WEIGHT_F16] = slm__matmul_f16_scalar;
    table->matmul[SLM_WEIGHT_BF16] = slm__matmul_bf16_scalar;
    table->matmul[SLM_WEIGHT_I8] = slm__matmul_i8_scalar;
    table->matmul[SLM_WEIGHT_I4] = slm__matmul_i4_scalar;
    table->gather[SLM_WEIGHT_F32] = slm__gather_f32_scalar;
    table->gather[SLM_WEIGHT_F16] = slm__gather_f16_scalar;
    table->gather[SLM_WEIGHT_BF16] = slm__gather_bf16_scalar;
    table->gather[SLM_WEIGHT_I8] = slm__gather_i8_scalar;
    table->gather[SLM_WEIGHT_I4] = slm__gather_i4_scalar;
    table->rms_norm = slm__rms_norm_scalar;
    table->layer_norm = slm__layer_norm_scalar;
    table->add = slm__add_scalar;
    table->silu_mul = slm__silu_mul_scalar;
    table->activate[SLM_ACTIVATION_SILU] = slm__silu_scalar;
    table->activate[SLM_ACTIVATION_GELU_TANH] = slm__gelu_tanh_scalar;
    table->activate[SLM_ACTIVATION_GELU_ERF] = slm__gelu_erf_scalar;
    table->multiply = slm__multiply_scalar;
    table->softcap = slm__softcap_scalar;
    table->rope = slm__rope_scalar;
    table->scale = slm__scale_scalar;
    table->store_k[SLM_CACHE_F32] = slm__store_k_f32_scalar;
    table->store_k[SLM_CACHE_F16] = slm__store_k_f16_scalar;
    table->store_k[SLM_CACHE_I8] = slm__store_k_i8_scalar;
    table->store_v[SLM_CACHE_F32] = slm__store_v_f32_scalar;
    table->store_v[SLM_CACHE_F16] = slm__store_v_f16_scalar;
    table->store_v[SLM_CACHE_I8] = slm__store_v_i8_scalar;
    table->quantize_query = slm__quantize_query_scalar;
    table->attend[SLM_CACHE_F32] = slm__attend_f32_scalar;
    table->attend[SLM_CACHE_F16] = slm__attend_f16_scalar;
    table->attend[SLM_CACHE_I8] = slm__attend_i8_scalar;
    table->attend_merge = slm__attend_merge_scalar;
    table->attend_finish = slm__attend_finish_scalar;
    table->peak = slm__peak_scalar;
    table->read = slm__read_scalar;
}
