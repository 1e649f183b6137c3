/* SPDX-License-Identifier: MIT */
/* What a file does not say is what llama.cpp takes for the architecture. */
#include "import/gguf_config.h"

#include "base/decimal.h"     /* slm__decimal_format */
#include "import/gguf_keys.h" /* struct slm_gguf_keys */
#include "import/gguf_rope.h" /* slm__gguf_rope_read */
#include <inttypes.h>         /* PRIu64 */
#include <math.h>             /* sqrt */

static slm_status find_family(struct slm_gguf_keys *keys, struct slm_family_config *config)
{
    struct slm_span type, architecture;
    if (slm__gguf_text(slm__gguf_find(keys->gguf, "general.type"), &type) && !slm__span_is(type, "model")) {
        return slm__fail(keys->error, SLM_E_UNSUPPORTED, "general.type is %.*s, only models can be converted%s", SLM_SPAN_ARGS(type),
                         slm__span_is(type, "adapter") ? " (an adapter with its base model: --lora)" : "");
    }
    if (!slm__gguf_text(slm__gguf_find(keys->gguf, "general.architecture"), &architecture)) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key general.architecture is missing or no string");
    }
    const struct slm_family *family = slm__family_of_gguf(architecture);
    if (family == NULL) {
        return slm__fail(keys->error, SLM_E_UNSUPPORTED, "general.architecture %.*s is not supported (supported: %s)",
                         SLM_SPAN_ARGS(architecture), slm__family_gguf_names());
    }
    slm__family_config_init(config, family);
    keys->prefix = family->gguf;
    return SLM_OK;
}

/* ---- sizes */

static slm_status read_experts(const struct slm_gguf_keys *keys, struct slm_family_config *config)
{
    uint32_t experts = 0, gating = 1;
    char key[SLM_GGUF_KEY_BYTES];
    double scale = 1.0;
    SLM_TRY(slm__gguf_keys_size(keys, "expert_count", false, 0, &experts));
    if ((config->family->flags & SLM_FAMILY_EXPERTS) == 0) {
        return experts == 0 ? SLM_OK
                            : slm__fail(keys->error, SLM_E_UNSUPPORTED,
                                        "key %s.expert_count is %" PRIu32 ": mixtures of experts are not supported for %s", keys->prefix,
                                        experts, config->family->name);
    }
    SLM_TRY(slm__gguf_keys_size(keys, "expert_count", true, 1, &config->experts));
    SLM_TRY(slm__gguf_keys_size(keys, "expert_used_count", true, 1, &config->experts_used));
    config->expert_ffn = config->ffn;
    SLM_TRY(slm__gguf_keys_size(keys, "expert_feed_forward_length", false, 1, &config->expert_ffn));
    SLM_TRY(slm__gguf_keys_size(keys, "expert_gating_func", false, 0, &gating));
    SLM_TRY(slm__gguf_keys_real(keys, "expert_weights_scale", -1e9, 1e9, &scale));
    if (gating > 1 || scale != 1.0) {
        return slm__fail(keys->error, SLM_E_UNSUPPORTED, "key %s.%s: only softmax gating without a scale is supported", keys->prefix,
                         gating > 1 ? "expert_gating_func" : "expert_weights_scale");
    }
    uint64_t normalized = 1;
    const struct slm_gguf_key *found = slm__gguf_keys_find(keys, "expert_weights_norm", key);
    if (found != NULL && !slm__gguf_u64(found, &normalized)) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s is no truth value", key);
    }
    config->renormalize_experts = normalized != 0;
    return SLM_OK;
}

static slm_status read_sizes(const struct slm_gguf_keys *keys, struct slm_family_config *config)
{
    const bool layer_norm = (config->family->flags & SLM_FAMILY_LAYER_NORM) != 0;
    SLM_TRY(slm__gguf_keys_size(keys, "block_count", true, 1, &config->layers));
    SLM_TRY(slm__gguf_keys_size(keys, "embedding_length", true, 1, &config->hidden));
    SLM_TRY(slm__gguf_keys_size(keys, "feed_forward_length", true, 1, &config->ffn));
    SLM_TRY(slm__gguf_keys_size(keys, "attention.head_count", true, 1, &config->heads));
    config->kv_heads = config->heads;
    SLM_TRY(slm__gguf_keys_size(keys, "attention.head_count_kv", false, 1, &config->kv_heads));
    SLM_TRY(slm__gguf_keys_size(keys, "context_length", true, 1, &config->max_context));
    config->head_dim = config->hidden / config->heads;
    SLM_TRY(slm__gguf_keys_size(keys, "attention.key_length", false, 1, &config->head_dim));
    uint32_t value_length = config->head_dim;
    SLM_TRY(slm__gguf_keys_size(keys, "attention.value_length", false, 1, &value_length));
    if (value_length != config->head_dim) {
        return slm__fail(keys->error, SLM_E_UNSUPPORTED,
                         "heads have keys of %" PRIu32 " and values of %" PRIu32 ": only equal numbers are supported", config->head_dim,
                         value_length);
    }
    SLM_TRY(read_experts(keys, config));
    return slm__gguf_keys_real(keys, layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon", 0.0, 1.0,
                               &config->eps);
}

static slm_status read_vocabulary(const struct slm_gguf_keys *keys, const struct slm_tensor_set *set, struct slm_family_config *config)
{
    const struct slm_source_tensor *embed = slm__tensor_set_find(set, "token_embd.weight");
    if (embed == NULL) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "tensor token_embd.weight is missing");
    }
    if (embed->dimensions != 2 || embed->shape[0] > INT32_MAX) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "tensor token_embd.weight is no matrix of a vocabulary's size");
    }
    config->vocab = (uint32_t)embed->shape[0];
    config->traits |= slm__tensor_set_find(set, "output.weight") != NULL ? SLM_TRAIT_UNTIED : 0;
    return SLM_OK;
}

/* ---- factors */

static slm_status read_factors(const struct slm_gguf_keys *keys, struct slm_family_config *config)
{
    const struct slm_family *family = config->family;
    double divisor = 1.0;
    if (family->gguf_plain_scale_layers == config->layers) {
        config->attention_scale = 1.0 / sqrt((double)config->hidden / config->heads);
    }
    SLM_TRY(slm__gguf_keys_real(keys, "attention.scale", 1e-9, 1e9, &config->attention_scale));
    if ((family->flags & SLM_FAMILY_ATTENTION_CAP) != 0) {
        config->attention_softcap = 50.0;
        config->final_softcap = 30.0;
        SLM_TRY(slm__gguf_keys_real(keys, "attn_logit_softcapping", 1e-6, 1e9, &config->attention_softcap));
    }
    if ((family->flags & SLM_FAMILY_FINAL_CAP) != 0) {
        SLM_TRY(slm__gguf_keys_real(keys, "final_logit_softcapping", 1e-6, 1e9, &config->final_softcap));
    }
    if ((family->flags & SLM_FAMILY_MULTIPLIERS) != 0) {
        SLM_TRY(slm__gguf_keys_real(keys, "embedding_scale", 1e-9, 1e9, &config->embedding_scale));
        SLM_TRY(slm__gguf_keys_real(keys, "residual_scale", 1e-9, 1e9, &config->residual_scale));
        SLM_TRY(slm__gguf_keys_real(keys, "logit_scale", 1e-9, 1e9, &divisor));
        config->logit_scale = 1.0 / divisor;
    }
    return SLM_OK;
}

/* ---- what is refused */

/* Keys of other architectures' arithmetic, with the value that changes nothing. */
static slm_status refuse_unsupported(const struct slm_gguf_keys *keys, const struct slm_family_config *config)
{
    static const struct {
        const char *name;
        uint32_t readers; /* families that read it above */
        double neutral;
    } rows[] = {{"embedding_scale", SLM_FAMILY_MULTIPLIERS, 1.0},
                {"residual_scale", SLM_FAMILY_MULTIPLIERS, 1.0},
                {"logit_scale", SLM_FAMILY_MULTIPLIERS, 1.0},
                {"attn_logit_softcapping", SLM_FAMILY_ATTENTION_CAP, 0.0},
                {"final_logit_softcapping", SLM_FAMILY_FINAL_CAP, 0.0},
                {"attention.clamp_kqv", 0, 0.0},
                {"attention.max_alibi_bias", 0, 0.0},
                {"attention.temperature_scale", 0, 0.0},
                {"attention.output_scale", 0, 1.0},
                {"attention.causal", 0, 1.0},
                {"expert_shared_count", 0, 0.0},
                {"rope.scaling.yarn_ext_factor", 0, 1.0},
                {"rope.scaling.yarn_attn_factor", 0, 1.0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double value = rows[i].neutral;
        uint64_t whole;
        char key[SLM_GGUF_KEY_BYTES], shown[32];
        const struct slm_gguf_key *found = slm__gguf_keys_find(keys, rows[i].name, key);
        if (found == NULL || (config->family->flags & rows[i].readers) != 0) {
            continue;
        }
        if (slm__gguf_u64(found, &whole)) {
            value = (double)whole;
        } else if (!slm__gguf_f64(found, &value)) {
            return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s is no number", key);
        }
        if (value != rows[i].neutral) {
            slm__decimal_format(value, shown);
            return slm__fail(keys->error, SLM_E_UNSUPPORTED, "key %s is %s: that is not supported for %s", key, shown,
                             config->family->name);
        }
    }
    return SLM_OK;
}

/* ---- layers */

/* attention.sliding_window_pattern is the period, or one truth value for each layer. */
static slm_status read_pattern(const struct slm_gguf_keys *keys, struct slm_family_config *config)
{
    static const char name[] = "attention.sliding_window_pattern";
    char key[SLM_GGUF_KEY_BYTES];
    uint32_t period = config->family->window_period;
    const struct slm_gguf_key *found = slm__gguf_keys_find(keys, name, key);
    const bool list = found != NULL && found->type == SLM_GGUF_ARRAY;
    if (!list) {
        SLM_TRY(slm__gguf_keys_size(keys, name, false, 1, &period));
    } else if (found->item_type != SLM_GGUF_BOOL || found->count < config->layers) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s has no truth value for each layer", key);
    }
    for (uint32_t i = 0; i < config->layers; i++) {
        config->layer[i].windowed = list ? found->value.data[i] != 0 : (i + 1) % period != 0;
    }
    return SLM_OK;
}

static slm_status read_windows(const struct slm_gguf_keys *keys, struct slm_family_config *config)
{
    const struct slm_family *family = config->family;
    config->window = family->gguf_window_rule == SLM_WINDOW_PERIOD ? family->default_window : 0;
    SLM_TRY(slm__gguf_keys_size(keys, "attention.sliding_window", false, 0, &config->window));
    if (config->window != 0 && family->gguf_window_rule == SLM_WINDOW_NONE) {
        return slm__fail(keys->error, SLM_E_UNSUPPORTED, "key %s.attention.sliding_window is %" PRIu32 ": windows are not supported for %s",
                         keys->prefix, config->window, family->name);
    }
    if (family->gguf_window_rule == SLM_WINDOW_PERIOD) {
        SLM_TRY(read_pattern(keys, config));
    }
    for (uint32_t i = 0; i < config->layers; i++) {
        struct slm_layer_config *layer = &config->layer[i];
        layer->sparse = config->experts != 0;
        if ((family->flags & SLM_FAMILY_NOPE) != 0 && (i + 1) % 4 == 0) {
            layer->rope_set = SLM_LAYER_UNROTATED;
        }
        if (config->rope_sets == 2) {
            layer->rope_set = layer->windowed ? 1 : 0;
        }
        layer->windowed = config->window != 0 && (layer->windowed || family->gguf_window_rule == SLM_WINDOW_ALL);
    }
    return SLM_OK;
}

/* ---- ids */

/* -1: absent, or beyond the vocabulary (with a warning). */
static slm_status read_id(const struct slm_gguf_keys *keys, const char *key, const struct slm_family_config *config,
                          const struct slm_log *log, int64_t *id)
{
    uint64_t number = 0;
    const struct slm_gguf_key *found = slm__gguf_find(keys->gguf, key);
    *id = -1;
    if (found == NULL) {
        return SLM_OK;
    }
    if (!slm__gguf_u64(found, &number)) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s is no unsigned integer", key);
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
static slm_status read_ids(const struct slm_gguf_keys *keys, struct slm_family_config *config, const struct slm_log *log)
{
    static const char *const ends[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
    SLM_TRY(read_id(keys, "tokenizer.ggml.bos_token_id", config, log, &config->bos));
    SLM_TRY(read_id(keys, "tokenizer.ggml.padding_token_id", config, log, &config->pad));
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        int64_t id;
        SLM_TRY(read_id(keys, ends[i], config, log, &id));
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
    static const struct slm_config_keys names = {.layers = "block_count",
                                                 .hidden = "embedding_length",
                                                 .heads = "attention.head_count",
                                                 .kv_heads = "attention.head_count_kv",
                                                 .head_dim = "attention.key_length",
                                                 .ffn = "feed_forward_length",
                                                 .vocab = "the number of rows of token_embd.weight",
                                                 .max_context = "context_length",
                                                 .eps = "attention.layer_norm_rms_epsilon",
                                                 .experts = "expert_count",
                                                 .experts_used = "expert_used_count",
                                                 .expert_ffn = "expert_feed_forward_length"};
    struct slm_gguf_keys keys = {gguf, "", error};
    SLM_TRY(find_family(&keys, config));
    SLM_TRY(read_sizes(&keys, config));
    SLM_TRY(read_vocabulary(&keys, set, config));
    SLM_TRY(slm__family_config_check(config, &names, error));
    SLM_TRY(read_factors(&keys, config));
    SLM_TRY(slm__gguf_rope_read(&keys, set, config));
    SLM_TRY(read_windows(&keys, config));
    SLM_TRY(refuse_unsupported(&keys, config));
    return read_ids(&keys, config, log);
}
