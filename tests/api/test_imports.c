/* SPDX-License-Identifier: MIT */
/* Whole models of every import format against the logits that Hugging Face transformers computes from the same weights: GGUF, GPTQ, AWQ,
 * LoRA adapters merged. NMSE <= 1e-10 with f32 weights and cache; what i8 and i4 lose beyond the source's own quantization is printed. */
#include "tests/api_fixture.h"

static slm_engine *engine;

/* After conversion to i8 and i4: bounds of the NMSE with an f16 cache, as measured plus 20 %, and of the loss that the conversion tells (0:
 * every code and scale is kept). All 0: not tested. */
struct quantized_bounds {
    double i8, i4;
    double i8_loss, i4_loss;
};

static const struct source {
    const char *path, *golden; /* under import/ */
    struct quantized_bounds bounds;
} sources[] = {
    {"gguf/llama3-f32.gguf", "gguf/llama3-f32.golden.safetensors", {0, 0, 0, 0}},
    {"gguf/llama3-q8_0.gguf", "gguf/llama3-q8_0.golden.safetensors", {4.5e-04, 5.7e-02, 0, 0.0769}},
    {"gguf/llama3-256-q4_k_m.gguf", "gguf/llama3-256-q4_k_m.golden.safetensors", {7.9e-04, 3.9e-03, 0.0055, 0.0099}},
    {"gguf/llama2-tied-f16.gguf", "gguf/llama2-tied-f16.golden.safetensors", {0, 0, 0, 0}},
    {"gguf/llama2-tied-q4_0.gguf", "gguf/llama2-tied-q4_0.golden.safetensors", {8.3e-04, 1.1e-03, 0, 0.0022}},
    {"gguf/llama-bias-f32.gguf", "gguf/llama-bias-f32.golden.safetensors", {0, 0, 0, 0}},
    {"gguf/split-q4_0-00001-of-00003.gguf", "gguf/split-q4_0.golden.safetensors", {1.1e-03, 1.3e-03, 0, 0.0021}},
    {"gguf/qwen2-f16.gguf", "gguf/qwen2-f16.golden.safetensors", {0, 0, 0, 0}},
    {"gguf/qwen2-q5_1.gguf", "gguf/qwen2-q5_1.golden.safetensors", {2.1e-03, 1.1e-01, 0.0055, 0.0730}},
    {"gguf/qwen3-bf16.gguf", "gguf/qwen3-bf16.golden.safetensors", {0, 0, 0, 0}},
    {"gguf/qwen3-q8_0.gguf", "gguf/qwen3-q8_0.golden.safetensors", {3.7e-04, 4.4e-02, 0, 0.0769}},
    {"gguf/gemma2-f32.gguf", "gguf/gemma2-f32.golden.safetensors", {0, 0, 0, 0}},
    {"gguf/gemma2-q4_0.gguf", "gguf/gemma2-q4_0.golden.safetensors", {5.4e-04, 6.2e-04, 0, 0.0035}},
    {"gguf/gemma3-f16.gguf", "gguf/gemma3-f16.golden.safetensors", {0, 0, 0, 0}},
    {"gguf/gemma3-q8_0.gguf", "gguf/gemma3-q8_0.golden.safetensors", {1.2e-03, 2.1e-01, 0, 0.0766}},
    {"gguf/phi3-longrope-f32.gguf", "gguf/phi3-longrope-f32.golden.safetensors", {0, 0, 0, 0}},
    {"gguf/phi3-longrope-q4_1.gguf", "gguf/phi3-longrope-q4_1.golden.safetensors", {2.0e-03, 2.2e-03, 0.0055, 0.0060}},
    {"gptq/llama-4bit-g128-asym", "gptq/llama-4bit-g128-asym/golden.safetensors", {5.2e-04, 5.2e-04, 0, 1e-6}},
    {"gptq/llama-4bit-g128-v2-asym", "gptq/llama-4bit-g128-v2-asym/golden.safetensors", {5.1e-04, 5.2e-04, 0, 1e-6}},
    {"gptq/llama-4bit-g32-desc_act", "gptq/llama-4bit-g32-desc_act/golden.safetensors", {6.7e-04, 2.6e-02, 0.0051, 0.0609}},
    {"gptq/llama-4bit-g32-lm_head", "gptq/llama-4bit-g32-lm_head/golden.safetensors", {4.8e-04, 5.4e-04, 0, 0.0021}},
    {"gptq/llama-4bit-g32-sym", "gptq/llama-4bit-g32-sym/golden.safetensors", {5.6e-04, 6.2e-04, 0, 0.0024}},
    {"gptq/llama-4bit-g32-zero-0", "gptq/llama-4bit-g32-zero-0/golden.safetensors", {3.8e-04, 4.1e-04, 0, 0.0021}},
    {"gptq/llama-4bit-g64-zero-bias", "gptq/llama-4bit-g64-zero-bias/golden.safetensors", {5.1e-04, 5.1e-04, 0, 1e-6}},
    {"gptq/llama-8bit-g32-sym", "gptq/llama-8bit-g32-sym/golden.safetensors", {5.2e-04, 3.5e-02, 0, 0.0766}},
    {"gptq/qwen2-4bit-g32-sym", "gptq/qwen2-4bit-g32-sym/golden.safetensors", {1.0e-03, 1.2e-03, 0, 0.0022}},
    {"awq/llama-g128", "awq/llama-g128/golden.safetensors", {5.1e-04, 5.1e-04, 0, 1e-6}},
    {"awq/llama-g32", "awq/llama-g32/golden.safetensors", {5.0e-04, 5.6e-04, 0, 0.0024}},
    {"awq/qwen2-g32", "awq/qwen2-g32/golden.safetensors", {9.3e-04, 9.8e-04, 0, 0.0022}},
};

static int open_golden(struct golden_file *golden, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/import/%s", golden_root(), name);
    if (!golden_open(golden, path)) {
        printf("skipped: %s is absent\n", path);
        return 0;
    }
    return 1;
}

static slm_model *import(const char *source, int32_t type, const slm_string *adapters, const float *weights, uint64_t count, double *loss)
{
    char path[512], target[256];
    slm_model *model = NULL;
    slm_convert_result result = {.struct_size = sizeof result};
    const slm_convert_options options = {
        .struct_size = sizeof options, .type = type, .adapters = adapters, .adapter_weights = weights, .adapter_count = count};
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    snprintf(path, sizeof path, "%s/import/%s", golden_root(), source);
    temporary_path("import.slm", target);
    CHECK_OK(slm_convert(engine, path, SLM_NUL_TERMINATED, target, SLM_NUL_TERMINATED, &options, &result, &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    *loss = result.body_error;
    return model;
}

static double nmse_of(slm_model *model, const struct golden_file *golden, const char *ids_name, const char *logits_name, int32_t kv_type)
{
    const struct golden_tensor ids = golden_find(golden, ids_name), logits = golden_find(golden, logits_name);
    const slm_session_options options = {.struct_size = sizeof options, .context = (uint32_t)ids.count, .kv_type = kv_type};
    float *got = malloc(logits.count * sizeof *got);
    const slm_append_options out = {.struct_size = sizeof out, .logits = got, .logits_capacity = logits.count};
    slm_session *session = NULL;
    assert_true(ids.count > 0 && logits.count > 0);
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    CHECK_OK(slm_session_append(session, ids.data, ids.count, &out, &error));
    slm_session_destroy(session);
    const double nmse = golden_nmse(got, logits.data, logits.count);
    free(got);
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
        assert_int_equal(token.token, ((const int32_t *)expected.data)[i]);
    }
    slm_session_destroy(session);
}

static void test_f32_equals_reference(void **state)
{
    int run = 0;
    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct golden_file golden;
        double loss;
        if (!open_golden(&golden, sources[i].golden)) {
            continue;
        }
        slm_model *model = import(sources[i].path, SLM_TYPE_F32, NULL, NULL, 0, &loss);
        const double nmse = nmse_of(model, &golden, "input_ids", "logits", SLM_KV_F32);
        const int has_short = golden_find(&golden, "logits_short").data != NULL;
        const double brief = has_short ? nmse_of(model, &golden, "input_ids_short", "logits_short", SLM_KV_F32) : 0.0;
        printf("%-38s logits %.1e, short sequence %.1e\n", sources[i].path, nmse, brief);
        assert_true(nmse <= 1e-10 && brief <= 1e-10 && loss == 0.0);
        check_greedy(model, &golden);
        assert_int_equal(slm_model_close(model), SLM_OK);
        golden_close(&golden);
        run++;
    }
    if (run == 0) {
        skip();
    }
}

/* i8 loses nothing of 4- and 8-bit sources in order; i4 keeps the codes of 4-bit sources, their scales are rounded. */
static void test_codes_are_kept(void **state)
{
    int run = 0;
    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct golden_file golden;
        double loss[2], nmse[2];
        if (sources[i].bounds.i8 == 0 || !open_golden(&golden, sources[i].golden)) {
            continue;
        }
        for (int k = 0; k < 2; k++) {
            slm_model *model = import(sources[i].path, k == 0 ? SLM_TYPE_I8 : SLM_TYPE_I4, NULL, NULL, 0, &loss[k]);
            nmse[k] = nmse_of(model, &golden, "input_ids", "logits", SLM_KV_F16);
            assert_int_equal(slm_model_close(model), SLM_OK);
        }
        printf("%-38s i8: loss %.4f, logits %.1e; i4: loss %.4f, logits %.1e\n", sources[i].path, loss[0], nmse[0], loss[1], nmse[1]);
        assert_true(nmse[0] <= sources[i].bounds.i8 && nmse[1] <= sources[i].bounds.i4);
        assert_true(loss[0] <= sources[i].bounds.i8_loss && loss[1] <= sources[i].bounds.i4_loss);
        golden_close(&golden);
        run++;
    }
    if (run == 0) {
        skip();
    }
}

static void test_merged_adapters_equal_reference(void **state)
{
    static const struct {
        const char *golden, *adapters[2];
        float weights[2];
    } cases[] = {
        {"logits_base", {NULL, NULL}, {0, 0}},
        {"logits_a", {"a", NULL}, {1, 0}},
        {"logits_b", {"b", NULL}, {1, 0}},
        {"logits_f-rank-pattern", {"f-rank-pattern", NULL}, {1, 0}},
        {"logits_g-one-layer-f16", {"g-one-layer-f16", NULL}, {1, 0}},
        {"logits_h-regex", {"h-regex", NULL}, {1, 0}},
        {"logits_a", {"a.gguf", NULL}, {1, 0}},
        {"logits_b", {"b.gguf", NULL}, {1, 0}},
        {"logits_mix", {"a", "b"}, {0.5f, 0.5f}},
        {"logits_mix", {"a.gguf", "b"}, {0.5f, 0.5f}},
        {"logits_a_minus", {"a", NULL}, {-0.75f, 0}},
    };
    static const char *const bases[] = {"lora/base", "lora/base.gguf"};
    struct golden_file golden;
    double loss;
    (void)state;
    if (!open_golden(&golden, "lora/golden.safetensors")) {
        skip();
    }
    for (size_t b = 0; b < 2; b++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            char paths[2][512];
            slm_string adapters[2];
            uint64_t count = 0;
            for (; count < 2 && cases[i].adapters[count] != NULL; count++) {
                snprintf(paths[count], sizeof paths[count], "%s/import/lora/%s", golden_root(), cases[i].adapters[count]);
                adapters[count] = (slm_string){paths[count], SLM_NUL_TERMINATED};
            }
            slm_model *model = import(bases[b], SLM_TYPE_F32, adapters, cases[i].weights, count, &loss);
            const double nmse = nmse_of(model, &golden, "input_ids", cases[i].golden, SLM_KV_F32);
            printf("%-16s %-24s %.1e\n", bases[b], cases[i].golden, nmse);
            assert_true(nmse <= 1e-10);
            assert_int_equal(slm_model_close(model), SLM_OK);
        }
    }
    golden_close(&golden);
}

static void test_adapter_arguments(void **state)
{
    (void)state;
    const slm_string path = {"nowhere", 7};
    const float heavy = 1e30f;
    slm_convert_options options = {.struct_size = sizeof options, .adapters = &path, .adapter_count = 65};
    assert_int_equal(slm_convert(engine, "x", 1, "y", 1, &options, NULL, &error), SLM_E_ARGUMENT);
    options.adapter_count = 1;
    options.adapter_weights = &heavy;
    assert_int_equal(slm_convert(engine, "x", 1, "y", 1, &options, NULL, &error), SLM_E_ARGUMENT);
    options.adapters = NULL;
    assert_int_equal(slm_convert(engine, "x", 1, "y", 1, &options, NULL, &error), SLM_E_ARGUMENT);
}

static int begin(void **state)
{
    (void)state;
    return slm_engine_create(NULL, &engine, &error) == SLM_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return slm_engine_destroy(engine) == SLM_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f32_equals_reference),
        cmocka_unit_test(test_codes_are_kept),
        cmocka_unit_test(test_merged_adapters_equal_reference),
        cmocka_unit_test(test_adapter_arguments),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
