/* SPDX-License-Identifier: MIT */
/* Answers taken apart: the parser's handle and the call for whole answers. With SLM_WITH_CHAT=0 every call says that it was left out. */
#include "api/handles.h"

#if SLM_WITH_CHAT
#  include "base/buffer.h"     /* struct slm_buffer */
#  include "text/chat_parse.h" /* struct slm_chat_parser */

enum { TEXT_LIMIT = 1 << 30, DEFAULT_BYTES = 1 << 20 };

/* The format that is asked for: by its number, or by a template. */
static slm_status choose_format(const struct slm_model *model, const slm_chat_parse_options *known, int32_t *format, slm_error *error)
{
    struct slm_span source = {NULL, 0};
    if (known->format < SLM_CHAT_FORMAT_AUTO || known->format > SLM_CHAT_FORMAT_FUNCTIONARY) {
        return slm__fail(error, SLM_E_ARGUMENT, "format is %d, which is none of SLM_CHAT_FORMAT_...", known->format);
    }
    if (model != NULL) {
        source = model->runtime.chat_template;
    }
    if (known->template_text != NULL) {
        SLM_TRY(slm__text_in(known->template_text, known->template_length, "template_text", &source, error));
    }
    *format = known->format != SLM_CHAT_FORMAT_AUTO ? known->format : slm__chat_format_detect(source);
    return SLM_OK;
}

static slm_status read_options(const struct slm_model *model, const slm_chat_parse_options *options,
                               struct slm_chat_parser_options *parsing, slm_error *error)
{
    slm_chat_parse_options known;
    memset(parsing, 0, sizeof *parsing);
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    if ((known.flags & ~(uint32_t)SLM_CHAT_PARSE_IN_REASONING) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", known.flags);
    }
    if (known.max_bytes > TEXT_LIMIT) {
        return slm__fail(error, SLM_E_ARGUMENT, "max_bytes is %llu, at most %d are supported", (unsigned long long)known.max_bytes,
                         TEXT_LIMIT);
    }
    SLM_TRY(choose_format(model, &known, &parsing->format, error));
    SLM_TRY(slm__text_in(known.tools, known.tools_length, "tools", &parsing->tools, error));
    parsing->in_reasoning = (known.flags & SLM_CHAT_PARSE_IN_REASONING) != 0;
    parsing->first_call = known.first_call != 0 ? known.first_call : 1;
    parsing->max_bytes = known.max_bytes != 0 ? (size_t)known.max_bytes : DEFAULT_BYTES;
    return SLM_OK;
}

slm_status slm_chat_parse(slm_engine *engine, const slm_model *model, const char *answer, uint64_t length,
                          const slm_chat_parse_options *options, char *message, uint64_t capacity, uint64_t *needed, slm_error *error)
{
    struct slm_chat_parser_options parsing;
    struct slm_span text;
    struct slm_buffer buffer;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__require(needed, "needed", error));
    SLM_TRY(slm__text_in(answer, length, "answer", &text, error));
    SLM_TRY(read_options(model, options, &parsing, error));
    slm__buffer_init(&buffer, &engine->memory, SIZE_MAX);
    slm_status status = slm__chat_answer(&engine->memory, &parsing, text, &buffer, error);
    if (status == SLM_OK) {
        status = slm__copy_out(slm__span(buffer.data, buffer.length), message, capacity, needed, error);
    }
    slm__buffer_free(&buffer);
    return status;
}

slm_status slm_chat_parser_create(slm_engine *engine, const slm_model *model, const slm_chat_parse_options *options,
                                  slm_chat_parser **parser, slm_error *error)
{
    struct slm_chat_parser_options parsing;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__require(parser, "parser", error));
    SLM_TRY(read_options(model, options, &parsing, error));
    return slm__chat_parser_create(&engine->memory, &parsing, parser, error);
}

slm_status slm_chat_parser_destroy(slm_chat_parser *parser)
{
    slm__chat_parser_destroy(parser);
    return SLM_OK;
}

slm_status slm_chat_parser_add(slm_chat_parser *parser, const char *text, uint64_t length, slm_error *error)
{
    struct slm_span span;
    SLM_TRY(slm__require(parser, "parser", error));
    SLM_TRY(slm__text_in(text, length, "text", &span, error));
    return slm__chat_parser_add(parser, span, error);
}

slm_status slm_chat_parser_end(slm_chat_parser *parser, slm_error *error)
{
    SLM_TRY(slm__require(parser, "parser", error));
    slm__chat_parser_end(parser);
    return SLM_OK;
}

slm_status slm_chat_parser_next(slm_chat_parser *parser, slm_chat_event *event, slm_error *error)
{
    slm_chat_event known = {.struct_size = sizeof known};
    SLM_TRY(slm__require(parser, "parser", error));
    SLM_TRY(slm__require(event, "event", error));
    SLM_TRY(slm__struct_out(event, &known, sizeof known, error)); /* a wrong size is found before an event is taken */
    SLM_TRY(slm__chat_parser_next(parser, &known, error));
    return slm__struct_out(event, &known, sizeof known, error);
}

slm_status slm_chat_parser_reset(slm_chat_parser *parser, slm_error *error)
{
    SLM_TRY(slm__require(parser, "parser", error));
    slm__chat_parser_reset(parser);
    return SLM_OK;
}

#else

static slm_status left_out(slm_error *error)
{
    return slm__fail(error, SLM_E_UNSUPPORTED, "this build of libslm does not take answers apart (WITH_CHAT=0)");
}

slm_status slm_chat_parse(slm_engine *engine, const slm_model *model, const char *answer, uint64_t length,
                          const slm_chat_parse_options *options, char *message, uint64_t capacity, uint64_t *needed, slm_error *error)
{
    (void)engine, (void)model, (void)answer, (void)length, (void)options, (void)message, (void)capacity, (void)needed;
    return left_out(error);
}

slm_status slm_chat_parser_create(slm_engine *engine, const slm_model *model, const slm_chat_parse_options *options,
                                  slm_chat_parser **parser, slm_error *error)
{
    (void)engine, (void)model, (void)options, (void)parser;
    return left_out(error);
}

slm_status slm_chat_parser_destroy(slm_chat_parser *parser)
{
    (void)parser;
    return SLM_OK;
}

slm_status slm_chat_parser_add(slm_chat_parser *parser, const char *text, uint64_t length, slm_error *error)
{
    (void)parser, (void)text, (void)length;
    return left_out(error);
}

slm_status slm_chat_parser_end(slm_chat_parser *parser, slm_error *error)
{
    (void)parser;
    return left_out(error);
}

slm_status slm_chat_parser_next(slm_chat_parser *parser, slm_chat_event *event, slm_error *error)
{
    (void)parser, (void)event;
    return left_out(error);
}

slm_status slm_chat_parser_reset(slm_chat_parser *parser, slm_error *error)
{
    (void)parser;
    return left_out(error);
}

#endif
