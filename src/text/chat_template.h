/* SPDX-License-Identifier: MIT */
/* Chat templates: a conversation as JSON and a Jinja template to the text of the prompt, as transformers' apply_chat_template makes it. */
#ifndef SLM_TEXT_CHAT_TEMPLATE_H
#define SLM_TEXT_CHAT_TEMPLATE_H

#include "base/buffer.h" /* struct slm_buffer */
#include "base/memory.h" /* struct slm_memory */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

/* A part of the output with one origin: written by the template (or one of its special tokens), or taken from the request. */
struct slm_template_piece {
    size_t offset;
    size_t length;
    bool trusted;
};

struct slm_template_options {
    int64_t now;               /* local seconds since 1970, for strftime_now */
    bool strict;               /* render messages exactly as given */
    size_t output_limit;       /* bytes; 0: 16 MB */
    size_t memory_limit;       /* bytes; 0: 64 MB */
    uint64_t step_limit;       /* 0: 20 million */
    struct slm_buffer *pieces; /* may be NULL: receives struct slm_template_piece, one behind the other, covering the output */
};

/*
 * Render `source` for a request: a JSON object with messages, and optionally tools, documents, add_generation_prompt (default true) and
 * extra, an object of further variables. tokens_json: a JSON object of special tokens by the names the template knows (bos_token ...), or
 * an empty span; `extra` wins over it. The text is appended to `out`, which is unchanged on failure.
 *
 * Origin: the template's own text and the special tokens are trusted (also those in extra, under a name that ends in "_token"), and so
 * are the usual roles of messages (system, developer, user, assistant, tool, function, ipython); everything else of the request is not.
 *
 * Unless options->strict, messages that are legal for the OpenAI API but break the template are changed as little as needed
 * (chat_messages.h).
 *
 * Errors: SLM_E_BAD_VALUE (the request is not of this form, or has no message), SLM_E_SYNTAX (JSON or template, with line and column),
 * SLM_E_TEMPLATE (the template's own refusal, with exactly its message; or an operation that fails, with the template's line),
 * SLM_E_LIMIT, SLM_E_ENCODING, SLM_E_NO_MEMORY.
 */
slm_status slm__chat_render(const struct slm_memory *memory, struct slm_span source, struct slm_span request, struct slm_span tokens_json,
                            const struct slm_template_options *options, struct slm_buffer *out, slm_error *error);

/* The general form: any variables (a JSON object), no rules of chats. */
slm_status slm__template_render(const struct slm_memory *memory, struct slm_span source, struct slm_span variables_json,
                                const struct slm_template_options *options, struct slm_buffer *out, slm_error *error);

#endif
