/* SPDX-License-Identifier: MIT */
/* Configuration and texts become keys. Keys whose value is absent in the source are absent in the file. */
#include "import/model_metadata.h"

#include <math.h> /* sqrt */

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

slm_status slm__write_traits(struct slm_weight_writer *writer, const struct slm_family_config *config, slm_error *error)
{
    const uint32_t first_rope_set = 0;
    SLM_TRY(slm__writer_meta_text(writer, "general.family", slm__span_text(config->family->name), error));
    SLM_TRY(slm__writer_meta_u64(writer, "general.parameters", slm__family_config_parameters(config), error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.layers", config->layers, error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.hidden_size", config->hidden, error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.vocab_size", config->vocab, error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.max_context", config->max_context, error));
    SLM_TRY(slm__writer_meta_f64(writer, "model.norm_eps", config->eps, error));
    SLM_TRY(slm__writer_meta_u64(writer, "model.tied", (config->traits & SLM_TRAIT_UNTIED) == 0 ? 1 : 0, error));
    SLM_TRY(slm__writer_meta_f64(writer, "model.attention_scale", 1.0 / sqrt((double)config->head_dim), error));
    SLM_TRY(slm__writer_meta_u32s(writer, "layer.heads", &config->heads, 1, error));
    SLM_TRY(slm__writer_meta_u32s(writer, "layer.kv_heads", &config->kv_heads, 1, error));
    SLM_TRY(slm__writer_meta_u32s(writer, "layer.head_dim", &config->head_dim, 1, error));
    SLM_TRY(slm__writer_meta_u32s(writer, "layer.ffn_size", &config->ffn, 1, error));
    SLM_TRY(slm__writer_meta_u32s(writer, "layer.rope_set", &first_rope_set, 1, error));
    SLM_TRY(slm__writer_meta_u64(writer, "rope.sets", 1, error));
    SLM_TRY(slm__writer_meta_f64(writer, "rope.0.attention_factor", config->rope.attention_factor, error));
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
