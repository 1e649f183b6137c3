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
    SLM_TRAIT_QK_NORM = 16 /* over each head */
};

/* Sizes in terms of the configuration. */
enum slm_extent {
    SLM_EXTENT_ONE,
    SLM_EXTENT_HIDDEN,
    SLM_EXTENT_VOCAB,
    SLM_EXTENT_QUERY,
    SLM_EXTENT_KEY,
    SLM_EXTENT_FFN,
    SLM_EXTENT_HEAD_DIM
};

enum { SLM_RULE_SOURCES = 3 };
/* How the rows of a source lie in GGUF files of families with SLM_FAMILY_GGUF_PAIRS. */
enum { SLM_ROWS_PLAIN = 0, SLM_ROWS_ROTARY = 1 };

struct slm_rule_source {
    const char *hf; /* "%u" is the layer; NULL: no more sources */
    const char *gguf;
    enum slm_extent rows;
    uint32_t order; /* SLM_ROWS_... */
};

struct slm_tensor_rule {
    const char *target;                               /* name in the .slm file; "%u" is the layer, absent in tensors outside the layers */
    enum slm_extent cols;                             /* SLM_EXTENT_ONE: a vector */
    uint32_t traits;                                  /* 0: always */
    uint32_t class_of_head;                           /* 1: embedding or output head, which have a type of their own */
    struct slm_rule_source sources[SLM_RULE_SOURCES]; /* stacked in this order */
};

/* family flags */
enum {
    SLM_FAMILY_GGUF_PAIRS = 1,       /* GGUF files interleave the two halves of each head's q and k rows */
    SLM_FAMILY_GGUF_FREE_BIASES = 2, /* GGUF files may have biases that no key announces */
    SLM_FAMILY_BIAS_KEYS = 4,        /* config.json: attention_bias (q, k, v and output) */
    SLM_FAMILY_MLP_BIAS_KEY = 8,     /* config.json: mlp_bias */
    SLM_FAMILY_WINDOW_SWITCH = 16,   /* config.json: sliding_window counts only with use_sliding_window */
    SLM_FAMILY_GGUF_DIVISORS = 32    /* GGUF: rope_freqs.weight divides the frequencies */
};

struct slm_family {
    const char *name;         /* general.family of the .slm file */
    const char *model_type;   /* config.json */
    const char *architecture; /* config.json */
    const char *gguf;         /* general.architecture */
    uint32_t flags;
    uint32_t traits;           /* that every model of the family has */
    uint32_t default_head_dim; /* 0: hidden_size / heads */
    uint32_t default_kv_heads; /* 0: heads */
    double default_eps;
    double default_theta;
    bool default_tied;
    const struct slm_tensor_rule *rules;
    uint32_t rule_count;
};

/* NULL: unknown. */
const struct slm_family *slm__family_of_model_type(struct slm_span model_type);
const struct slm_family *slm__family_of_gguf(struct slm_span architecture);
/* "llama, qwen2, qwen3" */
const char *slm__family_names(void);

/* Whether a source tensor of this name is known to have no effect on the output: caches that old tools saved. */
bool slm__family_tensor_is_harmless(struct slm_span name);

#endif
