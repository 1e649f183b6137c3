/* SPDX-License-Identifier: MIT */
/*
 * Threads. parallel.c is the only file that names OpenMP.
 *
 * slm__team_run() opens one parallel region, runs `main_fn` on the calling thread and keeps the other threads of the team waiting for
 * work inside the region (bounded spin, then yield). Within main_fn, slm__team_for() cuts a range into chunks that the team takes
 * dynamically, and returns when all are done; that is one publish and one wait, no new region. Results must not depend on who takes
 * which chunk. Outside slm__team_run(), slm__team_for() works too and opens a region of its own.
 * Every participating thread has round-to-nearest, no flush-to-zero, inside; the host's control word is restored.
 */
#ifndef SLM_BASE_PARALLEL_H
#define SLM_BASE_PARALLEL_H

#include "base/memory.h" /* struct slm_memory */
#include "base/status.h" /* slm_status */

struct slm_team; /* lives inside struct slm_team_storage */

struct slm_team_options {
    uint32_t threads; /* 0: min(affinity, cgroup quota); lowered to what the system grants */
    slm_parallel_for_fn *parallel_for;
    void *parallel_user;
};

struct slm_team_storage {
    _Alignas(64) unsigned char bytes[1024];
};

/* Initialise a team in `storage`; no destructor is needed. A team runs one slm__team_run at a time: a second caller meanwhile runs its own
 * work on its own thread alone (same bits, no waiting). */
struct slm_team *slm__team_init(struct slm_team_storage *storage, const struct slm_team_options *options);
uint32_t slm__team_threads(const struct slm_team *team); /* upper bound of `thread` below, plus one */
/* Threads that a loop begun here may have, and no more than there are CPUs for them: 1 for a second caller, inside a loop, or in
 * slm__team_run_alone(). */
uint32_t slm__team_width(const struct slm_team *team);
const char *slm__team_backend(const struct slm_team *team); /* "openmp", "none", "host" */

typedef void slm_team_main_fn(void *context);
/* Work on items [begin, end); `thread` < slm__team_threads() is not used by two running calls at once. */
typedef void slm_team_work_fn(void *context, uint32_t begin, uint32_t end, uint32_t thread);

void slm__team_run(struct slm_team *team, slm_team_main_fn *main_fn, void *context);
/* The same on the calling thread alone: for work too small to share. Opening and closing a region costs some microseconds on an idle
 * machine; on a busy one the wait until the system has scheduled every worker, which may be milliseconds. */
void slm__team_run_alone(struct slm_team *team, slm_team_main_fn *main_fn, void *context);
/* Chunks of `grain` items (>= 1; the last may be shorter). */
void slm__team_for(struct slm_team *team, uint32_t items, uint32_t grain, slm_team_work_fn *work, void *context);

/* CPUs that this process may use: min(affinity mask, cgroup cpu.max quota rounded up), at least 1. */
uint32_t slm__usable_cpus(void);

#endif
