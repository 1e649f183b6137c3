/* SPDX-License-Identifier: MIT */
/* Matchers through the public interface: tokens read and refused, ends of texts, rewinding, copies. */
#include "tests/api_fixture.h"

static slm_engine *engine;
static slm_model *model;
static slm_grammar *grammar;

static int open_all(void **state)
{
    (void)state;
    CHECK_OK(slm_engine_create(NULL, &engine, &error));
    CHECK_OK(slm_model_open_file(engine, "examples/demo/triage-i8.slm", SLM_NUL_TERMINATED, NULL, &model, &error));
    CHECK_OK(slm_grammar_compile(engine, SLM_GRAMMAR_REGEX, "a+", 2, NULL, &grammar, &error));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    CHECK_OK(slm_grammar_destroy(grammar));
    CHECK_OK(slm_model_close(model));
    CHECK_OK(slm_engine_destroy(engine));
    return 0;
}

static void expect_refused(slm_status status, slm_status expected, const char *words)
{
    assert_int_equal(status, expected);
    assert_int_equal(error.status, expected);
    if (strstr(error.message, words) == NULL) {
        fail_msg("'%s' is not in: %s", words, error.message);
    }
    memset(&error.message, 0, sizeof error.message);
}

static int32_t token_a(void)
{
    int32_t id;
    uint64_t count;
    CHECK_OK(slm_tokenize(model, "a", 1, 0, &id, 1, &count, &error));
    return id;
}

static int32_t token_end(void)
{
    slm_model_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_model_get_info(model, &info, &error));
    return info.eos_tokens[0];
}

static slm_matcher_info info_of(const slm_matcher *matcher)
{
    slm_matcher_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_matcher_get_info(matcher, &info, &error));
    return info;
}

static slm_matcher *matcher_of(uint32_t history)
{
    slm_matcher *matcher = NULL;
    const slm_matcher_options options = {.struct_size = sizeof options, .history = history};
    CHECK_OK(slm_matcher_create(model, grammar, &options, &matcher, &error));
    return matcher;
}

static void ids_outside_the_vocabulary_are_refused_with_a_sentence(void **state)
{
    (void)state;
    slm_matcher *matcher = matcher_of(0);
    const int32_t a = token_a(), wrong[] = {-1, 1 << 30, INT32_MIN};
    CHECK_OK(slm_matcher_accept(matcher, &a, 1, &error));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        expect_refused(slm_matcher_accept(matcher, &wrong[i], 1, &error), SLM_E_BAD_TOKEN, "is not in the vocabulary");
        assert_int_equal(info_of(matcher).tokens, 1);
    }
    CHECK_OK(slm_matcher_accept(matcher, NULL, 0, &error));
    expect_refused(slm_matcher_accept(matcher, NULL, 1, &error), SLM_E_ARGUMENT, "tokens is NULL");
    CHECK_OK(slm_matcher_destroy(matcher));
}

static void nothing_follows_the_end_of_a_text(void **state)
{
    (void)state;
    slm_matcher *matcher = matcher_of(0);
    const int32_t a = token_a(), end = token_end(), both[] = {end, a};
    expect_refused(slm_matcher_accept(matcher, &end, 1, &error), SLM_E_BAD_TOKEN, "ends the text, which is not complete");
    CHECK_OK(slm_matcher_accept(matcher, &a, 1, &error));
    expect_refused(slm_matcher_accept(matcher, both, 2, &error), SLM_E_BAD_TOKEN, "follows one that ended the text");
    assert_int_equal(info_of(matcher).tokens, 1);
    assert_int_equal(info_of(matcher).finished, 0);
    CHECK_OK(slm_matcher_accept(matcher, &end, 1, &error));
    assert_int_equal(info_of(matcher).finished, 1);
    expect_refused(slm_matcher_accept(matcher, &a, 1, &error), SLM_E_BAD_TOKEN, "follows one that ended the text");
    CHECK_OK(slm_matcher_rewind(matcher, 1, &error));
    assert_int_equal(info_of(matcher).finished, 0);
    CHECK_OK(slm_matcher_accept(matcher, &a, 1, &error));
    CHECK_OK(slm_matcher_destroy(matcher));
}

static void copies_need_one_grammar_and_room(void **state)
{
    (void)state;
    slm_matcher *matcher = matcher_of(0), *small = matcher_of(1), *other = NULL;
    slm_grammar *another = NULL;
    const int32_t a = token_a(), two[] = {a, a};
    CHECK_OK(slm_grammar_compile(engine, SLM_GRAMMAR_REGEX, "b", 1, NULL, &another, &error));
    CHECK_OK(slm_matcher_create(model, another, NULL, &other, &error));
    CHECK_OK(slm_matcher_accept(matcher, two, 2, &error));
    expect_refused(slm_matcher_copy(other, matcher, &error), SLM_E_ARGUMENT, "not of one grammar");
    expect_refused(slm_matcher_copy(small, matcher, &error), SLM_E_ARGUMENT, "the history of 1 has no room for the 2 tokens");
    assert_int_equal(info_of(small).tokens, 0);
    assert_int_equal(slm_grammar_destroy(another), SLM_E_BUSY);
    CHECK_OK(slm_matcher_destroy(other));
    CHECK_OK(slm_grammar_destroy(another));
    CHECK_OK(slm_matcher_destroy(small));
    CHECK_OK(slm_matcher_destroy(matcher));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_outside_the_vocabulary_are_refused_with_a_sentence),
        cmocka_unit_test(nothing_follows_the_end_of_a_text),
        cmocka_unit_test(copies_need_one_grammar_and_room),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
