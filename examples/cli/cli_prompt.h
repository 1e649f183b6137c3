/* SPDX-License-Identifier: MIT */
/* From what a person typed to token ids: building the request, rendering the template, tokenizing, parsing id lists. */
#ifndef SLM_CLI_PROMPT_H
#define SLM_CLI_PROMPT_H

#include "examples/cli/cli_model.h" /* struct cli_model */
#include "examples/cli/cli_text.h"  /* struct cli_text */

struct cli_ids {
    int32_t *items; /* freed by the owner with cli_ids_free() */
    size_t count;
    size_t capacity;
};

void cli_ids_free(struct cli_ids *ids);
/* Make room for `capacity` ids: 0, or -1 without memory. */
int cli_ids_reserve(struct cli_ids *ids, size_t capacity);
/* "1,2,3", blanks allowed: 0; -1: something else; -2: no memory. */
int cli_ids_parse(struct cli_ids *ids, const char *text);

/* These return -1 to go on, or the exit code after a message. */

/* {"role":ROLE,"content":CONTENT} */
void cli_message_add(struct cli_text *request, const char *role, const char *content, size_t length);
/* The same with so many images in front of the text: content in parts. */
void cli_message_add_images(struct cli_text *request, const char *role, size_t images, const char *content, size_t length);
/* Render a request through the chat template into `prompt`. `model` may be NULL when `options` hold a template. */
int cli_prompt_render(const struct cli_model *opened, const slm_chat_options *options, const struct cli_text *request,
                      struct cli_text *prompt);
/* A request to ids: special tokens in messages are plain text, unless they are trusted. */
int cli_prompt_chat(const struct cli_model *opened, const struct cli_text *request, int trust_messages, struct cli_ids *ids);
int cli_prompt_tokenize(const struct cli_model *opened, const char *text, size_t length, uint32_t flags, struct cli_ids *ids);
int cli_prompt_detokenize(const struct cli_model *opened, const struct cli_ids *ids, uint32_t flags, struct cli_text *text);

#endif
