/* SPDX-License-Identifier: MIT */
/* The sizes of all activations of a forward pass, as a function of the transformer, the batch and the threads: the memory plan. */
#include "model/forward.h"
#include "ops/matmul.h" /* slm__op_packed_bytes */

static uint32_t max_u32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Rows are strides of whole panels, so that a matmul may write its padding. */
static uint32_t stride(uint32_t length) { return slm__padded_rows(length); }

/* The matrices of a layer that differ in shape. */
static void layer_matrices(const struct slm_layer *layer, const struct slm_matrix *matrices[5])
{
    const struct slm_mlp *mlp = slm__experts_of(layer) == 0 ? &layer->mlp : &layer->expert_mlps[0];
    matrices[0] = &layer->qkv;
    matrices[1] = &layer->attn_out;
    matrices[2] = &mlp->gate_up;
    matrices[3] = &mlp->down;
    matrices[4] = slm__experts_of(layer) == 0 ? &layer->qkv : &layer->router;
}

/* Experts may have different types. */
static uint64_t packed_bytes(const struct slm_transformer *t, uint32_t batch)
{
    uint64_t bytes = t->head.rows != 0 ? slm__op_packed_bytes(t->head.type, t->head.cols, SLM_COLUMNS) : 0;
    for (uint32_t i = 0; i < t->layer_count; i++) {
        const struct slm_layer *layer = &t->layers[i];
        const struct slm_matrix *matrices[5];
        layer_matrices(layer, matrices);
        for (int m = 0; m < 5; m++) {
            bytes = max_u64(bytes, slm__op_packed_bytes(matrices[m]->type, matrices[m]->cols, batch));
        }
        for (uint32_t e = 0; e < slm__experts_of(layer); e++) {
            bytes = max_u64(bytes, slm__op_packed_bytes(layer->expert_mlps[e].gate_up.type, t->hidden_size, batch));
            bytes = max_u64(bytes, slm__op_packed_bytes(layer->expert_mlps[e].down.type, layer->ffn_size, batch));
        }
    }
    return bytes;
}

uint64_t slm__kv_page_bytes(const struct slm_transformer *t, uint32_t kv_class, enum slm_kv_type kv_type)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < t->layer_count; i++) {
        if (t->layers[i].kv_class == kv_class) {
            const uint64_t layer = slm__op_kv_layer_bytes(kv_type, t->layers[i].head_dim, t->layers[i].kv_heads);
            bytes = t->bidirectional ? max_u64(bytes, layer) : bytes + layer;
        }
    }
    return bytes;
}

/* Strides, rotary tables and attention scratch: the widest layer counts. */
static uint64_t widest(struct slm_workspace *w, const struct slm_transformer *t)
{
    uint64_t states = 0;
    w->x_stride = stride(t->hidden_size);
    w->h_stride = w->x_stride;
    w->wide_stride = w->x_stride;
    w->vocab_stride = stride(t->head.rows);
    for (uint32_t i = 0; i < t->layer_count; i++) {
        const struct slm_layer *layer = &t->layers[i];
        w->h_stride = max_u32(w->h_stride, stride(max_u32(layer->attn_out.cols, layer->ffn_size)));
        const struct slm_matrix *matrices[5];
        layer_matrices(layer, matrices);
        for (int m = 0; m < 5; m++) {
            w->wide_stride = max_u32(w->wide_stride, stride(matrices[m]->rows));
        }
        states = max_u64(states, slm__op_attention_state_floats(layer->heads, layer->kv_heads, layer->head_dim));
    }
    w->rotary_stride = 0;
    for (uint32_t i = 0; i < t->rope_set_count; i++) {
        w->rotary_stride = max_u32(w->rotary_stride, 2 * t->rope_sets[i].half);
    }
    return states;
}

static void carve_experts(struct slm_workspace *w, struct slm_carver *carver, const struct slm_transformer *t)
{
    bool experts = false;
    for (uint32_t i = 0; i < t->layer_count; i++) {
        experts = experts || slm__experts_of(&t->layers[i]) != 0;
    }
    const uint64_t rows = experts ? w->batch : 0;
    w->choices = slm__carve(carver, rows * SLM_MAX_EXPERTS_USED * sizeof *w->choices);
    w->expert_in = slm__carve(carver, rows * w->h_stride * sizeof(float));
    w->expert_out = slm__carve(carver, rows * w->x_stride * sizeof(float));
    w->expert_rows = slm__carve(carver, rows * sizeof *w->expert_rows);
}

void slm__workspace_carve(struct slm_workspace *w, struct slm_carver *carver, const struct slm_transformer *t, enum slm_kv_type kv_type,
                          uint32_t batch, uint32_t context, uint32_t adapter_rank, uint32_t threads)
{
    uint64_t split = 0;
    const uint64_t states = widest(w, t);
    for (uint32_t i = 0; i < t->layer_count; i++) {
        const struct slm_layer *layer = &t->layers[i];
        split = max_u64(split, slm__op_attention_split_floats(threads, layer->heads, layer->kv_heads, layer->head_dim, context));
    }
    const uint64_t rows = batch;
    w->batch = batch;
    w->kv_type = kv_type;
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        w->page_bytes[c] = slm__kv_page_bytes(t, c, kv_type);
    }
    w->layer_offsets = slm__carve(carver, t->layer_count * sizeof *w->layer_offsets);
    w->attention_rows = slm__carve(carver, rows * t->kv_class_count * sizeof *w->attention_rows);
    w->x = slm__carve(carver, rows * w->x_stride * sizeof(float));
    w->h = slm__carve(carver, rows * w->h_stride * sizeof(float));
    w->wide = slm__carve(carver, rows * w->wide_stride * sizeof(float));
    w->rotary = slm__carve(carver, rows * w->rotary_stride * t->rope_set_count * sizeof(float));
    w->states = slm__carve(carver, threads * states * sizeof(float));
    w->split_states = slm__carve(carver, split * sizeof(float));
    w->head_rows = slm__carve(carver, (uint64_t)SLM_COLUMNS * ((uint64_t)w->x_stride + w->vocab_stride) * sizeof(float));
    w->packed = slm__carve(carver, packed_bytes(t, batch));
    w->parallel = slm__carve(carver, t->block_kind == SLM_BLOCK_PARALLEL ? rows * w->x_stride * sizeof(float) : 0);
    carve_experts(w, carver, t);
    w->adapter_rank = adapter_rank;
    w->low_rank_floats = SLM_WITH_CONVERT ? slm__low_rank_floats(t, adapter_rank) : 0;
    w->low_rank = slm__carve(carver, threads * w->low_rank_floats * sizeof(float));
    if (w->layer_offsets == NULL) {
        return;
    }
    uint64_t offsets[SLM_KV_CLASSES] = {0};
    for (uint32_t i = 0; i < t->layer_count; i++) {
        const struct slm_layer *layer = &t->layers[i];
        w->layer_offsets[i] = offsets[layer->kv_class];
        if (t->bidirectional) {
            continue; /* one layer's keys and values at a time */
        }
        offsets[layer->kv_class] += slm__op_kv_layer_bytes(kv_type, layer->head_dim, layer->kv_heads);
    }
}
