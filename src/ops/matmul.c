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
};

enum { SLAB_BYTES = 512 << 10, SLAB_PANELS = 32, RUNS_PER_THREAD = 4 };

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

static void multiply_panels(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct matmul_job *job = context;
    const uint32_t blocks = (job->rows + SLM_COLUMNS - 1) / SLM_COLUMNS;
    (void)thread;
    for (uint32_t block = 0; block < blocks; block++) {
        const size_t row = (size_t)block * SLM_COLUMNS;
        job->kernels->matmul[job->w->type](job->w, begin, end, job->packed + row * job->column_bytes, block_columns(job, block),
                                           job->y + row * job->y_stride, job->y_stride);
    }
}

/* Panels that stay in the second-level cache while the columns pass over them. */
static uint32_t slab_panels(uint64_t panel_bytes)
{
    const uint64_t panels = SLAB_BYTES / panel_bytes;
    return panels < 1 ? 1 : panels > SLAB_PANELS ? SLAB_PANELS : (uint32_t)panels;
}

void slm__op_matmul(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride,
                    uint32_t rows, float *y, size_t y_stride, void *packed)
{
    struct matmul_job job = {kernels, w, x, x_stride, rows, y, y_stride, packed, slm__packed_column_bytes(w->type, w->cols)};
    const uint32_t panels = slm__padded_rows(w->rows) / SLM_PANEL_ROWS;
    const uint32_t blocks = (rows + SLM_COLUMNS - 1) / SLM_COLUMNS;
    if (blocks == 1) {
        pack_blocks(&job, 0, 1, 0);
    } else {
        slm__team_for(team, blocks, 1, pack_blocks, &job);
    }
    uint32_t grain = panels / (slm__team_threads(team) * RUNS_PER_THREAD);
    const uint32_t slab = slab_panels(w->panel_bytes);
    if (rows > SLM_COLUMNS && grain > slab) {
        grain = slab;
    }
    grain -= grain % 2; /* kernels take panels in pairs */
    slm__team_for(team, panels, grain > 0 ? grain : 2, multiply_panels, &job);
}
