/* SPDX-License-Identifier: MIT */
/* Whole models against Hugging Face transformers: logits, hidden states, greedy continuations, through slm_convert and the session calls.
 * Tolerances are those of the reference vectors' description: NMSE <= 1e-10 with f32 weights and cache. The bounds of f16 caches, i8 and
 * i4 are what was measured plus 20 %. */
#include "tests/api_fixture.h"
#include "tests/golden_report.h" /* golden_begin, golden_list */

enum { MOST = 200 };

struct bounds {
    const char *folder;
    double f16_cache, i8_cache, i8, i4; /* NMSE of logits against the reference; a folder without bounds: not tested */
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

static struct golden_name folders[MOST];

static void open_golden(struct golden_file *golden, const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/models/%s/golden.safetensors", golden_root(), folder);
    assert_true(golden_open(golden, path));
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

/* The first id that differs, or -1. */
static int64_t wrong_greedy_id(slm_model *model, const struct golden_file *golden)
{
    const struct golden_tensor prompt = golden_find(golden, "greedy_prompt"), expected = golden_find(golden, "greedy_ids");
    const slm_session_options options = {.struct_size = sizeof options,
                                         .context = (uint32_t)(prompt.count + expected.count),
                                         .flags = SLM_SESSION_IGNORE_EOS,
                                         .kv_type = SLM_KV_F32};
    slm_session *session = NULL;
    int64_t wrong = -1;
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    CHECK_OK(slm_session_append(session, prompt.data, prompt.count, NULL, &error));
    for (uint64_t i = 0; i < expected.count && wrong < 0; i++) {
        slm_token token = {.struct_size = sizeof token};
        CHECK_OK(slm_session_next(session, &token, &error));
        if (token.token != ((const int32_t *)expected.data)[i]) {
            wrong = (int64_t)i;
        }
    }
    slm_session_destroy(session);
    return wrong;
}

static void test_f32_equals_reference(void **state)
{
    const char *folder = *state;
    struct golden_file golden;
    golden_begin("model", folder);
    open_golden(&golden, folder);
    slm_model *model = golden_model(engine, folder, SLM_TYPE_F32);
    double nmse[2], hidden[2];
    nmse[0] = logits_nmse(model, &golden, SLM_KV_F32, 100000, &hidden[0]);
    nmse[1] = logits_nmse(model, &golden, SLM_KV_F32, 1, &hidden[1]);
    const int64_t wrong = wrong_greedy_id(model, &golden);
    printf("%-20s f32: logits %.1e, hidden %.1e; token by token %.1e, %.1e; first wrong greedy id: %d\n", folder, nmse[0], hidden[0],
           nmse[1], hidden[1], (int)wrong);
    for (int i = 0; i < 2; i++) {
        golden_case(nmse[i] <= 1e-10 && hidden[i] <= 1e-10);
        golden_error(nmse[i]);
        golden_error(hidden[i]);
    }
    golden_case(wrong < 0);
    assert_int_equal(slm_model_close(model), SLM_OK);
    golden_close(&golden);
    assert_int_equal(golden_end(), 0);
    assert_true(nmse[0] == nmse[1]);
}

static void test_smaller_types_stay_near(void **state)
{
    static const struct {
        int32_t type, kv_type;
    } cases[4] = {{SLM_TYPE_F32, SLM_KV_F16}, {SLM_TYPE_F32, SLM_KV_I8}, {SLM_TYPE_I8, SLM_KV_F16}, {SLM_TYPE_I4, SLM_KV_F16}};
    const struct bounds *bounds = *state;
    const double limits[4] = {bounds->f16_cache, bounds->i8_cache, bounds->i8, bounds->i4};
    double nmse[4], hidden = 0;
    struct golden_file golden;
    open_golden(&golden, bounds->folder);
    for (int k = 0; k < 4; k++) {
        slm_model *model = golden_model(engine, bounds->folder, cases[k].type);
        nmse[k] = logits_nmse(model, &golden, cases[k].kv_type, 100000, &hidden);
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
    printf("%-20s f16 cache %.2e, i8 cache %.2e, i8 %.2e, i4 %.2e\n", bounds->folder, nmse[0], nmse[1], nmse[2], nmse[3]);
    for (int k = 0; k < 4; k++) {
        assert_true(nmse[k] <= limits[k]);
    }
    golden_close(&golden);
}

static void test_there_is_a_model(void **state)
{
    (void)state;
    printf("skipped: no model in %s/models\n", golden_root());
    skip();
}

/* Images have a test of their own. */
static int is_text_model(const char *folder)
{
    struct golden_file golden;
    char path[512];
    snprintf(path, sizeof path, "%s/models/%s/golden.safetensors", golden_root(), folder);
    if (!golden_open(&golden, path)) {
        return 0;
    }
    const int is_text = golden_find(&golden, "pixel_values").data == NULL;
    golden_close(&golden);
    return is_text;
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
    static struct CMUnitTest tests[2 * MOST + 1];
    size_t count = 0;
    const size_t found = golden_list("models", "", folders, MOST);
    for (size_t i = 0; i < found; i++) {
        if (!is_text_model(folders[i].text)) {
            continue;
        }
        tests[count++] = (struct CMUnitTest){"test_f32_equals_reference", test_f32_equals_reference, NULL, NULL, folders[i].text};
        for (size_t k = 0; k < sizeof families / sizeof families[0]; k++) {
            if (strcmp(families[k].folder, folders[i].text) == 0) {
                tests[count++] = (struct CMUnitTest){"test_smaller_types_stay_near", test_smaller_types_stay_near, NULL, NULL,
                                                     (void *)(uintptr_t)&families[k]};
            }
        }
    }
    if (count == 0) {
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_there_is_a_model);
    }
    return _cmocka_run_group_tests("models", tests, count, make_engine, drop_engine);
}
