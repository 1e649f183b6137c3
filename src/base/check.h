/* SPDX-License-Identifier: MIT */
/* SLM_ASSERT: our own invariants. Traps in debug builds (-DSLM_DEBUG), costs nothing in release. Never for data or arguments. */
#ifndef SLM_BASE_CHECK_H
#define SLM_BASE_CHECK_H

#ifdef SLM_DEBUG
#  define SLM_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#  define SLM_ASSERT(condition) ((void)0)
#endif

#endif
