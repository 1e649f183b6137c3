/* SPDX-License-Identifier: MIT */
/* The reference cases of a tokenizer folder: encoding, decoding with and without special tokens, what a stream shows. */
#ifndef SLM_TEST_TOKENIZER_CASES_H
#define SLM_TEST_TOKENIZER_CASES_H

#include "tests/golden_report.h"          /* golden_case */
#include "tests/unit/tokenizer_fixture.h" /* struct loaded_tokenizer, next_line */
#include "text/token_stream.h"            /* slm__token_stream_push */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int differences;

static inline void differ(const char *folder, const char *file, int line, const char *what, const struct slm_json *text)
{
    differences++;
    if (differences <= 20) {
        print_message("%s/%s line %d: %s differs: %.*s\n", folder, file, line, what,
                      text == NULL ? 0 : (int)(text->text.length < 80 ? text->text.length : 80),
                      text == NULL ? "" : (const char *)text->text.data);
    }
}

/* The ids of a JSON array, malloc'ed. */
static inline int32_t *read_ids(const struct slm_json *array)
{
    int32_t *ids = malloc((array->count + 1) * sizeof *ids);
    assert_non_null(ids);
    for (uint32_t i = 0; i < array->count; i++) {
        int64_t id = 0;
        assert_true(slm__json_i64(&array->items[i], &id));
        ids[i] = (int32_t)id;
    }
    return ids;
}

static inline bool encodes(const struct loaded_tokenizer *t, const struct slm_json *text, uint32_t flags, const struct slm_json *expected)
{
    int32_t *wanted = read_ids(expected);
    int32_t *ids = malloc((text->text.length * 3 + 64) * sizeof *ids);
    uint64_t count = 0;
    assert_non_null(ids);
    slm_status status = slm__tokenizer_encode(&t->tokenizer, &t->memory, text->text, flags, ids, text->text.length * 3 + 64, &count, NULL);
    bool equal = status == SLM_OK && count == expected->count && memcmp(ids, wanted, count * sizeof *ids) == 0;
    free(ids);
    free(wanted);
    return equal;
}

static inline bool decodes(const struct loaded_tokenizer *t, const struct slm_json *ids, uint32_t flags, const struct slm_json *expected)
{
    int32_t *wanted = read_ids(ids);
    struct slm_buffer out;
    slm__buffer_init(&out, &t->memory, SIZE_MAX);
    slm_status status = slm__tokenizer_decode(&t->tokenizer, &t->memory, wanted, ids->count, flags, &out, NULL);
    bool equal = status == SLM_OK && slm__span_equal(slm__span(out.data, out.length), expected->text);
    slm__buffer_free(&out);
    free(wanted);
    return equal;
}

static inline bool streams(const struct loaded_tokenizer *t, const struct slm_json *ids, const struct slm_json *expected)
{
    struct slm_token_stream stream;
    struct slm_token_stream saved;
    struct slm_buffer out;
    bool equal = expected->count == ids->count;
    int32_t *values = read_ids(ids);
    slm__buffer_init(&out, &t->memory, SIZE_MAX);
    slm__token_stream_init(&stream);
    for (uint32_t i = 0; i < ids->count && equal; i++) {
        struct slm_span text;
        saved = stream; /* going on from a copy must not differ */
        equal = slm__token_stream_push(&stream, &t->tokenizer, 0, false, &text) == SLM_OK;
        stream = saved;
        equal = equal && slm__token_stream_push(&stream, &t->tokenizer, values[i], false, &text) == SLM_OK;
        slm__buffer_append(&out, text.data, text.length);
        equal = equal && slm__span_equal(slm__span(out.data, out.length), expected->items[i].text);
    }
    slm__buffer_free(&out);
    free(values);
    return equal;
}

/* Compare all lines of one file; returns their number. Each is a case. */
static inline int check_file(const struct loaded_tokenizer *t, const char *folder, const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "tokenizers/%s/%s", folder, file);
    struct slm_span lines = read_golden(path);
    assert_non_null(lines.data);
    int line = 0;
    for (size_t position = 0; position < lines.length;) {
        struct slm_arena arena;
        slm__arena_init(&arena, &t->memory, SIZE_MAX);
        const struct slm_json *root = next_line(lines, &position, &arena);
        assert_non_null(root);
        const struct slm_json *text = slm__json_get(root, "text");
        const struct slm_json *ids = slm__json_get(root, "ids");
        const struct slm_json *decoded = slm__json_get(root, "decoded");
        uint32_t flags = slm__json_is_true(slm__json_get(root, "add_special_tokens")) ? SLM_TOKENIZE_ADD_SPECIAL : 0;
        flags |= strcmp(file, "plain.jsonl") == 0 ? SLM_TOKENIZE_PLAIN : 0;
        const int before = differences;
        line++;
        if (text != NULL && !encodes(t, text, flags, ids)) {
            differ(folder, file, line, "encoding", text);
        }
        if (decoded != NULL && !decodes(t, ids, 0, decoded)) {
            differ(folder, file, line, "decoding", decoded);
        }
        if (decoded != NULL && !decodes(t, ids, SLM_DETOKENIZE_SKIP_SPECIAL, slm__json_get(root, "decoded_skip"))) {
            differ(folder, file, line, "decoding without special tokens", decoded);
        }
        const struct slm_json *stream = slm__json_get(root, "stream");
        if (stream != NULL && !streams(t, ids, stream)) {
            differ(folder, file, line, "stream", text);
        }
        golden_case(differences == before);
        slm__arena_free(&arena);
    }
    free_span(lines);
    return line;
}

#endif
