/* SPDX-License-Identifier: MIT */
/* All reference conversations of all template folders through the public interface: the text, or the refusal with its message. */
#include "tests/api/chat_fixture.h"

#include "base/json.h"           /* slm__json_parse */
#include "tests/golden_report.h" /* golden_begin */

static slm_engine *engine;

struct tally {
    unsigned cases, failures;
};

/* What is wrong with the outcome of a case, or NULL. */
static const char *judge(const struct slm_json *line, slm_status status, const struct text *text)
{
    const struct slm_json *expected = slm__json_get(line, "expected");
    const struct slm_json *message = slm__json_present(line, "message");
    if (expected != NULL) {
        const struct slm_span got = slm__span(text->bytes, text->length);
        return status != SLM_OK ? error.message : slm__span_equal(expected->text, got) ? NULL : "another text";
    }
    if (status == SLM_OK) {
        return "no error";
    }
    if (slm__json_is_string(slm__json_get(line, "error_kind"), "raise_exception") && message != NULL) {
        return status == SLM_E_TEMPLATE && slm__span_is(message->text, error.message) ? NULL : error.message;
    }
    return error.message[0] != '\0' ? NULL : "no message";
}

static void run_template(const char *name, struct text source, void *user)
{
    struct tally *all = user;
    const struct slm_memory memory = slm__memory_default();
    const slm_chat_options options = chat_options(&source, SLM_CHAT_STRICT);
    char *cases = load_cases(name);
    char *rest = cases;
    for (char *line = next_case(&rest); line != NULL; line = next_case(&rest)) {
        struct slm_arena arena;
        struct text text;
        const struct slm_json *json = NULL;
        slm__arena_init(&arena, &memory, SIZE_MAX);
        assert_int_equal(slm__json_parse(&arena, slm__span_text(line), &json, NULL), SLM_OK);
        error.message[0] = '\0';
        const char *wrong = judge(json, render(engine, NULL, line, &options, &text), &text);
        all->cases++;
        golden_case(wrong == NULL);
        if (wrong != NULL) {
            all->failures++;
            print_message("%s: %s: %.120s\n", name, wrong, line);
        }
        text_free(&text);
        slm__arena_free(&arena);
    }
    free(cases);
}

static void test_reference_conversations(void **state)
{
    (void)state;
    struct tally all = {0, 0};
    CHECK_OK(slm_engine_create(NULL, &engine, &error));
    golden_begin("template", "all, by slm_chat_render");
    const unsigned folders = for_each_template(run_template, &all);
    CHECK_OK(slm_engine_destroy(engine));
    if (folders == 0) {
        print_message("skipped: no folder %s/templates\n", golden_root());
        skip();
    }
    print_message("%u templates, %u cases, %u failures\n", folders, all.cases, golden_end());
    assert_true(all.cases > 0);
    assert_int_equal(all.failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference_conversations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
