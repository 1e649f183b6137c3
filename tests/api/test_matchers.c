/* SPDX-License-Identifier: MIT */
/* Matchers through the public interface: tokens read and refused, ends of texts, rewinding, copies, masks of every token. */
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

/* Of every token: whether its bit in the mask says what accepting it says. */
static void expect_true_mask(slm_matcher *matcher, const char *name)
{
    const uint8_t *mask = NULL;
    uint64_t bytes = 0;
    slm_model_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_model_get_info(model, &info, &error));
    const uint64_t before = info_of(matcher).tokens;
    CHECK_OK(slm_matcher_mask(matcher, &mask, &bytes, &error));
    uint8_t *kept = malloc(bytes);
    assert_non_null(kept);
    memcpy(kept, mask, bytes);
    for (int32_t token = 0; token < (int32_t)info.vocab_size; token++) {
        const int allowed = slm_matcher_accept(matcher, &token, 1, &error) == SLM_OK;
        if (allowed != (kept[token / 8] >> (token % 8) & 1)) {
            fail_msg("%s: behind %u tokens, token %d: the mask and accepting it differ", name, (unsigned)before, token);
        }
        CHECK_OK(slm_matcher_rewind(matcher, before, &error));
    }
    free(kept);
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
}

static void masks_are_what_would_be_accepted(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"type\":\"string\"}", "\"a b\\n\""},
        {"{\"type\":\"string\",\"minLength\":3,\"maxLength\":9}", "\"abcde\""},
        {"{\"type\":\"string\",\"pattern\":\"^a.*z$\"}", "\"abcz\""},
        {"{\"type\":\"string\",\"pattern\":\"^a.*z$\",\"maxLength\":12}", "\"abcz\""},
        {"{\"type\":\"string\",\"pattern\":\"[0-9]\",\"maxLength\":500}", "\"ab1c\""},
        {"{\"enum\":[\"the first\",\"the second\",3,null]}", "\"the second\""},
        {"{\"properties\":{\"name\":{\"type\":\"string\"}},\"additionalProperties\":{\"type\":\"integer\"}}",
         "{\"name\":\"x\",\"nam\":12}"},
        {"{\"patternProperties\":{\"^x_\":{\"type\":\"boolean\"}},\"additionalProperties\":false}", "{\"x_a\":true}"},
        {"{\"anyOf\":[{\"type\":\"string\",\"maxLength\":4},{\"type\":\"string\",\"pattern\":\"^the\"}]}", "\"the end"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"maxItems\":3}", "[1,-2.5e3,0]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        slm_grammar *schema = NULL;
        slm_matcher *matcher = NULL;
        int32_t tokens[64];
        uint64_t count = 0;
        CHECK_OK(slm_grammar_compile(engine, SLM_GRAMMAR_SCHEMA, cases[i][0], SLM_NUL_TERMINATED, NULL, &schema, &error));
        CHECK_OK(slm_matcher_create(model, schema, NULL, &matcher, &error));
        CHECK_OK(slm_tokenize(model, cases[i][1], SLM_NUL_TERMINATED, SLM_TOKENIZE_PLAIN, tokens, 64, &count, &error));
        for (uint64_t t = 0; t < count; t++) {
            expect_true_mask(matcher, cases[i][0]);
            CHECK_OK(slm_matcher_accept(matcher, &tokens[t], 1, &error));
        }
        expect_true_mask(matcher, cases[i][0]);
        CHECK_OK(slm_matcher_destroy(matcher));
        CHECK_OK(slm_grammar_destroy(schema));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_outside_the_vocabulary_are_refused_with_a_sentence),
        cmocka_unit_test(nothing_follows_the_end_of_a_text),
        cmocka_unit_test(copies_need_one_grammar_and_room),
        cmocka_unit_test(masks_are_what_would_be_accepted),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
