/* SPDX-License-Identifier: MIT */
/* Rotary scaling as config.json states it. A type that is not known here is refused: leaving it out gives fluent nonsense. */
#include "import/hf_rope.h"

#include "import/rope_frequencies.h" /* slm__yarn_attention_factor */

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
static slm_status read_yarn(const struct slm_json *root, const struct slm_json *scaling, struct slm_family_config *config, slm_error *error)
{
    struct slm_rope_config *rope = &config->rope;
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
    if (extended > config->max_context && extended < 1e8) {
        config->max_context = (uint32_t)extended;
    }
    return SLM_OK;
}

static slm_status read_scaling(const struct slm_json *root, const struct slm_json *scaling, struct slm_family_config *config,
                               slm_error *error)
{
    struct slm_rope_config *rope = &config->rope;
    const struct slm_json *type = slm__json_present(scaling, "rope_type");
    if (type == NULL) {
        type = slm__json_present(scaling, "type");
    }
    if (type == NULL && slm__json_present(scaling, "factor") == NULL) {
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
    if (slm__json_is_string(type, "yarn")) {
        return read_yarn(root, scaling, config, error);
    }
    return slm__fail(error, SLM_E_UNSUPPORTED, "rope scaling: rope_type %.*s is not supported (supported: default, linear, llama3, yarn)",
                     SLM_SPAN_ARGS(type->text));
}

slm_status slm__hf_rope_read(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    const char *name = "rope_parameters";
    const struct slm_json *scaling = slm__json_present(root, name);
    if (scaling == NULL) {
        name = "rope_scaling";
        scaling = slm__json_present(root, name);
    }
    if (scaling != NULL && (scaling->type != SLM_JSON_OBJECT || scaling->duplicate_keys)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no object with each key once", name);
    }
    config->rope.theta = config->family->default_theta;
    config->rope.attention_factor = 1.0;
    const struct slm_json *theta = slm__json_present(scaling, "rope_theta");
    if (theta == NULL) {
        theta = slm__json_present(root, "rope_theta");
    }
    if (theta != NULL && !slm__json_f64(theta, &config->rope.theta)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "rope_theta is no number");
    }
    const struct slm_json *partial = slm__json_present(scaling, "partial_rotary_factor");
    if (partial == NULL) {
        partial = slm__json_present(root, "partial_rotary_factor");
    }
    double share = 1.0;
    if (partial != NULL && (!slm__json_f64(partial, &share) || share != 1.0)) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "partial_rotary_factor is not 1: that is not supported for %s", config->family->name);
    }
    return scaling != NULL ? read_scaling(root, scaling, config, error) : SLM_OK;
}
