/* SPDX-License-Identifier: MIT */
/* Repetitions of repetitions that are one: (x{2,5}){1,3} is x{2,15}, which is matched without counting twice. */
#ifndef SLM_GRAMMAR_REPEAT_COUNTS_H
#define SLM_GRAMMAR_REPEAT_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

struct slm_repeat_counts {
    uint32_t min;
    uint32_t max; /* UINT32_MAX: no end */
};

/* Whether `inner` repeated `outer` times is one repetition, *joined; it stays as it is otherwise. That is
 * min x min to max x max times, where k times min..max and k + 1 times min..max leave no number out between: k max + 1 >= (k + 1) min for
 * the smallest k, and so for all. */
static inline bool slm__repeat_join(struct slm_repeat_counts inner, struct slm_repeat_counts outer, struct slm_repeat_counts *joined)
{
    const bool endless = inner.max == UINT32_MAX || outer.max == UINT32_MAX;
    const uint64_t least = (uint64_t)outer.min * inner.min;
    const uint64_t most = endless ? UINT32_MAX : (uint64_t)outer.max * inner.max;
    const uint64_t reach = inner.max == UINT32_MAX && outer.min > 0 ? UINT64_MAX : (uint64_t)outer.min * inner.max + 1;
    const bool whole = outer.min == outer.max || reach >= least + inner.min;
    if (!whole || outer.max == 0 || inner.max == 0 || least >= UINT32_MAX || (!endless && most >= UINT32_MAX)) {
        return false;
    }
    *joined = (struct slm_repeat_counts){(uint32_t)least, (uint32_t)most};
    return true;
}

#endif
