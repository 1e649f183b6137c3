/* SPDX-License-Identifier: MIT */
/* Keys that only say how an adapter was trained, or which modules it was put on, are not read: the tensors' names say that. */
#include "import/adapter_config.h"

#include "import/module_pattern.h" /* slm__module_pattern_match */
#include <math.h>                  /* sqrt */
#include <stdio.h>                 /* snprintf into a buffer */

static bool is_nothing(const struct slm_json *value)
{
    return value == NULL || value->type == SLM_JSON_FALSE ||
           ((value->type == SLM_JSON_ARRAY || value->type == SLM_JSON_OBJECT) && value->count == 0);
}

static slm_status refuse_modules_to_save(const struct slm_json *modules, slm_error *error)
{
    char names[160];
    size_t length = 0;
    if (is_nothing(modules)) {
        return SLM_OK;
    }
    names[0] = 0;
    for (uint32_t i = 0; modules->type == SLM_JSON_ARRAY && i < modules->count; i++) {
        const struct slm_span name = modules->items[i].text;
        if (modules->items[i].type == SLM_JSON_STRING && length + name.length + 3 < sizeof names) {
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%.*s", length > 0 ? ", " : "", SLM_SPAN_ARGS(name));
        }
    }
    return slm__fail(error, SLM_E_UNSUPPORTED, "modules_to_save is not supported (%s)", names);
}

/* Variants whose base is not the checkpoint that one has. */
static slm_status refuse_initializers(const struct slm_json *kind, slm_error *error)
{
    static const char *const changed[] = {"pissa", "olora", "corda", "loftq", "lora_ga"};
    for (size_t i = 0; kind != NULL && kind->type == SLM_JSON_STRING && i < sizeof changed / sizeof changed[0]; i++) {
        const size_t length = strlen(changed[i]);
        if (kind->text.length >= length && memcmp(kind->text.data, changed[i], length) == 0) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "init_lora_weights %.*s is not supported: it changes the base model too",
                             SLM_SPAN_ARGS(kind->text));
        }
    }
    return SLM_OK;
}

slm_status slm__adapter_config_check(const struct slm_json *root, slm_error *error)
{
    static const char *const refused[] = {
        "layer_replication", "target_parameters", "trainable_token_indices", "alora_invocation_tokens", "use_qalora", "use_bdlora",
        "arrow_config",      "kasa_config",       "monteclora_config"};
    if (root->type != SLM_JSON_OBJECT || root->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "it is no JSON object with each key once");
    }
    const struct slm_json *type = slm__json_present(root, "peft_type"), *bias = slm__json_present(root, "bias");
    if (type == NULL || type->type != SLM_JSON_STRING) {
        return slm__fail(error, SLM_E_BAD_VALUE, "peft_type is missing");
    }
    if (!slm__span_is(type->text, "LORA")) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "peft_type %.*s is not supported (LORA is)", SLM_SPAN_ARGS(type->text));
    }
    if (!is_nothing(slm__json_present(root, "use_dora"))) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "DoRA is not supported");
    }
    SLM_TRY(refuse_modules_to_save(slm__json_present(root, "modules_to_save"), error));
    if (bias != NULL && !slm__json_is_string(bias, "none")) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "bias %.*s is not supported", SLM_SPAN_ARGS(bias->text));
    }
    if (!is_nothing(slm__json_present(root, "lora_bias"))) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "lora_bias is not supported");
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (!is_nothing(slm__json_present(root, refused[i]))) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "%s is not supported", refused[i]);
        }
    }
    return refuse_initializers(slm__json_present(root, "init_lora_weights"), error);
}

slm_status slm__adapter_config_scale(const struct slm_json *root, struct slm_span module, uint32_t rank, double *scale, slm_error *error)
{
    const struct slm_json *patterns = slm__json_present(root, "alpha_pattern"), *alpha = slm__json_present(root, "lora_alpha");
    if (patterns != NULL && patterns->type != SLM_JSON_OBJECT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "alpha_pattern is no object");
    }
    for (uint32_t i = 0; patterns != NULL && i < patterns->count; i++) {
        bool matches = false;
        const slm_status status = slm__module_pattern_match(patterns->keys[i], module, &matches, error);
        if (status != SLM_OK) {
            return slm__fail_in(error, status, "alpha_pattern");
        }
        if (matches) {
            alpha = &patterns->items[i];
            break;
        }
    }
    double value = 8.0; /* peft's default */
    if (alpha != NULL && (!slm__json_f64(alpha, &value) || !(value >= -1e6 && value <= 1e6))) {
        return slm__fail(error, SLM_E_BAD_VALUE, "lora_alpha of %.*s is no number in range", SLM_SPAN_ARGS(module));
    }
    *scale = slm__json_is_true(slm__json_present(root, "use_rslora")) ? value / sqrt((double)rank) : value / (double)rank;
    return SLM_OK;
}
