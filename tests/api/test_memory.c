/* SPDX-License-Identifier: MIT */
/* Memory is planned: plans are exact, running allocates nothing, and every allocation of every call may fail once without a leak or a
 * broken handle. */
#include "tests/api_fixture.h"

enum { CONTEXT = 120 };

/* Everything a program does, up to the first failure; then all handles are given back. Returns the status. */
static slm_status use_everything(const slm_engine_options *options, const char *path, struct counting_allocator *counter, int check_plans)
{
    static const char prompt[] = "I want my money back";
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    slm_session *session = NULL;
    int32_t ids[64];
    slm_token token = {.struct_size = sizeof token};
    slm_pool_memory plan = {.struct_size = sizeof plan};
    slm_model_memory model_plan = {.struct_size = sizeof model_plan};
    const slm_pool_options pool_options = {.struct_size = sizeof pool_options, .context = CONTEXT};
    const slm_session_options session_options = {.struct_size = sizeof session_options, .context = CONTEXT};
    some_tokens(ids, 64, 300);
    slm_status status = slm_engine_create(options, &engine, &error);
    uint64_t before = counter->live_bytes;
    if (status == SLM_OK) {
        status = slm_model_plan(engine, path, SLM_NUL_TERMINATED, NULL, &model_plan, &error);
    }
    if (status == SLM_OK) {
        status = slm_model_open_file(engine, path, SLM_NUL_TERMINATED, NULL, &model, &error);
    }
    if (status == SLM_OK && check_plans) {
        assert_int_equal(counter->live_bytes - before, model_plan.handle_bytes);
        assert_true(model_plan.handle_bytes < 1 << 20);
        CHECK_OK(slm_pool_plan(model, &pool_options, &plan, &error));
        assert_true(plan.kv_bytes + plan.workspace_bytes + plan.session_bytes <= plan.total_bytes);
    }
    before = counter->live_bytes;
    if (status == SLM_OK) {
        status = slm_session_create(model, NULL, &session_options, &session, &error);
    }
    if (status == SLM_OK && check_plans) {
        assert_int_equal(counter->live_bytes - before, plan.total_bytes);
    }
    const uint64_t calls = counter->calls;
    if (status == SLM_OK) {
        status = slm_session_append(session, ids, 64, NULL, &error);
    }
    for (int i = 0; i < 8 && status == SLM_OK; i++) {
        status = slm_session_next(session, &token, &error);
    }
    if (status == SLM_OK && check_plans) {
        assert_int_equal(counter->calls, calls); /* nothing was allocated since creation */
    }
    slm_model_info info = {.struct_size = sizeof info};
    if (status == SLM_OK) {
        status = slm_model_get_info(model, &info, &error);
    }
    if (status == SLM_OK && info.has_tokenizer) {
        const slm_generate_options generate = {.struct_size = sizeof generate, .max_tokens = 5};
        char text[256];
        uint64_t length = 0;
        status = slm_generate(session, prompt, SLM_NUL_TERMINATED, &generate, text, sizeof text, &length, NULL, &error);
        if (status == SLM_OK) {
            status = slm_detokenize(model, ids, 20, 0, text, sizeof text, &length, &error);
        }
    }
    slm_session_destroy(session);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    return status;
}

static const char *const models[] = {"tests/golden/models/qwen3", "examples/demo/hf"};

static void convert_model(size_t which, char path[256])
{
    slm_engine *engine = NULL;
    CHECK_OK(slm_engine_create(NULL, &engine, &error));
    CHECK_OK(
        slm_convert(engine, models[which], SLM_NUL_TERMINATED, temporary_path("memory.slm", path), SLM_NUL_TERMINATED, NULL, NULL, &error));
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

static void test_plans_are_exact_and_running_allocates_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct counting_allocator counter = {0};
        const slm_engine_options options = counting_options(&counter);
        char path[256];
        convert_model(i, path);
        CHECK_OK(use_everything(&options, path, &counter, 1));
        assert_int_equal(counter.live_blocks, 0);
        unlink(path);
    }
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        char path[256];
        uint64_t n = 1;
        convert_model(i, path);
        for (;; n++) {
            struct counting_allocator counter = {.fail_at = n};
            const slm_engine_options options = counting_options(&counter);
            const slm_status status = use_everything(&options, path, &counter, 0);
            assert_int_equal(counter.live_blocks, 0);
            if (status == SLM_OK && counter.calls < n) {
                break;
            }
            assert_int_equal(status, SLM_E_NO_MEMORY);
        }
        printf("%s: %llu allocations, each failed once\n", models[i], (unsigned long long)n - 1);
        unlink(path);
    }
}

static void test_every_allocation_of_a_conversion_may_fail(void **state)
{
    char path[256];
    uint64_t n = 1;
    (void)state;
    temporary_path("failing.slm", path);
    for (;; n++) {
        struct counting_allocator counter = {.fail_at = n};
        slm_engine_options options = counting_options(&counter);
        slm_engine *engine = NULL;
        options.threads = 1;
        slm_status status = slm_engine_create(&options, &engine, &error);
        if (status == SLM_OK) {
            status = slm_convert(engine, models[1], SLM_NUL_TERMINATED, path, SLM_NUL_TERMINATED, NULL, NULL, &error);
            assert_true(access(path, F_OK) == 0 ? status == SLM_OK : status != SLM_OK);
            assert_int_equal(slm_engine_destroy(engine), SLM_OK);
        }
        assert_int_equal(counter.live_blocks, 0);
        unlink(path);
        if (status == SLM_OK && counter.calls < n) {
            break;
        }
        assert_int_equal(status, SLM_E_NO_MEMORY);
    }
    printf("conversion: %llu allocations, each failed once\n", (unsigned long long)n - 1);
}

static void fail_allocations_of_inspection(const char *path)
{
    static char json[1 << 16];
    uint64_t n = 1, needed = 0;
    slm_status status = SLM_E_NO_MEMORY;
    for (; status != SLM_OK; n++) {
        struct counting_allocator counter = {.fail_at = n};
        slm_engine_options options = counting_options(&counter);
        slm_engine *engine = NULL;
        options.threads = 1;
        status = slm_engine_create(&options, &engine, &error);
        if (status == SLM_OK) {
            status = slm_inspect(engine, path, SLM_NUL_TERMINATED, json, sizeof json, &needed, &error);
            assert_int_equal(slm_engine_destroy(engine), SLM_OK);
        }
        assert_int_equal(counter.live_blocks, 0);
        assert_true(status == SLM_OK || status == SLM_E_NO_MEMORY);
    }
    printf("inspection of %s: %llu allocations, each failed once\n", path, (unsigned long long)n - 2);
}

static void test_every_allocation_of_an_inspection_may_fail(void **state)
{
    (void)state;
    fail_allocations_of_inspection(models[1]);
    fail_allocations_of_inspection("tests/golden/import/lora/a");
    fail_allocations_of_inspection("tests/golden/import/lora/a.gguf");
}

/* Engine, model handle and pool in memory of the caller: no allocation at all. */
static void test_own_blocks(void **state)
{
    struct counting_allocator counter = {0};
    const slm_engine_options options = counting_options(&counter);
    char path[256];
    void *engine_block = NULL, *model_block = NULL, *pool_block = NULL;
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    slm_pool *pool = NULL;
    slm_session *session = NULL;
    slm_model_memory model_plan = {.struct_size = sizeof model_plan};
    slm_pool_memory plan = {.struct_size = sizeof plan};
    int32_t ids[16];
    (void)state;
    convert_model(0, path);
    assert_int_equal(posix_memalign(&engine_block, 64, slm_engine_size()), 0);
    CHECK_OK(slm_engine_init_in_place(engine_block, slm_engine_size(), &options, &engine, &error));
    CHECK_OK(slm_model_plan(engine, path, SLM_NUL_TERMINATED, NULL, &model_plan, &error));
    assert_int_equal(posix_memalign(&model_block, 64, model_plan.handle_bytes), 0);
    slm_model_options model_options = {.struct_size = sizeof model_options, .block = model_block, .block_bytes = model_plan.handle_bytes};
    CHECK_OK(slm_model_open_file(engine, path, SLM_NUL_TERMINATED, &model_options, &model, &error));
    slm_pool_options pool_options = {.struct_size = sizeof pool_options, .context = 64};
    CHECK_OK(slm_pool_plan(model, &pool_options, &plan, &error));
    assert_int_equal(posix_memalign(&pool_block, 64, plan.total_bytes), 0);
    pool_options.block = pool_block;
    pool_options.block_bytes = plan.total_bytes - 1;
    assert_int_equal(slm_pool_create(model, &pool_options, &pool, &error), SLM_E_ARGUMENT);
    pool_options.block_bytes = plan.total_bytes;
    CHECK_OK(slm_pool_create(model, &pool_options, &pool, &error));
    CHECK_OK(slm_session_create(model, pool, NULL, &session, &error));
    some_tokens(ids, 16, 300);
    CHECK_OK(slm_session_append(session, ids, 16, NULL, &error));
    slm_session_destroy(session);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    assert_int_equal(counter.calls, 0);
    free(engine_block);
    free(model_block);
    free(pool_block);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans_are_exact_and_running_allocates_nothing),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_every_allocation_of_a_conversion_may_fail),
        cmocka_unit_test(test_every_allocation_of_an_inspection_may_fail),
        cmocka_unit_test(test_own_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
