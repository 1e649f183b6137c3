/* SPDX-License-Identifier: MIT */
/*
 * B (A x) for the rows that have adapters. Rows with the same adapters lie together; of such a run each block of 8 rows is one task where
 * there are several, with all of A and B; a single block (decoding) shares out the panels of B. Every row is summed by itself either way.
 */
#include "model/low_rank.h"
#include "model/forward.h" /* struct slm_forward, struct slm_row */
#include <string.h>

enum { SLAB_PANELS = 16, SLAB_ROWS = SLAB_PANELS * SLM_PANEL_ROWS };

/* ---- places */

bool slm__low_rank_find_place(const struct slm_transformer *t, const char *pattern, uint32_t index, uint32_t expert,
                              struct slm_low_rank_place *place)
{
    *place = (struct slm_low_rank_place){.part_count = 1};
    if (strcmp(pattern, "head") == 0) {
        place->matrix = t->head_kind == SLM_HEAD_OWN ? &t->head : NULL;
        place->part_rows[0] = t->vocab_size;
        return t->head_kind == SLM_HEAD_OWN;
    }
    const struct slm_layer *layer = index < t->layer_count ? &t->layers[index] : NULL;
    const bool of_expert = strncmp(pattern, "layers.%u.experts.%u.", 21) == 0;
    if (layer == NULL || (of_expert && expert >= layer->experts)) {
        return false;
    }
    const struct slm_mlp *mlp = of_expert ? &layer->expert_mlps[expert] : layer->experts == 0 ? &layer->mlp : NULL;
    const char *name = pattern + (of_expert ? 21 : strlen(pattern) > 10 ? 10 : 0);
    if (strcmp(name, "qkv") == 0) {
        *place = (struct slm_low_rank_place){
            &layer->qkv, 3, {layer->heads * layer->head_dim, layer->kv_heads * layer->head_dim, layer->kv_heads * layer->head_dim}};
    } else if (strcmp(name, "gate_up") == 0 && mlp != NULL) {
        *place = (struct slm_low_rank_place){&mlp->gate_up, t->gated ? 2 : 1, {layer->ffn_size, t->gated ? layer->ffn_size : 0, 0}};
    } else if (strcmp(name, "down") == 0 && mlp != NULL) {
        place->matrix = &mlp->down;
    } else if (strcmp(name, "attn_out") == 0) {
        place->matrix = &layer->attn_out;
    } else if (strcmp(name, "router") == 0 && layer->experts != 0) {
        place->matrix = &layer->router;
    }
    if (place->matrix != NULL && place->part_count == 1) {
        place->part_rows[0] = place->matrix->rows;
    }
    return place->matrix != NULL;
}

/* ---- scratch: the packed rows of x, then t = A x, then t packed for each part, then a slab of B t */

struct scratch {
    float *packed_x, *t, *packed_t, *slab;
    uint32_t t_stride;
};

static uint32_t widest_input(const struct slm_transformer *t)
{
    uint32_t cols = t->hidden_size;
    for (uint32_t i = 0; i < t->layer_count; i++) {
        const struct slm_layer *layer = &t->layers[i];
        cols = layer->attn_out.cols > cols ? layer->attn_out.cols : cols;
        cols = layer->ffn_size > cols ? layer->ffn_size : cols;
    }
    return cols;
}

/* Fill `scratch` from `base`; returns its floats. */
static uint64_t lay_out(const struct slm_transformer *t, uint32_t rank, float *base, struct scratch *scratch)
{
    const uint64_t x = (uint64_t)SLM_COLUMNS * slm__padded_cols(widest_input(t));
    const uint32_t lanes = slm__padded_rows(SLM_LOW_RANK_PARTS * rank);
    const uint64_t packed = (uint64_t)SLM_COLUMNS * SLM_LOW_RANK_PARTS * slm__padded_cols(rank);
    const uint64_t total = x + (uint64_t)SLM_COLUMNS * lanes + packed + (uint64_t)SLM_COLUMNS * SLAB_ROWS;
    if (base != NULL) {
        scratch->packed_x = base;
        scratch->t = base + x;
        scratch->t_stride = lanes;
        scratch->packed_t = scratch->t + (size_t)SLM_COLUMNS * lanes;
        scratch->slab = scratch->packed_t + packed;
    }
    return total;
}

uint64_t slm__low_rank_floats(const struct slm_transformer *t, uint32_t rank)
{
    struct scratch unused;
    return rank == 0 ? 0 : lay_out(t, rank, NULL, &unused);
}

/* ---- one adapter on a run of rows */

struct low_rank_job {
    const struct slm_forward *forward;
    const struct slm_low_rank *delta;
    float weight;
    uint32_t count; /* rows */
    const float *x;
    size_t x_stride;
    float *y;
    size_t y_stride;
    struct scratch shared;                /* of the block whose panels are shared out */
    const struct slm_low_rank_part *part; /* whose panels these are */
};

static struct scratch scratch_of(const struct low_rank_job *job, uint32_t thread)
{
    struct scratch scratch;
    const struct slm_workspace *w = job->forward->workspace;
    (void)lay_out(job->forward->transformer, w->adapter_rank, w->low_rank + (size_t)thread * w->low_rank_floats, &scratch);
    return scratch;
}

static float *packed_of(const struct scratch *scratch, const struct low_rank_job *job, const struct slm_low_rank_part *part)
{
    return scratch->packed_t + (size_t)(part - job->delta->parts) * SLM_COLUMNS * slm__padded_cols(job->forward->workspace->adapter_rank);
}

/* t = A x of up to 8 rows; each part of it times weight x scale, packed. */
static void lower(const struct low_rank_job *job, const struct scratch *scratch, uint32_t first, uint32_t columns)
{
    const struct slm_kernels *kernels = job->forward->kernels;
    const struct slm_matrix *a = &job->delta->a;
    kernels->pack[a->type](job->x + first * job->x_stride, job->x_stride, columns, a->cols, scratch->packed_x);
    kernels->matmul[a->type](a, 0, slm__padded_rows(a->rows) / SLM_PANEL_ROWS, scratch->packed_x, columns, scratch->t, scratch->t_stride);
    for (uint32_t p = 0; p < job->delta->part_count; p++) {
        const struct slm_low_rank_part *part = &job->delta->parts[p];
        const float factor = (float)((double)job->weight * part->scale);
        float *t = scratch->t + part->first_lane;
        for (uint32_t c = 0; c < columns; c++) {
            kernels->scale(t + (size_t)c * scratch->t_stride, t + (size_t)c * scratch->t_stride, factor, part->b.cols);
        }
        kernels->pack[part->b.type](t, scratch->t_stride, columns, part->b.cols, packed_of(scratch, job, part));
    }
}

/* y += B t for panels [begin, end) of a part, a slab at a time. */
static void raise_panels(const struct low_rank_job *job, const struct slm_low_rank_part *part, uint32_t begin, uint32_t end,
                         const float *packed, uint32_t first, uint32_t columns, float *slab)
{
    const struct slm_kernels *kernels = job->forward->kernels;
    const struct slm_matrix *b = &part->b;
    for (uint32_t panel = begin; panel < end; panel += SLAB_PANELS) {
        const uint32_t panels = end - panel < SLAB_PANELS ? end - panel : SLAB_PANELS;
        const uint32_t row = panel * SLM_PANEL_ROWS, left = b->rows - row;
        const uint32_t rows = left < panels * SLM_PANEL_ROWS ? left : panels * SLM_PANEL_ROWS;
        const struct slm_matrix some = {b->data + panel * b->panel_bytes, b->panel_bytes, rows, b->cols, b->type};
        kernels->matmul[b->type](&some, 0, panels, packed, columns, slab, SLAB_ROWS);
        for (uint32_t c = 0; c < columns; c++) {
            kernels->add(job->y + (first + c) * job->y_stride + part->first_row + row, slab + (size_t)c * SLAB_ROWS, rows);
        }
    }
}

static uint32_t panels_of(const struct slm_matrix *matrix) { return slm__padded_rows(matrix->rows) / SLM_PANEL_ROWS; }

static void add_blocks(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct low_rank_job *job = context;
    const struct scratch scratch = scratch_of(job, thread);
    for (uint32_t block = begin; block < end; block++) {
        const uint32_t first = block * SLM_COLUMNS, columns = job->count - first < SLM_COLUMNS ? job->count - first : SLM_COLUMNS;
        lower(job, &scratch, first, columns);
        for (uint32_t p = 0; p < job->delta->part_count; p++) {
            const struct slm_low_rank_part *part = &job->delta->parts[p];
            raise_panels(job, part, 0, panels_of(&part->b), packed_of(&scratch, job, part), first, columns, scratch.slab);
        }
    }
}

static void add_panels(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct low_rank_job *job = context;
    const struct scratch own = scratch_of(job, thread);
    raise_panels(job, job->part, begin, end, packed_of(&job->shared, job, job->part), 0, job->count, own.slab);
}

static void add_delta(struct low_rank_job *job)
{
    if (job->count > SLM_COLUMNS) {
        slm__team_for(job->forward->team, (job->count + SLM_COLUMNS - 1) / SLM_COLUMNS, 1, add_blocks, job);
        return;
    }
    job->shared = scratch_of(job, 0);
    lower(job, &job->shared, 0, job->count);
    for (uint32_t p = 0; p < job->delta->part_count; p++) {
        job->part = &job->delta->parts[p];
        slm__team_for(job->forward->team, panels_of(&job->part->b), SLAB_PANELS, add_panels, job);
    }
}

/* ---- which adapters */

static const struct slm_low_rank *find_delta(const struct slm_low_rank_set *set, const struct slm_matrix *matrix)
{
    uint32_t low = 0, high = set->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (set->deltas[middle].of == matrix) {
            return &set->deltas[middle];
        }
        if ((uintptr_t)set->deltas[middle].of < (uintptr_t)matrix) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static bool same_list(const struct slm_adapter_list *a, const struct slm_adapter_list *b)
{
    if (a == b || a == NULL || b == NULL || a->count != b->count) {
        return a == b;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->uses[i].adapter != b->uses[i].adapter || !(a->uses[i].weight == b->uses[i].weight)) {
            return false;
        }
    }
    return true;
}

static const struct slm_adapter_list *list_of(const struct slm_row *rows, const uint32_t *picked, uint32_t i)
{
    return rows[picked != NULL ? picked[i] : i].adapters;
}

bool slm__low_rank_touches(const struct slm_forward *forward, const struct slm_matrix *matrix, const struct slm_row *rows,
                           const uint32_t *picked, uint32_t count)
{
    const struct slm_adapter_list *last = NULL;
    for (uint32_t i = 0; forward->workspace->adapter_rank != 0 && i < count; i++) {
        const struct slm_adapter_list *list = list_of(rows, picked, i);
        for (uint32_t n = 0; list != last && list != NULL && n < list->count; n++) {
            if (find_delta(list->uses[n].adapter, matrix) != NULL) {
                return true;
            }
        }
        last = list;
    }
    return false;
}

void slm__low_rank_add(const struct slm_forward *forward, const struct slm_matrix *matrix, const struct slm_row *rows,
                       const uint32_t *picked, uint32_t count, const float *x, size_t x_stride, float *y, size_t y_stride)
{
    if (forward->workspace->adapter_rank == 0) {
        return;
    }
    for (uint32_t begin = 0, end = 0; begin < count; begin = end) {
        const struct slm_adapter_list *list = list_of(rows, picked, begin);
        for (end = begin + 1; end < count && same_list(list, list_of(rows, picked, end)); end++) {
        }
        for (uint32_t i = 0; list != NULL && i < list->count; i++) {
            struct low_rank_job job = {.forward = forward,
                                       .delta = find_delta(list->uses[i].adapter, matrix),
                                       .weight = list->uses[i].weight,
                                       .count = end - begin,
                                       .x = x + begin * x_stride,
                                       .x_stride = x_stride,
                                       .y = y + begin * y_stride,
                                       .y_stride = y_stride};
            if (job.delta != NULL) {
                add_delta(&job);
            }
        }
    }
}
