/* SPDX-License-Identifier: MIT */
/* The functions of the AVX-VNNI tier, for avxvnni_fill.c. What each does: kernels.h; to the bit: kernels/README.md. */
#ifndef SLM_KERNELS_AVXVNNI_KERNELS_H
#define SLM_KERNELS_AVXVNNI_KERNELS_H

#include "kernels/kernels.h" /* function types */

slm_matmul_fn slm__matmul_i8_avxvnni, slm__matmul_i4_avxvnni;
slm_peak_fn slm__peak_avxvnni;

#endif
