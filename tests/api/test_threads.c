/* SPDX-License-Identifier: MIT */
/* Threads: two engines, and two sessions on one model, at the same time; each gets the bits that it gets alone (made for
 * ThreadSanitizer). How often the threads of a decoding step wait for each other. */
#include "tests/api_fixture.h"
#include <pthread.h>

enum { TOKENS = 60, STEPS = 10, WORKERS = 4 };

struct worker {
    slm_model *model;
    int32_t answer[STEPS];
    slm_status status;
};

static void *work(void *context)
{
    struct worker *worker = context;
    slm_session *session = NULL;
    int32_t ids[TOKENS];
    const slm_session_options options = {.struct_size = sizeof options, .context = TOKENS + STEPS, .flags = SLM_SESSION_IGNORE_EOS};
    some_tokens(ids, TOKENS, 300);
    worker->status = slm_session_create(worker->model, NULL, &options, &session, NULL);
    if (worker->status == SLM_OK) {
        worker->status = slm_session_append(session, ids, TOKENS, NULL, NULL);
    }
    for (int i = 0; i < STEPS && worker->status == SLM_OK; i++) {
        slm_token token = {.struct_size = sizeof token};
        worker->status = slm_session_next(session, &token, NULL);
        worker->answer[i] = token.token;
    }
    slm_session_destroy(session);
    return NULL;
}

static void test_many_at_once(void **state)
{
    slm_engine *engines[2] = {NULL, NULL};
    slm_model *models[2];
    struct worker workers[WORKERS], alone;
    pthread_t threads[WORKERS];
    (void)state;
    memset(workers, 0, sizeof workers);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(slm_engine_create(NULL, &engines[i], &error));
        models[i] = golden_model(engines[i], "qwen3", SLM_TYPE_I8);
    }
    for (int i = 0; i < WORKERS; i++) { /* two on each model */
        workers[i].model = models[i % 2];
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
    }
    alone = (struct worker){.model = models[0]};
    work(&alone);
    assert_int_equal(alone.status, SLM_OK);
    for (int i = 0; i < WORKERS; i++) {
        assert_int_equal(workers[i].status, SLM_OK);
        assert_memory_equal(workers[i].answer, alone.answer, sizeof alone.answer);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(slm_model_close(models[i]), SLM_OK);
        assert_int_equal(slm_engine_destroy(engines[i]), SLM_OK);
    }
}

/* A host that runs every task itself and counts the loops. */
static void count_loops(void *user, uint32_t tasks, void (*task)(void *context, uint32_t index), void *context)
{
    *(uint32_t *)user += 1;
    for (uint32_t i = 0; i < tasks; i++) {
        task(context, i);
    }
}

/* A decoding step hands out at most five loops a layer, and one for the head: each costs a wait for the slowest. Beyond 512 tokens the
 * keys of a row are cut as well. */
static void test_five_loops_a_layer(void **state)
{
    enum { LONG = 600 };
    static const char config[] =
        "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"num_hidden_layers\":4,\"hidden_size\":512,"
        "\"num_attention_heads\":8,\"num_key_value_heads\":2,\"intermediate_size\":1536,\"vocab_size\":512,\"rope_theta\":10000.0,"
        "\"rms_norm_eps\":1e-5,\"max_position_embeddings\":1024,\"hidden_act\":\"silu\",\"torch_dtype\":\"bfloat16\"}";
    const slm_random_options random = {.struct_size = sizeof random, .type = SLM_TYPE_I8, .head_type = SLM_TYPE_I8, .seed = 1};
    uint32_t loops = 0, before;
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    slm_session *session = NULL;
    int32_t ids[LONG];
    slm_token token = {.struct_size = sizeof token};
    slm_model_info info = {.struct_size = sizeof info};
    const slm_engine_options options = {.struct_size = sizeof options, .threads = 4, .parallel_for = count_loops, .parallel_user = &loops};
    const slm_session_options room = {.struct_size = sizeof room, .context = LONG + STEPS, .flags = SLM_SESSION_IGNORE_EOS};
    (void)state;
    some_tokens(ids, LONG, 300);
    CHECK_OK(slm_engine_create(&options, &engine, &error));
    CHECK_OK(slm_model_open_random(engine, config, sizeof config - 1, &random, &model, &error)); /* large enough to be shared at all */
    CHECK_OK(slm_model_get_info(model, &info, &error));
    CHECK_OK(slm_session_create(model, NULL, &room, &session, &error));
    for (uint32_t length = 60; length <= LONG; length += LONG - 60) {
        CHECK_OK(slm_session_rewind(session, 0, &error));
        CHECK_OK(slm_session_append(session, ids, length, NULL, &error));
        CHECK_OK(slm_session_next(session, &token, &error)); /* from the prompt's logits */
        before = loops;
        CHECK_OK(slm_session_next(session, &token, &error));
        assert_in_range(loops - before, 4 * info.layers, 5 * info.layers + 1);
    }
    assert_int_equal(slm_session_destroy(session), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many_at_once), cmocka_unit_test(test_five_loops_a_layer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
