/* SPDX-License-Identifier: MIT */
/* The AVX2 tier (AVX2, FMA, F16C: x86-64 since Haswell and Zen): what it puts over the scalar table. */
#include "kernels/avx2/avx2_kernels.h" /* every function of the tier */

void slm__fill_avx2(struct slm_kernels *table)
{
    table->pack[SLM_WEIGHT_F32] = slm__pack_floats_avx2;
    table->pack[SLM_WEIGHT_F16] = slm__pack_floats_avx2;
    table->pack[SLM_WEIGHT_BF16] = slm__pack_floats_avx2;
    table->pack[SLM_WEIGHT_I8] = slm__pack_quants_avx2;
    table->pack[SLM_WEIGHT_I4] = slm__pack_quants_avx2;
    table->matmul[SLM_WEIGHT_F32] = slm__matmul_f32_avx2;
    table->matmul[SLM_WEIGHT_F16] = slm__matmul_f16_avx2;
    table->matmul[SLM_WEIGHT_BF16] = slm__matmul_bf16_avx2;
    table->matmul[SLM_WEIGHT_I8] = slm__matmul_i8_avx2;
    table->matmul[SLM_WEIGHT_I4] = slm__matmul_i4_avx2;
#if !SLM_SMALL
    table->gemv[SLM_WEIGHT_I8] = slm__gemv_i8_avx2; /* for the tiers above too: wider products are not faster at waiting for memory */
    table->gemv[SLM_WEIGHT_I4] = slm__gemv_i4_avx2;
#endif
    table->rms_norm = slm__rms_norm_avx2;
    table->layer_norm = slm__layer_norm_avx2;
    table->add = slm__add_avx2;
    table->silu_mul = slm__silu_mul_avx2;
    table->activate[SLM_ACTIVATION_SILU] = slm__silu_avx2;
    table->activate[SLM_ACTIVATION_GELU_TANH] = slm__gelu_tanh_avx2;
    table->activate[SLM_ACTIVATION_GELU_ERF] = slm__gelu_erf_avx2;
    table->multiply = slm__multiply_avx2;
    table->softcap = slm__softcap_avx2;
    table->rope = slm__rope_avx2;
    table->scale = slm__scale_avx2;
    table->sum_exp = slm__sum_exp_avx2;
    table->store_k[SLM_CACHE_F16] = slm__store_k_f16_avx2;
    table->store_k[SLM_CACHE_I8] = slm__store_k_i8_avx2;
    table->store_v[SLM_CACHE_F16] = slm__store_v_f16_avx2;
    table->store_v[SLM_CACHE_I8] = slm__store_v_i8_avx2;
    table->quantize_query = slm__quantize_query_avx2;
    table->attend[SLM_CACHE_F32] = slm__attend_f32_avx2;
    table->attend[SLM_CACHE_F16] = slm__attend_f16_avx2;
    table->attend[SLM_CACHE_I8] = slm__attend_i8_avx2;
    table->attend_merge = slm__attend_merge_avx2;
    table->attend_finish = slm__attend_finish_avx2;
    table->peak = slm__peak_avx2;
    table->read = slm__read_avx2;
}
