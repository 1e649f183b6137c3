/* SPDX-License-Identifier: MIT */
/* The attention half of a layer: q, k, v = qkv h (+ bias); q and k normed (per head, or over all heads) and rotated; k, v into the cache;
 * wide = attn_out attention(q). */
#include "kernels/poly_math.h" /* slm__log64 */
#include "model/layers.h"      /* struct slm_layer_step */

/* Norm (if any) and rotation (if any) of `count` heads of one row. */
static void prepare_heads(const struct slm_layer_step *step, uint32_t row, float *heads, uint32_t count, const float *norm)
{
    const struct slm_forward *f = step->forward;
    const struct slm_layer *layer = step->layer;
    const struct slm_workspace *w = f->workspace;
    if (norm != NULL && layer->qk_norm_whole) {
        f->kernels->rms_norm(heads, norm, f->transformer->norm_eps, count * layer->head_dim, heads);
    }
    for (uint32_t h = 0; h < count; h++) {
        float *head = heads + (size_t)h * layer->head_dim;
        if (norm != NULL && !layer->qk_norm_whole) {
            f->kernels->rms_norm(head, norm, f->transformer->norm_eps, layer->head_dim, head);
        }
        if (layer->rope_set != SLM_NO_ROPE) {
            const float *cosines = w->rotary + ((size_t)layer->rope_set * w->batch + row) * w->rotary_stride;
            const uint32_t half = f->transformer->rope_sets[layer->rope_set].half;
            f->kernels->rope(head, cosines, cosines + half, half);
        }
    }
}

static void store_heads(const struct slm_layer_step *step, const struct slm_row *row, const float *k, const float *v)
{
    const struct slm_forward *f = step->forward;
    const struct slm_layer *layer = step->layer;
    const enum slm_kv_type type = f->workspace->kv_type;
    const uint32_t page = row->tables[layer->kv_class][row->position / SLM_TILE];
    uint8_t *tiles = f->pages[layer->kv_class] + page * f->workspace->page_bytes[layer->kv_class] + step->layer_offset;
    const uint32_t slot = row->position % SLM_TILE, dim = layer->head_dim;
    for (uint32_t h = 0; h < layer->kv_heads; h++) {
        f->kernels->store_k[type](k + (size_t)h * dim, dim, slot, tiles + slm__op_k_offset(type, dim, h));
        f->kernels->store_v[type](v + (size_t)h * dim, dim, slot, tiles + slm__op_v_offset(type, dim, layer->kv_heads, h));
    }
}

/* The factor of q: attention scale, and for some families a slow growth with the position. */
static float query_scale(const struct slm_transformer *t, uint32_t position)
{
    if (t->query_beta == 0.0f) {
        return t->attention_scale;
    }
    const double steps = (double)(position / t->query_length);
    return (float)((double)t->attention_scale * (1.0 + (double)t->query_beta * slm__log64(1.0 + steps)));
}

/* Rows of `wide` hold q, k, v. */
static void prepare_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct slm_layer_step *step = context;
    const struct slm_forward *f = step->forward;
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
        f->kernels->scale(q, q, query_scale(f->transformer, step->rows[i].position), q_width);
        store_heads(step, &step->rows[i], k, v);
    }
}

void slm__layer_attention(struct slm_layer_step *step)
{
    const struct slm_forward *f = step->forward;
    const struct slm_workspace *w = f->workspace;
    const struct slm_layer *layer = step->layer;
    const struct slm_attention attention = {
        .kv_type = w->kv_type,
        .heads = layer->heads,
        .kv_heads = layer->kv_heads,
        .head_dim = layer->head_dim,
        .window = layer->window,
        .softcap = f->transformer->attention_softcap,
        .pages = f->pages[layer->kv_class],
        .page_bytes = w->page_bytes[layer->kv_class],
        .layer_offset = step->layer_offset,
        .q = w->wide,
        .q_stride = w->wide_stride,
        .out = w->h,
        .out_stride = w->h_stride,
        .states = w->states,
        .split_states = w->split_states,
    };
    slm__project_packed(step, &layer->qkv, w->h_stride, w->wide_stride);
    slm__each_row(step, prepare_rows);
    slm__op_attention(f->team, f->kernels, &attention, w->attention_rows + (size_t)layer->kv_class * w->batch, step->count);
    slm__project(step, &layer->attn_out, w->h_stride);
}
