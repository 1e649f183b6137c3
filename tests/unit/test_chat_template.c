/* SPDX-License-Identifier: MIT */
/* Chat templates against the reference: every folder under templates/ (template.jinja, cases.jsonl) rendered strictly, and the lines of
 * micro*.jsonl, one for nearly each rule of the language. Texts have to be equal, refusals have to carry the template's message. */
#include "base/json.h"                   /* slm__json_parse */
#include "tests/golden_report.h"         /* golden_begin, golden_list */
#include "tests/unit/template_fixture.h" /* render_chat */

enum { MOST = 200 };

struct tally {
    unsigned cases;
    unsigned failures;
};

static void report(const char *folder, const struct slm_json *line, const struct rendering *r, const char *what)
{
    const struct slm_json *name = slm__json_get(line, "name");
    name = name != NULL ? name : slm__json_get(line, "template");
    print_message("FAILED %s, %.*s: %s\n", folder, SLM_SPAN_ARGS(name->text), what);
    print_message("  status %d %s\n", (int)r->status, r->error.message);
    const struct slm_json *expected = slm__json_get(line, "expected");
    if (expected != NULL && r->status == SLM_OK) {
        size_t same = 0;
        while (same < r->text.length && same < expected->text.length && r->text.data[same] == expected->text.data[same]) {
            same++;
        }
        print_message("  differs at byte %zu: got \"%.*s\", expected \"%.*s\"\n", same,
                      SLM_SPAN_ARGS(slm__span(r->text.data + same, r->text.length - same)),
                      SLM_SPAN_ARGS(slm__span(expected->text.data + same, expected->text.length - same)));
    }
}

/* The reference's kind of failure as a status. */
static slm_status expected_status(const struct slm_json *line)
{
    const struct slm_json *kind = slm__json_get(line, "error_kind");
    return kind == NULL ? SLM_OK : slm__json_is_string(kind, "syntax") ? SLM_E_SYNTAX : SLM_E_TEMPLATE;
}

/* Whether the rendering is what the line asks for; NULL, or what is wrong. */
static const char *judge(const struct slm_json *line, const struct rendering *r)
{
    const struct slm_json *expected = slm__json_get(line, "expected");
    if (r->status != expected_status(line)) {
        return "another status";
    }
    if (expected != NULL) {
        return slm__span_equal(slm__span(r->text.data, r->text.length), expected->text) ? NULL : "another text";
    }
    if (r->text.length != 0) {
        return "text beside an error";
    }
    if (slm__json_is_string(slm__json_get(line, "error_kind"), "raise_exception")) {
        struct slm_span message = slm__json_get(line, "message")->text;
        size_t length = strlen(r->error.message);
        bool cut = length < message.length && length > 400; /* messages have limited room */
        message.length = cut ? length : message.length;
        return slm__span_equal(slm__span_text(r->error.message), message) ? NULL : "another message";
    }
    return r->error.message[0] != '\0' ? NULL : "no message";
}

/* The bytes of "vars" in a line of micro.jsonl: up to the comma before the next key. */
static struct slm_span variables_of(const struct slm_json *line, struct slm_span source)
{
    const struct slm_json *variables = slm__json_get(line, "vars");
    size_t from = (size_t)variables->offset;
    const char *keys[] = {",\"expected\":", ",\"error\":"};
    for (size_t i = 0; i < 2; i++) {
        const struct slm_json *next = slm__json_get(line, i == 0 ? "expected" : "error");
        if (next != NULL) {
            return slm__span(source.data + from, (size_t)next->offset - strlen(keys[i]) - from);
        }
    }
    fail_msg("a line without expected and error");
    return source;
}

/* One line; `source` is NULL for lines that carry their template. */
static void run_line(const char *folder, const struct slm_span *source, struct slm_span text, struct tally *tally)
{
    struct slm_memory memory = slm__memory_default();
    struct slm_arena arena;
    struct rendering r;
    const struct slm_json *line = NULL;
    slm__arena_init(&arena, &memory, SIZE_MAX);
    assert_int_equal(slm__json_parse(&arena, text, &line, NULL), SLM_OK);
    if (source != NULL) {
        struct slm_template_options options = default_options();
        options.strict = true;
        render_chat(&r, *source, text, slm__span(NULL, 0), options);
    } else {
        render_template(&r, slm__json_get(line, "template")->text, variables_of(line, text), default_options());
    }
    const char *wrong = judge(line, &r);
    tally->cases++;
    golden_case(wrong == NULL);
    if (wrong != NULL) {
        tally->failures++;
        report(folder, line, &r, wrong);
    }
    rendering_free(&r);
    slm__arena_free(&arena);
}

static void run_lines(const char *folder, const struct slm_span *source, const char *path, struct tally *tally)
{
    size_t length = 0;
    char *lines = load_file(path, &length);
    assert_non_null(lines);
    for (char *line = lines; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        if (size > 0) {
            run_line(folder, source, slm__span(line, size), tally);
        }
        line += size + (line[size] == '\n');
    }
    free(lines);
}

static void test_golden_templates(void **state)
{
    (void)state;
    static struct golden_name folders[MOST];
    const size_t count = golden_list("templates", "", folders, MOST);
    struct tally all = {0, 0};
    for (size_t i = 0; i < count; i++) {
        char path[1200];
        size_t length = 0;
        struct tally tally = {0, 0};
        snprintf(path, sizeof path, "%s/templates/%s/template.jinja", golden_root(), folders[i].text);
        char *template = load_file(path, &length);
        if (template == NULL) {
            continue;
        }
        golden_begin("template", folders[i].text);
        struct slm_span source = slm__span(template, length);
        snprintf(path, sizeof path, "%s/templates/%s/cases.jsonl", golden_root(), folders[i].text);
        run_lines(folders[i].text, &source, path, &tally);
        print_message("%s: %u cases, %u failures\n", folders[i].text, tally.cases, golden_end());
        all.cases += tally.cases;
        all.failures += tally.failures;
        free(template);
    }
    if (all.cases == 0) {
        print_message("skipped: no folder with a template in %s/templates\n", golden_root());
        skip();
    }
    print_message("templates: %u cases, %u failures\n", all.cases, all.failures);
    assert_int_equal(all.failures, 0);
}

static void run_micro(const char *name)
{
    char path[600];
    struct tally tally = {0, 0};
    size_t length = 0;
    snprintf(path, sizeof path, "%s/templates/%s", golden_root(), name);
    char *present = load_file(path, &length);
    if (present == NULL) {
        print_message("skipped: no file %s\n", path);
        skip();
    }
    free(present);
    golden_begin("template", name);
    run_lines(name, NULL, path, &tally);
    print_message("%s: %u cases, %u failures\n", name, tally.cases, golden_end());
    assert_true(tally.cases > 0);
    assert_int_equal(tally.failures, 0);
}

static void test_rules_of_the_language(void **state)
{
    (void)state;
    run_micro("micro.jsonl");
}

static void test_more_rules_of_the_language(void **state)
{
    (void)state;
    run_micro("micro-own.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_templates),
        cmocka_unit_test(test_rules_of_the_language),
        cmocka_unit_test(test_more_rules_of_the_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
