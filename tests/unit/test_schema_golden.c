/* SPDX-License-Identifier: MIT */
/*
 * Public collections of schemas with instances: schema/suite.jsonl and schema/maskbench.jsonl of the golden folder, where they are there.
 * No invalid instance may be accepted. How many schemas pass (compiled, every instance judged rightly) may not fall. The report's cases
 * are the schemas that compile. A refused valid instance fails those of maskbench; in the suite, formats are annotations and a meta-schema
 * switches assertions off, whereas both are enforced here: there only an accepted invalid instance fails a case.
 */
#include "base/json.h"                 /* slm__json_parse */
#include "tests/golden_report.h"       /* golden_begin, golden_case, golden_end */
#include "tests/unit/schema_fixture.h" /* struct match, build_schema */

struct tally {
    bool strict; /* a refused valid instance fails the case of the report */
    unsigned schemas;
    unsigned passing;
    unsigned compile_errors;
    unsigned refused;  /* schemas with a valid instance that was refused */
    unsigned accepted; /* schemas with an invalid one that was accepted */
};

/* As compact JSON, members in their order. */
static void write_json(struct slm_buffer *target, const struct slm_json *value)
{
    static const char *const words[] = {"null", "false", "true"};
    bool object = value->type == SLM_JSON_OBJECT;
    if (value->type < SLM_JSON_NUMBER) {
        slm__buffer_append_text(target, words[value->type]);
    } else if (value->type == SLM_JSON_NUMBER) {
        slm__buffer_append(target, value->text.data, value->text.length);
    } else if (value->type == SLM_JSON_STRING) {
        slm__buffer_append_json_string(target, value->text);
    } else {
        slm__buffer_append_byte(target, object ? '{' : '[');
        for (uint32_t i = 0; i < value->count; i++) {
            if (i > 0) {
                slm__buffer_append_byte(target, ',');
            }
            if (object) {
                slm__buffer_append_json_string(target, value->keys[i]);
                slm__buffer_append_byte(target, ':');
            }
            write_json(target, &value->items[i]);
        }
        slm__buffer_append_byte(target, object ? '}' : ']');
    }
}

/* A text with a NUL behind it; freed by the caller. */
static char *text_of(const struct slm_json *value)
{
    struct slm_memory memory = slm__memory_default();
    struct slm_buffer buffer;
    slm__buffer_init(&buffer, &memory, 1 << 26);
    write_json(&buffer, value);
    char *text = malloc(buffer.length + 1);
    assert_non_null(text);
    memcpy(text, buffer.data, buffer.length);
    text[buffer.length] = '\0';
    slm__buffer_free(&buffer);
    return text;
}

static bool compile(struct match *match, const struct slm_json *schema)
{
    static const struct slm_schema_options options = {.any_order = true};
    struct slm_memory memory = slm__memory_default();
    struct slm_grammar_builder builder;
    slm_node root = SLM_NODE_NEVER;
    slm_error error = {sizeof error, 0, ""};
    char *text = text_of(schema);
    slm_status status = build_schema(&builder, text, &options, &root, &error);
    free(text);
    if (status == SLM_OK) {
        status = slm__grammar_compile(&builder, root, &(struct slm_grammar_limits){0}, &memory, &match->grammar, &error);
    }
    slm__grammar_builder_free(&builder);
    if (status == SLM_OK) {
        open_states(match, 4 << 20);
    }
    return status == SLM_OK;
}

static void run_group(const struct slm_json *group, struct tally *tally)
{
    const struct slm_json *tests = slm__json_get(group, "tests");
    struct match match;
    bool refused = false;
    bool accepted = false;
    tally->schemas++;
    if (!compile(&match, slm__json_get(group, "schema"))) {
        tally->compile_errors++;
        return;
    }
    for (uint32_t i = 0; i < tests->count; i++) {
        char *text = text_of(slm__json_get(&tests->items[i], "data"));
        bool valid = slm__json_is_true(slm__json_get(&tests->items[i], "valid"));
        bool result = accepts(&match, text);
        refused = refused || (valid && !result);
        accepted = accepted || (!valid && result);
        free(text);
    }
    close_match(&match);
    tally->refused += refused;
    tally->accepted += accepted;
    tally->passing += !refused && !accepted;
    golden_case(!accepted && !(tally->strict && refused));
}

static bool run_file(const char *name, bool strict, struct tally *tally)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/schema/%s", golden_root(), name);
    FILE *file = fopen(path, "rb");
    *tally = (struct tally){.strict = strict};
    if (file == NULL) {
        print_message("skipped: %s is not there\n", path);
        return false;
    }
    enum { LONGEST = 1 << 22 };
    golden_begin("schema", name);
    char *line = malloc(LONGEST);
    assert_non_null(line);
    struct slm_memory memory = slm__memory_default();
    while (fgets(line, LONGEST, file) != NULL) {
        struct slm_arena arena;
        const struct slm_json *group = NULL;
        slm_error error = {sizeof error, 0, ""};
        slm__arena_init(&arena, &memory, 1 << 28);
        assert_int_equal(slm__json_parse(&arena, slm__span_text(line), &group, &error), SLM_OK);
        run_group(group, tally);
        slm__arena_free(&arena);
    }
    free(line);
    fclose(file);
    (void)golden_end();
    print_message("%s: %u schemas, %u passing, %u compile errors, %u with valid instances refused, %u with invalid ones accepted\n", name,
                  tally->schemas, tally->passing, tally->compile_errors, tally->refused, tally->accepted);
    return true;
}

static void test_suite(void **state)
{
    (void)state;
    struct tally tally;
    if (!run_file("suite.jsonl", false, &tally)) {
        skip();
    }
    assert_int_equal(tally.accepted, 0);
    assert_true(tally.passing >= 380);
}

static void test_maskbench(void **state)
{
    (void)state;
    struct tally tally;
    if (!run_file("maskbench.jsonl", true, &tally)) {
        skip();
    }
    assert_int_equal(tally.accepted, 0);
    assert_int_equal(tally.refused, 0);
    assert_true(tally.passing * 100 >= tally.schemas * 96);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_suite), cmocka_unit_test(test_maskbench)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
