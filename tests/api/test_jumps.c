/* SPDX-License-Identifier: MIT */
/* Sessions that jump over what a grammar leaves no choice of: the tokenizer's own tokens, the text and the bits of choosing each; without
 * the flag the bits of plain decoding under masks; forks and rewinds inside of what was jumped over. */
#include "tests/api_fixture.h"

enum { CONTEXT = 512, TEXT_BYTES = 2048, SEEDS = 12 };

static slm_engine *engine;
static slm_model *model;

static const char forced[] = "<answer>The parcel is on its way; it will arrive tomorrow.</answer>";
static const char rules[] = "root ::= [a-z] \"<answer>The parcel is on its way; it will arrive tomorrow.</answer>\" [0-9] [0-9]";

struct answer {
    char text[TEXT_BYTES];
    uint64_t length;
    uint32_t steps;
    uint32_t jumped;
    int32_t stop;
};

static slm_grammar *compile(int32_t kind, const char *text)
{
    slm_grammar *grammar = NULL;
    CHECK_OK(slm_grammar_compile(engine, kind, text, SLM_NUL_TERMINATED, NULL, &grammar, &error));
    return grammar;
}

static slm_grammar *triage(void)
{
    char *schema = golden_load("examples/demo/schema.json", NULL);
    assert_non_null(schema);
    slm_grammar *grammar = compile(SLM_GRAMMAR_SCHEMA, schema);
    free(schema);
    return grammar;
}

/* A session that was asked something; *prompt: its tokens. */
static slm_session *asked(slm_grammar *grammar, uint32_t flags, float temperature, uint64_t seed, uint64_t *prompt)
{
    static const char request[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Where is my parcel 48213?\"}]}";
    const slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = temperature, .seed = seed};
    const slm_session_options options = {
        .struct_size = sizeof options, .context = CONTEXT, .flags = flags, .sampling = &sampling, .grammar_bytes = 1 << 21};
    slm_session *session = NULL;
    int32_t ids[CONTEXT];
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    CHECK_OK(slm_session_set_grammar(session, grammar, &error));
    CHECK_OK(slm_chat_tokenize(model, request, sizeof request - 1, NULL, ids, CONTEXT, prompt, &error));
    CHECK_OK(slm_session_append(session, ids, *prompt, NULL, &error));
    return session;
}

static void step(slm_session *session, struct answer *answer)
{
    slm_token token = {.struct_size = sizeof token};
    CHECK_OK(slm_session_next(session, &token, &error));
    assert_true(answer->length + token.text_length < TEXT_BYTES);
    memcpy(answer->text + answer->length, token.text, token.text_length);
    answer->length += token.text_length;
    answer->text[answer->length] = 0;
    answer->steps++;
    answer->jumped += token.forced;
    answer->stop = token.stop;
}

static struct answer answer_of(slm_session *session)
{
    struct answer answer = {.stop = SLM_STOP_NONE};
    while (answer.stop == SLM_STOP_NONE) {
        step(session, &answer);
    }
    return answer;
}

static uint64_t tokens_of(const slm_session *session, int32_t ids[CONTEXT])
{
    uint64_t count = 0;
    CHECK_OK(slm_session_tokens(session, ids, CONTEXT, &count, &error));
    return count;
}

static void same_logits(slm_session *a, slm_session *b)
{
    const float *x = NULL, *y = NULL;
    uint64_t count = 0;
    CHECK_OK(slm_session_logits(a, &x, &count, &error));
    float *copy = malloc(count * sizeof *copy);
    memcpy(copy, x, count * sizeof *copy);
    CHECK_OK(slm_session_logits(b, &y, &count, &error));
    assert_memory_equal(copy, y, count * sizeof *copy);
    free(copy);
}

/* The first step chooses a letter and jumps over the text behind it, but for the last of the tokens that the tokenizer makes of that; the
 * logits behind are those of a session that was given the same tokens. */
static void test_jumped_tokens_are_canonical(void **state)
{
    int32_t expected[CONTEXT], ids[CONTEXT];
    uint64_t expected_count = 0, prompt = 0, length = 0;
    char chosen[64];
    (void)state;
    slm_grammar *grammar = compile(SLM_GRAMMAR_GBNF, rules);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        slm_session *session = asked(grammar, SLM_SESSION_JUMP, 1.5f, seed, &prompt);
        slm_session *given = asked(NULL, 0, 0, 0, &prompt);
        struct answer answer = {.stop = SLM_STOP_NONE};
        step(session, &answer);
        const uint64_t count = tokens_of(session, ids);
        CHECK_OK(slm_token_bytes(model, ids[prompt], chosen, sizeof chosen, &length, &error));
        const char *rest = forced + length - 1; /* bytes of the text may be in the chosen token */
        CHECK_OK(slm_tokenize(model, rest, strlen(rest), SLM_TOKENIZE_PLAIN, expected, CONTEXT, &expected_count, &error));
        assert_int_equal(count, prompt + expected_count);
        assert_int_equal(answer.jumped, expected_count - 1);
        assert_memory_equal(ids + prompt + 1, expected, answer.jumped * sizeof *ids);
        CHECK_OK(slm_session_append(given, ids + prompt, count - prompt, NULL, &error));
        same_logits(session, given);
        slm_session_destroy(given);
        slm_session_destroy(session);
    }
    CHECK_OK(slm_grammar_destroy(grammar));
}

/* The same texts in fewer steps: greedy answers under the demonstration's schema, and texts in which little is left to choose. */
static void test_jumps_change_no_text(void **state)
{
    uint64_t prompt = 0;
    (void)state;
    slm_grammar *grammars[2] = {triage(), compile(SLM_GRAMMAR_GBNF, rules)};
    for (int i = 0; i < 2; i++) {
        slm_session *plain = asked(grammars[i], 0, 0, 0, &prompt), *jumping = asked(grammars[i], SLM_SESSION_JUMP, 0, 0, &prompt);
        const struct answer slow = answer_of(plain), fast = answer_of(jumping);
        assert_string_equal(slow.text, fast.text);
        assert_int_equal(slow.stop, fast.stop);
        assert_int_equal(slow.jumped, 0);
        assert_true(fast.jumped > 4 && fast.steps < slow.steps);
        slm_session_destroy(jumping);
        slm_session_destroy(plain);
        CHECK_OK(slm_grammar_destroy(grammars[i]));
    }
}

/* The best token that the matcher allows, by the logits of a session without grammar. */
static int32_t best_allowed(slm_session *session, slm_matcher *matcher)
{
    const float *logits = NULL;
    const uint8_t *mask = NULL;
    uint64_t count = 0, bytes = 0;
    int32_t best = -1;
    CHECK_OK(slm_session_logits(session, &logits, &count, &error));
    CHECK_OK(slm_matcher_mask(matcher, &mask, &bytes, &error));
    for (uint64_t t = 0; t < count && t < 8 * bytes; t++) {
        if ((mask[t / 8] >> (t % 8) & 1) != 0 && (best < 0 || logits[t] > logits[best])) {
            best = (int32_t)t;
        }
    }
    assert_true(best >= 0);
    return best;
}

/* Without the flag: each token is the one that plain decoding chooses under the mask, and all logits on the way have its bits. */
static void test_without_jumps_plain_bits(void **state)
{
    uint64_t prompt = 0;
    (void)state;
    slm_grammar *grammar = triage();
    slm_session *session = asked(grammar, 0, 0, 0, &prompt), *plain = asked(NULL, 0, 0, 0, &prompt);
    slm_matcher *matcher = NULL;
    CHECK_OK(slm_matcher_create(model, grammar, NULL, &matcher, &error));
    for (struct answer answer = {.stop = SLM_STOP_NONE}; answer.stop == SLM_STOP_NONE;) {
        int32_t ids[CONTEXT];
        const int32_t token = best_allowed(plain, matcher);
        same_logits(session, plain);
        step(session, &answer);
        assert_int_equal(ids[tokens_of(session, ids) - 1], token);
        CHECK_OK(slm_matcher_accept(matcher, &token, 1, &error));
        CHECK_OK(slm_session_append(plain, &token, 1, NULL, &error));
    }
    CHECK_OK(slm_matcher_destroy(matcher));
    slm_session_destroy(plain);
    slm_session_destroy(session);
    CHECK_OK(slm_grammar_destroy(grammar));
}

/* Back to any place of an answer, also between tokens that were jumped over: it goes on as before, of the session and of a fork. The
 * rest of a jump may be tokenized in another way, so that numbers behind it may differ. */
static void test_forks_and_rewinds_between_jumps(void **state)
{
    static const uint64_t choices[2] = {0, 2}; /* bytes at the end that may differ */
    uint64_t prompt = 0;
    int32_t ids[CONTEXT];
    (void)state;
    slm_grammar *grammars[2] = {triage(), compile(SLM_GRAMMAR_GBNF, rules)};
    for (int i = 0; i < 2; i++) {
        const slm_pool_options options = {.struct_size = sizeof options, .sessions = 2, .context = CONTEXT, .grammar_bytes = 1 << 21};
        const slm_session_options jumping = {.struct_size = sizeof jumping, .flags = SLM_SESSION_JUMP};
        slm_pool *pool = NULL;
        slm_session *first = asked(NULL, 0, 0, 0, &prompt), *session = NULL;
        CHECK_OK(slm_pool_create(model, &options, &pool, &error));
        CHECK_OK(slm_session_create(model, pool, &jumping, &session, &error));
        CHECK_OK(slm_session_set_grammar(session, grammars[i], &error));
        (void)tokens_of(first, ids);
        CHECK_OK(slm_session_append(session, ids, prompt, NULL, &error));
        const struct answer whole = answer_of(session);
        const uint64_t end = tokens_of(session, ids);
        for (uint64_t kept = end; kept-- > prompt;) {
            slm_session *fork = NULL;
            uint64_t begun = 0;
            char text[TEXT_BYTES];
            CHECK_OK(slm_session_rewind(session, kept, &error));
            CHECK_OK(slm_detokenize(model, ids + prompt, kept - prompt, 0, text, sizeof text, &begun, &error));
            CHECK_OK(slm_session_fork(session, &fork, &error));
            const struct answer mine = answer_of(session), other = answer_of(fork);
            assert_string_equal(mine.text, other.text);
            assert_int_equal(mine.length, whole.length - begun);
            if (begun < whole.length - choices[i]) {
                assert_memory_equal(mine.text, whole.text + begun, whole.length - choices[i] - begun);
            }
            slm_session_destroy(fork);
        }
        slm_session_destroy(session);
        slm_session_destroy(first);
        CHECK_OK(slm_pool_destroy(pool));
        CHECK_OK(slm_grammar_destroy(grammars[i]));
    }
}

static int open_all(void **state)
{
    const slm_engine_options options = {.struct_size = sizeof options, .threads = 1};
    (void)state;
    CHECK_OK(slm_engine_create(&options, &engine, &error));
    CHECK_OK(slm_model_open_file(engine, "examples/demo/triage-i8.slm", SLM_NUL_TERMINATED, NULL, &model, &error));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    CHECK_OK(slm_model_close(model));
    CHECK_OK(slm_engine_destroy(engine));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jumped_tokens_are_canonical),
        cmocka_unit_test(test_jumps_change_no_text),
        cmocka_unit_test(test_without_jumps_plain_bits),
        cmocka_unit_test(test_forks_and_rewinds_between_jumps),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
