/* SPDX-License-Identifier: MIT */
/* Time, for limits and measurements; never for results. */
#ifndef SLM_BASE_CLOCK_H
#define SLM_BASE_CLOCK_H

#include <stdint.h>

uint64_t slm__clock_ns(void);           /* monotonic nanoseconds */
int64_t slm__clock_local_seconds(void); /* seconds since 1970 as a local wall clock shows them */

#endif
