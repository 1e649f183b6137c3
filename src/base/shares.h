/* SPDX-License-Identifier: MIT */
/*
 * A loop over items that lie one behind the other in memory and are read once: each thread has a share of its own, a contiguous run, and
 * walks through it; who is done takes half of what is left of another's. So the stream of a thread seldom breaks, and nobody waits longer
 * than for one call of work.
 */
#ifndef SLM_BASE_SHARES_H
#define SLM_BASE_SHARES_H

#include "base/parallel.h" /* struct slm_team */
#include <stdbool.h>

/* Work on items [begin, end); `last`: with them the thread's own share is done. */
typedef void slm_share_work_fn(void *context, uint32_t begin, uint32_t end, bool last, uint32_t thread);

/* work() over [0, items), at most `grain` (>= 1) items a call. Results must not depend on who takes which. */
void slm__team_share(struct slm_team *team, uint32_t items, uint32_t grain, slm_share_work_fn *work, void *context);
/* Where the share of `thread` begins in such a loop of `width` threads (slm__team_width()); 0 for a thread that has none. */
uint32_t slm__share_begin(uint32_t items, uint32_t width, uint32_t thread);

#endif
