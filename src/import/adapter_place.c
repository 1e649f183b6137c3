/* SPDX-License-Identifier: MIT */
/* A converted model does not say how its checkpoint called things: every way that its family has is tried. */
#include "import/adapter_place.h"

#include "import/checkpoint.h" /* struct slm_checkpoint */
#include <stdio.h>             /* snprintf into a buffer */

/* Whether the name is that of a tensor of `rule`; matrices only. */
static bool matches_rule(const struct slm_checkpoint *checkpoint, const struct slm_tensor_rule *rule, struct slm_span name,
                         struct slm_adapter_delta *delta, struct slm_adapter_place *place)
{
    const bool gguf = delta->adapter->gguf;
    uint32_t numbers[2];
    *place = (struct slm_adapter_place){.target = rule->target};
    delta->pairs = 0;
    for (uint32_t s = 0; s < SLM_RULE_SOURCES && rule->sources[s].hf != NULL; s++) {
        if (!place->has_part && slm__rule_matches(gguf ? rule->sources[s].gguf : rule->sources[s].hf, name, numbers)) {
            place->has_part = true;
            place->part = s;
            place->layer = numbers[0];
            place->expert = numbers[1];
            delta->pairs = slm__adapter_pairs(checkpoint, delta->adapter, &rule->sources[s]);
        }
    }
    if (slm__rule_matches(gguf ? rule->gguf_fused : rule->hf_fused, name, numbers)) {
        place->may_be_all = true;
        place->layer = numbers[0];
    }
    return place->has_part || place->may_be_all;
}

static bool matches_family(const struct slm_checkpoint *checkpoint, struct slm_span name, struct slm_adapter_delta *delta,
                           struct slm_adapter_place *place)
{
    const struct slm_family *family = checkpoint->config.family;
    for (uint32_t r = 0; r < family->rule_count; r++) {
        if (family->rules[r].cols != SLM_EXTENT_ONE && matches_rule(checkpoint, &family->rules[r], name, delta, place)) {
            return true;
        }
    }
    return false;
}

/* Text models of composites have "language_model." at one of two places in their names. */
static struct slm_span without_prefix(struct slm_span module, char changed[256])
{
    static const char outer[] = "language_model.", inner[] = "model.language_model.";
    const size_t o = sizeof outer - 1, i = sizeof inner - 1;
    if (module.length > o && memcmp(module.data, outer, o) == 0) {
        return slm__span(module.data + o, module.length - o);
    }
    if (module.length > i && memcmp(module.data, inner, i) == 0) {
        snprintf(changed, 256, "model.%.*s", (int)(module.length - i), (const char *)module.data + i);
        return slm__span_text(changed);
    }
    return module;
}

slm_status slm__adapter_find_place(const struct slm_checkpoint *checkpoint, struct slm_adapter_delta *delta,
                                   struct slm_adapter_place *place, slm_error *error)
{
    char changed[256], name[272];
    const struct slm_span module = without_prefix(delta->module, changed);
    snprintf(name, sizeof name, "%.*s.weight", SLM_SPAN_ARGS(module));
    if (!matches_family(checkpoint, slm__span_text(name), delta, place) ||
        (strchr(place->target, '%') != NULL && place->layer >= checkpoint->config.layers)) {
        return slm__adapter_no_linear(checkpoint, delta, error);
    }
    return strcmp(place->target, "embed") == 0 ? slm__adapter_refuse_embedding(delta, error) : SLM_OK;
}
