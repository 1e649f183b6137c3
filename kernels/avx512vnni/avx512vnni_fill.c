/* SPDX-License-Identifier: MIT */
/* The AVX512-VNNI tier (AVX-512 F, BW, VL, DQ, VNNI: Cascade Lake 2019, Zen 4 and later): what it puts over the avx2 table. */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* every function of the tier */

void slm__fill_avx512vnni(struct slm_kernels *table)
{
    table->pack[SLM_WEIGHT_I8] = slm__pack_quants_avx512vnni;
    table->pack[SLM_WEIGHT_I4] = slm__pack_quants_avx512vnni;
    table->matmul[SLM_WEIGHT_F32] = slm__matmul_f32_avx512vnni;
    table->matmul[SLM_WEIGHT_F16] = slm__matmul_f16_avx512vnni;
    table->matmul[SLM_WEIGHT_BF16] = slm__matmul_bf16_avx512vnni;
    table->matmul[SLM_WEIGHT_I8] = slm__matmul_i8_avx512vnni;
    table->matmul[SLM_WEIGHT_I4] = slm__matmul_i4_avx512vnni;
    table->gemm[SLM_WEIGHT_I8] = slm__gemm_quants_avx512vnni;
    table->gemm[SLM_WEIGHT_I4] = slm__gemm_quants_avx512vnni;
    table->rms_norm = slm__rms_norm_avx512vnni;
    table->layer_norm = slm__layer_norm_avx512vnni;
    table->add = slm__add_avx512vnni;
    table->silu_mul = slm__silu_mul_avx512vnni;
    table->activate[SLM_ACTIVATION_SILU] = slm__silu_avx512vnni;
    table->activate[SLM_ACTIVATION_GELU_TANH] = slm__gelu_tanh_avx512vnni;
    table->multiply = slm__multiply_avx512vnni;
    table->softcap = slm__softcap_avx512vnni;
    table->rope = slm__rope_avx512vnni;
    table->scale = slm__scale_avx512vnni;
    table->attend[SLM_CACHE_F32] = slm__attend_f32_avx512vnni;
    table->attend[SLM_CACHE_F16] = slm__attend_f16_avx512vnni;
    table->attend[SLM_CACHE_I8] = slm__attend_i8_avx512vnni;
    table->attend_merge = slm__attend_merge_avx512vnni;
    table->attend_finish = slm__attend_finish_avx512vnni;
    table->peak = slm__peak_avx512vnni;
    table->read = slm__read_avx512vnni;
}
