/* SPDX-License-Identifier: MIT */
/* Threads: two engines, and two sessions on one model, at the same time; each gets the bits that it gets alone. Made for
 * ThreadSanitizer. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
