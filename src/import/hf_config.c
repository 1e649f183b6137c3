/* SPDX-License-Identifier: MIT */
/* Keys of config.json. A key with null counts as absent (but for num_key_value_heads, where transformers takes it for num_attention_heads);
 * keys that nobody reads are ignored; keys that would change the arithmetic in a way that is not supported are refused by name. */
#include "import/hf_config.h"

#include "import/hf_rope.h" /* slm__hf_rope_read */
#include <inttypes.h>       /* PRId64 */

static const struct slm_config_keys keys = {"num_hidden_layers", "hidden_size",       "num_attention_heads", "num_key_value_heads",
                                            "head_dim",          "intermediate_size", "vocab_size",          "max_position_embeddings",
                                            "rms_norm_eps",      "rope_theta"};

/* A positive integer. Absent: *value stays, or is refused when `required`. */
static slm_status read_size(const struct slm_json *root, const char *key, bool required, uint32_t *value, slm_error *error)
{
    const struct slm_json *item = slm__json_present(root, key);
    if (item == NULL) {
        return required ? slm__fail(error, SLM_E_BAD_VALUE, "%s is missing", key) : SLM_OK;
    }
    int64_t number;
    if (item->type != SLM_JSON_NUMBER) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no number", key);
    }
    if (!slm__json_i64(item, &number) || number < 1 || number > INT32_MAX) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is %.*s, expected is an integer from 1 to 2147483647", key, SLM_SPAN_ARGS(item->text));
    }
    *value = (uint32_t)number;
    return SLM_OK;
}

static slm_status read_bool(const struct slm_json *root, const char *key, bool *value, slm_error *error)
{
    const struct slm_json *item = slm__json_present(root, key);
    if (item == NULL) {
        return SLM_OK;
    }
    if (item->type != SLM_JSON_TRUE && item->type != SLM_JSON_FALSE) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is neither true nor false", key);
    }
    *value = item->type == SLM_JSON_TRUE;
    return SLM_OK;
}

static slm_status find_family(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    const struct slm_json *type = slm__json_present(root, "model_type");
    if (type == NULL || type->type != SLM_JSON_STRING) {
        return slm__fail(error, SLM_E_BAD_VALUE, "model_type is missing, it says which family the model belongs to (supported: %s)",
                         slm__family_names());
    }
    config->family = slm__family_of_model_type(type->text);
    if (config->family == NULL) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "model_type %.*s is not supported (supported: %s)", SLM_SPAN_ARGS(type->text),
                         slm__family_names());
    }
    const struct slm_json *classes = slm__json_present(root, "architectures");
    if (classes != NULL && classes->type == SLM_JSON_ARRAY && classes->count > 0) {
        for (uint32_t i = 0; i < classes->count; i++) {
            if (slm__json_is_string(&classes->items[i], config->family->architecture)) {
                return SLM_OK;
            }
        }
        const struct slm_span shown = classes->items[0].type == SLM_JSON_STRING ? classes->items[0].text : slm__span_text("(no text)");
        return slm__fail(error, SLM_E_UNSUPPORTED, "architectures is %.*s, supported with model_type %s is %s", SLM_SPAN_ARGS(shown),
                         config->family->model_type, config->family->architecture);
    }
    return SLM_OK;
}

static slm_status read_sizes(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    SLM_TRY(read_size(root, keys.layers, true, &config->layers, error));
    SLM_TRY(read_size(root, keys.hidden, true, &config->hidden, error));
    SLM_TRY(read_size(root, keys.heads, true, &config->heads, error));
    SLM_TRY(read_size(root, keys.kv_heads, false, &config->kv_heads, error));
    SLM_TRY(read_size(root, keys.head_dim, false, &config->head_dim, error));
    SLM_TRY(read_size(root, keys.ffn, true, &config->ffn, error));
    SLM_TRY(read_size(root, keys.vocab, true, &config->vocab, error));
    config->max_context = 2048;
    SLM_TRY(read_size(root, keys.max_context, false, &config->max_context, error));
    const struct slm_json *kv_heads = slm__json_get(root, keys.kv_heads);
    if (kv_heads != NULL && kv_heads->type == SLM_JSON_NULL) {
        config->kv_heads = config->heads;
    }
    config->eps = config->family->default_eps;
    const struct slm_json *eps = slm__json_present(root, keys.eps);
    if (eps != NULL && !slm__json_f64(eps, &config->eps)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no number", keys.eps);
    }
    return SLM_OK;
}

static slm_status read_traits(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    const struct slm_family *family = config->family;
    bool tied = family->default_tied, attention_bias = false, mlp_bias = false;
    SLM_TRY(read_bool(root, "tie_word_embeddings", &tied, error));
    if ((family->flags & SLM_FAMILY_BIAS_KEYS) != 0) {
        SLM_TRY(read_bool(root, "attention_bias", &attention_bias, error));
    }
    if ((family->flags & SLM_FAMILY_MLP_BIAS_KEY) != 0) {
        SLM_TRY(read_bool(root, "mlp_bias", &mlp_bias, error));
    }
    config->traits = family->traits;
    config->traits |= tied ? 0 : SLM_TRAIT_UNTIED;
    config->traits |= attention_bias ? SLM_TRAIT_QKV_BIAS | SLM_TRAIT_OUT_BIAS : 0;
    config->traits |= mlp_bias ? SLM_TRAIT_MLP_BIAS : 0;
    return SLM_OK;
}

/* Whether some layer has a window: from max_window_layers on, unless layer_types says otherwise. */
static slm_status refuse_window(const struct slm_json *root, const struct slm_family_config *config, slm_error *error)
{
    bool used = false;
    uint32_t from = 28; /* transformers' default */
    SLM_TRY(read_bool(root, "use_sliding_window", &used, error));
    if ((config->family->flags & SLM_FAMILY_WINDOW_SWITCH) == 0 || !used || slm__json_present(root, "sliding_window") == NULL) {
        return SLM_OK;
    }
    const struct slm_json *types = slm__json_present(root, "layer_types"), *first = slm__json_present(root, "max_window_layers");
    int64_t number;
    if (first != NULL && slm__json_i64(first, &number)) {
        from = number < 0 ? 0 : number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    }
    bool windowed = from < config->layers;
    if (types != NULL && types->type == SLM_JSON_ARRAY) {
        windowed = false;
        for (uint32_t i = 0; i < types->count; i++) {
            windowed = windowed || !slm__json_is_string(&types->items[i], "full_attention");
        }
    }
    return windowed ? slm__fail(error, SLM_E_UNSUPPORTED, "use_sliding_window is true: attention windows are not supported for %s",
                                config->family->name)
                    : SLM_OK;
}

static slm_status refuse_unsupported(const struct slm_json *root, const struct slm_family_config *config, slm_error *error)
{
    const struct slm_json *activation = slm__json_present(root, "hidden_act");
    if (activation != NULL && !slm__json_is_string(activation, "silu") && !slm__json_is_string(activation, "swish")) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "hidden_act is %.*s, supported is silu", SLM_SPAN_ARGS(activation->text));
    }
    const struct slm_json *quantization = slm__json_present(root, "quantization_config");
    if (quantization != NULL) {
        const struct slm_json *method = slm__json_get(quantization, "quant_method");
        const struct slm_span shown = method != NULL && method->type == SLM_JSON_STRING ? method->text : slm__span_text("(not named)");
        return slm__fail(error, SLM_E_UNSUPPORTED,
                         "quantization_config: quant_method %.*s is not supported, convert the checkpoint that it was made from",
                         SLM_SPAN_ARGS(shown));
    }
    return refuse_window(root, config, error);
}

slm_status slm__hf_config_read(const struct slm_json *root, struct slm_family_config *config, const struct slm_log *log, slm_error *error)
{
    memset(config, 0, sizeof *config);
    config->bos = config->pad = -1;
    if (root->type != SLM_JSON_OBJECT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "it is no JSON object");
    }
    if (root->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "a key is given twice");
    }
    SLM_TRY(find_family(root, config, error));
    SLM_TRY(read_sizes(root, config, error));
    SLM_TRY(read_traits(root, config, error));
    SLM_TRY(slm__hf_rope_read(root, config, error));
    SLM_TRY(slm__family_config_check(config, &keys, error));
    SLM_TRY(refuse_unsupported(root, config, error));
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

static slm_status read_real(const struct slm_json *root, const char *key, double least, double most, double *value, slm_error *error)
{
    const struct slm_json *item = slm__json_present(root, key);
    if (item == NULL) {
        return SLM_OK;
    }
    if (!slm__json_f64(item, value) || !(*value >= least && *value <= most)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is %.*s, out of range", key, SLM_SPAN_ARGS(item->text));
    }
    return SLM_OK;
}

slm_status slm__hf_generation_read(const struct slm_json *root, struct slm_family_config *config, struct slm_generation_defaults *defaults,
                                   const struct slm_log *log, slm_error *error)
{
    if (root->type != SLM_JSON_OBJECT || root->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "it is no JSON object with each key once");
    }
    SLM_TRY(slm__hf_special_ids(root, "generation_config.json", config, log, error));
    double top_k = 0.0;
    bool sample = false;
    SLM_TRY(read_real(root, "repetition_penalty", 0.0, 1000.0, &defaults->repetition_penalty, error));
    SLM_TRY(read_bool(root, "do_sample", &sample, error));
    if (!sample) {
        return SLM_OK;
    }
    defaults->temperature = 1.0;
    SLM_TRY(read_real(root, "temperature", 0.0, 1000.0, &defaults->temperature, error));
    SLM_TRY(read_real(root, "top_p", 0.0, 1.0, &defaults->top_p, error));
    SLM_TRY(read_real(root, "top_k", 0.0, 1e9, &top_k, error));
    defaults->top_k = (uint32_t)top_k;
    return SLM_OK;
}
