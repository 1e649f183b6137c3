/* SPDX-License-Identifier: MIT */
/* Guessing ahead: tokens, text and log-probabilities are those of decoding one by one, whatever the sampler, windows, adapters, forks,
 * rewinds and batches; guesses come true where a text repeats itself, and stop where they do not. */
#include "tests/api_fixture.h"

enum { CONTEXT = 500, STEPS = 120, LANES = 5 };

static slm_engine *engine;

/* A prompt that repeats itself: copies of one piece with some tokens changed. */
static uint64_t repetitive(int32_t *ids, uint32_t vocab, uint32_t seed)
{
    int32_t piece[40];
    some_tokens(piece, 40, vocab);
    uint64_t count = 0;
    for (uint32_t copy = 0; copy < 4; copy++) {
        for (uint32_t i = 0; i < 40; i++) {
            ids[count++] = i % 13 == (copy + seed) % 13 ? (int32_t)((copy * 31 + i + seed) % vocab) : piece[i];
        }
    }
    return count;
}

static slm_sampling sampling_of(uint32_t kind)
{
    /* Few tokens are likely, so that the text often goes on as it did before, and often not. */
    static const slm_logit_bias likely[] = {{10, 6}, {11, 6}, {12, 6}, {13, 6}, {14, 6}};
    slm_sampling sampling = {.struct_size = sizeof sampling, .seed = 5 + kind, .bias = likely, .bias_count = 5};
    switch (kind % 4) {
    case 1:
        sampling.temperature = 0.7f;
        sampling.top_p = 0.9f;
        break;
    case 2:
        sampling.temperature = 1.0f;
        sampling.top_k = 20;
        sampling.repetition_penalty = 1.1f;
        sampling.frequency_penalty = 0.2f;
        break;
    case 3:
        sampling.repetition_penalty = 1.05f;
        sampling.penalty_window = 32;
        break;
    default: break;
    }
    return sampling;
}

static slm_session *open_session(slm_model *model, slm_pool *pool, uint32_t kind, uint32_t speculate)
{
    slm_session *session = NULL;
    const slm_sampling sampling = sampling_of(kind);
    const slm_session_options options = {.struct_size = sizeof options,
                                         .flags = SLM_SESSION_IGNORE_EOS,
                                         .context = CONTEXT,
                                         .adapter_rank = pool == NULL ? 8 : 0,
                                         .speculate = speculate,
                                         .sampling = &sampling};
    CHECK_OK(slm_session_create(model, pool, &options, &session, &error));
    return session;
}

static slm_session_info info_of(const slm_session *session)
{
    slm_session_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_session_get_info(session, &info, &error));
    return info;
}

static void compare_step(slm_session *plain, slm_session *guessing)
{
    slm_token a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
    CHECK_OK(slm_session_next(plain, &a, &error));
    CHECK_OK(slm_session_next(guessing, &b, &error));
    assert_int_equal(a.token, b.token);
    assert_memory_equal(&a.logprob, &b.logprob, sizeof a.logprob);
    assert_int_equal(a.stop, b.stop);
    assert_int_equal(a.text_length, b.text_length);
    assert_memory_equal(a.text, b.text, a.text_length);
}

static void compare_logits(slm_session *plain, slm_session *guessing)
{
    const float *a = NULL, *b = NULL;
    uint64_t count = 0;
    CHECK_OK(slm_session_logits(plain, &a, &count, &error));
    CHECK_OK(slm_session_logits(guessing, &b, NULL, &error));
    assert_memory_equal(a, b, count * sizeof *a);
}

static void test_results_are_those_of_plain_decoding(void **state)
{
    static const char *const folders[] = {"llama32-tied", "mistral", "gemma3-text", "qwen3"};
    (void)state;
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++) {
        slm_model *model = golden_model(engine, folders[f], SLM_TYPE_I8);
        slm_model_info about = {.struct_size = sizeof about};
        CHECK_OK(slm_model_get_info(model, &about, &error));
        uint64_t accepted = 0, guessed = 0;
        for (uint32_t kind = 0; kind < 4; kind++) {
            int32_t ids[CONTEXT];
            const uint64_t count = repetitive(ids, about.vocab_size, kind);
            slm_session *plain = open_session(model, NULL, kind, 0), *guessing = open_session(model, NULL, kind, kind % 2 == 0 ? 8 : 3);
            CHECK_OK(slm_session_append(plain, ids, count, NULL, &error));
            CHECK_OK(slm_session_append(guessing, ids, count, NULL, &error));
            for (uint32_t i = 0; i < STEPS; i++) {
                compare_step(plain, guessing);
            }
            compare_logits(plain, guessing);
            const slm_session_info info = info_of(guessing);
            assert_int_equal(info.tokens, count + STEPS);
            accepted += info.accepted;
            guessed += info.guessed;
            slm_session_destroy(plain);
            slm_session_destroy(guessing);
        }
        printf("%-14s %u tokens: %u of %u guesses came true\n", folders[f], 4u * STEPS, (unsigned)accepted, (unsigned)guessed);
        assert_true(accepted > 0);
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
}

/* Whatever is done to a session while guesses are there. */
static void test_guesses_survive_nothing_they_should_not(void **state)
{
    static const char *const folders[] = {"llama32-tied", "gemma3-text"};
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        slm_model *model = golden_model(engine, folders[f], SLM_TYPE_I8);
        int32_t ids[CONTEXT];
        const uint64_t count = repetitive(ids, 300, 0);
        slm_pool *pools[2];
        slm_session *pair[2], *forks[2];
        for (uint32_t p = 0; p < 2; p++) {
            const slm_pool_options options = {
                .struct_size = sizeof options, .sessions = 2, .context = CONTEXT, .speculate = p == 0 ? 0 : 8};
            CHECK_OK(slm_pool_create(model, &options, &pools[p], &error));
            pair[p] = open_session(model, pools[p], 0, options.speculate);
            CHECK_OK(slm_session_append(pair[p], ids, count, NULL, &error));
        }
        for (uint32_t round = 0; round < 20; round++) {
            for (uint32_t i = 0; i < 8 + round % 5; i++) {
                compare_step(pair[0], pair[1]);
            }
            for (uint32_t p = 0; p < 2; p++) {
                const uint32_t tokens = info_of(pair[p]).tokens;
                if (round % 4 == 0) {
                    CHECK_OK(slm_session_append(pair[p], ids + round, 3, NULL, &error));
                } else if (round % 4 == 1) {
                    CHECK_OK(slm_session_rewind(pair[p], tokens - 2, &error));
                } else if (round % 4 == 2) {
                    const slm_sampling sampling = sampling_of(round);
                    CHECK_OK(slm_session_set_sampling(pair[p], &sampling, &error));
                } else {
                    CHECK_OK(slm_session_fork(pair[p], &forks[p], &error));
                }
            }
            if (round % 4 == 3) {
                for (uint32_t i = 0; i < 10; i++) {
                    compare_step(forks[0], forks[1]);
                    compare_step(pair[0], pair[1]);
                }
                slm_session_destroy(forks[0]);
                slm_session_destroy(forks[1]);
            }
        }
        compare_logits(pair[0], pair[1]);
        printf("%-14s %u of %u guesses came true\n", folders[f], (unsigned)info_of(pair[1]).accepted, (unsigned)info_of(pair[1]).guessed);
        assert_true(info_of(pair[1]).accepted > 0);
        for (uint32_t p = 0; p < 2; p++) {
            slm_session_destroy(pair[p]);
            assert_int_equal(slm_pool_destroy(pools[p]), SLM_OK);
        }
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
}

/* Guesses that would be chosen again after something else was appended. */
static void test_appending_forgets_guesses(void **state)
{
    static const slm_logit_bias always = {7, 1e6f};
    const slm_sampling sampling = {.struct_size = sizeof sampling, .bias = &always, .bias_count = 1};
    slm_model *model = golden_model(engine, "llama32-tied", SLM_TYPE_I8);
    int32_t ids[30];
    slm_session *pair[2];
    (void)state;
    some_tokens(ids, 30, 300);
    for (uint32_t p = 0; p < 2; p++) {
        pair[p] = open_session(model, NULL, 0, p == 0 ? 0 : 8);
        CHECK_OK(slm_session_set_sampling(pair[p], &sampling, &error));
        CHECK_OK(slm_session_append(pair[p], ids, 20, NULL, &error));
    }
    for (uint32_t round = 1; round < 8; round++) {
        for (uint32_t i = 0; i < 43 + round; i++) {
            compare_step(pair[0], pair[1]);
        }
        for (uint32_t p = 0; p < 2; p++) {
            CHECK_OK(slm_session_append(pair[p], ids + round, 1 + round % 3, NULL, &error));
        }
    }
    printf("%u of %u guesses came true\n", (unsigned)info_of(pair[1]).accepted, (unsigned)info_of(pair[1]).guessed);
    assert_true(info_of(pair[1]).accepted > 10);
    slm_session_destroy(pair[0]);
    slm_session_destroy(pair[1]);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

/* Sessions of one pool: with and without guesses, other samplers, adapters, few rows a pass, few pages. */
static void test_batches(void **state)
{
    char path[512], target[256];
    int32_t ids[CONTEXT];
    slm_model *model = NULL;
    slm_adapter *adapter = NULL;
    slm_pool *pool = NULL;
    slm_session *lanes[LANES], *alone[LANES];
    const slm_convert_options convert = {.struct_size = sizeof convert};
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    (void)state;
    snprintf(path, sizeof path, "%s/import/lora/base", golden_root());
    CHECK_OK(slm_convert(engine, path, SLM_NUL_TERMINATED, temporary_path("base.slm", target), SLM_NUL_TERMINATED, &convert, NULL, &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    snprintf(path, sizeof path, "%s/import/lora/b", golden_root());
    CHECK_OK(slm_adapter_open(model, path, SLM_NUL_TERMINATED, &adapter, &error));
    for (uint32_t batch = 2; batch <= 512; batch *= 16) {
        const slm_pool_options options = {.struct_size = sizeof options,
                                          .sessions = LANES,
                                          .context = CONTEXT,
                                          .kv_tokens = batch == 2 ? (uint64_t)LANES * 256 : 0,
                                          .batch = batch,
                                          .adapter_rank = 8,
                                          .speculate = 8};
        CHECK_OK(slm_pool_create(model, &options, &pool, &error));
        for (uint32_t i = 0; i < LANES; i++) {
            const uint64_t count = repetitive(ids, 320, i);
            lanes[i] = open_session(model, pool, i, i == 3 ? 0 : 4 + i);
            alone[i] = open_session(model, NULL, i, 0);
            if (i % 2 == 1) {
                CHECK_OK(slm_session_set_adapters(lanes[i], &adapter, NULL, 1, &error));
                CHECK_OK(slm_session_set_adapters(alone[i], &adapter, NULL, 1, &error));
            }
            CHECK_OK(slm_session_append(lanes[i], ids, count - 7 * i, NULL, &error));
            CHECK_OK(slm_session_append(alone[i], ids, count - 7 * i, NULL, &error));
        }
        for (uint32_t s = 0; s < 60; s++) {
            slm_token tokens[LANES] = {{0}};
            slm_status statuses[LANES];
            tokens[0].struct_size = sizeof tokens[0];
            CHECK_OK(slm_pool_step(pool, lanes, LANES, tokens, statuses, &error));
            for (uint32_t i = 0; i < LANES; i++) {
                slm_token token = {.struct_size = sizeof token};
                CHECK_OK(slm_session_next(alone[i], &token, &error));
                assert_int_equal(token.token, tokens[i].token);
                assert_memory_equal(&token.logprob, &tokens[i].logprob, sizeof token.logprob);
            }
        }
        for (uint32_t i = 0; i < LANES; i++) {
            compare_logits(alone[i], lanes[i]);
            assert_true(i == 3 ? info_of(lanes[i]).guessed == 0 : 1);
            slm_session_destroy(lanes[i]);
            slm_session_destroy(alone[i]);
        }
        assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    }
    assert_int_equal(slm_adapter_close(adapter), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

/* Random text gives nothing to guess from: pauses grow. And the end of the context is met as without guesses. */
static void test_guessing_stops_where_it_does_not_pay(void **state)
{
    slm_model *model = golden_model(engine, "qwen3", SLM_TYPE_I8);
    const slm_sampling hot = {.struct_size = sizeof hot, .temperature = 3.0f, .seed = 1};
    const slm_sampling *samplings[2] = {NULL, &hot};
    (void)state;
    for (int s = 0; s < 2; s++) {
        int32_t ids[CONTEXT];
        slm_session *session = NULL;
        slm_token token = {.struct_size = sizeof token};
        const slm_session_options options = {
            .struct_size = sizeof options, .flags = SLM_SESSION_IGNORE_EOS, .context = CONTEXT, .speculate = 8, .sampling = samplings[s]};
        const uint64_t count = repetitive(ids, 60, 1);
        CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
        CHECK_OK(slm_session_append(session, ids, count, NULL, &error));
        while (token.stop == SLM_STOP_NONE) {
            CHECK_OK(slm_session_next(session, &token, &error));
        }
        const slm_session_info info = info_of(session);
        printf("%s: %u tokens, %u of %u guesses came true\n", s == 0 ? "greedy" : "hot", (unsigned)(info.tokens - count),
               (unsigned)info.accepted, (unsigned)info.guessed);
        assert_int_equal(token.stop, SLM_STOP_CONTEXT);
        assert_int_equal(info.tokens, CONTEXT);
        assert_true(s == 0 || info.guessed < (CONTEXT - count) / 2);
        assert_int_equal(slm_session_next(session, &token, &error), SLM_E_CONTEXT_FULL);
        slm_session_destroy(session);
    }
    assert_int_equal(slm_model_close(model), SLM_OK);
}

static void test_options(void **state)
{
    slm_model *model = golden_model(engine, "qwen3", SLM_TYPE_I8);
    slm_pool_memory small = {.struct_size = sizeof small}, large = {.struct_size = sizeof large};
    slm_pool_options options = {.struct_size = sizeof options, .sessions = 3, .context = 64};
    const slm_session_options wanting = {.struct_size = sizeof wanting, .speculate = 9};
    slm_model_info info = {.struct_size = sizeof info};
    slm_pool *pool = NULL;
    slm_session *session = NULL;
    (void)state;
    CHECK_OK(slm_model_get_info(model, &info, &error));
    CHECK_OK(slm_pool_plan(model, &options, &small, &error));
    options.speculate = 8;
    CHECK_OK(slm_pool_plan(model, &options, &large, &error));
    assert_true(large.session_bytes >= small.session_bytes + (uint64_t)3 * 8 * info.vocab_size * 4);
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    assert_int_equal(slm_session_create(model, pool, &wanting, &session, &error), SLM_E_ARGUMENT);
    options.speculate = 65;
    assert_int_equal(slm_pool_plan(model, &options, &large, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
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
        cmocka_unit_test(test_results_are_those_of_plain_decoding),
        cmocka_unit_test(test_guesses_survive_nothing_they_should_not),
        cmocka_unit_test(test_appending_forgets_guesses),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_guessing_stops_where_it_does_not_pay),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
