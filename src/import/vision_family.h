/* SPDX-License-Identifier: MIT */
/* What the part of a checkpoint that sees is to an importer, as data: names, defaults, tensors. */
#ifndef SLM_IMPORT_VISION_FAMILY_H
#define SLM_IMPORT_VISION_FAMILY_H

#include "import/family_table.h" /* struct slm_tensor_rule */

struct slm_vision_family {
    const char *model_type; /* of vision_config */
    uint32_t default_layers, default_hidden, default_heads, default_ffn, default_image_size, default_patch_size, default_tokens;
    uint32_t default_image_token, default_begin_token, default_end_token;
    double default_eps;
    const char *before, *after; /* text around the tokens that begin and end an image in a prompt */
    const struct slm_tensor_rule *rules;
    uint32_t rule_count;
};

/* Sizes of a tower, checked. */
struct slm_vision_config {
    const struct slm_vision_family *family; /* NULL: the model does not see */
    uint32_t layers, hidden, heads, ffn, image_size, patch_size;
    uint32_t side;   /* patches a side */
    uint32_t pool;   /* of them, a side of the squares that become one token */
    uint32_t tokens; /* of an image */
    uint32_t image_token, begin_token, end_token;
    double eps;
    double rescale, mean[3], deviation[3]; /* a byte b counts (b rescale - mean) / deviation */
};

extern const struct slm_vision_family slm__vision_siglip;

#endif
