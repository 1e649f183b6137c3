/* SPDX-License-Identifier: MIT */
/* LoRA adapters merged at conversion: the sums against plain arithmetic on the files, both layouts on both bases, patterns of module names,
 * what is refused and how it is said, malformed files, failing memory. */
#define _GNU_SOURCE
#include "tests/unit/import_fixture.h"

#include "base/json.h"             /* slm__json_parse */
#include "format/weight_encode.h"  /* slm__decode_panel_row */
#include "format/weight_file.h"    /* slm__weight_file_open */
#include "import/adapter_config.h" /* slm__adapter_config_scale */
#include "import/inspect.h"        /* slm__inspect_checkpoint */
#include "import/module_pattern.h" /* slm__module_pattern_match */

#include <math.h>

static const char *golden_path(const char *name, char path[512])
{
    snprintf(path, 512, "%s/import/%s", golden_root(), name);
    return path;
}

static slm_status merge(struct import_fixture *fixture, const char *base, const struct slm_adapter_choice *adapters, uint32_t count,
                        enum slm_weight_type type)
{
    char path[256];
    const struct slm_convert_settings settings = {.types = {type, SLM_WEIGHT_NONE}, .adapters = adapters, .adapter_count = count};
    struct slm_convert_report report;
    fixture->error.message[0] = 0;
    return slm__convert_checkpoint(&fixture->context, base, import_path(fixture, "out.slm", path), &settings, &report, &fixture->error);
}

static bool copy_adapter(struct import_fixture *fixture)
{
    static const char *const names[] = {"adapter_config.json", "adapter_model.safetensors"};
    for (size_t i = 0; i < 2; i++) {
        char from[512], name[64], to[256];
        snprintf(name, sizeof name, "bad/base-adapter/%s", names[i]);
        if (!import_copy(golden_path(name, from), import_path(fixture, names[i], to))) {
            return false;
        }
    }
    return true;
}

/* ---- sums */

struct converted {
    struct slm_span data;
    struct slm_weight_file file;
};

static struct converted load(struct import_fixture *fixture)
{
    struct converted converted;
    char path[256];
    assert_int_equal(slm__file_load(import_path(fixture, "out.slm", path), &fixture->memory, UINT64_MAX, &converted.data, &fixture->error),
                     SLM_OK);
    assert_int_equal(slm__weight_file_open(&converted.file, converted.data.data, converted.data.length, &fixture->error), SLM_OK);
    return converted;
}

static void release(struct import_fixture *fixture, struct converted *converted)
{
    slm__release(&fixture->memory, (void *)(uintptr_t)converted->data.data, converted->data.length);
}

/* Row `row` of layer 1's fused q, k, v against base + factors x (B A) from the files; module is q_proj or v_proj. */
static void check_rows(const struct converted *converted, const struct golden_file *base, const char *module, uint32_t first, uint32_t rows,
                       const struct golden_file *adapters, const double *factors, uint32_t count)
{
    char name[128];
    float got[64];
    struct slm_tensor tensor;
    assert_true(slm__weight_file_find(&converted->file, "layers.1.qkv", &tensor));
    snprintf(name, sizeof name, "model.layers.1.self_attn.%s.weight", module);
    const float *weights = golden_find(base, name).data;
    assert_non_null(weights);
    for (uint32_t row = 0; row < rows; row++) {
        const uint32_t at = first + row;
        slm__decode_panel_row(tensor.type, tensor.data + at / 16 * slm__panel_bytes(tensor.type, 64), at % 16, 64, got);
        for (uint32_t k = 0; k < 64; k++) {
            double sum = (double)weights[row * 64 + k];
            for (uint32_t i = 0; i < count; i++) {
                snprintf(name, sizeof name, "base_model.model.model.layers.1.self_attn.%s.lora_A.weight", module);
                const struct golden_tensor a = golden_find(&adapters[i], name);
                snprintf(name, sizeof name, "base_model.model.model.layers.1.self_attn.%s.lora_B.weight", module);
                const struct golden_tensor b = golden_find(&adapters[i], name);
                assert_true(a.data != NULL && b.data != NULL);
                for (uint32_t r = 0; r < a.count / 64; r++) {
                    sum += factors[i] * (double)((const float *)b.data)[row * (a.count / 64) + r] *
                           (double)((const float *)a.data)[r * 64 + k];
                }
            }
            assert_true(fabs((double)got[k] - sum) <= 1.2e-7 * (fabs(sum) + 1e-3));
        }
    }
}

static void deltas_are_added(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct golden_file base, adapters[2];
    char paths[4][512];
    import_begin(&fixture, 2);
    if (!golden_open(&base, golden_path("lora/base/model.safetensors", paths[0]))) {
        import_end(&fixture);
        print_message("skipped: there is no %s\n", paths[0]);
        skip();
    }
    assert_true(golden_open(&adapters[0], golden_path("lora/a/adapter_model.safetensors", paths[1])));
    assert_true(golden_open(&adapters[1], golden_path("lora/b/adapter_model.safetensors", paths[2])));
    static const char *const bases[] = {"lora/base", "lora/base.gguf"};
    static const char *const layouts[][2] = {{"lora/a", "lora/b"}, {"lora/a.gguf", "lora/b.gguf"}, {"lora/a.gguf", "lora/b"}};
    const double factors[2] = {0.5 * 16 / 8, -0.25 * 8 / 2}; /* weight x alpha / r, weight x alpha / sqrt(r) */
    for (size_t i = 0; i < 6; i++) {
        const struct slm_adapter_choice choices[2] = {{golden_path(layouts[i % 3][0], paths[1]), 0.5},
                                                      {golden_path(layouts[i % 3][1], paths[2]), -0.25}};
        golden_path(bases[i / 3], paths[3]);
        if (i >= 3 && !slm__file_exists(paths[3])) {
            print_message("skipped: there is no %s\n", paths[3]);
            break;
        }
        assert_int_equal(merge(&fixture, paths[3], choices, 2, SLM_WEIGHT_F32), SLM_OK);
        struct converted converted = load(&fixture);
        check_rows(&converted, &base, "q_proj", 0, 64, adapters, factors, 2);
        check_rows(&converted, &base, "k_proj", 64, 32, adapters + 1, factors + 1, 1);
        check_rows(&converted, &base, "v_proj", 96, 32, adapters, factors, 2);
        release(&fixture, &converted);
    }
    golden_close(&base);
    golden_close(&adapters[0]);
    golden_close(&adapters[1]);
    import_end(&fixture);
}

static void change_last_byte(const char *path)
{
    size_t length = 0;
    char *data = golden_load(path, &length);
    assert_true(data != NULL && length > 0);
    data[length - 1] = (char)(data[length - 1] ^ 1);
    import_write(path, data, length);
    free(data);
}

static struct slm_span source_hash(struct converted *converted)
{
    struct slm_span hash = {NULL, 0};
    assert_true(slm__meta_text(&converted->file, "source.sha256", &hash));
    return hash;
}

/* Also by the values of an adapter alone. */
static void provenance_covers_values(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char base[512], path[256];
    struct converted converted[2];
    import_begin(&fixture, 1);
    if (!copy_adapter(&fixture)) {
        import_end(&fixture);
        skip();
    }
    const struct slm_adapter_choice choice = {fixture.folder, 1.0};
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(merge(&fixture, golden_path("bad/base", base), &choice, 1, SLM_WEIGHT_I8), SLM_OK);
        converted[i] = load(&fixture);
        change_last_byte(import_path(&fixture, "adapter_model.safetensors", path));
    }
    assert_false(slm__span_equal(source_hash(&converted[0]), source_hash(&converted[1])));
    release(&fixture, &converted[0]);
    release(&fixture, &converted[1]);
    import_end(&fixture);
}

/* The hash of the source tells merged files apart, also by weight alone. */
static void provenance_covers_adapters(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char base[512], a[512];
    struct slm_span hashes[3];
    struct converted converted[3];
    import_begin(&fixture, 1);
    golden_path("lora/base", base);
    if (!slm__path_is_folder(base)) {
        import_end(&fixture);
        skip();
    }
    const struct slm_adapter_choice choices[2] = {{golden_path("lora/a", a), 1.0}, {a, 0.5}};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(merge(&fixture, base, i == 0 ? NULL : &choices[i - 1], i == 0 ? 0 : 1, SLM_WEIGHT_I8), SLM_OK);
        converted[i] = load(&fixture);
        assert_true(slm__meta_text(&converted[i].file, "source.sha256", &hashes[i]));
    }
    assert_false(slm__span_equal(hashes[0], hashes[1]) || slm__span_equal(hashes[1], hashes[2]) || slm__span_equal(hashes[0], hashes[2]));
    for (uint32_t i = 0; i < 3; i++) {
        release(&fixture, &converted[i]);
    }
    import_end(&fixture);
}

/* ---- refusals */

static void unsupported_adapters_are_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *words;
    } cases[] = {{"lora/c-modules-to-save", "modules_to_save is not supported (lm_head)"},
                 {"lora/d-embedding", "an adapter of embed_tokens is not supported"},
                 {"lora/e-dora", "DoRA is not supported"},
                 {"lora/i-bias", "bias lora_only is not supported"}};
    struct import_fixture fixture;
    char base[512], path[512];
    import_begin(&fixture, 1);
    golden_path("lora/base", base);
    if (!slm__path_is_folder(base)) {
        import_end(&fixture);
        skip();
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct slm_adapter_choice choice = {golden_path(cases[i].folder, path), 1.0};
        const slm_status status = merge(&fixture, base, &choice, 1, SLM_WEIGHT_I8);
        if (status != SLM_E_UNSUPPORTED || strstr(fixture.error.message, cases[i].words) == NULL) {
            fail_msg("%s: status %d, message \"%s\"", cases[i].folder, status, fixture.error.message);
        }
    }
    const struct slm_adapter_choice nothing = {fixture.folder, 1.0}, model = {golden_path("bad/base/model.gguf", path), 1.0};
    assert_int_equal(merge(&fixture, base, &nothing, 1, SLM_WEIGHT_I8), SLM_E_FILE_MISSING);
    assert_int_equal(merge(&fixture, base, &model, 1, SLM_WEIGHT_I8), SLM_E_BAD_VALUE);
    assert_non_null(strstr(fixture.error.message, "general.type"));
    import_end(&fixture);
}

static void refuse_one(const struct import_case *one, void *user)
{
    static const char *const sentences[][2] = {
        {"adapter-ranks-differ", "lora_B of model.layers.0.self_attn.q_proj has rank 3, its lora_A rank 4"},
        {"adapter-b-missing", "has no lora_B"},
        {"adapter-layer-out-of-range", "the base has no layer 5"},
        {"adapter-width-wrong", "lora_A of model.layers.0.self_attn.q_proj has 31 columns, the base's linear has 32"},
    };
    struct import_fixture *fixture = user;
    char from[512], to[256], base[512], name[160];
    assert_true(copy_adapter(fixture));
    snprintf(name, sizeof name, "bad/%s", one->file);
    assert_true(import_copy(golden_path(name, from), import_path(fixture, "adapter_model.safetensors", to)));
    const struct slm_adapter_choice choice = {fixture->folder, 1.0};
    const slm_status status = merge(fixture, golden_path("bad/base", base), &choice, 1, SLM_WEIGHT_I8);
    const char *expected = "adapter_model.safetensors";
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        expected = strncmp(one->file, sentences[i][0], strlen(sentences[i][0])) == 0 ? sentences[i][1] : expected;
    }
    if (status != SLM_E_BAD_VALUE || strstr(fixture->error.message, expected) == NULL ||
        strstr(fixture->error.message, "adapter_model.safetensors") == NULL) {
        fail_msg("%s (%s): status %d, message \"%s\"", one->file, one->what, status, fixture->error.message);
    }
}

static void malformed_adapters_are_refused_by_name(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    const bool there = import_each_case("bad", "EXPECT.tsv", "adapter", refuse_one, &fixture);
    import_end(&fixture);
    if (!there) {
        skip();
    }
}

/* Every byte of both files of an adapter changed, and a GGUF adapter's head: a status each time. */
static void flip_file(struct import_fixture *fixture, const char *path, size_t limit, const char *base, const char *adapter)
{
    size_t length = 0;
    char *data = golden_load(path, &length);
    FILE *file = fopen(path, "r+b");
    const struct slm_adapter_choice choice = {adapter, 1.0};
    assert_true(data != NULL && file != NULL);
    setbuf(file, NULL);
    for (size_t i = 0; i < length && i < limit; i++) {
        const char changed = (char)(data[i] ^ (1 << i % 8));
        fseek(file, (long)i, SEEK_SET);
        fwrite(&changed, 1, 1, file);
        merge(fixture, base, &choice, 1, SLM_WEIGHT_I8);
        fseek(file, (long)i, SEEK_SET);
        fwrite(&data[i], 1, 1, file);
    }
    assert_int_equal(merge(fixture, base, &choice, 1, SLM_WEIGHT_I8), SLM_OK);
    fclose(file);
    free(data);
}

static void flipped_bytes_end_in_a_status(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[256], base[512], gguf[512];
    import_begin(&fixture, 1);
    if (!copy_adapter(&fixture)) {
        import_end(&fixture);
        skip();
    }
    golden_path("bad/base", base);
    flip_file(&fixture, import_path(&fixture, "adapter_config.json", path), 4096, base, fixture.folder);
    flip_file(&fixture, import_path(&fixture, "adapter_model.safetensors", path), 700, base, fixture.folder);
    golden_path("lora/base", base);
    if (import_copy(golden_path("lora/a.gguf", gguf), import_path(&fixture, "a.gguf", path))) {
        flip_file(&fixture, path, 800, base, path);
    }
    import_end(&fixture);
}

static void failing_memory_is_a_status(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[256], base[512], gguf[512];
    import_begin(&fixture, 1);
    if (!copy_adapter(&fixture)) {
        import_end(&fixture);
        skip();
    }
    const struct slm_adapter_choice folder = {fixture.folder, 1.0}, file = {golden_path("lora/a.gguf", gguf), 1.0};
    import_path(&fixture, "out.slm", path);
    import_each_allocation_may_fail(&fixture, golden_path("bad/base", base), path, &folder, 1);
    if (slm__file_exists(gguf)) {
        import_each_allocation_may_fail(&fixture, golden_path("lora/base", base), path, &file, 1);
    }
    import_end(&fixture);
}

static void adapters_are_described(void **state)
{
    (void)state;
    static const char *const adapters[] = {"lora/a", "lora/a.gguf"};
    struct import_fixture fixture;
    char path[512];
    int found = 0;
    import_begin(&fixture, 1);
    for (size_t i = 0; i < 2; i++) {
        struct slm_buffer json;
        struct slm_arena tree;
        const struct slm_json *root = NULL;
        golden_path(adapters[i], path);
        if (!slm__path_is_folder(path) && !slm__file_exists(path)) {
            continue;
        }
        slm__buffer_init(&json, &fixture.memory, 1 << 20);
        assert_int_equal(slm__inspect_checkpoint(&fixture.context, path, &json, &fixture.error), SLM_OK);
        slm__arena_init(&tree, &fixture.memory, 1 << 22);
        assert_int_equal(slm__json_parse(&tree, slm__span(json.data, json.length), &root, &fixture.error), SLM_OK);
        assert_true(slm__json_is_string(slm__json_get(root, "kind"), "lora adapter"));
        assert_int_equal(slm__json_get(root, "deltas")->count, 4);
        slm__arena_free(&tree);
        slm__buffer_free(&json);
        found++;
    }
    import_end(&fixture);
    if (found == 0) {
        skip();
    }
}

/* ---- patterns and scales */

static void patterns_match_as_in_python(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"q_proj", "model.layers.0.self_attn.q_proj", true},
        {"proj", "model.layers.0.self_attn.q_proj", false},
        {"self_attn.q_proj", "model.layers.0.self_attn.q_proj", true},
        {"layers.1.self_attn.q_proj", "model.layers.11.self_attn.q_proj", false},
        {"layers.1.self_attn.q_proj", "model.layers.1.self_attn.q_proj", true},
        {"layers.1.self_attn.q_proj", "model.layersx1.self_attn.q_proj", true},
        {"layers\\.(0|1)\\..*\\.[qv]_proj", "model.layers.1.self_attn.v_proj", true},
        {"layers\\.(0|1)\\..*\\.[qv]_proj", "model.layers.2.self_attn.v_proj", false},
        {"q_proj|v_proj", "a.v_proj", true},
        {"q_proj|v_proj|", "a.k_proj", false},
        {"layers\\.\\d+\\.x", "layers.123.x", true},
        {"layers\\.\\d+\\.x", "layers..x", false},
        {"layers\\.[2-4]?\\.x", "layers..x", true},
        {"[^a-m]_proj", "x.q_proj", true},
        {"[^a-m]_proj", "x.k_proj", false},
        {"^model.q", "model.q", true},
        {"^q", "model.q", false},
        {"(?:a|b(c|d)*)+e", "x.abcdcae", true},
        {"(?:a|b(c|d)*)+e", "x.abcdcafe", false},
        {"(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false},
        {"q_proj$", "x.q_proj", true},
        {"", "x.", true},
    };
    static const char *const refused[] = {"(a",    "a)",  "[a", "a{2}",  "*a",
                                          "(?=a)", "\\1", "\\", "[b-a]", "((((((((((((((((((a))))))))))))))))))"};
    slm_error error = {sizeof error, 0, ""};
    bool matches;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        matches = !cases[i].matches;
        assert_int_equal(slm__module_pattern_match(slm__span_text(cases[i].pattern), slm__span_text(cases[i].name), &matches, &error),
                         SLM_OK);
        if (matches != cases[i].matches) {
            fail_msg("%s on %s", cases[i].pattern, cases[i].name);
        }
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (slm__module_pattern_match(slm__span_text(refused[i]), slm__span_text("a"), &matches, &error) == SLM_OK) {
            fail_msg("%s is accepted", refused[i]);
        }
    }
    char lengthy[600];
    memset(lengthy, 'a', sizeof lengthy);
    assert_int_equal(slm__module_pattern_match(slm__span(lengthy, sizeof lengthy), slm__span_text("a"), &matches, &error), SLM_E_LIMIT);
}

static slm_status config_status(const char *text, double *scale, slm_error *error)
{
    const struct slm_memory memory = slm__memory_default();
    struct slm_arena tree;
    const struct slm_json *root = NULL;
    slm__arena_init(&tree, &memory, 1 << 20);
    slm_status status = slm__json_parse(&tree, slm__span_text(text), &root, error);
    if (status == SLM_OK) {
        status = slm__adapter_config_check(root, error);
    }
    if (status == SLM_OK) {
        status = slm__adapter_config_scale(root, slm__span_text("model.layers.1.mlp.up_proj"), 4, scale, error);
    }
    slm__arena_free(&tree);
    return status;
}

static void configurations_give_scales_or_are_refused(void **state)
{
    (void)state;
    slm_error error = {sizeof error, 0, ""};
    double scale = 0.0;
    assert_int_equal(config_status("{\"peft_type\": \"LORA\", \"lora_alpha\": 6}", &scale, &error), SLM_OK);
    assert_true(scale == 1.5);
    assert_int_equal(config_status("{\"peft_type\": \"LORA\", \"lora_alpha\": 6, \"use_rslora\": true}", &scale, &error), SLM_OK);
    assert_true(scale == 3.0);
    assert_int_equal(config_status("{\"peft_type\": \"LORA\"}", &scale, &error), SLM_OK);
    assert_true(scale == 2.0);
    assert_int_equal(
        config_status("{\"peft_type\": \"LORA\", \"alpha_pattern\": {\"q_proj\": 1, \"up_.*\": 40, \"up_proj\": 9}}", &scale, &error),
        SLM_OK);
    assert_true(scale == 10.0);
    static const char *const refused[] = {
        "{\"peft_type\": \"LOHA\"}",
        "{\"lora_alpha\": 6}",
        "{\"peft_type\": \"LORA\", \"use_dora\": true}",
        "{\"peft_type\": \"LORA\", \"bias\": \"all\"}",
        "{\"peft_type\": \"LORA\", \"lora_bias\": true}",
        "{\"peft_type\": \"LORA\", \"init_lora_weights\": \"pissa_niter_4\"}",
        "{\"peft_type\": \"LORA\", \"layer_replication\": [[0, 2], [1, 2]]}",
        "{\"peft_type\": \"LORA\", \"lora_alpha\": \"6\"}",
        "{\"peft_type\": \"LORA\", \"lora_alpha\": 1e300}",
        "{\"peft_type\": \"LORA\", \"alpha_pattern\": [1]}",
        "{\"peft_type\": \"LORA\", \"alpha_pattern\": {\"(\": 1}}",
        "{\"peft_type\": \"LORA\", \"peft_type\": \"LORA\"}",
        "[]",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (config_status(refused[i], &scale, &error) == SLM_OK) {
            fail_msg("%s is accepted", refused[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deltas_are_added),
        cmocka_unit_test(provenance_covers_values),
        cmocka_unit_test(provenance_covers_adapters),
        cmocka_unit_test(unsupported_adapters_are_refused_in_words),
        cmocka_unit_test(malformed_adapters_are_refused_by_name),
        cmocka_unit_test(flipped_bytes_end_in_a_status),
        cmocka_unit_test(failing_memory_is_a_status),
        cmocka_unit_test(patterns_match_as_in_python),
        cmocka_unit_test(adapters_are_described),
        cmocka_unit_test(configurations_give_scales_or_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
