/* SPDX-License-Identifier: MIT */
/*
 * Teams of threads, and the only file that names OpenMP.
 *
 * A team's workers wait inside one OpenMP region. The main thread publishes a job by one store to `state`; a worker that sees it enters by
 * raising the count of those inside, takes chunks until none is left, and lowers the count. The main thread takes chunks too, then closes
 * the job and waits for the count to be zero. So nobody waits for a worker that has not entered (one that the system has not scheduled, or
 * never granted), and the job's fields are only written while nobody is inside. All of it is C11 atomics with acquire and release.
 *
 * The host's parallel loop gets min(threads, chunks) tasks instead. Each takes chunks until none is left, and its index is its `thread`:
 * so slots are never shared, however many threads the host uses.
 */
#include "base/parallel.h"      /* struct slm_team_storage */
#include "base/float_control.h" /* slm__float_control_enter, slm__float_control_leave */
#include "base/thread_system.h" /* slm__thread_self, slm__thread_yield, slm__thread_probe, slm__affinity_cpus, slm__cgroup_cpus */

#include <stdatomic.h>
#ifdef SLM_THREADS_OPENMP
#  include <omp.h>
#endif

enum {
    MOST_THREADS = 1024,
    SPINS = 4000, /* pauses before yielding: some 50 to 200 us, longer than the main thread's work between two jobs */
};

/* Bits of `state`. The generation may wrap: it only keeps a worker from entering a job twice in vain. */
enum { INSIDE = 0x7FFF, OPEN = 0x8000, STOP = 0x10000, GENERATION = 0x20000 };

struct job {
    slm_team_work_fn *work;
    void *context;
    uint32_t items;
    uint32_t grain;
    uint32_t chunks;
};

struct slm_team {
    uint32_t threads;
    uint32_t cpus;          /* that they may run on */
    uint32_t granted;       /* threads in the running region; written by the owner */
    atomic_uintptr_t owner; /* thread that runs the team, 0: none */
    slm_parallel_for_fn *parallel_for;
    void *parallel_user;
    struct job job; /* written by the owner while nobody is inside */
    _Alignas(64) atomic_uint state;
    atomic_uint gone;              /* workers that have left the region */
    _Alignas(64) atomic_uint next; /* chunk to take */
};

_Static_assert(sizeof(struct slm_team) <= sizeof(struct slm_team_storage), "struct slm_team_storage is too small");

static void run_chunk(const struct job *job, uint32_t chunk, uint32_t thread)
{
    uint32_t begin = chunk * job->grain;
    uint32_t end = job->items - begin < job->grain ? job->items : begin + job->grain;
    job->work(job->context, begin, end, thread);
}

static void run_alone(const struct job *job)
{
    uint64_t control = slm__float_control_enter();
    for (uint32_t chunk = 0; chunk < job->chunks; chunk++) {
        run_chunk(job, chunk, 0);
    }
    slm__float_control_leave(control);
}

static void take_chunks(const struct job *job, atomic_uint *next, uint32_t thread)
{
    for (;;) {
        uint32_t chunk = atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
        if (chunk >= job->chunks) {
            return;
        }
        run_chunk(job, chunk, thread);
    }
}

static bool owns(const struct slm_team *team) { return atomic_load_explicit(&team->owner, memory_order_relaxed) == slm__thread_self(); }

static bool become_owner(struct slm_team *team)
{
    uintptr_t nobody = 0;
    return atomic_compare_exchange_strong_explicit(&team->owner, &nobody, slm__thread_self(), memory_order_acquire, memory_order_relaxed);
}

static void run_main(slm_team_main_fn *main_fn, void *context)
{
    uint64_t control = slm__float_control_enter();
    main_fn(context);
    slm__float_control_leave(control);
}

/* ---- the host's loop ---- */

struct host_job {
    struct job job;
    atomic_uint next;
};

static void host_task(void *context, uint32_t index)
{
    struct host_job *host = context;
    uint64_t control = slm__float_control_enter();
    take_chunks(&host->job, &host->next, index);
    slm__float_control_leave(control);
}

static void run_by_host(const struct slm_team *team, const struct job *job)
{
    struct host_job host = {.job = *job};
    atomic_init(&host.next, 0);
    uint32_t tasks = job->chunks < team->threads ? job->chunks : team->threads;
    team->parallel_for(team->parallel_user, tasks, host_task, &host);
    host_task(&host, 0); /* whatever a host left undone; usually nothing */
}

/* ---- OpenMP ---- */

#ifdef SLM_THREADS_OPENMP

/* ThreadSanitizer does not see how libgomp hands a region's arguments to its threads; everything behind them it does see. */
#  define OUTSIDE_THREAD_SANITIZER __attribute__((no_sanitize("thread"), noinline))

static void pause_once(uint32_t *spins)
{
    if (++*spins > SPINS) {
        slm__thread_yield();
        return;
    }
#  if defined(__SSE__)
    _mm_pause();
#  elif defined(__aarch64__)
    __asm__ volatile("yield");
#  endif
}

/* A worker's life in one region. */
__attribute__((noinline)) static void work_in_team(struct slm_team *team, uint32_t thread)
{
    uint64_t control = slm__float_control_enter();
    unsigned seen = STOP; /* never a state with OPEN */
    uint32_t spins = 0;
    for (;;) {
        unsigned state = atomic_load_explicit(&team->state, memory_order_acquire);
        if ((state & STOP) != 0) {
            break;
        }
        if ((state & OPEN) == 0 || (state & ~(unsigned)INSIDE) == seen) {
            pause_once(&spins);
            continue;
        }
        if (atomic_compare_exchange_weak_explicit(&team->state, &state, state + 1, memory_order_acquire, memory_order_relaxed)) {
            seen = state & ~(unsigned)INSIDE;
            take_chunks(&team->job, &team->next, thread);
            atomic_fetch_sub_explicit(&team->state, 1, memory_order_release);
            spins = 0;
        }
    }
    slm__float_control_leave(control);
    atomic_fetch_add_explicit(&team->gone, 1, memory_order_release); /* the last that it does with the team */
}

/* The owner inside its region: publish, help, close, wait. */
static void run_in_team(struct slm_team *team, const struct job *job)
{
    unsigned before = atomic_load_explicit(&team->state, memory_order_relaxed);
    if (team->granted == 1 || job->chunks == 1 || job->chunks > UINT32_MAX - MOST_THREADS || (before & OPEN) != 0) {
        run_alone(job); /* too little or too much to share (`next` may pass `chunks` once a thread); or a job inside a job */
        return;
    }
    team->job = *job;
    atomic_store_explicit(&team->next, 0, memory_order_relaxed);
    atomic_store_explicit(&team->state, (before + GENERATION) | OPEN, memory_order_release);
    take_chunks(job, &team->next, 0);
    unsigned state = atomic_fetch_and_explicit(&team->state, ~(unsigned)OPEN, memory_order_acq_rel);
    uint32_t spins = 0;
    while ((state & INSIDE) != 0) {
        pause_once(&spins);
        state = atomic_load_explicit(&team->state, memory_order_acquire);
    }
}

/* The owner's life in its region. At the end it waits for the workers to be gone, as the region's own barrier does, but visibly to
 * ThreadSanitizer: then the team may be initialised anew or its memory given back. */
__attribute__((noinline)) static void lead_team(struct slm_team *team, uint32_t granted, slm_team_main_fn *main_fn, void *context)
{
    team->granted = granted;
    run_main(main_fn, context);
    team->granted = 1;
    atomic_store_explicit(&team->state, STOP, memory_order_release);
    uint32_t spins = 0;
    while (atomic_load_explicit(&team->gone, memory_order_acquire) != granted - 1) {
        pause_once(&spins);
    }
}

OUTSIDE_THREAD_SANITIZER static void open_region(struct slm_team *team, int threads, slm_team_main_fn *main_fn, void *context)
{
#  pragma omp parallel num_threads(threads) default(none) shared(team, main_fn, context)
    {
        if (omp_get_thread_num() == 0) {
            lead_team(team, (uint32_t)omp_get_num_threads(), main_fn, context);
        } else {
            work_in_team(team, (uint32_t)omp_get_thread_num());
        }
    }
}

void slm__team_run(struct slm_team *team, slm_team_main_fn *main_fn, void *context)
{
    if (team->threads == 1 || team->parallel_for != NULL || !become_owner(team)) {
        run_main(main_fn, context);
        return;
    }
    atomic_store_explicit(&team->gone, 0, memory_order_relaxed);
    atomic_store_explicit(&team->state, 0, memory_order_release);
    open_region(team, (int)team->threads, main_fn, context);
    atomic_store_explicit(&team->owner, 0, memory_order_release);
}

struct lone_job {
    struct slm_team *team;
    const struct job *job;
};

static void run_lone_job(void *context)
{
    struct lone_job *lone = context;
    if (owns(lone->team)) {
        run_in_team(lone->team, lone->job);
    } else {
        run_alone(lone->job);
    }
}

static void run_job(struct slm_team *team, const struct job *job)
{
    if (team->threads == 1 || job->chunks == 1) {
        run_alone(job);
    } else if (owns(team)) {
        run_in_team(team, job);
    } else {
        struct lone_job lone = {team, job};
        slm__team_run(team, run_lone_job, &lone);
    }
}

static uint32_t width(const struct slm_team *team)
{
    if (owns(team)) {
        return (atomic_load_explicit(&team->state, memory_order_relaxed) & OPEN) != 0 ? 1 : team->granted;
    }
    return atomic_load_explicit(&team->owner, memory_order_relaxed) == 0 ? team->threads : 1;
}

static uint32_t grantable(uint32_t threads) { return 1 + slm__thread_probe(threads - 1); }

static const char backend_name[] = "openmp";

#else

void slm__team_run(struct slm_team *team, slm_team_main_fn *main_fn, void *context)
{
    (void)team;
    run_main(main_fn, context);
}

static void run_job(struct slm_team *team, const struct job *job)
{
    (void)team;
    run_alone(job);
}

static uint32_t width(const struct slm_team *team)
{
    (void)team;
    return 1;
}

static uint32_t grantable(uint32_t threads)
{
    (void)threads;
    return 1;
}

static const char backend_name[] = "none";

#endif

/* ---- both ---- */

struct slm_team *slm__team_init(struct slm_team_storage *storage, const struct slm_team_options *options)
{
    struct slm_team *team = (struct slm_team *)(void *)storage->bytes;
    const uint32_t cpus = slm__usable_cpus();
    uint32_t threads = options->threads != 0 ? options->threads : cpus;
    threads = threads < MOST_THREADS ? threads : MOST_THREADS;
    *team = (struct slm_team){.granted = 1, .parallel_for = options->parallel_for, .parallel_user = options->parallel_user};
    team->cpus = cpus;
    atomic_init(&team->owner, 0);
    atomic_init(&team->state, STOP);
    atomic_init(&team->gone, 0);
    atomic_init(&team->next, 0);
    team->threads = team->parallel_for != NULL ? threads : grantable(threads);
    return team;
}

uint32_t slm__team_threads(const struct slm_team *team) { return team->threads; }

uint32_t slm__team_width(const struct slm_team *team)
{
    if (team->parallel_for != NULL) {
        return owns(team) ? 1 : team->threads;
    }
    const uint32_t most = width(team);
    return most < team->cpus ? most : team->cpus;
}

const char *slm__team_backend(const struct slm_team *team) { return team->parallel_for != NULL ? "host" : backend_name; }

void slm__team_run_alone(struct slm_team *team, slm_team_main_fn *main_fn, void *context)
{
    bool owner = become_owner(team); /* an owner without a region: its loops run on its own thread */
    run_main(main_fn, context);
    if (owner) {
        atomic_store_explicit(&team->owner, 0, memory_order_release);
    }
}

void slm__team_for(struct slm_team *team, uint32_t items, uint32_t grain, slm_team_work_fn *work, void *context)
{
    if (items == 0) {
        return;
    }
    struct job job = {work, context, items, grain, (items - 1) / grain + 1};
    if (team->parallel_for != NULL && job.chunks > 1 && job.chunks <= UINT32_MAX - MOST_THREADS && !owns(team)) {
        run_by_host(team, &job);
    } else if (team->parallel_for != NULL) {
        run_alone(&job);
    } else {
        run_job(team, &job);
    }
}

uint32_t slm__usable_cpus(void)
{
    uint32_t cpus = slm__affinity_cpus();
#ifdef SLM_THREADS_OPENMP
    uint32_t quota = slm__cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup");
    cpus = quota < cpus ? quota : cpus;
#endif
    return cpus;
}
