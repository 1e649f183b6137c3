/* SPDX-License-Identifier: MIT */
/* Conversations to prompts: as text, and as token ids with provenance. Built with SLM_WITH_CHAT=0 every call says that it was left out. */
#include "api/handles.h"

#if SLM_WITH_CHAT
#  include "base/buffer.h"        /* struct slm_buffer */
#  include "base/clock.h"         /* slm__clock_local_seconds */
#  include "model/vision_tower.h" /* struct slm_vision_tower */
#  include "text/chat_template.h" /* slm__chat_render */
#  include "text/chat_tokenize.h" /* slm__chat_tokenize */

enum { TEXT_LIMIT = 1 << 30 };

/* Check what both calls are given, and collect it. */
static slm_status read_prompt(const struct slm_model *model, const char *request, uint64_t length, const slm_chat_options *options,
                              slm_chat_options *known, struct slm_chat_prompt *prompt, slm_error *error)
{
    *prompt = (struct slm_chat_prompt){0};
    SLM_TRY(slm__options_in(known, sizeof *known, options, error));
    SLM_TRY(slm__text_in(request, length, "request", &prompt->request, error));
    if ((known->flags & ~(uint32_t)(SLM_CHAT_STRICT | SLM_CHAT_REFERENCE_TOKENS)) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", known->flags);
    }
    if (model != NULL) {
        prompt->source = model->runtime.chat_template;
        prompt->tokens_json = model->runtime.template_tokens;
    }
    if (known->template_text != NULL) {
        return slm__text_in(known->template_text, known->template_length, "template_text", &prompt->source, error);
    }
    if (prompt->source.length == 0) {
        return slm__fail(error, SLM_E_NO_TEMPLATE, "%s; give one in the options",
                         model != NULL ? "the model has no chat template" : "model is NULL");
    }
    return SLM_OK;
}

/* How prompts of a model that sees have their images. */
static void place_images(const struct slm_model *model, struct slm_chat_images *images)
{
    const struct slm_vision_tower *tower = model->transformer.vision;
    if (tower != NULL && (uint32_t)tower->image_token < slm__tokenizer_size(&model->tokenizer)) {
        *images = (struct slm_chat_images){.marker = tower->marker,
                                           .before = tower->before,
                                           .token = slm__tokenizer_bytes(&model->tokenizer, (uint32_t)tower->image_token),
                                           .after = tower->after,
                                           .tokens = tower->tokens};
    }
}

static struct slm_template_options template_options(const slm_chat_options *known)
{
    return (struct slm_template_options){.now = known->now != 0 ? known->now : slm__clock_local_seconds(),
                                         .strict = (known->flags & SLM_CHAT_STRICT) != 0};
}

slm_status slm_chat_render(slm_engine *engine, const slm_model *model, const char *request, uint64_t length,
                           const slm_chat_options *options, char *text, uint64_t capacity, uint64_t *needed, slm_error *error)
{
    slm_chat_options known;
    struct slm_chat_prompt prompt;
    struct slm_buffer buffer;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__require(needed, "needed", error));
    SLM_TRY(read_prompt(model, request, length, options, &known, &prompt, error));
    const struct slm_template_options rendering = template_options(&known);
    slm__buffer_init(&buffer, &engine->memory, TEXT_LIMIT);
    slm_status status = slm__chat_render(&engine->memory, prompt.source, prompt.request, prompt.tokens_json, &rendering, &buffer, error);
    if (status == SLM_OK) {
        status = slm__copy_out(slm__span(buffer.data, buffer.length), text, capacity, needed, error);
    }
    slm__buffer_free(&buffer);
    return status;
}

slm_status slm_chat_tokenize(const slm_model *model, const char *request, uint64_t length, const slm_chat_options *options, int32_t *ids,
                             uint64_t capacity, uint64_t *count, slm_error *error)
{
    slm_chat_options known;
    struct slm_chat_prompt prompt;
    struct slm_buffer buffer;
    SLM_TRY(slm__require(model, "model", error));
    SLM_TRY(slm__require(count, "count", error));
    if (capacity > 0) {
        SLM_TRY(slm__require(ids, "ids", error));
    }
    if (model->runtime.tokenizer == NULL) {
        return slm__fail(error, SLM_E_NO_TOKENIZER, "the model has no tokenizer: it works on token ids only");
    }
    SLM_TRY(read_prompt(model, request, length, options, &known, &prompt, error));
    place_images(model, &prompt.images);
    const struct slm_template_options rendering = template_options(&known);
    const bool reference = (known.flags & SLM_CHAT_REFERENCE_TOKENS) != 0;
    slm__buffer_init(&buffer, &model->engine->memory, TEXT_LIMIT);
    slm_status status =
        slm__chat_tokenize(model->runtime.tokenizer, &model->engine->memory, &prompt, &rendering, reference, &buffer, error);
    if (status == SLM_OK) {
        *count = buffer.length / sizeof *ids;
        if (*count > capacity) {
            status = slm__fail(error, SLM_E_BUFFER_TOO_SMALL, "%llu token ids do not fit into %llu", (unsigned long long)*count,
                               (unsigned long long)capacity);
        } else if (*count > 0) {
            memcpy(ids, buffer.data, buffer.length);
        }
    }
    slm__buffer_free(&buffer);
    return status;
}

#else

static slm_status left_out(slm_error *error)
{
    return slm__fail(error, SLM_E_UNSUPPORTED, "this build of libslm has no chat templates (WITH_CHAT=0)");
}

slm_status slm_chat_render(slm_engine *engine, const slm_model *model, const char *request, uint64_t length,
                           const slm_chat_options *options, char *text, uint64_t capacity, uint64_t *needed, slm_error *error)
{
    (void)engine, (void)model, (void)request, (void)length, (void)options, (void)text, (void)capacity, (void)needed;
    return left_out(error);
}

slm_status slm_chat_tokenize(const slm_model *model, const char *request, uint64_t length, const slm_chat_options *options, int32_t *ids,
                             uint64_t capacity, uint64_t *count, slm_error *error)
{
    (void)model, (void)request, (void)length, (void)options, (void)ids, (void)capacity, (void)count;
    return left_out(error);
}

#endif
