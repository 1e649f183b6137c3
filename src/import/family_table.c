/* SPDX-License-Identifier: MIT */
/* The rows of the family table. A new family is a new row here, and new rules where its tensors have other names. */
#include "import/family_table.h"

#include "import/vision_family.h" /* slm__vision_siglip */

#define HF_LAYER "model.layers.%u."
#define HF_ATTENTION HF_LAYER "self_attn."
#define HF_EXPERT HF_LAYER "mlp.experts.%u."
#define GGUF_LAYER "blk.%u."
#define BERT_LAYER "encoder.layer.%u."

enum { ANY_PRE_NORM = SLM_TRAIT_PRE_NORM | SLM_TRAIT_SANDWICH, ANY_POST_NORM = SLM_TRAIT_SANDWICH | SLM_TRAIT_POST_NORM };

/* clang-format off */
static const struct slm_tensor_rule llama_rules[] = {
    {"embed", SLM_EXTENT_HIDDEN, 0, SLM_RULE_HEAD,
     {{"model.embed_tokens.weight", "token_embd.weight", SLM_EXTENT_VOCAB, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"head", SLM_EXTENT_HIDDEN, SLM_TRAIT_UNTIED, SLM_RULE_HEAD,
     {{"lm_head.weight", "output.weight", SLM_EXTENT_VOCAB, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"final_norm", SLM_EXTENT_ONE, 0, SLM_RULE_NORM,
     {{"model.norm.weight", "output_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_norm", SLM_EXTENT_ONE, ANY_PRE_NORM, SLM_RULE_NORM,
     {{HF_LAYER "input_layernorm.weight", GGUF_LAYER "attn_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.qkv", SLM_EXTENT_HIDDEN, 0, 0,
     {{HF_ATTENTION "q_proj.weight", GGUF_LAYER "attn_q.weight", SLM_EXTENT_QUERY, SLM_ROWS_ROTARY},
      {HF_ATTENTION "k_proj.weight", GGUF_LAYER "attn_k.weight", SLM_EXTENT_KEY, SLM_ROWS_ROTARY},
      {HF_ATTENTION "v_proj.weight", GGUF_LAYER "attn_v.weight", SLM_EXTENT_KEY, SLM_ROWS_PLAIN}},
     HF_ATTENTION "qkv_proj.weight", GGUF_LAYER "attn_qkv.weight"},
    {"layers.%u.qkv_bias", SLM_EXTENT_ONE, SLM_TRAIT_QKV_BIAS, 0,
     {{HF_ATTENTION "q_proj.bias", GGUF_LAYER "attn_q.bias", SLM_EXTENT_QUERY, SLM_ROWS_ROTARY},
      {HF_ATTENTION "k_proj.bias", GGUF_LAYER "attn_k.bias", SLM_EXTENT_KEY, SLM_ROWS_ROTARY},
      {HF_ATTENTION "v_proj.bias", GGUF_LAYER "attn_v.bias", SLM_EXTENT_KEY, SLM_ROWS_PLAIN}},
     NULL, GGUF_LAYER "attn_qkv.bias"},
    {"layers.%u.q_norm", SLM_EXTENT_ONE, SLM_TRAIT_QK_NORM, SLM_RULE_NORM,
     {{HF_ATTENTION "q_norm.weight", GGUF_LAYER "attn_q_norm.weight", SLM_EXTENT_HEAD_DIM, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.k_norm", SLM_EXTENT_ONE, SLM_TRAIT_QK_NORM, SLM_RULE_NORM,
     {{HF_ATTENTION "k_norm.weight", GGUF_LAYER "attn_k_norm.weight", SLM_EXTENT_HEAD_DIM, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.q_norm", SLM_EXTENT_ONE, SLM_TRAIT_QK_NORM_ALL, SLM_RULE_NORM,
     {{HF_ATTENTION "q_norm.weight", GGUF_LAYER "attn_q_norm.weight", SLM_EXTENT_QUERY, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.k_norm", SLM_EXTENT_ONE, SLM_TRAIT_QK_NORM_ALL, SLM_RULE_NORM,
     {{HF_ATTENTION "k_norm.weight", GGUF_LAYER "attn_k_norm.weight", SLM_EXTENT_KEY, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_out", SLM_EXTENT_QUERY, 0, 0,
     {{HF_ATTENTION "o_proj.weight", GGUF_LAYER "attn_output.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_out_bias", SLM_EXTENT_ONE, SLM_TRAIT_OUT_BIAS, 0,
     {{HF_ATTENTION "o_proj.bias", GGUF_LAYER "attn_output.bias", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_post_norm", SLM_EXTENT_ONE, ANY_POST_NORM, SLM_RULE_NORM,
     {{HF_LAYER "post_attention_layernorm.weight", GGUF_LAYER "post_attention_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}},
     NULL, NULL},
    {"layers.%u.mlp_norm", SLM_EXTENT_ONE, SLM_TRAIT_PRE_NORM, SLM_RULE_NORM,
     {{HF_LAYER "post_attention_layernorm.weight", GGUF_LAYER "ffn_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.mlp_norm", SLM_EXTENT_ONE, SLM_TRAIT_SANDWICH, SLM_RULE_NORM,
     {{HF_LAYER "pre_feedforward_layernorm.weight", GGUF_LAYER "ffn_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.gate_up", SLM_EXTENT_HIDDEN, SLM_TRAIT_DENSE, 0,
     {{HF_LAYER "mlp.gate_proj.weight", GGUF_LAYER "ffn_gate.weight", SLM_EXTENT_FFN, SLM_ROWS_PLAIN},
      {HF_LAYER "mlp.up_proj.weight", GGUF_LAYER "ffn_up.weight", SLM_EXTENT_FFN, SLM_ROWS_PLAIN}},
     HF_LAYER "mlp.gate_up_proj.weight", GGUF_LAYER "ffn_up.weight"},
    {"layers.%u.gate_up_bias", SLM_EXTENT_ONE, SLM_TRAIT_MLP_BIAS, 0,
     {{HF_LAYER "mlp.gate_proj.bias", GGUF_LAYER "ffn_gate.bias", SLM_EXTENT_FFN, SLM_ROWS_PLAIN},
      {HF_LAYER "mlp.up_proj.bias", GGUF_LAYER "ffn_up.bias", SLM_EXTENT_FFN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.down", SLM_EXTENT_FFN, SLM_TRAIT_DENSE, 0,
     {{HF_LAYER "mlp.down_proj.weight", GGUF_LAYER "ffn_down.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.down_bias", SLM_EXTENT_ONE, SLM_TRAIT_MLP_BIAS, 0,
     {{HF_LAYER "mlp.down_proj.bias", GGUF_LAYER "ffn_down.bias", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.router", SLM_EXTENT_HIDDEN, SLM_TRAIT_EXPERTS, SLM_RULE_F32,
     {{HF_LAYER "mlp.gate.weight", GGUF_LAYER "ffn_gate_inp.weight", SLM_EXTENT_EXPERTS, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.experts.%u.gate_up", SLM_EXTENT_HIDDEN, SLM_TRAIT_EXPERTS, 0,
     {{HF_EXPERT "gate_proj.weight", GGUF_LAYER "ffn_gate_exps.weight", SLM_EXTENT_EXPERT_FFN, SLM_ROWS_PLAIN},
      {HF_EXPERT "up_proj.weight", GGUF_LAYER "ffn_up_exps.weight", SLM_EXTENT_EXPERT_FFN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.experts.%u.down", SLM_EXTENT_EXPERT_FFN, SLM_TRAIT_EXPERTS, 0,
     {{HF_EXPERT "down_proj.weight", GGUF_LAYER "ffn_down_exps.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.mlp_post_norm", SLM_EXTENT_ONE, ANY_POST_NORM, SLM_RULE_NORM,
     {{HF_LAYER "post_feedforward_layernorm.weight", GGUF_LAYER "post_ffw_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
};

/* One norm feeds attention and MLP; everything has a bias. */
static const struct slm_tensor_rule phi_rules[] = {
    {"embed", SLM_EXTENT_HIDDEN, 0, SLM_RULE_HEAD,
     {{"model.embed_tokens.weight", "token_embd.weight", SLM_EXTENT_VOCAB, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"head", SLM_EXTENT_HIDDEN, SLM_TRAIT_UNTIED, SLM_RULE_HEAD,
     {{"lm_head.weight", "output.weight", SLM_EXTENT_VOCAB, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"head_bias", SLM_EXTENT_ONE, 0, 0, {{"lm_head.bias", "output.bias", SLM_EXTENT_VOCAB, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"final_norm", SLM_EXTENT_ONE, 0, SLM_RULE_NORM,
     {{"model.final_layernorm.weight", "output_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"final_norm_bias", SLM_EXTENT_ONE, 0, 0,
     {{"model.final_layernorm.bias", "output_norm.bias", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_norm", SLM_EXTENT_ONE, 0, SLM_RULE_NORM,
     {{HF_LAYER "input_layernorm.weight", GGUF_LAYER "attn_norm.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_norm_bias", SLM_EXTENT_ONE, 0, 0,
     {{HF_LAYER "input_layernorm.bias", GGUF_LAYER "attn_norm.bias", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.qkv", SLM_EXTENT_HIDDEN, 0, 0,
     {{HF_ATTENTION "q_proj.weight", GGUF_LAYER "attn_q.weight", SLM_EXTENT_QUERY, SLM_ROWS_PLAIN},
      {HF_ATTENTION "k_proj.weight", GGUF_LAYER "attn_k.weight", SLM_EXTENT_KEY, SLM_ROWS_PLAIN},
      {HF_ATTENTION "v_proj.weight", GGUF_LAYER "attn_v.weight", SLM_EXTENT_KEY, SLM_ROWS_PLAIN}},
     NULL, GGUF_LAYER "attn_qkv.weight"},
    {"layers.%u.qkv_bias", SLM_EXTENT_ONE, 0, 0,
     {{HF_ATTENTION "q_proj.bias", GGUF_LAYER "attn_q.bias", SLM_EXTENT_QUERY, SLM_ROWS_PLAIN},
      {HF_ATTENTION "k_proj.bias", GGUF_LAYER "attn_k.bias", SLM_EXTENT_KEY, SLM_ROWS_PLAIN},
      {HF_ATTENTION "v_proj.bias", GGUF_LAYER "attn_v.bias", SLM_EXTENT_KEY, SLM_ROWS_PLAIN}},
     NULL, GGUF_LAYER "attn_qkv.bias"},
    {"layers.%u.attn_out", SLM_EXTENT_QUERY, 0, 0,
     {{HF_ATTENTION "dense.weight", GGUF_LAYER "attn_output.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_out_bias", SLM_EXTENT_ONE, 0, 0,
     {{HF_ATTENTION "dense.bias", GGUF_LAYER "attn_output.bias", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.gate_up", SLM_EXTENT_HIDDEN, 0, 0,
     {{HF_LAYER "mlp.fc1.weight", GGUF_LAYER "ffn_up.weight", SLM_EXTENT_FFN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.gate_up_bias", SLM_EXTENT_ONE, 0, 0,
     {{HF_LAYER "mlp.fc1.bias", GGUF_LAYER "ffn_up.bias", SLM_EXTENT_FFN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.down", SLM_EXTENT_FFN, 0, 0,
     {{HF_LAYER "mlp.fc2.weight", GGUF_LAYER "ffn_down.weight", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.down_bias", SLM_EXTENT_ONE, 0, 0,
     {{HF_LAYER "mlp.fc2.bias", GGUF_LAYER "ffn_down.bias", SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
};
/* BERT: no norm before, one behind each sum. Nearly all that rounding costs an embedding comes from the values that attention averages: qkv
 * is kept finer, for a tenth of the file. */
static const struct slm_tensor_rule bert_rules[] = {
    {"embed", SLM_EXTENT_HIDDEN, 0, SLM_RULE_HEAD,
     {{"embeddings.word_embeddings.weight", NULL, SLM_EXTENT_VOCAB, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"positions", SLM_EXTENT_HIDDEN, 0, SLM_RULE_F32,
     {{"embeddings.position_embeddings.weight", NULL, SLM_EXTENT_CONTEXT, SLM_ROWS_POSITIONS}}, NULL, NULL},
    {"embed_bias", SLM_EXTENT_ONE, 0, 0,
     {{"embeddings.token_type_embeddings.weight", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_FIRST}}, NULL, NULL},
    {"embed_norm", SLM_EXTENT_ONE, 0, SLM_RULE_NORM,
     {{"embeddings.LayerNorm.weight", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"embed_norm_bias", SLM_EXTENT_ONE, 0, 0, {{"embeddings.LayerNorm.bias", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.qkv", SLM_EXTENT_HIDDEN, 0, SLM_RULE_FINER,
     {{BERT_LAYER "attention.self.query.weight", NULL, SLM_EXTENT_QUERY, SLM_ROWS_PLAIN},
      {BERT_LAYER "attention.self.key.weight", NULL, SLM_EXTENT_KEY, SLM_ROWS_PLAIN},
      {BERT_LAYER "attention.self.value.weight", NULL, SLM_EXTENT_KEY, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.qkv_bias", SLM_EXTENT_ONE, 0, 0,
     {{BERT_LAYER "attention.self.query.bias", NULL, SLM_EXTENT_QUERY, SLM_ROWS_PLAIN},
      {BERT_LAYER "attention.self.key.bias", NULL, SLM_EXTENT_KEY, SLM_ROWS_PLAIN},
      {BERT_LAYER "attention.self.value.bias", NULL, SLM_EXTENT_KEY, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_out", SLM_EXTENT_QUERY, 0, 0,
     {{BERT_LAYER "attention.output.dense.weight", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_out_bias", SLM_EXTENT_ONE, 0, 0,
     {{BERT_LAYER "attention.output.dense.bias", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_post_norm", SLM_EXTENT_ONE, 0, SLM_RULE_NORM,
     {{BERT_LAYER "attention.output.LayerNorm.weight", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.attn_post_norm_bias", SLM_EXTENT_ONE, 0, 0,
     {{BERT_LAYER "attention.output.LayerNorm.bias", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.gate_up", SLM_EXTENT_HIDDEN, 0, 0,
     {{BERT_LAYER "intermediate.dense.weight", NULL, SLM_EXTENT_FFN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.gate_up_bias", SLM_EXTENT_ONE, 0, 0,
     {{BERT_LAYER "intermediate.dense.bias", NULL, SLM_EXTENT_FFN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.down", SLM_EXTENT_FFN, 0, 0, {{BERT_LAYER "output.dense.weight", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.down_bias", SLM_EXTENT_ONE, 0, 0, {{BERT_LAYER "output.dense.bias", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.mlp_post_norm", SLM_EXTENT_ONE, 0, SLM_RULE_NORM,
     {{BERT_LAYER "output.LayerNorm.weight", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"layers.%u.mlp_post_norm_bias", SLM_EXTENT_ONE, 0, 0,
     {{BERT_LAYER "output.LayerNorm.bias", NULL, SLM_EXTENT_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
};
/* clang-format on */

enum {
    LLAMA_RULES = sizeof llama_rules / sizeof llama_rules[0],
    PHI_RULES = sizeof phi_rules / sizeof phi_rules[0],
    BERT_RULES = sizeof bert_rules / sizeof bert_rules[0]
};

static const struct slm_family families[] = {
    {.name = "llama",
     .model_type = "llama",
     .architecture = "LlamaForCausalLM",
     .gguf = "llama",
     .flags =
         SLM_FAMILY_GGUF_PAIRS | SLM_FAMILY_GGUF_FREE_BIASES | SLM_FAMILY_BIAS_KEYS | SLM_FAMILY_MLP_BIAS_KEY | SLM_FAMILY_GGUF_DIVISORS,
     .traits = SLM_TRAIT_PRE_NORM,
     .default_context = 2048,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .gguf_window_rule = SLM_WINDOW_ALL, /* Mistral goes by this name there */
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "qwen2",
     .model_type = "qwen2",
     .architecture = "Qwen2ForCausalLM",
     .gguf = "qwen2",
     .flags = SLM_FAMILY_WINDOW_SWITCH | SLM_FAMILY_LAYER_TYPES,
     .traits = SLM_TRAIT_PRE_NORM | SLM_TRAIT_QKV_BIAS,
     .default_kv_heads = 32,
     .default_context = 32768,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .window_rule = SLM_WINDOW_FROM,
     .default_window = 4096,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "qwen3",
     .model_type = "qwen3",
     .architecture = "Qwen3ForCausalLM",
     .gguf = "qwen3",
     .flags = SLM_FAMILY_WINDOW_SWITCH | SLM_FAMILY_LAYER_TYPES | SLM_FAMILY_BIAS_KEYS,
     .traits = SLM_TRAIT_PRE_NORM | SLM_TRAIT_QK_NORM,
     .default_head_dim = 128,
     .default_kv_heads = 32,
     .default_context = 32768,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .window_rule = SLM_WINDOW_FROM,
     .default_window = 4096,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "qwen3moe",
     .model_type = "qwen3_moe",
     .architecture = "Qwen3MoeForCausalLM",
     .gguf = "qwen3moe",
     .flags = SLM_FAMILY_WINDOW_SWITCH | SLM_FAMILY_BIAS_KEYS | SLM_FAMILY_EXPERTS,
     .traits = SLM_TRAIT_PRE_NORM | SLM_TRAIT_QK_NORM,
     .default_kv_heads = 4,
     .default_context = 32768,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .window_rule = SLM_WINDOW_ALL,
     .default_window = 4096,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "mistral",
     .model_type = "mistral",
     .architecture = "MistralForCausalLM",
     .flags = SLM_FAMILY_LAYER_TYPES, /* a Ministral that still says mistral: transformers' Auto classes follow the list too */
     .traits = SLM_TRAIT_PRE_NORM,
     .default_kv_heads = 8,
     .default_context = 131072,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .window_rule = SLM_WINDOW_ALL,
     .default_window = 4096,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "ministral",
     .model_type = "ministral",
     .architecture = "MinistralForCausalLM",
     .flags = SLM_FAMILY_LAYER_TYPES,
     .traits = SLM_TRAIT_PRE_NORM,
     .default_kv_heads = 8,
     .default_context = 131072,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .window_rule = SLM_WINDOW_ALL,
     .default_window = 4096,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "ministral3",
     .model_type = "ministral3",
     .architecture = "Ministral3ForCausalLM",
     .flags = SLM_FAMILY_QUERY_BETA,
     .traits = SLM_TRAIT_PRE_NORM,
     .default_head_dim = 128,
     .default_kv_heads = 8,
     .default_context = 262144,
     .default_eps = 1e-5,
     .default_theta = 10000.0,
     .window_rule = SLM_WINDOW_ALL,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "smollm3",
     .model_type = "smollm3",
     .architecture = "SmolLM3ForCausalLM",
     .gguf = "smollm3",
     .flags = SLM_FAMILY_GGUF_PAIRS | SLM_FAMILY_GGUF_FREE_BIASES | SLM_FAMILY_BIAS_KEYS | SLM_FAMILY_MLP_BIAS_KEY |
              SLM_FAMILY_GGUF_DIVISORS | SLM_FAMILY_NOPE | SLM_FAMILY_WINDOW_SWITCH | SLM_FAMILY_LAYER_TYPES,
     .traits = SLM_TRAIT_PRE_NORM,
     .default_kv_heads = 4,
     .default_context = 32768,
     .default_eps = 1e-6,
     .default_theta = 2e6,
     .default_tied = true,
     .window_rule = SLM_WINDOW_NOPE,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "phi2",
     .model_type = "phi",
     .architecture = "PhiForCausalLM",
     .gguf = "phi2",
     .flags = SLM_FAMILY_LAYER_NORM | SLM_FAMILY_PARALLEL | SLM_FAMILY_PLAIN_MLP | SLM_FAMILY_PARTIAL_ROTARY,
     .default_context = 2048,
     .default_eps = 1e-5,
     .default_theta = 10000.0,
     .default_partial = 0.5,
     .activation = SLM_ACTIVATION_KIND_GELU_TANH,
     .rules = phi_rules,
     .rule_count = PHI_RULES},
    {.name = "phi3",
     .model_type = "phi3",
     .architecture = "Phi3ForCausalLM",
     .gguf = "phi3",
     .flags = SLM_FAMILY_PARTIAL_ROTARY | SLM_FAMILY_YARN_IS_LONGROPE | SLM_FAMILY_FUSED,
     .traits = SLM_TRAIT_PRE_NORM,
     .default_context = 4096,
     .default_eps = 1e-5,
     .default_theta = 10000.0,
     .window_rule = SLM_WINDOW_ALL,
     .gguf_window_rule = SLM_WINDOW_ALL,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "gemma",
     .model_type = "gemma",
     .architecture = "GemmaForCausalLM",
     .gguf = "gemma",
     .flags = SLM_FAMILY_NORM_PLUS_ONE | SLM_FAMILY_EMBED_SQRT | SLM_FAMILY_BIAS_KEYS | SLM_FAMILY_GELU_IS_TANH,
     .traits = SLM_TRAIT_PRE_NORM,
     .default_heads = 16,
     .default_head_dim = 256,
     .default_kv_heads = 16,
     .default_context = 8192,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .default_tied = true,
     .activation = SLM_ACTIVATION_KIND_GELU_TANH,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "gemma2",
     .model_type = "gemma2",
     .architecture = "Gemma2ForCausalLM",
     .gguf = "gemma2",
     .flags = SLM_FAMILY_NORM_PLUS_ONE | SLM_FAMILY_EMBED_SQRT | SLM_FAMILY_BIAS_KEYS | SLM_FAMILY_ACTIVATION_KEY |
              SLM_FAMILY_QUERY_SCALAR | SLM_FAMILY_ATTENTION_CAP | SLM_FAMILY_FINAL_CAP | SLM_FAMILY_LAYER_TYPES,
     .traits = SLM_TRAIT_SANDWICH,
     .default_heads = 8,
     .default_head_dim = 256,
     .default_kv_heads = 4,
     .default_context = 8192,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .default_tied = true,
     .activation = SLM_ACTIVATION_KIND_GELU_TANH,
     .window_rule = SLM_WINDOW_PERIOD,
     .gguf_window_rule = SLM_WINDOW_PERIOD,
     .window_period = 2,
     .default_window = 4096,
     .gguf_plain_scale_layers = 46,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "gemma3",
     .model_type = "gemma3_text",
     .architecture = "Gemma3ForCausalLM",
     .gguf = "gemma3",
     .flags = SLM_FAMILY_NORM_PLUS_ONE | SLM_FAMILY_EMBED_SQRT | SLM_FAMILY_BIAS_KEYS | SLM_FAMILY_ACTIVATION_KEY |
              SLM_FAMILY_QUERY_SCALAR | SLM_FAMILY_FINAL_CAP | SLM_FAMILY_LAYER_TYPES | SLM_FAMILY_LOCAL_ROPE,
     .traits = SLM_TRAIT_SANDWICH | SLM_TRAIT_QK_NORM,
     .default_heads = 8,
     .default_head_dim = 256,
     .default_kv_heads = 4,
     .default_context = 131072,
     .default_vocab = 262208,
     .default_eps = 1e-6,
     .default_theta = 1e6,
     .default_tied = true,
     .activation = SLM_ACTIVATION_KIND_GELU_TANH,
     .window_rule = SLM_WINDOW_PERIOD,
     .gguf_window_rule = SLM_WINDOW_PERIOD,
     .window_period = 6,
     .default_window = 4096,
     .gguf_plain_scale_layers = 62,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "olmo2",
     .model_type = "olmo2",
     .architecture = "Olmo2ForCausalLM",
     .gguf = "olmo2",
     .flags = SLM_FAMILY_BIAS_KEYS,
     .traits = SLM_TRAIT_POST_NORM | SLM_TRAIT_QK_NORM_ALL,
     .default_context = 2048,
     .default_eps = 1e-5,
     .default_theta = 10000.0,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "granite",
     .model_type = "granite",
     .architecture = "GraniteForCausalLM",
     .gguf = "granite",
     .flags = SLM_FAMILY_GGUF_PAIRS | SLM_FAMILY_GGUF_FREE_BIASES | SLM_FAMILY_BIAS_KEYS | SLM_FAMILY_MLP_BIAS_KEY |
              SLM_FAMILY_GGUF_DIVISORS | SLM_FAMILY_MULTIPLIERS,
     .traits = SLM_TRAIT_PRE_NORM,
     .default_context = 2048,
     .default_eps = 1e-6,
     .default_theta = 10000.0,
     .rules = llama_rules,
     .rule_count = LLAMA_RULES},
    {.name = "bert",
     .model_type = "bert",
     .architecture = "BertModel",
     .flags = SLM_FAMILY_ENCODER | SLM_FAMILY_LAYER_NORM | SLM_FAMILY_PLAIN_MLP,
     .default_context = 512,
     .default_eps = 1e-12,
     .default_tied = true,
     .activation = SLM_ACTIVATION_KIND_GELU_ERF,
     .rules = bert_rules,
     .rule_count = BERT_RULES},
    {.name = "xlm-roberta",
     .model_type = "xlm-roberta",
     .architecture = "XLMRobertaModel",
     .flags = SLM_FAMILY_ENCODER | SLM_FAMILY_LAYER_NORM | SLM_FAMILY_PLAIN_MLP | SLM_FAMILY_POSITIONS_PAST_PAD,
     .default_context = 514,
     .default_eps = 1e-12,
     .default_tied = true,
     .activation = SLM_ACTIVATION_KIND_GELU_ERF,
     .rules = bert_rules,
     .rule_count = BERT_RULES},
};

static const struct slm_composite composites[] = {
    {"gemma3", "Gemma3ForConditionalGeneration", "gemma3_text", &slm__vision_siglip},
    {"mistral3", "Mistral3ForConditionalGeneration", "mistral", NULL},
};

enum { FAMILIES = sizeof families / sizeof families[0], COMPOSITES = sizeof composites / sizeof composites[0] };

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
        if (families[i].gguf != NULL && slm__span_is(architecture, families[i].gguf)) {
            return &families[i];
        }
    }
    return NULL;
}

const struct slm_family *slm__family_of_name(struct slm_span name)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        if (slm__span_is(name, families[i].name)) {
            return &families[i];
        }
    }
    return NULL;
}

const struct slm_composite *slm__composite_of_model_type(struct slm_span model_type)
{
    for (size_t i = 0; i < COMPOSITES; i++) {
        if (slm__span_is(model_type, composites[i].model_type)) {
            return &composites[i];
        }
    }
    return NULL;
}

const char *slm__family_names(void)
{
    return "llama, qwen2, qwen3, qwen3_moe, mistral, ministral, ministral3, mistral3, smollm3, phi, phi3, gemma, gemma2, gemma3_text, "
           "gemma3, olmo2, granite, bert, xlm-roberta";
}

const char *slm__family_gguf_names(void)
{
    return "llama, qwen2, qwen3, qwen3moe, smollm3, phi2, phi3, gemma, gemma2, gemma3, olmo2, granite";
}

static bool ends_with(struct slm_span text, const char *ending)
{
    const size_t length = strlen(ending);
    return text.length >= length && memcmp(text.data + (text.length - length), ending, length) == 0;
}

bool slm__family_tensor_is_harmless(struct slm_span name)
{
    return ends_with(name, ".rotary_emb.inv_freq") || ends_with(name, ".attn_rot_embd.weight") ||
           ends_with(name, "embeddings.position_ids");
}

static bool begins_with_one(struct slm_span name, const char *const *beginnings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(beginnings[i]);
        if (name.length > length && memcmp(name.data, beginnings[i], length) == 0) {
            return true;
        }
    }
    return false;
}

bool slm__family_tensor_is_vision(struct slm_span name)
{
    static const char *const beginnings[] = {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                                             "model.multi_modal_projector."};
    return begins_with_one(name, beginnings, sizeof beginnings / sizeof beginnings[0]);
}

bool slm__family_tensor_is_training_head(struct slm_span name)
{
    static const char *const beginnings[] = {"pooler.dense.", "bert.pooler.dense.", "roberta.pooler.dense.", "cls.", "lm_head."};
    return begins_with_one(name, beginnings, sizeof beginnings / sizeof beginnings[0]);
}

bool slm__family_tensor_is_vision_head(struct slm_span name)
{
    static const char *const beginnings[] = {"vision_tower.head.", "vision_tower.vision_model.head.", "model.vision_tower.head.",
                                             "model.vision_tower.vision_model.head."};
    return begins_with_one(name, beginnings, sizeof beginnings / sizeof beginnings[0]);
}
