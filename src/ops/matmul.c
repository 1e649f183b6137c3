/* SPDX-License-Identifier: MIT */
/*
 * Matrix products. Activations are packed in blocks of 8 columns (token rows), each read by every panel. The panels are cut over the
 * threads: for one block in shares (one sequential stream a thread), for many rows in slabs that stay in the second-level cache while all
 * column blocks pass over them. No result depends on the cut.
 */
#include "ops/matmul.h"
#include "base/parts.h"  /* SLM_SMALL */
#include "base/shares.h" /* slm__team_share */

/* Activations to pack. */
struct pack_job {
    const struct slm_kernels *kernels;
    const struct slm_matrix *w;
    const float *x;
    size_t x_stride;
    uint32_t rows;
    void *packed;
};

/* A product of what is packed. */
struct matmul_job {
    const struct slm_kernels *kernels;
    const struct slm_matrix *w;
    const void *packed;
    uint32_t rows;
    float *y;
    size_t y_stride;
    uint32_t pairs; /* of panels: kernels take two at a time */
    uint32_t runs;  /* that the pairs are cut into; their lengths differ by one pair at most */
    /* Of one row only: what the threads read when this is done, and how many they are. */
    const struct slm_matrix *next;
    uint32_t width;
};

/* Many short runs, so that no thread waits long for another's last; GRAIN_BYTES at a time of a share. What gemm does first for all columns
 * is worth it from GEMM_COLUMNS on. */
enum { SLAB_BYTES = 512 << 10, GRAIN_BYTES = 32 << 10, SLABS_PER_THREAD = 16, GEMM_COLUMNS = 64 };

uint64_t slm__op_packed_bytes(enum slm_weight_type type, uint32_t cols, uint32_t rows)
{
    return slm__packed_column_bytes(type, cols) * rows;
}

void slm__op_pack_block(const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride, uint32_t rows,
                        uint32_t block, void *packed)
{
    const uint32_t row = block * SLM_COLUMNS, columns = rows - row < SLM_COLUMNS ? rows - row : SLM_COLUMNS;
    kernels->pack[w->type](x + row * x_stride, x_stride, columns, w->cols, (uint8_t *)packed + slm__op_packed_bytes(w->type, w->cols, row));
}

static void pack_blocks(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct pack_job *job = context;
    (void)thread;
    for (uint32_t block = begin; block < end; block++) {
        slm__op_pack_block(job->kernels, job->w, job->x, job->x_stride, job->rows, block, job->packed);
    }
}

void slm__op_pack(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride,
                  uint32_t rows, void *packed)
{
    struct pack_job job = {kernels, w, x, x_stride, rows, packed};
    slm__team_for(team, slm__op_blocks(rows), 1, pack_blocks, &job);
}

void slm__op_pack_columns(const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride, uint32_t rows,
                          uint32_t first, uint32_t cols, void *packed)
{
    for (uint32_t row = 0; row < rows; row += SLM_COLUMNS) {
        const uint32_t columns = rows - row < SLM_COLUMNS ? rows - row : SLM_COLUMNS;
        uint8_t *block = (uint8_t *)packed + slm__op_packed_bytes(w->type, w->cols, row);
        kernels->pack[w->type](x + row * x_stride, x_stride, columns, cols, block + slm__op_packed_bytes(w->type, first, columns));
    }
}

void slm__op_multiply_panels(const struct slm_kernels *kernels, const struct slm_matrix *w, uint32_t begin, uint32_t end,
                             const void *packed, uint32_t rows, float *y, size_t y_stride)
{
    uint32_t row = 0;
    if (!SLM_SMALL && rows >= GEMM_COLUMNS && kernels->gemm[w->type] != NULL) {
        row = rows / SLM_COLUMNS * SLM_COLUMNS;
        kernels->gemm[w->type](w, begin, end, packed, row, y, y_stride);
    }
    for (; row < rows; row += SLM_COLUMNS) {
        const uint32_t columns = rows - row < SLM_COLUMNS ? rows - row : SLM_COLUMNS;
        const uint8_t *block = (const uint8_t *)packed + slm__op_packed_bytes(w->type, w->cols, row);
        if (!SLM_SMALL && columns == 1 && kernels->gemv[w->type] != NULL) {
            kernels->gemv[w->type](w, begin, end, block, y + row * y_stride, NULL);
        } else {
            kernels->matmul[w->type](w, begin, end, block, columns, y + row * y_stride, y_stride);
        }
    }
}

static uint32_t panel_count(const struct slm_matrix *w) { return slm__padded_rows(w->rows) / SLM_PANEL_ROWS; }

/* ---- one row, or one block */

static const uint8_t *panel_at(const struct slm_matrix *w, uint32_t panel) { return w->data + panel * w->panel_bytes; }

static void multiply_column(void *context, uint32_t begin, uint32_t end, bool last, uint32_t thread)
{
    const struct matmul_job *job = context;
    const uint8_t *ahead = panel_at(job->w, end);
    if (last) {
        const struct slm_matrix *next = job->next;
        ahead = next == NULL || next->rows == 0 ? NULL : panel_at(next, slm__share_begin(panel_count(next), job->width, thread));
    }
    job->kernels->gemv[job->w->type](job->w, begin, end, job->packed, job->y, ahead);
}

static void multiply_pairs(void *context, uint32_t begin, uint32_t end, bool last, uint32_t thread)
{
    const struct matmul_job *job = context;
    const uint32_t panels = panel_count(job->w);
    (void)last;
    (void)thread;
    slm__op_multiply_panels(job->kernels, job->w, 2 * begin, 2 * end < panels ? 2 * end : panels, job->packed, job->rows, job->y,
                            job->y_stride);
}

static void multiply_block(struct slm_team *team, struct matmul_job *job)
{
    const bool one = job->rows == 1 && job->kernels->gemv[job->w->type] != NULL;
    const uint64_t fitting = GRAIN_BYTES / (job->w->panel_bytes * (one ? 1 : 2));
    const uint32_t least = one ? 1 : 2; /* pairs: some kernels take four panels at a time */
    const uint32_t grain = fitting < least ? least : (uint32_t)fitting;
    slm__team_share(team, one ? panel_count(job->w) : job->pairs, grain, one ? multiply_column : multiply_pairs, job);
}

/* ---- many rows */

/* First panel of run `run`, the end of all for run == runs. */
static uint32_t run_begin(const struct matmul_job *job, uint32_t run) { return (uint32_t)((uint64_t)job->pairs * run / job->runs) * 2; }

static void multiply_runs(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct matmul_job *job = context;
    const uint32_t panels = panel_count(job->w);
    (void)thread;
    for (uint32_t run = begin; run < end; run++) {
        const uint32_t first = run_begin(job, run), last = run_begin(job, run + 1) < panels ? run_begin(job, run + 1) : panels;
        slm__op_multiply_panels(job->kernels, job->w, first, last, job->packed, job->rows, job->y, job->y_stride);
    }
}

static uint32_t run_count(const struct matmul_job *job, uint32_t threads)
{
    const uint64_t slabs = 2 * job->pairs * job->w->panel_bytes / SLAB_BYTES + 1; /* each stays in the second-level cache */
    return slabs > (uint64_t)threads * SLABS_PER_THREAD ? (uint32_t)slabs : threads * SLABS_PER_THREAD;
}

void slm__op_multiply(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_matrix *w, const void *packed,
                      uint32_t rows, float *y, size_t y_stride, const struct slm_matrix *next)
{
    struct matmul_job job = {.kernels = kernels, .w = w, .packed = packed, .rows = rows, .y = y, .y_stride = y_stride};
    job.pairs = (panel_count(w) + 1) / 2;
    if (!SLM_SMALL && rows <= SLM_COLUMNS) {
        job.next = next;
        job.width = slm__team_width(team);
        multiply_block(team, &job);
        return;
    }
    job.runs = run_count(&job, slm__team_threads(team));
    job.runs = job.runs < job.pairs ? job.runs : job.pairs;
    slm__team_for(team, job.runs, 1, multiply_runs, &job);
}

void slm__op_matmul(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride,
                    uint32_t rows, float *y, size_t y_stride, void *packed, const struct slm_matrix *next)
{
    slm__op_pack(team, kernels, w, x, x_stride, rows, packed);
    slm__op_multiply(team, kernels, w, packed, rows, y, y_stride, next);
}
