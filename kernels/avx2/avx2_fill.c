/* SPDX-License-Identifier: MIT */
/* The AVX2 tier (AVX2, FMA, F16C: x86-64 since Haswell and Zen): what it puts over the scalar table. */
#include "kernels/kernels.h" /* struct slm_kernels, slm__fill_avx2 */

void slm__fill_avx2(struct slm_kernels *table)
{
    table->isa = SLM_TIER_AVX2;
}
