/* SPDX-License-Identifier: MIT */
/* Reading GGUF: block types bit by bit, malformed and odd files, prefixes and flipped bytes, split models, permuted rows, Q8_0 kept
 * exactly, the embedded tokenizer. */
#define _GNU_SOURCE
#include "tests/unit/import_fixture.h"

#include "base/json.h"            /* slm__json_parse */
#include "format/weight_encode.h" /* slm__decode_panel_row */
#include "format/weight_file.h"   /* slm__weight_file_open */
#include "import/gguf_reader.h"   /* slm__gguf_open */
#include "text/tokenizer.h"       /* slm__tokenizer_encode */

#include <math.h>

static bool has(struct import_fixture *fixture, const char *name, char path[1024])
{
    snprintf(path, 1024, "%s/import/%s", golden_root(), name);
    if (slm__file_exists(path)) {
        return true;
    }
    print_message("skipped: there is no %s\n", path);
    import_end(fixture);
    return false;
}

/* Every type with a decoder gives the reference's bits; the others are known by name. */
static void block_types_are_bit_equal(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[1024], reference_path[1024];
    import_begin(&fixture, 1);
    if (!has(&fixture, "gguf/types.gguf", path)) {
        skip();
    }
    snprintf(reference_path, sizeof reference_path, "%s/import/gguf/types.safetensors", golden_root());
    struct golden_file reference;
    assert_true(golden_open(&reference, reference_path));
    struct slm_tensor_set set;
    struct slm_gguf gguf;
    slm__tensor_set_init(&set, &fixture.memory);
    assert_int_equal(slm__gguf_open(&gguf, &set, &fixture.memory, path, &fixture.error), SLM_OK);
    int decoded = 0;
    golden_begin("import", "gguf/types.gguf");
    for (uint32_t t = 0; t < set.tensor_count; t++) {
        const struct slm_source_tensor *tensor = &set.tensors[t];
        if (tensor->type->decode == NULL) {
            continue;
        }
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)tensor->name.length, (const char *)tensor->name.data);
        const struct golden_tensor expected = golden_find(&reference, name);
        const uint64_t rows = slm__source_rows(tensor), cols = slm__source_cols(tensor);
        assert_non_null(expected.data);
        assert_int_equal(expected.count, rows * cols);
        uint8_t *raw = malloc((size_t)slm__source_row_bytes(tensor));
        float *values = malloc((size_t)cols * sizeof *values);
        for (uint64_t row = 0; row < rows; row++) {
            assert_int_equal(slm__source_read_row(&set, tensor, row, raw, values, &fixture.error), SLM_OK);
            if (memcmp(values, (const float *)expected.data + row * cols, (size_t)cols * sizeof *values) != 0) {
                fail_msg("type %s, row %d: other bits", tensor->type->name, (int)row);
            }
        }
        free(raw);
        free(values);
        golden_case(true);
        decoded++;
    }
    assert_int_equal(decoded, 27);
    (void)golden_end();
    slm__gguf_free(&gguf);
    slm__tensor_set_free(&set);
    golden_close(&reference);
    import_end(&fixture);
}

static void check_one(const struct import_case *one, void *user)
{
    struct import_fixture *fixture = user;
    char path[1024];
    const bool odd = fixture->folder[0] == 0;
    snprintf(path, sizeof path, "%s/import/%s/%s", golden_root(), odd ? "odd" : "bad", one->file);
    const slm_status status = import_open(fixture, path);
    if (odd ? status != SLM_OK : status == SLM_OK || strstr(fixture->error.message, one->file) == NULL) {
        fail_msg("%s (%s): status %d, message \"%s\"", one->file, one->what, status, fixture->error.message);
    }
}

static void malformed_files_are_refused_by_name(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    const bool there = import_each_case("bad", "EXPECT.tsv", "gguf", check_one, &fixture);
    import_end(&fixture);
    if (!there) {
        skip();
    }
}

static void odd_files_are_accepted(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    import_end(&fixture);
    fixture.folder[0] = 0;
    if (!import_each_case("odd", "ACCEPT.tsv", "gguf", check_one, &fixture)) {
        skip();
    }
}

/* The base file cut at every length is refused; with any byte of its head changed it ends in a status. */
static void prefixes_and_flips(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[1024], copy[256];
    size_t length = 0;
    import_begin(&fixture, 1);
    if (!has(&fixture, "bad/base/model.gguf", path)) {
        skip();
    }
    char *data = golden_load(path, &length);
    assert_non_null(data);
    import_write(import_path(&fixture, "model.gguf", copy), data, length);
    FILE *file = fopen(copy, "r+b");
    assert_non_null(file);
    setbuf(file, NULL);
    const size_t head = 7296;
    for (size_t i = 0; i < head + 64; i++) {
        const char changed = (char)(data[i] ^ (1 << (i % 8)));
        fseek(file, (long)i, SEEK_SET);
        fwrite(&changed, 1, 1, file);
        import_open(&fixture, copy);
        fseek(file, (long)i, SEEK_SET);
        fwrite(&data[i], 1, 1, file);
    }
    assert_int_equal(import_open(&fixture, copy), SLM_OK);
    for (size_t cut = length; cut-- > 0;) {
        assert_int_equal(ftruncate(fileno(file), (off_t)cut), 0);
        if (cut < head || cut % 61 == 0 || cut + 64 > length) {
            assert_int_not_equal(import_open(&fixture, copy), SLM_OK);
        }
    }
    fclose(file);
    free(data);
    import_end(&fixture);
}

/* ---- whole models */

struct converted {
    struct slm_span data;
    struct slm_weight_file file;
};

static struct converted convert_golden(struct import_fixture *fixture, const char *source, enum slm_weight_type type)
{
    struct converted converted;
    char path[256];
    import_path(fixture, "model.slm", path);
    if (import_convert(fixture, source, path, type) != SLM_OK) {
        fail_msg("%s: %s", source, fixture->error.message);
    }
    assert_int_equal(slm__file_load(path, &fixture->memory, UINT64_MAX, &converted.data, &fixture->error), SLM_OK);
    assert_int_equal(slm__weight_file_open(&converted.file, converted.data.data, converted.data.length, &fixture->error), SLM_OK);
    return converted;
}

static void free_converted(struct import_fixture *fixture, struct converted *converted)
{
    slm__release(&fixture->memory, (void *)(uintptr_t)converted->data.data, converted->data.length);
}

static void matrix_row(const struct converted *converted, const char *name, uint32_t row, float *values, uint32_t cols)
{
    struct slm_tensor tensor;
    assert_true(slm__weight_file_find(&converted->file, name, &tensor));
    assert_int_equal(tensor.cols, cols);
    slm__decode_panel_row(tensor.type, tensor.data + (row / 16) * slm__panel_bytes(tensor.type, cols), row % 16, cols, values);
}

/* One row of a GGUF tensor as floats. */
static void source_row(struct import_fixture *fixture, const char *path, const char *name, uint64_t row, float *values)
{
    struct slm_tensor_set set;
    struct slm_gguf gguf;
    uint8_t raw[4096];
    slm__tensor_set_init(&set, &fixture->memory);
    assert_int_equal(slm__gguf_open(&gguf, &set, &fixture->memory, path, &fixture->error), SLM_OK);
    const struct slm_source_tensor *tensor = slm__tensor_set_find(&set, name);
    assert_non_null(tensor);
    assert_int_equal(slm__source_read_row(&set, tensor, row, raw, values, &fixture->error), SLM_OK);
    slm__gguf_free(&gguf);
    slm__tensor_set_free(&set);
}

/* llama: row j * 8 + i of a head of 16 comes from row 2i + j of the file; v is not permuted; Q8_0 to i8 loses nothing. */
static void llama_rows_are_put_back(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[1024];
    import_begin(&fixture, 2);
    if (!has(&fixture, "gguf/llama3-q8_0.gguf", path)) {
        skip();
    }
    struct converted converted = convert_golden(&fixture, path, SLM_WEIGHT_I8);
    float got[64], expected[64];
    for (uint32_t row = 0; row < 16; row++) {
        matrix_row(&converted, "layers.1.qkv", 16 + row, got, 64); /* head 1 of q */
        source_row(&fixture, path, "blk.1.attn_q.weight", 16 + 2 * (row % 8) + row / 8, expected);
        assert_memory_equal(got, expected, sizeof got);
        matrix_row(&converted, "layers.1.qkv", 64 + 16 + row, got, 64); /* head 1 of k */
        source_row(&fixture, path, "blk.1.attn_k.weight", 16 + 2 * (row % 8) + row / 8, expected);
        assert_memory_equal(got, expected, sizeof got);
        matrix_row(&converted, "layers.1.qkv", 64 + 32 + row, got, 64); /* v */
        source_row(&fixture, path, "blk.1.attn_v.weight", row, expected);
        assert_memory_equal(got, expected, sizeof got);
    }
    free_converted(&fixture, &converted);
    import_end(&fixture);
}

/* rope_freqs divides: the factors of llama3 scaling with original context 64, factor 8, theta 500000. */
static void rope_divisors_are_applied(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[1024];
    import_begin(&fixture, 1);
    if (!has(&fixture, "gguf/llama3-f32.gguf", path)) {
        skip();
    }
    struct converted converted = convert_golden(&fixture, path, SLM_WEIGHT_F32);
    struct slm_tensor tensor;
    float divisors[8];
    source_row(&fixture, path, "rope_freqs.weight", 0, divisors);
    assert_true(slm__weight_file_find(&converted.file, "rope.0.inv_freq", &tensor));
    assert_int_equal(tensor.rows, 8);
    bool scaled = false;
    for (int i = 0; i < 8; i++) {
        float got;
        memcpy(&got, tensor.data + 4 * i, sizeof got);
        const double expected = pow(500000.0, -i / 8.0) / (double)divisors[i];
        assert_true(fabs((double)got - expected) <= 1e-7 * expected);
        scaled = scaled || divisors[i] > 1.5f;
    }
    assert_true(scaled);
    free_converted(&fixture, &converted);
    import_end(&fixture);
}

static void split_models_are_read_from_their_first_part(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[1024];
    import_begin(&fixture, 1);
    if (!has(&fixture, "gguf/split-q4_0-00002-of-00003.gguf", path)) {
        skip();
    }
    assert_int_not_equal(import_open(&fixture, path), SLM_OK);
    assert_non_null(strstr(fixture.error.message, "first part"));
    snprintf(path, sizeof path, "%s/import/gguf/split-q4_0-00001-of-00003.gguf", golden_root());
    assert_int_equal(import_open(&fixture, path), SLM_OK);
    char copy[256];
    assert_true(import_copy(path, import_path(&fixture, "split-q4_0-00001-of-00003.gguf", copy)));
    assert_int_equal(import_open(&fixture, copy), SLM_E_FILE_MISSING); /* the others are not beside it */
    assert_true(import_copy(path, import_path(&fixture, "renamed.gguf", copy)));
    assert_int_equal(import_open(&fixture, copy), SLM_E_BAD_VALUE);
    import_end(&fixture);
}

/* ---- tokenizers.json */

static void check_texts(struct import_fixture *fixture, const struct converted *converted, const struct slm_json *texts, const char *model)
{
    struct slm_tokenizer tokenizer;
    assert_int_equal(slm__tokenizer_open(&tokenizer, converted->file.tokenizer, &fixture->error), SLM_OK);
    for (uint32_t i = 0; i < texts->count; i++) {
        const struct slm_json *text = slm__json_get(&texts->items[i], "text"), *ids = slm__json_get(&texts->items[i], "ids");
        int32_t got[1024];
        uint64_t count = 0;
        assert_int_equal(
            slm__tokenizer_encode(&tokenizer, &fixture->memory, text->text, SLM_TOKENIZE_PLAIN, got, 1024, &count, &fixture->error),
            SLM_OK);
        bool equal = count == ids->count;
        for (uint32_t k = 0; equal && k < ids->count; k++) {
            int64_t expected = -1;
            equal = slm__json_i64(&ids->items[k], &expected) && expected == got[k];
        }
        golden_case(equal);
        if (!equal) {
            print_message("%s: other ids for \"%.*s\"\n", model, SLM_SPAN_ARGS(text->text));
        }
    }
}

static void embedded_tokenizers_give_the_reference_ids(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[1024];
    import_begin(&fixture, 1);
    if (!has(&fixture, "gguf/tokenizers.json", path)) {
        skip();
    }
    struct slm_span text;
    struct slm_arena tree;
    const struct slm_json *root = NULL;
    assert_int_equal(slm__file_load(path, &fixture.memory, 1 << 24, &text, &fixture.error), SLM_OK);
    slm__arena_init(&tree, &fixture.memory, 1 << 26);
    assert_int_equal(slm__json_parse(&tree, text, &root, &fixture.error), SLM_OK);
    golden_begin("tokenizer", "of GGUF files");
    for (uint32_t i = 0; i < root->count; i++) {
        char model[160];
        snprintf(model, sizeof model, "%.*s", SLM_SPAN_ARGS(root->keys[i]));
        snprintf(path, sizeof path, "%s/import/gguf/%s", golden_root(), model);
        if (slm__file_exists(path)) {
            struct converted converted = convert_golden(&fixture, path, SLM_WEIGHT_I4);
            check_texts(&fixture, &converted, slm__json_get(&root->items[i], "texts"), model);
            free_converted(&fixture, &converted);
        }
    }
    assert_int_equal(golden_end(), 0);
    slm__arena_free(&tree);
    slm__release(&fixture.memory, (void *)(uintptr_t)text.data, text.length);
    import_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_types_are_bit_equal),
        cmocka_unit_test(malformed_files_are_refused_by_name),
        cmocka_unit_test(odd_files_are_accepted),
        cmocka_unit_test(prefixes_and_flips),
        cmocka_unit_test(llama_rows_are_put_back),
        cmocka_unit_test(rope_divisors_are_applied),
        cmocka_unit_test(split_models_are_read_from_their_first_part),
        cmocka_unit_test(embedded_tokenizers_give_the_reference_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
