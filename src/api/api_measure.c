/* SPDX-License-Identifier: MIT */
/* What the machine can do with an engine's threads and tier: the denominators of every ratio that bench prints. */
#include "api/handles.h"
#include "base/clock.h" /* slm__clock_ns */
#include <string.h>

enum { READ_BYTES_MIN = 512 << 20, BLOCK = 1 << 20, READ_REPEATS = 9, PEAK_REPEATS = 30, PEAK_RUN_NS = 4000000 };

struct measure_job {
    const struct slm_engine *engine;
    const uint8_t *data;
    uint64_t bytes;
    uint32_t which;
    uint64_t iterations;
    atomic_ullong ops;
    atomic_uint sink; /* keeps the results in use */
};

static void read_blocks(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    struct measure_job *job = context;
    (void)thread;
    const uint32_t value = job->engine->kernels.read(job->data + (uint64_t)begin * BLOCK, (size_t)(end - begin) * BLOCK);
    atomic_fetch_xor(&job->sink, value);
}

static void spin_peak(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    struct measure_job *job = context;
    uint32_t sink = thread;
    for (uint32_t i = begin; i < end; i++) {
        atomic_fetch_add(&job->ops, job->engine->kernels.peak(job->which, job->iterations, &sink));
    }
    atomic_fetch_xor(&job->sink, sink);
}

/* Each thread reads one contiguous run; best of READ_REPEATS, bytes a second. */
static double measure_read(struct measure_job *job)
{
    const uint32_t blocks = (uint32_t)(job->bytes / BLOCK), threads = slm__team_threads(job->engine->team);
    double best = 0;
    for (int i = 0; i < READ_REPEATS; i++) {
        const uint64_t start = slm__clock_ns();
        slm__team_for(job->engine->team, blocks, (blocks + threads - 1) / threads, read_blocks, job);
        const double rate = (double)blocks * BLOCK * 1e9 / (double)(slm__clock_ns() - start + 1);
        best = rate > best ? rate : best;
    }
    return best;
}

/* Iterations that keep one thread busy for PEAK_RUN_NS, found without the others: waking them is not what is measured. */
static uint64_t peak_iterations(const struct slm_engine *engine, uint32_t which)
{
    uint32_t sink = 0;
    uint64_t iterations = 1000, time = 0;
    while (time < PEAK_RUN_NS && iterations < (uint64_t)1 << 40) {
        iterations *= 2;
        const uint64_t start = slm__clock_ns();
        (void)engine->kernels.peak(which, iterations, &sink);
        time = slm__clock_ns() - start;
    }
    return iterations;
}

/* Many short runs, of which the best counts: one that the system interrupts says nothing. */
static double measure_peak(struct measure_job *job, uint32_t which)
{
    const uint32_t threads = slm__team_threads(job->engine->team);
    double best = 0;
    job->which = which;
    job->iterations = peak_iterations(job->engine, which);
    for (int i = 0; i < PEAK_REPEATS; i++) {
        atomic_store(&job->ops, 0);
        const uint64_t start = slm__clock_ns();
        slm__team_for(job->engine->team, threads, 1, spin_peak, job);
        const double rate = (double)atomic_load(&job->ops) * 1e9 / (double)(slm__clock_ns() - start + 1);
        best = rate > best ? rate : best;
    }
    return best;
}

slm_status slm_engine_measure(slm_engine *engine, slm_machine *machine, slm_error *error)
{
    SLM_REQUIRE_PART(MEASURE, "measurements", error);
    SLM_TRY(slm__require(engine, "engine", error));
    const slm_machine nothing = {.struct_size = sizeof nothing};
    SLM_TRY(slm__struct_out(machine, &nothing, sizeof nothing, error)); /* before the work, not after it */
    const uint64_t cache = 4 * slm__last_cache_bytes();
    struct measure_job job = {.engine = engine, .bytes = slm__round_up(cache > READ_BYTES_MIN ? cache : READ_BYTES_MIN, BLOCK)};
    slm_machine known = {.struct_size = sizeof known, .threads = slm__team_threads(engine->team)};
    uint8_t *data = job.bytes <= SIZE_MAX ? slm__allocate(&engine->memory, (size_t)job.bytes, 4096) : NULL;
    if (data == NULL) {
        return slm__fail_memory(error, job.bytes);
    }
    memset(data, 1, (size_t)job.bytes);
    job.data = data;
    known.read_bandwidth_bytes_per_second = measure_read(&job);
    slm__release(&engine->memory, data, (size_t)job.bytes);
    known.int8_peak_ops_per_second = measure_peak(&job, 0);
    known.int4_peak_ops_per_second = measure_peak(&job, 1);
    return slm__struct_out(machine, &known, sizeof known, error);
}
