/* SPDX-License-Identifier: MIT */
/* Limits of configurations, in one place. They keep every product of two sizes below 2^63 and every matrix within the file format. */
#include "import/family_config.h"

#include "base/decimal.h" /* slm__decimal_format */
#include <inttypes.h>     /* PRIu32 */
#include <math.h>         /* sqrt */
#include <stdio.h>        /* snprintf into a buffer */

enum {
    LIMIT_HIDDEN = 1 << 17,
    LIMIT_HEADS = 1024,
    LIMIT_HEAD_DIM = 2 * SLM_ROPE_FREQUENCIES,
    LIMIT_FFN = 1 << 20,
    LIMIT_VOCAB = 1 << 22,
    LIMIT_EXPERTS = 1024,
    LIMIT_EXPERTS_USED = 32
};

static slm_status check_size(const char *key, uint32_t value, uint32_t limit, slm_error *error)
{
    if (value < 1 || value > limit) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is %" PRIu32 ", supported is 1 to %" PRIu32, key, value, limit);
    }
    return SLM_OK;
}

slm_status slm__family_check_real(const char *key, double value, double least, double most, slm_error *error)
{
    if (value >= least && value <= most) {
        return SLM_OK;
    }
    char texts[3][32];
    slm__decimal_format(value, texts[0]);
    slm__decimal_format(least, texts[1]);
    slm__decimal_format(most, texts[2]);
    return slm__fail(error, SLM_E_BAD_VALUE, "%s is %s, supported is %s to %s", key, texts[0], texts[1], texts[2]);
}

void slm__family_config_init(struct slm_family_config *config, const struct slm_family *family)
{
    memset(config, 0, sizeof *config);
    config->family = family;
    config->bos = config->pad = -1;
    config->tie_stated = true;
    config->traits = family->traits;
    config->heads = family->default_heads;
    config->vocab = family->default_vocab;
    config->max_context = family->default_context;
    config->activation = family->activation;
    config->eps = family->default_eps;
    config->embedding_scale = config->residual_scale = config->logit_scale = 1.0;
    config->rope_sets = 1;
    for (uint32_t i = 0; i < SLM_CONFIG_ROPE_SETS; i++) {
        config->rope[i].attention_factor = 1.0;
    }
}

static slm_status check_heads(struct slm_family_config *config, const struct slm_config_keys *keys, slm_error *error)
{
    const struct slm_family *family = config->family;
    if (config->kv_heads == 0) {
        config->kv_heads = family->default_kv_heads != 0 ? family->default_kv_heads : config->heads;
    }
    if (config->head_dim == 0) {
        config->head_dim = family->default_head_dim != 0 ? family->default_head_dim : config->hidden / config->heads;
        if (family->default_head_dim == 0 && config->hidden % config->heads != 0) {
            return slm__fail(error, SLM_E_BAD_VALUE, "%s %" PRIu32 " is no multiple of %s %" PRIu32 ", and %s is not given", keys->hidden,
                             config->hidden, keys->heads, config->heads, keys->head_dim);
        }
    }
    SLM_TRY(check_size(keys->kv_heads, config->kv_heads, LIMIT_HEADS, error));
    SLM_TRY(check_size(keys->head_dim, config->head_dim, LIMIT_HEAD_DIM, error));
    if (config->heads % config->kv_heads != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s %" PRIu32 " does not divide %s %" PRIu32, keys->kv_heads, config->kv_heads,
                         keys->heads, config->heads);
    }
    if (config->head_dim % 2 != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s %" PRIu32 " is odd, rotary embedding needs pairs", keys->head_dim, config->head_dim);
    }
    return SLM_OK;
}

static slm_status check_experts(const struct slm_family_config *config, const struct slm_config_keys *keys, slm_error *error)
{
    if (config->experts == 0) {
        return SLM_OK;
    }
    SLM_TRY(check_size(keys->experts, config->experts, LIMIT_EXPERTS, error));
    SLM_TRY(check_size(keys->expert_ffn, config->expert_ffn, LIMIT_FFN, error));
    SLM_TRY(check_size(keys->experts_used, config->experts_used, LIMIT_EXPERTS_USED, error));
    if (config->experts_used > config->experts) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is %" PRIu32 ", but there are %" PRIu32 " experts", keys->experts_used,
                         config->experts_used, config->experts);
    }
    return SLM_OK;
}

slm_status slm__family_config_check(struct slm_family_config *config, const struct slm_config_keys *keys, slm_error *error)
{
    SLM_TRY(check_size(keys->layers, config->layers, SLM_CONFIG_LAYERS, error));
    SLM_TRY(check_size(keys->hidden, config->hidden, LIMIT_HIDDEN, error));
    SLM_TRY(check_size(keys->heads, config->heads, LIMIT_HEADS, error));
    SLM_TRY(check_size(keys->ffn, config->ffn, LIMIT_FFN, error));
    SLM_TRY(check_size(keys->vocab, config->vocab, LIMIT_VOCAB, error));
    SLM_TRY(check_size(keys->max_context, config->max_context, SLM_CONFIG_CONTEXT, error));
    SLM_TRY(check_heads(config, keys, error));
    SLM_TRY(check_experts(config, keys, error));
    SLM_TRY(slm__family_check_real(keys->eps, config->eps, 0.0, 1.0, error));
    config->rotary = config->head_dim;
    config->attention_scale = 1.0 / sqrt((double)config->head_dim);
    if ((config->family->flags & SLM_FAMILY_EMBED_SQRT) != 0) {
        config->embedding_scale = sqrt((double)config->hidden);
    }
    return SLM_OK;
}

/* ---- rules */

uint32_t slm__family_layer_traits(const struct slm_family_config *config, uint32_t layer)
{
    return config->traits | (config->layer[layer].sparse ? SLM_TRAIT_EXPERTS : SLM_TRAIT_DENSE);
}

uint32_t slm__rule_marks(const char *pattern)
{
    uint32_t marks = 0;
    for (const char *mark = strstr(pattern, "%u"); mark != NULL; mark = strstr(mark + 2, "%u")) {
        marks++;
    }
    return marks;
}

uint32_t slm__rule_times(const struct slm_family_config *config, const struct slm_tensor_rule *rule, uint32_t layer)
{
    if (rule->traits != 0 && (rule->traits & slm__family_layer_traits(config, layer)) == 0) {
        return 0;
    }
    return slm__rule_marks(rule->target) == 2 ? config->experts : 1;
}

void slm__rule_name(char *name, size_t capacity, const char *pattern, uint32_t layer, uint32_t expert)
{
    const char *first = strstr(pattern, "%u"), *second = first != NULL ? strstr(first + 2, "%u") : NULL;
    if (first == NULL) {
        snprintf(name, capacity, "%s", pattern);
    } else if (second == NULL) {
        snprintf(name, capacity, "%.*s%" PRIu32 "%s", (int)(first - pattern), pattern, layer, first + 2);
    } else {
        snprintf(name, capacity, "%.*s%" PRIu32 "%.*s%" PRIu32 "%s", (int)(first - pattern), pattern, layer, (int)(second - first - 2),
                 first + 2, expert, second + 2);
    }
}

bool slm__rule_matches(const char *pattern, struct slm_span name, uint32_t numbers[2])
{
    size_t at = 0;
    uint32_t found = 0;
    numbers[0] = numbers[1] = 0;
    for (; pattern != NULL && *pattern != 0; pattern++) {
        if (pattern[0] == '%' && pattern[1] == 'u' && found < 2) {
            const size_t begin = at;
            for (; at < name.length && at - begin < 9 && name.data[at] >= '0' && name.data[at] <= '9'; at++) {
                numbers[found] = numbers[found] * 10 + (uint32_t)(name.data[at] - '0');
            }
            if (at == begin) {
                return false;
            }
            found++;
            pattern++;
        } else if (at == name.length || name.data[at++] != (uint8_t)*pattern) {
            return false;
        }
    }
    return pattern != NULL && at == name.length;
}

uint64_t slm__extent(const struct slm_family_config *config, enum slm_extent extent)
{
    switch (extent) {
    case SLM_EXTENT_ONE: return 1;
    case SLM_EXTENT_HIDDEN: return config->hidden;
    case SLM_EXTENT_VOCAB: return config->vocab;
    case SLM_EXTENT_QUERY: return (uint64_t)config->heads * config->head_dim;
    case SLM_EXTENT_KEY: return (uint64_t)config->kv_heads * config->head_dim;
    case SLM_EXTENT_FFN: return config->ffn;
    case SLM_EXTENT_HEAD_DIM: return config->head_dim;
    case SLM_EXTENT_EXPERTS: return config->experts;
    case SLM_EXTENT_EXPERT_FFN: return config->expert_ffn;
    case SLM_EXTENT_CONTEXT: return config->max_context;
    case SLM_EXTENT_VISION_HIDDEN: return config->vision.hidden;
    case SLM_EXTENT_VISION_FFN: return config->vision.ffn;
    case SLM_EXTENT_VISION_PATCH: return (uint64_t)3 * config->vision.patch_size * config->vision.patch_size;
    case SLM_EXTENT_VISION_PATCHES: return (uint64_t)config->vision.side * config->vision.side;
    }
    return 0;
}

/* Weights of what a rule makes once. */
static uint64_t rule_weights(const struct slm_family_config *config, const struct slm_tensor_rule *rule)
{
    uint64_t total = 0;
    for (uint32_t s = 0; s < SLM_RULE_SOURCES && rule->sources[s].hf != NULL; s++) {
        total += slm__extent(config, rule->sources[s].rows) * slm__extent(config, rule->cols);
    }
    return total;
}

uint64_t slm__family_config_parameters(const struct slm_family_config *config)
{
    const struct slm_vision_family *vision = config->vision.family;
    uint64_t total = 0;
    for (uint32_t i = 0; i < config->family->rule_count; i++) {
        const struct slm_tensor_rule *rule = &config->family->rules[i];
        const uint32_t layers = slm__rule_marks(rule->target) > 0 ? config->layers : 1;
        uint64_t times = 0;
        for (uint32_t layer = 0; layer < layers; layer++) {
            times += slm__rule_times(config, rule, layer);
        }
        total += times * rule_weights(config, rule);
    }
    for (uint32_t i = 0; vision != NULL && i < vision->rule_count; i++) {
        total += (slm__rule_marks(vision->rules[i].target) > 0 ? config->vision.layers : 1) * rule_weights(config, &vision->rules[i]);
    }
    return total;
}
