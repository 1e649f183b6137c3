/* SPDX-License-Identifier: MIT */
/* x86-64: feature bits by CPUID, register state that the operating system saves by XGETBV, brand string, last-level cache. */
#include "kernels/cpu_isa.h" /* slm__cpu_has, slm__cpu_name, slm__last_cache_bytes */

#if defined(__x86_64__)
#  include <cpuid.h>
#  include <string.h>

enum { STATE_YMM = 0x06, STATE_ZMM = 0xe6 }; /* bits of XCR0: xmm, ymm; opmask and both halves of zmm */

struct cpuid {
    unsigned eax, ebx, ecx, edx;
};

static struct cpuid cpuid_leaf(unsigned leaf, unsigned subleaf)
{
    struct cpuid id = {0, 0, 0, 0};
    if ((unsigned)__get_cpuid_max(leaf & 0x80000000u, NULL) >= leaf) {
        __cpuid_count(leaf, subleaf, id.eax, id.ebx, id.ecx, id.edx);
    }
    return id;
}

static bool bits_set(unsigned value, unsigned mask) { return (value & mask) == mask; }

/* XCR0, or 0 when the operating system has not switched XSAVE on. */
static unsigned saved_state(void)
{
    if (!bits_set(cpuid_leaf(1, 0).ecx, bit_OSXSAVE)) {
        return 0;
    }
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool has_avx2(void)
{
    return bits_set(saved_state(), STATE_YMM) && bits_set(cpuid_leaf(1, 0).ecx, bit_AVX | bit_FMA | bit_F16C) &&
           bits_set(cpuid_leaf(7, 0).ebx, bit_AVX2);
}

static bool has_avx512vnni(void)
{
    return has_avx2() && bits_set(saved_state(), STATE_ZMM) &&
           bits_set(cpuid_leaf(7, 0).ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL) &&
           bits_set(cpuid_leaf(7, 0).ecx, bit_AVX512VNNI);
}

bool slm__cpu_has(enum slm_isa isa)
{
    switch (isa) {
    case SLM_TIER_SCALAR: return true;
    case SLM_TIER_AVX2: return has_avx2();
    case SLM_TIER_AVXVNNI: return has_avx2() && bits_set(cpuid_leaf(7, 1).eax, 1u << 4);
    case SLM_TIER_AVX512VNNI: return has_avx512vnni();
    case SLM_TIER_NEON:
    case SLM_TIER_NEON_DOTPROD:
    case SLM_TIER_NEON_I8MM: break;
    }
    return false;
}

void slm__cpu_name(char name[64])
{
    memset(name, 0, 64);
    if (cpuid_leaf(0x80000000u, 0).eax < 0x80000004u) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        const struct cpuid id = cpuid_leaf(0x80000002u + i, 0);
        memcpy(name + 16 * i, &id, sizeof id);
    }
    const size_t skip = strspn(name, " ");
    memmove(name, name + skip, 64 - skip);
    for (size_t end = strlen(name); end > 0 && name[end - 1] == ' '; end--) {
        name[end - 1] = '\0';
    }
}

/* Leaves 4 (Intel) and 0x8000001d (AMD) list the caches in the same form, from the nearest to the farthest; kind 0 ends the list. */
uint64_t slm__last_cache_bytes(void)
{
    const unsigned leaf = cpuid_leaf(0x8000001du, 0).eax & 0x1fu ? 0x8000001du : 4u;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < 8; i++) {
        const struct cpuid id = cpuid_leaf(leaf, i);
        const unsigned kind = id.eax & 0x1fu;
        if (kind == 0) {
            break;
        }
        if (kind == 1 || kind == 3) { /* data or unified */
            const uint64_t ways = (id.ebx >> 22) + 1u, parts = ((id.ebx >> 12) & 0x3ffu) + 1u, line = (id.ebx & 0xfffu) + 1u;
            bytes = ways * parts * line * ((uint64_t)id.ecx + 1u);
        }
    }
    return bytes;
}

#endif
