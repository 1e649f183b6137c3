/* SPDX-License-Identifier: MIT */
/* The functions of the AVX512-VNNI tier, for avx512vnni_fill.c. What each does: kernels.h; to the bit: kernels/README.md. */
#ifndef SLM_KERNELS_AVX512VNNI_KERNELS_H
#define SLM_KERNELS_AVX512VNNI_KERNELS_H

#include "kernels/kernels.h" /* function types */

slm_matmul_fn slm__matmul_f32_avx512vnni, slm__matmul_f16_avx512vnni, slm__matmul_bf16_avx512vnni;
slm_matmul_fn slm__matmul_i8_avx512vnni, slm__matmul_i4_avx512vnni;
slm_attend_fn slm__attend_f32_avx512vnni, slm__attend_f16_avx512vnni, slm__attend_i8_avx512vnni;
slm_peak_fn slm__peak_avx512vnni;
slm_read_fn slm__read_avx512vnni;

#endif
