/* SPDX-License-Identifier: MIT */
/* Matchers through the public interface: tokens read and refused, ends of texts, forced bytes, rewinding, copies,
 * failing memory. */
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

static void forced_bytes_and_the_way_to_the_end(void **state)
{
    (void)state;
    slm_grammar *keys = NULL;
    slm_matcher *matcher = NULL, *second = NULL;
    slm_grammar_info grammar_info = {.struct_size = sizeof grammar_info};
    int32_t ids[64];
    uint64_t count = 0, end_count = 0, needed = 0;
    char text[64];
    CHECK_OK(slm_grammar_compile(engine, SLM_GRAMMAR_REGEX, "(key=[a-z]+;)+end", SLM_NUL_TERMINATED, NULL, &keys, &error));
    CHECK_OK(slm_grammar_get_info(keys, &grammar_info, &error));
    assert_int_equal(grammar_info.shortest, 9);
    CHECK_OK(slm_matcher_create(model, keys, NULL, &matcher, &error));
    assert_int_equal(slm_grammar_destroy(keys), SLM_E_BUSY);
    assert_int_equal(slm_model_close(model), SLM_E_BUSY);
    CHECK_OK(slm_matcher_forced(matcher, text, sizeof text, &needed, &error));
    assert_int_equal(needed, 4);
    assert_memory_equal(text, "key=", 4);
    CHECK_OK(slm_tokenize(model, "key=abc;key=x;", SLM_NUL_TERMINATED, SLM_TOKENIZE_PLAIN, ids, 64, &count, &error));
    CHECK_OK(slm_matcher_accept(matcher, ids, count, &error));
    assert_int_equal(info_of(matcher).shortest, 3);
    assert_int_equal(info_of(matcher).complete, 0);
    CHECK_OK(slm_matcher_create(model, keys, NULL, &second, &error));
    CHECK_OK(slm_matcher_copy(second, matcher, &error));
    CHECK_OK(slm_tokenize(model, "end", SLM_NUL_TERMINATED, SLM_TOKENIZE_PLAIN, ids, 64, &end_count, &error));
    for (int turn = 0; turn < 2; turn++) {
        CHECK_OK(slm_matcher_accept(second, ids, end_count, &error));
        assert_int_equal(info_of(second).complete, 1);
        assert_int_equal(info_of(second).finished, 1);
        CHECK_OK(slm_matcher_rewind(second, count, &error));
        assert_int_equal(info_of(second).shortest, 3);
    }
    expect_refused(slm_matcher_rewind(second, count + 1, &error), SLM_E_ARGUMENT, "the matcher holds");
    CHECK_OK(slm_matcher_destroy(second));
    CHECK_OK(slm_matcher_destroy(matcher));
    CHECK_OK(slm_grammar_destroy(keys));
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[1,\"b\"]},\"c\":{\"type\":\"string\",\"pattern\":\"^x+$\"}},"
        "\"patternProperties\":{\"^x-\":{\"type\":\"null\"}},\"required\":[\"a\"]}";
    struct counting_allocator counter = {0};
    const slm_engine_options options = counting_options(&counter);
    slm_engine *counted = NULL;
    slm_model *own = NULL;
    CHECK_OK(slm_engine_create(&options, &counted, &error));
    CHECK_OK(slm_model_open_file(counted, "examples/demo/triage-i8.slm", SLM_NUL_TERMINATED, NULL, &own, &error));
    const uint64_t before = counter.live_bytes;
    slm_status status = SLM_E_NO_MEMORY;
    for (uint64_t n = 1; status != SLM_OK && n < 5000; n++) {
        slm_grammar *made = NULL;
        slm_matcher *matcher = NULL;
        counter.fail_at = counter.calls + n;
        status = slm_grammar_compile(counted, SLM_GRAMMAR_SCHEMA, schema, SLM_NUL_TERMINATED, NULL, &made, &error);
        status = status == SLM_OK ? slm_matcher_create(own, made, NULL, &matcher, &error) : status;
        assert_true(status == SLM_OK || status == SLM_E_NO_MEMORY);
        CHECK_OK(slm_matcher_destroy(matcher));
        CHECK_OK(slm_grammar_destroy(made));
        assert_int_equal(counter.live_bytes, before);
    }
    assert_int_equal(status, SLM_OK);
    counter.fail_at = 0;
    CHECK_OK(slm_model_close(own));
    CHECK_OK(slm_engine_destroy(counted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_outside_the_vocabulary_are_refused_with_a_sentence),
        cmocka_unit_test(nothing_follows_the_end_of_a_text),
        cmocka_unit_test(copies_need_one_grammar_and_room),
        cmocka_unit_test(forced_bytes_and_the_way_to_the_end),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
