/* SPDX-License-Identifier: MIT */
/* Keys of config.json. A key with null counts as absent (but for num_key_value_heads, where transformers takes it for num_attention_heads);
 * keys that nobody reads are ignored; keys that would change the arithmetic in a way that is not supported are refused by name. */
#include "import/hf_config.h"

#include "import/hf_layers.h" /* slm__hf_layers_read */
#include "import/hf_rope.h"   /* slm__hf_rope_read */
#include "import/hf_values.h" /* slm__hf_size, slm__hf_bool, slm__hf_real */
#include <inttypes.h>         /* PRId64 */
#include <math.h>             /* sqrt */

static const struct slm_config_keys keys = {.layers = "num_hidden_layers",
                                            .hidden = "hidden_size",
                                            .heads = "num_attention_heads",
                                            .kv_heads = "num_key_value_heads",
                                            .head_dim = "head_dim",
                                            .ffn = "intermediate_size",
                                            .vocab = "vocab_size",
                                            .max_context = "max_position_embeddings",
                                            .eps = "rms_norm_eps",
                                            .experts = "num_experts",
                                            .experts_used = "num_experts_per_tok",
                                            .expert_ffn = "moe_intermediate_size"};

/* ---- family */

static slm_status check_architecture(const struct slm_json *root, const char *model_type, const char *architecture, slm_error *error)
{
    const struct slm_json *classes = slm__json_present(root, "architectures");
    if (classes == NULL || classes->type != SLM_JSON_ARRAY || classes->count == 0) {
        return SLM_OK;
    }
    for (uint32_t i = 0; i < classes->count; i++) {
        if (slm__json_is_string(&classes->items[i], architecture)) {
            return SLM_OK;
        }
    }
    const struct slm_span shown = classes->items[0].type == SLM_JSON_STRING ? classes->items[0].text : slm__span_text("(no text)");
    return slm__fail(error, SLM_E_UNSUPPORTED, "architectures is %.*s, supported with model_type %s is %s", SLM_SPAN_ARGS(shown),
                     model_type, architecture);
}

static slm_status find_model_type(const struct slm_json *root, struct slm_span *model_type, slm_error *error)
{
    const struct slm_json *type = slm__json_present(root, "model_type");
    if (type == NULL || type->type != SLM_JSON_STRING) {
        return slm__fail(error, SLM_E_BAD_VALUE, "model_type is missing, it says which family the model belongs to (supported: %s)",
                         slm__family_names());
    }
    *model_type = type->text;
    return SLM_OK;
}

/* Fills the defaults in. *text is where the text model's keys are: `root`, or its text_config. */
static slm_status find_family(const struct slm_json *root, const struct slm_json **text, struct slm_family_config *config, slm_error *error)
{
    struct slm_span type = {NULL, 0};
    SLM_TRY(find_model_type(root, &type, error));
    const struct slm_composite *composite = slm__composite_of_model_type(type);
    *text = root;
    if (composite != NULL) {
        SLM_TRY(check_architecture(root, composite->model_type, composite->architecture, error));
        *text = slm__json_present(root, "text_config");
        if (*text == NULL || (*text)->type != SLM_JSON_OBJECT || (*text)->duplicate_keys) {
            return slm__fail(error, SLM_E_BAD_VALUE, "text_config is missing or no object with each key once");
        }
        const struct slm_json *inner = slm__json_present(*text, "model_type");
        type = inner != NULL && inner->type == SLM_JSON_STRING ? inner->text : slm__span_text(composite->text_model_type);
    }
    const struct slm_family *family = slm__family_of_model_type(type);
    if (family == NULL) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "model_type %.*s is not supported (supported: %s)", SLM_SPAN_ARGS(type),
                         slm__family_names());
    }
    slm__family_config_init(config, family);
    config->composite = composite != NULL;
    return composite != NULL ? SLM_OK : check_architecture(root, family->model_type, family->architecture, error);
}

/* ---- sizes */

static slm_status read_experts(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    config->experts = 128;
    config->experts_used = 8;
    config->expert_ffn = 768;
    SLM_TRY(slm__hf_size(root, "num_local_experts", false, &config->experts, error));
    SLM_TRY(slm__hf_size(root, keys.experts, false, &config->experts, error));
    SLM_TRY(slm__hf_size(root, keys.experts_used, false, &config->experts_used, error));
    SLM_TRY(slm__hf_size(root, keys.expert_ffn, false, &config->expert_ffn, error));
    return slm__hf_bool(root, "norm_topk_prob", &config->renormalize_experts, error);
}

static slm_status read_sizes(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    const uint32_t flags = config->family->flags;
    SLM_TRY(slm__hf_size(root, keys.layers, true, &config->layers, error));
    SLM_TRY(slm__hf_size(root, keys.hidden, true, &config->hidden, error));
    SLM_TRY(slm__hf_size(root, keys.heads, config->heads == 0, &config->heads, error));
    SLM_TRY(slm__hf_size(root, keys.kv_heads, false, &config->kv_heads, error));
    SLM_TRY(slm__hf_size(root, keys.head_dim, false, &config->head_dim, error));
    SLM_TRY(slm__hf_size(root, keys.ffn, true, &config->ffn, error));
    SLM_TRY(slm__hf_size(root, keys.vocab, config->vocab == 0, &config->vocab, error));
    SLM_TRY(slm__hf_size(root, keys.max_context, false, &config->max_context, error));
    const struct slm_json *kv_heads = slm__json_get(root, keys.kv_heads);
    if (kv_heads != NULL && kv_heads->type == SLM_JSON_NULL) {
        config->kv_heads = config->heads;
    }
    SLM_TRY(slm__hf_real(root, (flags & SLM_FAMILY_LAYER_NORM) != 0 ? "layer_norm_eps" : keys.eps, 0.0, 1.0, &config->eps, error));
    return (flags & SLM_FAMILY_EXPERTS) != 0 ? read_experts(root, config, error) : SLM_OK;
}

/* ---- traits */

/* `root` may state it for a composite, else its text model does. */
static slm_status read_tie(const struct slm_json *root, const struct slm_json *text, struct slm_family_config *config, slm_error *error)
{
    static const char key[] = "tie_word_embeddings";
    const struct slm_json *stated = slm__json_present(root, key) != NULL ? root : text;
    bool tied = config->family->default_tied;
    config->tie_stated = !config->composite || tied || slm__json_present(stated, key) != NULL;
    SLM_TRY(slm__hf_bool(stated, key, &tied, error));
    config->traits |= tied ? 0 : SLM_TRAIT_UNTIED;
    return SLM_OK;
}

static slm_status read_biases(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    const uint32_t flags = config->family->flags;
    bool attention_bias = false, mlp_bias = false;
    if ((flags & SLM_FAMILY_BIAS_KEYS) != 0) {
        SLM_TRY(slm__hf_bool(root, "attention_bias", &attention_bias, error));
    }
    if ((flags & SLM_FAMILY_MLP_BIAS_KEY) != 0) {
        SLM_TRY(slm__hf_bool(root, "mlp_bias", &mlp_bias, error));
    }
    config->traits |= attention_bias ? SLM_TRAIT_QKV_BIAS | SLM_TRAIT_OUT_BIAS : 0;
    config->traits |= mlp_bias ? SLM_TRAIT_MLP_BIAS : 0;
    return SLM_OK;
}

static slm_status read_activation(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    static const char *const tanh_names[] = {"gelu_pytorch_tanh", "gelu_new"};
    const uint32_t flags = config->family->flags;
    const char *key = (flags & SLM_FAMILY_ACTIVATION_KEY) != 0 ? "hidden_activation" : "hidden_act";
    const struct slm_json *activation = slm__json_present(root, key);
    if (activation == NULL) {
        return SLM_OK;
    }
    const bool gelu = slm__json_is_string(activation, "gelu");
    bool tanh_form = (flags & SLM_FAMILY_GELU_IS_TANH) != 0 && gelu;
    for (size_t i = 0; i < sizeof tanh_names / sizeof tanh_names[0]; i++) {
        tanh_form = tanh_form || slm__json_is_string(activation, tanh_names[i]);
    }
    if (!tanh_form && !gelu && !slm__json_is_string(activation, "silu") && !slm__json_is_string(activation, "swish")) {
        const struct slm_span shown = activation->type == SLM_JSON_STRING ? activation->text : slm__span_text("no text");
        return slm__fail(error, SLM_E_UNSUPPORTED, "%s is %.*s, supported are silu, gelu, gelu_pytorch_tanh and gelu_new", key,
                         SLM_SPAN_ARGS(shown));
    }
    config->activation = tanh_form ? SLM_ACTIVATION_KIND_GELU_TANH : gelu ? SLM_ACTIVATION_KIND_GELU_ERF : SLM_ACTIVATION_KIND_SILU;
    return SLM_OK;
}

/* A soft cap: null is none, an absent key `standard`. */
static slm_status read_cap(const struct slm_json *root, const char *key, double standard, double *cap, slm_error *error)
{
    *cap = slm__json_get(root, key) == NULL ? standard : 0.0;
    return slm__hf_real(root, key, 1e-6, 1e9, cap, error);
}

/* Gemma 3 reads attn_logit_softcapping and does not use it, nor does its form with images use final_logit_softcapping. */
static slm_status read_factors(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    const uint32_t flags = config->family->flags;
    const bool capped = (flags & SLM_FAMILY_ATTENTION_CAP) != 0;
    if (capped) {
        SLM_TRY(read_cap(root, "attn_logit_softcapping", 50.0, &config->attention_softcap, error));
    }
    if ((flags & SLM_FAMILY_FINAL_CAP) != 0 && !config->composite) {
        SLM_TRY(read_cap(root, "final_logit_softcapping", capped ? 30.0 : 0.0, &config->final_softcap, error));
    }
    if ((flags & SLM_FAMILY_QUERY_SCALAR) != 0) {
        double scalar = 256.0;
        SLM_TRY(slm__hf_real(root, "query_pre_attn_scalar", 1e-6, 1e9, &scalar, error));
        config->attention_scale = 1.0 / sqrt(scalar);
    }
    if ((flags & SLM_FAMILY_MULTIPLIERS) != 0) {
        double divisor = 1.0;
        config->attention_scale = 1.0;
        SLM_TRY(slm__hf_real(root, "attention_multiplier", 1e-9, 1e9, &config->attention_scale, error));
        SLM_TRY(slm__hf_real(root, "embedding_multiplier", 1e-9, 1e9, &config->embedding_scale, error));
        SLM_TRY(slm__hf_real(root, "residual_multiplier", 1e-9, 1e9, &config->residual_scale, error));
        SLM_TRY(slm__hf_real(root, "logits_scaling", 1e-9, 1e9, &divisor, error));
        config->logit_scale = 1.0 / divisor;
    }
    return SLM_OK;
}

/* ---- what is refused */

static slm_status refuse_unsupported(const struct slm_json *text, const struct slm_family_config *config, slm_error *error)
{
    static const char *const switches[] = {"use_bidirectional_attention", "qk_layernorm"};
    const uint32_t readers[] = {SLM_FAMILY_NORM_PLUS_ONE, SLM_FAMILY_PARALLEL}; /* families whose classes read the switch */
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        bool on = false;
        if ((config->family->flags & readers[i]) != 0) {
            SLM_TRY(slm__hf_bool(text, switches[i], &on, error));
        }
        if (on) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "%s is true: that is not supported for %s", switches[i], config->family->name);
        }
    }
    return SLM_OK;
}

/* ---- encoders */

/* No rotation: positions are learned. Where they begin behind the padding token's, the table has that many rows more than tokens. */
static slm_status read_encoder(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    bool decoder = false;
    const struct slm_json *kind = slm__json_present(root, "position_embedding_type");
    SLM_TRY(slm__hf_bool(root, "is_decoder", &decoder, error));
    if (decoder || (kind != NULL && !slm__json_is_string(kind, "absolute"))) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "%s: that is not supported for %s",
                         decoder ? "is_decoder is true" : "position_embedding_type is not absolute", config->family->name);
    }
    config->rope_sets = 0;
    config->traits &= ~(uint32_t)SLM_TRAIT_UNTIED;
    for (uint32_t i = 0; i < config->layers; i++) {
        config->layer[i].rope_set = SLM_LAYER_UNROTATED;
    }
    if ((config->family->flags & SLM_FAMILY_POSITIONS_PAST_PAD) != 0) {
        config->first_position = config->pad < 0 ? 2 : (uint32_t)config->pad + 1;
        if (config->first_position >= config->max_context) {
            return slm__fail(error, SLM_E_BAD_VALUE,
                             "max_position_embeddings is %" PRIu32 ", but positions begin at pad_token_id + 1, %" PRIu32,
                             config->max_context, config->first_position);
        }
        config->max_context -= config->first_position;
    }
    return SLM_OK;
}

slm_status slm__hf_config_read(const struct slm_json *root, struct slm_family_config *config, const struct slm_log *log, slm_error *error)
{
    if (root->type != SLM_JSON_OBJECT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "it is no JSON object");
    }
    if (root->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "a key is given twice");
    }
    const struct slm_json *text;
    SLM_TRY(find_family(root, &text, config, error));
    SLM_TRY(read_sizes(text, config, error));
    SLM_TRY(slm__family_config_check(config, &keys, error));
    SLM_TRY(read_tie(root, text, config, error));
    SLM_TRY(read_biases(text, config, error));
    SLM_TRY(read_activation(text, config, error));
    SLM_TRY(read_factors(text, config, error));
    if ((config->family->flags & SLM_FAMILY_ENCODER) != 0) {
        SLM_TRY(slm__hf_special_ids(text, "config.json", config, log, error));
        return read_encoder(text, config, error);
    }
    SLM_TRY(slm__hf_rope_read(text, config, error));
    SLM_TRY(slm__hf_layers_read(text, config, log, error));
    SLM_TRY(refuse_unsupported(text, config, error));
    if (text != root) { /* the top decides where both have ids */
        SLM_TRY(slm__hf_special_ids(text, "config.json", config, log, error));
    }
    return slm__hf_special_ids(root, "config.json", config, log, error);
}

/* ---- ids */

/* The id in `item`; -1 with a warning when it is beyond the vocabulary. */
static slm_status read_id(const struct slm_json *item, const char *file, const char *key, const struct slm_family_config *config,
                          const struct slm_log *log, int64_t *id, slm_error *error)
{
    if (!slm__json_i64(item, id)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no integer", key);
    }
    if (*id < 0 || *id >= (int64_t)config->vocab) {
        slm__log(log, SLM_LOG_WARNING, "%s: %s %" PRId64 " is not in the vocabulary of %" PRIu32 " tokens and is ignored", file, key, *id,
                 config->vocab);
        *id = -1;
    }
    return SLM_OK;
}

static slm_status read_eos(const struct slm_json *eos, const char *file, struct slm_family_config *config, const struct slm_log *log,
                           slm_error *error)
{
    const bool list = eos->type == SLM_JSON_ARRAY;
    const uint32_t count = list ? eos->count : 1;
    config->eos_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t id;
        SLM_TRY(read_id(list ? &eos->items[i] : eos, file, "eos_token_id", config, log, &id, error));
        bool known = id < 0;
        for (uint32_t k = 0; k < config->eos_count; k++) {
            known = known || config->eos[k] == (uint32_t)id;
        }
        if (known) {
            continue;
        }
        if (config->eos_count == SLM_EOS_TOKENS) {
            return slm__fail(error, SLM_E_LIMIT, "eos_token_id has more than %d entries", SLM_EOS_TOKENS);
        }
        config->eos[config->eos_count++] = (uint32_t)id;
    }
    return SLM_OK;
}

slm_status slm__hf_special_ids(const struct slm_json *root, const char *file, struct slm_family_config *config, const struct slm_log *log,
                               slm_error *error)
{
    const struct slm_json *bos = slm__json_present(root, "bos_token_id"), *pad = slm__json_present(root, "pad_token_id");
    const struct slm_json *eos = slm__json_present(root, "eos_token_id");
    if (bos != NULL && bos->type == SLM_JSON_NUMBER) {
        SLM_TRY(read_id(bos, file, "bos_token_id", config, log, &config->bos, error));
    }
    if (pad != NULL && pad->type == SLM_JSON_NUMBER) {
        SLM_TRY(read_id(pad, file, "pad_token_id", config, log, &config->pad, error));
    }
    return eos != NULL ? read_eos(eos, file, config, log, error) : SLM_OK;
}

/* ---- generation_config.json */

slm_status slm__hf_generation_read(const struct slm_json *root, struct slm_family_config *config, struct slm_generation_defaults *defaults,
                                   const struct slm_log *log, slm_error *error)
{
    if (root->type != SLM_JSON_OBJECT || root->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "it is no JSON object with each key once");
    }
    SLM_TRY(slm__hf_special_ids(root, "generation_config.json", config, log, error));
    double top_k = 0.0;
    bool sample = false;
    SLM_TRY(slm__hf_real(root, "repetition_penalty", 0.0, 1000.0, &defaults->repetition_penalty, error));
    SLM_TRY(slm__hf_bool(root, "do_sample", &sample, error));
    if (!sample) {
        return SLM_OK;
    }
    defaults->temperature = 1.0;
    SLM_TRY(slm__hf_real(root, "temperature", 0.0, 1000.0, &defaults->temperature, error));
    SLM_TRY(slm__hf_real(root, "top_p", 0.0, 1.0, &defaults->top_p, error));
    SLM_TRY(slm__hf_real(root, "top_k", 0.0, 1e9, &top_k, error));
    defaults->top_k = (uint32_t)top_k;
    return SLM_OK;
}
