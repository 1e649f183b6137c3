/* SPDX-License-Identifier: MIT */
/* AArch64: features by the kernel's hwcap words on Linux, by sysctl on macOS. Plain NEON is part of the architecture. */
#if defined(__aarch64__) && defined(__linux__)
#  define _GNU_SOURCE
#endif
#include "kernels/cpu_isa.h" /* slm__cpu_has, slm__cpu_name, slm__last_cache_bytes */

#if defined(__aarch64__)
#  if defined(__APPLE__)
#    include <sys/sysctl.h>
#    include <sys/types.h>

static bool has_feature(const char *key)
{
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(key, &value, &size, NULL, 0) == 0 && value != 0;
}

static bool has_dotprod(void) { return has_feature("hw.optional.arm.FEAT_DotProd"); }

static bool has_i8mm(void) { return has_feature("hw.optional.arm.FEAT_I8MM"); }

void slm__cpu_name(char name[64])
{
    size_t size = 64;
    if (sysctlbyname("machdep.cpu.brand_string", name, &size, NULL, 0) != 0) {
        name[0] = '\0';
    }
    name[63] = '\0';
}

uint64_t slm__last_cache_bytes(void)
{
    uint64_t bytes = 0;
    size_t size = sizeof bytes;
    return sysctlbyname("hw.l2cachesize", &bytes, &size, NULL, 0) == 0 ? bytes : 0;
}

#  elif defined(__linux__)
#    include <sys/auxv.h>
#    include <unistd.h>

/* asm/hwcap.h of the kernel: HWCAP_ASIMDDP and HWCAP2_I8MM, which old libc headers lack. */
static bool has_dotprod(void) { return ((getauxval(AT_HWCAP) >> 20) & 1ul) != 0; }

static bool has_i8mm(void) { return ((getauxval(AT_HWCAP2) >> 13) & 1ul) != 0; }

void slm__cpu_name(char name[64]) { name[0] = '\0'; }

uint64_t slm__last_cache_bytes(void)
{
    const long level3 = sysconf(_SC_LEVEL3_CACHE_SIZE), level2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return level3 > 0 ? (uint64_t)level3 : level2 > 0 ? (uint64_t)level2 : 0;
}

#  else

static bool has_dotprod(void) { return false; }

static bool has_i8mm(void) { return false; }

void slm__cpu_name(char name[64]) { name[0] = '\0'; }

uint64_t slm__last_cache_bytes(void) { return 0; }

#  endif

bool slm__cpu_has(enum slm_isa isa)
{
    switch (isa) {
    case SLM_TIER_SCALAR:
    case SLM_TIER_NEON: return true;
    case SLM_TIER_NEON_DOTPROD: return has_dotprod();
    case SLM_TIER_NEON_I8MM: return has_dotprod() && has_i8mm();
    case SLM_TIER_AVX2:
    case SLM_TIER_AVXVNNI:
    case SLM_TIER_AVX512VNNI: break;
    }
    return false;
}

#endif
