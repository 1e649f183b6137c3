/* SPDX-License-Identifier: MIT */
/* The clocks of POSIX systems; clock_windows.c holds the other ones. */
#ifndef _WIN32
#  define _GNU_SOURCE     /* clock_gettime, localtime_r, tm_gmtoff */
#  include "base/clock.h" /* slm__clock_ns, slm__clock_local_seconds */

#  include <time.h>

uint64_t slm__clock_ns(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t slm__clock_local_seconds(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm local;
    if (localtime_r(&now.tv_sec, &local) == NULL) {
        return (int64_t)now.tv_sec;
    }
    return (int64_t)now.tv_sec + local.tm_gmtoff;
}
#endif
