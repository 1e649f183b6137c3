/* SPDX-License-Identifier: MIT */
/* Keys are "ARCHITECTURE.name". A key of another type than expected is refused, never taken for absent. */
#include "import/gguf_config.h"

#include "import/rope_frequencies.h" /* slm__yarn_attention_factor */
#include <inttypes.h>                /* PRIu64 */
#include <stdio.h>                   /* snprintf into a buffer */

enum { KEY_BYTES = 96 };

struct config_reader {
    const struct slm_gguf *gguf;
    const char *prefix; /* the family's GGUF name */
    slm_error *error;
};

static const struct slm_gguf_key *find(const struct config_reader *reader, const char *name, char key[KEY_BYTES])
{
    snprintf(key, KEY_BYTES, "%s.%s", reader->prefix, name);
    return slm__gguf_find(reader->gguf, key);
}

/* A positive integer. Absent: *value stays, or is refused when `required`. */
static slm_status read_size(const struct config_reader *reader, const char *name, bool required, uint32_t *value)
{
    char key[KEY_BYTES];
    uint64_t number = 0;
    const struct slm_gguf_key *found = find(reader, name, key);
    if (found == NULL) {
        return required ? slm__fail(reader->error, SLM_E_BAD_VALUE, "key %s is missing", key) : SLM_OK;
    }
    if (found->type == SLM_GGUF_ARRAY) {
        return slm__fail(reader->error, SLM_E_UNSUPPORTED, "key %s is an array (one value for each layer), which is not supported", key);
    }
    if (!slm__gguf_u64(found, &number)) {
        return slm__fail(reader->error, SLM_E_BAD_VALUE, "key %s is no unsigned integer", key);
    }
    if (number < 1 || number > INT32_MAX) {
        return slm__fail(reader->error, SLM_E_BAD_VALUE, "key %s is %" PRIu64 ", expected is 1 to 2147483647", key, number);
    }
    *value = (uint32_t)number;
    return SLM_OK;
}

static slm_status read_real(const struct config_reader *reader, const char *name, double *value)
{
    char key[KEY_BYTES];
    const struct slm_gguf_key *found = find(reader, name, key);
    return found == NULL || slm__gguf_f64(found, value) ? SLM_OK : slm__fail(reader->error, SLM_E_BAD_VALUE, "key %s is no number", key);
}

static slm_status find_family(struct config_reader *reader, struct slm_family_config *config)
{
    struct slm_span type, architecture;
    if (slm__gguf_text(slm__gguf_find(reader->gguf, "general.type"), &type) && !slm__span_is(type, "model")) {
        return slm__fail(reader->error, SLM_E_UNSUPPORTED, "general.type is %.*s, only models can be converted", SLM_SPAN_ARGS(type));
    }
    if (!slm__gguf_text(slm__gguf_find(reader->gguf, "general.architecture"), &architecture)) {
        return slm__fail(reader->error, SLM_E_BAD_VALUE, "key general.architecture is missing or no string");
    }
    config->family = slm__family_of_gguf(architecture);
    if (config->family == NULL) {
        return slm__fail(reader->error, SLM_E_UNSUPPORTED, "general.architecture %.*s is not supported (supported: %s)",
                         SLM_SPAN_ARGS(architecture), slm__family_names());
    }
    reader->prefix = config->family->gguf;
    return SLM_OK;
}

static slm_status read_sizes(const struct config_reader *reader, struct slm_family_config *config)
{
    uint32_t value_length = 0, rotary = 0;
    SLM_TRY(read_size(reader, "block_count", true, &config->layers));
    SLM_TRY(read_size(reader, "embedding_length", true, &config->hidden));
    SLM_TRY(read_size(reader, "feed_forward_length", true, &config->ffn));
    SLM_TRY(read_size(reader, "attention.head_count", true, &config->heads));
    config->kv_heads = config->heads;
    SLM_TRY(read_size(reader, "attention.head_count_kv", false, &config->kv_heads));
    SLM_TRY(read_size(reader, "context_length", true, &config->max_context));
    config->head_dim = config->hidden / config->heads;
    SLM_TRY(read_size(reader, "attention.key_length", false, &config->head_dim));
    value_length = rotary = config->head_dim;
    SLM_TRY(read_size(reader, "attention.value_length", false, &value_length));
    SLM_TRY(read_size(reader, "rope.dimension_count", false, &rotary));
    if (value_length != config->head_dim || rotary != config->head_dim) {
        return slm__fail(reader->error, SLM_E_UNSUPPORTED,
                         "heads have keys of %" PRIu32 ", values of %" PRIu32 " and %" PRIu32
                         " rotated dimensions: only equal numbers are supported",
                         config->head_dim, value_length, rotary);
    }
    char key[KEY_BYTES];
    uint64_t experts = 0;
    const struct slm_gguf_key *found = find(reader, "expert_count", key);
    if (found != NULL && (!slm__gguf_u64(found, &experts) || experts != 0)) {
        return slm__fail(reader->error, SLM_E_UNSUPPORTED, "key %s is %" PRIu64 ": mixtures of experts are not supported", key, experts);
    }
    config->eps = config->family->default_eps;
    return read_real(reader, "attention.layer_norm_rms_epsilon", &config->eps);
}

static slm_status read_vocabulary(const struct config_reader *reader, const struct slm_tensor_set *set, struct slm_family_config *config)
{
    const struct slm_source_tensor *embed = slm__tensor_set_find(set, "token_embd.weight");
    if (embed == NULL) {
        return slm__fail(reader->error, SLM_E_BAD_VALUE, "tensor token_embd.weight is missing");
    }
    if (embed->dimensions != 2 || embed->shape[0] > INT32_MAX) {
        return slm__fail(reader->error, SLM_E_BAD_VALUE, "tensor token_embd.weight is no matrix of a vocabulary's size");
    }
    config->vocab = (uint32_t)embed->shape[0];
    config->traits = config->family->traits | (slm__tensor_set_find(set, "output.weight") != NULL ? SLM_TRAIT_UNTIED : 0);
    return SLM_OK;
}

/* ---- rotary embedding */

static slm_status read_yarn(const struct config_reader *reader, struct slm_family_config *config)
{
    struct slm_rope_config *rope = &config->rope;
    double multiplier = 0.0, attention = 1.0;
    rope->kind = SLM_ROPE_YARN;
    rope->original_context = config->max_context;
    rope->beta_fast = 32.0;
    rope->beta_slow = 1.0;
    rope->truncate = true;
    SLM_TRY(read_real(reader, "rope.scaling.original_context_length", &rope->original_context));
    SLM_TRY(read_real(reader, "rope.scaling.yarn_beta_fast", &rope->beta_fast));
    SLM_TRY(read_real(reader, "rope.scaling.yarn_beta_slow", &rope->beta_slow));
    SLM_TRY(read_real(reader, "rope.scaling.yarn_log_multiplier", &multiplier));
    SLM_TRY(read_real(reader, "rope.scaling.attn_factor", &attention));
    if (multiplier != 0.0) {
        return slm__fail(reader->error, SLM_E_UNSUPPORTED, "rope.scaling.yarn_log_multiplier is not supported");
    }
    if (!(rope->original_context >= 1.0 && rope->original_context <= 1e9 && rope->beta_fast > 0.0 && rope->beta_fast <= 1e6 &&
          rope->beta_slow > 0.0 && rope->beta_slow <= 1e6 && attention >= 1e-3 && attention <= 1e3)) {
        return slm__fail(reader->error, SLM_E_BAD_VALUE,
                         "a number of the rope scaling (original context, betas, attention factor) is out of range");
    }
    rope->attention_factor = attention * slm__yarn_attention_factor(rope->factor, 0.0, 0.0);
    return SLM_OK;
}

static slm_status read_rope(const struct config_reader *reader, struct slm_family_config *config)
{
    struct slm_rope_config *rope = &config->rope;
    char key[KEY_BYTES];
    struct slm_span type = slm__span_text("none");
    double factor = 0.0;
    rope->theta = 10000.0;
    rope->attention_factor = 1.0;
    SLM_TRY(read_real(reader, "rope.freq_base", &rope->theta));
    SLM_TRY(read_real(reader, "rope.scale_linear", &factor));
    const struct slm_gguf_key *found = find(reader, "rope.scaling.type", key);
    if (found != NULL && !slm__gguf_text(found, &type)) {
        return slm__fail(reader->error, SLM_E_BAD_VALUE, "key %s is no string", key);
    }
    if (found == NULL && factor != 0.0 && factor != 1.0) {
        type = slm__span_text("linear");
    }
    SLM_TRY(read_real(reader, "rope.scaling.factor", &factor));
    if (slm__span_is(type, "none") || (slm__span_is(type, "linear") && factor == 0.0)) {
        return SLM_OK;
    }
    if (!(factor >= 1e-6 && factor <= 1e6)) {
        return slm__fail(reader->error, SLM_E_BAD_VALUE, "key %s.rope.scaling.factor is missing or out of range", reader->prefix);
    }
    rope->factor = factor;
    if (slm__span_is(type, "linear")) {
        rope->kind = SLM_ROPE_LINEAR;
        return SLM_OK;
    }
    if (slm__span_is(type, "yarn")) {
        return read_yarn(reader, config);
    }
    return slm__fail(reader->error, SLM_E_UNSUPPORTED, "key %s: %.*s is not supported (supported: none, linear, yarn)", key,
                     SLM_SPAN_ARGS(type));
}

/* ---- ids */

/* -1: absent, or beyond the vocabulary (with a warning). */
static slm_status read_id(const struct config_reader *reader, const char *key, const struct slm_family_config *config,
                          const struct slm_log *log, int64_t *id)
{
    uint64_t number = 0;
    const struct slm_gguf_key *found = slm__gguf_find(reader->gguf, key);
    *id = -1;
    if (found == NULL) {
        return SLM_OK;
    }
    if (!slm__gguf_u64(found, &number)) {
        return slm__fail(reader->error, SLM_E_BAD_VALUE, "key %s is no unsigned integer", key);
    }
    if (number >= config->vocab) {
        slm__log(log, SLM_LOG_WARNING, "%s %" PRIu64 " is not in the vocabulary of %" PRIu32 " tokens and is ignored", key, number,
                 config->vocab);
        return SLM_OK;
    }
    *id = (int64_t)number;
    return SLM_OK;
}

/* Everything that ends an answer: end of text, of turn, of message. */
static slm_status read_ids(const struct config_reader *reader, struct slm_family_config *config, const struct slm_log *log)
{
    static const char *const ends[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
    SLM_TRY(read_id(reader, "tokenizer.ggml.bos_token_id", config, log, &config->bos));
    SLM_TRY(read_id(reader, "tokenizer.ggml.padding_token_id", config, log, &config->pad));
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        int64_t id;
        SLM_TRY(read_id(reader, ends[i], config, log, &id));
        bool known = id < 0;
        for (uint32_t k = 0; k < config->eos_count; k++) {
            known = known || config->eos[k] == (uint32_t)id;
        }
        if (!known) {
            config->eos[config->eos_count++] = (uint32_t)id;
        }
    }
    return SLM_OK;
}

slm_status slm__gguf_config_read(const struct slm_gguf *gguf, const struct slm_tensor_set *set, struct slm_family_config *config,
                                 const struct slm_log *log, slm_error *error)
{
    static const struct slm_config_keys keys = {"block_count",
                                                "embedding_length",
                                                "attention.head_count",
                                                "attention.head_count_kv",
                                                "attention.key_length",
                                                "feed_forward_length",
                                                "the number of rows of token_embd.weight",
                                                "context_length",
                                                "attention.layer_norm_rms_epsilon",
                                                "rope.freq_base"};
    struct config_reader reader = {gguf, "", error};
    memset(config, 0, sizeof *config);
    config->bos = config->pad = -1;
    SLM_TRY(find_family(&reader, config));
    SLM_TRY(read_sizes(&reader, config));
    SLM_TRY(read_vocabulary(&reader, set, config));
    SLM_TRY(read_rope(&reader, config));
    SLM_TRY(slm__family_config_check(config, &keys, error));
    return read_ids(&reader, config, log);
}
