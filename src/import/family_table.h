/* SPDX-License-Identifier: MIT */
/*
 * What a model family is to an importer, as data: the names it goes by, the defaults of keys that its files leave out, and for every
 * tensor of the .slm file the source tensors whose rows make it up. The runtime never sees a family.
 */
#ifndef SLM_IMPORT_FAMILY_TABLE_H
#define SLM_IMPORT_FAMILY_TABLE_H

#include "base/span.h" /* struct slm_span */

/* Parts of the architecture that not every model has. A rule with traits applies where one of them holds. */
enum {
    SLM_TRAIT_UNTIED = 1, /* an output head of its own */
    SLM_TRAIT_QKV_BIAS = 2,
    SLM_TRAIT_OUT_BIAS = 4, /* of the attention's output */
    SLM_TRAIT_MLP_BIAS = 8,
    SLM_TRAIT_QK_NORM = 16,     /* over each head */
    SLM_TRAIT_QK_NORM_ALL = 32, /* over all heads together */
    SLM_TRAIT_PRE_NORM = 64,    /* norms before attention and MLP */
    SLM_TRAIT_SANDWICH = 128,   /* norms before and after them */
    SLM_TRAIT_POST_NORM = 256,  /* norms after them */
    SLM_TRAIT_DENSE = 512,      /* of a layer: one MLP */
    SLM_TRAIT_EXPERTS = 1024    /* of a layer: a router and experts */
};

/* Sizes in terms of the configuration. */
enum slm_extent {
    SLM_EXTENT_ONE,
    SLM_EXTENT_HIDDEN,
    SLM_EXTENT_VOCAB,
    SLM_EXTENT_QUERY,
    SLM_EXTENT_KEY,
    SLM_EXTENT_FFN,
    SLM_EXTENT_HEAD_DIM,
    SLM_EXTENT_EXPERTS,
    SLM_EXTENT_EXPERT_FFN,
    SLM_EXTENT_CONTEXT,
    SLM_EXTENT_VISION_HIDDEN,
    SLM_EXTENT_VISION_FFN,
    SLM_EXTENT_VISION_PATCH,  /* values of a patch */
    SLM_EXTENT_VISION_PATCHES /* of an image */
};

enum { SLM_RULE_SOURCES = 3 };
/* How the rows of a source lie: for ROTARY in GGUF files of families with SLM_FAMILY_GGUF_PAIRS; POSITIONS begin with those that no token
 * has; FIRST is the first row of a matrix, as a vector. */
enum { SLM_ROWS_PLAIN = 0, SLM_ROWS_ROTARY = 1, SLM_ROWS_POSITIONS = 2, SLM_ROWS_FIRST = 3 };

struct slm_rule_source {
    const char *hf; /* "%u" is the layer, a second one the expert; NULL: no more sources */
    const char *gguf;
    enum slm_extent rows;
    uint32_t order; /* SLM_ROWS_... */
};

enum {
    SLM_RULE_HEAD = 1,        /* embedding or output head, which have a type of their own */
    SLM_RULE_NORM = 2,        /* a norm's weight: families with SLM_FAMILY_NORM_PLUS_ONE store it less 1 */
    SLM_RULE_F32 = 4,         /* a matrix that is always f32 */
    SLM_RULE_VISION = 8,      /* a matrix of the part that sees */
    SLM_RULE_FOLDED = 16,     /* a source of more dimensions: all but the first make a row */
    SLM_RULE_TRANSPOSED = 32, /* the source has columns for rows */
    SLM_RULE_FINER = 64       /* a matrix that is f16 where the others are i8, i8 where they are i4 */
};

struct slm_tensor_rule {
    const char *target;   /* name in the .slm file; "%u" is the layer, absent in tensors outside the layers; a second one the expert */
    enum slm_extent cols; /* SLM_EXTENT_ONE: a vector */
    uint32_t traits;      /* 0: always */
    uint32_t flags;       /* SLM_RULE_... */
    struct slm_rule_source sources[SLM_RULE_SOURCES]; /* stacked in this order */
    const char *hf_fused, *gguf_fused;                /* where the first source is not there: one tensor with the rows of all of them */
};

/* family flags */
enum {
    SLM_FAMILY_GGUF_PAIRS = 1,              /* GGUF files interleave the two halves of each head's q and k rows */
    SLM_FAMILY_GGUF_FREE_BIASES = 2,        /* GGUF files may have biases that no key announces */
    SLM_FAMILY_BIAS_KEYS = 4,               /* config.json: attention_bias (q, k, v and output) */
    SLM_FAMILY_MLP_BIAS_KEY = 8,            /* config.json: mlp_bias */
    SLM_FAMILY_WINDOW_SWITCH = 0x10,        /* config.json: sliding_window counts only with use_sliding_window */
    SLM_FAMILY_GGUF_DIVISORS = 0x20,        /* GGUF: rope_freqs.weight divides the frequencies */
    SLM_FAMILY_LAYER_TYPES = 0x40,          /* config.json: layer_types says which layers have the window */
    SLM_FAMILY_NORM_PLUS_ONE = 0x80,        /* safetensors hold norm weights less 1 */
    SLM_FAMILY_EMBED_SQRT = 0x100,          /* embeddings are multiplied by sqrt(hidden) */
    SLM_FAMILY_PARTIAL_ROTARY = 0x200,      /* only the first dimensions of a head may be rotated */
    SLM_FAMILY_LAYER_NORM = 0x400,          /* layer norms with biases, key layer_norm_eps */
    SLM_FAMILY_PARALLEL = 0x800,            /* attention and MLP side by side */
    SLM_FAMILY_PLAIN_MLP = 0x1000,          /* no gate */
    SLM_FAMILY_MULTIPLIERS = 0x2000,        /* embedding, residual and attention multipliers, logits_scaling */
    SLM_FAMILY_QUERY_SCALAR = 0x4000,       /* attention scale is query_pre_attn_scalar^-0.5 */
    SLM_FAMILY_ATTENTION_CAP = 0x8000,      /* attn_logit_softcapping */
    SLM_FAMILY_FINAL_CAP = 0x10000,         /* final_logit_softcapping */
    SLM_FAMILY_NOPE = 0x20000,              /* no_rope_layers: some layers have no rotation; in GGUF every fourth */
    SLM_FAMILY_EXPERTS = 0x40000,           /* mixture of experts */
    SLM_FAMILY_QUERY_BETA = 0x80000,        /* llama_4_scaling_beta: queries grow with their position */
    SLM_FAMILY_LOCAL_ROPE = 0x100000,       /* layers with a window rotate with rope_local_base_freq, unscaled */
    SLM_FAMILY_ACTIVATION_KEY = 0x200000,   /* config.json: hidden_activation, not hidden_act */
    SLM_FAMILY_GELU_IS_TANH = 0x400000,     /* "gelu" means its tanh form */
    SLM_FAMILY_YARN_IS_LONGROPE = 0x800000, /* rope types su and yarn mean longrope */
    SLM_FAMILY_FUSED = 0x1000000,           /* config.json checkpoints have fused tensors: for messages */
    SLM_FAMILY_ENCODER = 0x2000000,         /* tokens see the whole text, learned positions, norms of the residual stream, no output head */
    SLM_FAMILY_POSITIONS_PAST_PAD = 0x4000000 /* learned positions are counted from pad_token_id + 1 */
};

/* Which layers have the window. */
enum slm_window_rule {
    SLM_WINDOW_NONE,   /* the family has none */
    SLM_WINDOW_ALL,    /* every layer */
    SLM_WINDOW_FROM,   /* those from max_window_layers on */
    SLM_WINDOW_PERIOD, /* all but each `period`th */
    SLM_WINDOW_NOPE    /* those without rotation */
};

enum slm_activation_kind {
    SLM_ACTIVATION_KIND_SILU = 0,
    SLM_ACTIVATION_KIND_GELU_TANH = 1,
    SLM_ACTIVATION_KIND_GELU_ERF = 2
}; /* model.activation */

struct slm_family {
    const char *name;         /* general.family of the .slm file */
    const char *model_type;   /* config.json */
    const char *architecture; /* config.json */
    const char *gguf;         /* general.architecture; NULL: goes by the name of another family */
    uint32_t flags;
    uint32_t traits;           /* that every model of the family has */
    uint32_t default_heads;    /* 0: has to be given */
    uint32_t default_head_dim; /* 0: hidden_size / heads */
    uint32_t default_kv_heads; /* 0: heads */
    uint32_t default_context;
    uint32_t default_vocab; /* 0: has to be given */
    double default_eps;
    double default_theta;
    double default_partial; /* part of a head that is rotated; 0: all */
    bool default_tied;
    enum slm_activation_kind activation;
    enum slm_window_rule window_rule;
    enum slm_window_rule gguf_window_rule; /* where the GGUF key attention.sliding_window is there */
    uint32_t window_period;
    uint32_t default_window;          /* where config.json has no key; 0: none */
    uint32_t gguf_plain_scale_layers; /* GGUF models of this many layers scale scores by (hidden / heads)^-0.5, for want of a key */
    const struct slm_tensor_rule *rules;
    uint32_t rule_count;
};

struct slm_vision_family; /* vision_family.h */

/* A checkpoint whose config.json has the text model in text_config. */
struct slm_composite {
    const char *model_type, *architecture;
    const char *text_model_type;            /* where text_config does not say */
    const struct slm_vision_family *vision; /* NULL: its images are not supported */
};

/* NULL: unknown. */
const struct slm_family *slm__family_of_model_type(struct slm_span model_type);
const struct slm_family *slm__family_of_gguf(struct slm_span architecture);
/* By what a .slm file calls it: general.family. */
const struct slm_family *slm__family_of_name(struct slm_span name);
const struct slm_composite *slm__composite_of_model_type(struct slm_span model_type);
/* "llama, qwen2, qwen3 ..." */
const char *slm__family_names(void);
const char *slm__family_gguf_names(void);

/* Whether a source tensor of this name is known to have no effect on the output: caches that old tools saved. */
bool slm__family_tensor_is_harmless(struct slm_span name);
/* Whether it belongs to the part of a composite that sees, and there to a head that pools all patches into one, which is not used. */
bool slm__family_tensor_is_vision(struct slm_span name);
bool slm__family_tensor_is_vision_head(struct slm_span name);
/* Whether it belongs to what an encoder was trained with and has no effect on hidden states: pooler, heads. */
bool slm__family_tensor_is_training_head(struct slm_span name);

#endif
