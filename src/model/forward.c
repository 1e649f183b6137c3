/* SPDX-License-Identifier: MIT */
/*
 * The forward pass, for all families:
 *
 *   x = embed[token]
 *   each layer:  h = norm(x); q, k, v = qkv h (+ bias); q, k normed per head where the layer says so; q, k rotated; k, v into the cache
 *                x += attn_out attention(q) (+ bias)
 *                h = norm(x); gate, up = gate_up h (+ bias); x += down (silu(gate) up) (+ bias)
 *   logits = head norm(x) (+ bias), for the rows that want them
 *
 * Rows are independent but for the cache; each step is cut over the threads and no result depends on the cut. The head runs on at most 8 rows
 * at a time, so that its output buffer stays small for any vocabulary.
 */
#include "model/forward.h"
#include "kernels/poly_math.h" /* slm__sincos64 */
#include "ops/matmul.h"        /* slm__op_matmul */
#include <string.h>

struct layer_step {
    const struct slm_forward *f;
    const struct slm_row *rows;
    uint32_t count;
    const struct slm_layer *layer;
    uint64_t layer_offset;
    const float *weight; /* norm weight, or bias */
    uint32_t width;      /* of the residual input */
};

/* x = embedding row; rotary tables of the row's position for every rope set. */
static void start_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct layer_step *step = context;
    const struct slm_transformer *t = step->f->transformer;
    const struct slm_workspace *w = step->f->workspace;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        step->f->kernels->gather[t->embed.type](&t->embed, (uint32_t)step->rows[i].token, w->x + (size_t)i * w->x_stride);
        for (uint32_t s = 0; s < t->rope_set_count; s++) {
            const struct slm_rope_set *set = &t->rope_sets[s];
            float *cosines = w->rotary + ((size_t)s * w->batch + i) * w->rotary_stride;
            for (uint32_t j = 0; j < set->half; j++) {
                double sine = 0, cosine = 0;
                slm__sincos64((double)step->rows[i].position * (double)set->inverse_frequencies[j], &sine, &cosine);
                cosines[j] = (float)(cosine * (double)set->attention_factor);
                cosines[set->half + j] = (float)(sine * (double)set->attention_factor);
            }
        }
    }
}

static void norm_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct layer_step *step = context;
    const struct slm_workspace *w = step->f->workspace;
    const struct slm_transformer *t = step->f->transformer;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        step->f->kernels->rms_norm(w->x + (size_t)i * w->x_stride, step->weight, t->norm_eps, t->hidden_size, w->h + (size_t)i * w->h_stride);
    }
}

/* Norm (if any) and rotation (if any) of `heads` heads of one row. */
static void prepare_heads(const struct layer_step *step, uint32_t row, float *heads, uint32_t count, const float *norm)
{
    const struct slm_forward *f = step->f;
    const struct slm_layer *layer = step->layer;
    const struct slm_workspace *w = f->workspace;
    for (uint32_t h = 0; h < count; h++) {
        float *head = heads + (size_t)h * layer->head_dim;
        if (norm != NULL) {
            f->kernels->rms_norm(head, norm, f->transformer->norm_eps, layer->head_dim, head);
        }
        if (layer->rope_set != SLM_NO_ROPE) {
            const float *cosines = w->rotary + ((size_t)layer->rope_set * w->batch + row) * w->rotary_stride;
            const uint32_t half = f->transformer->rope_sets[layer->rope_set].half;
            f->kernels->rope(head, cosines, cosines + half, half);
        }
    }
}

static void store_heads(const struct layer_step *step, const struct slm_row *row, const float *k, const float *v)
{
    const struct slm_forward *f = step->f;
    const struct slm_layer *layer = step->layer;
    const enum slm_kv_type type = f->workspace->kv_type;
    uint8_t *tiles = f->pages + row->table[row->position / SLM_TILE] * f->workspace->page_bytes + step->layer_offset;
    const uint32_t slot = row->position % SLM_TILE, dim = layer->head_dim;
    for (uint32_t h = 0; h < layer->kv_heads; h++) {
        f->kernels->store_k[type](k + (size_t)h * dim, dim, slot, tiles + slm__op_k_offset(type, dim, h));
        f->kernels->store_v[type](v + (size_t)h * dim, dim, slot, tiles + slm__op_v_offset(type, dim, layer->kv_heads, h));
    }
}

/* Rows of `wide` hold q, k, v: bias, norms, rotation, scale of q, store of k and v. */
static void prepare_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct layer_step *step = context;
    const struct slm_forward *f = step->f;
    const struct slm_layer *layer = step->layer;
    const uint32_t q_width = layer->heads * layer->head_dim, kv_width = layer->kv_heads * layer->head_dim;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        float *q = f->workspace->wide + (size_t)i * f->workspace->wide_stride, *k = q + q_width, *v = k + kv_width;
        if (layer->qkv_bias != NULL) {
            f->kernels->add(q, layer->qkv_bias, q_width + 2 * kv_width);
        }
        prepare_heads(step, i, q, layer->heads, layer->q_norm);
        prepare_heads(step, i, k, layer->kv_heads, layer->k_norm);
        f->kernels->scale(q, q, f->transformer->attention_scale, q_width);
        store_heads(step, &step->rows[i], k, v);
    }
}

/* x += wide (+ bias) */
static void add_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct layer_step *step = context;
    const struct slm_workspace *w = step->f->workspace;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        float *y = w->wide + (size_t)i * w->wide_stride;
        if (step->weight != NULL) {
            step->f->kernels->add(y, step->weight, step->width);
        }
        step->f->kernels->add(w->x + (size_t)i * w->x_stride, y, step->width);
    }
}

/* h = silu(gate) up, with the biases of both */
static void activate_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct layer_step *step = context;
    const struct slm_workspace *w = step->f->workspace;
    const uint32_t ffn = step->layer->ffn_size;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        float *gate = w->wide + (size_t)i * w->wide_stride;
        if (step->layer->gate_up_bias != NULL) {
            step->f->kernels->add(gate, step->layer->gate_up_bias, 2 * ffn);
        }
        step->f->kernels->silu_mul(gate, gate + ffn, ffn, w->h + (size_t)i * w->h_stride);
    }
}

static void each_row(struct layer_step *step, slm_team_work_fn *work)
{
    if (step->count == 1) {
        work(step, 0, 1, 0);
    } else {
        slm__team_for(step->f->team, step->count, step->count / 32 + 1, work, step);
    }
}

/* wide = matrix h */
static void project(const struct layer_step *step, const struct slm_matrix *matrix)
{
    const struct slm_workspace *w = step->f->workspace;
    slm__op_matmul(step->f->team, step->f->kernels, matrix, w->h, w->h_stride, step->count, w->wide, w->wide_stride, w->packed);
}

static void attend(const struct layer_step *step)
{
    const struct slm_forward *f = step->f;
    const struct slm_workspace *w = f->workspace;
    const struct slm_layer *layer = step->layer;
    const struct slm_attention attention = {w->kv_type, layer->heads, layer->kv_heads, layer->head_dim, 0.0f, f->pages, w->page_bytes,
                                            step->layer_offset, w->wide, w->wide_stride, w->h, w->h_stride, w->states};
    slm__op_attention(f->team, f->kernels, &attention, w->attention_rows, step->count);
}

static void run_layer(struct layer_step *step)
{
    const struct slm_layer *layer = step->layer;
    step->width = step->f->transformer->hidden_size;
    step->weight = layer->attn_norm;
    each_row(step, norm_rows);
    project(step, &layer->qkv);
    each_row(step, prepare_rows);
    attend(step);
    project(step, &layer->attn_out);
    step->weight = layer->attn_out_bias;
    each_row(step, add_rows);
    step->weight = layer->mlp_norm;
    each_row(step, norm_rows);
    project(step, &layer->gate_up);
    each_row(step, activate_rows);
    project(step, &layer->down);
    step->weight = layer->down_bias;
    each_row(step, add_rows);
}

/* The head for rows picked[0 .. count), count <= 8. */
static void run_head(const struct slm_forward *f, const struct slm_row *rows, const uint32_t *picked, uint32_t count)
{
    const struct slm_workspace *w = f->workspace;
    const struct slm_transformer *t = f->transformer;
    float *normed = w->head_rows, *logits = normed + (size_t)SLM_COLUMNS * w->x_stride;
    bool wanted = false;
    for (uint32_t i = 0; i < count; i++) {
        float *row = normed + (size_t)i * w->x_stride;
        f->kernels->rms_norm(w->x + (size_t)picked[i] * w->x_stride, t->final_norm, t->norm_eps, t->hidden_size, row);
        if (rows[picked[i]].hidden != NULL) {
            memcpy(rows[picked[i]].hidden, row, t->hidden_size * sizeof *row);
        }
        wanted = wanted || rows[picked[i]].logits != NULL;
    }
    if (!wanted) {
        return;
    }
    slm__op_matmul(f->team, f->kernels, &t->head, normed, w->x_stride, count, logits, w->vocab_stride, w->packed);
    for (uint32_t i = 0; i < count; i++) {
        float *row = logits + (size_t)i * w->vocab_stride;
        if (t->head_bias != NULL) {
            f->kernels->add(row, t->head_bias, t->vocab_size);
        }
        if (rows[picked[i]].logits != NULL) {
            memcpy(rows[picked[i]].logits, row, t->vocab_size * sizeof *row);
        }
    }
}

static void run_heads(const struct slm_forward *f, const struct slm_row *rows, uint32_t count)
{
    uint32_t picked[SLM_COLUMNS], n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].logits != NULL || rows[i].hidden != NULL) {
            picked[n++] = i;
        }
        if (n == SLM_COLUMNS || (n > 0 && i + 1 == count)) {
            run_head(f, rows, picked, n);
            n = 0;
        }
    }
}

bool slm__forward_rows(const struct slm_forward *f, const struct slm_row *rows, uint32_t count)
{
    struct layer_step step = {f, rows, count, NULL, 0, NULL, 0};
    for (uint32_t i = 0; i < count; i++) {
        f->workspace->attention_rows[i] = (struct slm_attention_row){rows[i].table, rows[i].position};
    }
    each_row(&step, start_rows);
    for (uint32_t l = 0; l < f->transformer->layer_count; l++) {
        if (f->cancelled != NULL && f->cancelled(f->cancel_context)) {
            return false;
        }
        step.layer = &f->transformer->layers[l];
        step.layer_offset = f->workspace->layer_offsets[l];
        run_layer(&step);
    }
    run_heads(f, rows, count);
    return true;
}
