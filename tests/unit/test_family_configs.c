/* SPDX-License-Identifier: MIT */
/* Configurations of each family: what an absent key means, which layers have a window or rotate, what is refused; then what conversion
 * makes of whole checkpoints: norms, stacked and fused rows, experts, the text part of a model that sees. */
#define _GNU_SOURCE
#include "tests/unit/import_fixture.h"

#include "base/json.h"               /* slm__json_parse */
#include "format/format_layout.h"    /* SLM_TENSOR_VECTOR */
#include "format/weight_file.h"      /* slm__weight_file_open */
#include "import/inspect.h"          /* slm__inspect_checkpoint */
#include "import/random_model.h"     /* slm__random_model_build */
#include "import/rope_frequencies.h" /* slm__rope_frequencies */

#include <math.h>

#define SIZES "\"hidden_size\": 96, \"intermediate_size\": 64, \"num_attention_heads\": 4, \"num_hidden_layers\": 6, \"vocab_size\": 320"

static slm_status read_text(struct import_fixture *fixture, const char *text, struct slm_family_config *config)
{
    struct slm_arena tree;
    const struct slm_json *root = NULL;
    fixture->error.message[0] = 0;
    slm__arena_init(&tree, &fixture->memory, 1 << 20);
    if (slm__json_parse(&tree, slm__span_text(text), &root, &fixture->error) != SLM_OK) {
        fail_msg("%s: %s", text, fixture->error.message);
    }
    const slm_status status = slm__hf_config_read(root, config, &fixture->log, &fixture->error);
    slm__arena_free(&tree);
    return status;
}

/* The smallest config.json of a family, and `more` keys. */
static slm_status read_config(struct import_fixture *fixture, const char *model_type, const char *more, struct slm_family_config *config)
{
    char text[2048];
    snprintf(text, sizeof text, "{\"model_type\": \"%s\", " SIZES "%s%s}", model_type, *more != 0 ? ", " : "", more);
    return read_text(fixture, text, config);
}

static void good_config(struct import_fixture *fixture, const char *model_type, const char *more, struct slm_family_config *config)
{
    if (read_config(fixture, model_type, more, config) != SLM_OK) {
        fail_msg("%s %s: %s", model_type, more, fixture->error.message);
    }
}

/* ---- absent keys */

static void absent_keys_have_each_family_s_defaults(void **state)
{
    (void)state;
    static const struct {
        const char *model_type, *more;
        uint32_t kv_heads, head_dim, window;
        double eps, theta;
        bool tied;
    } rows[] = {
        {"llama", "", 4, 24, 0, 1e-6, 1e4, false},
        {"qwen2", "\"num_key_value_heads\": 4", 4, 24, 0, 1e-6, 1e4, false},
        {"qwen3", "\"num_key_value_heads\": 4", 4, 128, 0, 1e-6, 1e4, false},
        {"qwen3_moe", "", 4, 24, 0, 1e-6, 1e4, false},
        {"mistral", "\"num_key_value_heads\": 2", 2, 24, 4096, 1e-6, 1e4, false},
        {"ministral", "\"num_key_value_heads\": 2", 2, 24, 4096, 1e-6, 1e4, false},
        {"smollm3", "", 4, 24, 0, 1e-6, 2e6, true},
        {"phi", "", 4, 24, 0, 1e-5, 1e4, false},
        {"phi3", "", 4, 24, 0, 1e-5, 1e4, false},
        {"gemma", "\"num_key_value_heads\": 1", 1, 256, 0, 1e-6, 1e4, true},
        {"gemma2", "", 4, 256, 4096, 1e-6, 1e4, true},
        {"gemma3_text", "", 4, 256, 4096, 1e-6, 1e6, true},
        {"olmo2", "", 4, 24, 0, 1e-5, 1e4, false},
        {"granite", "", 4, 24, 0, 1e-6, 1e4, false},
    };
    struct import_fixture fixture;
    struct slm_family_config config;
    import_begin(&fixture, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        good_config(&fixture, rows[i].model_type, rows[i].more, &config);
        if (config.kv_heads != rows[i].kv_heads || config.head_dim != rows[i].head_dim || config.window != rows[i].window ||
            config.eps != rows[i].eps || config.rope[0].theta != rows[i].theta ||
            ((config.traits & SLM_TRAIT_UNTIED) == 0) != rows[i].tied) {
            fail_msg("%s: kv_heads %u, head_dim %u, window %u, eps %g, theta %g, traits %x", rows[i].model_type, config.kv_heads,
                     config.head_dim, config.window, config.eps, config.rope[0].theta, config.traits);
        }
    }
    good_config(&fixture, "gemma2", "", &config);
    assert_true(config.attention_softcap == 50.0 && config.final_softcap == 30.0 && config.attention_scale == 1.0 / 16.0);
    assert_true(config.embedding_scale == sqrt(96.0) && config.activation == SLM_ACTIVATION_KIND_GELU_TANH);
    good_config(&fixture, "gemma2", "\"attn_logit_softcapping\": null, \"final_logit_softcapping\": null", &config);
    assert_true(config.attention_softcap == 0.0 && config.final_softcap == 0.0);
    good_config(&fixture, "gemma3_text", "\"attn_logit_softcapping\": 2.0, \"final_logit_softcapping\": 3.0", &config);
    assert_true(config.attention_softcap == 0.0 && config.final_softcap == 3.0);
    good_config(&fixture, "granite", "\"logits_scaling\": 8, \"residual_multiplier\": 0.5", &config);
    assert_true(config.logit_scale == 0.125 && config.residual_scale == 0.5 && config.attention_scale == 1.0);
    good_config(&fixture, "phi", "", &config);
    assert_int_equal(config.rotary, 12);
    import_end(&fixture);
}

/* ---- layers */

/* One letter for each layer: w has a window, l has one and rotates by the local set, g by the global one, n does not rotate (N: and has
 * a window), e has experts, . is plain. */
static void layers_of(const struct slm_family_config *config, char text[SLM_CONFIG_LAYERS + 1])
{
    for (uint32_t i = 0; i < config->layers; i++) {
        const struct slm_layer_config *layer = &config->layer[i];
        text[i] = layer->rope_set == SLM_LAYER_UNROTATED ? (layer->windowed ? 'N' : 'n')
                  : layer->sparse                        ? 'e'
                  : config->rope_sets == 2               ? (layer->rope_set == 1 ? 'l' : 'g')
                  : layer->windowed                      ? 'w'
                                                         : '.';
    }
    text[config->layers] = 0;
}

#define TYPES                                                                                                                 \
  "\"layer_types\": [\"full_attention\", \"sliding_attention\", \"full_attention\", \"full_attention\", \"full_attention\", " \
  "\"sliding_attention\"]"

static void windows_and_rotation_of_each_layer(void **state)
{
    (void)state;
    static const struct {
        const char *model_type, *more, *layers;
    } rows[] = {
        {"llama", "\"sliding_window\": 8", "......"},
        {"mistral", "\"num_key_value_heads\": 4, \"sliding_window\": 8", "wwwwww"},
        {"mistral", "\"num_key_value_heads\": 4, \"sliding_window\": null", "......"},
        {"mistral", "\"num_key_value_heads\": 4, \"sliding_window\": 8, " TYPES, ".w...w"},
        {"ministral", "\"num_key_value_heads\": 4, \"sliding_window\": 8, " TYPES, ".w...w"},
        {"phi3", "\"sliding_window\": 8", "wwwwww"},
        {"phi3", "\"sliding_window\": 8, " TYPES, "wwwwww"},
        {"qwen2", "\"num_key_value_heads\": 4, \"sliding_window\": 8, \"use_sliding_window\": false, \"max_window_layers\": 0", "......"},
        {"qwen2", "\"num_key_value_heads\": 4, \"sliding_window\": 8, \"use_sliding_window\": true, \"max_window_layers\": 4", "....ww"},
        {"qwen2", "\"num_key_value_heads\": 4, \"sliding_window\": 8, \"use_sliding_window\": true", "......"},
        {"qwen3", "\"num_key_value_heads\": 4, \"sliding_window\": 8, \"use_sliding_window\": true, " TYPES, ".w...w"},
        {"gemma2", "\"sliding_window\": 8", "w.w.w."},
        {"gemma2", "\"sliding_window\": 8, " TYPES, ".w...w"},
        {"gemma3_text", "\"sliding_window\": 8", "lllllg"},
        {"gemma3_text", "\"sliding_window\": 8, \"_sliding_window_pattern\": 3", "llgllg"},
        {"gemma3_text", "\"sliding_window\": 8, \"sliding_window_pattern\": 2, \"_sliding_window_pattern\": 3", "lglglg"},
        {"gemma3_text", "\"sliding_window\": 8, " TYPES, "glgggl"},
        {"smollm3", "", "...n.."},
        {"smollm3", "\"no_rope_layers\": [1, 0, 0, 1, 1, 1]", ".nn..."},
        {"smollm3", "\"no_rope_layer_interval\": 3, \"sliding_window\": 8, \"use_sliding_window\": true", "..N..N"},
        {"qwen3_moe", "", "eeeeee"},
        {"qwen3_moe", "\"decoder_sparse_step\": 2", ".e.e.e"},
        {"qwen3_moe", "\"mlp_only_layers\": [0, 5]", ".eeee."},
    };
    struct import_fixture fixture;
    struct slm_family_config config;
    import_begin(&fixture, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char got[SLM_CONFIG_LAYERS + 1];
        good_config(&fixture, rows[i].model_type, rows[i].more, &config);
        layers_of(&config, got);
        if (strcmp(got, rows[i].layers) != 0) {
            fail_msg("%s %s: %s, expected %s", rows[i].model_type, rows[i].more, got, rows[i].layers);
        }
    }
    assert_int_equal(fixture.warnings, 1); /* phi3: layer_types is ignored, as in transformers */
    import_end(&fixture);
}

/* ---- rotation */

#define FACTORS "\"short_factor\": [1, 2, 4], \"long_factor\": [1, 10, 100]"

static void longrope_and_two_sets(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct slm_family_config config;
    float frequencies[SLM_ROPE_FREQUENCIES];
    import_begin(&fixture, 1);
    good_config(&fixture, "phi3",
                "\"partial_rotary_factor\": 0.25, \"max_position_embeddings\": 4096, \"original_max_position_embeddings\": 64, "
                "\"rope_scaling\": {\"type\": \"su\", \"original_max_position_embeddings\": 128, " FACTORS "}",
                &config);
    assert_int_equal(config.rotary, 6);
    assert_int_equal(config.rope[0].switch_length, 64); /* the one at the top counts */
    assert_true(fabs(config.rope[0].attention_factor - sqrt(1.0 + log(64.0) / log(64.0))) < 1e-12);
    slm__rope_frequencies(&config.rope[0], 6, false, frequencies);
    assert_true(fabs((double)frequencies[2] - pow(10000.0, -4.0 / 6.0) / 4.0) < 1e-9);
    slm__rope_frequencies(&config.rope[0], 6, true, frequencies);
    assert_true(fabs((double)frequencies[2] - pow(10000.0, -4.0 / 6.0) / 100.0) < 1e-9);
    good_config(&fixture, "phi3",
                "\"partial_rotary_factor\": 0.25, \"rope_parameters\": {\"rope_type\": \"longrope\", \"rope_theta\": 500.0, "
                "\"attention_factor\": 1.5, \"original_max_position_embeddings\": 128, " FACTORS "}",
                &config);
    assert_int_equal(config.rope[0].switch_length, 128);
    assert_true(config.rope[0].attention_factor == 1.5 && config.rope[0].theta == 500.0);
    good_config(&fixture, "gemma3_text",
                "\"rope_theta\": 5e5, \"rope_local_base_freq\": 300, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 8}", &config);
    assert_true(config.rope[0].theta == 5e5 && config.rope[0].kind == SLM_ROPE_LINEAR);
    assert_true(config.rope[1].theta == 300.0 && config.rope[1].kind == SLM_ROPE_DEFAULT);
    good_config(&fixture, "gemma3_text",
                "\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"linear\", \"factor\": 8, \"rope_theta\": 7e5}, "
                "\"sliding_attention\": {\"rope_type\": \"default\", \"rope_theta\": 900}}",
                &config);
    assert_true(config.rope[0].theta == 7e5 && config.rope[0].factor == 8.0);
    assert_true(config.rope[1].theta == 900.0 && config.rope[1].kind == SLM_ROPE_DEFAULT);
    good_config(
        &fixture, "ministral3",
        "\"num_key_value_heads\": 1, \"rope_parameters\": {\"rope_type\": \"yarn\", \"type\": \"yarn\", \"factor\": 16.0, \"mscale\": 1.0, "
        "\"mscale_all_dim\": 1.0, \"original_max_position_embeddings\": 64, \"llama_4_scaling_beta\": 0.1, \"rope_theta\": 1e6}",
        &config);
    assert_true(config.query_beta == 0.1 && config.rope[0].attention_factor == 1.0);
    assert_int_equal(config.query_length, 64);
    import_end(&fixture);
}

/* ---- what is refused */

static void refusals_name_key_and_value(void **state)
{
    (void)state;
    static const struct {
        const char *model_type, *more;
        slm_status status;
        const char *named[2];
    } rows[] = {
        {"mamba", "", SLM_E_UNSUPPORTED, {"model_type", "mamba"}},
        {"gemma3_text", "\"use_bidirectional_attention\": true", SLM_E_UNSUPPORTED, {"use_bidirectional_attention", "true"}},
        {"gemma2", "\"hidden_activation\": \"relu\"", SLM_E_UNSUPPORTED, {"hidden_activation", "relu"}},
        {"phi", "\"qk_layernorm\": true", SLM_E_UNSUPPORTED, {"qk_layernorm", "true"}},
        {"phi", "\"hidden_act\": \"gelu_fast\"", SLM_E_UNSUPPORTED, {"hidden_act", "gelu_fast"}},
        {"phi", "\"partial_rotary_factor\": 0.125", SLM_E_BAD_VALUE, {"partial_rotary_factor", "3"}},
        {"phi", "\"partial_rotary_factor\": 1.5", SLM_E_BAD_VALUE, {"partial_rotary_factor", "1"}},
        {"llama", "\"partial_rotary_factor\": 0.5", SLM_E_UNSUPPORTED, {"partial_rotary_factor", "llama"}},
        {"llama", "\"rope_scaling\": {\"type\": \"su\", " FACTORS "}", SLM_E_UNSUPPORTED, {"rope_type", "su"}},
        {"llama", "\"rope_parameters\": {\"full_attention\": {}}", SLM_E_UNSUPPORTED, {"rope_parameters", "llama"}},
        {"gemma3_text", "\"rope_parameters\": {\"rope_theta\": 5}", SLM_E_UNSUPPORTED, {"rope_parameters", "full_attention"}},
        {"phi3", "\"rope_scaling\": {\"type\": \"longrope\", " FACTORS "}", SLM_E_BAD_VALUE, {"short_factor", "12"}},
        {"phi3",
         "\"rope_scaling\": {\"type\": \"longrope\", \"long_mscale\": 1, " FACTORS "}",
         SLM_E_UNSUPPORTED,
         {"long_mscale", "longrope"}},
        {"ministral", "\"num_key_value_heads\": 1, \"layer_types\": [\"full_attention\"]", SLM_E_BAD_VALUE, {"layer_types", "6"}},
        {"gemma2", "\"layer_types\": [1, 2, 3, 4, 5, 6]", SLM_E_UNSUPPORTED, {"layer_types", "no text"}},
        {"gemma2", "\"layer_types\": [\"chunked_attention\", \"\", \"\", \"\", \"\", \"\"]", SLM_E_UNSUPPORTED, {"layer_types", "chunked"}},
        {"gemma2", "\"query_pre_attn_scalar\": 0", SLM_E_BAD_VALUE, {"query_pre_attn_scalar", "0"}},
        {"gemma2", "\"attn_logit_softcapping\": -1", SLM_E_BAD_VALUE, {"attn_logit_softcapping", "-1"}},
        {"granite", "\"logits_scaling\": 0", SLM_E_BAD_VALUE, {"logits_scaling", "0"}},
        {"smollm3", "\"no_rope_layers\": [1, 1]", SLM_E_BAD_VALUE, {"no_rope_layers", "6"}},
        {"smollm3", "\"no_rope_layers\": [1, 1, 2, 1, 1, 1]", SLM_E_BAD_VALUE, {"no_rope_layers", "1"}},
        {"qwen3_moe", "\"num_experts\": 4", SLM_E_BAD_VALUE, {"num_experts_per_tok", "4"}},
        {"qwen3_moe", "\"num_experts\": 100000", SLM_E_BAD_VALUE, {"num_experts", "100000"}},
        {"ministral3", "\"num_key_value_heads\": 1", SLM_E_BAD_VALUE, {"llama_4_scaling_beta", "missing"}},
        {"mistral", "", SLM_E_BAD_VALUE, {"num_key_value_heads", "8"}},
        {"phi3", "\"sliding_window\": 0", SLM_E_BAD_VALUE, {"sliding_window", "0"}},
        {"olmo2", "\"architectures\": [\"Olmo3ForCausalLM\"]", SLM_E_UNSUPPORTED, {"architectures", "Olmo3ForCausalLM"}},
        {"gemma3", "", SLM_E_BAD_VALUE, {"text_config", "missing"}},
    };
    struct import_fixture fixture;
    struct slm_family_config config;
    import_begin(&fixture, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const slm_status status = read_config(&fixture, rows[i].model_type, rows[i].more, &config);
        if (status != rows[i].status || strstr(fixture.error.message, rows[i].named[0]) == NULL ||
            strstr(fixture.error.message, rows[i].named[1]) == NULL) {
            fail_msg("%s %s: status %d, message \"%s\"", rows[i].model_type, rows[i].more, status, fixture.error.message);
        }
    }
    import_end(&fixture);
}

/* ---- composites */

static void text_models_inside_others(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct slm_family_config config;
    import_begin(&fixture, 1);
    assert_int_equal(
        read_text(&fixture,
                  "{\"architectures\": [\"Gemma3ForConditionalGeneration\"], \"model_type\": \"gemma3\", \"eos_token_id\": [1, 106], "
                  "\"text_config\": {\"hidden_size\": 64, \"intermediate_size\": 64, \"num_hidden_layers\": 6, "
                  "\"eos_token_id\": 1, \"bos_token_id\": 2, \"final_logit_softcapping\": 5.0}}",
                  &config),
        SLM_OK);
    assert_string_equal(config.family->name, "gemma3");
    assert_true(config.composite && config.heads == 8 && config.vocab == 262208 && config.final_softcap == 0.0);
    assert_true(config.eos_count == 2 && config.bos == 2);
    assert_int_equal(
        read_text(&fixture,
                  "{\"model_type\": \"mistral3\", \"text_config\": {\"model_type\": \"mistral\", \"num_key_value_heads\": 2, " SIZES "}}",
                  &config),
        SLM_OK);
    assert_string_equal(config.family->name, "mistral");
    assert_false(config.tie_stated);
    assert_int_equal(
        read_text(&fixture, "{\"model_type\": \"mistral3\", \"text_config\": {\"model_type\": \"other\", " SIZES "}}", &config),
        SLM_E_UNSUPPORTED);
    assert_non_null(strstr(fixture.error.message, "other"));
    import_end(&fixture);
}

/* ---- whole checkpoints */

/* A golden model, converted and opened; the caller gives `data` back. false: not there. */
static bool convert_golden(struct import_fixture *fixture, const char *folder, enum slm_weight_type type, struct slm_span *data,
                           struct slm_weight_file *file)
{
    char source[1024], path[256];
    snprintf(source, sizeof source, "%s/models/%s/config.json", golden_root(), folder);
    if (!slm__file_exists(source)) {
        print_message("skipped: there is no %s\n", source);
        return false;
    }
    snprintf(source, sizeof source, "%s/models/%s", golden_root(), folder);
    if (import_convert(fixture, source, import_path(fixture, "out.slm", path), type) != SLM_OK) {
        fail_msg("%s: %s", folder, fixture->error.message);
    }
    assert_int_equal(slm__file_load(path, &fixture->memory, UINT64_MAX, data, &fixture->error), SLM_OK);
    assert_int_equal(slm__weight_file_open(file, data->data, data->length, &fixture->error), SLM_OK);
    return true;
}

static void expect_tensor(const struct slm_weight_file *file, const char *name, uint32_t rows, uint32_t cols, enum slm_weight_type type)
{
    struct slm_tensor tensor;
    if (!slm__weight_file_find(file, name, &tensor)) {
        fail_msg("there is no tensor %s", name);
    }
    if (tensor.rows != rows || tensor.cols != cols || tensor.type != type) {
        fail_msg("%s is %u x %u of type %d", name, tensor.rows, tensor.cols, (int)tensor.type);
    }
}

static void expect_layers(const struct slm_weight_file *file, const char *key, uint32_t count, uint32_t first, uint32_t last)
{
    struct slm_span bytes;
    uint32_t got = 0;
    assert_true(slm__meta_u32s(file, key, &bytes, &got));
    assert_int_equal(got, count);
    assert_int_equal(bytes.data[0], first);
    assert_int_equal(bytes.data[4 * (size_t)(count - 1)], last);
}

static void converted_tensors_and_traits(void **state)
{
    (void)state;
    struct import_fixture fixture;
    struct slm_weight_file file;
    struct slm_span data;
    struct slm_tensor tensor;
    double number = 0.0;
    uint64_t whole = 0;
    import_begin(&fixture, 1);
    if (convert_golden(&fixture, "qwen3-moe", SLM_WEIGHT_I8, &data, &file)) {
        expect_tensor(&file, "layers.2.router", 8, 64, SLM_WEIGHT_F32);
        expect_tensor(&file, "layers.2.experts.7.gate_up", 64, 64, SLM_WEIGHT_I8);
        expect_tensor(&file, "layers.2.experts.7.down", 64, 32, SLM_WEIGHT_I8);
        assert_false(slm__weight_file_find(&file, "layers.0.gate_up", &tensor));
        expect_layers(&file, "layer.experts", 1, 8, 8);
        expect_layers(&file, "layer.ffn_size", 1, 32, 32);
        assert_true(slm__meta_u64(&file, "model.renormalize_experts", &whole) && whole == 1);
        slm__release(&fixture.memory, (void *)(uintptr_t)data.data, data.length);
    }
    if (convert_golden(&fixture, "phi2", SLM_WEIGHT_F16, &data, &file)) {
        expect_tensor(&file, "layers.3.gate_up", 256, 64, SLM_WEIGHT_F16);
        expect_tensor(&file, "head_bias", 352, 1, SLM_WEIGHT_F32);
        expect_tensor(&file, "final_norm_bias", 64, 1, SLM_WEIGHT_F32);
        expect_tensor(&file, "rope.0.inv_freq", 4, 1, SLM_WEIGHT_F32);
        assert_false(slm__weight_file_find(&file, "layers.0.mlp_norm", &tensor));
        assert_true(slm__meta_u64(&file, "model.gated", &whole) && whole == 0);
        slm__release(&fixture.memory, (void *)(uintptr_t)data.data, data.length);
    }
    if (convert_golden(&fixture, "phi4-mini", SLM_WEIGHT_I4, &data, &file)) {
        expect_tensor(&file, "layers.0.qkv", 160, 96, SLM_WEIGHT_I4);
        expect_tensor(&file, "layers.0.gate_up", 384, 96, SLM_WEIGHT_I4);
        expect_tensor(&file, "rope.0.inv_freq_long", 6, 1, SLM_WEIGHT_F32);
        assert_true(slm__meta_u64(&file, "rope.0.switch_length", &whole) && whole == 64);
        slm__release(&fixture.memory, (void *)(uintptr_t)data.data, data.length);
    }
    if (convert_golden(&fixture, "gemma3-text", SLM_WEIGHT_F32, &data, &file)) {
        expect_layers(&file, "layer.window", 7, 16, 16);
        expect_layers(&file, "layer.rope_set", 7, 1, 1);
        assert_true(slm__meta_f64(&file, "model.embedding_scale", &number) && number == 8.0);
        assert_true(slm__weight_file_find(&file, "layers.0.mlp_post_norm", &tensor));
        const float *norm = (const float *)(const void *)tensor.data;
        assert_true(norm[0] > 0.6f && norm[0] < 1.4f); /* stored less 1: within 0.3 of zero */
        slm__release(&fixture.memory, (void *)(uintptr_t)data.data, data.length);
    }
    if (convert_golden(&fixture, "olmo2", SLM_WEIGHT_BF16, &data, &file)) {
        expect_tensor(&file, "layers.0.q_norm", 80, 1, SLM_WEIGHT_F32);
        expect_tensor(&file, "layers.0.attn_post_norm", 80, 1, SLM_WEIGHT_F32);
        assert_false(slm__weight_file_find(&file, "layers.0.attn_norm", &tensor));
        slm__release(&fixture.memory, (void *)(uintptr_t)data.data, data.length);
    }
    import_end(&fixture);
}

static void random_models_of_all_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *config, *tensor;
        uint32_t rows;
    } rows[] = {
        {"{\"model_type\": \"gemma3_text\", " SIZES ", \"sliding_window\": 8}", "rope.1.inv_freq", 128},
        {"{\"model_type\": \"phi3\", " SIZES ", \"partial_rotary_factor\": 0.25, \"rope_scaling\": {\"type\": \"longrope\", " FACTORS "}}",
         "rope.0.inv_freq_long", 3},
        {"{\"model_type\": \"qwen3_moe\", " SIZES ", \"num_experts\": 5, \"num_experts_per_tok\": 2, \"moe_intermediate_size\": 24}",
         "layers.5.experts.4.gate_up", 48},
        {"{\"model_type\": \"phi\", " SIZES "}", "head_bias", 320},
        {"{\"model_type\": \"olmo2\", " SIZES "}", "layers.5.q_norm", 96},
    };
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct slm_weight_types types = {SLM_WEIGHT_I4, SLM_WEIGHT_I8};
        struct slm_weight_file file;
        struct slm_tensor tensor;
        struct slm_span image;
        if (slm__random_model_build(&fixture.context, slm__span_text(rows[i].config), &types, 3, &image, &fixture.error) != SLM_OK) {
            fail_msg("%s: %s", rows[i].config, fixture.error.message);
        }
        assert_int_equal(slm__weight_file_open(&file, image.data, image.length, &fixture.error), SLM_OK);
        assert_int_equal(slm__weight_file_verify(&file, NULL, NULL, &fixture.error), SLM_OK);
        assert_true(slm__weight_file_find(&file, rows[i].tensor, &tensor));
        assert_int_equal(tensor.rows, rows[i].rows);
        slm__release(&fixture.memory, (void *)(uintptr_t)image.data, image.length);
    }
    import_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_keys_have_each_family_s_defaults),
        cmocka_unit_test(windows_and_rotation_of_each_layer),
        cmocka_unit_test(longrope_and_two_sets),
        cmocka_unit_test(refusals_name_key_and_value),
        cmocka_unit_test(text_models_inside_others),
        cmocka_unit_test(converted_tensors_and_traits),
        cmocka_unit_test(random_models_of_all_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
