/* SPDX-License-Identifier: MIT */
/* The sizes of all activations of a forward pass, as a function of the transformer, the batch and the threads: the memory plan. */
#include "model/layers.h" /* slm__mlp_fits, slm__mlp_scratch_floats; struct slm_workspace */
#include "ops/matmul.h"   /* slm__op_packed_bytes */

static uint32_t max_u32(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Rows are strides of whole panels, so that a matmul may write its padding. */
static uint32_t stride(uint32_t length) { return slm__padded_rows(length); }

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
        w->h_stride = max_u32(w->h_stride, stride(layer->attn_out.cols));
        w->wide_stride = max_u32(w->wide_stride, stride(max_u32(layer->qkv.rows, slm__experts_of(layer))));
        states = max_u64(states, slm__op_attention_state_floats(layer->heads, layer->kv_heads, layer->head_dim));
    }
    w->rotary_stride = 0;
    for (uint32_t i = 0; i < t->rope_set_count; i++) {
        w->rotary_stride = max_u32(w->rotary_stride, 2 * t->rope_sets[i].half);
    }
    return states;
}

/* What the matrices need at most. */
struct product_bytes {
    uint64_t h, wide, packed;
    uint64_t scratch_floats;
};

static void count_matrix(struct product_bytes *bytes, const struct slm_matrix *matrix, uint32_t rows)
{
    bytes->packed = max_u64(bytes->packed, slm__op_packed_bytes(matrix->type, matrix->cols, rows));
}

/* The middle of few rows lies in `wide` and h, that of more only where adapters may add to it; otherwise it is packed in h. */
static void count_mlp(struct product_bytes *bytes, const struct slm_mlp *mlp, uint32_t batch, bool adapters, uint32_t threads)
{
    const bool fits = slm__mlp_fits(mlp) && batch > SLM_COLUMNS;
    const uint64_t rows = fits && !adapters ? SLM_COLUMNS : batch;
    count_matrix(bytes, &mlp->gate_up, batch);
    count_matrix(bytes, &mlp->down, (uint32_t)rows);
    bytes->wide = max_u64(bytes->wide, rows * stride(mlp->gate_up.rows) * sizeof(float));
    bytes->h = max_u64(bytes->h, rows * stride(mlp->down.cols) * sizeof(float));
    if (fits) {
        bytes->h = max_u64(bytes->h, slm__op_packed_bytes(mlp->down.type, mlp->down.cols, batch));
        bytes->scratch_floats = max_u64(bytes->scratch_floats, slm__mlp_scratch_floats(mlp, batch, threads));
    }
}

static struct product_bytes count_products(const struct slm_workspace *w, const struct slm_transformer *t, uint32_t batch, bool adapters,
                                           uint32_t threads)
{
    struct product_bytes bytes = {.h = (uint64_t)batch * w->h_stride * sizeof(float),
                                  .wide = (uint64_t)batch * w->wide_stride * sizeof(float)};
    if (t->head.rows != 0) {
        count_matrix(&bytes, &t->head, SLM_COLUMNS);
    }
    for (uint32_t i = 0; i < t->layer_count; i++) {
        const struct slm_layer *layer = &t->layers[i];
        count_matrix(&bytes, &layer->qkv, batch);
        count_matrix(&bytes, &layer->attn_out, batch);
        if (slm__experts_of(layer) == 0) {
            count_mlp(&bytes, &layer->mlp, batch, adapters, threads);
            continue;
        }
        count_matrix(&bytes, &layer->router, batch);
        for (uint32_t e = 0; e < slm__experts_of(layer); e++) {
            count_mlp(&bytes, &layer->expert_mlps[e], batch, adapters, threads);
        }
    }
    return bytes;
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
    const struct product_bytes products = count_products(w, t, batch, adapter_rank != 0, threads);
    const uint64_t rows = batch;
    w->batch = batch;
    w->kv_type = kv_type;
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        w->page_bytes[c] = slm__kv_page_bytes(t, c, kv_type);
    }
    w->layer_offsets = slm__carve(carver, t->layer_count * sizeof *w->layer_offsets);
    w->attention_rows = slm__carve(carver, rows * t->kv_class_count * sizeof *w->attention_rows);
    w->x = slm__carve(carver, rows * w->x_stride * sizeof(float));
    w->h = slm__carve(carver, products.h);
    w->wide = slm__carve(carver, products.wide);
    w->rotary = slm__carve(carver, rows * w->rotary_stride * t->rope_set_count * sizeof(float));
    w->states = slm__carve(carver, threads * states * sizeof(float));
    w->split_states = slm__carve(carver, split * sizeof(float));
    w->head_rows = slm__carve(carver, (uint64_t)SLM_COLUMNS * ((uint64_t)w->x_stride + w->vocab_stride) * sizeof(float));
    w->packed = slm__carve(carver, products.packed);
    w->mlp_scratch_floats = products.scratch_floats;
    w->mlp_scratch = slm__carve(carver, threads * w->mlp_scratch_floats * sizeof(float));
    if (SLM_WITH_VARIANTS) {
        w->parallel = slm__carve(carver, t->block_kind == SLM_BLOCK_PARALLEL ? rows * w->x_stride * sizeof(float) : 0);
        carve_experts(w, carver, t);
    }
    if (SLM_WITH_CONVERT) {
        w->adapter_rank = adapter_rank;
        w->low_rank_floats = slm__low_rank_floats(t, adapter_rank);
        w->low_rank = slm__carve(carver, threads * w->low_rank_floats * sizeof(float));
    }
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
