/* SPDX-License-Identifier: MIT */
/*
 * Products of a prompt's 512 rows with the matrices of a 1 B model: our i8 and i4, with the packing of the activations, beside OpenBLAS
 * sgemm of the same values on as many threads, in turns; the shortest time of each. Without OpenBLAS (pkg-config openblas) ours alone.
 * usage: bench_sgemm [THREADS]    default: all that this process may use
 */
#include "bench/measuring.h"      /* expect_ok, zeroed */
#include "format/weight_encode.h" /* slm__encode_panel */
#include "kernels/cpu_isa.h"      /* slm__isa_best */
#include "ops/matmul.h"           /* slm__op_matmul */

#include <stdio.h>
#include <stdlib.h>
#ifdef SLM_HAVE_OPENBLAS
#  include <cblas.h>
#endif

enum { ROUNDS = 15, SGEMM = 2, WAYS = 3, PROMPT = 512 };
#ifdef SLM_HAVE_OPENBLAS
static const bool has_sgemm = true;
#else
static const bool has_sgemm = false;
#endif
static const char *const names[WAYS] = {"i8", "i4", "sgemm"};
static const enum slm_weight_type types[WAYS] = {SLM_WEIGHT_I8, SLM_WEIGHT_I4, SLM_WEIGHT_F32};
#define SETTLE_SECONDS 0.05 /* threads of the other library go on spinning for a while */

struct product {
    struct slm_team *team;
    const struct slm_kernels *kernels;
    uint32_t rows, cols;
    float *dense, *x, *y[WAYS];
    struct slm_matrix matrices[WAYS]; /* no data for sgemm */
    void *packed;
    size_t packed_bytes;
    uint32_t way;
};

static struct slm_matrix encode(enum slm_weight_type type, const float *dense, uint32_t rows, uint32_t cols)
{
    const struct slm_memory memory = slm__memory_default();
    const uint64_t panel_bytes = slm__panel_bytes(type, cols);
    const uint32_t panels = rows / SLM_PANEL_ROWS;
    uint8_t *data = slm__allocate(&memory, (size_t)(panels * panel_bytes), 4096);
    void *scratch = slm__allocate(&memory, slm__encode_scratch(cols), 64);
    expect_ok(data != NULL && scratch != NULL ? SLM_OK : SLM_E_NO_MEMORY, NULL);
    for (uint32_t p = 0; p < panels; p++) {
        const float *lines[16];
        uint32_t bad_row = 0, bad_col = 0;
        for (uint32_t r = 0; r < 16; r++) {
            lines[r] = dense + (size_t)(16 * p + r) * cols;
        }
        expect_ok(slm__encode_panel(type, lines, 16, cols, data + p * panel_bytes, scratch, NULL, &bad_row, &bad_col), NULL);
    }
    slm__release(&memory, scratch, slm__encode_scratch(cols));
    return (struct slm_matrix){data, panel_bytes, rows, cols, type};
}

static void run_ours(void *context)
{
    const struct product *p = context;
    const struct slm_matrix *w = &p->matrices[p->way];
    slm__op_matmul(p->team, p->kernels, w, p->x, p->cols, PROMPT, p->y[p->way], p->rows, p->packed, NULL);
}

static void run_one(struct product *p, uint32_t way)
{
    p->way = way;
    if (types[way] != SLM_WEIGHT_F32) {
        slm__team_run(p->team, run_ours, p);
        return;
    }
#ifdef SLM_HAVE_OPENBLAS
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, PROMPT, (int)p->rows, (int)p->cols, 1.0f, p->x, (int)p->cols, p->dense,
                (int)p->cols, 0.0f, p->y[way], (int)p->rows);
#endif
}

/* Seconds of one product, with threads that another has woken. */
static double time_one(struct product *p, uint32_t way)
{
    pause_seconds(SETTLE_SECONDS);
    run_one(p, way);
    const double start = seconds_now();
    run_one(p, way);
    return seconds_now() - start;
}

/* Squared error against sgemm over its squares. */
static double error_of(const struct product *p, uint32_t way)
{
    double error = 0, energy = 0;
    for (size_t i = 0; i < (size_t)PROMPT * p->rows; i++) {
        const double want = (double)p->y[SGEMM][i], difference = (double)p->y[way][i] - want;
        error += difference * difference;
        energy += want * want;
    }
    return energy > 0 ? error / energy : 0;
}

static void fill(float *values, size_t count, uint32_t *state)
{
    for (size_t i = 0; i < count; i++) {
        float sum = 0; /* of four uniform numbers: nearly normal */
        for (int k = 0; k < 4; k++) {
            *state = *state * 1664525u + 1013904223u;
            sum += (float)(*state >> 8) * 0x1p-24f - 0.5f;
        }
        values[i] = sum;
    }
}

static void prepare(struct product *p, uint32_t rows, uint32_t cols)
{
    const struct slm_memory memory = slm__memory_default();
    uint32_t state = 1;
    p->rows = rows;
    p->cols = cols;
    p->dense = zeroed((size_t)rows * cols * sizeof(float));
    p->x = zeroed((size_t)PROMPT * cols * sizeof(float));
    p->packed_bytes = (size_t)slm__op_packed_bytes(SLM_WEIGHT_I8, cols, PROMPT);
    p->packed = slm__allocate(&memory, p->packed_bytes, 64);
    expect_ok(p->packed != NULL ? SLM_OK : SLM_E_NO_MEMORY, NULL);
    fill(p->dense, (size_t)rows * cols, &state);
    fill(p->x, (size_t)PROMPT * cols, &state);
    for (uint32_t way = 0; way < WAYS; way++) {
        p->y[way] = zeroed((size_t)PROMPT * rows * sizeof(float));
        if (types[way] != SLM_WEIGHT_F32) {
            p->matrices[way] = encode(types[way], p->dense, rows, cols);
        }
    }
}

static void release(struct product *p)
{
    const struct slm_memory memory = slm__memory_default();
    for (uint32_t way = 0; way < WAYS; way++) {
        free(p->y[way]);
        const struct slm_matrix *w = &p->matrices[way];
        slm__release(&memory, (void *)(uintptr_t)w->data, (size_t)(p->rows / SLM_PANEL_ROWS * w->panel_bytes));
    }
    slm__release(&memory, p->packed, p->packed_bytes);
    free(p->dense);
    free(p->x);
}

/* One row of the table. The times are added to `total`. */
static void measure(struct product *p, const char *name, double total[WAYS])
{
    double best[WAYS];
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t way = 0; way < WAYS; way++) {
            const double seconds = time_one(p, way);
            best[way] = round == 0 || seconds < best[way] ? seconds : best[way];
        }
    }
    printf("| %s %u x %u |", name, p->rows, p->cols);
    for (uint32_t way = 0; way < WAYS; way++) {
        total[way] += best[way];
        printf(way != SGEMM || has_sgemm ? " %.0f |" : " - |", 2.0 * PROMPT * p->rows * p->cols / best[way] / 1e9);
    }
    if (has_sgemm) {
        printf(" %.2f | %.2f | %.1e, %.1e |\n", best[SGEMM] / best[0], best[SGEMM] / best[1], error_of(p, 0), error_of(p, 1));
    } else {
        printf(" - | - | - |\n");
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint32_t rows, cols;
    } layer[] = {{"query, key, value", 3072, 2048}, {"output", 2048, 2048}, {"gate, up", 16384, 2048}, {"down", 2048, 8192}};
    static struct slm_team_storage storage;
    const struct slm_team_options options = {.threads = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0};
    struct slm_kernels kernels;
    double total[WAYS] = {0};
    const enum slm_isa isa = slm__isa_best(0);
    slm__kernels_fill(&kernels, isa);
    struct product product = {.team = slm__team_init(&storage, &options), .kernels = &kernels};
#ifdef SLM_HAVE_OPENBLAS
    openblas_set_num_threads((int)slm__team_threads(product.team));
    printf("%s, %u threads; OpenBLAS for %s\n\n", slm__isa_name((int32_t)isa), slm__team_threads(product.team), openblas_get_corename());
#else
    printf("%s, %u threads; sgemm skipped: OpenBLAS is not installed (make deps)\n\n", slm__isa_name((int32_t)isa),
           slm__team_threads(product.team));
#endif
    printf("| 512 rows by | %s GOP/s | %s GOP/s | %s GOP/s | i8 over sgemm | i4 over sgemm | NMSE against sgemm: i8, i4 |\n", names[0],
           names[1], names[2]);
    printf("|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof layer / sizeof layer[0]; i++) {
        prepare(&product, layer[i].rows, layer[i].cols);
        measure(&product, layer[i].name, total);
        release(&product);
    }
    if (has_sgemm) {
        printf("| a layer | | | | %.2f | %.2f | |\n", total[SGEMM] / total[0], total[SGEMM] / total[1]);
    }
    print_neighbours();
    return 0;
}
