/* SPDX-License-Identifier: MIT */
/* The one transformer with switches: what a .slm file says about its arithmetic, and views of its weights. Immutable after binding. */
#ifndef SLM_MODEL_TRANSFORMER_H
#define SLM_MODEL_TRANSFORMER_H

#include "base/arena.h"           /* struct slm_carver */
#include "format/format_layout.h" /* SLM_TENSOR_... */
#include "format/weight_file.h"   /* struct slm_weight_file */
#include "kernels/kernels.h"      /* struct slm_matrix */

struct slm_vision_tower; /* vision_tower.h */

enum {
    SLM_NO_ROPE = 0xffffffff,
    SLM_MAX_EOS = 16,
    SLM_MAX_ROPE_SETS = 8,
    SLM_KV_CLASSES = 2, /* layers with the same window share a page table */
    SLM_MAX_EXPERTS_USED = 32
};

/* The numbers of the traits in FORMAT.md. */
enum slm_norm_kind { SLM_NORM_RMS = 0, SLM_NORM_LAYER = 1 };
enum slm_block_kind { SLM_BLOCK_SEQUENTIAL = 0, SLM_BLOCK_PARALLEL = 1, SLM_BLOCK_POST_NORM = 2 };
/* What stands where the output head would: model.tied. */
enum slm_head_kind { SLM_HEAD_OWN = 0, SLM_HEAD_TIED = 1, SLM_HEAD_NONE = 2 };

/* weight NULL: there is no such norm. bias NULL: none. */
struct slm_norm {
    const float *weight;
    const float *bias;
};

/* One feed-forward network: the layer's own, or one expert's. */
struct slm_mlp {
    struct slm_matrix gate_up; /* gated: [2 ffn, hidden], rows gate, up; plain: [ffn, hidden] */
    const float *gate_up_bias;
    struct slm_matrix down; /* [hidden, ffn] */
    const float *down_bias; /* [hidden] */
};

/* A vector is NULL where the model has none. All sizes in elements. */
struct slm_layer {
    uint32_t heads, kv_heads, head_dim, ffn_size;
    uint32_t rope_set;              /* SLM_NO_ROPE: none */
    uint32_t window;                /* keys a query sees, its own among them; 0: all */
    uint32_t kv_class;              /* index into the transformer's windows */
    uint32_t experts, experts_used; /* 0: the dense MLP below */
    struct slm_norm attn_norm;      /* before attention; of a parallel block for the MLP too */
    struct slm_norm attn_post_norm; /* of attention's output, before the residual sum; of the sum in SLM_BLOCK_POST_NORM */
    struct slm_norm mlp_norm;
    struct slm_norm mlp_post_norm;
    struct slm_matrix qkv;        /* [(heads + 2 kv_heads) head_dim, hidden]: rows q, k, v */
    const float *qkv_bias;        /* [(heads + 2 kv_heads) head_dim] */
    const float *q_norm, *k_norm; /* [head_dim], or over all heads where qk_norm_whole */
    bool qk_norm_whole;
    struct slm_matrix attn_out; /* [hidden, heads head_dim] */
    const float *attn_out_bias; /* [hidden] */
    struct slm_mlp mlp;
    struct slm_matrix router;          /* [experts, hidden] */
    const struct slm_mlp *expert_mlps; /* [experts] */
};

/* None is what the compiler sees in builds without them. */
static inline uint32_t slm__experts_of(const struct slm_layer *layer) { return SLM_WITH_VARIANTS ? layer->experts : 0; }

struct slm_rope_set {
    const float *inverse_frequencies; /* [half] radians a position */
    const float *long_frequencies;    /* [half] for sessions longer than switch_length; NULL: the same */
    uint32_t switch_length;
    uint32_t half;          /* rotary dimensions / 2 */
    float attention_factor; /* multiplies cos and sin */
};

struct slm_transformer {
    uint32_t layer_count, hidden_size, vocab_size, max_context;
    enum slm_norm_kind norm_kind;
    enum slm_block_kind block_kind;
    enum slm_activation activation;
    bool gated;
    bool bidirectional; /* a token sees the whole text: no next token, and keys are of use within one forward pass only */
    enum slm_head_kind head_kind;
    bool renormalize_experts; /* the used experts' weights sum to 1 */
    float norm_eps;
    float attention_scale;   /* multiplies q */
    float attention_softcap; /* 0: none */
    float final_softcap;     /* 0: none */
    float embedding_scale, residual_scale, logit_scale;
    float query_beta; /* q is multiplied by 1 + beta ln(1 + floor(position / query_length)); 0: not */
    uint32_t query_length;
    struct slm_matrix embed;     /* [vocab, hidden] */
    struct slm_matrix positions; /* [max_context, hidden] added to the embeddings; rows 0: none */
    const float *embed_bias;     /* [hidden] likewise, to all */
    struct slm_norm embed_norm;  /* of that sum */
    struct slm_matrix head;      /* [vocab, hidden]; the embedding when tied; rows 0: none */
    const float *head_bias;      /* [vocab] */
    struct slm_norm final_norm;
    struct slm_rope_set rope_sets[SLM_MAX_ROPE_SETS];
    uint32_t rope_set_count;
    uint32_t windows[SLM_KV_CLASSES]; /* of each class of layers; 0: all keys */
    uint32_t kv_class_count;
    int32_t bos_token; /* -1: none */
    uint32_t eos_count;
    int32_t eos_tokens[SLM_MAX_EOS];
    struct slm_layer *layers;              /* [layer_count] */
    const struct slm_vision_tower *vision; /* the part that sees; NULL: none */
};

/* None is what the compiler sees in builds without images. */
static inline const struct slm_vision_tower *slm__vision_of(const struct slm_transformer *t) { return SLM_WITH_IMAGES ? t->vision : NULL; }

/* Layer norms belong to rarer families, and to the parts that see. */
static inline bool slm__has_layer_norms(const struct slm_transformer *t)
{
    return (SLM_WITH_VARIANTS || SLM_WITH_IMAGES) && t->norm_kind == SLM_NORM_LAYER;
}

/* Entries of the tables that a handle reserves. */
struct slm_transformer_tables {
    uint32_t layers;        /* 0: no weights, a tokenizer alone */
    uint32_t experts;       /* of all layers together */
    uint32_t vision_layers; /* of the part that sees; 0: there is none */
};

/* The sizes of the tables of a file, for planning. Errors as slm__transformer_bind(). */
slm_status slm__transformer_tables(const struct slm_weight_file *file, struct slm_transformer_tables *tables, slm_error *error);
/* Read and check all traits, then find every tensor and check its shape and type. `layers` and `experts` have room for what
 * slm__transformer_tables() says; `vision`, zeroed, and its body.layers too, NULL where there are none.
 * Unknown traits are refused (SLM_E_UNSUPPORTED): ignoring one would change the arithmetic. */
slm_status slm__transformer_bind(struct slm_transformer *transformer, const struct slm_weight_file *file, struct slm_layer *layers,
                                 struct slm_mlp *experts, struct slm_vision_tower *vision, slm_error *error);
/* Weight bytes that one decoded token reads, and 2 x weights of the layers' matrices. */
uint64_t slm__transformer_bytes_per_token(const struct slm_transformer *transformer);
uint64_t slm__transformer_body_ops(const struct slm_transformer *transformer);

#endif
