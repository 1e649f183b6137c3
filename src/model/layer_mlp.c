/* SPDX-License-Identifier: MIT */
/*
 * The feed-forward half of a layer: wide = down (activation(gate) up), or down activation(gate_up h) where it is not gated.
 *
 * Of many rows the middle is never written: a thread takes a run of its columns, multiplies the panels of gate and of up for a part of the
 * rows, activates the result and packs it for down, all in its cache. Of a few rows, where an adapter adds to the middle, and where its
 * length is no multiple of 32, the steps follow one another.
 */
#include "base/parts.h"   /* SLM_WITH_CONVERT, SLM_SMALL */
#include "model/layers.h" /* struct slm_layer_step */
#include "ops/matmul.h"   /* slm__op_multiply_panels and others */

struct mlp_job {
    const struct slm_layer_step *step;
    const struct slm_mlp *mlp;
    uint32_t runs;                       /* many rows: that the columns of the middle are cut into */
    uint32_t gate_stride, middle_stride; /* a few: of `wide` and h */
};

/* Weights of a run stay in the second-level cache while all rows pass over them; what is made of FUSED_ROWS rows does too. */
enum { RUN_BYTES = 256 << 10, RUNS_PER_THREAD = 16, FUSED_ROWS = 256 };

static void activate_row(const struct slm_forward *f, float *gate, const float *up, uint32_t n, float *out)
{
    const struct slm_transformer *t = f->transformer;
    if (t->gated && t->activation == SLM_ACTIVATION_SILU) {
        f->kernels->silu_mul(gate, up, n, out);
        return;
    }
    f->kernels->activate[t->activation](gate, n, out);
    if (t->gated) {
        f->kernels->multiply(out, up, n);
    }
}

/* ---- many rows */

/* Gate and up, or one alone. */
static uint32_t halves_of(const struct slm_mlp *mlp) { return mlp->gate_up.rows / mlp->down.cols; }

/* Groups of 32 columns of the middle that a run has at most: two panels of gate, two of up. */
static uint32_t groups_of_run(const struct slm_mlp *mlp)
{
    const uint64_t most = mlp->down.cols / SLM_GROUP;
    const uint64_t fitting = RUN_BYTES / (halves_of(mlp) * (uint64_t)(SLM_GROUP / SLM_PANEL_ROWS) * mlp->gate_up.panel_bytes);
    return (uint32_t)(fitting == 0 ? 1 : fitting < most ? fitting : most);
}

bool slm__mlp_fits(const struct slm_mlp *mlp) { return !SLM_SMALL && mlp->down.cols % SLM_GROUP == 0; }

/* Few enough that the weights of each fit, and enough for all threads. */
static uint32_t run_count(const struct slm_mlp *mlp, uint32_t threads)
{
    const uint32_t groups = mlp->down.cols / SLM_GROUP, most = groups_of_run(mlp);
    const uint32_t few = (groups + most - 1) / most, many = threads * RUNS_PER_THREAD;
    return few > many ? few : many < groups ? many : groups;
}

uint64_t slm__mlp_scratch_floats(const struct slm_mlp *mlp, uint32_t batch, uint32_t threads)
{
    const uint64_t runs = run_count(mlp, threads), groups = (mlp->down.cols / SLM_GROUP + runs - 1) / runs;
    return groups * halves_of(mlp) * SLM_GROUP * (batch < FUSED_ROWS ? batch : FUSED_ROWS);
}

/* Columns [first, first + columns) of the middle, for `rows` rows from `row` on. `gate` has their gate and up side by side. */
static void fill_middle(const struct mlp_job *job, uint32_t first, uint32_t columns, uint32_t row, uint32_t rows, float *gate,
                        size_t stride)
{
    const struct slm_forward *f = job->step->forward;
    const struct slm_matrix *gate_up = &job->mlp->gate_up;
    const float *bias = job->mlp->gate_up_bias;
    const uint8_t *packed = (const uint8_t *)f->workspace->packed + slm__op_packed_bytes(gate_up->type, gate_up->cols, row);
    for (uint32_t half = 0; half < halves_of(job->mlp); half++) {
        const uint32_t from = half * job->mlp->down.cols + first;
        const uint8_t *data = gate_up->data + from / SLM_PANEL_ROWS * gate_up->panel_bytes;
        const struct slm_matrix part = {data, gate_up->panel_bytes, columns, gate_up->cols, gate_up->type};
        float *y = gate + half * columns;
        slm__op_multiply_panels(f->kernels, &part, 0, columns / SLM_PANEL_ROWS, packed, rows, y, stride);
        for (uint32_t i = 0; bias != NULL && i < rows; i++) {
            f->kernels->add(y + i * stride, bias + from, columns);
        }
    }
    for (uint32_t i = 0; i < rows; i++) {
        activate_row(f, gate + i * stride, gate + i * stride + columns, columns, gate + i * stride);
    }
}

/* Parts of whole blocks, as equal as can be: none is too short for the products of many rows where another is long. */
static uint32_t part_begin(uint32_t count, uint32_t parts, uint32_t part)
{
    const uint32_t blocks = (uint32_t)((uint64_t)slm__op_blocks(count) * part / parts);
    return part == parts ? count : blocks * SLM_COLUMNS;
}

static void fill_runs(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct mlp_job *job = context;
    const struct slm_workspace *w = job->step->forward->workspace;
    const struct slm_matrix *down = &job->mlp->down;
    const uint64_t groups = down->cols / SLM_GROUP;
    float *gate = w->mlp_scratch + thread * w->mlp_scratch_floats;
    const uint32_t count = job->step->count, parts = (count + FUSED_ROWS - 1) / FUSED_ROWS;
    for (uint32_t run = begin; run < end; run++) {
        const uint32_t first = (uint32_t)(groups * run / job->runs) * SLM_GROUP;
        const uint32_t columns = (uint32_t)(groups * (run + 1) / job->runs) * SLM_GROUP - first;
        const size_t stride = (size_t)columns * halves_of(job->mlp);
        for (uint32_t part = 0; part < parts; part++) {
            const uint32_t row = part_begin(count, parts, part), rows = part_begin(count, parts, part + 1) - row;
            fill_middle(job, first, columns, row, rows, gate, stride);
            slm__op_pack_columns(job->step->forward->kernels, down, gate, stride, rows, first, columns,
                                 (uint8_t *)w->h + slm__op_packed_bytes(down->type, down->cols, row));
        }
    }
}

/* The rows in h are packed for gate_up: their space takes the middle, packed for down. */
static void multiply_fused(struct mlp_job *job)
{
    const struct slm_forward *f = job->step->forward;
    const struct slm_workspace *w = f->workspace;
    job->runs = run_count(job->mlp, slm__team_threads(f->team));
    slm__team_for(f->team, job->runs, 1, fill_runs, job);
    slm__op_multiply(f->team, f->kernels, &job->mlp->down, w->h, job->step->count, w->wide, w->wide_stride, NULL);
}

/* ---- a few rows */

static void activate_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct mlp_job *job = context;
    const struct slm_forward *f = job->step->forward;
    const struct slm_workspace *w = f->workspace;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        float *gate = w->wide + (size_t)i * job->gate_stride;
        if (job->mlp->gate_up_bias != NULL) {
            f->kernels->add(gate, job->mlp->gate_up_bias, job->mlp->gate_up.rows);
        }
        activate_row(f, gate, gate + job->mlp->down.cols, job->mlp->down.cols, w->h + (size_t)i * job->middle_stride);
    }
}

static void multiply_in_steps(struct mlp_job *job)
{
    const struct slm_layer_step *step = job->step;
    job->gate_stride = slm__padded_rows(job->mlp->gate_up.rows);
    job->middle_stride = slm__padded_rows(job->mlp->down.cols);
    slm__project_packed(step, &job->mlp->gate_up, step->forward->workspace->h_stride, job->gate_stride);
    slm__team_for(step->forward->team, step->count, step->count / 32 + 1, activate_rows, job);
    slm__project(step, &job->mlp->down, job->middle_stride);
}

static bool adapted(const struct slm_layer_step *step, const struct slm_matrix *matrix)
{
    return SLM_WITH_CONVERT && slm__low_rank_touches(step->forward, matrix, step->rows, step->picked, step->count);
}

void slm__layer_mlp(const struct slm_layer_step *step, const struct slm_mlp *mlp)
{
    struct mlp_job job = {.step = step, .mlp = mlp};
    if (!SLM_SMALL && slm__mlp_fits(mlp) && step->count > SLM_COLUMNS && !adapted(step, &mlp->gate_up) && !adapted(step, &mlp->down)) {
        multiply_fused(&job);
    } else {
        multiply_in_steps(&job);
    }
}
