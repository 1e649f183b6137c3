/* SPDX-License-Identifier: MIT */
/* What parallel.c needs from the operating system. thread_posix.c and thread_windows.c implement it. */
#ifndef SLM_BASE_THREAD_SYSTEM_H
#define SLM_BASE_THREAD_SYSTEM_H

#include <stdint.h>

/* A number of the calling thread, not 0, different for threads that live at the same time. */
uintptr_t slm__thread_self(void);
/* Let another thread have this CPU. */
void slm__thread_yield(void);
/* Start up to `count` plain threads, all alive at once, and join them. Returns how many the system granted. */
uint32_t slm__thread_probe(uint32_t count);
/* CPUs in the affinity mask, at least 1. */
uint32_t slm__affinity_cpus(void);

/* The CPU quota of the cgroup named in the file `self` (/proc/self/cgroup) under the folder `mounts` (/sys/fs/cgroup), the least along its
 * parents, rounded up to whole CPUs; UINT32_MAX without a quota. Versions 1 and 2. Linux only, elsewhere UINT32_MAX. */
uint32_t slm__cgroup_cpus(const char *self, const char *mounts);

#endif
