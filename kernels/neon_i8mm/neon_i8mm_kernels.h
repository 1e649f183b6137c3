/* SPDX-License-Identifier: MIT */
/* The functions of the NEON tier with 8-bit matrix multiply, for neon_i8mm_fill.c. What each does: kernels.h; to the bit:
 * kernels/README.md. */
#ifndef SLM_KERNELS_NEON_I8MM_KERNELS_H
#define SLM_KERNELS_NEON_I8MM_KERNELS_H

#include "kernels/kernels.h" /* function types */

slm_matmul_fn slm__matmul_i8_neon_i8mm, slm__matmul_i4_neon_i8mm;
slm_peak_fn slm__peak_neon_i8mm;

#endif
