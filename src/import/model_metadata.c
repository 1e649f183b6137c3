/* SPDX-License-Identifier: MIT */
/* Configuration and texts become keys. Keys whose value is absent in the source are absent in the file. */
#include "import/model_metadata.h"

#include <stdio.h> /* snprintf into a buffer */

#define TEXT_OF(number) #number
#define NUMBER_TEXT(number) TEXT_OF(number)

static const char TOOL[] = "libslm " NUMBER_TEXT(SLM_VERSION_MAJOR) "." NUMBER_TEXT(SLM_VERSION_MINOR) "." NUMBER_TEXT(SLM_VERSION_PATCH);

static slm_status write_ids(struct slm_weight_writer *writer, const struct slm_family_config *config, slm_error *error)
{
    if (config->bos >= 0) {
        SLM_TRY(slm__writer_meta_u64(writer, "token.bos", (uint64_t)config->bos, error));
    }
    if (config->pad >= 0) {
        SLM_TRY(slm__writer_meta_u64(writer, "token.pad", (uint64_t)config->pad, error));
    }
    return config->eos_count > 0 ? slm__writer_meta_u32s(writer, "token.eos", config->eos, config->eos_count, error) : SLM_OK;
}

/* A number that is left out where it is what a reader assumes. */
static slm_status write_unless(struct slm_weight_writer *writer, const char *key, double value, double assumed, slm_error *error)
{
    return value != assumed ? slm__writer_meta_f64(writer, key, value, error) : SLM_OK;
}

static slm_status write_switch(struct slm_weight_writer *writer, const char *key, uint64_t value, uint64_t assumed, slm_error *error)
{
    return value != assumed ? slm__writer_meta_u64(writer, key, value, error) : SLM_OK;
}

static slm_status write_arithmetic(struct slm_weight_writer *writer, const struct slm_family_config *config, slm_error *error)
{
    const uint32_t flags = config->family->flags;
    SLM_TRY(write_switch(writer, "model.norm_kind", (flags & SLM_FAMILY_LAYER_NORM) != 0 ? 1 : 0, 0, error));
    const uint64_t block = (flags & SLM_FAMILY_ENCODER) != 0 ? 2 : (flags & SLM_FAMILY_PARALLEL) != 0 ? 1 : 0;
    SLM_TRY(write_switch(writer, "model.block_kind", block, 0, error));
    SLM_TRY(write_switch(writer, "model.bidirectional", (flags & SLM_FAMILY_ENCODER) != 0 ? 1 : 0, 0, error));
    SLM_TRY(write_switch(writer, "model.gated", (flags & SLM_FAMILY_PLAIN_MLP) != 0 ? 0 : 1, 1, error));
    SLM_TRY(write_switch(writer, "model.activation", (uint64_t)config->activation, 0, error));
    SLM_TRY(write_switch(writer, "model.renormalize_experts", config->experts != 0 && config->renormalize_experts ? 1 : 0, 0, error));
    SLM_TRY(slm__writer_meta_f64(writer, "model.attention_scale", config->attention_scale, error));
    SLM_TRY(write_unless(writer, "model.attention_softcap", config->attention_softcap, 0.0, error));
    SLM_TRY(write_unless(writer, "model.final_softcap", config->final_softcap, 0.0, error));
    SLM_TRY(write_unless(writer, "model.embedding_scale", config->embedding_scale, 1.0, error));
    SLM_TRY(write_unless(writer, "model.residual_scale", config->residual_scale, 1.0, error));
    SLM_TRY(write_unless(writer, "model.logit_scale", config->logit_scale, 1.0, error));
    SLM_TRY(write_unless(writer, "model.query_beta", config->query_beta, 0.0, error));
    return write_switch(writer, "model.query_length", config->query_beta != 0.0 ? config->query_length : 0, 0, error);
}

/* One element when all layers agree; nothing when that is 0 and `optional`. */
static slm_status write_layers(struct slm_weight_writer *writer, const char *key, const uint32_t *values, uint32_t layers, bool optional,
                               slm_error *error)
{
    uint32_t count = 1;
    for (uint32_t i = 1; i < layers; i++) {
        count = values[i] != values[0] ? layers : count;
    }
    return count == 1 && values[0] == 0 && optional ? SLM_OK : slm__writer_meta_u32s(writer, key, values, count, error);
}

static slm_status write_layer_arrays(struct slm_weight_writer *writer, const struct slm_family_config *config, slm_error *error)
{
    enum { ROPE, WINDOW, FFN, EXPERTS, USED, ARRAYS };
    static const char *const keys[ARRAYS] = {"layer.rope_set", "layer.window", "layer.ffn_size", "layer.experts", "layer.experts_used"};
    uint32_t values[ARRAYS][SLM_CONFIG_LAYERS];
    for (uint32_t i = 0; i < config->layers; i++) {
        const struct slm_layer_config *layer = &config->layer[i];
        values[ROPE][i] = layer->rope_set == SLM_LAYER_UNROTATED ? UINT32_MAX : layer->rope_set;
        values[WINDOW][i] = layer->windowed ? config->window : 0;
        values[FFN][i] = layer->sparse ? config->expert_ffn : config->ffn;
        values[EXPERTS][i] = layer->sparse ? config->experts : 0;
        values[USED][i] = layer->sparse ? config->experts_used : 0;
    }
    for (int i = 0; i < ARRAYS; i++) {
        SLM_TRY(write_layers(writer, keys[i], values[i], config->layers, i != ROPE && i != FFN, error));
    }
    SLM_TRY(slm__writer_meta_u32s(writer, "layer.heads", &config->heads, 1, error));
    SLM_TRY(slm__writer_meta_u32s(writer, "layer.kv_heads", &config->kv_heads, 1, error));
    return slm__writer_meta_u32s(writer, "layer.head_dim", &config->head_dim, 1, error);
}

static slm_status write_rope(struct slm_weight_writer *writer, const struct slm_family_config *config, slm_error *error)
{
    SLM_TRY(slm__writer_meta_u64(writer, "rope.sets", config->rope_sets, error));
    for (uint32_t i = 0; i < config->rope_sets; i++) {
        char key[48];
        snprintf(key, sizeof key, "rope.%u.attention_factor", (unsigned)i);
        SLM_TRY(slm__writer_meta_f64(writer, key, config->rope[i].attention_factor, error));
        snprintf(key, sizeof key, "rope.%u.switch_length", (unsigned)i);
        SLM_TRY(write_switch(writer, key, config->rope[i].switch_length, 0, error));
    }
    return SLM_OK;
}

slm_status slm__write_traits(struct slm_weight_writer *writer, const struct slm_family_config *config, slm_error *error)
{
    const bool encoder = (config->family->flags & SLM_FAMILY_ENCODER) != 0;
    if (encoder || config->activation == SLM_ACTIVATION_KIND_GELU_ERF) {
        slm__writer_needs(writer, 2);
    }
    SLM_TRY(slm__writer_meta_text(writer, "general.family", slm__span_text(config->family->name), error));
    SLM_TRY(slm__writer_meta_u64(writer, "general.parameters", slm__family_config_parameters(config), error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.layers", config->layers, error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.hidden_size", config->hidden, error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.vocab_size", config->vocab, error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.max_context", config->max_context, error));
    SLM_TRY(slm__writer_meta_f64(writer, "model.norm_eps", config->eps, error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.tied", encoder ? 2 : (config->traits & SLM_TRAIT_UNTIED) == 0 ? 1 : 0, error));
    SLM_TRY(write_arithmetic(writer, config, error));
    SLM_TRY(write_layer_arrays(writer, config, error));
    SLM_TRY(write_rope(writer, config, error));
    if (config->pooling != SLM_POOLING_KIND_NONE) {
        SLM_TRY(slm__writer_meta_u64(writer, "embedding.pooling", (uint64_t)config->pooling, error));
        SLM_TRY(slm__writer_meta_u64(writer, "embedding.normalize", config->normalize ? 1 : 0, error));
    }
    return write_ids(writer, config, error);
}

static slm_status write_text(struct slm_weight_writer *writer, const char *key, struct slm_span text, slm_error *error)
{
    return text.length > 0 ? slm__writer_meta_text(writer, key, text, error) : SLM_OK;
}

static slm_status write_generation(struct slm_weight_writer *writer, const struct slm_generation_defaults *defaults, slm_error *error)
{
    if (defaults->temperature > 0.0) {
        SLM_TRY(slm__writer_meta_f64(writer, "generation.temperature", defaults->temperature, error));
    }
    if (defaults->top_k > 0) {
        SLM_TRY(slm__writer_meta_u64(writer, "generation.top_k", defaults->top_k, error));
    }
    if (defaults->top_p > 0.0) {
        SLM_TRY(slm__writer_meta_f64(writer, "generation.top_p", defaults->top_p, error));
    }
    if (defaults->repetition_penalty > 0.0) {
        SLM_TRY(slm__writer_meta_f64(writer, "generation.repetition_penalty", defaults->repetition_penalty, error));
    }
    return SLM_OK;
}

slm_status slm__write_texts(struct slm_weight_writer *writer, const struct slm_checkpoint *checkpoint, const char *sha256, slm_error *error)
{
    const struct slm_checkpoint_texts *texts = &checkpoint->texts;
    SLM_TRY(write_text(writer, "general.name", texts->name, error));
    SLM_TRY(write_text(writer, "text.license", texts->license, error));
    SLM_TRY(write_text(writer, "text.notice", texts->notice, error));
    SLM_TRY(write_text(writer, "text.chat_template", texts->chat_template, error));
    SLM_TRY(write_text(writer, "text.template_tokens", texts->template_tokens, error));
    SLM_TRY(slm__writer_meta_text(writer, "source.format", slm__span_text(checkpoint->format), error));
    SLM_TRY(slm__writer_meta_text(writer, "source.sha256", slm__span_text(sha256), error));
    SLM_TRY(slm__writer_meta_text(writer, "source.tool", slm__span_text(TOOL), error));
    return write_generation(writer, &checkpoint->generation, error);
}
