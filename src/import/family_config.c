/* SPDX-License-Identifier: MIT */
/* Limits of configurations, in one place. They keep every product of two sizes below 2^63 and every matrix within the file format. */
#include "import/family_config.h"

#include "base/decimal.h" /* slm__decimal_format */
#include <inttypes.h>     /* PRIu32 */

enum {
    LIMIT_LAYERS = 1024,
    LIMIT_HIDDEN = 1 << 17,
    LIMIT_HEADS = 1024,
    LIMIT_HEAD_DIM = 512,
    LIMIT_FFN = 1 << 20,
    LIMIT_VOCAB = 1 << 22,
    LIMIT_CONTEXT = 1 << 24
};

static slm_status check_size(const char *key, uint32_t value, uint32_t limit, slm_error *error)
{
    if (value < 1 || value > limit) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is %" PRIu32 ", supported is 1 to %" PRIu32, key, value, limit);
    }
    return SLM_OK;
}

static slm_status check_real(const char *key, double value, double least, double most, slm_error *error)
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

slm_status slm__family_config_check(struct slm_family_config *config, const struct slm_config_keys *keys, slm_error *error)
{
    SLM_TRY(check_size(keys->layers, config->layers, LIMIT_LAYERS, error));
    SLM_TRY(check_size(keys->hidden, config->hidden, LIMIT_HIDDEN, error));
    SLM_TRY(check_size(keys->heads, config->heads, LIMIT_HEADS, error));
    SLM_TRY(check_size(keys->ffn, config->ffn, LIMIT_FFN, error));
    SLM_TRY(check_size(keys->vocab, config->vocab, LIMIT_VOCAB, error));
    SLM_TRY(check_size(keys->max_context, config->max_context, LIMIT_CONTEXT, error));
    SLM_TRY(check_heads(config, keys, error));
    SLM_TRY(check_real(keys->eps, config->eps, 0.0, 1.0, error));
    SLM_TRY(check_real(keys->theta, config->rope.theta, 2.0, 1e15, error));
    return SLM_OK;
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
    }
    return 0;
}

uint64_t slm__family_config_parameters(const struct slm_family_config *config)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < config->family->rule_count; i++) {
        const struct slm_tensor_rule *rule = &config->family->rules[i];
        if (rule->traits != 0 && (rule->traits & config->traits) == 0) {
            continue;
        }
        const uint64_t times = strchr(rule->target, '%') != NULL ? config->layers : 1;
        for (uint32_t s = 0; s < SLM_RULE_SOURCES && rule->sources[s].hf != NULL; s++) {
            total += times * slm__extent(config, rule->sources[s].rows) * slm__extent(config, rule->cols);
        }
    }
    return total;
}
