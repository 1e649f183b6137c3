/* SPDX-License-Identifier: MIT */
/*
 * Matrix products. Activations are packed in blocks of 8 columns (token rows), each read by every panel. The panels are cut over the
 * threads: for one row in large contiguous runs (one sequential stream a thread), for many rows in slabs that stay in the second-level
 * cache while all column blocks pass over them. No result depends on the cut.
 */
#include "ops/matmul.h"

struct matmul_job {
    const struct slm_kernels *kernels;
    const struct slm_matrix *w;
    const float *x;
    size_t x_stride;
    uint32_t rows;
    float *y;
    size_t y_stride;
    uint8_t *packed;
    uint64_t column_bytes;
    uint32_t pairs; /* of panels: kernels take two at a time */
    uint32_t runs;  /* that the pairs are cut into; their lengths differ by one pair at most */
};

/* Few long runs for one block of columns; many short ones for more, so that no thread waits long for another's last. */
enum { SLAB_BYTES = 512 << 10, RUNS_PER_THREAD = 4, SLABS_PER_THREAD = 16 };

uint64_t slm__op_packed_bytes(enum slm_weight_type type, uint32_t cols, uint32_t rows)
{
    return slm__packed_column_bytes(type, cols) * rows;
}

static uint32_t block_columns(const struct matmul_job *job, uint32_t block)
{
    const uint32_t left = job->rows - block * SLM_COLUMNS;
    return left < SLM_COLUMNS ? left : SLM_COLUMNS;
}

static void pack_blocks(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct matmul_job *job = context;
    (void)thread;
    for (uint32_t block = begin; block < end; block++) {
        const size_t row = (size_t)block * SLM_COLUMNS;
        job->kernels->pack[job->w->type](job->x + row * job->x_stride, job->x_stride, block_columns(job, block), job->w->cols,
                                         job->packed + row * job->column_bytes);
    }
}

/* First panel of run `run`, the end of all for run == runs. */
static uint32_t run_begin(const struct matmul_job *job, uint32_t run) { return (uint32_t)((uint64_t)job->pairs * run / job->runs) * 2; }

static void multiply_runs(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct matmul_job *job = context;
    const uint32_t blocks = (job->rows + SLM_COLUMNS - 1) / SLM_COLUMNS, panels = slm__padded_rows(job->w->rows) / SLM_PANEL_ROWS;
    (void)thread;
    for (uint32_t run = begin; run < end; run++) {
        const uint32_t first = run_begin(job, run), last = run_begin(job, run + 1) < panels ? run_begin(job, run + 1) : panels;
        for (uint32_t block = 0; block < blocks; block++) {
            const size_t row = (size_t)block * SLM_COLUMNS;
            job->kernels->matmul[job->w->type](job->w, first, last, job->packed + row * job->column_bytes, block_columns(job, block),
                                               job->y + row * job->y_stride, job->y_stride);
        }
    }
}

static uint32_t run_count(const struct matmul_job *job, uint32_t threads)
{
    if (job->rows <= SLM_COLUMNS) {
        return threads * RUNS_PER_THREAD;
    }
    const uint64_t slabs = 2 * job->pairs * job->w->panel_bytes / SLAB_BYTES + 1; /* each stays in the second-level cache */
    return slabs > (uint64_t)threads * SLABS_PER_THREAD ? (uint32_t)slabs : threads * SLABS_PER_THREAD;
}

void slm__op_matmul(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride,
                    uint32_t rows, float *y, size_t y_stride, void *packed)
{
    struct matmul_job job = {.kernels = kernels, .w = w, .x = x, .x_stride = x_stride, .rows = rows, .y = y, .y_stride = y_stride};
    const uint32_t blocks = (rows + SLM_COLUMNS - 1) / SLM_COLUMNS;
    job.packed = packed;
    job.column_bytes = slm__packed_column_bytes(w->type, w->cols);
    job.pairs = (slm__padded_rows(w->rows) / SLM_PANEL_ROWS + 1) / 2;
    job.runs = run_count(&job, slm__team_threads(team));
    job.runs = job.runs < job.pairs ? job.runs : job.pairs;
    if (blocks == 1) {
        pack_blocks(&job, 0, 1, 0);
    } else {
        slm__team_for(team, blocks, 1, pack_blocks, &job);
    }
    slm__team_for(team, job.runs, 1, multiply_runs, &job);
}
