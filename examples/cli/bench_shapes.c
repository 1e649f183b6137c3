/* SPDX-License-Identifier: MIT */
/* The shapes as the models' published config.json files state them (see bench_shapes.h). */
#include "examples/cli/bench_shapes.h" /* struct bench_shape */

#include "examples/cli/cli_options.h" /* cli_closest_name */

#include <string.h>

static const char plain[] = "";
static const char llama3_scaling[] = ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":32.0,\"low_freq_factor\":1.0,"
                                     "\"high_freq_factor\":4.0,\"original_max_position_embeddings\":8192}";
static const char llama31_scaling[] = ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0,\"low_freq_factor\":1.0,"
                                      "\"high_freq_factor\":4.0,\"original_max_position_embeddings\":8192}";
static const char phi4_mini[] = ",\"partial_rotary_factor\":0.75,\"original_max_position_embeddings\":4096";
static const char gemma3[] = ",\"hidden_activation\":\"gelu_pytorch_tanh\",\"query_pre_attn_scalar\":256,\"sliding_window\":512,"
                             "\"sliding_window_pattern\":6,\"rope_local_base_freq\":10000.0";

static const struct bench_shape shapes[] = {
    {"smollm2-135m", "llama", "LlamaForCausalLM", 30, 576, 9, 3, 64, 1536, 49152, 1, 100000, 1e-5, 8192, plain},
    {"smollm2-360m", "llama", "LlamaForCausalLM", 32, 960, 15, 5, 64, 2560, 49152, 1, 100000, 1e-5, 8192, plain},
    {"qwen2.5-0.5b", "qwen2", "Qwen2ForCausalLM", 24, 896, 14, 2, 64, 4864, 151936, 1, 1000000, 1e-6, 32768, plain},
    {"qwen2.5-1.5b", "qwen2", "Qwen2ForCausalLM", 28, 1536, 12, 2, 128, 8960, 151936, 1, 1000000, 1e-6, 32768, plain},
    {"llama3.2-1b", "llama", "LlamaForCausalLM", 16, 2048, 32, 8, 64, 8192, 128256, 1, 500000, 1e-5, 131072, llama3_scaling},
    {"llama3.2-3b", "llama", "LlamaForCausalLM", 28, 3072, 24, 8, 128, 8192, 128256, 1, 500000, 1e-5, 131072, llama3_scaling},
    {"phi4-mini", "phi3", "Phi3ForCausalLM", 32, 3072, 24, 8, 128, 8192, 200064, 1, 10000, 1e-5, 131072, phi4_mini},
    {"gemma3-1b", "gemma3_text", "Gemma3ForCausalLM", 26, 1152, 4, 1, 256, 6912, 262144, 1, 1000000, 1e-6, 32768, gemma3},
    {"llama3.1-8b", "llama", "LlamaForCausalLM", 32, 4096, 32, 8, 128, 14336, 128256, 0, 500000, 1e-5, 131072, llama31_scaling},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

const struct bench_shape *bench_shape_find(const char *name)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if (strcmp(shapes[i].name, name) == 0) {
            return &shapes[i];
        }
    }
    return NULL;
}

const char *bench_shape_closest(const char *name)
{
    const char *names[SHAPES];
    for (size_t i = 0; i < SHAPES; i++) {
        names[i] = shapes[i].name;
    }
    return cli_closest_name(name, names, SHAPES);
}

void bench_shape_list(struct cli_text *text)
{
    for (size_t i = 0; i < SHAPES; i++) {
        cli_text_format(text, "%s%s", i > 0 ? " " : "", shapes[i].name);
    }
}

void bench_shape_config(const struct bench_shape *shape, uint32_t context, struct cli_text *config)
{
    cli_text_format(config, "{\"architectures\":[\"%s\"],\"model_type\":\"%s\",\"num_hidden_layers\":%u,\"hidden_size\":%u,",
                    shape->class_name, shape->model_type, shape->layers, shape->hidden);
    cli_text_format(config, "\"num_attention_heads\":%u,\"num_key_value_heads\":%u,\"head_dim\":%u,\"intermediate_size\":%u,", shape->heads,
                    shape->kv_heads, shape->head_dim, shape->intermediate);
    cli_text_format(config, "\"vocab_size\":%u,\"tie_word_embeddings\":%s,\"rope_theta\":%.1f,\"rms_norm_eps\":%g,", shape->vocab,
                    shape->tied ? "true" : "false", shape->rope_theta, shape->eps);
    cli_text_format(config, "\"max_position_embeddings\":%u,\"hidden_act\":\"%s\",\"torch_dtype\":\"bfloat16\"%s}",
                    context > shape->max_context ? context : shape->max_context,
                    strcmp(shape->model_type, "gemma3_text") == 0 ? "gelu_pytorch_tanh" : "silu", shape->more);
}
