/* SPDX-License-Identifier: MIT */
/* The clocks of Windows; clock.c holds those of POSIX systems. */
#ifdef _WIN32
#  include "base/clock.h" /* slm__clock_ns, slm__clock_local_seconds */

#  define WIN32_LEAN_AND_MEAN
#  include <windows.h>

uint64_t slm__clock_ns(void)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER count;
    QueryPerformanceFrequency(&frequency); /* neither fails since Windows XP */
    QueryPerformanceCounter(&count);
    uint64_t ticks = (uint64_t)count.QuadPart;
    uint64_t rate = (uint64_t)frequency.QuadPart;
    return ticks / rate * 1000000000u + ticks % rate * 1000000000u / rate;
}

int64_t slm__clock_local_seconds(void)
{
    FILETIME utc;
    FILETIME local;
    GetSystemTimeAsFileTime(&utc);
    if (!FileTimeToLocalFileTime(&utc, &local)) {
        local = utc;
    }
    uint64_t ticks = (uint64_t)local.dwHighDateTime << 32 | local.dwLowDateTime; /* 100 ns since 1601 */
    return (int64_t)(ticks / 10000000u) - 11644473600;
}
#else
typedef int slm_clock_windows_unused; /* ISO C wants a declaration in every file */
#endif
