/* SPDX-License-Identifier: MIT */
/* What a model says about itself. */
#include "api/handles.h"
#include "model/vision_tower.h" /* struct slm_vision_tower */
#include <string.h>

static float meta_f32(const struct slm_weight_file *file, const char *key)
{
    double value = 0;
    return slm__meta_f64(file, key, &value) ? (float)value : 0.0f;
}

static uint64_t meta_u64(const struct slm_weight_file *file, const char *key)
{
    uint64_t value = 0;
    return slm__meta_u64(file, key, &value) ? value : 0;
}

static void describe_transformer(const struct slm_transformer *t, slm_model_info *info)
{
    info->layers = t->layer_count;
    info->hidden_size = t->hidden_size;
    info->vocab_size = t->vocab_size;
    info->max_context = t->max_context;
    info->heads = t->layers[0].heads;
    info->kv_heads = t->layers[0].kv_heads;
    info->head_dim = t->layers[0].head_dim;
    info->body_type = (int32_t)t->layers[0].attn_out.type;
    info->head_type = (int32_t)(t->head_kind == SLM_HEAD_NONE ? t->embed.type : t->head.type);
    info->tied = t->head_kind == SLM_HEAD_TIED ? 1 : 0;
    info->encoder = t->bidirectional ? 1 : 0;
    info->bos_token = t->bos_token;
    info->eos_count = t->eos_count;
    memcpy(info->eos_tokens, t->eos_tokens, sizeof info->eos_tokens);
    info->bytes_per_token = slm__transformer_bytes_per_token(t);
    info->body_ops_per_token = slm__transformer_body_ops(t);
}

slm_status slm_model_get_info(const slm_model *model, slm_model_info *info, slm_error *error)
{
    SLM_TRY(slm__require(model, "model", error));
    slm_model_info known = {.struct_size = sizeof known, .bos_token = -1};
    if (model->transformer.layer_count > 0) {
        describe_transformer(&model->transformer, &known);
    }
    if (slm__vision_of(&model->transformer) != NULL) {
        known.image_size = model->transformer.vision->image_size;
        known.image_tokens = model->transformer.vision->tokens;
        known.image_token = model->transformer.vision->image_token;
    }
    known.has_tokenizer = model->runtime.tokenizer != NULL;
    known.has_chat_template = model->runtime.chat_template.length > 0;
    known.token_count = known.has_tokenizer ? slm__tokenizer_size(&model->tokenizer) : 0;
    known.parameters = meta_u64(&model->file, "general.parameters");
    known.pooling = (int32_t)model->runtime.pooling;
    known.normalize = model->runtime.normalize ? 1 : 0;
    known.file_bytes = model->file.size;
    known.default_temperature = meta_f32(&model->file, "generation.temperature");
    known.default_top_p = meta_f32(&model->file, "generation.top_p");
    known.default_top_k = (uint32_t)meta_u64(&model->file, "generation.top_k");
    known.default_repetition_penalty = meta_f32(&model->file, "generation.repetition_penalty");
    return slm__struct_out(info, &known, sizeof known, error);
}

slm_status slm_model_text(const slm_model *model, int32_t which, const char **text, uint64_t *length, slm_error *error)
{
    static const char *const keys[] = {NULL,          "general.name",       "general.family", "text.license",
                                       "text.notice", "text.chat_template", "source.sha256",  "text.template_tokens"};
    struct slm_span span = {(const uint8_t *)"", 0};
    SLM_TRY(slm__require(model, "model", error));
    SLM_TRY(slm__require(text, "text", error));
    SLM_TRY(slm__require(length, "length", error));
    if (which < 1 || which >= (int32_t)(sizeof keys / sizeof keys[0])) {
        return slm__fail(error, SLM_E_ARGUMENT, "which is %d, no SLM_TEXT_ number", which);
    }
    (void)slm__meta_text(&model->file, keys[which], &span);
    *text = (const char *)span.data;
    *length = span.length;
    return SLM_OK;
}
