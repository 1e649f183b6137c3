/* SPDX-License-Identifier: MIT */
/* What the tokenizer tests share: files of the golden folder, a tokenizer made from a tokenizer.json, JSON lines. */
#ifndef SLM_TEST_TOKENIZER_FIXTURE_H
#define SLM_TEST_TOKENIZER_FIXTURE_H

#include "base/json.h"             /* slm__json_parse */
#include "import/tokenizer_json.h" /* slm__import_tokenizer_json */
#include "text/tokenizer.h"        /* struct slm_tokenizer */

#include <stdio.h>
#include <stdlib.h>

/* A file's bytes, malloc'ed, or data NULL. */
static inline struct slm_span read_path(const char *path)
{
    struct slm_span none = {NULL, 0};
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return none;
    }
    fseek(file, 0, SEEK_END);
    size_t length = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(length + 1);
    if (bytes == NULL || fread(bytes, 1, length, file) != length) {
        fclose(file);
        free(bytes);
        return none;
    }
    fclose(file);
    return slm__span(bytes, length);
}

/* A file of the golden folder (SLM_GOLDEN, else tests/golden). */
static inline struct slm_span read_golden(const char *relative)
{
    char path[1024];
    const char *golden = getenv("SLM_GOLDEN");
    snprintf(path, sizeof path, "%s/%s", golden != NULL ? golden : "tests/golden", relative);
    return read_path(path);
}

static inline void free_span(struct slm_span span) { free((void *)(uintptr_t)span.data); }

struct loaded_tokenizer {
    struct slm_memory memory;
    struct slm_buffer section;
    struct slm_tokenizer tokenizer;
    slm_error error;
};

/* Convert and open `json`; section and tokenizer are freed by unload_tokenizer, also after a failure. */
static inline slm_status load_tokenizer(struct loaded_tokenizer *loaded, struct slm_span json, const char *name, uint32_t vocab_limit)
{
    memset(loaded, 0, sizeof *loaded);
    loaded->error.struct_size = sizeof loaded->error;
    loaded->memory = slm__memory_default();
    slm__buffer_init(&loaded->section, &loaded->memory, SIZE_MAX);
    SLM_TRY(slm__import_tokenizer_json(&loaded->memory, json, name, vocab_limit, &loaded->section, &loaded->error));
    return slm__tokenizer_open(&loaded->tokenizer, slm__span(loaded->section.data, loaded->section.length), &loaded->error);
}

static inline void unload_tokenizer(struct loaded_tokenizer *loaded) { slm__buffer_free(&loaded->section); }

/* The next line of `text` as JSON in `arena`; NULL at the end. */
static inline const struct slm_json *next_line(struct slm_span text, size_t *position, struct slm_arena *arena)
{
    const struct slm_json *root = NULL;
    if (*position >= text.length) {
        return NULL;
    }
    const uint8_t *start = text.data + *position;
    const uint8_t *end = memchr(start, '\n', text.length - *position);
    size_t length = end == NULL ? text.length - *position : (size_t)(end - start);
    *position += length + 1;
    return slm__json_parse(arena, slm__span(start, length), &root, NULL) == SLM_OK ? root : NULL;
}

#endif
