/* SPDX-License-Identifier: MIT */
/* The simple case, made of the parts that a program can also call one by one. */
#include "runtime/generate.h"
#include "base/buffer.h"        /* struct slm_buffer */
#include "base/utf8.h"          /* slm__utf8_valid_prefix */
#include "base/clock.h"         /* slm__clock_ns, slm__clock_local_seconds */
#include "runtime/input_ids.h"  /* slm__tokenize_behind */
#include "text/chat_tokenize.h" /* slm__chat_tokenize */
#include <string.h>

static const struct slm_runtime_model *model_of(const struct slm_session *session) { return session->pool->model; }

#if SLM_WITH_CHAT
enum { PROMPT_LIMIT = 64 << 20 }; /* bytes of a rendered prompt */

/* The ids (int32_t) of the prompt as the only user message of a conversation; special tokens written in it are plain text. */
static slm_status tokenize_message(const struct slm_runtime_model *model, struct slm_span message, struct slm_buffer *ids, slm_error *error)
{
    struct slm_buffer request;
    slm__buffer_init(&request, model->memory, PROMPT_LIMIT);
    slm__buffer_append_text(&request, "{\"messages\":[{\"role\":\"user\",\"content\":");
    slm__buffer_append_json_string(&request, message);
    slm__buffer_append_text(&request, "}],\"add_generation_prompt\":true}");
    slm_status status = request.status == SLM_OK ? SLM_OK : slm__buffer_failure(&request, error);
    if (status == SLM_OK) {
        const struct slm_template_options options = {.now = slm__clock_local_seconds(), .output_limit = PROMPT_LIMIT};
        const struct slm_chat_prompt prompt = {
            .source = model->chat_template, .request = slm__span(request.data, request.length), .tokens_json = model->template_tokens};
        status = slm__chat_tokenize(model->tokenizer, model->memory, &prompt, &options, false, ids, error);
    }
    slm__buffer_free(&request);
    return status;
}
#else
static slm_status tokenize_message(const struct slm_runtime_model *model, struct slm_span message, struct slm_buffer *ids, slm_error *error)
{
    (void)model, (void)message, (void)ids;
    return slm__fail(error, SLM_E_UNSUPPORTED, "this build of libslm has no chat templates (WITH_CHAT=0): use SLM_GENERATE_RAW");
}
#endif

static slm_status append_prompt(struct slm_session *session, struct slm_span prompt, bool raw, uint64_t *count, slm_error *error)
{
    const struct slm_runtime_model *model = model_of(session);
    if (model->tokenizer == NULL) {
        return slm__fail(error, SLM_E_NO_TOKENIZER, "the model has no tokenizer: append token ids and use slm_session_next()");
    }
    const size_t valid = slm__utf8_valid_prefix(prompt);
    raw = raw || model->chat_template.length == 0;
    if (!raw && valid != prompt.length) {
        return slm__fail(error, SLM_E_ENCODING, "the prompt is not valid UTF-8: byte %llu", (unsigned long long)valid);
    }
    struct slm_buffer ids;
    slm__buffer_init(&ids, model->memory, SIZE_MAX);
    slm_status status =
        raw ? slm__tokenize_behind(model, prompt, SLM_TOKENIZE_ADD_SPECIAL, &ids, error) : tokenize_message(model, prompt, &ids, error);
    *count = ids.length / sizeof(int32_t);
    if (status == SLM_OK && *count > 0) {
        const slm_append_options none = {0};
        status = slm__session_append(session, (const int32_t *)(const void *)ids.data, *count, &none, error);
    }
    slm__buffer_free(&ids);
    return status;
}

struct answer {
    const slm_generate_options *options;
    char *text;
    uint64_t capacity, length;
    uint64_t deadline; /* 0: none */
    double logprobs;
};

static void give_text(struct answer *answer, const char *text, uint64_t length, int32_t *stop)
{
    if (length == 0) {
        return;
    }
    if (answer->text != NULL && answer->length + length <= answer->capacity) {
        memcpy(answer->text + answer->length, text, (size_t)length);
    }
    answer->length += length;
    if (answer->options->on_text != NULL && answer->options->on_text(answer->options->user, text, length) != 0 && *stop == SLM_STOP_NONE) {
        *stop = SLM_STOP_CALLBACK;
    }
}

/* One token; *stop says whether it was the last. */
static slm_status next_token(struct slm_session *session, struct answer *answer, int32_t *stop, slm_error *error)
{
    slm_status status = slm__session_step(session->pool, &session, 1, error);
    if (status == SLM_E_CANCELLED) {
        session->result.text_length = 0;
        *stop = SLM_STOP_CANCELLED;
        status = SLM_OK;
    } else if (status == SLM_OK) {
        *stop = session->result.stop;
        answer->logprobs += (double)session->result.logprob;
        if (answer->options->on_token != NULL && answer->options->on_token(answer->options->user, &session->result) != 0 &&
            *stop == SLM_STOP_NONE) {
            *stop = SLM_STOP_CALLBACK;
        }
        give_text(answer, (const char *)session->text, session->result.text_length, stop);
        if (*stop == SLM_STOP_NONE && answer->deadline != 0 && slm__clock_ns() >= answer->deadline) {
            *stop = SLM_STOP_TIME;
        }
    } else {
        return status;
    }
    if (*stop == SLM_STOP_TIME || *stop == SLM_STOP_CANCELLED) { /* the step did not know that it was the last */
        int32_t ignored = *stop;
        session->result.text_length = 0;
        slm__session_flush_text(session);
        give_text(answer, (const char *)session->text, session->result.text_length, &ignored);
    }
    return status;
}

static slm_status decode(struct slm_session *session, struct answer *answer, slm_generate_result *result, slm_error *error)
{
    int32_t stop = session->count == session->context ? SLM_STOP_CONTEXT : SLM_STOP_NONE;
    while (stop == SLM_STOP_NONE) {
        const uint32_t before = session->count;
        SLM_TRY(next_token(session, answer, &stop, error));
        result->new_tokens += session->count - before;
    }
    result->stop = stop;
    return SLM_OK;
}

slm_status slm__generate(struct slm_session *session, struct slm_span prompt, const slm_generate_options *options, char *text,
                         uint64_t capacity, uint64_t *needed, slm_generate_result *result, slm_error *error)
{
    const uint64_t start = slm__clock_ns();
    const uint32_t old_limit = session->max_tokens;
    struct answer answer = {.options = options, .text = text, .capacity = capacity};
    uint64_t count = 0;
    answer.deadline = options->max_milliseconds != 0 ? start + (uint64_t)options->max_milliseconds * 1000000u : 0;
    SLM_TRY(append_prompt(session, prompt, (options->flags & SLM_GENERATE_RAW) != 0, &count, error));
    result->prompt_tokens = (uint32_t)count;
    const uint64_t prefilled = slm__clock_ns();
    result->prefill_seconds = (double)(prefilled - start) * 1e-9;
    if (options->max_tokens != 0) {
        session->max_tokens = options->max_tokens;
    }
    const slm_status status = decode(session, &answer, result, error);
    session->max_tokens = old_limit;
    result->decode_seconds = (double)(slm__clock_ns() - prefilled) * 1e-9;
    result->mean_logprob = result->new_tokens > 0 ? answer.logprobs / result->new_tokens : 0.0;
    if (needed != NULL) {
        *needed = answer.length;
    }
    if (status == SLM_OK && text != NULL && answer.length > capacity) {
        return slm__fail(error, SLM_E_BUFFER_TOO_SMALL, "the answer has %llu bytes, the buffer %llu; the session holds the answer's tokens",
                         (unsigned long long)answer.length, (unsigned long long)capacity);
    }
    return status;
}
