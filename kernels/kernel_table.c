/* SPDX-License-Identifier: MIT */
/* Fill a table upward: complete scalar table first, then each higher tier overwrites what it improves. */
#include "kernels/kernels.h" /* struct slm_kernels, slm__fill_<tier> */

void slm__kernels_fill(struct slm_kernels *table, enum slm_isa isa)
{
    slm__fill_scalar(table);
    (void)isa; /* a build without any other tier */
#if defined(SLM_HAVE_AVX2)
    if (isa >= SLM_TIER_AVX2 && slm__isa_usable(SLM_TIER_AVX2)) {
        slm__fill_avx2(table);
        table->isa = SLM_TIER_AVX2;
    }
#endif
#if defined(SLM_HAVE_AVXVNNI)
    if (isa >= SLM_TIER_AVXVNNI && slm__isa_usable(SLM_TIER_AVXVNNI)) {
        slm__fill_avxvnni(table);
        table->isa = SLM_TIER_AVXVNNI;
    }
#endif
#if defined(SLM_HAVE_AVX512VNNI)
    if (isa >= SLM_TIER_AVX512VNNI && slm__isa_usable(SLM_TIER_AVX512VNNI)) {
        slm__fill_avx512vnni(table);
        table->isa = SLM_TIER_AVX512VNNI;
    }
#endif
#if defined(SLM_HAVE_NEON)
    if (isa >= SLM_TIER_NEON && slm__isa_usable(SLM_TIER_NEON)) {
        slm__fill_neon(table);
        table->isa = SLM_TIER_NEON;
    }
#endif
#if defined(SLM_HAVE_NEON_DOTPROD)
    if (isa >= SLM_TIER_NEON_DOTPROD && slm__isa_usable(SLM_TIER_NEON_DOTPROD)) {
        slm__fill_neon_dotprod(table);
        table->isa = SLM_TIER_NEON_DOTPROD;
    }
#endif
#if defined(SLM_HAVE_NEON_I8MM)
    if (isa >= SLM_TIER_NEON_I8MM && slm__isa_usable(SLM_TIER_NEON_I8MM)) {
        slm__fill_neon_i8mm(table);
        table->isa = SLM_TIER_NEON_I8MM;
    }
#endif
}
