/* SPDX-License-Identifier: MIT */
/* Checkpoints that see: the same tensors from every way to name them, what configurations are refused in which words, how pixels count,
 * text-only conversions. Everything starts from the reference folder gemma3-vision. */
#define _POSIX_C_SOURCE 200809L /* strdup, mkdtemp */
#define _DEFAULT_SOURCE
#include "format/weight_file.h" /* struct slm_weight_file */
#include "import/inspect.h"     /* slm__inspect_checkpoint */
#include "tests/unit/import_fixture.h"

static const char *source_path(const char *name, char path[1024])
{
    snprintf(path, 1024, "%s/models/gemma3-vision/%s", golden_root(), name);
    return path;
}

/* `text` with every `from` replaced by `to`, in memory of the heap. */
static char *replaced(const char *text, const char *from, const char *to)
{
    size_t count = 0;
    if (from[0] == 0) {
        return strdup(text);
    }
    for (const char *at = strstr(text, from); at != NULL; at = strstr(at + strlen(from), from)) {
        count++;
    }
    char *result = malloc(strlen(text) + count * strlen(to) + 1), *out = result;
    for (const char *next = NULL; (next = strstr(text, from)) != NULL; text = next + strlen(from)) {
        memcpy(out, text, (size_t)(next - text));
        out += next - text;
        memcpy(out, to, strlen(to));
        out += strlen(to);
    }
    strcpy(out, text);
    return result;
}

/* The reference folder in the fixture's, with one replacement in its configuration; false when it is not there. */
static bool take_folder(const struct import_fixture *fixture, const char *from, const char *to)
{
    char path[1024], copy[256];
    char *config = golden_load(source_path("config.json", path), NULL);
    if (config == NULL) {
        print_message("skipped: there is no %s\n", path);
        return false;
    }
    char *changed = replaced(config, from, to);
    import_write_text(fixture, "config.json", changed);
    free(changed);
    free(config);
    return import_copy(source_path("model.safetensors", path), import_path(fixture, "model.safetensors", copy));
}

struct layout {
    const char *text, *tower, *projector;
};

/* Names of the weights changed to another layout. */
static void rename_tensors(const struct import_fixture *fixture, const struct layout *layout)
{
    char path[256];
    size_t length = 0;
    uint64_t header = 0;
    uint8_t *bytes = (uint8_t *)golden_load(import_path(fixture, "model.safetensors", path), &length);
    assert_non_null(bytes);
    memcpy(&header, bytes, sizeof header);
    char *names = malloc((size_t)header + 1);
    memcpy(names, bytes + 8, (size_t)header);
    names[header] = 0;
    char *a = replaced(names, "\"language_model.model.", layout->text);
    char *b = replaced(a, "\"vision_tower.vision_model.", layout->tower);
    char *c = replaced(b, "\"multi_modal_projector.", layout->projector);
    const uint64_t changed = strlen(c);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(&changed, 1, 8, file) + fwrite(c, 1, (size_t)changed, file), 8 + changed);
    assert_int_equal(fwrite(bytes + 8 + header, 1, length - 8 - (size_t)header, file), length - 8 - (size_t)header);
    assert_int_equal(fclose(file), 0);
    free(a);
    free(b);
    free(c);
    free(names);
    free(bytes);
}

static void convert(struct import_fixture *fixture, enum slm_weight_type type, bool text_only, struct slm_span *data,
                    struct slm_weight_file *file)
{
    char path[256];
    const struct slm_convert_settings settings = {.types = {type, SLM_WEIGHT_NONE}, .text_only = text_only};
    struct slm_convert_report report;
    if (slm__convert_checkpoint(&fixture->context, fixture->folder, import_path(fixture, "out.slm", path), &settings, &report,
                                &fixture->error) != SLM_OK) {
        fail_msg("%s", fixture->error.message);
    }
    assert_int_equal(slm__file_load(path, &fixture->memory, UINT64_MAX, data, &fixture->error), SLM_OK);
    assert_int_equal(slm__weight_file_open(file, data->data, data->length, &fixture->error), SLM_OK);
}

static void give(const struct import_fixture *fixture, struct slm_span data)
{
    slm__release(&fixture->memory, (void *)(uintptr_t)data.data, data.length);
}

static void every_layout_of_names(void **state)
{
    static const struct layout layouts[] = {
        {"\"model.language_model.", "\"model.vision_tower.", "\"model.multi_modal_projector."},
        {"\"model.language_model.", "\"model.vision_tower.vision_model.", "\"model.multi_modal_projector."},
        {"\"language_model.model.", "\"vision_tower.", "\"multi_modal_projector."}};
    struct import_fixture fixture;
    struct slm_weight_file want, got;
    struct slm_span want_data, got_data;
    (void)state;
    import_begin(&fixture, 1);
    if (!take_folder(&fixture, "", "")) {
        import_end(&fixture);
        skip();
    }
    convert(&fixture, SLM_WEIGHT_F32, false, &want_data, &want);
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        assert_true(take_folder(&fixture, "", ""));
        rename_tensors(&fixture, &layouts[i]);
        convert(&fixture, SLM_WEIGHT_F32, false, &got_data, &got);
        assert_int_equal(got.tensor_count, want.tensor_count);
        assert_int_equal(got_data.length, want_data.length);
        struct slm_tensor a, b;
        assert_true(slm__weight_file_find(&want, "vision.layers.1.down", &a) && slm__weight_file_find(&got, "vision.layers.1.down", &b));
        assert_memory_equal(a.data, b.data, slm__panel_bytes(a.type, a.cols) * (slm__padded_rows(a.rows) / 16));
        give(&fixture, got_data);
    }
    give(&fixture, want_data);
    import_end(&fixture);
}

/* The convolution's rows in one, the projection's columns as rows: compared with the bytes of the source. */
static void folded_and_transposed_tensors(void **state)
{
    struct import_fixture fixture;
    struct slm_weight_file file;
    struct slm_span data;
    char path[1024];
    (void)state;
    import_begin(&fixture, 3);
    if (!take_folder(&fixture, "", "")) {
        import_end(&fixture);
        skip();
    }
    struct golden_file source;
    assert_true(golden_open(&source, source_path("model.safetensors", path)));
    convert(&fixture, SLM_WEIGHT_BF16, false, &data, &file);
    const uint16_t *conv = golden_find(&source, "vision_tower.vision_model.embeddings.patch_embedding.weight").data;
    const uint16_t *projection = golden_find(&source, "multi_modal_projector.mm_input_projection_weight").data;
    struct slm_tensor patch, projector;
    assert_true(slm__weight_file_find(&file, "vision.patch_embed", &patch) && slm__weight_file_find(&file, "vision.projector", &projector));
    assert_true(patch.rows == 48 && patch.cols == 48 && projector.rows == 64 && projector.cols == 48);
    assert_int_equal(patch.type, SLM_WEIGHT_BF16);
    for (uint32_t row = 0; row < 48; row++) {
        for (uint32_t k = 0; k < 48; k++) {
            const size_t at = (size_t)row / 16 * slm__panel_bytes(SLM_WEIGHT_BF16, 48) / 2 + (size_t)k * 16 + row % 16;
            assert_int_equal(((const uint16_t *)(const void *)patch.data)[at], conv[row * 48 + k]);
            assert_int_equal(((const uint16_t *)(const void *)projector.data)[at], projection[k * 64 + row]);
        }
    }
    golden_close(&source);
    give(&fixture, data);
    import_end(&fixture);
}

static void expect_refusal(struct import_fixture *fixture, slm_status expected, const char *words)
{
    const slm_status status = import_open(fixture, fixture->folder);
    if (status != expected || strstr(fixture->error.message, words) == NULL) {
        fail_msg("status %d, '%s' where '%s' was expected", status, fixture->error.message, words);
    }
}

static void refusals_name_the_key(void **state)
{
    static const struct {
        const char *from, *to;
        slm_status status;
        const char *words;
    } configs[] = {
        {"\"siglip_vision_model\"", "\"clip_vision_model\"", SLM_E_UNSUPPORTED, "model_type of vision_config"},
        {"\"patch_size\": 4", "\"patch_size\": 5", SLM_E_UNSUPPORTED, "image_size 32 is no multiple of patch_size 5"},
        {"\"patch_size\": 4", "\"patch_size\": 4, \"hidden_act\": \"gelu\"", SLM_E_UNSUPPORTED, "hidden_act"},
        {"\"patch_size\": 4", "\"patch_size\": 4, \"num_channels\": 1", SLM_E_UNSUPPORTED, "num_channels is 1"},
        {"\"patch_size\": 4", "\"patch_size\": 2", SLM_E_BAD_VALUE, "patch_embedding.weight is 48 x 3 x 4 x 4"},
        {"\"mm_tokens_per_image\": 16", "\"mm_tokens_per_image\": 15", SLM_E_UNSUPPORTED, "mm_tokens_per_image is 15"},
        {"\"mm_tokens_per_image\": 16", "\"mm_tokens_per_image\": 9", SLM_E_UNSUPPORTED, "mm_tokens_per_image is 9"},
        {"\"image_token_index\": 310", "\"image_token_index\": 320", SLM_E_BAD_VALUE, "image_token_index 320 is not in the vocabulary"},
        {"\"image_size\": 32", "\"image_size\": [32, 32]", SLM_E_BAD_VALUE, "image_size is no number"},
        {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", SLM_E_BAD_VALUE, "layers.2.layer_norm1.weight, which"},
        {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", SLM_E_UNSUPPORTED, "is not part of the gemma3 model"},
        {"\"num_attention_heads\": 4,\n    \"num_hidden_layers\": 2", "\"num_attention_heads\": 5,\n    \"num_hidden_layers\": 2",
         SLM_E_BAD_VALUE, "over num_attention_heads 5"},
    };
    static const struct {
        const char *text, *words;
    } processors[] = {
        {"{\"resample\": 3}", "resample is 3"},
        {"{\"do_pan_and_scan\": true}", "do_pan_and_scan is true"},
        {"{\"do_normalize\": false}", "do_normalize is false"},
        {"{\"size\": {\"height\": 32, \"width\": 64}}", "size is 32 x 64"},
        {"{\"image_processor\": {\"image_std\": [0.5, 0, 0.5]}}", "image_std holds a value out of range"},
        {"{\"image_mean\": [0.5]}", "image_mean is no list of 3 numbers"},
    };
    struct import_fixture fixture;
    char path[256];
    (void)state;
    import_begin(&fixture, 1);
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        if (!take_folder(&fixture, configs[i].from, configs[i].to)) {
            import_end(&fixture);
            skip();
        }
        expect_refusal(&fixture, configs[i].status, configs[i].words);
    }
    assert_true(take_folder(&fixture, "", ""));
    for (size_t i = 0; i < sizeof processors / sizeof processors[0]; i++) {
        const char *name = i % 2 ? "processor_config.json" : "preprocessor_config.json";
        import_write_text(&fixture, name, processors[i].text);
        const slm_status status = import_open(&fixture, fixture.folder);
        assert_true(status == SLM_E_UNSUPPORTED || status == SLM_E_BAD_VALUE);
        assert_non_null(strstr(fixture.error.message, processors[i].words));
        assert_non_null(strstr(fixture.error.message, name));
        unlink(import_path(&fixture, name, path));
    }
    import_end(&fixture);
}

static void pixels_count_as_the_processor_says(void **state)
{
    struct import_fixture fixture;
    struct slm_weight_file file;
    struct slm_span data;
    struct slm_tensor pixels;
    (void)state;
    import_begin(&fixture, 1);
    if (!take_folder(&fixture, "", "")) {
        import_end(&fixture);
        skip();
    }
    convert(&fixture, SLM_WEIGHT_F32, false, &data, &file);
    assert_true(slm__weight_file_find(&file, "vision.pixel_values", &pixels) && pixels.rows == 768);
    const float *values = (const float *)(const void *)pixels.data;
    assert_true(values[0] == -1.0f && values[255] == 1.0f && values[256 + 51] == ((float)(51 * (1.0 / 255.0)) - 0.5f) / 0.5f);
    give(&fixture, data);
    import_write_text(
        &fixture, "preprocessor_config.json",
        "{\"image_mean\": [0, 1, 2], \"image_std\": [1, 2, 4], \"rescale_factor\": 0.5, \"size\": {\"height\": 32, \"width\": 32}, "
        "\"resample\": 2, \"do_pan_and_scan\": null}");
    convert(&fixture, SLM_WEIGHT_F32, false, &data, &file);
    assert_true(slm__weight_file_find(&file, "vision.pixel_values", &pixels));
    values = (const float *)(const void *)pixels.data;
    assert_true(values[8] == 4.0f && values[256 + 8] == 1.5f && values[512 + 8] == 0.5f);
    give(&fixture, data);
    import_end(&fixture);
}

/* With the flag, and where the tower's tensors are not there, a warning says that the model will not see. */
static void text_only_is_announced(void **state)
{
    struct import_fixture fixture;
    struct slm_weight_file file;
    struct slm_span data;
    struct slm_tensor tensor;
    struct slm_buffer json;
    (void)state;
    import_begin(&fixture, 1);
    if (!take_folder(&fixture, "", "")) {
        import_end(&fixture);
        skip();
    }
    convert(&fixture, SLM_WEIGHT_F16, true, &data, &file);
    assert_non_null(strstr(fixture.last_warning, "only the text part is converted: the model will not take images (39 tensors"));
    assert_false(slm__weight_file_find(&file, "vision.patch_embed", &tensor) || slm__meta_has(&file, "vision.layers"));
    give(&fixture, data);
    slm__buffer_init(&json, &fixture.memory, 1 << 20);
    assert_int_equal(slm__inspect_checkpoint(&fixture.context, fixture.folder, &json, &fixture.error), SLM_OK);
    slm__buffer_append_byte(&json, 0);
    assert_non_null(strstr((const char *)json.data, "\"image_size\": 32, \"image_tokens\": 16"));
    slm__buffer_free(&json);
    import_end(&fixture);
}

static void each_allocation_may_fail(void **state)
{
    struct import_fixture fixture;
    char path[256];
    (void)state;
    import_begin(&fixture, 1);
    if (!take_folder(&fixture, "", "")) {
        import_end(&fixture);
        skip();
    }
    import_each_allocation_may_fail(&fixture, fixture.folder, import_path(&fixture, "out.slm", path), NULL, 0);
    import_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layout_of_names),
        cmocka_unit_test(folded_and_transposed_tensors),
        cmocka_unit_test(refusals_name_the_key),
        cmocka_unit_test(text_only_is_announced),
        cmocka_unit_test(pixels_count_as_the_processor_says),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
