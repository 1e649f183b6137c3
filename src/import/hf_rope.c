/* SPDX-License-Identifier: MIT */
/* Rotary scaling as config.json states it. A type that is not known here is refused: leaving it out gives fluent nonsense. */
#include "import/hf_rope.h"

#include "import/hf_values.h"        /* slm__hf_size */
#include "import/rope_frequencies.h" /* slm__yarn_attention_factor, slm__longrope_attention_factor */

/* A number of the scaling object in [least, most]. Absent: *value stays, or is refused when `required`. */
static slm_status read_number(const struct slm_json *scaling, const char *key, bool required, double least, double most, double *value,
                              slm_error *error)
{
    const struct slm_json *item = slm__json_present(scaling, key);
    if (item == NULL) {
        return required ? slm__fail(error, SLM_E_BAD_VALUE, "rope scaling: %s is missing", key) : SLM_OK;
    }
    if (item->type != SLM_JSON_NUMBER || !slm__json_f64(item, value) || !(*value >= least && *value <= most)) {
        const struct slm_span shown = item->type == SLM_JSON_NUMBER ? item->text : slm__span_text("no number");
        return slm__fail(error, SLM_E_BAD_VALUE, "rope scaling: %s is %.*s, out of range", key, SLM_SPAN_ARGS(shown));
    }
    return SLM_OK;
}

static slm_status read_llama3(const struct slm_json *scaling, struct slm_rope_config *rope, slm_error *error)
{
    rope->kind = SLM_ROPE_LLAMA3;
    SLM_TRY(read_number(scaling, "factor", true, 1.0, 1e6, &rope->factor, error));
    SLM_TRY(read_number(scaling, "low_freq_factor", true, 1e-6, 1e6, &rope->low_freq_factor, error));
    SLM_TRY(read_number(scaling, "high_freq_factor", true, 1e-6, 1e6, &rope->high_freq_factor, error));
    SLM_TRY(read_number(scaling, "original_max_position_embeddings", true, 1.0, 1e9, &rope->original_context, error));
    if (!(rope->high_freq_factor > rope->low_freq_factor)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "rope scaling: high_freq_factor is not above low_freq_factor");
    }
    return SLM_OK;
}

/* The original context lies in the scaling object, or at the top, or is max_position_embeddings. */
static slm_status read_yarn(const struct slm_json *root, const struct slm_json *scaling, struct slm_family_config *config,
                            struct slm_rope_config *rope, slm_error *error)
{
    double mscale = 0.0, mscale_all_dim = 0.0;
    rope->kind = SLM_ROPE_YARN;
    rope->original_context = config->max_context;
    SLM_TRY(read_number(root, "original_max_position_embeddings", false, 1.0, 1e9, &rope->original_context, error));
    SLM_TRY(read_number(scaling, "original_max_position_embeddings", false, 1.0, 1e9, &rope->original_context, error));
    rope->factor = config->max_context > rope->original_context ? config->max_context / rope->original_context : 1.0;
    SLM_TRY(read_number(scaling, "factor", false, 1.0, 1e6, &rope->factor, error));
    rope->beta_fast = 32.0;
    rope->beta_slow = 1.0;
    SLM_TRY(read_number(scaling, "beta_fast", false, 1e-6, 1e6, &rope->beta_fast, error));
    SLM_TRY(read_number(scaling, "beta_slow", false, 1e-6, 1e6, &rope->beta_slow, error));
    SLM_TRY(read_number(scaling, "mscale", false, 0.0, 1e3, &mscale, error));
    SLM_TRY(read_number(scaling, "mscale_all_dim", false, 0.0, 1e3, &mscale_all_dim, error));
    rope->attention_factor = slm__yarn_attention_factor(rope->factor, mscale, mscale_all_dim);
    SLM_TRY(read_number(scaling, "attention_factor", false, 1e-3, 1e3, &rope->attention_factor, error));
    const struct slm_json *truncate = slm__json_present(scaling, "truncate");
    rope->truncate = truncate == NULL || truncate->type == SLM_JSON_TRUE;
    const double extended = rope->original_context * rope->factor;
    if (extended > config->max_context && extended <= SLM_CONFIG_CONTEXT) {
        config->max_context = (uint32_t)extended;
    }
    return SLM_OK;
}

static slm_status read_factors(const struct slm_json *scaling, const char *key, uint32_t count, double *factors, slm_error *error)
{
    const struct slm_json *list = slm__json_present(scaling, key);
    if (list == NULL || list->type != SLM_JSON_ARRAY || list->count != count) {
        return slm__fail(error, SLM_E_BAD_VALUE, "rope scaling: %s is no list of %u numbers, one for each rotated pair", key,
                         (unsigned)count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (list->items[i].type != SLM_JSON_NUMBER || !slm__json_f64(&list->items[i], &factors[i]) ||
            !(factors[i] >= 1e-6 && factors[i] <= 1e6)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "rope scaling: %s has an entry that is no number or out of range", key);
        }
    }
    return SLM_OK;
}

/* Here the original context at the top counts before that in the scaling object. */
static slm_status read_longrope(const struct slm_json *root, const struct slm_json *scaling, const struct slm_family_config *config,
                                struct slm_rope_config *rope, slm_error *error)
{
    static const char *const unknown[] = {"short_mscale", "long_mscale"};
    static const char original_key[] = "original_max_position_embeddings";
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (slm__json_present(scaling, unknown[i]) != NULL) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "rope scaling: %s is not supported with longrope", unknown[i]);
        }
    }
    uint32_t original = config->max_context;
    SLM_TRY(slm__hf_size(scaling, original_key, false, &original, error));
    SLM_TRY(slm__hf_size(root, original_key, false, &original, error));
    if (original < 2 || original > SLM_CONFIG_CONTEXT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is out of range", original_key);
    }
    double factor = (double)config->max_context / original;
    SLM_TRY(read_number(scaling, "factor", false, 1e-6, 1e6, &factor, error));
    rope->original_context = original;
    rope->attention_factor = slm__longrope_attention_factor(factor, original);
    SLM_TRY(read_number(scaling, "attention_factor", false, 1e-3, 1e3, &rope->attention_factor, error));
    SLM_TRY(read_factors(scaling, "short_factor", config->rotary / 2, rope->divisors, error));
    SLM_TRY(read_factors(scaling, "long_factor", config->rotary / 2, rope->long_divisors, error));
    rope->divided = true;
    rope->switch_length = original;
    return SLM_OK;
}

static slm_status read_scaling(const struct slm_json *root, const struct slm_json *scaling, struct slm_family_config *config,
                               struct slm_rope_config *rope, slm_error *error)
{
    const bool renamed = (config->family->flags & SLM_FAMILY_YARN_IS_LONGROPE) != 0;
    const struct slm_json *type = slm__json_present(scaling, "rope_type");
    if (type == NULL) {
        type = slm__json_present(scaling, "type");
    }
    if (type == NULL && slm__json_present(scaling, "factor") == NULL && slm__json_present(scaling, "short_factor") == NULL) {
        return SLM_OK;
    }
    if (type == NULL || type->type != SLM_JSON_STRING) {
        return slm__fail(error, SLM_E_BAD_VALUE, "rope scaling: rope_type is missing");
    }
    if (slm__json_is_string(type, "default")) {
        return SLM_OK;
    }
    if (slm__json_is_string(type, "linear")) {
        rope->kind = SLM_ROPE_LINEAR;
        return read_number(scaling, "factor", true, 1e-6, 1e6, &rope->factor, error);
    }
    if (slm__json_is_string(type, "llama3")) {
        return read_llama3(scaling, rope, error);
    }
    if (slm__json_is_string(type, "longrope") || (renamed && (slm__json_is_string(type, "su") || slm__json_is_string(type, "yarn")))) {
        return read_longrope(root, scaling, config, rope, error);
    }
    if (slm__json_is_string(type, "yarn")) {
        return read_yarn(root, scaling, config, rope, error);
    }
    return slm__fail(error, SLM_E_UNSUPPORTED,
                     "rope scaling: rope_type %.*s is not supported (supported: default, linear, llama3, yarn, longrope)",
                     SLM_SPAN_ARGS(type->text));
}

/* One set: `parameters` is the object with its keys (NULL: none), `theta_key` what the base is called at the top. */
static slm_status read_set(const struct slm_json *root, const struct slm_json *parameters, const char *theta_key, double default_theta,
                           struct slm_family_config *config, struct slm_rope_config *rope, slm_error *error)
{
    const char *name = "rope_theta";
    const struct slm_json *theta = slm__json_present(parameters, name);
    if (theta == NULL) {
        name = theta_key;
        theta = slm__json_present(root, name);
    }
    rope->theta = default_theta;
    if (theta != NULL && (theta->type != SLM_JSON_NUMBER || !slm__json_f64(theta, &rope->theta))) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no number", name);
    }
    SLM_TRY(slm__family_check_real(name, rope->theta, 2.0, 1e15, error));
    return parameters != NULL ? read_scaling(root, parameters, config, rope, error) : SLM_OK;
}

static slm_status read_partial(const struct slm_json *root, const struct slm_json *parameters, struct slm_family_config *config,
                               slm_error *error)
{
    const struct slm_family *family = config->family;
    const struct slm_json *partial = slm__json_present(parameters, "partial_rotary_factor");
    if (partial == NULL) {
        partial = slm__json_present(root, "partial_rotary_factor");
    }
    double share = family->default_partial > 0.0 ? family->default_partial : 1.0;
    if (partial != NULL && (partial->type != SLM_JSON_NUMBER || !slm__json_f64(partial, &share) || !(share > 0.0 && share <= 1.0))) {
        return slm__fail(error, SLM_E_BAD_VALUE, "partial_rotary_factor is no number above 0 and at most 1");
    }
    if (share != 1.0 && (family->flags & SLM_FAMILY_PARTIAL_ROTARY) == 0) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "partial_rotary_factor is not 1: that is not supported for %s", family->name);
    }
    config->rotary = (uint32_t)(config->head_dim * share);
    if (config->rotary < 2 || config->rotary % 2 != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "partial_rotary_factor leaves %u rotated dimensions of a head, expected is an even number",
                         (unsigned)config->rotary);
    }
    return SLM_OK;
}

/* An object with each key once; *found is NULL when it is absent. */
static slm_status find_object(const struct slm_json *root, const char *name, const struct slm_json **found, slm_error *error)
{
    *found = slm__json_present(root, name);
    if (*found != NULL && ((*found)->type != SLM_JSON_OBJECT || (*found)->duplicate_keys)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no object with each key once", name);
    }
    return SLM_OK;
}

/* Set 0 for the layers that see everything, set 1 for those with a window. */
static slm_status read_two_sets(const struct slm_json *root, const struct slm_json *scaling, const struct slm_json *parameters,
                                struct slm_family_config *config, slm_error *error)
{
    const struct slm_json *global, *local;
    SLM_TRY(find_object(parameters, "full_attention", &global, error));
    SLM_TRY(find_object(parameters, "sliding_attention", &local, error));
    if (parameters != NULL && global == NULL && local == NULL) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "rope_parameters has neither full_attention nor sliding_attention, as %s needs it",
                         config->family->name);
    }
    config->rope_sets = 2;
    SLM_TRY(read_partial(root, global, config, error));
    SLM_TRY(read_partial(root, local, config, error));
    SLM_TRY(
        read_set(root, scaling != NULL ? scaling : global, "rope_theta", config->family->default_theta, config, &config->rope[0], error));
    return read_set(root, local, "rope_local_base_freq", 10000.0, config, &config->rope[1], error);
}

static slm_status read_query_beta(const struct slm_json *parameters, struct slm_family_config *config, slm_error *error)
{
    SLM_TRY(read_number(parameters, "llama_4_scaling_beta", true, 0.0, 1e3, &config->query_beta, error));
    return slm__hf_size(parameters, "original_max_position_embeddings", true, &config->query_length, error);
}

slm_status slm__hf_rope_read(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    const struct slm_json *scaling, *parameters;
    SLM_TRY(find_object(root, "rope_scaling", &scaling, error));
    SLM_TRY(find_object(root, "rope_parameters", &parameters, error));
    if ((config->family->flags & SLM_FAMILY_LOCAL_ROPE) != 0) {
        return read_two_sets(root, scaling, parameters, config, error);
    }
    if (slm__json_get(parameters, "full_attention") != NULL || slm__json_get(parameters, "sliding_attention") != NULL) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "rope_parameters for each type of layer are not supported for %s", config->family->name);
    }
    if (scaling != NULL && scaling->count > 0) { /* where both are there transformers takes this one */
        parameters = scaling;
    }
    SLM_TRY(read_partial(root, parameters, config, error));
    SLM_TRY(read_set(root, parameters, "rope_theta", config->family->default_theta, config, &config->rope[0], error));
    return (config->family->flags & SLM_FAMILY_QUERY_BETA) != 0 ? read_query_beta(parameters, config, error) : SLM_OK;
}
