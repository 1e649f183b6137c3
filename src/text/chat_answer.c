/* SPDX-License-Identifier: MIT */
/* A whole answer to the message of the OpenAI form that it is. */
#include "text/chat_parse.h"

#include "base/utf8.h" /* slm__utf8_valid_prefix */

struct answer {
    struct slm_buffer content;
    struct slm_buffer reasoning;
    struct slm_buffer calls; /* JSON objects with commas between them */
    int32_t last;            /* kind of the last event but for markers */
};

static struct slm_span text_of(const char *text, uint64_t length) { return slm__span(text, (size_t)length); }

static void add_call(struct slm_buffer *calls, const slm_chat_event *event)
{
    slm__buffer_append_text(calls, calls->length > 0 ? ",{\"id\":" : "{\"id\":");
    slm__buffer_append_json_string(calls, text_of(event->id, event->id_length));
    slm__buffer_append_text(calls, ",\"type\":\"function\",\"function\":{\"name\":");
    slm__buffer_append_json_string(calls, text_of(event->name, event->name_length));
    slm__buffer_append_text(calls, ",\"arguments\":");
    slm__buffer_append_json_string(calls, text_of(event->arguments, event->arguments_length));
    slm__buffer_append_text(calls, "}}");
}

static void add_event(struct answer *answer, const slm_chat_event *event)
{
    if (event->kind == SLM_CHAT_EVENT_CONTENT) {
        slm__buffer_append(&answer->content, event->text, (size_t)event->text_length);
    } else if (event->kind == SLM_CHAT_EVENT_CALL) {
        add_call(&answer->calls, event);
    } else if (event->kind == SLM_CHAT_EVENT_REASONING) {
        if (answer->last != SLM_CHAT_EVENT_REASONING && answer->reasoning.length > 0) {
            slm__buffer_append_text(&answer->reasoning, "\n");
        }
        slm__buffer_append(&answer->reasoning, event->text, (size_t)event->text_length);
    }
    answer->last = event->kind;
}

static slm_status collect(struct slm_chat_parser *parser, struct slm_span text, struct answer *answer, slm_error *error)
{
    slm_chat_event event = {.struct_size = sizeof event};
    SLM_TRY(slm__chat_parser_add(parser, text, error));
    slm__chat_parser_end(parser);
    for (;;) {
        SLM_TRY(slm__chat_parser_next(parser, &event, error));
        if (event.kind == SLM_CHAT_EVENT_NONE) {
            return SLM_OK;
        }
        add_event(answer, &event);
    }
}

static slm_status write_message(const struct answer *answer, struct slm_buffer *out, slm_error *error)
{
    const struct slm_buffer *parts[] = {&answer->content, &answer->reasoning, &answer->calls};
    const size_t length = out->length;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i]->status != SLM_OK) {
            return slm__buffer_failure(parts[i], error);
        }
    }
    slm__buffer_append_text(out, "{\"role\":\"assistant\",\"content\":");
    if (answer->content.length == 0 && answer->calls.length > 0) {
        slm__buffer_append_text(out, "null");
    } else {
        slm__buffer_append_json_string(out, slm__span(answer->content.data, answer->content.length));
    }
    if (answer->reasoning.length > 0) {
        slm__buffer_append_text(out, ",\"reasoning_content\":");
        slm__buffer_append_json_string(out, slm__span(answer->reasoning.data, answer->reasoning.length));
    }
    if (answer->calls.length > 0) {
        slm__buffer_append_text(out, ",\"tool_calls\":[");
        slm__buffer_append(out, answer->calls.data, answer->calls.length);
        slm__buffer_append_text(out, "]");
    }
    slm__buffer_append_text(out, "}");
    if (out->status != SLM_OK) {
        out->length = length;
        return slm__buffer_failure(out, error);
    }
    return SLM_OK;
}

slm_status slm__chat_answer(const struct slm_memory *memory, const struct slm_chat_parser_options *options, struct slm_span text,
                            struct slm_buffer *out, slm_error *error)
{
    struct slm_chat_parser_options exact = *options;
    struct slm_chat_parser *parser = NULL;
    struct answer answer = {.last = SLM_CHAT_EVENT_NONE};
    const size_t valid = slm__utf8_valid_prefix(text);
    if (valid != text.length) {
        return slm__fail(error, SLM_E_ENCODING, "the answer is not valid UTF-8 at byte %llu", (unsigned long long)valid);
    }
    exact.max_bytes = text.length;
    SLM_TRY(slm__chat_parser_create(memory, &exact, &parser, error));
    slm__buffer_init(&answer.content, memory, SIZE_MAX);
    slm__buffer_init(&answer.reasoning, memory, SIZE_MAX);
    slm__buffer_init(&answer.calls, memory, SIZE_MAX);
    slm_status status = collect(parser, text, &answer, error);
    if (status == SLM_OK) {
        status = write_message(&answer, out, error);
    }
    slm__buffer_free(&answer.content);
    slm__buffer_free(&answer.reasoning);
    slm__buffer_free(&answer.calls);
    slm__chat_parser_destroy(parser);
    return status;
}
