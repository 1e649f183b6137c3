/* SPDX-License-Identifier: MIT */
/* Finds every tensor of a transformer by name and checks its shape: afterwards nothing is looked up and nothing can be out of bounds. */
#include "model/transformer_traits.h" /* slm__transformer_traits */
#include <stdio.h>

struct binder {
    const struct slm_weight_file *file;
    slm_error *error;
    uint32_t used; /* tensors found so far */
};

static slm_status bind_matrix(struct binder *binder, const char *name, uint32_t rows, uint32_t cols, struct slm_matrix *matrix)
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

/* *vector = NULL when there is none and it is optional. */
static slm_status bind_vector(struct binder *binder, const char *name, uint32_t length, bool optional, const float **vector)
{
    struct slm_tensor tensor;
    *vector = NULL;
    if (!slm__weight_file_find(binder->file, name, &tensor)) {
        return optional ? SLM_OK : slm__fail(binder->error, SLM_E_BAD_VALUE, "the vector %s is missing", name);
    }
    if (tensor.kind != SLM_TENSOR_VECTOR || tensor.rows != length) {
        return slm__fail(binder->error, SLM_E_BAD_VALUE, "%s has %u x %u values where the traits need a vector of %u", name, tensor.rows, tensor.cols,
                         length);
    }
    *vector = (const float *)(const void *)tensor.data;
    binder->used++;
    return SLM_OK;
}

static slm_status layer_matrix(struct binder *binder, uint32_t layer, const char *part, uint32_t rows, uint32_t cols, struct slm_matrix *matrix)
{
    char name[64];
    snprintf(name, sizeof name, "layers.%u.%s", layer, part);
    return bind_matrix(binder, name, rows, cols, matrix);
}

static slm_status layer_vector(struct binder *binder, uint32_t layer, const char *part, uint32_t length, bool optional, const float **vector)
{
    char name[64];
    snprintf(name, sizeof name, "layers.%u.%s", layer, part);
    return bind_vector(binder, name, length, optional, vector);
}

static slm_status bind_layer(struct binder *binder, uint32_t index, uint32_t hidden, struct slm_layer *layer)
{
    const uint32_t q = layer->heads * layer->head_dim, qkv = q + 2 * layer->kv_heads * layer->head_dim, ffn = layer->ffn_size;
    SLM_TRY(layer_vector(binder, index, "attn_norm", hidden, false, &layer->attn_norm));
    SLM_TRY(layer_matrix(binder, index, "qkv", qkv, hidden, &layer->qkv));
    SLM_TRY(layer_vector(binder, index, "qkv_bias", qkv, true, &layer->qkv_bias));
    SLM_TRY(layer_vector(binder, index, "q_norm", layer->head_dim, true, &layer->q_norm));
    SLM_TRY(layer_vector(binder, index, "k_norm", layer->head_dim, true, &layer->k_norm));
    SLM_TRY(layer_matrix(binder, index, "attn_out", hidden, q, &layer->attn_out));
    SLM_TRY(layer_vector(binder, index, "attn_out_bias", hidden, true, &layer->attn_out_bias));
    SLM_TRY(layer_vector(binder, index, "mlp_norm", hidden, false, &layer->mlp_norm));
    SLM_TRY(layer_matrix(binder, index, "gate_up", 2 * ffn, hidden, &layer->gate_up));
    SLM_TRY(layer_vector(binder, index, "gate_up_bias", 2 * ffn, true, &layer->gate_up_bias));
    SLM_TRY(layer_matrix(binder, index, "down", hidden, ffn, &layer->down));
    return layer_vector(binder, index, "down_bias", hidden, true, &layer->down_bias);
}

slm_status slm__transformer_bind(struct slm_transformer *t, const struct slm_weight_file *file, struct slm_layer *layers, slm_error *error)
{
    struct binder binder = {file, error, 0};
    memset(t, 0, sizeof *t);
    SLM_TRY(slm__transformer_layers(file, &t->layer_count, error));
    memset(layers, 0, t->layer_count * sizeof *layers);
    t->layers = layers;
    SLM_TRY(slm__transformer_traits(t, file, error));
    SLM_TRY(bind_matrix(&binder, "embed", t->vocab_size, t->hidden_size, &t->embed));
    if (t->tied) {
        t->head = t->embed;
    } else {
        SLM_TRY(bind_matrix(&binder, "head", t->vocab_size, t->hidden_size, &t->head));
    }
    SLM_TRY(bind_vector(&binder, "head_bias", t->vocab_size, true, &t->head_bias));
    SLM_TRY(bind_vector(&binder, "final_norm", t->hidden_size, false, &t->final_norm));
    for (uint32_t i = 0; i < t->layer_count; i++) {
        SLM_TRY(bind_layer(&binder, i, t->hidden_size, &layers[i]));
    }
    if (binder.used + t->rope_set_count != file->tensor_count) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the file has %u tensors of which this version uses %u; a newer libslm may read it",
                         file->tensor_count, binder.used + t->rope_set_count);
    }
    return SLM_OK;
}

static uint64_t matrix_bytes(const struct slm_matrix *matrix)
{
    return matrix->panel_bytes * (slm__padded_rows(matrix->rows) / SLM_PANEL_ROWS);
}

uint64_t slm__transformer_bytes_per_token(const struct slm_transformer *t)
{
    uint64_t bytes = matrix_bytes(&t->head);
    for (uint32_t i = 0; i < t->layer_count; i++) {
        const struct slm_layer *layer = &t->layers[i];
        bytes += matrix_bytes(&layer->qkv) + matrix_bytes(&layer->attn_out) + matrix_bytes(&layer->gate_up) + matrix_bytes(&layer->down);
    }
    return bytes;
}

static uint64_t matrix_ops(const struct slm_matrix *matrix) { return (uint64_t)2 * matrix->rows * matrix->cols; }

uint64_t slm__transformer_body_ops(const struct slm_transformer *t)
{
    uint64_t ops = 0;
    for (uint32_t i = 0; i < t->layer_count; i++) {
        const struct slm_layer *layer = &t->layers[i];
        ops += matrix_ops(&layer->qkv) + matrix_ops(&layer->attn_out) + matrix_ops(&layer->gate_up) + matrix_ops(&layer->down);
    }
    return ops;
}
