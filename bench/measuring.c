/* SPDX-License-Identifier: MIT */
/* See measuring.h. */
#define _DEFAULT_SOURCE /* clock_gettime, nanosleep, getrusage */
#include "bench/measuring.h"

#include "examples/cli/bench_shapes.h" /* bench_shape_find, bench_shape_config */

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void pause_seconds(double seconds)
{
    const struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    (void)nanosleep(&time, NULL);
}

/* Seconds since boot of all processors together: in use, and in all. 0: the system does not say. */
static int processor_seconds(double *used, double *all)
{
    unsigned long long user = 0, nice = 0, kernel = 0, idle = 0, waiting = 0, interrupts = 0, soft = 0, stolen = 0;
    FILE *file = fopen("/proc/stat", "r");
    const int read = file == NULL ? 0
                                  : fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &kernel, &idle, &waiting,
                                           &interrupts, &soft, &stolen);
    if (file != NULL) {
        (void)fclose(file);
    }
    const double tick = (double)sysconf(_SC_CLK_TCK);
    *used = (double)(user + nice + kernel + interrupts + soft + stolen) / tick;
    *all = *used + (double)(idle + waiting) / tick;
    return read == 8;
}

static double used_before, all_before; /* at the start of the program */

__attribute__((constructor)) static void look_at_processors(void) { (void)processor_seconds(&used_before, &all_before); }

void print_neighbours(void)
{
    double used = 0, all = 0;
    struct rusage own;
    if (processor_seconds(&used, &all) && all > all_before && getrusage(RUSAGE_SELF, &own) == 0) {
        const double mine =
            (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) + 1e-6 * (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec);
        const double others = (used - used_before - mine) / (all - all_before);
        printf("\nother processes took %.0f %% of the processors meanwhile\n", others > 0 ? 100 * others : 0);
    }
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void expect_ok(slm_status status, const slm_error *error)
{
    if (status != SLM_OK) {
        (void)fprintf(stderr, "%s: %s\n", slm_status_name(status), error != NULL ? error->message : slm_status_text(status));
        exit(1);
    }
}

void *zeroed(size_t bytes)
{
    void *block = calloc(bytes, 1);
    if (block == NULL) {
        expect_ok(SLM_E_NO_MEMORY, NULL);
    }
    return block;
}

struct cli_text config_of_shape(const char *name)
{
    struct cli_text config = {0};
    const struct bench_shape *shape = bench_shape_find(name);
    if (shape == NULL) {
        (void)fprintf(stderr, "there is no shape '%s'\n", name);
        exit(2);
    }
    bench_shape_config(shape, 0, &config);
    expect_ok(config.failed ? SLM_E_NO_MEMORY : SLM_OK, NULL);
    return config;
}

slm_model *random_model(slm_engine *engine, const char *shape, int32_t type)
{
    const slm_random_options options = {.struct_size = sizeof options, .type = type, .seed = 1};
    slm_error error = {.struct_size = sizeof error};
    slm_model *model = NULL;
    struct cli_text config = config_of_shape(shape);
    expect_ok(slm_model_open_random(engine, config.bytes, config.length, &options, &model, &error), &error);
    cli_text_free(&config);
    return model;
}

void random_ids(int32_t *ids, uint64_t count, uint32_t vocab)
{
    for (uint64_t i = 0; i < count; i++) {
        ids[i] = (int32_t)(3 + i * 7919 % (vocab - 3));
    }
}
