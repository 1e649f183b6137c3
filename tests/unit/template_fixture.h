/* SPDX-License-Identifier: MIT */
/* What the tests of chat templates share: rendering of texts, golden files, an allocator that fails on demand. */
#ifndef SLM_TESTS_TEMPLATE_FIXTURE_H
#define SLM_TESTS_TEMPLATE_FIXTURE_H

#include "tests/golden_tensors.h" /* golden_root */
#include "text/chat_template.h"   /* slm__chat_render, slm__template_render */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Thursday 2026-01-15 07:45:00. */
enum { GOLDEN_NOW = 1768463100 };

struct rendering {
    slm_status status;
    slm_error error;
    struct slm_buffer text;
    struct slm_buffer pieces;
};

static inline struct slm_template_options default_options(void)
{
    struct slm_template_options options;
    memset(&options, 0, sizeof options);
    options.now = GOLDEN_NOW;
    return options;
}

static inline void rendering_init(struct rendering *r, const struct slm_memory *memory)
{
    memset(r, 0, sizeof *r);
    r->error.struct_size = sizeof r->error;
    slm__buffer_init(&r->text, memory, SIZE_MAX);
    slm__buffer_init(&r->pieces, memory, SIZE_MAX);
}

static inline void rendering_free(struct rendering *r)
{
    slm__buffer_free(&r->text);
    slm__buffer_free(&r->pieces);
}

static inline void render_template(struct rendering *r, struct slm_span source, struct slm_span variables,
                                   struct slm_template_options options)
{
    struct slm_memory memory = slm__memory_default();
    rendering_init(r, &memory);
    options.pieces = &r->pieces;
    r->status = slm__template_render(&memory, source, variables, &options, &r->text, &r->error);
}

static inline void render_chat(struct rendering *r, struct slm_span source, struct slm_span request, struct slm_span tokens,
                               struct slm_template_options options)
{
    struct slm_memory memory = slm__memory_default();
    rendering_init(r, &memory);
    options.pieces = &r->pieces;
    r->status = slm__chat_render(&memory, source, request, tokens, &options, &r->text, &r->error);
}

/* The trusted pieces of a rendering, each in <>, the others as they are. */
static inline const char *marked_pieces(const struct rendering *r, char *marked, size_t capacity)
{
    size_t length = 0;
    for (size_t at = 0; at < r->pieces.length; at += sizeof(struct slm_template_piece)) {
        struct slm_template_piece piece;
        memcpy(&piece, r->pieces.data + at, sizeof piece);
        int written = snprintf(marked + length, capacity - length, piece.trusted ? "<%.*s>" : "%.*s", (int)piece.length,
                               (const char *)r->text.data + piece.offset);
        assert_true(written >= 0 && (size_t)written < capacity - length);
        length += (size_t)written;
    }
    marked[length] = '\0';
    return marked;
}

/* A whole file, or NULL; free() it. */
static inline char *load_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    char *data = malloc((size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    data[size] = '\0';
    *length = (size_t)size;
    return data;
}

#endif
