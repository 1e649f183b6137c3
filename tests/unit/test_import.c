/* SPDX-License-Identifier: MIT */
/* Checkpoint folders: what is refused and how it is said, what configurations mean, that conversion is reproducible, can be stopped, and
 * leaves nothing behind when it fails. */
#define _GNU_SOURCE
#include "format/format_layout.h" /* SLM_FORMAT_MAGIC */
#include "tests/unit/import_fixture.h"

#include "base/json.h"               /* slm__json_parse */
#include "format/weight_file.h"      /* slm__weight_file_open */
#include "import/inspect.h"          /* slm__inspect_checkpoint */
#include "import/random_model.h"     /* slm__random_model_build */
#include "import/rope_frequencies.h" /* slm__rope_frequencies */

#include <math.h>

#define NEED_BASE(fixture)                                                          \
  do {                                                                              \
    if (!import_base(fixture)) {                                                    \
      import_end(fixture);                                                          \
      print_message("skipped: there is no import/bad/base in %s\n", golden_root()); \
      skip();                                                                       \
    }                                                                               \
  } while (0)

/* ---- malformed and odd folders */

static const char *replaced_by(const char *kind)
{
    return strcmp(kind, "config") == 0 ? "config.json" : strcmp(kind, "tokenizer") == 0 ? "tokenizer.json" : "model.safetensors";
}

static void refuse_one(const struct import_case *one, void *user)
{
    struct import_fixture *fixture = user;
    const char *name = replaced_by(one->kind);
    char from[1024], to[256], output[256];
    assert_true(import_base(fixture));
    snprintf(from, sizeof from, "%s/import/bad/%s", golden_root(), one->file);
    assert_true(import_copy(from, import_path(fixture, name, to)));
    import_path(fixture, "out.slm", output);
    const slm_status status = import_convert(fixture, fixture->folder, output, SLM_WEIGHT_I8);
    if (status == SLM_OK || strstr(fixture->error.message, name) == NULL || slm__file_exists(output)) {
        fail_msg("%s (%s): status %d, message \"%s\"", one->file, one->what, status, fixture->error.message);
    }
}

static void malformed_folders_are_refused_by_name(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    const bool there = import_each_case("bad", "EXPECT.tsv", "config tokenizer weights safetensors", refuse_one, &fixture);
    import_end(&fixture);
    if (!there) {
        skip();
    }
}

static void accept_one(const struct import_case *one, void *user)
{
    struct import_fixture *fixture = user;
    const char *name = replaced_by(one->kind);
    char from[1024], to[256];
    assert_true(import_base(fixture));
    snprintf(from, sizeof from, "%s/import/odd/%s", golden_root(), one->file);
    assert_true(import_copy(from, import_path(fixture, name, to)));
    if (import_convert(fixture, fixture->folder, import_path(fixture, "out.slm", to), SLM_WEIGHT_I4) != SLM_OK) {
        fail_msg("%s (%s): %s", one->file, one->what, fixture->error.message);
    }
}

static void odd_folders_are_accepted(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    const bool there = import_each_case("odd", "ACCEPT.tsv", "config tokenizer weights", accept_one, &fixture);
    import_end(&fixture);
    if (!there) {
        skip();
    }
}

static void missing_files_are_named(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    NEED_BASE(&fixture);
    char path[256];
    assert_int_equal(unlink(import_path(&fixture, "tokenizer.json", path)), 0);
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_OK);
    assert_int_equal(fixture.warnings, 1);
    assert_int_equal(unlink(import_path(&fixture, "model.safetensors", path)), 0);
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_E_FILE_MISSING);
    assert_non_null(strstr(fixture.error.message, "model.safetensors"));
    import_write_text(&fixture, "pytorch_model.bin", "x");
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_E_UNSUPPORTED);
    assert_int_equal(unlink(import_path(&fixture, "config.json", path)), 0);
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_E_FILE_MISSING);
    assert_non_null(strstr(fixture.error.message, "config.json"));
    assert_int_equal(import_open(&fixture, import_path(&fixture, "nothing", path)), SLM_E_FILE_MISSING);
    import_end(&fixture);
}

/* ---- configurations */

static slm_status read_config(struct import_fixture *fixture, const char *more, struct slm_family_config *config)
{
    static const char base[] = "{\"model_type\": \"%s\", \"hidden_size\": 64, \"intermediate_size\": 160, \"num_attention_heads\": 4, "
                               "\"num_hidden_layers\": 2, \"max_position_embeddings\": 256, \"vocab_size\": 320%s%s}";
    const bool named = strncmp(more, "qwen", 4) == 0;
    char text[2048], family[8] = "llama";
    if (named) {
        memcpy(family, more, 5);
        family[5] = 0;
        more += 5;
    }
    snprintf(text, sizeof text, base, family, *more != 0 ? ", " : "", more);
    struct slm_arena tree;
    const struct slm_json *root = NULL;
    fixture->error.message[0] = 0;
    slm__arena_init(&tree, &fixture->memory, 1 << 20);
    assert_int_equal(slm__json_parse(&tree, slm__span_text(text), &root, &fixture->error), SLM_OK);
    const slm_status status = slm__hf_config_read(root, config, &fixture->log, &fixture->error);
    slm__arena_free(&tree);
    return status;
}

static void refused_config(struct import_fixture *fixture, const char *more, slm_status status, const char *named)
{
    struct slm_family_config config;
    const slm_status got = read_config(fixture, more, &config);
    if (got != status || strstr(fixture->error.message, named) == NULL) {
        fail_msg("%s: status %d, message \"%s\"", more, got, fixture->error.message);
    }
}

static void what_would_change_the_output_is_refused(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    refused_config(&fixture, "\"hidden_act\": \"relu\"", SLM_E_UNSUPPORTED, "hidden_act");
    refused_config(&fixture, "\"partial_rotary_factor\": 0.5", SLM_E_UNSUPPORTED, "partial_rotary_factor");
    refused_config(&fixture, "\"rope_scaling\": {\"rope_type\": \"dynamic\", \"factor\": 2.0}", SLM_E_UNSUPPORTED, "dynamic");
    refused_config(&fixture, "\"rope_scaling\": {\"factor\": 2.0}", SLM_E_BAD_VALUE, "rope_type");
    refused_config(&fixture, "\"rope_scaling\": {\"type\": \"linear\"}", SLM_E_BAD_VALUE, "factor");
    refused_config(&fixture, "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0}", SLM_E_BAD_VALUE, "factor");
    refused_config(&fixture,
                   "\"rope_parameters\": {\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 4.0, "
                   "\"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 64}",
                   SLM_E_BAD_VALUE, "high_freq_factor");
    refused_config(&fixture, "\"architectures\": [\"LlamaForSequenceClassification\"]", SLM_E_UNSUPPORTED,
                   "LlamaForSequenceClassification");
    refused_config(&fixture, "\"hidden_size\": 64", SLM_E_BAD_VALUE, "twice");
    refused_config(&fixture, "\"num_key_value_heads\": 3", SLM_E_BAD_VALUE, "num_key_value_heads");
    refused_config(&fixture, "\"head_dim\": 15", SLM_E_BAD_VALUE, "head_dim");
    refused_config(&fixture, "\"tie_word_embeddings\": 1", SLM_E_BAD_VALUE, "tie_word_embeddings");
    refused_config(&fixture, "\"rms_norm_eps\": -1e-6", SLM_E_BAD_VALUE, "rms_norm_eps");
    import_end(&fixture);
}

static void defaults_and_both_layouts(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct slm_family_config config;
    import_begin(&fixture, 1);
    assert_int_equal(read_config(&fixture, "", &config), SLM_OK);
    assert_int_equal(config.kv_heads, 4);
    assert_int_equal(config.head_dim, 16);
    assert_int_equal(config.traits, SLM_TRAIT_UNTIED | SLM_TRAIT_PRE_NORM);
    assert_true(config.rope[0].theta == 10000.0 && config.eps == 1e-6);
    assert_int_equal(read_config(&fixture,
                                 "\"rope_parameters\": {\"rope_theta\": 500000, \"rope_type\": \"default\"}, \"attention_bias\": true",
                                 &config),
                     SLM_OK);
    assert_true(config.rope[0].theta == 500000.0 && config.rope[0].kind == SLM_ROPE_DEFAULT);
    assert_int_equal(config.traits, SLM_TRAIT_UNTIED | SLM_TRAIT_PRE_NORM | SLM_TRAIT_QKV_BIAS | SLM_TRAIT_OUT_BIAS);
    assert_int_equal(
        read_config(&fixture, "qwen3\"num_key_value_heads\": null, \"head_dim\": null, \"tie_word_embeddings\": true", &config), SLM_OK);
    assert_int_equal(config.kv_heads, 4);
    assert_int_equal(config.head_dim, 128);
    assert_int_equal(config.traits, SLM_TRAIT_PRE_NORM | SLM_TRAIT_QK_NORM);
    assert_int_equal(read_config(&fixture,
                                 "qwen2\"num_key_value_heads\": 2, \"use_sliding_window\": false, \"sliding_window\": 32, "
                                 "\"eos_token_id\": [5, 7, 5, 9999], \"bos_token_id\": 400",
                                 &config),
                     SLM_OK);
    assert_int_equal(config.eos_count, 2);
    assert_int_equal(config.eos[1], 7);
    assert_int_equal(config.bos, -1); /* beyond the vocabulary: with a warning */
    assert_int_equal(fixture.warnings, 2);
    import_end(&fixture);
}

/* ---- rotary tables, against the formulas in the C library's arithmetic */

static void frequencies_follow_the_formulas(void **state)
{
    (void)state;
    const double two_pi = 6.283185307179586;
    float got[32];
    struct slm_rope_config rope = {.theta = 500000.0, .factor = 8.0, .attention_factor = 1.0};
    slm__rope_frequencies(&rope, 64, false, got);
    for (int i = 0; i < 32; i++) {
        assert_true(got[i] == (float)pow(500000.0, -i / 32.0));
    }
    rope.kind = SLM_ROPE_LLAMA3;
    rope.low_freq_factor = 1.0;
    rope.high_freq_factor = 4.0;
    rope.original_context = 8192.0;
    slm__rope_frequencies(&rope, 64, false, got);
    for (int i = 0; i < 32; i++) {
        const double plain = pow(500000.0, -i / 32.0), wavelength = two_pi / plain, smooth = (8192.0 / wavelength - 1.0) / 3.0;
        const double expected = wavelength < 2048.0   ? plain
                                : wavelength > 8192.0 ? plain / 8.0
                                                      : (1 - smooth) * plain / 8.0 + smooth * plain;
        assert_true(fabs((double)got[i] - expected) < 1e-7 * expected);
    }
    rope = (struct slm_rope_config){.kind = SLM_ROPE_YARN,
                                    .theta = 10000.0,
                                    .factor = 4.0,
                                    .original_context = 64.0,
                                    .beta_fast = 32.0,
                                    .beta_slow = 1.0,
                                    .attention_factor = 1.0,
                                    .truncate = true};
    slm__rope_frequencies(&rope, 32, false, got);
    const double low = 0.0, high = ceil(32.0 * log(64.0 / two_pi) / (2.0 * log(10000.0)));
    for (int i = 0; i < 16; i++) {
        const double plain = pow(10000.0, -i / 16.0), ramp = fmin(1.0, fmax(0.0, (i - low) / (high - low)));
        const double expected = plain / 4.0 * ramp + plain * (1.0 - ramp);
        assert_true(fabs((double)got[i] - expected) < 1e-7 * expected);
    }
    assert_true(fabs(slm__yarn_attention_factor(4.0, 0.0, 0.0) - (0.1 * log(4.0) + 1.0)) < 1e-12);
    assert_true(slm__yarn_attention_factor(4.0, 1.0, 1.0) == 1.0);
}

/* ---- conversions */

static struct slm_span load(struct import_fixture *fixture, const char *path)
{
    struct slm_span data;
    assert_int_equal(slm__file_load(path, &fixture->memory, UINT64_MAX, &data, &fixture->error), SLM_OK);
    return data;
}

static void give(struct import_fixture *fixture, struct slm_span data)
{
    slm__release(&fixture->memory, (void *)(uintptr_t)data.data, data.length);
}

/* The same bytes for one and for three threads; the file opens, and its vectors are the source's. */
static void conversion_is_reproducible(void **state)
{
    (void)state;
    struct import_fixture one, three;
    import_begin(&one, 1);
    NEED_BASE(&one);
    import_begin(&three, 3);
    for (enum slm_weight_type type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        char a[256], b[256];
        assert_int_equal(import_convert(&one, one.folder, import_path(&one, "a.slm", a), type), SLM_OK);
        assert_int_equal(import_convert(&three, one.folder, import_path(&three, "b.slm", b), type), SLM_OK);
        const struct slm_span x = load(&one, a), y = load(&one, b);
        struct slm_weight_file file;
        struct slm_tensor norm;
        assert_true(slm__span_equal(x, y));
        assert_int_equal(slm__weight_file_open(&file, x.data, x.length, &one.error), SLM_OK);
        assert_true(slm__weight_file_find(&file, "final_norm", &norm));
        assert_int_equal(norm.rows, 32);
        assert_true(file.tokenizer.length > 0);
        give(&one, x);
        give(&one, y);
    }
    import_end(&three);
    import_end(&one);
}

static void texts_and_defaults_are_kept(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct slm_weight_file file;
    struct slm_span text, ids;
    double number;
    uint32_t count;
    char path[256];
    import_begin(&fixture, 1);
    NEED_BASE(&fixture);
    import_write_text(&fixture, "LICENSE", "Permission is granted.\n");
    import_write_text(&fixture, "NOTICE.txt", "\xff\xfe");
    import_write_text(&fixture, "chat_template.jinja", "{{ messages[0].content }}");
    import_write_text(&fixture, "generation_config.json",
                      "{\"do_sample\": true, \"temperature\": 0.6, \"top_k\": 20, \"eos_token_id\": [316, 317], \"bos_token_id\": 312}");
    import_write_text(&fixture, "special_tokens_map.json", "{\"pad_token\": {\"content\": \"<|\\\"pad|>\"}, \"eos_token\": \"other\"}");
    assert_int_equal(import_convert(&fixture, fixture.folder, import_path(&fixture, "a.slm", path), SLM_WEIGHT_F16), SLM_OK);
    const struct slm_span data = load(&fixture, path);
    assert_int_equal(slm__weight_file_open(&file, data.data, data.length, &fixture.error), SLM_OK);
    assert_true(slm__meta_text(&file, "text.license", &text) && slm__span_is(text, "Permission is granted.\n"));
    assert_false(slm__meta_has(&file, "text.notice"));
    assert_int_equal(fixture.warnings, 1);
    assert_true(slm__meta_text(&file, "text.chat_template", &text) && slm__span_is(text, "{{ messages[0].content }}"));
    assert_true(slm__meta_text(&file, "text.template_tokens", &text));
    assert_true(
        slm__span_is(text, "{\"bos_token\": \"<|begin_of_text|>\", \"eos_token\": \"<|eot_id|>\", \"pad_token\": \"<|\\\"pad|>\"}"));
    assert_true(slm__meta_f64(&file, "generation.temperature", &number) && number == 0.6);
    assert_false(slm__meta_has(&file, "generation.top_p"));
    assert_true(slm__meta_u32s(&file, "token.eos", &ids, &count));
    assert_int_equal(count, 2);
    give(&fixture, data);
    import_end(&fixture);
}

static int32_t stop_after(void *user, uint64_t done, uint64_t total, const char *what)
{
    int *calls = user;
    assert_true(done <= total);
    assert_non_null(what);
    return --*calls <= 0;
}

/* Stopped at any call of the progress: a status, no file, and what was there before stays. */
static void cancelling_leaves_nothing(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[256];
    import_begin(&fixture, 1);
    NEED_BASE(&fixture);
    static const char before[] = SLM_FORMAT_MAGIC "before"; /* an older model */
    import_write(import_path(&fixture, "out.slm", path), before, sizeof before);
    for (int after = 1;; after++) {
        int calls = after;
        const struct slm_convert_settings settings = {
            .types = {SLM_WEIGHT_I8, SLM_WEIGHT_NONE}, .progress = stop_after, .progress_user = &calls};
        struct slm_convert_report report;
        const slm_status status = slm__convert_checkpoint(&fixture.context, fixture.folder, path, &settings, &report, &fixture.error);
        const struct slm_span data = load(&fixture, path);
        if (status == SLM_OK) {
            assert_true(after > 5);
            assert_int_equal(report.file_bytes, data.length);
            give(&fixture, data);
            break;
        }
        assert_int_equal(status, SLM_E_CANCELLED);
        assert_true(slm__span_equal(data, slm__span(before, sizeof before)));
        give(&fixture, data);
    }
    char command[128];
    snprintf(command, sizeof command, "test $(ls -A '%s' | wc -l) = 5", fixture.folder);
    assert_int_equal(system(command), 0);
    import_end(&fixture);
}

static void other_files_are_not_replaced(void **state)
{
    (void)state;
    struct import_fixture fixture;
    const struct slm_convert_settings settings = {.types = {SLM_WEIGHT_I8, SLM_WEIGHT_NONE}};
    struct slm_convert_report report;
    char path[256];
    import_begin(&fixture, 1);
    NEED_BASE(&fixture);
    import_path(&fixture, "model.safetensors", path);
    const struct slm_span weights = load(&fixture, path);
    assert_int_equal(slm__convert_checkpoint(&fixture.context, fixture.folder, path, &settings, &report, &fixture.error), SLM_E_FILE_WRITE);
    const struct slm_span after = load(&fixture, path);
    assert_true(slm__span_equal(weights, after));
    give(&fixture, weights);
    give(&fixture, after);
    import_end(&fixture);
}

/* ---- failing memory */

static void failing_memory_is_a_status(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char gguf[1024], path[256];
    import_begin(&fixture, 1);
    NEED_BASE(&fixture);
    import_path(&fixture, "out.slm", path);
    import_each_allocation_may_fail(&fixture, fixture.folder, path, NULL, 0);
    snprintf(gguf, sizeof gguf, "%s/import/bad/base/model.gguf", golden_root());
    import_each_allocation_may_fail(&fixture, gguf, path, NULL, 0);
    import_end(&fixture);
}

/* ---- weights beside the configuration */

/* The base's weights with `more` added to the header and `bytes` values behind the data. */
static void write_weights(struct import_fixture *fixture, const char *name, size_t values, uint16_t value)
{
    char path[256], entry[256];
    size_t length = 0;
    assert_true(import_base(fixture));
    char *data = golden_load(import_path(fixture, "model.safetensors", path), &length);
    assert_non_null(data);
    size_t header = 0;
    for (int i = 7; i >= 0; i--) {
        header = header << 8 | (uint8_t)data[i];
    }
    size_t end = 8 + header;
    while (data[end - 1] != '}') {
        end--;
    }
    const size_t used = length - 8 - header;
    const int entry_length =
        snprintf(entry, sizeof entry, ", \"%s\": {\"dtype\": \"F16\", \"shape\": [%zu], \"data_offsets\": [%zu, %zu]}}", name, values, used,
                 used + 2 * values);
    const size_t new_header = end - 1 - 8 + (size_t)entry_length;
    char *out = malloc(8 + new_header + used + 2 * values);
    assert_non_null(out);
    for (int i = 0; i < 8; i++) {
        out[i] = (char)(new_header >> (8 * i) & 255);
    }
    memcpy(out + 8, data + 8, end - 1 - 8);
    memcpy(out + 8 + (end - 1 - 8), entry, (size_t)entry_length);
    memcpy(out + 8 + new_header, data + 8 + header, used);
    for (size_t i = 0; i < values; i++) {
        memcpy(out + 8 + new_header + used + 2 * i, &value, 2);
    }
    import_write(path, out, 8 + new_header + used + 2 * values);
    free(out);
    free(data);
}

static void leftovers_are_judged(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    NEED_BASE(&fixture);
    write_weights(&fixture, "model.layers.0.self_attn.q_proj.bias", 32, 0);
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_OK);
    assert_int_equal(fixture.warnings, 1);
    write_weights(&fixture, "model.layers.0.self_attn.q_proj.bias", 32, 0x3c00);
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_E_UNSUPPORTED);
    write_weights(&fixture, "model.layers.1.input_layernorm.weight", 32, 0);
    assert_int_equal(import_open(&fixture, fixture.folder), SLM_E_UNSUPPORTED);
    import_end(&fixture);
}

/* A number that is not finite stops the conversion and names its tensor. */
static void infinite_weights_are_refused(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[256];
    size_t length = 0;
    import_begin(&fixture, 1);
    NEED_BASE(&fixture);
    char *data = golden_load(import_path(&fixture, "model.safetensors", path), &length);
    assert_non_null(data);
    data[length - 1] = 0x7c; /* the last value of lm_head.weight: infinite or not a number */
    import_write(path, data, length);
    free(data);
    assert_int_equal(import_convert(&fixture, fixture.folder, import_path(&fixture, "out.slm", path), SLM_WEIGHT_I8), SLM_E_BAD_VALUE);
    assert_non_null(strstr(fixture.error.message, "tensor head: the value in row 319, column 31"));
    assert_false(slm__file_exists(path));
    import_end(&fixture);
}

/* A tied configuration beside a stored head: equal, the tie stands; different, the head is used. */
static void stored_heads_of_tied_models(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[256];
    size_t length = 0;
    import_begin(&fixture, 1);
    NEED_BASE(&fixture);
    char *config = golden_load(import_path(&fixture, "config.json", path), NULL);
    char *mark = strstr(config, "\"tie_word_embeddings\": false");
    assert_non_null(mark);
    memcpy(mark, "\"tie_word_embeddings\": true ", 28);
    import_write_text(&fixture, "config.json", config);
    free(config);
    struct slm_checkpoint checkpoint;
    slm__checkpoint_init(&checkpoint, &fixture.context);
    assert_int_equal(slm__checkpoint_open(&checkpoint, fixture.folder, &fixture.error), SLM_OK);
    assert_int_equal(checkpoint.config.traits & SLM_TRAIT_UNTIED, SLM_TRAIT_UNTIED);
    assert_int_equal(fixture.warnings, 1);
    slm__checkpoint_free(&checkpoint);

    char *data = golden_load(import_path(&fixture, "model.safetensors", path), &length);
    memcpy(data + length - 20480, data + length - 59584, 20480); /* lm_head = embed_tokens */
    import_write(path, data, length);
    free(data);
    slm__checkpoint_init(&checkpoint, &fixture.context);
    assert_int_equal(slm__checkpoint_open(&checkpoint, fixture.folder, &fixture.error), SLM_OK);
    assert_int_equal(checkpoint.config.traits & SLM_TRAIT_UNTIED, 0);
    assert_int_equal(fixture.warnings, 1);
    slm__checkpoint_free(&checkpoint);
    import_end(&fixture);
}

/* ---- descriptions and random models */

static void inspection_is_json(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    NEED_BASE(&fixture);
    struct slm_buffer json;
    struct slm_arena tree;
    const struct slm_json *root = NULL;
    int64_t number = 0;
    slm__buffer_init(&json, &fixture.memory, 1 << 20);
    assert_int_equal(slm__inspect_checkpoint(&fixture.context, fixture.folder, &json, &fixture.error), SLM_OK);
    slm__arena_init(&tree, &fixture.memory, 1 << 22);
    assert_int_equal(slm__json_parse(&tree, slm__span(json.data, json.length), &root, &fixture.error), SLM_OK);
    assert_true(slm__json_is_string(slm__json_get(root, "family"), "llama"));
    assert_true(slm__json_i64(slm__json_get(root, "parameters"), &number));
    assert_int_equal(number, 2 * 320 * 32 + 2 * 32 * 32 + 2 * 16 * 32 + 3 * 64 * 32 + 3 * 32);
    assert_int_equal(slm__json_get(root, "tensors")->count, 12);
    slm__arena_free(&tree);
    slm__buffer_free(&json);
    import_end(&fixture);
}

static void random_models_are_complete_and_reproducible(void **state)
{
    (void)state;
    static const char config[] =
        "{\"model_type\": \"qwen2\", \"hidden_size\": 80, \"intermediate_size\": 172, \"num_attention_heads\": 5, "
        "\"num_key_value_heads\": 1, \"num_hidden_layers\": 2, \"vocab_size\": 331, \"tie_word_embeddings\": true}";
    struct import_fixture one, three;
    import_begin(&one, 1);
    import_begin(&three, 3);
    for (enum slm_weight_type type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        const struct slm_weight_types types = {type, type};
        struct slm_span a, b, c;
        struct slm_weight_file file;
        struct slm_tensor tensor;
        assert_int_equal(slm__random_model_build(&one.context, slm__span_text(config), &types, 7, &a, &one.error), SLM_OK);
        assert_int_equal(slm__random_model_build(&three.context, slm__span_text(config), &types, 7, &b, &one.error), SLM_OK);
        assert_int_equal(slm__random_model_build(&one.context, slm__span_text(config), &types, 8, &c, &one.error), SLM_OK);
        assert_true(slm__span_equal(a, b));
        assert_false(slm__span_equal(a, c));
        assert_int_equal(slm__weight_file_open(&file, a.data, a.length, &one.error), SLM_OK);
        assert_int_equal(slm__weight_file_verify(&file, NULL, NULL, &one.error), SLM_OK);
        assert_true(slm__weight_file_find(&file, "layers.1.qkv_bias", &tensor));
        assert_int_equal(tensor.rows, 112);
        give(&one, a);
        give(&one, b);
        give(&one, c);
    }
    import_end(&three);
    import_end(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_folders_are_refused_by_name),
        cmocka_unit_test(odd_folders_are_accepted),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(what_would_change_the_output_is_refused),
        cmocka_unit_test(defaults_and_both_layouts),
        cmocka_unit_test(frequencies_follow_the_formulas),
        cmocka_unit_test(conversion_is_reproducible),
        cmocka_unit_test(texts_and_defaults_are_kept),
        cmocka_unit_test(cancelling_leaves_nothing),
        cmocka_unit_test(other_files_are_not_replaced),
        cmocka_unit_test(failing_memory_is_a_status),
        cmocka_unit_test(leftovers_are_judged),
        cmocka_unit_test(infinite_weights_are_refused),
        cmocka_unit_test(stored_heads_of_tied_models),
        cmocka_unit_test(inspection_is_json),
        cmocka_unit_test(random_models_are_complete_and_reproducible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
