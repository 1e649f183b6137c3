/* SPDX-License-Identifier: MIT */
/* The parts of a forward pass that forward.c composes. */
#ifndef SLM_MODEL_LAYERS_H
#define SLM_MODEL_LAYERS_H

#include "model/forward.h" /* struct slm_forward, struct slm_row */

/* A layer at work on `count` rows. */
struct slm_layer_step {
    const struct slm_forward *forward;
    const struct slm_row *rows;
    uint32_t count;
    const uint32_t *picked; /* [count] which rows are worked on, where an expert has some of them; NULL: all */
    const struct slm_layer *layer;
    uint64_t layer_offset; /* in a page of the layer's class */
};

/* work(step, begin, end, thread) over all rows. */
void slm__each_row(struct slm_layer_step *step, slm_team_work_fn *work);
/* wide = matrix h, for all rows, with what adapters add to it. h has rows of h_stride floats and is packed for that matrix. */
void slm__project_packed(const struct slm_layer_step *step, const struct slm_matrix *matrix, uint32_t h_stride, uint32_t wide_stride);
/* The same where h has to be packed, with the workspace's stride of `wide`. */
void slm__project(const struct slm_layer_step *step, const struct slm_matrix *matrix, uint32_t h_stride);
/* out[0 .. n) = norm(x): rms or layer norm as the transformer says. */
void slm__norm_row(const struct slm_forward *forward, const float *x, const struct slm_norm *norm, uint32_t n, float *out);
/* h = norm(x) for all rows, packed for `matrix`; a copy of x where there is no such norm. */
void slm__norm_rows(const struct slm_layer_step *step, const struct slm_norm *norm, const struct slm_matrix *matrix);
/* x += residual_scale * norm(wide + bias), the norm only where it exists; then slm__norm_rows() for what reads x next, matrix NULL:
 * nothing. */
void slm__join_rows(const struct slm_layer_step *step, const float *bias, const struct slm_norm *norm, const struct slm_norm *next_norm,
                    const struct slm_matrix *next_matrix);

/* All layers, on rows whose residual stream x is filled. false: cancelled. */
bool slm__forward_layers(struct slm_layer_step *step);
/* h (normed rows, packed for qkv) -> wide = attn_out attention(h). Writes keys and values of the rows. */
void slm__layer_attention(struct slm_layer_step *step);
/* h (normed rows, packed for gate_up) -> wide = the MLP's output, without its output bias. h is undefined then. */
void slm__layer_mlp(const struct slm_layer_step *step, const struct slm_mlp *mlp);
/* Whether the middle of many rows is packed as it is made; then: floats of scratch for each thread, at most
 * `batch` rows a call. */
bool slm__mlp_fits(const struct slm_mlp *mlp);
uint64_t slm__mlp_scratch_floats(const struct slm_mlp *mlp, uint32_t batch, uint32_t threads);
/* The same for a mixture of experts; h is packed for the router. */
void slm__layer_experts(struct slm_layer_step *step);

#endif
