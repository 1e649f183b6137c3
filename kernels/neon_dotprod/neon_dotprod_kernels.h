/* SPDX-License-Identifier: MIT */
/* The functions of the NEON tier with dot product, for neon_dotprod_fill.c. What each does: kernels.h; to the bit: kernels/README.md. */
#ifndef SLM_KERNELS_NEON_DOTPROD_KERNELS_H
#define SLM_KERNELS_NEON_DOTPROD_KERNELS_H

#include "kernels/kernels.h" /* function types */

slm_matmul_fn slm__matmul_i8_neon_dotprod, slm__matmul_i4_neon_dotprod;
slm_peak_fn slm__peak_neon_dotprod;

#endif
