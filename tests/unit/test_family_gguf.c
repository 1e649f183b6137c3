/* SPDX-License-Identifier: MIT */
/* GGUF models of families without reference files: small ones are written here, with the value of each weight telling where it lies; then
 * their configuration, and which rows make up stacked, fused and permuted tensors. */
#define _GNU_SOURCE
#include "tests/unit/import_fixture.h"

struct gguf_file {
    uint8_t bytes[1 << 18];
    size_t length;
    uint64_t keys, tensors, data; /* data: bytes of tensors so far */
};

static void put(struct gguf_file *file, const void *data, size_t length)
{
    assert_true(file->length + length <= sizeof file->bytes);
    memcpy(file->bytes + file->length, data, length);
    file->length += length;
}

static void put_u32(struct gguf_file *file, uint32_t value) { put(file, &value, sizeof value); }

static void put_u64(struct gguf_file *file, uint64_t value) { put(file, &value, sizeof value); }

static void put_text(struct gguf_file *file, const char *text)
{
    put_u64(file, strlen(text));
    put(file, text, strlen(text));
}

static void begin(struct gguf_file *file, const char *architecture)
{
    memset(file, 0, sizeof *file);
    put(file, "GGUF", 4);
    put_u32(file, 3);
    put_u64(file, 0);
    put_u64(file, 0);
    put_text(file, "general.architecture");
    put_u32(file, 8);
    put_text(file, architecture);
    file->keys = 1;
}

static void key_u32(struct gguf_file *file, const char *architecture, const char *name, uint32_t value)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", architecture, name);
    put_text(file, key);
    put_u32(file, 4);
    put_u32(file, value);
    file->keys++;
}

static void key_f32(struct gguf_file *file, const char *architecture, const char *name, float value)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", architecture, name);
    put_text(file, key);
    put_u32(file, 6);
    put(file, &value, sizeof value);
    file->keys++;
}

/* Two heads of 4 dimensions, one for keys and values, width 8, MLP 6, 16 tokens. */
static void sizes(struct gguf_file *file, const char *architecture, uint32_t layers)
{
    static const struct {
        const char *name;
        uint32_t value;
    } rows[] = {{"embedding_length", 8},
                {"feed_forward_length", 6},
                {"attention.head_count", 2},
                {"attention.head_count_kv", 1},
                {"context_length", 64}};
    begin(file, architecture);
    key_u32(file, architecture, "block_count", layers);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        key_u32(file, architecture, rows[i].name, rows[i].value);
    }
}

/* Dimensions as GGUF orders them; 0: none. The values are written by finish(). */
static void tensor(struct gguf_file *file, const char *name, uint64_t cols, uint64_t rows, uint64_t stacked)
{
    const uint64_t shape[3] = {cols, rows, stacked};
    uint64_t count = 1;
    uint32_t dimensions = 0;
    while (dimensions < 3 && shape[dimensions] != 0) {
        count *= shape[dimensions++];
    }
    put_text(file, name);
    put_u32(file, dimensions);
    put(file, shape, dimensions * sizeof shape[0]);
    put_u32(file, 0);
    put_u64(file, file->data);
    file->data += (count * 4 + 31) / 32 * 32;
    file->tensors++;
}

static void layer_tensor(struct gguf_file *file, uint32_t layer, const char *name, uint64_t cols, uint64_t rows, uint64_t stacked)
{
    char full[96];
    snprintf(full, sizeof full, "blk.%u.%s", (unsigned)layer, name);
    tensor(file, full, cols, rows, stacked);
}

/* Value i of the data is i, so that a row's first value tells where it lies. */
static void finish(struct import_fixture *fixture, struct gguf_file *file, char path[256])
{
    static const uint8_t zeros[32] = {0};
    memcpy(file->bytes + 8, &file->tensors, 8);
    memcpy(file->bytes + 16, &file->keys, 8);
    put(file, zeros, (32 - file->length % 32) % 32);
    for (uint64_t i = 0; i < file->data / 4; i++) {
        const float value = (float)i;
        put(file, &value, sizeof value);
    }
    import_write(import_path(fixture, "model.gguf", path), file->bytes, file->length);
}

static void open_model(struct import_fixture *fixture, struct gguf_file *file, struct slm_checkpoint *checkpoint)
{
    char path[256];
    finish(fixture, file, path);
    slm__checkpoint_init(checkpoint, &fixture->context);
    if (slm__checkpoint_open(checkpoint, path, &fixture->error) != SLM_OK) {
        fail_msg("%s", fixture->error.message);
    }
}

static const struct slm_target *find_target(const struct slm_checkpoint *checkpoint, const char *name)
{
    for (uint32_t i = 0; i < checkpoint->target_count; i++) {
        if (strcmp(checkpoint->targets[i].name, name) == 0) {
            return &checkpoint->targets[i];
        }
    }
    fail_msg("there is no target %s", name);
    return NULL;
}

/* Row `row` of a target starts with value `index` of the source tensor `name`. */
static void expect_row(const struct slm_checkpoint *checkpoint, const char *target_name, uint32_t row, const char *name, uint64_t index)
{
    float values[64], first;
    uint8_t raw[256];
    slm_error error = {.struct_size = sizeof error};
    struct slm_source_tensor *source = slm__tensor_set_find(&checkpoint->set, name);
    assert_non_null(source);
    assert_int_equal(slm__source_read_row(&checkpoint->set, source, 0, raw, values, &error), SLM_OK);
    first = values[0];
    assert_int_equal(slm__target_read_row(checkpoint, find_target(checkpoint, target_name), row, raw, values, &error), SLM_OK);
    if (values[0] != first + (float)index) {
        fail_msg("%s row %u starts with %g, expected is %g", target_name, (unsigned)row, (double)values[0], (double)(first + (float)index));
    }
}

/* Attention, norms and ends of a model with separate q, k and v. */
static void attention_tensors(struct gguf_file *file, uint32_t layers, const char *first_norm, const char *second_norm)
{
    tensor(file, "token_embd.weight", 8, 16, 0);
    tensor(file, "output_norm.weight", 8, 0, 0);
    for (uint32_t i = 0; i < layers; i++) {
        layer_tensor(file, i, "attn_q.weight", 8, 8, 0);
        layer_tensor(file, i, "attn_k.weight", 8, 4, 0);
        layer_tensor(file, i, "attn_v.weight", 8, 4, 0);
        layer_tensor(file, i, "attn_output.weight", 8, 8, 0);
        layer_tensor(file, i, first_norm, 8, 0, 0);
        layer_tensor(file, i, second_norm, 8, 0, 0);
    }
}

static void mlp_tensors(struct gguf_file *file, uint32_t layers)
{
    for (uint32_t i = 0; i < layers; i++) {
        layer_tensor(file, i, "ffn_gate.weight", 8, 6, 0);
        layer_tensor(file, i, "ffn_up.weight", 8, 6, 0);
        layer_tensor(file, i, "ffn_down.weight", 6, 8, 0);
    }
}

/* ---- families */

static void experts_are_cut_from_stacks(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct gguf_file *file = malloc(sizeof *file);
    struct slm_checkpoint checkpoint;
    import_begin(&fixture, 1);
    sizes(file, "qwen3moe", 1);
    key_u32(file, "qwen3moe", "expert_count", 3);
    key_u32(file, "qwen3moe", "expert_used_count", 2);
    key_u32(file, "qwen3moe", "expert_feed_forward_length", 5);
    attention_tensors(file, 1, "attn_norm.weight", "ffn_norm.weight");
    layer_tensor(file, 0, "attn_q_norm.weight", 4, 0, 0);
    layer_tensor(file, 0, "attn_k_norm.weight", 4, 0, 0);
    layer_tensor(file, 0, "ffn_gate_inp.weight", 8, 3, 0);
    layer_tensor(file, 0, "ffn_gate_exps.weight", 8, 5, 3);
    layer_tensor(file, 0, "ffn_up_exps.weight", 8, 5, 3);
    layer_tensor(file, 0, "ffn_down_exps.weight", 5, 8, 3);
    open_model(&fixture, file, &checkpoint);
    expect_row(&checkpoint, "layers.0.experts.2.gate_up", 1, "blk.0.ffn_gate_exps.weight", 8 * (2 * 5 + 1));
    expect_row(&checkpoint, "layers.0.experts.1.gate_up", 5 + 3, "blk.0.ffn_up_exps.weight", 8 * (5 + 3));
    expect_row(&checkpoint, "layers.0.experts.2.down", 7, "blk.0.ffn_down_exps.weight", 5 * (2 * 8 + 7));
    assert_true(find_target(&checkpoint, "layers.0.router")->full);
    assert_true(checkpoint.config.renormalize_experts && checkpoint.config.layer[0].sparse);
    slm__checkpoint_free(&checkpoint);
    free(file);
    import_end(&fixture);
}

static void rows_that_are_already_together(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct gguf_file *file = malloc(sizeof *file);
    struct slm_checkpoint checkpoint;
    import_begin(&fixture, 1);
    sizes(file, "phi3", 1);
    key_u32(file, "phi3", "rope.dimension_count", 2);
    key_u32(file, "phi3", "attention.sliding_window", 0);
    tensor(file, "token_embd.weight", 8, 16, 0);
    tensor(file, "output_norm.weight", 8, 0, 0);
    layer_tensor(file, 0, "attn_norm.weight", 8, 0, 0);
    layer_tensor(file, 0, "ffn_norm.weight", 8, 0, 0);
    layer_tensor(file, 0, "attn_qkv.weight", 8, 16, 0);
    layer_tensor(file, 0, "attn_output.weight", 8, 8, 0);
    layer_tensor(file, 0, "ffn_up.weight", 8, 12, 0);
    layer_tensor(file, 0, "ffn_down.weight", 6, 8, 0);
    open_model(&fixture, file, &checkpoint);
    expect_row(&checkpoint, "layers.0.qkv", 13, "blk.0.attn_qkv.weight", 8 * 13);
    expect_row(&checkpoint, "layers.0.gate_up", 11, "blk.0.ffn_up.weight", 8 * 11);
    assert_int_equal(checkpoint.config.rotary, 2);
    assert_false(checkpoint.config.layer[0].windowed);
    slm__checkpoint_free(&checkpoint);
    free(file);
    import_end(&fixture);
}

/* Row 2 i + j of a head in the file is row 2 j + i of the head. */
static void permuted_families(void **state)
{
    (void)state;
    static const char *const names[] = {"smollm3", "granite", "llama"};
    struct import_fixture fixture;
    struct gguf_file *file = malloc(sizeof *file);
    struct slm_checkpoint checkpoint;
    import_begin(&fixture, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sizes(file, names[i], 5);
        if (strcmp(names[i], "granite") == 0) {
            key_f32(file, "granite", "attention.scale", 0.25f);
            key_f32(file, "granite", "embedding_scale", 12.0f);
            key_f32(file, "granite", "residual_scale", 0.5f);
            key_f32(file, "granite", "logit_scale", 4.0f);
        } else if (strcmp(names[i], "llama") == 0) {
            key_u32(file, "llama", "attention.sliding_window", 16);
        }
        attention_tensors(file, 5, "attn_norm.weight", "ffn_norm.weight");
        mlp_tensors(file, 5);
        open_model(&fixture, file, &checkpoint);
        expect_row(&checkpoint, "layers.3.qkv", 4 + 1, "blk.3.attn_q.weight", 8 * (4 + 2));
        expect_row(&checkpoint, "layers.3.qkv", 8 + 2, "blk.3.attn_k.weight", 8 * 1);
        expect_row(&checkpoint, "layers.3.qkv", 12 + 2, "blk.3.attn_v.weight", 8 * 2);
        const struct slm_family_config *config = &checkpoint.config;
        assert_int_equal(config->layer[3].rope_set, i == 0 ? SLM_LAYER_UNROTATED : 0);
        assert_int_equal(config->layer[2].rope_set, 0);
        assert_true(config->attention_scale == (i == 1 ? 0.25 : 0.5) && config->logit_scale == (i == 1 ? 0.25 : 1.0));
        assert_true(config->embedding_scale == (i == 1 ? 12.0 : 1.0) && config->residual_scale == (i == 1 ? 0.5 : 1.0));
        assert_true(config->layer[4].windowed == (i == 2) && config->window == (i == 2 ? 16 : 0));
        slm__checkpoint_free(&checkpoint);
    }
    free(file);
    import_end(&fixture);
}

static void norms_behind_the_blocks(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct gguf_file *file = malloc(sizeof *file);
    struct slm_checkpoint checkpoint;
    import_begin(&fixture, 1);
    sizes(file, "olmo2", 1);
    attention_tensors(file, 1, "post_attention_norm.weight", "post_ffw_norm.weight");
    mlp_tensors(file, 1);
    layer_tensor(file, 0, "attn_q_norm.weight", 8, 0, 0);
    layer_tensor(file, 0, "attn_k_norm.weight", 4, 0, 0);
    open_model(&fixture, file, &checkpoint);
    assert_int_equal(find_target(&checkpoint, "layers.0.q_norm")->rows, 8);
    find_target(&checkpoint, "layers.0.attn_post_norm");
    find_target(&checkpoint, "layers.0.mlp_post_norm");
    slm__checkpoint_free(&checkpoint);
    free(file);
    import_end(&fixture);
}

/* ---- what is refused */

static void keys_of_other_arithmetic_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *architecture, *key;
        float value;
    } rows[] = {{"llama", "logit_scale", 2.0f},
                {"qwen2", "attention.sliding_window", 8.0f},
                {"qwen3", "attn_logit_softcapping", 30.0f},
                {"gemma", "attention.clamp_kqv", 8.0f},
                {"llama", "expert_count", 8.0f},
                {"llama", "rope.dimension_count", 2.0f},
                {"llama", "attention.value_length", 2.0f}};
    struct import_fixture fixture;
    struct gguf_file *file = malloc(sizeof *file);
    char path[256];
    import_begin(&fixture, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sizes(file, rows[i].architecture, 1);
        if (strstr(rows[i].key, "scale") != NULL || strstr(rows[i].key, "cap") != NULL || strstr(rows[i].key, "clamp") != NULL) {
            key_f32(file, rows[i].architecture, rows[i].key, rows[i].value);
        } else {
            key_u32(file, rows[i].architecture, rows[i].key, (uint32_t)rows[i].value);
        }
        attention_tensors(file, 1, "attn_norm.weight", "ffn_norm.weight");
        mlp_tensors(file, 1);
        finish(&fixture, file, path);
        assert_int_equal(import_open(&fixture, path), SLM_E_UNSUPPORTED);
        assert_non_null(strstr(fixture.error.message, "model.gguf"));
    }
    free(file);
    import_end(&fixture);
}

/* A header may not claim more experts than the file has bytes. */
static void too_many_experts_are_refused(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct gguf_file *file = malloc(sizeof *file);
    char path[256];
    import_begin(&fixture, 1);
    sizes(file, "qwen3moe", 1024);
    key_u32(file, "qwen3moe", "expert_count", 1024);
    key_u32(file, "qwen3moe", "expert_used_count", 2);
    attention_tensors(file, 1, "attn_norm.weight", "ffn_norm.weight");
    finish(&fixture, file, path);
    assert_int_equal(import_open(&fixture, path), SLM_E_TRUNCATED);
    assert_non_null(strstr(fixture.error.message, "1024 experts"));
    free(file);
    import_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(experts_are_cut_from_stacks),
        cmocka_unit_test(rows_that_are_already_together),
        cmocka_unit_test(permuted_families),
        cmocka_unit_test(norms_behind_the_blocks),
        cmocka_unit_test(keys_of_other_arithmetic_are_refused),
        cmocka_unit_test(too_many_experts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
