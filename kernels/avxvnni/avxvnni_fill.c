/* SPDX-License-Identifier: MIT */
/* The AVX-VNNI tier (vpdpbusd without AVX-512: Alder Lake 2021, Sierra Forest, Zen 5 and later): what it puts over the avx2 table. */
#include "kernels/avxvnni/avxvnni_kernels.h" /* every function of the tier */

void slm__fill_avxvnni(struct slm_kernels *table)
{
    table->matmul[SLM_WEIGHT_I8] = slm__matmul_i8_avxvnni;
    table->matmul[SLM_WEIGHT_I4] = slm__matmul_i4_avxvnni;
    table->peak = slm__peak_avxvnni;
}
