/* SPDX-License-Identifier: MIT */
/* The rows of the table of towers. Names begin with "vision_tower." and "multi_modal_projector."; a checkpoint may have others for them. */
#include "import/vision_family.h"

#define TOWER "vision_tower."
#define LAYER TOWER "encoder.layers.%u."
#define ATTENTION LAYER "self_attn."

enum { MATRIX = SLM_RULE_HEAD | SLM_RULE_VISION };

/* clang-format off */
#define ROWS(hf, extent) {{hf, NULL, extent, SLM_ROWS_PLAIN}}, NULL, NULL
static const struct slm_tensor_rule siglip_rules[] = {
    {"vision.patch_embed", SLM_EXTENT_VISION_PATCH, 0, MATRIX | SLM_RULE_FOLDED,
     ROWS(TOWER "embeddings.patch_embedding.weight", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.patch_bias", SLM_EXTENT_ONE, 0, 0, ROWS(TOWER "embeddings.patch_embedding.bias", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.positions", SLM_EXTENT_VISION_HIDDEN, 0, SLM_RULE_F32 | SLM_RULE_VISION,
     ROWS(TOWER "embeddings.position_embedding.weight", SLM_EXTENT_VISION_PATCHES)},
    {"vision.final_norm", SLM_EXTENT_ONE, 0, 0, ROWS(TOWER "post_layernorm.weight", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.final_norm_bias", SLM_EXTENT_ONE, 0, 0, ROWS(TOWER "post_layernorm.bias", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.projector_norm", SLM_EXTENT_ONE, 0, SLM_RULE_NORM,
     ROWS("multi_modal_projector.mm_soft_emb_norm.weight", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.projector", SLM_EXTENT_VISION_HIDDEN, 0, MATRIX | SLM_RULE_TRANSPOSED,
     ROWS("multi_modal_projector.mm_input_projection_weight", SLM_EXTENT_HIDDEN)},
    {"vision.layers.%u.attn_norm", SLM_EXTENT_ONE, 0, 0, ROWS(LAYER "layer_norm1.weight", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.layers.%u.attn_norm_bias", SLM_EXTENT_ONE, 0, 0, ROWS(LAYER "layer_norm1.bias", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.layers.%u.qkv", SLM_EXTENT_VISION_HIDDEN, 0, MATRIX,
     {{ATTENTION "q_proj.weight", NULL, SLM_EXTENT_VISION_HIDDEN, SLM_ROWS_PLAIN},
      {ATTENTION "k_proj.weight", NULL, SLM_EXTENT_VISION_HIDDEN, SLM_ROWS_PLAIN},
      {ATTENTION "v_proj.weight", NULL, SLM_EXTENT_VISION_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"vision.layers.%u.qkv_bias", SLM_EXTENT_ONE, 0, 0,
     {{ATTENTION "q_proj.bias", NULL, SLM_EXTENT_VISION_HIDDEN, SLM_ROWS_PLAIN},
      {ATTENTION "k_proj.bias", NULL, SLM_EXTENT_VISION_HIDDEN, SLM_ROWS_PLAIN},
      {ATTENTION "v_proj.bias", NULL, SLM_EXTENT_VISION_HIDDEN, SLM_ROWS_PLAIN}}, NULL, NULL},
    {"vision.layers.%u.attn_out", SLM_EXTENT_VISION_HIDDEN, 0, MATRIX, ROWS(ATTENTION "out_proj.weight", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.layers.%u.attn_out_bias", SLM_EXTENT_ONE, 0, 0, ROWS(ATTENTION "out_proj.bias", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.layers.%u.mlp_norm", SLM_EXTENT_ONE, 0, 0, ROWS(LAYER "layer_norm2.weight", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.layers.%u.mlp_norm_bias", SLM_EXTENT_ONE, 0, 0, ROWS(LAYER "layer_norm2.bias", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.layers.%u.gate_up", SLM_EXTENT_VISION_HIDDEN, 0, MATRIX, ROWS(LAYER "mlp.fc1.weight", SLM_EXTENT_VISION_FFN)},
    {"vision.layers.%u.gate_up_bias", SLM_EXTENT_ONE, 0, 0, ROWS(LAYER "mlp.fc1.bias", SLM_EXTENT_VISION_FFN)},
    {"vision.layers.%u.down", SLM_EXTENT_VISION_FFN, 0, MATRIX, ROWS(LAYER "mlp.fc2.weight", SLM_EXTENT_VISION_HIDDEN)},
    {"vision.layers.%u.down_bias", SLM_EXTENT_ONE, 0, 0, ROWS(LAYER "mlp.fc2.bias", SLM_EXTENT_VISION_HIDDEN)},
};
/* clang-format on */

const struct slm_vision_family slm__vision_siglip = {.model_type = "siglip_vision_model",
                                                     .default_layers = 12,
                                                     .default_hidden = 768,
                                                     .default_heads = 12,
                                                     .default_ffn = 3072,
                                                     .default_image_size = 224,
                                                     .default_patch_size = 16,
                                                     .default_tokens = 256,
                                                     .default_image_token = 262144,
                                                     .default_begin_token = 255999,
                                                     .default_end_token = 256000,
                                                     .default_eps = 1e-6,
                                                     .before = "\n\n",
                                                     .after = "\n\n",
                                                     .rules = siglip_rules,
                                                     .rule_count = sizeof siglip_rules / sizeof siglip_rules[0]};
