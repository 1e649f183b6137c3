/* SPDX-License-Identifier: MIT */
/* Whole models of every import format against the logits that Hugging Face transformers computes from the same weights: GGUF, GPTQ, AWQ,
 * LoRA adapters merged. NMSE <= 1e-10 with f32 weights and cache; what i8 and i4 lose beyond the source's own quantization is printed. */
#include "tests/api_fixture.h"
#include "tests/golden_report.h" /* golden_begin, golden_list */

enum { MOST = 200, PATH = 300 };

static slm_engine *engine;

/* After conversion to i8 and i4: bounds of the NMSE with an f16 cache, as measured plus 20 %, and of the loss that the conversion tells (0:
 * every code and scale is kept). A source without bounds: not tested. */
static const struct bounds {
    const char *source; /* under import/ */
    double i8, i4;
    double i8_loss, i4_loss;
} quantized[] = {
    {"gguf/llama3-q8_0.gguf", 4.5e-04, 5.7e-02, 0, 0.0769},
    {"gguf/llama3-256-q4_k_m.gguf", 7.9e-04, 3.9e-03, 0.0055, 0.0099},
    {"gguf/llama2-tied-q4_0.gguf", 8.3e-04, 1.1e-03, 0, 0.0022},
    {"gguf/split-q4_0-00001-of-00003.gguf", 1.1e-03, 1.3e-03, 0, 0.0021},
    {"gguf/qwen2-q5_1.gguf", 2.1e-03, 1.1e-01, 0.0055, 0.0730},
    {"gguf/qwen3-q8_0.gguf", 3.7e-04, 4.4e-02, 0, 0.0769},
    {"gguf/gemma2-q4_0.gguf", 5.4e-04, 6.2e-04, 0, 0.0035},
    {"gguf/gemma3-q8_0.gguf", 1.2e-03, 2.1e-01, 0, 0.0766},
    {"gguf/phi3-longrope-q4_1.gguf", 2.0e-03, 2.2e-03, 0.0055, 0.0060},
    {"gptq/llama-4bit-g128-asym", 5.2e-04, 5.2e-04, 0, 1e-6},
    {"gptq/llama-4bit-g128-v2-asym", 5.1e-04, 5.2e-04, 0, 1e-6},
    {"gptq/llama-4bit-g32-desc_act", 6.7e-04, 2.6e-02, 0.0051, 0.0609},
    {"gptq/llama-4bit-g32-lm_head", 4.8e-04, 5.4e-04, 0, 0.0021},
    {"gptq/llama-4bit-g32-sym", 5.6e-04, 6.2e-04, 0, 0.0024},
    {"gptq/llama-4bit-g32-zero-0", 3.8e-04, 4.1e-04, 0, 0.0021},
    {"gptq/llama-4bit-g64-zero-bias", 5.1e-04, 5.1e-04, 0, 1e-6},
    {"gptq/llama-8bit-g32-sym", 5.2e-04, 3.5e-02, 0, 0.0766},
    {"gptq/qwen2-4bit-g32-sym", 1.0e-03, 1.2e-03, 0, 0.0022},
    {"awq/llama-g128", 5.1e-04, 5.1e-04, 0, 1e-6},
    {"awq/llama-g32", 5.0e-04, 5.6e-04, 0, 0.0024},
    {"awq/qwen2-g32", 9.3e-04, 9.8e-04, 0, 0.0022},
};

/* A checkpoint under import/ and its reference. */
static struct source {
    char path[PATH], golden[PATH];
} sources[MOST];

static const struct bounds *bounds_of(const char *path)
{
    for (size_t i = 0; i < sizeof quantized / sizeof quantized[0]; i++) {
        if (strcmp(quantized[i].source, path) == 0) {
            return &quantized[i];
        }
    }
    return NULL;
}

static int open_golden(struct golden_file *golden, const char *name)
{
    char path[900];
    snprintf(path, sizeof path, "%s/import/%s", golden_root(), name);
    return golden_open(golden, path);
}

static slm_model *import(const char *source, int32_t type, const slm_string *adapters, const float *weights, uint64_t count, double *loss)
{
    char path[900], target[256];
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

static bool greedy_is_equal(slm_model *model, const struct golden_file *golden)
{
    const struct golden_tensor prompt = golden_find(golden, "greedy_prompt"), expected = golden_find(golden, "greedy_ids");
    const slm_session_options options = {.struct_size = sizeof options,
                                         .context = (uint32_t)(prompt.count + expected.count),
                                         .flags = SLM_SESSION_IGNORE_EOS,
                                         .kv_type = SLM_KV_F32};
    slm_session *session = NULL;
    bool equal = true;
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    CHECK_OK(slm_session_append(session, prompt.data, prompt.count, NULL, &error));
    for (uint64_t i = 0; i < expected.count && equal; i++) {
        slm_token token = {.struct_size = sizeof token};
        CHECK_OK(slm_session_next(session, &token, &error));
        equal = token.token == ((const int32_t *)expected.data)[i];
    }
    slm_session_destroy(session);
    return equal;
}

static void test_f32_equals_reference(void **state)
{
    const struct source *source = *state;
    struct golden_file golden;
    double loss;
    golden_begin("import", source->path);
    assert_true(open_golden(&golden, source->golden));
    slm_model *model = import(source->path, SLM_TYPE_F32, NULL, NULL, 0, &loss);
    const double nmse = nmse_of(model, &golden, "input_ids", "logits", SLM_KV_F32);
    golden_case(nmse <= 1e-10 && loss == 0.0);
    golden_error(nmse);
    printf("%-38s logits %.1e\n", source->path, nmse);
    if (golden_find(&golden, "logits_short").data != NULL) {
        const double brief = nmse_of(model, &golden, "input_ids_short", "logits_short", SLM_KV_F32);
        golden_case(brief <= 1e-10);
        golden_error(brief);
        printf("%-38s short sequence %.1e\n", source->path, brief);
    }
    golden_case(greedy_is_equal(model, &golden));
    assert_int_equal(slm_model_close(model), SLM_OK);
    golden_close(&golden);
    assert_int_equal(golden_end(), 0);
}

/* i8 loses nothing of 4- and 8-bit sources in order; i4 keeps the codes of 4-bit sources, their scales are rounded. */
static void test_codes_are_kept(void **state)
{
    const struct source *source = *state;
    const struct bounds *bounds = bounds_of(source->path);
    struct golden_file golden;
    double loss[2], nmse[2];
    assert_true(open_golden(&golden, source->golden));
    for (int k = 0; k < 2; k++) {
        slm_model *model = import(source->path, k == 0 ? SLM_TYPE_I8 : SLM_TYPE_I4, NULL, NULL, 0, &loss[k]);
        nmse[k] = nmse_of(model, &golden, "input_ids", "logits", SLM_KV_F16);
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
    printf("%-38s i8: loss %.4f, logits %.1e; i4: loss %.4f, logits %.1e\n", source->path, loss[0], nmse[0], loss[1], nmse[1]);
    assert_true(nmse[0] <= bounds->i8 && nmse[1] <= bounds->i4);
    assert_true(loss[0] <= bounds->i8_loss && loss[1] <= bounds->i4_loss);
    golden_close(&golden);
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
        printf("skipped: %s/import/lora/golden.safetensors is absent\n", golden_root());
        skip();
    }
    golden_begin("adapter", "lora, merged");
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
            golden_case(nmse <= 1e-10);
            golden_error(nmse);
            assert_int_equal(slm_model_close(model), SLM_OK);
        }
    }
    golden_close(&golden);
    assert_int_equal(golden_end(), 0);
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

static void test_there_is_a_source(void **state)
{
    (void)state;
    printf("skipped: no checkpoint with a reference in %s/import\n", golden_root());
    skip();
}

/* Folders of import/METHOD. */
static size_t add_folders(const char *method, size_t count)
{
    static struct golden_name names[MOST];
    char folder[32];
    snprintf(folder, sizeof folder, "import/%s", method);
    const size_t found = golden_list(folder, "", names, MOST - count);
    for (size_t i = 0; i < found; i++) {
        snprintf(sources[count].path, PATH, "%s/%.127s", method, names[i].text);
        snprintf(sources[count++].golden, PATH, "%s/%.127s/golden.safetensors", method, names[i].text);
    }
    return count;
}

/* References of import/gguf: NAME.golden.safetensors belongs to NAME.gguf or to NAME-00001-of-....gguf. */
static size_t add_gguf(size_t count)
{
    static const char ending[] = ".golden.safetensors";
    static struct golden_name names[MOST], files[MOST];
    const size_t found = golden_list("import/gguf", ending, names, MOST - count),
                 file_count = golden_list("import/gguf", ".gguf", files, MOST);
    for (size_t i = 0; i < found; i++) {
        const size_t stem = strlen(names[i].text) + 1 - sizeof ending;
        for (size_t f = 0; f < file_count; f++) {
            const char *rest = files[f].text + stem;
            if (strncmp(files[f].text, names[i].text, stem) == 0 && (strcmp(rest, ".gguf") == 0 || strncmp(rest, "-00001-of-", 10) == 0)) {
                snprintf(sources[count].path, PATH, "gguf/%.127s", files[f].text);
                snprintf(sources[count++].golden, PATH, "gguf/%.127s", names[i].text);
                break;
            }
        }
    }
    return count;
}

int main(void)
{
    static struct CMUnitTest tests[2 * MOST + 3];
    const size_t found = add_folders("awq", add_folders("gptq", add_gguf(0)));
    size_t count = 0;
    for (size_t i = 0; i < found; i++) {
        tests[count++] = (struct CMUnitTest){"test_f32_equals_reference", test_f32_equals_reference, NULL, NULL, &sources[i]};
        if (bounds_of(sources[i].path) != NULL) {
            tests[count++] = (struct CMUnitTest){"test_codes_are_kept", test_codes_are_kept, NULL, NULL, &sources[i]};
        }
    }
    if (found == 0) {
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_there_is_a_source);
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_merged_adapters_equal_reference);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_adapter_arguments);
    return _cmocka_run_group_tests("imports", tests, count, begin, end);
}
