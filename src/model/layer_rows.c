/* SPDX-License-Identifier: MIT */
/*
 * What happens to rows between two products, in one loop: the output joins the residual stream, the sum is normed, the normed rows are
 * packed. Of many rows a thread takes a block at a time, which stays in its cache through all of it; of a few each row by itself.
 */
#include "base/parts.h"   /* SLM_SMALL, SLM_WITH_VARIANTS */
#include "model/layers.h" /* struct slm_layer_step */
#include "ops/matmul.h"   /* slm__op_pack_block, slm__op_pack */
#include <string.h>

struct rows_job {
    const struct slm_layer_step *step;
    const float *bias;
    const struct slm_norm *norm; /* of `wide`, which joins x; NULL: nothing does */
    const struct slm_norm *next_norm;
    const struct slm_matrix *next_matrix; /* reads the normed rows; NULL: nothing does */
};

void slm__norm_row(const struct slm_forward *f, const float *x, const struct slm_norm *norm, uint32_t n, float *out)
{
    if (slm__has_layer_norms(f->transformer)) {
        f->kernels->layer_norm(x, norm->weight, norm->bias, f->transformer->norm_eps, n, out);
    } else {
        f->kernels->rms_norm(x, norm->weight, f->transformer->norm_eps, n, out);
    }
}

static void join_row(const struct rows_job *job, float *y, float *x)
{
    const struct slm_forward *f = job->step->forward;
    const uint32_t hidden = f->transformer->hidden_size;
    const bool after = SLM_WITH_VARIANTS && f->transformer->block_kind == SLM_BLOCK_POST_NORM; /* the norm is of the sum */
    if (job->bias != NULL) {
        f->kernels->add(y, job->bias, hidden);
    }
    if (job->norm->weight != NULL && !after) {
        slm__norm_row(f, y, job->norm, hidden, y);
    }
    if (f->transformer->residual_scale != 1.0f) {
        f->kernels->scale(y, y, f->transformer->residual_scale, hidden);
    }
    f->kernels->add(x, y, hidden);
    if (after) {
        slm__norm_row(f, x, job->norm, hidden, x);
    }
}

static void change_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct rows_job *job = context;
    const struct slm_forward *f = job->step->forward;
    const struct slm_workspace *w = f->workspace;
    const uint32_t hidden = f->transformer->hidden_size;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        float *x = w->x + (size_t)i * w->x_stride, *h = w->h + (size_t)i * w->h_stride;
        if (job->norm != NULL) {
            join_row(job, w->wide + (size_t)i * w->wide_stride, x);
        }
        if (job->next_matrix != NULL && job->next_norm->weight != NULL) {
            slm__norm_row(f, x, job->next_norm, hidden, h);
        } else if (job->next_matrix != NULL) {
            memcpy(h, x, hidden * sizeof *h);
        }
    }
}

static void change_blocks(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct rows_job *job = context;
    const struct slm_forward *f = job->step->forward;
    const struct slm_workspace *w = f->workspace;
    for (uint32_t block = begin; block < end; block++) {
        const uint32_t first = block * SLM_COLUMNS, left = job->step->count - first;
        change_rows(context, first, first + (left < SLM_COLUMNS ? left : SLM_COLUMNS), thread);
        if (job->next_matrix != NULL) {
            slm__op_pack_block(f->kernels, job->next_matrix, w->h, w->h_stride, job->step->count, block, w->packed);
        }
    }
}

static void change(struct rows_job *job)
{
    const struct slm_forward *f = job->step->forward;
    const struct slm_workspace *w = f->workspace;
    const uint32_t count = job->step->count;
    if (!SLM_SMALL && count > SLM_COLUMNS && slm__op_blocks(count) >= slm__team_threads(f->team)) {
        slm__team_for(f->team, slm__op_blocks(count), 1, change_blocks, job);
        return;
    }
    slm__team_for(f->team, count, 1, change_rows, job);
    if (job->next_matrix != NULL) {
        slm__op_pack(f->team, f->kernels, job->next_matrix, w->h, w->h_stride, count, w->packed);
    }
}

void slm__norm_rows(const struct slm_layer_step *step, const struct slm_norm *norm, const struct slm_matrix *matrix)
{
    struct rows_job job = {.step = step, .next_norm = norm, .next_matrix = matrix};
    change(&job);
}

void slm__join_rows(const struct slm_layer_step *step, const float *bias, const struct slm_norm *norm, const struct slm_norm *next_norm,
                    const struct slm_matrix *next_matrix)
{
    struct rows_job job = {step, bias, norm, next_norm, next_matrix};
    change(&job);
}
