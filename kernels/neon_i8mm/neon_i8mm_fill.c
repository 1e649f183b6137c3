/* SPDX-License-Identifier: MIT */
/* The tier of the 8-bit matrix multiply (FEAT_I8MM: Neoverse V1 and N2, Cortex-A510 and A710, Apple A15 and M2 and later): what it puts
 * over the dot product tier. */
#include "kernels/neon_i8mm/neon_i8mm_kernels.h" /* every function of the tier */

void slm__fill_neon_i8mm(struct slm_kernels *table)
{
    table->matmul[SLM_WEIGHT_I8] = slm__matmul_i8_neon_i8mm;
    table->matmul[SLM_WEIGHT_I4] = slm__matmul_i4_neon_i8mm;
    table->peak = slm__peak_neon_i8mm;
}
