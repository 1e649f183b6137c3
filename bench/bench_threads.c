/* SPDX-License-Identifier: MIT */
/*
 * What threads cost: the same model on two cores with the library's own threads, with a parallel loop of the host's, with eight threads on
 * the two cores, and with one thread; in turns.
 * usage: bench_threads [SHAPE]    default: smollm2-135m (i4)
 */
#define _GNU_SOURCE          /* sched_setaffinity */
#include "bench/measuring.h" /* random_model, median_of */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

enum { ROUNDS = 7, PROMPT = 512, TOKENS = 64, CORES = 2, CROWD = 8, SPINS = 20000 };
#define SETTLE_SECONDS 0.05

/* A host's loop: one thread beside the caller's, which waits for work by looking at `round`, and yields after a while. It lives only while
 * its way is measured. */
struct host {
    pthread_t thread;
    slm_task_fn *task;
    void *context;
    uint32_t count;
    atomic_uint next;   /* task to take */
    atomic_uint round;  /* raised when there is work */
    atomic_uint done;   /* the last round that the other thread has finished */
    atomic_bool closed; /* there is no other thread */
};

static void take_tasks(struct host *host)
{
    for (uint32_t i = atomic_fetch_add(&host->next, 1); i < host->count; i = atomic_fetch_add(&host->next, 1)) {
        host->task(host->context, i);
    }
}

static void wait_a_little(uint32_t *spins)
{
    if (++*spins > SPINS) {
        (void)sched_yield();
    }
}

static void *other_thread(void *context)
{
    struct host *host = context;
    uint32_t seen = atomic_load(&host->done), spins = 0;
    while (!atomic_load(&host->closed)) {
        const uint32_t round = atomic_load(&host->round);
        if (round == seen) {
            wait_a_little(&spins);
            continue;
        }
        seen = round;
        spins = 0;
        take_tasks(host);
        atomic_store(&host->done, round);
    }
    return NULL;
}

static void host_loop(void *user, uint32_t count, slm_task_fn *task, void *context)
{
    struct host *host = user;
    uint32_t spins = 0;
    host->task = task;
    host->context = context;
    host->count = count;
    atomic_store(&host->next, 0);
    const bool is_alone = atomic_load(&host->closed);
    const uint32_t round = is_alone ? 0 : atomic_fetch_add(&host->round, 1) + 1;
    take_tasks(host);
    while (!is_alone && atomic_load(&host->done) != round) {
        wait_a_little(&spins);
    }
}

/* The first cores of those that the process may use. */
static void stay_on_cores(void)
{
#ifdef __linux__
    cpu_set_t allowed, chosen;
    int count = 0;
    CPU_ZERO(&chosen);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return;
    }
    for (size_t i = 0; i < CPU_SETSIZE && count < CORES; i++) {
        if (CPU_ISSET(i, &allowed)) {
            CPU_SET(i, &chosen);
            count++;
        }
    }
    (void)sched_setaffinity(0, sizeof chosen, &chosen);
#endif
}

struct way {
    const char *name;
    uint32_t threads;
    struct host *host; /* NULL: the library's own threads */
    slm_engine *engine;
    slm_model *model;
    slm_session *session;
    double prefill[ROUNDS], decode[ROUNDS]; /* seconds */
};

static slm_error error = {.struct_size = sizeof error};
static int32_t ids[PROMPT];

static void open_way(struct way *way, const char *shape)
{
    slm_model_info info = {.struct_size = sizeof info};
    slm_engine_options options = {.struct_size = sizeof options, .threads = way->threads};
    const slm_session_options session = {.struct_size = sizeof session, .flags = SLM_SESSION_IGNORE_EOS, .context = PROMPT};
    options.parallel_for = way->host != NULL ? host_loop : NULL;
    options.parallel_user = way->host;
    expect_ok(slm_engine_create(&options, &way->engine, &error), &error);
    way->model = random_model(way->engine, shape, SLM_TYPE_I4);
    expect_ok(slm_model_get_info(way->model, &info, &error), &error);
    random_ids(ids, PROMPT, info.vocab_size);
    expect_ok(slm_session_create(way->model, NULL, &session, &way->session, &error), &error);
}

/* A prompt; then, from one token on, so many steps (the first comes from logits that are there, and is not timed). */
static void time_way(struct way *way, int round)
{
    slm_token token = {.struct_size = sizeof token};
    double start = seconds_now();
    expect_ok(slm_session_append(way->session, ids, PROMPT, NULL, &error), &error);
    way->prefill[round] = seconds_now() - start;
    expect_ok(slm_session_rewind(way->session, 0, &error), &error);
    expect_ok(slm_session_append(way->session, ids, 1, NULL, &error), &error);
    expect_ok(slm_session_next(way->session, &token, &error), &error);
    start = seconds_now();
    for (int i = 0; i < TOKENS; i++) {
        expect_ok(slm_session_next(way->session, &token, &error), &error);
    }
    way->decode[round] = seconds_now() - start;
    expect_ok(slm_session_rewind(way->session, 0, &error), &error);
}

static void run_way(struct way *way, int round)
{
    pause_seconds(SETTLE_SECONDS);
    if (way->host == NULL) {
        time_way(way, round);
        return;
    }
    atomic_store(&way->host->closed, false);
    expect_ok(pthread_create(&way->host->thread, NULL, other_thread, way->host) == 0 ? SLM_OK : SLM_E_NO_MEMORY, NULL);
    time_way(way, round);
    atomic_store(&way->host->closed, true);
    (void)pthread_join(way->host->thread, NULL);
}

static void close_way(struct way *way)
{
    (void)slm_session_destroy(way->session);
    (void)slm_model_close(way->model);
    (void)slm_engine_destroy(way->engine);
}

int main(int argc, char **argv)
{
    static struct host host = {.closed = true};
    static struct way ways[] = {{.name = "own threads", .threads = CORES},
                                {.name = "the host's loop", .threads = CORES, .host = &host},
                                {.name = "own, crowded", .threads = CROWD},
                                {.name = "alone", .threads = 1}};
    enum { WAYS = sizeof ways / sizeof ways[0] };
    const char *shape = argc > 1 ? argv[1] : "smollm2-135m";
    stay_on_cores();
    for (size_t i = 0; i < WAYS; i++) {
        open_way(&ways[i], shape);
        run_way(&ways[i], 0); /* to warm up */
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < WAYS; i++) {
            run_way(&ways[i], round);
        }
    }
    printf("%s i4 on %d cores, medians of %d in turns\n\n", shape, CORES, ROUNDS);
    printf("| threads | backend | prefill %d tokens/s | time | decode %d tokens/s | time |\n|---|---|---|---|---|---|\n", PROMPT, TOKENS);
    double prefill = 0, decode = 0;
    for (size_t i = 0; i < WAYS; i++) {
        slm_engine_info info = {.struct_size = sizeof info};
        expect_ok(slm_engine_get_info(ways[i].engine, &info, &error), &error);
        const double p = median_of(ways[i].prefill, ROUNDS), d = median_of(ways[i].decode, ROUNDS);
        prefill = i == 0 ? p : prefill;
        decode = i == 0 ? d : decode;
        printf("| %s: %u | %s | %.0f | %.2f | %.0f | %.2f |\n", ways[i].name, info.threads, info.threads_name, PROMPT / p, p / prefill,
               TOKENS / d, d / decode);
    }
    for (size_t i = 0; i < WAYS; i++) {
        close_way(&ways[i]);
    }
    print_neighbours();
    return 0;
}
