/* SPDX-License-Identifier: MIT */
/* Names and order of the tiers, and which of them this build holds. What the processor can do is asked in cpu_isa_<architecture>.c. */
#include "kernels/cpu_isa.h" /* enum slm_isa, slm__cpu_has */
#include <string.h>

struct tier {
    enum slm_isa isa;
    bool built; /* kernel_table.c has its kernels */
    const char *name;
};

/* The build defines SLM_HAVE_<TIER> for each folder of kernels that it compiles. */
#if defined(SLM_HAVE_AVX2)
enum { HAVE_AVX2 = 1 };
#else
enum { HAVE_AVX2 = 0 };
#endif
#if defined(SLM_HAVE_AVXVNNI)
enum { HAVE_AVXVNNI = 1 };
#else
enum { HAVE_AVXVNNI = 0 };
#endif
#if defined(SLM_HAVE_AVX512VNNI)
enum { HAVE_AVX512VNNI = 1 };
#else
enum { HAVE_AVX512VNNI = 0 };
#endif
#if defined(SLM_HAVE_NEON)
enum { HAVE_NEON = 1 };
#else
enum { HAVE_NEON = 0 };
#endif
#if defined(SLM_HAVE_NEON_DOTPROD)
enum { HAVE_NEON_DOTPROD = 1 };
#else
enum { HAVE_NEON_DOTPROD = 0 };
#endif
#if defined(SLM_HAVE_NEON_I8MM)
enum { HAVE_NEON_I8MM = 1 };
#else
enum { HAVE_NEON_I8MM = 0 };
#endif

static const struct tier tiers[] = {
    {SLM_TIER_SCALAR, true, "scalar"},
    {SLM_TIER_AVX2, HAVE_AVX2, "avx2"},
    {SLM_TIER_AVXVNNI, HAVE_AVXVNNI, "avxvnni"},
    {SLM_TIER_AVX512VNNI, HAVE_AVX512VNNI, "avx512vnni"},
    {SLM_TIER_NEON, HAVE_NEON, "neon"},
    {SLM_TIER_NEON_DOTPROD, HAVE_NEON_DOTPROD, "neon_dotprod"},
    {SLM_TIER_NEON_I8MM, HAVE_NEON_I8MM, "neon_i8mm"},
};
enum { TIERS = sizeof tiers / sizeof tiers[0] };

enum { HAVE_ANY = HAVE_AVX2 | HAVE_AVXVNNI | HAVE_AVX512VNNI | HAVE_NEON | HAVE_NEON_DOTPROD | HAVE_NEON_I8MM };

bool slm__isa_usable(enum slm_isa isa)
{
    if (!HAVE_ANY) {
        return isa == SLM_TIER_SCALAR;
    }
    for (size_t i = 0; i < TIERS; i++) {
        if (tiers[i].isa == isa) {
            return tiers[i].built && (isa == SLM_TIER_SCALAR || slm__cpu_has(isa));
        }
    }
    return false;
}

enum slm_isa slm__isa_best(int32_t limit)
{
    for (size_t i = TIERS; i-- > 1;) {
        if ((limit == 0 || (int32_t)tiers[i].isa <= limit) && slm__isa_usable(tiers[i].isa)) {
            return tiers[i].isa;
        }
    }
    return SLM_TIER_SCALAR;
}

const char *slm__isa_name(int32_t isa)
{
    for (size_t i = 0; i < TIERS; i++) {
        if ((int32_t)tiers[i].isa == isa) {
            return tiers[i].name;
        }
    }
    return NULL;
}

int32_t slm__isa_parse(const char *name, size_t length)
{
    for (size_t i = 0; i < TIERS; i++) {
        if (strlen(tiers[i].name) == length && memcmp(tiers[i].name, name, length) == 0) {
            return (int32_t)tiers[i].isa;
        }
    }
    return -1;
}

#if !defined(__x86_64__) && !defined(__aarch64__)

bool slm__cpu_has(enum slm_isa isa) { return isa == SLM_TIER_SCALAR; }

void slm__cpu_name(char name[64]) { name[0] = '\0'; }

uint64_t slm__last_cache_bytes(void) { return 0; }

#endif
