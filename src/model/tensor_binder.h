/* SPDX-License-Identifier: MIT */
/* Tensors of a file found by name, with their shapes checked and their number counted. */
#ifndef SLM_MODEL_TENSOR_BINDER_H
#define SLM_MODEL_TENSOR_BINDER_H

#include "model/transformer.h" /* struct slm_transformer, struct slm_layer */

struct slm_tensor_binder {
    const struct slm_weight_file *file;
    const char *prefix; /* of the names of layers' tensors: "", or "vision." */
    slm_error *error;
    uint32_t used;  /* tensors found so far */
    uint32_t layer; /* whose tensors are bound now */
    int32_t expert; /* of this layer; -1: the layer's own */
};

slm_status slm__bind_matrix(struct slm_tensor_binder *binder, const char *name, uint32_t rows, uint32_t cols, struct slm_matrix *matrix);
/* *vector = NULL when there is none and it is optional. */
slm_status slm__bind_vector(struct slm_tensor_binder *binder, const char *name, uint32_t length, bool optional, const float **vector);
/* All tensors of layer `index`, whose sizes are set. `experts` has room for the layer's. */
slm_status slm__bind_layer(struct slm_tensor_binder *binder, const struct slm_transformer *transformer, uint32_t index,
                           struct slm_layer *layer, struct slm_mlp *experts);

#endif
