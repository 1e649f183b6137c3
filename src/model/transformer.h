/* SPDX-License-Identifier: MIT */
/* The one transformer with switches: what a .slm file says about its arithmetic, and views of its weights. Immutable after binding. */
#ifndef SLM_MODEL_TRANSFORMER_H
#define SLM_MODEL_TRANSFORMER_H

#include "base/arena.h"         /* struct slm_carver */
#include "format/format_layout.h" /* SLM_TENSOR_... */
#include "format/weight_file.h" /* struct slm_weight_file */
#include "kernels/kernels.h"    /* struct slm_matrix */

enum { SLM_NO_ROPE = 0xffffffff, SLM_MAX_EOS = 16, SLM_MAX_ROPE_SETS = 8 };

/* A vector is NULL where the model has none. All sizes in elements. */
struct slm_layer {
    uint32_t heads, kv_heads, head_dim, ffn_size;
    uint32_t rope_set;            /* SLM_NO_ROPE: none */
    const float *attn_norm;       /* [hidden] */
    struct slm_matrix qkv;        /* [(heads + 2 kv_heads) head_dim, hidden]: rows q, k, v */
    const float *qkv_bias;        /* [(heads + 2 kv_heads) head_dim] */
    const float *q_norm, *k_norm; /* [head_dim] */
    struct slm_matrix attn_out;   /* [hidden, heads head_dim] */
    const float *attn_out_bias;   /* [hidden] */
    const float *mlp_norm;        /* [hidden] */
    struct slm_matrix gate_up;    /* [2 ffn, hidden]: rows gate, up */
    const float *gate_up_bias;    /* [2 ffn] */
    struct slm_matrix down;       /* [hidden, ffn] */
    const float *down_bias;       /* [hidden] */
};

struct slm_rope_set {
    const float *inverse_frequencies; /* [half] radians a position */
    uint32_t half;                    /* rotary dimensions / 2 */
    float attention_factor;           /* multiplies cos and sin */
};

struct slm_transformer {
    uint32_t layer_count, hidden_size, vocab_size, max_context;
    float norm_eps;
    float attention_scale; /* multiplies q */
    bool tied;
    struct slm_matrix embed;      /* [vocab, hidden] */
    struct slm_matrix head;       /* [vocab, hidden]; the embedding when tied */
    const float *head_bias;       /* [vocab] */
    const float *final_norm;      /* [hidden] */
    struct slm_rope_set rope_sets[SLM_MAX_ROPE_SETS];
    uint32_t rope_set_count;
    int32_t bos_token; /* -1: none */
    uint32_t eos_count;
    int32_t eos_tokens[SLM_MAX_EOS];
    struct slm_layer *layers; /* [layer_count] */
};

/* The layer count of a file, for planning; 0 when it has no weights (a tokenizer alone). Errors as slm__transformer_bind(). */
slm_status slm__transformer_layers(const struct slm_weight_file *file, uint32_t *layers, slm_error *error);
/* Read and check all traits, then find every tensor and check its shape and type. `layers` has room for slm__transformer_layers().
 * Unknown traits are refused (SLM_E_UNSUPPORTED): ignoring one would change the arithmetic. */
slm_status slm__transformer_bind(struct slm_transformer *transformer, const struct slm_weight_file *file, struct slm_layer *layers,
                                 slm_error *error);
/* Weight bytes that one decoded token reads, and 2 x weights of the layers' matrices. */
uint64_t slm__transformer_bytes_per_token(const struct slm_transformer *transformer);
uint64_t slm__transformer_body_ops(const struct slm_transformer *transformer);

#endif
