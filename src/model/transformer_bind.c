/* SPDX-License-Identifier: MIT */
/* Finds every tensor of a transformer by name and checks its shape: afterwards nothing is looked up and nothing can be out of bounds. */
#include "model/tensor_binder.h"      /* struct slm_tensor_binder */
#include "model/transformer_traits.h" /* slm__transformer_traits */
#include "model/vision_tower.h"       /* slm__vision_bind */
#include <stdio.h>

enum { PART_NAME_BYTES = 96 };

/* The name of `part` of the binder's layer, or of one of its experts. */
static void part_name(const struct slm_tensor_binder *binder, char name[PART_NAME_BYTES], const char *part)
{
    int used = snprintf(name, PART_NAME_BYTES, "%slayers.%u.", binder->prefix, binder->layer);
    if (SLM_WITH_VARIANTS && binder->expert >= 0) {
        used += snprintf(name + used, PART_NAME_BYTES - (size_t)used, "experts.%d.", binder->expert);
    }
    snprintf(name + used, PART_NAME_BYTES - (size_t)used, "%s", part);
}

slm_status slm__bind_matrix(struct slm_tensor_binder *binder, const char *name, uint32_t rows, uint32_t cols, struct slm_matrix *matrix)
{
    struct slm_tensor tensor;
    if (!slm__weight_file_find(binder->file, name, &tensor)) {
        return slm__fail(binder->error, SLM_E_BAD_VALUE, "the matrix %s is missing", name);
    }
    if (tensor.kind != SLM_TENSOR_MATRIX || tensor.rows != rows || tensor.cols != cols) {
        return slm__fail(binder->error, SLM_E_BAD_VALUE, "%s is %s of %u x %u where the traits need a matrix of %u x %u", name,
                         tensor.kind == SLM_TENSOR_MATRIX ? "a matrix" : "a vector", tensor.rows, tensor.cols, rows, cols);
    }
    *matrix = (struct slm_matrix){tensor.data, slm__panel_bytes(tensor.type, cols), rows, cols, tensor.type};
    binder->used++;
    return SLM_OK;
}

slm_status slm__bind_vector(struct slm_tensor_binder *binder, const char *name, uint32_t length, bool optional, const float **vector)
{
    struct slm_tensor tensor;
    *vector = NULL;
    if (!slm__weight_file_find(binder->file, name, &tensor)) {
        return optional ? SLM_OK : slm__fail(binder->error, SLM_E_BAD_VALUE, "the vector %s is missing", name);
    }
    if (tensor.kind != SLM_TENSOR_VECTOR || tensor.rows != length) {
        return slm__fail(binder->error, SLM_E_BAD_VALUE, "%s has %u x %u values where the traits need a vector of %u", name, tensor.rows,
                         tensor.cols, length);
    }
    *vector = (const float *)(const void *)tensor.data;
    binder->used++;
    return SLM_OK;
}

/* The tensor `part` of the binder's layer. */
static slm_status part_matrix(struct slm_tensor_binder *binder, const char *part, uint32_t rows, uint32_t cols, struct slm_matrix *matrix)
{
    char name[PART_NAME_BYTES];
    part_name(binder, name, part);
    return slm__bind_matrix(binder, name, rows, cols, matrix);
}

static slm_status part_vector(struct slm_tensor_binder *binder, const char *part, uint32_t length, const float **vector)
{
    char name[PART_NAME_BYTES];
    part_name(binder, name, part);
    return slm__bind_vector(binder, name, length, true, vector);
}

static slm_status layer_norm(struct slm_tensor_binder *binder, const char *part, uint32_t length, struct slm_norm *norm)
{
    char bias[32];
    snprintf(bias, sizeof bias, "%s_bias", part);
    SLM_TRY(part_vector(binder, part, length, &norm->weight));
    return norm->weight != NULL ? part_vector(binder, bias, length, &norm->bias) : SLM_OK;
}

static slm_status bind_norms(struct slm_tensor_binder *binder, const struct slm_transformer *t, struct slm_layer *layer)
{
    SLM_TRY(layer_norm(binder, "attn_norm", t->hidden_size, &layer->attn_norm));
    SLM_TRY(layer_norm(binder, "attn_post_norm", t->hidden_size, &layer->attn_post_norm));
    SLM_TRY(layer_norm(binder, "mlp_norm", t->hidden_size, &layer->mlp_norm));
    SLM_TRY(layer_norm(binder, "mlp_post_norm", t->hidden_size, &layer->mlp_post_norm));
    const bool parallel = t->block_kind == SLM_BLOCK_PARALLEL, after = t->block_kind == SLM_BLOCK_POST_NORM;
    const bool attn_post = layer->attn_post_norm.weight != NULL, mlp_post = layer->mlp_post_norm.weight != NULL;
    const char *missing = after && !attn_post                                           ? "attn_post_norm"
                          : after && !mlp_post                                          ? "mlp_post_norm"
                          : layer->attn_norm.weight == NULL && (parallel || !attn_post) ? "attn_norm"
                          : layer->mlp_norm.weight == NULL && !parallel && !mlp_post    ? "mlp_norm"
                                                                                        : NULL;
    return missing == NULL
               ? SLM_OK
               : slm__fail(binder->error, SLM_E_BAD_VALUE, "the vector %slayers.%u.%s is missing", binder->prefix, binder->layer, missing);
}

/* q and k norms span one head, or all heads together. */
static slm_status bind_qk_norms(struct slm_tensor_binder *binder, struct slm_layer *layer)
{
    char name[PART_NAME_BYTES];
    struct slm_tensor tensor;
    part_name(binder, name, "q_norm");
    layer->qk_norm_whole =
        layer->heads > 1 && slm__weight_file_find(binder->file, name, &tensor) && tensor.rows == layer->heads * layer->head_dim;
    SLM_TRY(part_vector(binder, "q_norm", layer->head_dim * (layer->qk_norm_whole ? layer->heads : 1), &layer->q_norm));
    return part_vector(binder, "k_norm", layer->head_dim * (layer->qk_norm_whole ? layer->kv_heads : 1), &layer->k_norm);
}

static slm_status bind_mlp(struct slm_tensor_binder *binder, const struct slm_transformer *t, uint32_t ffn, struct slm_mlp *mlp)
{
    const uint32_t wide = t->gated ? 2 * ffn : ffn;
    SLM_TRY(part_matrix(binder, "gate_up", wide, t->hidden_size, &mlp->gate_up));
    SLM_TRY(part_vector(binder, "gate_up_bias", wide, &mlp->gate_up_bias));
    SLM_TRY(part_matrix(binder, "down", t->hidden_size, ffn, &mlp->down));
    return part_vector(binder, "down_bias", t->hidden_size, &mlp->down_bias);
}

slm_status slm__bind_layer(struct slm_tensor_binder *binder, const struct slm_transformer *t, uint32_t index, struct slm_layer *layer,
                           struct slm_mlp *experts)
{
    binder->layer = index;
    binder->expert = -1;
    const uint32_t hidden = t->hidden_size, q = layer->heads * layer->head_dim, qkv = q + 2 * layer->kv_heads * layer->head_dim;
    SLM_TRY(bind_norms(binder, t, layer));
    SLM_TRY(part_matrix(binder, "qkv", qkv, hidden, &layer->qkv));
    SLM_TRY(part_vector(binder, "qkv_bias", qkv, &layer->qkv_bias));
    SLM_TRY(bind_qk_norms(binder, layer));
    SLM_TRY(part_matrix(binder, "attn_out", hidden, q, &layer->attn_out));
    SLM_TRY(part_vector(binder, "attn_out_bias", hidden, &layer->attn_out_bias));
    if (slm__experts_of(layer) == 0) {
        return bind_mlp(binder, t, layer->ffn_size, &layer->mlp);
    }
    SLM_TRY(part_matrix(binder, "router", slm__experts_of(layer), hidden, &layer->router));
    layer->expert_mlps = experts;
    for (uint32_t e = 0; e < slm__experts_of(layer); e++) {
        binder->expert = (int32_t)e;
        SLM_TRY(bind_mlp(binder, t, layer->ffn_size, &experts[e]));
    }
    return SLM_OK;
}

/* A norm outside the layers; weight NULL where it is optional and not there. */
static slm_status end_norm(struct slm_tensor_binder *binder, const char *name, const char *bias, uint32_t length, bool optional,
                           struct slm_norm *norm)
{
    SLM_TRY(slm__bind_vector(binder, name, length, optional, &norm->weight));
    return norm->weight != NULL ? slm__bind_vector(binder, bias, length, true, &norm->bias) : SLM_OK;
}

static slm_status bind_ends(struct slm_tensor_binder *binder, struct slm_transformer *t)
{
    struct slm_tensor tensor;
    SLM_TRY(slm__bind_matrix(binder, "embed", t->vocab_size, t->hidden_size, &t->embed));
    if (SLM_WITH_VARIANTS) {
        if (slm__weight_file_find(binder->file, "positions", &tensor)) {
            SLM_TRY(slm__bind_matrix(binder, "positions", t->max_context, t->hidden_size, &t->positions));
        }
        SLM_TRY(slm__bind_vector(binder, "embed_bias", t->hidden_size, true, &t->embed_bias));
        SLM_TRY(end_norm(binder, "embed_norm", "embed_norm_bias", t->hidden_size, true, &t->embed_norm));
    }
    if (t->head_kind == SLM_HEAD_TIED) {
        t->head = t->embed;
    } else if (t->head_kind == SLM_HEAD_OWN) {
        SLM_TRY(slm__bind_matrix(binder, "head", t->vocab_size, t->hidden_size, &t->head));
    }
    if (t->head_kind != SLM_HEAD_NONE) {
        SLM_TRY(slm__bind_vector(binder, "head_bias", t->vocab_size, true, &t->head_bias));
    }
    return end_norm(binder, "final_norm", "final_norm_bias", t->hidden_size, t->block_kind == SLM_BLOCK_POST_NORM, &t->final_norm);
}

slm_status slm__transformer_bind(struct slm_transformer *t, const struct slm_weight_file *file, struct slm_layer *layers,
                                 struct slm_mlp *experts, struct slm_vision_tower *vision, slm_error *error)
{
    struct slm_tensor_binder binder = {.file = file, .prefix = "", .error = error};
    struct slm_transformer_tables tables;
    memset(t, 0, sizeof *t);
    SLM_TRY(slm__transformer_tables(file, &tables, error));
    memset(layers, 0, tables.layers * sizeof *layers);
    t->layer_count = tables.layers;
    t->layers = layers;
    SLM_TRY(slm__transformer_traits(t, file, error));
    SLM_TRY(bind_ends(&binder, t));
    for (uint32_t i = 0; i < t->layer_count; i++) {
        SLM_TRY(slm__bind_layer(&binder, t, i, &layers[i], experts));
        experts += slm__experts_of(&layers[i]);
    }
    for (uint32_t i = 0; i < t->rope_set_count; i++) {
        binder.used += t->rope_sets[i].long_frequencies != NULL ? 2 : 1;
    }
    if (tables.vision_layers != 0) {
        if (!SLM_WITH_IMAGES) {
            return slm__fail(error, SLM_E_UNSUPPORTED,
                             "the model sees; this build of libslm has no images (WITH_IMAGES=0): convert it with "
                             "--text-only");
        }
        vision->body.layer_count = tables.vision_layers;
        SLM_TRY(slm__vision_bind(vision, t, &binder));
        t->vision = vision;
    }
    if (binder.used != file->tensor_count) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the file has %u tensors of which this version uses %u; a newer libslm may read it",
                         file->tensor_count, binder.used);
    }
    return SLM_OK;
}

static uint64_t matrix_bytes(const struct slm_matrix *matrix)
{
    return matrix->panel_bytes * (slm__padded_rows(matrix->rows) / SLM_PANEL_ROWS);
}

/* Sum of `measure` over the matrices of a layer that one token passes. */
static uint64_t layer_sum(const struct slm_layer *layer, uint64_t (*measure)(const struct slm_matrix *matrix))
{
    uint64_t sum = measure(&layer->qkv) + measure(&layer->attn_out);
    if (slm__experts_of(layer) == 0) {
        return sum + measure(&layer->mlp.gate_up) + measure(&layer->mlp.down);
    }
    return sum + measure(&layer->router) +
           layer->experts_used * (measure(&layer->expert_mlps[0].gate_up) + measure(&layer->expert_mlps[0].down));
}

static uint64_t matrix_ops(const struct slm_matrix *matrix) { return (uint64_t)2 * matrix->rows * matrix->cols; }

uint64_t slm__transformer_bytes_per_token(const struct slm_transformer *t)
{
    uint64_t bytes = matrix_bytes(&t->head);
    for (uint32_t i = 0; i < t->layer_count; i++) {
        bytes += layer_sum(&t->layers[i], matrix_bytes);
    }
    return bytes;
}

uint64_t slm__transformer_body_ops(const struct slm_transformer *t)
{
    uint64_t ops = 0;
    for (uint32_t i = 0; i < t->layer_count; i++) {
        ops += layer_sum(&t->layers[i], matrix_ops);
    }
    return ops;
}
