/* SPDX-License-Identifier: MIT */
/*
 * Taking a model's answer apart: content, reasoning, tool calls. The answer lies in one buffer of planned size; what is given out are
 * ranges of it, each byte once and in order, so nothing can get lost. Every byte is looked at a bounded number of times, however the
 * answer is cut into pieces and whatever is in it.
 *
 *   chat_parse.c         content, reasoning, markers; what may be shown and what is held back
 *   chat_call_scan.c     where a call ends, byte by byte
 *   chat_call_read.c     a complete call to name, arguments and id
 *   chat_format.c        formats by the markers of a template
 *   chat_answer.c        a whole answer to a message of the OpenAI form
 */
#ifndef SLM_TEXT_CHAT_PARSE_H
#define SLM_TEXT_CHAT_PARSE_H

#include "base/buffer.h"      /* struct slm_buffer */
#include "base/span.h"        /* struct slm_span */
#include "base/status.h"      /* slm_status, slm_error */
#include "text/chat_format.h" /* struct slm_chat_format, struct slm_chat_region */

struct slm_chat_parser_options {
    int32_t format;    /* SLM_CHAT_FORMAT_..., not AUTO */
    bool in_reasoning; /* the answer begins inside a reasoning block */
    uint32_t first_call;
    struct slm_span tools; /* JSON list, or empty; copied */
    size_t max_bytes;
};

enum slm_chat_state { SLM_CHAT_IN_CONTENT, SLM_CHAT_IN_REASONING, SLM_CHAT_IN_REGION };

/* For chat_parse.c alone; it lies here so that the one-file build knows one struct of this name. */
struct slm_chat_parser {
    struct slm_memory memory;
    const struct slm_chat_format *format;
    struct slm_arena tools_memory;
    const struct slm_json *tools;
    size_t bytes;    /* of this block */
    size_t capacity; /* of text */
    bool starts_in_reasoning;
    uint32_t next_call;

    size_t length;
    bool ended;
    enum slm_chat_state state;
    size_t given;         /* all before this was given out */
    size_t scan;          /* all before this was looked at */
    size_t solid;         /* behind the last byte that is no white space, among those looked at and not given out */
    bool fresh;           /* only white space since the answer or the state began */
    bool first;           /* nothing but white space at all yet: it is content if content follows */
    bool in_answer_block; /* inside a block that is content */
    const char *close;    /* what ends the reasoning; NULL: any */
    struct slm_chat_region region;
    struct slm_chat_calls calls; /* of a region that is complete */
    size_t call_count, call_next;
    char id[16];
    uint8_t text[];
};

/* The format whose markers the template contains, or SLM_CHAT_FORMAT_PLAIN. */
int32_t slm__chat_format_detect(struct slm_span source);

/* Errors: SLM_E_NO_MEMORY; SLM_E_SYNTAX, SLM_E_ENCODING, SLM_E_LIMIT of `tools`. */
slm_status slm__chat_parser_create(const struct slm_memory *memory, const struct slm_chat_parser_options *options,
                                   struct slm_chat_parser **parser, slm_error *error);
/* NULL is fine. */
void slm__chat_parser_destroy(struct slm_chat_parser *parser);
/* SLM_E_LIMIT, SLM_E_STATE. */
slm_status slm__chat_parser_add(struct slm_chat_parser *parser, struct slm_span text, slm_error *error);
void slm__chat_parser_end(struct slm_chat_parser *parser);
/* `event` is of the known size. SLM_E_NO_MEMORY: nothing has changed. */
slm_status slm__chat_parser_next(struct slm_chat_parser *parser, slm_chat_event *event, slm_error *error);
void slm__chat_parser_reset(struct slm_chat_parser *parser);

/* A whole answer as a JSON message, appended to `out`. Errors: those above, SLM_E_ENCODING (the answer is not valid UTF-8). */
slm_status slm__chat_answer(const struct slm_memory *memory, const struct slm_chat_parser_options *options, struct slm_span answer,
                            struct slm_buffer *out, slm_error *error);

#endif
