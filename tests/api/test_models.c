/* SPDX-License-Identifier: MIT */
/* Whole models against Hugging Face transformers: logits, hidden states, greedy continuations, through slm_convert and the session calls.
 * Tolerances are those of the reference vectors' description: NMSE <= 1e-10 with f32 weights and cache. The bounds of f16 caches, i8 and
 * i4 are what was measured plus 20 %. */
#include "tests/api_fixture.h"

struct bounds {
    const char *folder;
    double f16_cache, i8_cache, i8, i4; /* NMSE of logits against the reference */
};

static const struct bounds families[] = {
    {"gemma", 9.40e-07, 8.69e-04, 3.76e-03, 2.39e-01},
    {"gemma2", 2.69e-07, 2.21e-04, 1.63e-03, 1.10e-01},
    {"gemma3-nested-rope", 7.84e-07, 6.44e-04, 4.01e-03, 2.11e-01},
    {"gemma3-text", 6.02e-07, 5.68e-04, 2.80e-03, 1.81e-01},
    {"granite", 7.75e-07, 5.96e-04, 3.42e-03, 1.87e-01},
    {"llama31", 3.92e-07, 3.89e-04, 1.68e-03, 9.90e-02},
    {"llama32-tied", 1.85e-06, 1.58e-03, 5.29e-03, 2.99e-01},
    {"ministral", 6.78e-07, 7.01e-04, 3.30e-03, 1.81e-01},
    {"ministral3", 4.22e-07, 3.64e-04, 2.14e-03, 1.16e-01},
    {"mistral", 5.30e-07, 4.62e-04, 3.11e-03, 1.57e-01},
    {"mistral-small", 3.41e-07, 2.63e-04, 1.61e-03, 1.01e-01},
    {"olmo2", 1.03e-07, 6.64e-05, 5.08e-04, 3.48e-02},
    {"phi2", 1.03e-07, 5.80e-05, 5.35e-04, 3.44e-02},
    {"phi3", 3.97e-07, 3.42e-04, 1.76e-03, 1.04e-01},
    {"phi35-longrope", 6.55e-07, 4.48e-04, 2.86e-03, 1.66e-01},
    {"phi35-longrope-short", 5.75e-07, 3.58e-04, 2.52e-03, 1.45e-01},
    {"phi4-mini", 1.72e-06, 1.19e-03, 6.01e-03, 2.98e-01},
    {"qwen2", 1.48e-06, 9.02e-04, 4.75e-03, 2.21e-01},
    {"qwen25-yarn", 5.16e-07, 6.08e-04, 2.63e-03, 1.49e-01},
    {"qwen3", 2.28e-07, 2.44e-04, 1.69e-03, 1.06e-01},
    {"qwen3-moe", 6.61e-08, 2.78e-04, 1.18e-02, 8.72e-02},
    {"smollm2", 1.54e-06, 1.00e-03, 5.12e-03, 2.59e-01},
    {"smollm3", 2.98e-06, 1.67e-03, 8.87e-03, 3.65e-01},
};

static slm_engine *engine;

static int open_golden(struct golden_file *golden, const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/models/%s/golden.safetensors", golden_root(), folder);
    if (!golden_open(golden, path)) {
        printf("skipped: %s is absent\n", path);
        return 0;
    }
    return 1;
}

/* Logits (and hidden states) of input_ids, fed in pieces of `chunk`; returns the NMSE of the logits. */
static double logits_nmse(slm_model *model, const struct golden_file *golden, int32_t kv_type, uint64_t chunk, double *hidden_nmse)
{
    const struct golden_tensor ids = golden_find(golden, "input_ids"), logits = golden_find(golden, "logits"),
                               hidden = golden_find(golden, "hidden");
    const uint64_t vocab = logits.count / ids.count, width = hidden.count / ids.count;
    const slm_session_options options = {.struct_size = sizeof options, .context = (uint32_t)ids.count, .kv_type = kv_type};
    float *got = malloc(logits.count * sizeof *got), *got_hidden = malloc(hidden.count * sizeof *got_hidden);
    slm_session *session = NULL;
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    for (uint64_t i = 0; i < ids.count; i += chunk) {
        const uint64_t n = i + chunk < ids.count ? chunk : ids.count - i;
        const slm_append_options out = {sizeof out, 0, got + i * vocab, n * vocab, got_hidden + i * width, n * width};
        CHECK_OK(slm_session_append(session, (const int32_t *)ids.data + i, n, &out, &error));
    }
    const float *last = NULL;
    CHECK_OK(slm_session_logits(session, &last, NULL, &error));
    assert_memory_equal(last, got + (ids.count - 1) * vocab, vocab * sizeof *last);
    slm_session_destroy(session);
    const double nmse = golden_nmse(got, logits.data, logits.count);
    *hidden_nmse = golden_nmse(got_hidden, hidden.data, hidden.count);
    free(got);
    free(got_hidden);
    return nmse;
}

static void check_greedy(slm_model *model, const struct golden_file *golden)
{
    const struct golden_tensor prompt = golden_find(golden, "greedy_prompt"), expected = golden_find(golden, "greedy_ids");
    const slm_session_options options = {.struct_size = sizeof options,
                                         .context = (uint32_t)(prompt.count + expected.count),
                                         .flags = SLM_SESSION_IGNORE_EOS,
                                         .kv_type = SLM_KV_F32};
    slm_session *session = NULL;
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    CHECK_OK(slm_session_append(session, prompt.data, prompt.count, NULL, &error));
    for (uint64_t i = 0; i < expected.count; i++) {
        slm_token token = {.struct_size = sizeof token};
        CHECK_OK(slm_session_next(session, &token, &error));
        if (token.token != ((const int32_t *)expected.data)[i]) {
            fail_msg("greedy id %llu is %d, expected %d", (unsigned long long)i, token.token, ((const int32_t *)expected.data)[i]);
        }
    }
    slm_session_destroy(session);
}

static void test_f32_equals_reference(void **state)
{
    int run = 0;
    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        struct golden_file golden;
        if (!open_golden(&golden, families[i].folder)) {
            continue;
        }
        slm_model *model = golden_model(engine, families[i].folder, SLM_TYPE_F32);
        double hidden = 0, hidden_single = 0;
        const double whole = logits_nmse(model, &golden, SLM_KV_F32, 1000, &hidden);
        const double single = logits_nmse(model, &golden, SLM_KV_F32, 1, &hidden_single);
        printf("%-14s f32: logits %.1e, hidden %.1e; token by token %.1e, %.1e\n", families[i].folder, whole, hidden, single,
               hidden_single);
        assert_true(whole <= 1e-10 && hidden <= 1e-10 && single <= 1e-10 && hidden_single <= 1e-10);
        assert_true(whole == single);
        check_greedy(model, &golden);
        assert_int_equal(slm_model_close(model), SLM_OK);
        golden_close(&golden);
        run++;
    }
    if (run == 0) {
        skip();
    }
}

static void test_smaller_types_stay_near(void **state)
{
    static const struct {
        int32_t type, kv_type;
    } cases[4] = {{SLM_TYPE_F32, SLM_KV_F16}, {SLM_TYPE_F32, SLM_KV_I8}, {SLM_TYPE_I8, SLM_KV_F16}, {SLM_TYPE_I4, SLM_KV_F16}};
    int run = 0;
    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        const double limits[4] = {families[i].f16_cache, families[i].i8_cache, families[i].i8, families[i].i4};
        double nmse[4], hidden = 0;
        struct golden_file golden;
        if (!open_golden(&golden, families[i].folder)) {
            continue;
        }
        for (int k = 0; k < 4; k++) {
            slm_model *model = golden_model(engine, families[i].folder, cases[k].type);
            nmse[k] = logits_nmse(model, &golden, cases[k].kv_type, 1000, &hidden);
            assert_int_equal(slm_model_close(model), SLM_OK);
        }
        printf("%-20s f16 cache %.2e, i8 cache %.2e, i8 %.2e, i4 %.2e\n", families[i].folder, nmse[0], nmse[1], nmse[2], nmse[3]);
        for (int k = 0; k < 4; k++) {
            assert_true(nmse[k] <= limits[k]);
        }
        golden_close(&golden);
        run++;
    }
    if (run == 0) {
        skip();
    }
}

static int make_engine(void **state)
{
    (void)state;
    return slm_engine_create(NULL, &engine, &error);
}

static int drop_engine(void **state)
{
    (void)state;
    return slm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_f32_equals_reference), cmocka_unit_test(test_smaller_types_stay_near)};
    return cmocka_run_group_tests(tests, make_engine, drop_engine);
}
