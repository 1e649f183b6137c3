/* SPDX-License-Identifier: MIT */
/*
 * The forward pass, for all families. A norm that a layer does not have is left out:
 *
 *   x = embed_norm(embedding_scale embed[token] + embed_bias + positions[position]), or what a row brings along in its place
 *   sequential layer:  x += residual_scale post_norm(attn_out attention(attn_norm(x)));  x += residual_scale post_norm(mlp(mlp_norm(x)))
 *   parallel layer:    h = attn_norm(x);  x += attn_out attention(h) + mlp(h)
 *   post-norm layer:   as sequential, but x = post_norm(x + residual_scale attn_out attention(x)), and the MLP likewise
 *   logits = softcap(logit_scale (head final_norm(x) + bias)), for the rows that want them
 *
 * Rows are independent but for the cache; each step is cut over the threads and no result depends on the cut. The head runs on at most 8
 * rows at a time, so that its output buffer stays small for any vocabulary.
 */
#include "model/forward.h"
#include "base/parts.h"        /* SLM_WITH_CONVERT, SLM_SMALL and others */
#include "kernels/poly_math.h" /* slm__sincos64 */
#include "model/layers.h"      /* struct slm_layer_step */
#include "ops/matmul.h"        /* slm__op_multiply, slm__op_pack */
#include <string.h>

void slm__each_row(struct slm_layer_step *step, slm_team_work_fn *work)
{
    slm__team_for(step->forward->team, step->count, step->count / 32 + 1, work, step);
}

static const struct slm_matrix *mlp_matrix(const struct slm_layer *layer)
{
    return slm__experts_of(layer) == 0 ? &layer->mlp.gate_up : &layer->router;
}

/* The matrix that a step reads after `matrix`; NULL: that depends on what comes out. */
static const struct slm_matrix *matrix_after(const struct slm_layer_step *step, const struct slm_matrix *matrix)
{
    const struct slm_transformer *t = step->forward->transformer;
    const struct slm_layer *layer = step->layer;
    if (matrix == &layer->qkv) {
        return &layer->attn_out;
    }
    if (matrix == &layer->attn_out) {
        return mlp_matrix(layer);
    }
    if (matrix == &layer->mlp.gate_up) {
        return &layer->mlp.down;
    }
    if (matrix != &layer->mlp.down) {
        return NULL;
    }
    return layer + 1 < t->layers + t->layer_count ? &layer[1].qkv : &t->head;
}

void slm__project_packed(const struct slm_layer_step *step, const struct slm_matrix *matrix, uint32_t h_stride, uint32_t wide_stride)
{
    const struct slm_forward *f = step->forward;
    const struct slm_workspace *w = f->workspace;
    slm__op_multiply(f->team, f->kernels, matrix, w->packed, step->count, w->wide, wide_stride,
                     SLM_SMALL ? NULL : matrix_after(step, matrix));
    if (SLM_WITH_CONVERT) {
        slm__low_rank_add(f, matrix, step->rows, step->picked, step->count, w->h, h_stride, w->wide, wide_stride);
    }
}

void slm__project(const struct slm_layer_step *step, const struct slm_matrix *matrix, uint32_t h_stride)
{
    const struct slm_forward *f = step->forward;
    const struct slm_workspace *w = f->workspace;
    slm__op_pack(f->team, f->kernels, matrix, w->h, h_stride, step->count, w->packed);
    slm__project_packed(step, matrix, h_stride, w->wide_stride);
}

static const float *frequencies_for(const struct slm_rope_set *set, uint32_t context)
{
    return set->long_frequencies != NULL && context > set->switch_length ? set->long_frequencies : set->inverse_frequencies;
}

bool slm__transformer_is_long(const struct slm_transformer *t, uint32_t context)
{
    bool is_long = false;
    for (uint32_t s = 0; s < t->rope_set_count; s++) {
        is_long = is_long || frequencies_for(&t->rope_sets[s], context) != t->rope_sets[s].inverse_frequencies;
    }
    return is_long;
}

bool slm__transformer_same_rope(const struct slm_transformer *t, uint32_t context, uint32_t other)
{
    bool same = true;
    for (uint32_t s = 0; s < t->rope_set_count; s++) {
        same = same && frequencies_for(&t->rope_sets[s], context) == frequencies_for(&t->rope_sets[s], other);
    }
    return same;
}

/* cos and sin of all angles of one row and rope set; in f64, which is the same everywhere. */
static void fill_rotary(const struct slm_rope_set *set, const struct slm_row *row, float *cosines)
{
    const float *frequencies = frequencies_for(set, row->context);
    for (uint32_t j = 0; j < set->half; j++) {
        double sine = 0, cosine = 0;
        slm__sincos64((double)row->position * (double)frequencies[j], &sine, &cosine);
        cosines[j] = (float)(cosine * (double)set->attention_factor);
        cosines[set->half + j] = (float)(sine * (double)set->attention_factor);
    }
}

/* `scratch` has room for a row. */
static void start_row(const struct slm_forward *f, const struct slm_row *row, float *x, float *scratch)
{
    const struct slm_transformer *t = f->transformer;
    if (SLM_WITH_IMAGES && row->embedding != NULL) {
        memcpy(x, row->embedding, t->hidden_size * sizeof *x);
        return;
    }
    f->kernels->gather[t->embed.type](&t->embed, (uint32_t)row->token, x);
    if (t->embedding_scale != 1.0f) {
        f->kernels->scale(x, x, t->embedding_scale, t->hidden_size);
    }
    if (!SLM_WITH_VARIANTS) {
        return;
    }
    if (t->embed_bias != NULL) {
        f->kernels->add(x, t->embed_bias, t->hidden_size);
    }
    if (t->positions.rows != 0) {
        f->kernels->gather[t->positions.type](&t->positions, row->position, scratch);
        f->kernels->add(x, scratch, t->hidden_size);
    }
    if (t->embed_norm.weight != NULL) {
        slm__norm_row(f, x, &t->embed_norm, t->hidden_size, x);
    }
}

static void start_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct slm_layer_step *step = context;
    const struct slm_forward *f = step->forward;
    const struct slm_transformer *t = f->transformer;
    const struct slm_workspace *w = f->workspace;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        float *x = w->x + (size_t)i * w->x_stride;
        start_row(f, &step->rows[i], x, w->h + (size_t)i * w->h_stride);
        for (uint32_t s = 0; s < t->rope_set_count; s++) {
            fill_rotary(&t->rope_sets[s], &step->rows[i], w->rotary + ((size_t)s * w->batch + i) * w->rotary_stride);
        }
    }
}

static void run_mlp(struct slm_layer_step *step)
{
    if (!SLM_WITH_VARIANTS || step->layer->experts == 0) {
        slm__layer_mlp(step, &step->layer->mlp);
    } else {
        slm__layer_experts(step);
    }
}

/* A layer up to the MLP's output in `wide`. Both halves read the same normed rows; attention overwrites them, so they are made twice. */
static void run_parallel_layer(struct slm_layer_step *step)
{
    const struct slm_layer *layer = step->layer;
    const struct slm_workspace *w = step->forward->workspace;
    slm__layer_attention(step);
    for (uint32_t i = 0; i < step->count; i++) { /* x has to stay for the second norm: the attention's output waits behind it */
        memcpy(w->parallel + (size_t)i * w->x_stride, w->wide + (size_t)i * w->wide_stride,
               step->forward->transformer->hidden_size * sizeof(float));
    }
    slm__norm_rows(step, &layer->attn_norm, mlp_matrix(layer));
    run_mlp(step);
    for (uint32_t i = 0; i < step->count; i++) {
        float *y = w->wide + (size_t)i * w->wide_stride;
        if (layer->attn_out_bias != NULL) {
            step->forward->kernels->add(y, layer->attn_out_bias, step->forward->transformer->hidden_size);
        }
        step->forward->kernels->add(y, w->parallel + (size_t)i * w->x_stride, step->forward->transformer->hidden_size);
    }
}

static void run_sequential_layer(struct slm_layer_step *step)
{
    const struct slm_layer *layer = step->layer;
    slm__layer_attention(step);
    slm__join_rows(step, layer->attn_out_bias, &layer->attn_post_norm, &layer->mlp_norm, mlp_matrix(layer));
    run_mlp(step);
}

/* What follows the head's product. */
static void finish_logits(const struct slm_forward *f, float *logits)
{
    const struct slm_transformer *t = f->transformer;
    if (t->head_bias != NULL) {
        f->kernels->add(logits, t->head_bias, t->vocab_size);
    }
    if (t->logit_scale != 1.0f) {
        f->kernels->scale(logits, logits, t->logit_scale, t->vocab_size);
    }
    if (t->final_softcap != 0.0f) {
        f->kernels->softcap(logits, t->final_softcap, t->vocab_size);
    }
}

struct head_job {
    const struct slm_forward *forward;
    const struct slm_row *rows;
    const uint32_t *picked;
    float *logits; /* [count][vocab stride]; of one row alone where they are wanted, if no padding follows them there */
};

/* What scores are made of. */
static bool looked_at(const struct slm_row *row) { return SLM_WITH_SCORES && row->looked_at; }

static void give_logits(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct head_job *job = context;
    const struct slm_forward *f = job->forward;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        const struct slm_row *row = &job->rows[job->picked[i]];
        float *logits = job->logits + (size_t)i * f->workspace->vocab_stride;
        if (row->logits != NULL || looked_at(row)) {
            finish_logits(f, logits);
        }
        if (row->logits != NULL && row->logits != logits) {
            memcpy(row->logits, logits, f->transformer->vocab_size * sizeof *logits);
        }
        if (looked_at(row)) {
            f->look(f->look_context, job->picked[i], logits);
        }
    }
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
        if (t->final_norm.weight != NULL) {
            slm__norm_row(f, w->x + (size_t)picked[i] * w->x_stride, &t->final_norm, t->hidden_size, row);
        } else {
            memcpy(row, w->x + (size_t)picked[i] * w->x_stride, t->hidden_size * sizeof *row);
        }
        if (rows[picked[i]].hidden != NULL) {
            memcpy(rows[picked[i]].hidden, row, t->hidden_size * sizeof *row);
        }
        wanted = wanted || rows[picked[i]].logits != NULL || looked_at(&rows[picked[i]]);
    }
    if (!wanted) {
        return;
    }
    if (!SLM_SMALL && count == 1 && rows[picked[0]].logits != NULL && t->vocab_size % SLM_PANEL_ROWS == 0) {
        logits = rows[picked[0]].logits;
    }
    slm__op_matmul(f->team, f->kernels, &t->head, normed, w->x_stride, count, logits, w->vocab_stride, w->packed, &t->layers[0].qkv);
    if (SLM_WITH_CONVERT) {
        slm__low_rank_add(f, &t->head, rows, picked, count, normed, w->x_stride, logits, w->vocab_stride);
    }
    struct head_job job = {f, rows, picked, logits};
    slm__team_for(f->team, count, 1, give_logits, &job);
}

static void run_heads(const struct slm_forward *f, const struct slm_row *rows, uint32_t count)
{
    uint32_t picked[SLM_COLUMNS], n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].logits != NULL || rows[i].hidden != NULL || looked_at(&rows[i])) {
            picked[n++] = i;
        }
        if (n == SLM_COLUMNS || (n > 0 && i + 1 == count)) {
            run_head(f, rows, picked, n);
            n = 0;
        }
    }
}

bool slm__forward_layers(struct slm_layer_step *step)
{
    static const struct slm_norm none = {NULL, NULL};
    const struct slm_forward *f = step->forward;
    const struct slm_transformer *t = f->transformer;
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        for (uint32_t i = 0; i < step->count; i++) {
            const struct slm_row *row = &step->rows[i];
            f->workspace->attention_rows[(size_t)c * f->workspace->batch + i] =
                (struct slm_attention_row){row->tables[c], row->position, row->end};
        }
    }
    slm__norm_rows(step, &t->layers[0].attn_norm, &t->layers[0].qkv);
    for (uint32_t l = 0; l < t->layer_count; l++) {
        if (f->cancelled != NULL && f->cancelled(f->cancel_context)) {
            return false;
        }
        const bool parallel = SLM_WITH_VARIANTS && t->block_kind == SLM_BLOCK_PARALLEL;
        const struct slm_layer *layer = &t->layers[l], *next = l + 1 < t->layer_count ? layer + 1 : layer;
        step->layer = layer;
        step->layer_offset = f->workspace->layer_offsets[l];
        if (parallel) {
            run_parallel_layer(step);
        } else {
            run_sequential_layer(step);
        }
        slm__join_rows(step, layer->mlp.down_bias, parallel ? &none : &layer->mlp_post_norm, &next->attn_norm,
                       next != layer ? &next->qkv : NULL);
    }
    return true;
}

bool slm__forward_rows(const struct slm_forward *f, const struct slm_row *rows, uint32_t count)
{
    struct slm_layer_step step = {.forward = f, .rows = rows, .count = count};
    slm__each_row(&step, start_rows);
    if (!slm__forward_layers(&step)) {
        return false;
    }
    run_heads(f, rows, count);
    return true;
}
