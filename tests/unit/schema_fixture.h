/* SPDX-License-Identifier: MIT */
/* Schemas under test, with texts that they have to accept and refuse. JSON is written with ' for ", so that it can be read. */
#ifndef SLM_TESTS_SCHEMA_FIXTURE_H
#define SLM_TESTS_SCHEMA_FIXTURE_H

#include "tests/unit/grammar_fixture.h" /* struct match, open_match, accepts */
#include "grammar/schema_nodes.h"       /* slm__schema_nodes */

enum { SCHEMA_TEXTS = 12, SCHEMA_LONGEST = 4096, SCHEMA_MEMORY = 1 << 26 };

struct schema_case {
    const char *schema;
    const char *accepted[SCHEMA_TEXTS];
    const char *refused[SCHEMA_TEXTS];
};

/* ' becomes ". */
static inline const char *quoted(const char *text, char copy[SCHEMA_LONGEST])
{
    size_t length = strlen(text);
    assert_true(length < SCHEMA_LONGEST);
    for (size_t i = 0; i <= length; i++) {
        copy[i] = text[i] == '\'' ? '"' : text[i];
    }
    return copy;
}

static inline slm_status build_schema(struct slm_grammar_builder *builder, const char *text, const struct slm_schema_options *options,
                                      slm_node *root, slm_error *error)
{
    struct slm_memory memory = slm__memory_default();
    *builder = new_builder();
    return slm__schema_nodes(builder, &memory, SCHEMA_MEMORY, slm__span_text(text), options, root, error);
}

static inline void open_schema(struct match *match, const char *schema, const struct slm_schema_options *options)
{
    char copy[SCHEMA_LONGEST];
    struct slm_grammar_builder builder;
    slm_node root = SLM_NODE_NEVER;
    slm_error error = {sizeof error, 0, ""};
    if (build_schema(&builder, quoted(schema, copy), options, &root, &error) != SLM_OK) {
        fail_msg("%s: %s", schema, error.message);
    }
    open_match(match, &builder, root, 1 << 20);
}

static inline void check_schema(const struct schema_case *test, const struct slm_schema_options *options)
{
    struct match match;
    char copy[SCHEMA_LONGEST];
    open_schema(&match, test->schema, options);
    for (int i = 0; i < SCHEMA_TEXTS && test->accepted[i] != NULL; i++) {
        if (!accepts(&match, quoted(test->accepted[i], copy))) {
            fail_msg("%s refuses %s", test->schema, test->accepted[i]);
        }
    }
    for (int i = 0; i < SCHEMA_TEXTS && test->refused[i] != NULL; i++) {
        if (accepts(&match, quoted(test->refused[i], copy))) {
            fail_msg("%s accepts %s", test->schema, test->refused[i]);
        }
    }
    close_match(&match);
}

static inline void check_schemas(const struct schema_case *tests, size_t count, const struct slm_schema_options *options)
{
    for (size_t i = 0; i < count; i++) {
        check_schema(&tests[i], options);
    }
}

/* The schema has to be refused with `status` and a message that holds `part`. */
static inline void refuse_schema(const char *schema, slm_status status, const char *part)
{
    char copy[SCHEMA_LONGEST];
    struct slm_grammar_builder builder;
    slm_node root = SLM_NODE_NEVER;
    slm_error error = {sizeof error, 0, ""};
    const struct slm_schema_options options = {.any_order = true};
    slm_status result = build_schema(&builder, quoted(schema, copy), &options, &root, &error);
    slm__grammar_builder_free(&builder);
    if (result != status || strstr(error.message, part) == NULL) {
        fail_msg("%s: status %d, \"%s\"", schema, result, error.message);
    }
}

#endif
