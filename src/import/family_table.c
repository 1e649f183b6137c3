/* SPDX-License-Identifier: MIT */
/* The rows of the family table. A new family is a new row here, and new rules where its tensors have other names. */
#include "import/family_table.h"

#define HF_LAYER "model.layers.%u."
#define GGUF_LAYER "blk.%u."

/* clang-format off */
static const struct slm_tensor_rule llama_rules[] = {
    {"embed", SLM_EXTENT_HIDDEN, 0, 1, {{"model.embed_tokens.weight", "token_embd.weight", SLM_EXTENT_VOCAB, SLM_ROWS_PLAIN}}},
    {"head", SLM_EXTENT_HIDDEN, SLM_TRAIT_UNTIED, 1, {{"lm_head.weight", "output.weight", SLM_EXTENT_VOCAB, SLM_ROWS_PLAIN}}},
    {"final_norm", SLM_EXTENT_ONE, 0, 0, {{"model.norm.weight", "output_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}},
    {"layers.%u.attn_norm", SLM_EXTENT_ONE, 0, 0,
     {{HF_LAYER "input_layernorm.weight", GGUF_LAYER "attn_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}},
    {"layers.%u.qkv", SLM_EXTENT_HIDDEN, 0, 0,
     {{HF_LAYER "self_attn.q_proj.weight", GGUF_LAYER "attn_q.weight", SLM_EXTENT_QUERY, SLM_ROWS_ROTARY},
      {HF_LAYER "self_attn.k_proj.weight", GGUF_LAYER "attn_k.weight", SLM_EXTENT_KEY, SLM_ROWS_ROTARY},
      {HF_LAYER "self_attn.v_proj.weight", GGUF_LAYER "attn_v.weight", SLM_EXTENT_KEY, SLM_ROWS_PLAIN}}},
    {"layers.%u.qkv_bias", SLM_EXTENT_ONE, SLM_TRAIT_QKV_BIAS, 0,
     {{HF_LAYER "self_attn.q_proj.bias", GGUF_LAYER "attn_q.bias", SLM_EXTENT_QUERY, SLM_ROWS_ROTARY},
      {HF_LAYER "self_attn.k_proj.bias", GGUF_LAYER "attn_k.bias", SLM_EXTENT_KEY, SLM_ROWS_ROTARY},
      {HF_LAYER "self_attn.v_proj.bias", GGUF_LAYER "attn_v.bias", SLM_EXTENT_KEY, SLM_ROWS_PLAIN}}},
    {"layers.%u.q_norm", SLM_EXTENT_ONE, SLM_TRAIT_QK_NORM, 0,
     {{HF_LAYER "self_attn.q_norm.weight", GGUF_LAYER "attn_q_norm.weight", SLM_EXTENT_HEAD_DIM, SLM_ROWS_PLAIN}}},
    {"layers.%u.k_norm", SLM_EXTENT_ONE, SLM_TRAIT_QK_NORM, 0,
     {{HF_LAYER "self_attn.k_norm.weight", GGUF_LAYER "attn_k_norm.weight", SLM_EXTENT_HEAD_DIM, SLM_ROWS_PLAIN}}},
    {"layers.%u.attn_out", SLM_EXTENT_QUERY, 0, 0,
     {{HF_LAYER "self_attn.o_proj.weight", GGUF_LAYER "attn_output.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}},
    {"layers.%u.attn_out_bias", SLM_EXTENT_ONE, SLM_TRAIT_OUT_BIAS, 0,
     {{HF_LAYER "self_attn.o_proj.bias", GGUF_LAYER "attn_output.bias", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}},
    {"layers.%u.mlp_norm", SLM_EXTENT_ONE, 0, 0,
     {{HF_LAYER "post_attention_layernorm.weight", GGUF_LAYER "ffn_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}},
    {"layers.%u.gate_up", SLM_EXTENT_HIDDEN, 0, 0,
     {{HF_LAYER "mlp.gate_proj.weight", GGUF_LAYER "ffn_gate.weight", SLM_EXTENT_FFN, SLM_ROWS_PLAIN},
      {HF_LAYER "mlp.up_proj.weight", GGUF_LAYER "ffn_up.weight", SLM_EXTENT_FFN, SLM_ROWS_PLAIN}}},
    {"layers.%u.gate_up_bias", SLM_EXTENT_ONE, SLM_TRAIT_MLP_BIAS, 0,
     {{HF_LAYER "mlp.gate_proj.bias", GGUF_LAYER "ffn_gate.bias", SLM_EXTENT_FFN, SLM_ROWS_PLAIN},
      {HF_LAYER "mlp.up_proj.bias", GGUF_LAYER "ffn_up.bias", SLM_EXTENT_FFN, SLM_ROWS_PLAIN}}},
    {"layers.%u.down", SLM_EXTENT_FFN, 0, 0,
     {{HF_LAYER "mlp.down_proj.weight", GGUF_LAYER "ffn_down.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}},
    {"layers.%u.down_bias", SLM_EXTENT_ONE, SLM_TRAIT_MLP_BIAS, 0,
     {{HF_LAYER "mlp.down_proj.bias", GGUF_LAYER "ffn_down.bias", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}},
};
/* clang-format on */

enum { LLAMA_RULES = sizeof llama_rules / sizeof llama_rules[0] };

static const struct slm_family families[] = {
    {.name = "llama",
     .model_type = "llama",
     .architecture = "LlamaForCausalLM",
     .gguf = "llama",
     .flags = SLM_FAMILY_GGUF_PAIRS | SLM_FAMILY_GGUF_FREE_BIASES | SLM_FAMILY_BIAS_KEYS | SLM_FAMILY_MLP_BIAS_KEY |
              SLM_FAMILY_GGUF_DIVISORS,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "qwen2",
     .model_type = "qwen2",
     .architecture = "Qwen2ForCausalLM",
     .gguf = "qwen2",
     .flags = SLM_FAMILY_WINDOW_SWITCH,
     .traits = SLM_TRAIT_QKV_BIAS,
     .default_kv_heads = 32,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "qwen3",
     .model_type = "qwen3",
     .architecture = "Qwen3ForCausalLM",
     .gguf = "qwen3",
     .flags = SLM_FAMILY_WINDOW_SWITCH | SLM_FAMILY_BIAS_KEYS,
     .traits = SLM_TRAIT_QK_NORM,
     .default_head_dim = 128,
     .default_kv_heads = 32,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
};

enum { FAMILIES = sizeof families / sizeof families[0] };

const struct slm_family *slm__family_of_model_type(struct slm_span model_type)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        if (slm__span_is(model_type, families[i].model_type)) {
            return &families[i];
        }
    }
    return NULL;
}

const struct slm_family *slm__family_of_gguf(struct slm_span architecture)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        if (slm__span_is(architecture, families[i].gguf)) {
            return &families[i];
        }
    }
    return NULL;
}

const char *slm__family_names(void)
{
    return "llama, qwen2, qwen3";
}

static bool ends_with(struct slm_span text, const char *ending)
{
    const size_t length = strlen(ending);
    return text.length >= length && memcmp(text.data + (text.length - length), ending, length) == 0;
}

bool slm__family_tensor_is_harmless(struct slm_span name)
{
    return ends_with(name, ".rotary_emb.inv_freq") || ends_with(name, ".attn_rot_embd.weight");
}
