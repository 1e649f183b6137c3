/* SPDX-License-Identifier: MIT */
/* Prompts (see cli_prompt.h). The library says how much room a result needs; a first guess saves most second calls. */
#include "examples/cli/cli_prompt.h" /* struct cli_ids */

#include "examples/cli/cli_json.h"   /* cli_json_add_string */
#include "examples/cli/cli_output.h" /* cli_fail_library, cli_fail_memory */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void cli_ids_free(struct cli_ids *ids)
{
    free(ids->items);
    *ids = (struct cli_ids){0};
}

int cli_ids_reserve(struct cli_ids *ids, size_t capacity)
{
    if (ids->items != NULL && capacity <= ids->capacity) {
        return 0;
    }
    const size_t grown = capacity < 256 ? 256 : capacity + capacity / 2;
    int32_t *items = capacity <= SIZE_MAX / 8 ? realloc(ids->items, grown * sizeof *items) : NULL;
    if (items == NULL) {
        return -1;
    }
    ids->items = items;
    ids->capacity = grown;
    return 0;
}

int cli_ids_parse(struct cli_ids *ids, const char *text)
{
    const char *at = text;
    ids->count = 0;
    for (;;) {
        char *end = NULL;
        errno = 0;
        const long value = strtol(at, &end, 10);
        if (end == at || errno != 0 || value < INT32_MIN || value > INT32_MAX) {
            return -1;
        }
        if (cli_ids_reserve(ids, ids->count + 1) != 0) {
            return -2;
        }
        ids->items[ids->count++] = (int32_t)value;
        at = end + strspn(end, " ");
        if (*at == '\0') {
            return 0;
        }
        if (*at == ',') {
            at++;
        } else if (at == end) {
            return -1;
        }
    }
}

void cli_message_add(struct cli_text *request, const char *role, const char *content, size_t length)
{
    cli_text_add_string(request, "{\"role\":");
    cli_json_add_string(request, role, strlen(role));
    cli_text_add_string(request, ",\"content\":");
    cli_json_add_string(request, content, length);
    cli_text_add_string(request, "}");
}

void cli_message_add_images(struct cli_text *request, const char *role, size_t images, const char *content, size_t length)
{
    if (images == 0) {
        cli_message_add(request, role, content, length);
        return;
    }
    cli_text_add_string(request, "{\"role\":");
    cli_json_add_string(request, role, strlen(role));
    cli_text_add_string(request, ",\"content\":[");
    for (size_t i = 0; i < images; i++) {
        cli_text_add_string(request, "{\"type\":\"image\"},");
    }
    cli_text_add_string(request, "{\"type\":\"text\",\"text\":");
    cli_json_add_string(request, content, length);
    cli_text_add_string(request, "}]}");
}

int cli_prompt_render(const struct cli_model *opened, const slm_chat_options *options, const struct cli_text *request,
                      struct cli_text *prompt)
{
    slm_error error = cli_error_empty();
    slm_status status = SLM_E_BUFFER_TOO_SMALL;
    uint64_t needed = request->length + 1024;
    while (status == SLM_E_BUFFER_TOO_SMALL) {
        if (request->failed || needed > SIZE_MAX / 4 || cli_text_reserve(prompt, (size_t)needed) != 0) {
            return cli_fail_memory(opened->command);
        }
        status = slm_chat_render(opened->engine, opened->model, request->bytes, request->length, options, prompt->bytes, prompt->capacity,
                                 &needed, &error);
    }
    if (status != SLM_OK) {
        return cli_fail_library(opened->command, status, &error);
    }
    prompt->length = (size_t)needed;
    prompt->bytes[prompt->length] = '\0';
    return -1;
}

int cli_prompt_chat(const struct cli_model *opened, const struct cli_text *request, int trust_messages, struct cli_ids *ids)
{
    const slm_chat_options options = {.struct_size = sizeof options, .flags = trust_messages ? SLM_CHAT_REFERENCE_TOKENS : 0};
    slm_error error = cli_error_empty();
    slm_status status = SLM_E_BUFFER_TOO_SMALL;
    uint64_t count = request->length / 2 + 256;
    while (status == SLM_E_BUFFER_TOO_SMALL) {
        if (request->failed || count > SIZE_MAX / 8 || cli_ids_reserve(ids, (size_t)count) != 0) {
            return cli_fail_memory(opened->command);
        }
        status = slm_chat_tokenize(opened->model, request->bytes, request->length, &options, ids->items, ids->capacity, &count, &error);
    }
    ids->count = (size_t)count;
    return status == SLM_OK ? -1 : cli_fail_library(opened->command, status, &error);
}

int cli_prompt_tokenize(const struct cli_model *opened, const char *text, size_t length, uint32_t flags, struct cli_ids *ids)
{
    slm_error error = cli_error_empty();
    slm_status status = SLM_E_BUFFER_TOO_SMALL;
    uint64_t count = length / 2 + 64;
    while (status == SLM_E_BUFFER_TOO_SMALL) {
        if (count > SIZE_MAX / 8 || cli_ids_reserve(ids, (size_t)count) != 0) {
            return cli_fail_memory(opened->command);
        }
        status = slm_tokenize(opened->model, text, length, flags, ids->items, ids->capacity, &count, &error);
    }
    ids->count = (size_t)count;
    return status == SLM_OK ? -1 : cli_fail_library(opened->command, status, &error);
}

int cli_prompt_detokenize(const struct cli_model *opened, const struct cli_ids *ids, uint32_t flags, struct cli_text *text)
{
    slm_error error = cli_error_empty();
    slm_status status = SLM_E_BUFFER_TOO_SMALL;
    uint64_t needed = ids->count * 6 + 64;
    while (status == SLM_E_BUFFER_TOO_SMALL) {
        if (needed > SIZE_MAX / 4 || cli_text_reserve(text, (size_t)needed) != 0) {
            return cli_fail_memory(opened->command);
        }
        status = slm_detokenize(opened->model, ids->items, ids->count, flags, text->bytes, text->capacity, &needed, &error);
    }
    if (status != SLM_OK) {
        return cli_fail_library(opened->command, status, &error);
    }
    text->length = (size_t)needed;
    text->bytes[text->length] = '\0';
    return -1;
}
