/* SPDX-License-Identifier: MIT */
/* The tier of the dot product instructions (FEAT_DotProd: Cortex-A55 and A76, Neoverse N1, Apple A13 and later): what it puts over plain
 * NEON. */
#include "kernels/neon_dotprod/neon_dotprod_kernels.h" /* every function of the tier */

void slm__fill_neon_dotprod(struct slm_kernels *table)
{
    table->matmul[SLM_WEIGHT_I8] = slm__matmul_i8_neon_dotprod;
    table->matmul[SLM_WEIGHT_I4] = slm__matmul_i4_neon_dotprod;
    table->peak = slm__peak_neon_dotprod;
}
