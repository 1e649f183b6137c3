/* SPDX-License-Identifier: MIT */
/* No key says that rope_freqs or longrope's factors are there: the tensors' presence does. */
#include "import/gguf_rope.h"

#include "import/rope_frequencies.h" /* slm__yarn_attention_factor */
#include <inttypes.h>                /* PRIu32 */

static slm_status read_yarn(const struct slm_gguf_keys *keys, struct slm_family_config *config)
{
    struct slm_rope_config *rope = &config->rope[0];
    double multiplier = 0.0, attention = 1.0;
    rope->kind = SLM_ROPE_YARN;
    rope->original_context = config->max_context;
    rope->beta_fast = 32.0;
    rope->beta_slow = 1.0;
    rope->truncate = true;
    SLM_TRY(slm__gguf_keys_real(keys, "rope.scaling.original_context_length", 1.0, 1e9, &rope->original_context));
    SLM_TRY(slm__gguf_keys_real(keys, "rope.scaling.yarn_beta_fast", 1e-6, 1e6, &rope->beta_fast));
    SLM_TRY(slm__gguf_keys_real(keys, "rope.scaling.yarn_beta_slow", 1e-6, 1e6, &rope->beta_slow));
    SLM_TRY(slm__gguf_keys_real(keys, "rope.scaling.yarn_log_multiplier", -1e9, 1e9, &multiplier));
    SLM_TRY(slm__gguf_keys_real(keys, "rope.scaling.attn_factor", 1e-3, 1e3, &attention));
    if (multiplier != 0.0) {
        return slm__fail(keys->error, SLM_E_UNSUPPORTED, "key %s.rope.scaling.yarn_log_multiplier is not supported", keys->prefix);
    }
    rope->attention_factor = attention * slm__yarn_attention_factor(rope->factor, 0.0, 0.0);
    return SLM_OK;
}

static slm_status read_scaling(const struct slm_gguf_keys *keys, struct slm_family_config *config)
{
    struct slm_rope_config *rope = &config->rope[0];
    char key[SLM_GGUF_KEY_BYTES];
    struct slm_span type = slm__span_text("none");
    double factor = 0.0;
    SLM_TRY(slm__gguf_keys_real(keys, "rope.scale_linear", 0.0, 1e6, &factor));
    const struct slm_gguf_key *found = slm__gguf_keys_find(keys, "rope.scaling.type", key);
    if (found != NULL && !slm__gguf_text(found, &type)) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s is no string", key);
    }
    if (found == NULL && factor != 0.0 && factor != 1.0) {
        type = slm__span_text("linear");
    }
    SLM_TRY(slm__gguf_keys_real(keys, "rope.scaling.factor", 0.0, 1e6, &factor));
    if (slm__span_is(type, "none") || slm__span_is(type, "longrope") || (slm__span_is(type, "linear") && factor == 0.0)) {
        return SLM_OK;
    }
    if (factor < 1e-6) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s.rope.scaling.factor is missing or out of range", keys->prefix);
    }
    rope->factor = factor;
    if (slm__span_is(type, "linear")) {
        rope->kind = SLM_ROPE_LINEAR;
        return SLM_OK;
    }
    if (slm__span_is(type, "yarn")) {
        return read_yarn(keys, config);
    }
    return slm__fail(keys->error, SLM_E_UNSUPPORTED, "key %s: %.*s is not supported (supported: none, linear, yarn, longrope)", key,
                     SLM_SPAN_ARGS(type));
}

/* ---- factors */

/* The values of a tensor with one for each rotated pair. */
static slm_status read_divisors(const struct slm_gguf_keys *keys, const struct slm_tensor_set *set, struct slm_source_tensor *tensor,
                                uint32_t count, double *divisors)
{
    float values[SLM_ROPE_FREQUENCIES];
    uint8_t raw[SLM_ROPE_FREQUENCIES * 8];
    tensor->used = true;
    if (tensor->dimensions != 1 || tensor->shape[0] != count || !slm__value_type_is_float(tensor->type) || tensor->bytes > sizeof raw) {
        char shape[192];
        slm__source_shape_text(tensor, shape);
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "tensor %.*s is %s of %s, expected are %" PRIu32 " values of F32",
                         SLM_SPAN_ARGS(tensor->name), shape, tensor->type->name, count);
    }
    SLM_TRY(slm__source_read_row(set, tensor, 0, raw, values, keys->error));
    for (uint32_t i = 0; i < count; i++) {
        if (!(values[i] >= 1e-6f && values[i] <= 1e6f)) {
            return slm__fail(keys->error, SLM_E_BAD_VALUE, "value %" PRIu32 " of tensor %.*s is out of range", i,
                             SLM_SPAN_ARGS(tensor->name));
        }
        divisors[i] = (double)values[i];
    }
    return SLM_OK;
}

/* longrope: the long factors serve sequences longer than the original context, attn_factor holds for both. */
static slm_status read_longrope(const struct slm_gguf_keys *keys, const struct slm_tensor_set *set, struct slm_source_tensor *shorter,
                                struct slm_source_tensor *longer, struct slm_family_config *config)
{
    struct slm_rope_config *rope = &config->rope[0];
    SLM_TRY(slm__gguf_keys_size(keys, "rope.scaling.original_context_length", true, 1, &rope->switch_length));
    if (rope->switch_length > SLM_CONFIG_CONTEXT) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s.rope.scaling.original_context_length is out of range", keys->prefix);
    }
    SLM_TRY(slm__gguf_keys_real(keys, "rope.scaling.attn_factor", 1e-3, 1e3, &rope->attention_factor));
    SLM_TRY(read_divisors(keys, set, shorter, config->rotary / 2, rope->divisors));
    SLM_TRY(read_divisors(keys, set, longer, config->rotary / 2, rope->long_divisors));
    rope->divided = true;
    return SLM_OK;
}

static slm_status read_factors(const struct slm_gguf_keys *keys, const struct slm_tensor_set *set, struct slm_family_config *config)
{
    struct slm_source_tensor *both = slm__tensor_set_find(set, "rope_freqs.weight");
    struct slm_source_tensor *shorter = slm__tensor_set_find(set, "rope_factors_short.weight");
    struct slm_source_tensor *longer = slm__tensor_set_find(set, "rope_factors_long.weight");
    if (both != NULL && (config->family->flags & SLM_FAMILY_GGUF_DIVISORS) != 0) {
        config->rope[0].divided = true;
        return read_divisors(keys, set, both, config->rotary / 2, config->rope[0].divisors);
    }
    if (shorter == NULL && longer == NULL) {
        return SLM_OK;
    }
    if (shorter == NULL || longer == NULL) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE,
                         "only one of the tensors rope_factors_short.weight and rope_factors_long.weight is there");
    }
    return read_longrope(keys, set, shorter, longer, config);
}

static slm_status read_rotary(const struct slm_gguf_keys *keys, struct slm_family_config *config)
{
    SLM_TRY(slm__gguf_keys_size(keys, "rope.dimension_count", false, 2, &config->rotary));
    const bool partial = (config->family->flags & SLM_FAMILY_PARTIAL_ROTARY) != 0;
    if (config->rotary > config->head_dim || config->rotary % 2 != 0 || (config->rotary != config->head_dim && !partial)) {
        return slm__fail(keys->error, SLM_E_UNSUPPORTED, "%" PRIu32 " rotated dimensions of heads of %" PRIu32 " are not supported for %s",
                         config->rotary, config->head_dim, config->family->name);
    }
    return SLM_OK;
}

slm_status slm__gguf_rope_read(const struct slm_gguf_keys *keys, const struct slm_tensor_set *set, struct slm_family_config *config)
{
    SLM_TRY(read_rotary(keys, config));
    config->rope[0].theta = (config->family->flags & SLM_FAMILY_LOCAL_ROPE) != 0 ? config->family->default_theta : 10000.0;
    SLM_TRY(slm__gguf_keys_real(keys, "rope.freq_base", 2.0, 1e15, &config->rope[0].theta));
    SLM_TRY(read_scaling(keys, config));
    if ((config->family->flags & SLM_FAMILY_LOCAL_ROPE) != 0) { /* its scaling is for the layers without a window */
        config->rope_sets = 2;
        config->rope[1].theta = 10000.0;
        SLM_TRY(slm__gguf_keys_real(keys, "rope.freq_base_swa", 2.0, 1e15, &config->rope[1].theta));
    }
    return read_factors(keys, set, config);
}
