/* SPDX-License-Identifier: MIT */
/* Sessions are all-or-nothing: forks and rewinds equal a fresh prefill; cancelling, a full context or pool and bad tokens leave them
 * usable. */
#include "tests/api_fixture.h"
#include <math.h>
#include <pthread.h>

enum { TOKENS = 200 };

static slm_engine *engine;
static slm_model *model;
static slm_model_info info = {.struct_size = sizeof info};
static int32_t ids[TOKENS];

static int open_model(void **state)
{
    (void)state;
    CHECK_OK(slm_engine_create(NULL, &engine, &error));
    model = golden_model(engine, "qwen3", SLM_TYPE_I8);
    CHECK_OK(slm_model_get_info(model, &info, &error));
    some_tokens(ids, TOKENS, info.vocab_size);
    return 0;
}

static int close_model(void **state)
{
    (void)state;
    return slm_model_close(model) != SLM_OK || slm_engine_destroy(engine) != SLM_OK;
}

static slm_session *fresh(slm_pool *pool, uint32_t context)
{
    slm_session *session = NULL;
    const slm_session_options options = {.struct_size = sizeof options, .context = context, .flags = SLM_SESSION_IGNORE_EOS};
    CHECK_OK(slm_session_create(model, pool, &options, &session, &error));
    return session;
}

static slm_pool *make_pool(uint32_t sessions, uint32_t context, uint64_t kv_tokens)
{
    slm_pool *pool = NULL;
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = sessions, .context = context, .kv_tokens = kv_tokens};
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    return pool;
}

/* The session's logits equal those of a fresh session with the same tokens. */
static void check_equals_fresh(slm_session *session)
{
    int32_t sequence[TOKENS];
    uint64_t count = 0;
    const float *got = NULL, *expected = NULL;
    slm_session *other = fresh(NULL, TOKENS);
    CHECK_OK(slm_session_tokens(session, sequence, TOKENS, &count, &error));
    CHECK_OK(slm_session_append(other, sequence, count, NULL, &error));
    CHECK_OK(slm_session_logits(other, &expected, NULL, &error));
    CHECK_OK(slm_session_logits(session, &got, NULL, &error));
    assert_memory_equal(got, expected, info.vocab_size * sizeof *got);
    slm_session_destroy(other);
}

static int32_t next_token(slm_session *session)
{
    slm_token token = {.struct_size = sizeof token};
    CHECK_OK(slm_session_next(session, &token, &error));
    return token.token;
}

static void test_rewind_equals_fresh(void **state)
{
    static const uint64_t kept[] = {150, 149, 129, 128, 127, 65, 64, 63, 1};
    slm_session *session = fresh(NULL, TOKENS);
    (void)state;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        CHECK_OK(slm_session_rewind(session, 0, &error));
        CHECK_OK(slm_session_append(session, ids, 151, NULL, &error));
        CHECK_OK(slm_session_rewind(session, kept[i], &error));
        check_equals_fresh(session);
        next_token(session);
        next_token(session);
        check_equals_fresh(session);
        CHECK_OK(slm_session_append(session, ids + 7, 5, NULL, &error));
        check_equals_fresh(session);
    }
    assert_int_equal(slm_session_rewind(session, 10000, &error), SLM_E_ARGUMENT);
    check_equals_fresh(session);
    slm_session_destroy(session);
}

static void test_forks_are_independent(void **state)
{
    static const uint32_t lengths[] = {1, 63, 64, 65, 100};
    slm_pool *pool = make_pool(3, TOKENS, 0);
    slm_session *a = fresh(pool, 0), *b = NULL, *c = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        CHECK_OK(slm_session_rewind(a, 0, &error));
        CHECK_OK(slm_session_append(a, ids, lengths[i], NULL, &error));
        CHECK_OK(slm_session_fork(a, &b, &error));
        CHECK_OK(slm_session_append(a, ids + 20, 9, NULL, &error));
        CHECK_OK(slm_session_append(b, ids + 40, 30, NULL, &error));
        CHECK_OK(slm_session_fork(b, &c, &error));
        next_token(b);
        next_token(c);
        CHECK_OK(slm_session_rewind(c, lengths[i], &error));
        check_equals_fresh(a);
        check_equals_fresh(b);
        check_equals_fresh(c);
        slm_session_destroy(b);
        slm_session_destroy(c);
    }
    slm_session_destroy(a);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
}

static void test_fork_shares_pages(void **state)
{
    slm_pool *pool = make_pool(2, TOKENS, 256); /* four pages */
    slm_session *a = fresh(pool, 0), *b = NULL;
    (void)state;
    CHECK_OK(slm_session_append(a, ids, 150, NULL, &error)); /* three pages */
    CHECK_OK(slm_session_fork(a, &b, &error));
    CHECK_OK(slm_session_append(b, ids, 10, NULL, &error)); /* copies the third: four */
    assert_int_equal(slm_session_append(a, ids, 50, NULL, &error), SLM_E_POOL_FULL);
    check_equals_fresh(a);
    check_equals_fresh(b);
    slm_session_destroy(b);
    CHECK_OK(slm_session_append(a, ids, 50, NULL, &error));
    check_equals_fresh(a);
    slm_session_destroy(a);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
}

static void test_failures_change_nothing(void **state)
{
    slm_session *session = fresh(NULL, 100);
    slm_token token = {.struct_size = sizeof token};
    const int32_t bad[2] = {1, (int32_t)info.vocab_size}, negative = -1;
    (void)state;
    assert_int_equal(slm_session_next(session, &token, &error), SLM_E_STATE);
    assert_int_equal(slm_session_logits(session, &(const float *){NULL}, NULL, &error), SLM_E_STATE);
    CHECK_OK(slm_session_append(session, ids, 0, NULL, &error));
    CHECK_OK(slm_session_append(session, ids, 90, NULL, &error));
    assert_int_equal(slm_session_append(session, ids, 11, NULL, &error), SLM_E_CONTEXT_FULL);
    assert_int_equal(slm_session_append(session, ids, UINT64_MAX, NULL, &error), SLM_E_CONTEXT_FULL);
    assert_int_equal(slm_session_append(session, bad, 2, NULL, &error), SLM_E_BAD_TOKEN);
    assert_int_equal(slm_session_append(session, &negative, 1, NULL, &error), SLM_E_BAD_TOKEN);
    check_equals_fresh(session);
    for (int i = 0; i < 10; i++) {
        CHECK_OK(slm_session_next(session, &token, &error));
    }
    assert_int_equal(token.stop, SLM_STOP_CONTEXT);
    assert_int_equal(slm_session_next(session, &token, &error), SLM_E_CONTEXT_FULL);
    check_equals_fresh(session);
    slm_session_destroy(session);
}

static void test_cancelled_before_it_starts(void **state)
{
    slm_session *session = fresh(NULL, TOKENS);
    slm_token token = {.struct_size = sizeof token};
    (void)state;
    CHECK_OK(slm_session_append(session, ids, 50, NULL, &error));
    slm_session_cancel(session);
    assert_int_equal(slm_session_append(session, ids + 50, 50, NULL, &error), SLM_E_CANCELLED);
    check_equals_fresh(session);
    slm_session_cancel(session);
    assert_int_equal(slm_session_next(session, &token, &error), SLM_E_CANCELLED);
    check_equals_fresh(session);
    CHECK_OK(slm_session_append(session, ids + 50, 50, NULL, &error));
    check_equals_fresh(session);
    slm_session_destroy(session);
}

static void *cancel_soon(void *session)
{
    usleep(2000);
    slm_session_cancel(session);
    return NULL;
}

static void test_cancelled_while_it_runs(void **state)
{
    slm_session *session = fresh(NULL, TOKENS);
    (void)state;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        CHECK_OK(slm_session_rewind(session, 0, &error));
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, session), 0);
        const slm_status status = slm_session_append(session, ids, 180, NULL, &error);
        pthread_join(thread, NULL);
        assert_true(status == SLM_OK || status == SLM_E_CANCELLED);
        slm_session_info session_info = {.struct_size = sizeof session_info};
        CHECK_OK(slm_session_get_info(session, &session_info, &error));
        assert_int_equal(session_info.tokens, status == SLM_OK ? 180 : 0);
        if (status == SLM_OK) { /* it came too late for the append: the next call takes it */
            assert_int_equal(slm_session_append(session, ids, 1, NULL, &error), SLM_E_CANCELLED);
        }
    }
    CHECK_OK(slm_session_rewind(session, 0, &error));
    CHECK_OK(slm_session_append(session, ids, 100, NULL, &error));
    check_equals_fresh(session);
    slm_session_destroy(session);
}

static void test_one_cancelled_of_a_batch(void **state)
{
    slm_pool *pool = make_pool(3, TOKENS, 0);
    slm_session *sessions[3];
    slm_token tokens[3] = {{.struct_size = sizeof tokens[0]}};
    slm_status statuses[3];
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        sessions[i] = fresh(pool, 0);
        CHECK_OK(slm_session_append(sessions[i], ids + i, 40, NULL, &error));
    }
    slm_session_cancel(sessions[1]);
    assert_int_equal(slm_pool_step(pool, sessions, 3, tokens, statuses, &error), SLM_E_CANCELLED);
    assert_int_equal(statuses[0], SLM_OK);
    assert_int_equal(statuses[1], SLM_E_CANCELLED);
    assert_int_equal(statuses[2], SLM_OK);
    CHECK_OK(slm_pool_step(pool, sessions, 3, tokens, statuses, &error));
    slm_session *twice[2] = {sessions[0], sessions[0]};
    assert_int_equal(slm_pool_step(pool, twice, 2, tokens, statuses, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_pool_destroy(pool), SLM_E_BUSY);
    assert_int_equal(slm_model_close(model), SLM_E_BUSY);
    assert_int_equal(slm_engine_destroy(engine), SLM_E_BUSY);
    for (uint32_t i = 0; i < 3; i++) {
        check_equals_fresh(sessions[i]);
        slm_session_destroy(sessions[i]);
    }
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
}

static void test_sampling_repeats_with_its_seed(void **state)
{
    const slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 0.9f, .top_k = 40, .top_p = 0.95f, .seed = 7};
    int32_t first[20];
    slm_session *session = fresh(NULL, TOKENS);
    (void)state;
    for (int run = 0; run < 2; run++) {
        CHECK_OK(slm_session_rewind(session, 0, &error));
        CHECK_OK(slm_session_append(session, ids, 20, NULL, &error));
        CHECK_OK(slm_session_set_sampling(session, &sampling, &error));
        for (int i = 0; i < 20; i++) {
            const int32_t token = next_token(session);
            assert_true(run == 0 || token == first[i]);
            first[i] = token;
        }
    }
    slm_session_destroy(session);
}

static int32_t count_tokens(void *user, const slm_token *token)
{
    assert_true(token->top_count == 3 && token->top[0].token == token->token && token->top[0].logprob == token->logprob);
    return ++*(uint32_t *)user == 4;
}

/* Greedy: the best of the top is what is chosen; forks have it too; slm_generate() hands it out. */
static void test_top_logprobs_of_every_step(void **state)
{
    slm_session_options options = {
        .struct_size = sizeof options, .context = TOKENS, .flags = SLM_SESSION_IGNORE_EOS, .top_logprobs = SLM_TOP_LOGPROBS_MAX + 1};
    slm_session *session = NULL, *fork = NULL;
    slm_pool *pool = make_pool(2, TOKENS, 0);
    slm_token token = {.struct_size = sizeof token}, other = {.struct_size = sizeof other};
    (void)state;
    assert_int_equal(slm_session_create(model, pool, &options, &session, &error), SLM_E_ARGUMENT);
    assert_non_null(strstr(error.message, "top_logprobs is 21"));
    options.top_logprobs = 3;
    CHECK_OK(slm_session_create(model, pool, &options, &session, &error));
    CHECK_OK(slm_session_append(session, ids, 10, NULL, &error));
    CHECK_OK(slm_session_fork(session, &fork, &error));
    for (int i = 0; i < 5; i++) {
        CHECK_OK(slm_session_next(session, &token, &error));
        assert_true(token.top_count == 3 && token.top[0].token == token.token && token.top[0].logprob == token.logprob);
        assert_true(token.top[0].logprob >= token.top[1].logprob && token.top[1].logprob >= token.top[2].logprob);
        CHECK_OK(slm_session_next(fork, &other, &error));
        assert_memory_equal(other.top, token.top, 3 * sizeof *token.top);
    }
    slm_session_destroy(fork);
    slm_session_destroy(session);
    CHECK_OK(slm_pool_destroy(pool));
    if (info.has_tokenizer) {
        uint32_t seen = 0;
        slm_generate_result result = {.struct_size = sizeof result};
        const slm_generate_options generate = {
            .struct_size = sizeof generate, .flags = SLM_GENERATE_RAW, .max_tokens = 9, .user = &seen, .on_token = count_tokens};
        CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
        CHECK_OK(slm_generate(session, "a b", 3, &generate, NULL, 0, NULL, &result, &error));
        assert_true(seen == 4 && result.stop == SLM_STOP_CALLBACK);
        slm_session_destroy(session);
    }
}

static void test_struct_sizes_of_other_versions(void **state)
{
    struct {
        slm_session_options known;
        uint64_t later;
    } longer;
    slm_session *session = NULL;
    (void)state;
    memset(&longer, 0, sizeof longer);
    longer.known.struct_size = sizeof longer;
    longer.known.context = 64;
    CHECK_OK(slm_session_create(model, NULL, &longer.known, &session, &error));
    slm_session_destroy(session);
    longer.later = 1;
    assert_int_equal(slm_session_create(model, NULL, &longer.known, &session, &error), SLM_E_STRUCT_SIZE);
    longer.known.struct_size = 0;
    assert_int_equal(slm_session_create(model, NULL, &longer.known, &session, &error), SLM_E_STRUCT_SIZE);
    longer.known.struct_size = 12; /* an older program: flags and context only */
    CHECK_OK(slm_session_create(model, NULL, &longer.known, &session, &error));
    slm_session_destroy(session);
}

/* What a later version may give a meaning to is not ignored by this one. */
static void test_reserved_fields_have_to_be_zero(void **state)
{
    (void)state;
    slm_engine *other_engine = NULL;
    slm_pool *pool = make_pool(2, 64, 0), *other_pool = NULL;
    slm_session *session = fresh(pool, 0), *other = NULL;
    slm_grammar *grammar = NULL;
    slm_pool_memory memory = {.struct_size = sizeof memory};
    float embedding[4096];
    const slm_input input = {.ids = ids, .id_count = 4};
    slm_label_score score = {.struct_size = sizeof score};
    slm_engine_options engine_options = {.struct_size = sizeof engine_options, .reserved = 1};
    slm_pool_options pool_options = {.struct_size = sizeof pool_options, .reserved = 1};
    slm_pool_options pool_options2 = {.struct_size = sizeof pool_options2, .reserved2 = 1};
    slm_sampling sampling = {.struct_size = sizeof sampling, .reserved = 1};
    slm_session_options session_options = {.struct_size = sizeof session_options, .reserved = 1};
    slm_append_options append_options = {.struct_size = sizeof append_options, .reserved = 1};
    slm_grammar_options grammar_options = {.struct_size = sizeof grammar_options, .reserved = 1};
    slm_embed_options embed_options = {.struct_size = sizeof embed_options, .reserved = 1};
    slm_score_options score_options = {.struct_size = sizeof score_options, .reserved = 1};
    assert_int_equal(slm_engine_create(&engine_options, &other_engine, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_pool_plan(model, &pool_options, &memory, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_pool_create(model, &pool_options, &other_pool, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_pool_create(model, &pool_options2, &other_pool, &error), SLM_E_ARGUMENT);
    assert_non_null(strstr(error.message, "reserved2 is 1"));
    assert_int_equal(slm_session_create(model, pool, &session_options, &other, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_session_set_sampling(session, &sampling, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_session_append(session, ids, 4, &append_options, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_grammar_compile(engine, SLM_GRAMMAR_REGEX, "a", 1, &grammar_options, &grammar, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_embed(pool, &input, 1, &embed_options, embedding, 4096, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_score(pool, &input, &input, 1, &score_options, &score, &error), SLM_E_ARGUMENT);
    CHECK_OK(slm_session_destroy(session));
    CHECK_OK(slm_pool_destroy(pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rewind_equals_fresh),
        cmocka_unit_test(test_forks_are_independent),
        cmocka_unit_test(test_fork_shares_pages),
        cmocka_unit_test(test_failures_change_nothing),
        cmocka_unit_test(test_cancelled_before_it_starts),
        cmocka_unit_test(test_cancelled_while_it_runs),
        cmocka_unit_test(test_one_cancelled_of_a_batch),
        cmocka_unit_test(test_sampling_repeats_with_its_seed),
        cmocka_unit_test(test_top_logprobs_of_every_step),
        cmocka_unit_test(test_struct_sizes_of_other_versions),
        cmocka_unit_test(test_reserved_fields_have_to_be_zero),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
