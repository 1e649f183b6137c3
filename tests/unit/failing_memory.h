/* SPDX-License-Identifier: MIT */
/* Memory that runs out after a number of allocations. */
#ifndef SLM_TESTS_FAILING_MEMORY_H
#define SLM_TESTS_FAILING_MEMORY_H

#include "base/memory.h" /* struct slm_memory, slm__round_up */
#include <stdlib.h>

/* `left`: allocations that succeed yet; the one behind them fails, and so do all later ones. */
static inline void *failing_allocate(void *left, uint64_t bytes, uint64_t alignment)
{
    uint64_t *allowed = left;
    if (*allowed == 0) {
        return NULL;
    }
    --*allowed;
    return aligned_alloc((size_t)alignment, (size_t)slm__round_up(bytes, alignment));
}

static inline void failing_release(void *left, void *memory, uint64_t bytes)
{
    (void)left;
    (void)bytes;
    free(memory);
}

static inline struct slm_memory failing_memory(uint64_t *left) { return (struct slm_memory){failing_allocate, failing_release, left}; }

#endif
