/* SPDX-License-Identifier: MIT */
/* A checkpoint's configuration in one form, whether it came from config.json or from GGUF keys, with all ranges checked. */
#ifndef SLM_IMPORT_FAMILY_CONFIG_H
#define SLM_IMPORT_FAMILY_CONFIG_H

#include "base/status.h"          /* slm_status, slm_error */
#include "import/family_table.h"  /* struct slm_family */
#include "import/vision_family.h" /* struct slm_vision_config */

enum slm_rope_kind { SLM_ROPE_DEFAULT, SLM_ROPE_LINEAR, SLM_ROPE_LLAMA3, SLM_ROPE_YARN };

enum {
    SLM_CONFIG_LAYERS = 1024,     /* most layers */
    SLM_CONFIG_CONTEXT = 1 << 24, /* longest context */
    SLM_ROPE_FREQUENCIES = 256,   /* most of one set: half the widest head */
    SLM_CONFIG_ROPE_SETS = 2,
    SLM_LAYER_UNROTATED = 255 /* rope_set of a layer without rotation */
};

struct slm_rope_config {
    enum slm_rope_kind kind;
    double theta;
    double factor;           /* all but default */
    double low_freq_factor;  /* llama3 */
    double high_freq_factor; /* llama3 */
    double original_context; /* llama3, yarn, longrope */
    double beta_fast;        /* yarn */
    double beta_slow;        /* yarn */
    double attention_factor; /* cos and sin are multiplied by it; always set */
    bool truncate;           /* yarn: correction dimensions are rounded to whole ones */
    bool divided;            /* each frequency is divided by one of these: longrope's short factors, GGUF's rope_freqs */
    double divisors[SLM_ROPE_FREQUENCIES];
    uint32_t switch_length; /* longrope: sequences longer than this take the other divisors; 0: none */
    double long_divisors[SLM_ROPE_FREQUENCIES];
};

struct slm_layer_config {
    uint8_t rope_set; /* or SLM_LAYER_UNROTATED */
    bool windowed;    /* has the window */
    bool sparse;      /* has experts */
};

enum { SLM_EOS_TOKENS = 16 };

/* How a text's hidden states become its embedding, as far as the checkpoint says: the numbers of embedding.pooling in FORMAT.md. */
enum slm_pooling_kind { SLM_POOLING_KIND_NONE = 0, SLM_POOLING_KIND_MEAN = 1, SLM_POOLING_KIND_LAST = 2, SLM_POOLING_KIND_FIRST = 3 };

struct slm_family_config {
    const struct slm_family *family;
    bool composite;  /* the text model of a checkpoint that also sees */
    bool tie_stated; /* tie_word_embeddings is in the configuration, or has a default: else the tensors decide */
    uint32_t traits; /* SLM_TRAIT_...: those that the model has, but for those of single layers */
    uint32_t layers, hidden, heads, kv_heads, head_dim, ffn, vocab, max_context;
    uint32_t rotary; /* rotated dimensions of a head */
    uint32_t window; /* of the layers that are windowed; 0: none is */
    uint32_t experts, experts_used, expert_ffn;
    bool renormalize_experts;
    enum slm_activation_kind activation;
    double eps;
    double attention_scale, attention_softcap, final_softcap; /* caps: 0 is none */
    double embedding_scale, residual_scale, logit_scale;
    double query_beta; /* 0: none */
    uint32_t query_length;
    struct slm_rope_config rope[SLM_CONFIG_ROPE_SETS];
    uint32_t rope_sets;
    struct slm_layer_config layer[SLM_CONFIG_LAYERS];
    uint32_t first_position; /* row of the position table that the first token has */
    enum slm_pooling_kind pooling;
    bool normalize;   /* where pooling is known: to length 1 */
    int64_t bos, pad; /* -1: none */
    uint32_t eos[SLM_EOS_TOKENS];
    uint32_t eos_count;
    struct slm_vision_config vision; /* of a composite */
};

/* What the fields are called in the source, for messages. */
struct slm_config_keys {
    const char *layers, *hidden, *heads, *kv_heads, *head_dim, *ffn, *vocab, *max_context, *eps;
    const char *experts, *experts_used, *expert_ffn;
};

/* What holds for every model of the family unless the source says otherwise; sizes are 0. */
void slm__family_config_init(struct slm_family_config *config, const struct slm_family *family);
/* Ranges and how the numbers fit together. head_dim 0 and kv_heads 0 mean that they were not given: the defaults are put in. Sets
 * attention_scale and rotary to what the width of a head gives. */
slm_status slm__family_config_check(struct slm_family_config *config, const struct slm_config_keys *keys, slm_error *error);
/* A number of the configuration in least .. most. */
slm_status slm__family_check_real(const char *key, double value, double least, double most, slm_error *error);

/* Traits of one layer: the model's and its own. */
uint32_t slm__family_layer_traits(const struct slm_family_config *config, uint32_t layer);
/* How many tensors a rule makes in a layer: experts, 1, or 0 where it does not apply. */
uint32_t slm__rule_times(const struct slm_family_config *config, const struct slm_tensor_rule *rule, uint32_t layer);
/* How many "%u" a name of a rule has: 0 outside the layers, 1 of a layer, 2 of an expert. */
uint32_t slm__rule_marks(const char *pattern);
/* Write `pattern` with its first "%u" as the layer and its second as the expert. */
void slm__rule_name(char *name, size_t capacity, const char *pattern, uint32_t layer, uint32_t expert);
/* Whether `name` is `pattern` with numbers of at most nine digits for its "%u", and these; pattern NULL: it is not. */
bool slm__rule_matches(const char *pattern, struct slm_span name, uint32_t numbers[2]);

uint64_t slm__extent(const struct slm_family_config *config, enum slm_extent extent);
/* Weights of the model, counted once when tied. */
uint64_t slm__family_config_parameters(const struct slm_family_config *config);

#endif
