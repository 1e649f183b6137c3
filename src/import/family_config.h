/* SPDX-License-Identifier: MIT */
/* A checkpoint's configuration in one form, whether it came from config.json or from GGUF keys, with all ranges checked. */
#ifndef SLM_IMPORT_FAMILY_CONFIG_H
#define SLM_IMPORT_FAMILY_CONFIG_H

#include "base/status.h"         /* slm_status, slm_error */
#include "import/family_table.h" /* struct slm_family */

enum slm_rope_kind { SLM_ROPE_DEFAULT, SLM_ROPE_LINEAR, SLM_ROPE_LLAMA3, SLM_ROPE_YARN };

struct slm_rope_config {
    enum slm_rope_kind kind;
    double theta;
    double factor;           /* all but default */
    double low_freq_factor;  /* llama3 */
    double high_freq_factor; /* llama3 */
    double original_context; /* llama3, yarn */
    double beta_fast;        /* yarn */
    double beta_slow;        /* yarn */
    double attention_factor; /* yarn: cos and sin are multiplied by it; always set, 1 elsewhere */
    bool truncate;           /* yarn: correction dimensions are rounded to whole ones */
};

enum { SLM_EOS_TOKENS = 16 };

struct slm_family_config {
    const struct slm_family *family;
    uint32_t traits; /* SLM_TRAIT_...: those that the model has */
    uint32_t layers, hidden, heads, kv_heads, head_dim, ffn, vocab, max_context;
    double eps;
    struct slm_rope_config rope;
    int64_t bos, pad; /* -1: none */
    uint32_t eos[SLM_EOS_TOKENS];
    uint32_t eos_count;
};

/* What the fields are called in the source, for messages. */
struct slm_config_keys {
    const char *layers, *hidden, *heads, *kv_heads, *head_dim, *ffn, *vocab, *max_context, *eps, *theta;
};

/* Ranges and how the numbers fit together. head_dim 0 and kv_heads 0 mean that they were not given: the defaults are put in. */
slm_status slm__family_config_check(struct slm_family_config *config, const struct slm_config_keys *keys, slm_error *error);

uint64_t slm__extent(const struct slm_family_config *config, enum slm_extent extent);
/* Weights of the model, counted once when tied. */
uint64_t slm__family_config_parameters(const struct slm_family_config *config);

#endif
