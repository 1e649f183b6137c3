/* SPDX-License-Identifier: MIT */
/* What the tests of conversations share: growing texts, template folders, tokenizers opened through the public interface. */
#ifndef SLM_TESTS_CHAT_FIXTURE_H
#define SLM_TESTS_CHAT_FIXTURE_H

#include "tests/api_fixture.h" /* CHECK_OK, golden_root, golden_load */

#include <dirent.h>
#include <string.h>

/* Thursday 2026-01-15 07:45:00, as in the reference renderings. */
enum { CHAT_NOW = 1768463100 };

/* A growing text with a NUL behind it; starts zeroed. */
struct text {
    char *bytes;
    size_t length, capacity;
};

static inline void text_add(struct text *text, const char *bytes, size_t length)
{
    if (text->length + length + 1 > text->capacity) {
        text->capacity = 2 * (text->length + length + 1);
        text->bytes = realloc(text->bytes, text->capacity);
        assert_non_null(text->bytes);
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

static inline void text_put(struct text *text, const char *bytes) { text_add(text, bytes, strlen(bytes)); }

/* As the inside of a JSON string. */
static inline void text_put_escaped(struct text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        char escape[8];
        if (byte == '"' || byte == '\\') {
            snprintf(escape, sizeof escape, "\\%c", byte);
        } else if (byte < 0x20) {
            snprintf(escape, sizeof escape, "\\u%04x", byte);
        } else {
            snprintf(escape, sizeof escape, "%c", byte);
        }
        text_put(text, escape);
    }
}

static inline void text_free(struct text *text)
{
    free(text->bytes);
    memset(text, 0, sizeof *text);
}

/* Call `run` for every folder of $SLM_GOLDEN/templates with its template; the number of folders. */
static inline unsigned for_each_template(void (*run)(const char *name, struct text source, void *user), void *user)
{
    char path[1200];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/templates", golden_root());
    DIR *folder = opendir(path);
    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; entry != NULL; entry = readdir(folder)) {
        struct text source = {0};
        snprintf(path, sizeof path, "%s/templates/%s/template.jinja", golden_root(), entry->d_name);
        source.bytes = entry->d_name[0] != '.' ? golden_load(path, &source.length) : NULL;
        if (source.bytes != NULL) {
            run(entry->d_name, source, user);
            count++;
        }
        free(source.bytes);
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

/* The lines of a template's cases.jsonl, each a request too, NUL-terminated; the next one, or NULL. `text` is consumed. */
static inline char *next_case(char **text)
{
    char *line = *text;
    if (line == NULL || *line == '\0') {
        return NULL;
    }
    char *end = strchr(line, '\n');
    *text = end != NULL ? end + 1 : NULL;
    if (end != NULL) {
        *end = '\0';
    }
    return line;
}

static inline char *load_cases(const char *folder)
{
    char path[600];
    snprintf(path, sizeof path, "%s/templates/%s/cases.jsonl", golden_root(), folder);
    return golden_load(path, NULL);
}

static inline slm_chat_options chat_options(const struct text *source, uint32_t flags)
{
    return (slm_chat_options){.struct_size = sizeof(slm_chat_options),
                              .flags = flags,
                              .template_text = source->bytes,
                              .template_length = source->length,
                              .now = CHAT_NOW};
}

/* A rendering in `out` (freed by the caller). */
static inline slm_status render(slm_engine *engine, const slm_model *model, const char *request, const slm_chat_options *options,
                                struct text *out)
{
    uint64_t needed = 0;
    *out = (struct text){0};
    slm_status status = slm_chat_render(engine, model, request, SLM_NUL_TERMINATED, options, NULL, 0, &needed, &error);
    if (status == SLM_E_BUFFER_TOO_SMALL) {
        out->bytes = calloc(1, needed + 1);
        assert_non_null(out->bytes);
        out->length = needed;
        status = slm_chat_render(engine, model, request, SLM_NUL_TERMINATED, options, out->bytes, needed, &needed, &error);
    }
    return status;
}

#endif
