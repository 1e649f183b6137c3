/* SPDX-License-Identifier: MIT */
/* A damaged part that sees never leads outside of the file: each trait out of its range, or not fitting the tensors, has its sentence. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#define _DEFAULT_SOURCE
#include "model/vision_tower.h" /* struct slm_vision_tower */
#include "tests/unit/import_fixture.h"

struct bound {
    struct slm_transformer transformer;
    struct slm_layer layers[16];
    struct slm_vision_tower tower;
    struct slm_layer vision_layers[16];
};

static slm_status bind(const struct slm_weight_file *file, slm_error *error)
{
    static struct bound bound;
    memset(&bound, 0, sizeof bound);
    bound.tower.body.layers = bound.vision_layers;
    struct slm_transformer_tables tables;
    SLM_TRY(slm__transformer_tables(file, &tables, error));
    assert_true(tables.layers <= 16);
    if (tables.vision_layers > 16) {
        return slm__fail(error, SLM_E_BAD_VALUE, "more layers than the test has room for");
    }
    return slm__transformer_bind(&bound.transformer, file, bound.layers, NULL, &bound.tower, error);
}

/* The value of a metadata key, which lies in the file's bytes; they are the test's own. */
static uint8_t *value_of(const struct slm_weight_file *file, const char *wanted, uint8_t **name)
{
    for (uint32_t i = 0; i < file->metadata_count; i++) {
        struct slm_span key, value;
        uint32_t type = 0;
        slm__meta_entry(file, i, &key, &type, &value);
        if (slm__span_is(key, wanted)) {
            *name = (uint8_t *)(uintptr_t)key.data;
            return (uint8_t *)(uintptr_t)value.data;
        }
    }
    fail_msg("there is no key %s", wanted);
    return NULL;
}

static void each_trait_is_checked(void **state)
{
    static const struct {
        const char *key;
        uint64_t value;
        const char *words;
    } damages[] = {
        {"vision.layers", 0, "vision.layers is 0"},
        {"vision.layers", 1, "tensors of which this version uses"},
        {"vision.layers", 3, "vision.layers.2.attn_norm is missing"},
        {"vision.layers", (uint64_t)1 << 40, "vision.layers is 1099511627776"},
        {"vision.hidden_size", 0, "vision.hidden_size is 0"},
        {"vision.hidden_size", 64, "vision.patch_embed"},
        {"vision.heads", 0, "vision.heads is 0"},
        {"vision.heads", 8, "qkv"},
        {"vision.head_dim", 1, "vision.head_dim is 1"},
        {"vision.head_dim", 1025, "vision.head_dim is 1025"},
        {"vision.ffn_size", 97, "gate_up"},
        {"vision.norm_kind", 2, "vision.norm_kind is 2"},
        {"vision.activation", 9, "vision.activation is 9"},
        {"vision.image_size", 0, "vision.image_size is 0"},
        {"vision.image_size", 33, "vision.image_size 33 is no multiple of vision.patch_size 4"},
        {"vision.image_size", 36, "vision.pool 2 does not divide the 9 patches a side"},
        {"vision.image_size", 40, "vision.positions"},
        {"vision.image_size", 16384, "gives more than 65536 patches"},
        {"vision.image_size", 16385, "vision.image_size is 16385"},
        {"vision.patch_size", 0, "vision.patch_size is 0"},
        {"vision.patch_size", 2, "vision.patch_embed"},
        {"vision.pool", 0, "vision.pool is 0"},
        {"vision.pool", 3, "vision.pool 3 does not divide the 8 patches a side"},
        {"vision.pool", 9, "vision.pool is 9"},
        {"vision.image_token", 320, "vision.image_token is 320"},
    };
    struct import_fixture fixture;
    struct slm_weight_file file;
    struct slm_span data;
    char source[1024], path[256];
    (void)state;
    import_begin(&fixture, 1);
    snprintf(source, sizeof source, "%s/models/gemma3-vision", golden_root());
    if (import_convert(&fixture, source, import_path(&fixture, "out.slm", path), SLM_WEIGHT_I8) != SLM_OK) {
        print_message("skipped: %s\n", fixture.error.message);
        import_end(&fixture);
        skip();
    }
    assert_int_equal(slm__file_load(path, &fixture.memory, UINT64_MAX, &data, &fixture.error), SLM_OK);
    assert_int_equal(slm__weight_file_open(&file, data.data, data.length, &fixture.error), SLM_OK);
    assert_int_equal(bind(&file, &fixture.error), SLM_OK);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        uint8_t *name = NULL, *value = value_of(&file, damages[i].key, &name), saved[8];
        memcpy(saved, value, sizeof saved);
        memcpy(value, &damages[i].value, sizeof saved);
        if (bind(&file, &fixture.error) == SLM_OK || strstr(fixture.error.message, damages[i].words) == NULL) {
            fail_msg("%s %llu: '%s'", damages[i].key, (unsigned long long)damages[i].value, fixture.error.message);
        }
        memcpy(value, saved, sizeof saved);
    }
    uint8_t *name = NULL;
    (void)value_of(&file, "vision.gated", &name);
    name[strlen("vision.")] = 'j';
    assert_int_equal(bind(&file, &fixture.error), SLM_E_UNSUPPORTED);
    assert_non_null(strstr(fixture.error.message, "the trait vision.jated is unknown"));
    slm__release(&fixture.memory, (void *)(uintptr_t)data.data, data.length);
    import_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_trait_is_checked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
