/* SPDX-License-Identifier: MIT */
/* The calling thread's floating-point control word: kernels need round-to-nearest and subnormals, the host may want something else. */
#ifndef SLM_BASE_FLOAT_CONTROL_H
#define SLM_BASE_FLOAT_CONTROL_H

#include <stdint.h>

#if defined(__SSE__) || defined(_M_X64)
#  include <xmmintrin.h> /* _mm_getcsr, _mm_setcsr */

/* Set round-to-nearest, no FTZ, no DAZ, all exceptions masked; returns what was set before. */
static inline uint64_t slm__float_control_enter(void)
{
    unsigned before = _mm_getcsr();
    _mm_setcsr(0x1F80);
    return before;
}

static inline void slm__float_control_leave(uint64_t before) { _mm_setcsr((unsigned)before); }

#elif defined(__aarch64__)

static inline uint64_t slm__float_control_enter(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(UINT64_C(0)) : "memory");
    return before;
}

static inline void slm__float_control_leave(uint64_t before) { __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory"); }

#else /* other machines have no such modes, or C's default is the only one */

static inline uint64_t slm__float_control_enter(void) { return 0; }
static inline void slm__float_control_leave(uint64_t before) { (void)before; }

#endif
#endif
