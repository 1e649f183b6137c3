/* SPDX-License-Identifier: MIT */
/* Prefix reuse inside a pool: the longest known beginning is shared and the bits are those of computing it; never across adapters or
 * rotary frequencies; kept sequences give way to sessions; windows; failures leave everything as it was. */
#include "tests/api_fixture.h"

enum { CONTEXT = 600 };

static slm_engine *engine;

static slm_pool *new_pool(slm_model *model, uint32_t sessions, uint32_t prefixes, uint64_t kv_tokens)
{
    slm_pool *pool = NULL;
    const slm_pool_options options = {.struct_size = sizeof options,
                                      .sessions = sessions,
                                      .context = CONTEXT,
                                      .kv_tokens = kv_tokens,
                                      .batch = 64,
                                      .adapter_rank = 8,
                                      .speculate = 4,
                                      .prefixes = prefixes};
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    return pool;
}

static slm_session *new_session(slm_model *model, slm_pool *pool)
{
    slm_session *session = NULL;
    const slm_session_options options = {
        .struct_size = sizeof options, .flags = SLM_SESSION_IGNORE_EOS, .speculate = pool != NULL ? 4 : 0, .context = CONTEXT};
    CHECK_OK(slm_session_create(model, pool, &options, &session, &error));
    return session;
}

static slm_session_info info_of(const slm_session *session)
{
    slm_session_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_session_get_info(session, &info, &error));
    return info;
}

/* Append, and say how many tokens were shared. */
static uint32_t append(slm_session *session, const int32_t *ids, uint64_t count)
{
    CHECK_OK(slm_session_append(session, ids, count, NULL, &error));
    return info_of(session).reused;
}

/* The session's logits and next tokens are those of one that computed everything by itself. */
static void check_alone(slm_model *model, slm_session *session)
{
    int32_t ids[CONTEXT];
    uint64_t count = 0, vocab = 0;
    const float *a = NULL, *b = NULL;
    slm_session *alone = new_session(model, NULL);
    CHECK_OK(slm_session_tokens(session, ids, CONTEXT, &count, &error));
    CHECK_OK(slm_session_append(alone, ids, count, NULL, &error));
    for (int i = 0; i < 3; i++) {
        slm_token x = {.struct_size = sizeof x}, y = {.struct_size = sizeof y};
        CHECK_OK(slm_session_logits(session, &a, &vocab, &error));
        CHECK_OK(slm_session_logits(alone, &b, NULL, &error));
        assert_memory_equal(a, b, vocab * sizeof *a);
        CHECK_OK(slm_session_next(session, &x, &error));
        CHECK_OK(slm_session_next(alone, &y, &error));
        assert_int_equal(x.token, y.token);
    }
    slm_session_destroy(alone);
}

static void test_the_longest_beginning_is_shared(void **state)
{
    static const char *const folders[] = {"llama32-tied", "gemma3-text", "mistral"}; /* mistral: every layer has a window */
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        int32_t ids[CONTEXT], other[CONTEXT];
        slm_model *model = golden_model(engine, folders[f], SLM_TYPE_I8);
        slm_pool *pool = new_pool(model, 3, 2, 0);
        some_tokens(ids, 300, 300);
        slm_session *a = new_session(model, pool), *b = new_session(model, pool), *c = NULL;
        assert_int_equal(append(a, ids, 200), 0);
        /* from a session at work: as far as the tokens agree, inside a page; the last token is always computed */
        memcpy(other, ids, sizeof other);
        other[150] = ids[150] + 1;
        assert_int_equal(append(b, other, 210), 150);
        check_alone(model, b);
        check_alone(model, a);
        assert_int_equal(info_of(a).tokens, 203);
        /* from a sequence that ended, its answer too; the longest counts */
        const uint32_t ended = info_of(a).tokens;
        uint64_t count = 0;
        CHECK_OK(slm_session_tokens(a, other, CONTEXT, &count, &error));
        slm_session_destroy(a);
        other[ended] = 7;
        other[ended + 1] = 8;
        c = new_session(model, pool);
        assert_int_equal(append(c, other, ended + 2), ended - 1); /* the last token of a had not been computed */
        check_alone(model, c);
        /* a rewind to 0 keeps it too; exactly the same again: all but the last */
        CHECK_OK(slm_session_tokens(c, other, CONTEXT, &count, &error));
        CHECK_OK(slm_session_rewind(c, 0, &error));
        assert_int_equal(append(c, other, count - 1), count - 2);
        check_alone(model, c);
        /* a session that has tokens goes on as another did */
        CHECK_OK(slm_session_rewind(c, 0, &error));
        assert_int_equal(append(c, ids, 64), 63);
        assert_true(append(c, ids + 64, 90) >= 85);
        check_alone(model, c);
        /* wanting logits of every token means computing it */
        slm_model_info info = {.struct_size = sizeof info};
        CHECK_OK(slm_model_get_info(model, &info, &error));
        float *logits = malloc((size_t)100 * info.vocab_size * sizeof *logits);
        const slm_append_options out = {.struct_size = sizeof out, .logits = logits, .logits_capacity = (uint64_t)100 * info.vocab_size};
        CHECK_OK(slm_session_rewind(c, 0, &error));
        CHECK_OK(slm_session_append(c, ids, 100, &out, &error));
        assert_int_equal(info_of(c).reused, 0);
        free(logits);
        slm_session_destroy(b);
        slm_session_destroy(c);
        assert_int_equal(slm_pool_destroy(pool), SLM_OK);
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
}

static void test_long_sequences_with_windows(void **state)
{
    int32_t ids[CONTEXT], other[CONTEXT];
    slm_model *model = golden_model(engine, "gemma3-text", SLM_TYPE_I8); /* windows of 16: 272 keys stay */
    slm_pool *pool = new_pool(model, 2, 2, 0);
    (void)state;
    some_tokens(ids, CONTEXT, 300);
    slm_session *a = new_session(model, pool), *b = new_session(model, pool);
    append(a, ids, 590);
    memcpy(other, ids, sizeof other);
    other[100] = ids[100] + 1;
    assert_int_equal(append(b, other, 500), 0); /* keys of position 100 have been dropped */
    check_alone(model, b);
    CHECK_OK(slm_session_rewind(b, 0, &error));
    other[100] = ids[100];
    other[480] = ids[480] + 1;
    assert_int_equal(append(b, other, 500), 480);
    check_alone(model, b);
    /* a session that could go back further does not lose that */
    CHECK_OK(slm_session_rewind(b, 0, &error));
    slm_session_destroy(a);
    for (uint32_t i = 0; i < 3; i++) { /* what is kept gives way */
        other[0] = (int32_t)(20 + i);
        append(b, other, 300);
        CHECK_OK(slm_session_rewind(b, 0, &error));
    }
    assert_int_equal(append(b, ids, 100), 0);
    CHECK_OK(slm_session_rewind(b, 50, &error));
    check_alone(model, b);
    slm_session_destroy(b);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

static void test_never_across_adapters(void **state)
{
    char path[512], target[256];
    int32_t ids[200];
    const float half = 0.5f;
    slm_model *model = NULL;
    slm_adapter *adapters[3];
    const slm_convert_options convert = {.struct_size = sizeof convert};
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    const slm_pool_options options = {
        .struct_size = sizeof options, .sessions = 2, .context = 256, .kv_tokens = 2048, .adapter_rank = 8, .prefixes = 4};
    slm_pool *pool = NULL;
    slm_session *session = NULL;
    (void)state;
    snprintf(path, sizeof path, "%s/import/lora/base", golden_root());
    CHECK_OK(slm_convert(engine, path, SLM_NUL_TERMINATED, temporary_path("base.slm", target), SLM_NUL_TERMINATED, &convert, NULL, &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    static const char *const names[] = {"a", "b", "a"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/import/lora/%s", golden_root(), names[i]);
        CHECK_OK(slm_adapter_open(model, path, SLM_NUL_TERMINATED, &adapters[i], &error));
    }
    some_tokens(ids, 200, 320);
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    CHECK_OK(slm_session_create(model, pool, NULL, &session, &error));
    assert_int_equal(append(session, ids, 150), 0);
    CHECK_OK(slm_session_rewind(session, 0, &error));
    CHECK_OK(slm_session_set_adapters(session, &adapters[0], NULL, 1, &error));
    assert_int_equal(append(session, ids, 150), 0);
    CHECK_OK(slm_session_rewind(session, 0, &error));
    CHECK_OK(slm_session_set_adapters(session, &adapters[0], &half, 1, &error));
    assert_int_equal(append(session, ids, 150), 0);
    CHECK_OK(slm_session_rewind(session, 0, &error));
    CHECK_OK(slm_session_set_adapters(session, &adapters[1], NULL, 1, &error));
    assert_int_equal(append(session, ids, 150), 0);
    CHECK_OK(slm_session_rewind(session, 0, &error));
    CHECK_OK(slm_session_set_adapters(session, adapters, NULL, 0, &error));
    assert_int_equal(append(session, ids, 120), 119);
    CHECK_OK(slm_session_rewind(session, 0, &error));
    assert_int_equal(slm_adapter_close(adapters[0]), SLM_OK);                   /* kept sequences do not hold adapters */
    CHECK_OK(slm_session_set_adapters(session, &adapters[2], NULL, 1, &error)); /* the same content, opened again */
    assert_int_equal(append(session, ids, 120), 119);
    slm_session_destroy(session);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_adapter_close(adapters[1]), SLM_OK);
    assert_int_equal(slm_adapter_close(adapters[2]), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

static void test_sessions_come_first(void **state)
{
    int32_t ids[CONTEXT], other[CONTEXT];
    slm_model *model = golden_model(engine, "llama32-tied", SLM_TYPE_I8);
    slm_pool *pool = new_pool(model, 2, 3, 640); /* ten pages for everything */
    (void)state;
    some_tokens(ids, CONTEXT, 300);
    slm_session *a = new_session(model, pool), *b = new_session(model, pool);
    for (int i = 0; i < 4; i++) { /* three slots, least recently used first */
        memcpy(other, ids, sizeof other);
        other[0] = i;
        assert_int_equal(append(a, other, 120), 0);
        CHECK_OK(slm_session_rewind(a, 0, &error));
    }
    other[0] = 1;
    assert_int_equal(append(a, other, 120), 119);
    CHECK_OK(slm_session_rewind(a, 0, &error));
    append(a, ids, 580); /* all ten pages: nothing kept is left */
    assert_int_equal(slm_session_append(b, other, 120, NULL, &error), SLM_E_POOL_FULL);
    assert_int_equal(info_of(b).tokens, 0);
    assert_int_equal(info_of(b).pages, 0);
    check_alone(model, a);
    CHECK_OK(slm_session_rewind(a, 0, &error));
    assert_int_equal(append(b, other, 120), 0);
    check_alone(model, b);
    slm_session_cancel(b); /* a failed append leaves what was there, and shared pages with their owners */
    assert_int_equal(slm_session_append(b, ids + 1, 100, NULL, &error), SLM_E_CANCELLED);
    assert_int_equal(info_of(b).tokens, 123);
    check_alone(model, b);
    slm_session_cancel(a);
    assert_int_equal(slm_session_append(a, other, 120, NULL, &error), SLM_E_CANCELLED);
    assert_int_equal(info_of(a).tokens, 0);
    assert_int_equal(info_of(a).pages, 0);
    assert_true(append(a, other, 120) == 119);
    check_alone(model, a);
    slm_session_destroy(a);
    slm_session_destroy(b);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

/* Many random conversations over few slots and pages, each compared with a session of its own. */
static void test_random_use(void **state)
{
    static const char *const folders[] = {"llama32-tied", "gemma3-text"};
    uint32_t random = 3;
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        int32_t ids[CONTEXT];
        slm_model *model = golden_model(engine, folders[f], SLM_TYPE_I8);
        slm_pool *pool = new_pool(model, 3, 3, 64 * 24);
        slm_session *sessions[3] = {NULL, NULL, NULL};
        uint32_t reused = 0, checks = 0;
        for (uint32_t round = 0; round < 150; round++) {
            random = random * 1664525u + 1013904223u;
            const uint32_t who = (random >> 8) % 3, what = (random >> 12) % 8, length = 20 + (random >> 16) % 150;
            if (sessions[who] == NULL) {
                sessions[who] = new_session(model, pool);
            }
            slm_session *session = sessions[who];
            const uint32_t tokens = info_of(session).tokens;
            if (what == 0) {
                slm_session_destroy(session);
                sessions[who] = NULL;
            } else if (what == 1 || tokens + length > 400) {
                CHECK_OK(slm_session_rewind(session, what == 1 && tokens > 30 ? tokens - 20 : 0, &error));
            } else if (what == 2 && tokens > 0) {
                check_alone(model, session);
                checks++;
            } else {
                some_tokens(ids, CONTEXT, 300);
                ids[(random >> 20) % 3 * 90] ^= 1; /* a few families of sequences */
                if (slm_session_append(session, ids + tokens, length, NULL, &error) == SLM_OK) {
                    reused += info_of(session).reused;
                }
            }
        }
        for (int i = 0; i < 3; i++) {
            if (sessions[i] != NULL && info_of(sessions[i]).tokens > 0) {
                check_alone(model, sessions[i]);
            }
            slm_session_destroy(sessions[i]);
        }
        printf("%-14s %u tokens shared, %u comparisons\n", folders[f], reused, checks);
        assert_true(reused > 1000);
        assert_int_equal(slm_pool_destroy(pool), SLM_OK);
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
}

static void test_the_plan_is_exact(void **state)
{
    struct counting_allocator counter = {0};
    const slm_engine_options engine_options = counting_options(&counter);
    slm_engine *counted = NULL;
    slm_pool *pool = NULL;
    slm_pool_memory memory = {.struct_size = sizeof memory};
    const slm_pool_options options = {
        .struct_size = sizeof options, .sessions = 2, .context = 200, .adapter_rank = 3, .speculate = 2, .prefixes = 5};
    int32_t ids[200];
    (void)state;
    CHECK_OK(slm_engine_create(&engine_options, &counted, &error));
    slm_model *model = golden_model(counted, "gemma3-text", SLM_TYPE_I8);
    const struct counting_allocator before = counter;
    CHECK_OK(slm_pool_plan(model, &options, &memory, &error));
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    assert_int_equal(counter.live_bytes, before.live_bytes + memory.total_bytes);
    some_tokens(ids, 200, 300);
    const slm_session_options one = {.struct_size = sizeof one, .speculate = 2};
    for (int i = 0; i < 8; i++) {
        slm_session *session = NULL;
        slm_token token = {.struct_size = sizeof token};
        ids[i * 10] ^= 1;
        CHECK_OK(slm_session_create(model, pool, &one, &session, &error));
        CHECK_OK(slm_session_append(session, ids, 150, NULL, &error));
        CHECK_OK(slm_session_next(session, &token, &error));
        slm_session_destroy(session);
    }
    assert_int_equal(counter.calls, before.calls + 1);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(counted), SLM_OK);
}

static int begin(void **state)
{
    (void)state;
    return slm_engine_create(NULL, &engine, &error);
}

static int end(void **state)
{
    (void)state;
    return slm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_longest_beginning_is_shared),
        cmocka_unit_test(test_long_sequences_with_windows),
        cmocka_unit_test(test_never_across_adapters),
        cmocka_unit_test(test_sessions_come_first),
        cmocka_unit_test(test_random_use),
        cmocka_unit_test(test_the_plan_is_exact),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
