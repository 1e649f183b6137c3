/* SPDX-License-Identifier: MIT */
/* Threads of POSIX systems: identity, yielding, how many can be started, the affinity mask. */
#ifndef _WIN32
#  define _GNU_SOURCE             /* sched_getaffinity */
#  include "base/thread_system.h" /* the functions below */

#  include <pthread.h>
#  include <sched.h>
#  include <unistd.h> /* sysconf */

enum { MOST_PROBED = 1023, MOST_CPUS = 8192, MASK_BITS = 8 * sizeof(unsigned long) };

uintptr_t slm__thread_self(void) { return (uintptr_t)pthread_self(); }

void slm__thread_yield(void) { sched_yield(); }

/* A probe thread lives until the starter opens the gate. */
static void *pass_gate(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

uint32_t slm__thread_probe(uint32_t count)
{
    pthread_t threads[MOST_PROBED];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    uint32_t started = 0;
    pthread_mutex_lock(&gate);
    while (started < count && started < MOST_PROBED && pthread_create(&threads[started], NULL, pass_gate, &gate) == 0) {
        started++;
    }
    pthread_mutex_unlock(&gate);
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_mutex_destroy(&gate);
    return started;
}

#  ifdef __linux__
uint32_t slm__affinity_cpus(void)
{
    unsigned long mask[MOST_CPUS / MASK_BITS] = {0};
    if (sched_getaffinity(0, sizeof mask, (cpu_set_t *)(void *)mask) != 0) {
        return 1;
    }
    uint32_t cpus = 0;
    for (unsigned i = 0; i < MOST_CPUS; i++) {
        cpus += (uint32_t)(mask[i / MASK_BITS] >> i % MASK_BITS & 1);
    }
    return cpus > 0 ? cpus : 1;
}
#  else
uint32_t slm__affinity_cpus(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    return cpus > 0 && cpus <= MOST_CPUS ? (uint32_t)cpus : 1;
}
#  endif
#else
typedef int slm_thread_posix_unused; /* ISO C wants a declaration in every file */
#endif
