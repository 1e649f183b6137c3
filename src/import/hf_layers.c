/* SPDX-License-Identifier: MIT */
/* Lists with one entry for each layer win over the rules that stand in for them. */
#include "import/hf_layers.h"

#include "import/hf_values.h" /* slm__hf_size, slm__hf_bool */
#include <inttypes.h>         /* PRIu32 */

/* A list of one entry for each layer; *list is NULL when it is absent. */
static slm_status find_list(const struct slm_json *root, const char *key, const struct slm_family_config *config,
                            const struct slm_json **list, slm_error *error)
{
    *list = slm__json_present(root, key);
    if (*list != NULL && ((*list)->type != SLM_JSON_ARRAY || (*list)->count != config->layers)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no list of %" PRIu32 " entries, one for each layer", key, config->layers);
    }
    return SLM_OK;
}

/* ---- rotation */

static slm_status read_rotation(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    if ((config->family->flags & SLM_FAMILY_NOPE) == 0) {
        return SLM_OK;
    }
    const struct slm_json *list;
    uint32_t interval = 4;
    SLM_TRY(find_list(root, "no_rope_layers", config, &list, error));
    SLM_TRY(slm__hf_size(root, "no_rope_layer_interval", false, &interval, error));
    for (uint32_t i = 0; i < config->layers; i++) {
        int64_t rotates = (i + 1) % interval != 0; /* 0 in the list: no rotation */
        if (list != NULL && (!slm__json_i64(&list->items[i], &rotates) || rotates < 0 || rotates > 1)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "no_rope_layers has an entry that is neither 0 nor 1");
        }
        config->layer[i].rope_set = rotates != 0 ? 0 : SLM_LAYER_UNROTATED;
    }
    return SLM_OK;
}

/* ---- window */

/* The window's size, 0 for none: null is none, an absent key the family's default. */
static slm_status read_window(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    const struct slm_family *family = config->family;
    bool used = (family->flags & SLM_FAMILY_WINDOW_SWITCH) == 0;
    if (family->window_rule == SLM_WINDOW_NONE) {
        return SLM_OK;
    }
    if (!used) {
        SLM_TRY(slm__hf_bool(root, "use_sliding_window", &used, error));
    }
    if (!used) {
        return SLM_OK;
    }
    config->window = slm__json_get(root, "sliding_window") == NULL ? family->default_window : 0;
    return slm__hf_size(root, "sliding_window", false, &config->window, error);
}

struct window_rule {
    const struct slm_json *types; /* wins; NULL: none */
    uint32_t from, period;
};

static slm_status read_rule(const struct slm_json *root, const struct slm_family_config *config, const struct slm_log *log,
                            struct window_rule *rule, slm_error *error)
{
    const struct slm_json *first = slm__json_present(root, "max_window_layers");
    int64_t number;
    SLM_TRY(find_list(root, "layer_types", config, &rule->types, error));
    if (rule->types != NULL && (config->family->flags & SLM_FAMILY_LAYER_TYPES) == 0) {
        slm__log(log, SLM_LOG_WARNING,
                 "config.json: layer_types is ignored, as transformers does for %s: the window of %" PRIu32 " holds for every layer",
                 config->family->name, config->window);
        rule->types = NULL;
    }
    rule->from = 28; /* transformers' default */
    if (first != NULL && slm__json_i64(first, &number)) {
        rule->from = number < 0 ? 0 : number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    }
    rule->period = config->family->window_period;
    SLM_TRY(slm__hf_size(root, "_sliding_window_pattern", false, &rule->period, error));
    return config->family->window_rule == SLM_WINDOW_PERIOD ? slm__hf_size(root, "sliding_window_pattern", false, &rule->period, error)
                                                            : SLM_OK;
}

static slm_status read_type(const struct slm_json *type, bool *windowed, slm_error *error)
{
    *windowed = slm__json_is_string(type, "sliding_attention");
    if (!*windowed && !slm__json_is_string(type, "full_attention")) {
        const struct slm_span shown = type->type == SLM_JSON_STRING ? type->text : slm__span_text("no text");
        return slm__fail(error, SLM_E_UNSUPPORTED, "layer_types: %.*s is not supported (supported: full_attention, sliding_attention)",
                         SLM_SPAN_ARGS(shown));
    }
    return SLM_OK;
}

static slm_status read_windows(const struct slm_json *root, struct slm_family_config *config, const struct slm_log *log, slm_error *error)
{
    struct window_rule rule;
    SLM_TRY(read_window(root, config, error));
    if (config->window == 0 && config->rope_sets < 2) { /* with two rope sets it still matters which layers are local */
        return SLM_OK;
    }
    SLM_TRY(read_rule(root, config, log, &rule, error));
    for (uint32_t i = 0; i < config->layers; i++) {
        struct slm_layer_config *layer = &config->layer[i];
        switch (config->family->window_rule) {
        case SLM_WINDOW_NONE: break;
        case SLM_WINDOW_ALL: layer->windowed = true; break;
        case SLM_WINDOW_FROM: layer->windowed = i >= rule.from; break;
        case SLM_WINDOW_PERIOD: layer->windowed = (i + 1) % rule.period != 0; break;
        case SLM_WINDOW_NOPE: layer->windowed = layer->rope_set == SLM_LAYER_UNROTATED; break;
        }
        if (rule.types != NULL) {
            SLM_TRY(read_type(&rule.types->items[i], &layer->windowed, error));
        }
        if (config->rope_sets == 2) {
            layer->rope_set = layer->windowed ? 1 : 0;
        }
        layer->windowed = layer->windowed && config->window != 0;
    }
    return SLM_OK;
}

/* ---- experts */

static slm_status read_experts(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    uint32_t step = 1;
    const struct slm_json *dense = slm__json_present(root, "mlp_only_layers");
    SLM_TRY(slm__hf_size(root, "decoder_sparse_step", false, &step, error));
    if (dense != NULL && dense->type != SLM_JSON_ARRAY) {
        return slm__fail(error, SLM_E_BAD_VALUE, "mlp_only_layers is no list");
    }
    for (uint32_t i = 0; i < config->layers; i++) {
        bool sparse = config->experts != 0 && (i + 1) % step == 0;
        for (uint32_t k = 0; dense != NULL && k < dense->count; k++) {
            int64_t layer;
            sparse = sparse && !(slm__json_i64(&dense->items[k], &layer) && layer == (int64_t)i);
        }
        config->layer[i].sparse = sparse;
    }
    return SLM_OK;
}

slm_status slm__hf_layers_read(const struct slm_json *root, struct slm_family_config *config, const struct slm_log *log, slm_error *error)
{
    SLM_TRY(read_rotation(root, config, error));
    SLM_TRY(read_windows(root, config, log, error));
    return config->experts != 0 ? read_experts(root, config, error) : SLM_OK;
}
