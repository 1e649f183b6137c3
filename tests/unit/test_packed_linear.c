/* SPDX-License-Identifier: MIT */
/* GPTQ and AWQ checkpoints: dequantized weights bit by bit, codes kept in i4 and i8, configurations and malformed tensors refused by name,
 * flipped bytes, failing memory. */
#define _GNU_SOURCE
#include "tests/unit/import_fixture.h"

#include "base/json.h"              /* slm__json_parse */
#include "format/weight_encode.h"   /* slm__decode_panel_row */
#include "format/weight_file.h"     /* slm__weight_file_open */
#include "import/hf_quantization.h" /* slm__hf_quantization_read */
#include "import/inspect.h"         /* slm__inspect_checkpoint */

static const char *const folders[] = {
    "gptq/llama-4bit-g128-asym",
    "gptq/llama-4bit-g128-v2-asym",
    "gptq/llama-4bit-g32-desc_act",
    "gptq/llama-4bit-g32-lm_head",
    "gptq/llama-4bit-g32-sym",
    "gptq/llama-4bit-g32-zero-0",
    "gptq/llama-4bit-g64-zero-bias",
    "gptq/llama-8bit-g32-sym",
    "gptq/qwen2-4bit-g32-sym",
    "awq/llama-g128",
    "awq/llama-g32",
    "awq/qwen2-g32",
};
enum { FOLDERS = sizeof folders / sizeof folders[0] };

/* Where the reference's linears lie in the file: target, first row. */
static const struct linear {
    const char *name, *target;
    bool after_query; /* rows begin behind those of q */
} linears[] = {{"model.layers.0.self_attn.k_proj.weight", "layers.0.qkv", true},
               {"model.layers.1.mlp.down_proj.weight", "layers.1.down", false},
               {"lm_head.weight", "head", false}};

struct converted {
    struct slm_span data;
    struct slm_weight_file file;
};

static struct converted convert(struct import_fixture *fixture, const char *source, enum slm_weight_type type)
{
    struct converted converted;
    char path[256];
    if (import_convert(fixture, source, import_path(fixture, "out.slm", path), type) != SLM_OK) {
        fail_msg("%s: %s", source, fixture->error.message);
    }
    assert_int_equal(slm__file_load(path, &fixture->memory, UINT64_MAX, &converted.data, &fixture->error), SLM_OK);
    assert_int_equal(slm__weight_file_open(&converted.file, converted.data.data, converted.data.length, &fixture->error), SLM_OK);
    return converted;
}

static void release(struct import_fixture *fixture, struct converted *converted)
{
    slm__release(&fixture->memory, (void *)(uintptr_t)converted->data.data, converted->data.length);
}

/* Rows of a reference linear as the file has them; the largest difference relative to the largest value. */
static double worst_difference(const struct converted *converted, const struct golden_file *golden, const struct linear *linear,
                               bool *there)
{
    struct slm_tensor tensor;
    const struct golden_tensor expected = golden_find(golden, linear->name);
    const float *values = expected.data;
    double worst = 0.0, largest = 0.0;
    *there = values != NULL && slm__weight_file_find(&converted->file, linear->target, &tensor);
    if (!*there) {
        return 0.0;
    }
    const uint32_t rows = (uint32_t)(expected.count / tensor.cols), first = linear->after_query ? tensor.rows - 2 * rows : 0;
    float *row = malloc(tensor.cols * sizeof *row);
    for (uint32_t r = 0; r < rows; r++) {
        const uint32_t at = first + r;
        slm__decode_panel_row(tensor.type, tensor.data + at / 16 * slm__panel_bytes(tensor.type, tensor.cols), at % 16, tensor.cols, row);
        for (uint32_t k = 0; k < tensor.cols; k++) {
            const double value = (double)values[r * tensor.cols + k], difference = value - (double)row[k];
            worst = difference * difference > worst * worst ? difference : worst;
            largest = value * value > largest * largest ? value : largest;
        }
    }
    free(row);
    return (worst < 0 ? -worst : worst) / (largest < 0 ? -largest : largest);
}

static bool open_one(const char *folder, char source[1024], struct golden_file *golden)
{
    char path[1100];
    snprintf(source, 1024, "%s/import/%s", golden_root(), folder);
    snprintf(path, sizeof path, "%s/golden.safetensors", source);
    if (!golden_open(golden, path)) {
        print_message("skipped: there is no %s\n", path);
        return false;
    }
    return true;
}

/* f32 is the reference's bits, i8 too where the groups are in order and zeros in the middle; i4 rounds nothing but scales. */
static void weights_equal_the_reference(void **state)
{
    (void)state;
    static const double limits[3] = {0.0, 0.0, 0.034};
    int found = 0;
    for (size_t f = 0; f < FOLDERS; f++) {
        struct import_fixture fixture;
        struct golden_file golden;
        char source[1024];
        if (!open_one(folders[f], source, &golden)) {
            continue;
        }
        import_begin(&fixture, 2);
        const bool requantized[3] = {false, strstr(folders[f], "desc_act") != NULL,
                                     strstr(folders[f], "desc_act") != NULL || strstr(folders[f], "8bit") != NULL};
        const enum slm_weight_type types[3] = {SLM_WEIGHT_F32, SLM_WEIGHT_I8, SLM_WEIGHT_I4};
        for (int t = 0; t < 3; t++) {
            struct converted converted = convert(&fixture, source, types[t]);
            for (size_t i = 0; i < sizeof linears / sizeof linears[0]; i++) {
                bool there;
                const double worst = worst_difference(&converted, &golden, &linears[i], &there);
                if (there && worst > (requantized[t] ? 0.12 : limits[t])) {
                    fail_msg("%s: %s differs by %g of its largest value (type %d)", folders[f], linears[i].name, worst, (int)types[t]);
                }
                found += there;
            }
            release(&fixture, &converted);
        }
        assert_true(fixture.warnings == 0 || strstr(folders[f], "zero-bias") != NULL);
        import_end(&fixture);
        golden_close(&golden);
    }
    if (found == 0) {
        skip();
    }
}

/* ---- malformed tensors */

static bool copy_base(struct import_fixture *fixture)
{
    static const char *const names[] = {"config.json", "model.safetensors", "quantize_config.json", "tokenizer.json",
                                        "tokenizer_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char from[1024], to[256];
        snprintf(from, sizeof from, "%s/import/bad/base-gptq/%s", golden_root(), names[i]);
        if (!import_copy(from, import_path(fixture, names[i], to))) {
            return false;
        }
    }
    return true;
}

static void refuse_one(const struct import_case *one, void *user)
{
    static const char *const sentences[][2] = {
        {"gptq-g_idx-out-of-range", "g_idx names group 2"},
        {"gptq-g_idx-negative", "g_idx names group -"},
        {"gptq-qweight-rows-too-few", "qweight has 7 rows of words where 64 inputs of 4 bits need 8"},
        {"gptq-qzeros-missing", "down_proj.qzeros is missing"},
    };
    struct import_fixture *fixture = user;
    char from[1024], to[256];
    assert_true(copy_base(fixture));
    snprintf(from, sizeof from, "%s/import/bad/%s", golden_root(), one->file);
    assert_true(import_copy(from, import_path(fixture, "model.safetensors", to)));
    const slm_status status = import_open(fixture, fixture->folder);
    const char *expected = "model.safetensors";
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        expected = strncmp(one->file, sentences[i][0], strlen(sentences[i][0])) == 0 ? sentences[i][1] : expected;
    }
    if (status != SLM_E_BAD_VALUE || strstr(fixture->error.message, expected) == NULL ||
        strstr(fixture->error.message, "model.safetensors") == NULL) {
        fail_msg("%s (%s): status %d, message \"%s\"", one->file, one->what, status, fixture->error.message);
    }
}

static void malformed_tensors_are_refused(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    const bool there = import_each_case("bad", "EXPECT.tsv", "gptq", refuse_one, &fixture);
    import_end(&fixture);
    if (!there) {
        skip();
    }
}

/* A change in the header of a quantized file ends in a status. */
static void flipped_bytes_end_in_a_status(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[256];
    size_t length = 0;
    import_begin(&fixture, 1);
    if (!copy_base(&fixture)) {
        import_end(&fixture);
        skip();
    }
    char *data = golden_load(import_path(&fixture, "model.safetensors", path), &length);
    FILE *file = fopen(path, "r+b");
    assert_true(data != NULL && file != NULL);
    setbuf(file, NULL);
    const size_t header = 8 + (size_t)(uint8_t)data[0] + ((size_t)(uint8_t)data[1] << 8);
    for (size_t i = 0; i < header; i += 3) {
        const char changed = (char)(data[i] ^ (1 << i % 8));
        fseek(file, (long)i, SEEK_SET);
        fwrite(&changed, 1, 1, file);
        import_open(&fixture, fixture.folder);
        fseek(file, (long)i, SEEK_SET);
        fwrite(&data[i], 1, 1, file);
    }
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_OK);
    fclose(file);
    free(data);
    import_end(&fixture);
}

/* ---- configurations */

static slm_status read_quantization(struct import_fixture *fixture, const char *text, enum slm_quantization_method unnamed,
                                    struct slm_quantization *quantization)
{
    struct slm_arena tree;
    const struct slm_json *root = NULL;
    slm__arena_init(&tree, &fixture->memory, 1 << 20);
    assert_int_equal(slm__json_parse(&tree, slm__span_text(text), &root, &fixture->error), SLM_OK);
    const slm_status status = slm__hf_quantization_read(root, unnamed, quantization, &fixture->error);
    slm__arena_free(&tree);
    return status;
}

static void configurations_are_read_or_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *text, *named;
        slm_status status;
    } refused[] = {
        {"{\"quant_method\": \"gptq\", \"bits\": 3, \"group_size\": 128}", "bits 3", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"gptq\", \"bits\": 2, \"group_size\": 128}", "bits 2", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"awq\", \"bits\": 8, \"group_size\": 128}", "bits 8", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 128, \"version\": \"gemv\"}", "gemv", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 128, \"version\": \"marlin\"}", "marlin", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 128, \"checkpoint_format\": \"marlin\"}", "marlin", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 128, \"is_marlin_format\": true}", "marlin", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 128, \"dynamic\": {\"-:x\": {}}}", "dynamic", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 128, \"pack_dtype\": \"int8\"}", "pack_dtype", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"fp8\"}", "fp8", SLM_E_UNSUPPORTED},
        {"{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 0}", "group_size", SLM_E_BAD_VALUE},
        {"{\"quant_method\": \"gptq\", \"bits\": 4}", "group_size", SLM_E_BAD_VALUE},
        {"{\"bits\": 4, \"group_size\": 32}", "quant_method", SLM_E_BAD_VALUE},
        {"[]", "object", SLM_E_BAD_VALUE},
    };
    struct import_fixture fixture;
    struct slm_quantization q;
    import_begin(&fixture, 1);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const slm_status status = read_quantization(&fixture, refused[i].text, SLM_QUANTIZED_NOT, &q);
        if (status != refused[i].status || strstr(fixture.error.message, refused[i].named) == NULL) {
            fail_msg("%s: status %d, message \"%s\"", refused[i].text, status, fixture.error.message);
        }
    }
    assert_int_equal(read_quantization(&fixture, "{\"bits\": 8, \"group_size\": -1, \"desc_act\": true}", SLM_QUANTIZED_GPTQ, &q), SLM_OK);
    assert_true(q.method == SLM_QUANTIZED_GPTQ && q.bits == 8 && q.group_size == 0 && q.zeros_less_one && q.act_order);
    assert_int_equal(read_quantization(&fixture,
                                       "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 64, \"checkpoint_format\": \"gptq_v2\", "
                                       "\"dynamic\": null}",
                                       SLM_QUANTIZED_NOT, &q),
                     SLM_OK);
    assert_true(!q.zeros_less_one && q.group_size == 64);
    assert_int_equal(read_quantization(&fixture, "{\"zero_point\": true, \"q_group_size\": 128, \"w_bit\": 4, \"version\": \"GEMM\"}",
                                       SLM_QUANTIZED_AWQ, &q),
                     SLM_OK);
    assert_true(q.method == SLM_QUANTIZED_AWQ && q.bits == 4 && q.group_size == 128);
    import_end(&fixture);
}

static void remove_key(const struct import_fixture *fixture, const char *key)
{
    char path[256];
    char *text = golden_load(import_path(fixture, "config.json", path), NULL);
    char *found = strstr(text, key);
    assert_non_null(found);
    found[1] = 'X'; /* another name */
    import_write_text(fixture, "config.json", text);
    free(text);
}

/* The oldest checkpoints have quantize_config.json alone; with neither, the packed tensors are named. */
static void configuration_beside_config_json(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[256];
    import_begin(&fixture, 1);
    if (!copy_base(&fixture)) {
        import_end(&fixture);
        skip();
    }
    remove_key(&fixture, "\"quantization_config\"");
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_OK);
    assert_int_equal(unlink(import_path(&fixture, "quantize_config.json", path)), 0);
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_E_BAD_VALUE);
    assert_non_null(strstr(fixture.error.message, "qweight"));
    import_end(&fixture);
}

static void failing_memory_is_a_status(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[256];
    import_begin(&fixture, 1);
    if (!copy_base(&fixture)) {
        import_end(&fixture);
        skip();
    }
    import_each_allocation_may_fail(&fixture, fixture.folder, import_path(&fixture, "out.slm", path), NULL, 0);
    import_end(&fixture);
}

/* What would be kept is told before the conversion; the tensors listed are those of the files. */
static void inspection_tells_what_is_kept(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    if (!copy_base(&fixture)) {
        import_end(&fixture);
        skip();
    }
    struct slm_buffer json;
    struct slm_arena tree;
    const struct slm_json *root = NULL;
    int64_t kept = 0;
    slm__buffer_init(&json, &fixture.memory, 1 << 20);
    assert_int_equal(slm__inspect_checkpoint(&fixture.context, fixture.folder, &json, &fixture.error), SLM_OK);
    slm__arena_init(&tree, &fixture.memory, 1 << 22);
    assert_int_equal(slm__json_parse(&tree, slm__span(json.data, json.length), &root, &fixture.error), SLM_OK);
    assert_true(slm__json_is_string(slm__json_get(root, "quantization"), "gptq"));
    assert_true(slm__json_i64(slm__json_get(root, "codes_kept_i4"), &kept));
    assert_int_equal(kept, 4);
    const struct slm_json *tensors = slm__json_get(root, "tensors");
    for (uint32_t i = 0; i < tensors->count; i++) {
        assert_false(slm__json_is_string(slm__json_get(&tensors->items[i], "type"), "GPTQ"));
    }
    slm__arena_free(&tree);
    slm__buffer_free(&json);
    import_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_equal_the_reference),      cmocka_unit_test(malformed_tensors_are_refused),
        cmocka_unit_test(flipped_bytes_end_in_a_status),    cmocka_unit_test(configurations_are_read_or_refused_by_name),
        cmocka_unit_test(configuration_beside_config_json), cmocka_unit_test(failing_memory_is_a_status),
        cmocka_unit_test(inspection_tells_what_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
