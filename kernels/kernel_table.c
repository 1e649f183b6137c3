/* SPDX-License-Identifier: MIT */
/* Fill a table upward: complete scalar table first, then each higher tier overwrites what it improves. */
#include "kernels/kernels.h" /* struct slm_kernels, slm__fill_<tier> */

void slm__kernels_fill(struct slm_kernels *table, enum slm_isa isa)
{
    slm__fill_scalar(table);
    table->isa = SLM_TIER_SCALAR;
    (void)isa; /* a build without any other tier */
#if defined(SLM_HAVE_AVX2)
    if (isa >= SLM_TIER_AVX2 && slm__isa_usable(SLM_TIER_AVX2)) {
        slm__fill_avx2(table);
        table->isa = SLM_TIER_AVX2;
    }
#endif
}
