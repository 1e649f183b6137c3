/* SPDX-License-Identifier: MIT */
/* Layers with a window drop keys that no query can see: memory stays bounded, results do not change, and going back has a stated limit. */
#include "tests/api_fixture.h"

enum { TOKENS = 900, CONTEXT = 1024, RESERVE = 256 };

static const struct {
    const char *folder;
    uint32_t window;
    int all_layers; /* every layer has the window */
} models[] = {{"mistral", 24, 1}, {"gemma3-text", 16, 0}};

static slm_engine *engine;
static int32_t ids[TOKENS];

static slm_session *create(slm_model *model, slm_pool *pool, uint32_t batch)
{
    slm_session *session = NULL;
    const slm_session_options options = {
        .struct_size = sizeof options, .context = CONTEXT, .flags = SLM_SESSION_IGNORE_EOS, .batch = pool != NULL ? 0 : batch};
    CHECK_OK(slm_session_create(model, pool, &options, &session, &error));
    return session;
}

static uint32_t pages_of(slm_session *session)
{
    slm_session_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_session_get_info(session, &info, &error));
    return info.pages;
}

/* The session's logits equal those of a fresh session that gets the same tokens in one piece and in a large batch. */
static void check_equals_fresh(slm_model *model, slm_session *session)
{
    static int32_t sequence[CONTEXT];
    uint64_t count = 0, vocab = 0;
    const float *got = NULL, *expected = NULL;
    slm_session *other = create(model, NULL, CONTEXT);
    CHECK_OK(slm_session_tokens(session, sequence, CONTEXT, &count, &error));
    CHECK_OK(slm_session_append(other, sequence, count, NULL, &error));
    CHECK_OK(slm_session_logits(other, &expected, &vocab, &error));
    CHECK_OK(slm_session_logits(session, &got, NULL, &error));
    assert_memory_equal(got, expected, vocab * sizeof *got);
    slm_session_destroy(other);
}

static void check_model(slm_model *model, uint32_t window, int all_layers)
{
    slm_session *session = create(model, NULL, 64);
    const uint32_t most = (2 * (window + RESERVE) + 64) / 64 + 4;
    for (uint32_t i = 0; i < TOKENS; i += 100) {
        CHECK_OK(slm_session_append(session, ids + i, 100, NULL, &error));
        assert_true(!all_layers || pages_of(session) <= most);
    }
    check_equals_fresh(model, session);
    CHECK_OK(slm_session_rewind(session, TOKENS - RESERVE, &error)); /* promised */
    check_equals_fresh(model, session);
    CHECK_OK(slm_session_append(session, ids, 30, NULL, &error));
    check_equals_fresh(model, session);
    assert_int_equal(slm_session_rewind(session, 300, &error), SLM_E_REWIND_LIMIT);
    assert_non_null(strstr(error.message, "keep at least"));
    check_equals_fresh(model, session);
    slm_session_cancel(session);
    assert_int_equal(slm_session_append(session, ids, 200, NULL, &error), SLM_E_CANCELLED);
    check_equals_fresh(model, session);
    CHECK_OK(slm_session_rewind(session, 0, &error));
    CHECK_OK(slm_session_append(session, ids + 5, 700, NULL, &error));
    check_equals_fresh(model, session);
    slm_session_destroy(session);
}

static void check_forks(slm_model *model)
{
    slm_pool *pool = NULL;
    slm_session *fork = NULL;
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = 2, .context = CONTEXT, .batch = 96};
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    slm_session *session = create(model, pool, 0);
    CHECK_OK(slm_session_append(session, ids, 333, NULL, &error));
    CHECK_OK(slm_session_fork(session, &fork, &error));
    CHECK_OK(slm_session_append(session, ids + 9, 400, NULL, &error));
    CHECK_OK(slm_session_append(fork, ids + 77, 500, NULL, &error));
    check_equals_fresh(model, session);
    check_equals_fresh(model, fork);
    for (int i = 0; i < 20; i++) {
        slm_token token = {.struct_size = sizeof token};
        CHECK_OK(slm_session_next(fork, &token, &error));
    }
    check_equals_fresh(model, fork);
    slm_session_destroy(fork);
    slm_session_destroy(session);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
}

static void test_windowed_models(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        slm_model *model = golden_model(engine, models[i].folder, SLM_TYPE_I8);
        check_model(model, models[i].window, models[i].all_layers);
        check_forks(model);
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
}

static void test_memory_is_bounded_by_the_window(void **state)
{
    slm_pool_memory small = {.struct_size = sizeof small}, large = {.struct_size = sizeof large};
    slm_pool_options options = {.struct_size = sizeof options, .context = 1024, .batch = 64};
    (void)state;
    slm_model *model = golden_model(engine, "mistral", SLM_TYPE_I8);
    CHECK_OK(slm_pool_plan(model, &options, &small, &error));
    options.context = 15000;
    CHECK_OK(slm_pool_plan(model, &options, &large, &error));
    assert_true(large.kv_bytes == small.kv_bytes);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

static int make_engine(void **state)
{
    (void)state;
    some_tokens(ids, TOKENS, 300);
    return slm_engine_create(NULL, &engine, &error);
}

static int drop_engine(void **state)
{
    (void)state;
    return slm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_windowed_models), cmocka_unit_test(test_memory_is_bounded_by_the_window)};
    return cmocka_run_group_tests(tests, make_engine, drop_engine);
}
