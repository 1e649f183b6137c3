/* SPDX-License-Identifier: MIT */
/* Instruction set tiers, not CPUID bits. The numbers are those of SLM_ISA_... in slm.h. */
#ifndef SLM_KERNELS_CPU_ISA_H
#define SLM_KERNELS_CPU_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slm_isa {
    SLM_TIER_SCALAR = 1,
    SLM_TIER_AVX2 = 10,
    SLM_TIER_AVXVNNI = 11,
    SLM_TIER_AVX512VNNI = 12,
    SLM_TIER_NEON = 20,
    SLM_TIER_NEON_DOTPROD = 21,
    SLM_TIER_NEON_I8MM = 22
};

/* Whether the processor (and the operating system: XGETBV, hwcap) runs this tier and this build has kernels for it. Each tier is decided
 * by its own feature bits: a machine may have AVX512-VNNI without AVX-VNNI. */
bool slm__isa_usable(enum slm_isa isa);
/* Whether processor and operating system run the tier, kernels or not. One definition per architecture: cpu_isa_<architecture>.c. */
bool slm__cpu_has(enum slm_isa isa);
/* The highest usable tier that is not above `limit` (0: no limit). */
enum slm_isa slm__isa_best(int32_t limit);
/* "scalar", "avx2", ...; NULL for a number that is no tier. */
const char *slm__isa_name(int32_t isa);
/* -1: no such name. */
int32_t slm__isa_parse(const char *name, size_t length);
/* The processor's own name ("AMD EPYC ..."), or "". Writes at most 64 bytes with the NUL. */
void slm__cpu_name(char name[64]);
/* Bytes of the last-level cache as the processor reports them, 0 if unknown. */
uint64_t slm__last_cache_bytes(void);

#endif
