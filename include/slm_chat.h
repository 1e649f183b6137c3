/* SPDX-License-Identifier: MIT */
/*
 * slm_chat.h - chat templates and answers; a part of slm.h, which includes it. Builds with WITH_CHAT=0 leave it out: every slm_chat_
 * call returns SLM_E_UNSUPPORTED, and so does slm_generate() on a model with a template unless SLM_GENERATE_RAW is set.
 */
#ifndef SLM_CHAT_H
#define SLM_CHAT_H

#include "slm.h" /* handles, slm_status, slm_error, the rules for every function */

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SLM_CHAT_STRICT = 1,          /* render messages exactly as given, without normalisation */
    SLM_CHAT_REFERENCE_TOKENS = 2 /* slm_chat_tokenize: control tokens are recognised everywhere, in messages too */
};

typedef struct slm_chat_options {
    uint32_t struct_size;
    uint32_t flags;               /* SLM_CHAT_... */
    const char *template_text;    /* Jinja source instead of the model's; NULL: the model's */
    uint64_t template_length;
    int64_t now;                  /* for strftime_now, seconds since 1970 in local time; 0: the clock */
} slm_chat_options;

/* Render a conversation to the prompt text. `request` is a JSON object: "messages" (OpenAI style list), and optionally
 * "tools", "documents", "add_generation_prompt" (default true) and "extra", an object of further template variables.
 * `model` may be NULL when options give a template. Unless strict, messages that are legal for the OpenAI API but that the template
 * fails on or loses are normalised, and rendered again, as little as needed: content missing beside tool calls, lists of text parts,
 * arguments as JSON text. Errors: SLM_E_SYNTAX (JSON or template, with line and column), SLM_E_BAD_VALUE (the request is not of this
 * form, or has no message), SLM_E_TEMPLATE (the template's own refusal, with its message, or an operation it cannot do), SLM_E_LIMIT,
 * SLM_E_ENCODING, SLM_E_NO_TEMPLATE. */
SLM_API slm_status slm_chat_render(slm_engine *engine, const slm_model *model, const char *request, uint64_t length,
                                   const slm_chat_options *options, char *text, uint64_t capacity, uint64_t *needed,
                                   slm_error *error);

/* A conversation to token ids, to be appended to a session as they are: what slm_chat_render() gives, tokenized without adding special
 * tokens, but with provenance: only text that the template wrote (and special tokens handed to it as variables named ..._token) can
 * become a control token. What messages, tools, documents and other variables wrote is encoded as plain text, so it cannot forge a turn
 * or a tool call. Control tokens are the special tokens of the vocabulary and all other added tokens that are written <...> or [...]
 * (<think>, <tool_call>, [INST]), but for tags of HTML, which are words of some vocabularies.
 * Without such tokens in the request, and always with SLM_CHAT_REFERENCE_TOKENS, the ids are those of the rendered text.
 * Errors: those of slm_chat_render() and slm_tokenize(). */
SLM_API slm_status slm_chat_tokenize(const slm_model *model, const char *request, uint64_t length, const slm_chat_options *options,
                                     int32_t *ids, uint64_t capacity, uint64_t *count, slm_error *error);

/* What a model writes, taken apart into content, reasoning (<think> blocks) and tool calls. How a call is written depends on the
 * family; every format also knows the reasoning blocks. A call that is not what its format says is given back as content. The markers
 * of many families are special tokens: parse text that shows them (SLM_SESSION_SHOW_SPECIAL). */
enum {
    SLM_CHAT_FORMAT_AUTO = 0,        /* by the markers in the chat template; PLAIN when it has none of these */
    SLM_CHAT_FORMAT_PLAIN = 1,       /* no calls */
    SLM_CHAT_FORMAT_LLAMA3 = 2,      /* {"name":..., "parameters":{...}} as the whole answer; <|python_tag|> */
    SLM_CHAT_FORMAT_HERMES = 3,      /* <tool_call>{"name":..., "arguments":{...}}</tool_call>: Hermes, Qwen 2.5, Qwen 3, SmolLM3 */
    SLM_CHAT_FORMAT_QWEN_XML = 4,    /* <tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>: Qwen3-Coder */
    SLM_CHAT_FORMAT_MISTRAL = 5,     /* [TOOL_CALLS][{...}], [TOOL_CALLS]NAME[ARGS]{...}; reasoning also in [THINK] */
    SLM_CHAT_FORMAT_PHI4_MINI = 6,   /* <|tool_call|>[{...}]<|/tool_call|>, functools[{...}] */
    SLM_CHAT_FORMAT_GRANITE = 7,     /* <|tool_call|>[{...}], <tool_call>[{...}]; the answer may be in <response> */
    SLM_CHAT_FORMAT_FUNCTIONARY = 8  /* <function=NAME>{...}</function>; <|python_tag|> */
};

enum {
    SLM_CHAT_PARSE_IN_REASONING = 1 /* the prompt ended inside a reasoning block, as some templates' generation prompts do */
};

typedef struct slm_chat_parse_options {
    uint32_t struct_size;
    uint32_t flags;            /* SLM_CHAT_PARSE_... */
    int32_t format;            /* SLM_CHAT_FORMAT_... */
    uint32_t first_call;       /* ids of calls that have none are "call" and a number of five digits, counted from here; 0: 1 */
    const char *template_text; /* for AUTO: Jinja source instead of the model's; NULL: the model's */
    uint64_t template_length;
    const char *tools;         /* JSON list of the tools offered: types of the arguments in QWEN_XML; NULL: guessed */
    uint64_t tools_length;
    uint64_t max_bytes;        /* of a parser: most bytes of one answer; 0: 1 MB */
} slm_chat_parse_options;

/* A whole answer to a message of the OpenAI form: {"role":"assistant","content":TEXT or null,"reasoning_content":TEXT,
 * "tool_calls":[{"id":ID,"type":"function","function":{"name":NAME,"arguments":JSON TEXT}}]}; the last two only when there are any.
 * The reasoning of several blocks is joined by newlines. `model` may be NULL. Errors: SLM_E_ENCODING (the answer is not valid UTF-8),
 * SLM_E_SYNTAX (tools), SLM_E_ARGUMENT. */
SLM_API slm_status slm_chat_parse(slm_engine *engine, const slm_model *model, const char *answer, uint64_t length,
                                  const slm_chat_parse_options *options, char *message, uint64_t capacity, uint64_t *needed,
                                  slm_error *error);

typedef struct slm_chat_parser slm_chat_parser;

enum {
    SLM_CHAT_EVENT_NONE = 0,      /* nothing more before the next text */
    SLM_CHAT_EVENT_CONTENT = 1,   /* text to show */
    SLM_CHAT_EVENT_REASONING = 2, /* text of the reasoning */
    SLM_CHAT_EVENT_CALL = 3,      /* a complete call */
    SLM_CHAT_EVENT_MARK = 4       /* text that only separates: markers, white space around them */
};

/* `text` of all events together is the text that was given in, each byte once. A call's is the text it was written as; of several
 * calls in one list the first has it all. Texts are valid until the next call on the parser. */
typedef struct slm_chat_event {
    uint32_t struct_size;
    int32_t kind;             /* SLM_CHAT_EVENT_... */
    const char *text;
    uint64_t text_length;
    const char *name;         /* of the function called */
    uint64_t name_length;
    const char *arguments;    /* a JSON object */
    uint64_t arguments_length;
    const char *id;           /* as the model wrote it, or "call00001" ... */
    uint64_t id_length;
    uint64_t pending;         /* bytes held back behind this event: perhaps a call or marker, not yet complete */
} slm_chat_event;

/* A parser for one answer after the other, piece by piece. One thread at a time. One allocation that depends on max_bytes only; further
 * memory is taken while a call is read, and for `tools`. Errors: SLM_E_ARGUMENT, SLM_E_SYNTAX (tools), SLM_E_NO_MEMORY. */
SLM_API slm_status slm_chat_parser_create(slm_engine *engine, const slm_model *model, const slm_chat_parse_options *options,
                                          slm_chat_parser **parser, slm_error *error);
/* Before the engine. NULL is fine. */
SLM_API slm_status slm_chat_parser_destroy(slm_chat_parser *parser);
/* The next piece of the answer, cut anywhere. SLM_E_LIMIT beyond max_bytes, SLM_E_STATE after the end. */
SLM_API slm_status slm_chat_parser_add(slm_chat_parser *parser, const char *text, uint64_t length, slm_error *error);
/* The answer ends here: what is held back becomes calls where they are complete, and content. */
SLM_API slm_status slm_chat_parser_end(slm_chat_parser *parser, slm_error *error);
/* The next event, SLM_CHAT_EVENT_NONE when there is none. */
SLM_API slm_status slm_chat_parser_next(slm_chat_parser *parser, slm_chat_event *event, slm_error *error);
/* Forget the answer and begin another; calls are counted on. */
SLM_API slm_status slm_chat_parser_reset(slm_chat_parser *parser, slm_error *error);

#ifdef __cplusplus
}
#endif
#endif /* SLM_CHAT_H */
