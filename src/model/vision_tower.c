/* SPDX-License-Identifier: MIT */
/* Traits and tensors of the part that sees (FORMAT.md, keys that begin with "vision."). */
#include "model/vision_tower.h"
#include "model/tensor_binder.h" /* struct slm_tensor_binder */
#include "model/trait_values.h"  /* slm__required_u64 and others */

enum { MAX_VISION_HIDDEN = 1 << 16, MAX_VISION_HEADS = 1024, MAX_VISION_FFN = 1 << 20, MAX_PATCH = 256, MAX_PATCHES = 1 << 16 };

/* Keys below vision. change the arithmetic: those that this version does not know must not be ignored. */
static slm_status refuse_unknown(const struct slm_weight_file *file, slm_error *error)
{
    static const char *const known[] = {"layers",      "hidden_size", "heads",           "head_dim",   "ffn_size",      "norm_kind",
                                        "norm_eps",    "activation",  "gated",           "image_size", "patch_size",    "pool",
                                        "image_token", "marker",      "attention_scale", "before",     "projector_eps", "after"};
    static const char prefix[] = "vision.";
    const size_t length = sizeof prefix - 1;
    for (uint32_t i = 0; i < file->metadata_count; i++) {
        struct slm_span key, value;
        uint32_t type = 0;
        slm__meta_entry(file, i, &key, &type, &value);
        if (key.length < length || memcmp(key.data, prefix, length) != 0) {
            continue;
        }
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            found = found || slm__span_is(slm__span(key.data + length, key.length - length), known[k]);
        }
        if (!found) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "the trait %.*s is unknown to this version; a newer libslm may read the file",
                             SLM_SPAN_ARGS(key));
        }
    }
    return SLM_OK;
}

static slm_status read_switches(struct slm_transformer *body, const struct slm_weight_file *file, slm_error *error)
{
    uint32_t norm = SLM_NORM_RMS, activation = SLM_ACTIVATION_SILU, gated = 1;
    SLM_TRY(slm__optional_u64(file, "vision.norm_kind", SLM_NORM_RMS, SLM_NORM_LAYER, &norm, error));
    SLM_TRY(slm__optional_u64(file, "vision.activation", 0, SLM_ACTIVATIONS - 1, &activation, error));
    SLM_TRY(slm__optional_u64(file, "vision.gated", 0, 1, &gated, error));
    body->norm_kind = (enum slm_norm_kind)norm;
    body->activation = (enum slm_activation)activation;
    body->gated = gated != 0;
    body->residual_scale = body->embedding_scale = body->logit_scale = 1.0f;
    SLM_TRY(slm__required_f32(file, "vision.norm_eps", &body->norm_eps, error));
    return slm__required_f32(file, "vision.attention_scale", &body->attention_scale, error);
}

/* All layers of a tower are alike. */
static slm_status read_layers(struct slm_transformer *body, const struct slm_weight_file *file, slm_error *error)
{
    struct slm_layer layer = {.rope_set = SLM_NO_ROPE};
    SLM_TRY(slm__required_u64(file, "vision.heads", 1, MAX_VISION_HEADS, &layer.heads, error));
    SLM_TRY(slm__required_u64(file, "vision.head_dim", 2, SLM_HEAD_DIM_MAX, &layer.head_dim, error));
    SLM_TRY(slm__required_u64(file, "vision.ffn_size", 1, MAX_VISION_FFN, &layer.ffn_size, error));
    layer.kv_heads = layer.heads;
    for (uint32_t i = 0; i < body->layer_count; i++) {
        body->layers[i] = layer;
    }
    body->kv_class_count = 1;
    body->bidirectional = true;
    return SLM_OK;
}

static slm_status read_sizes(struct slm_vision_tower *tower, const struct slm_transformer *text, const struct slm_weight_file *file,
                             slm_error *error)
{
    uint32_t token = 0;
    SLM_TRY(slm__required_u64(file, "vision.hidden_size", 1, MAX_VISION_HIDDEN, &tower->body.hidden_size, error));
    SLM_TRY(slm__required_u64(file, "vision.image_size", 1, SLM_IMAGE_SIDE_MAX, &tower->image_size, error));
    SLM_TRY(slm__required_u64(file, "vision.patch_size", 1, MAX_PATCH, &tower->patch_size, error));
    SLM_TRY(slm__required_u64(file, "vision.image_token", 0, text->vocab_size - 1, &token, error));
    tower->image_token = (int32_t)token;
    tower->side = tower->image_size / tower->patch_size;
    if (tower->image_size % tower->patch_size != 0 || tower->side * (uint64_t)tower->side > MAX_PATCHES) {
        return slm__fail(error, SLM_E_BAD_VALUE,
                         "vision.image_size %u is no multiple of vision.patch_size %u, or gives more than %d patches", tower->image_size,
                         tower->patch_size, MAX_PATCHES);
    }
    tower->patches = tower->side * tower->side;
    SLM_TRY(slm__required_u64(file, "vision.pool", 1, tower->side, &tower->pool, error));
    if (tower->side % tower->pool != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "vision.pool %u does not divide the %u patches a side", tower->pool, tower->side);
    }
    tower->tokens = tower->side / tower->pool * (tower->side / tower->pool);
    tower->body.max_context = tower->patches;
    tower->text_hidden = text->hidden_size;
    (void)slm__meta_text(file, "vision.marker", &tower->marker);
    (void)slm__meta_text(file, "vision.before", &tower->before);
    (void)slm__meta_text(file, "vision.after", &tower->after);
    return slm__required_f32(file, "vision.projector_eps", &tower->projector_eps, error);
}

static slm_status bind_tensors(struct slm_vision_tower *tower, struct slm_tensor_binder *binder)
{
    struct slm_transformer *body = &tower->body;
    const uint32_t hidden = body->hidden_size;
    SLM_TRY(slm__bind_matrix(binder, "vision.patch_embed", hidden, 3 * tower->patch_size * tower->patch_size, &tower->patch_embed));
    SLM_TRY(slm__bind_vector(binder, "vision.patch_bias", hidden, true, &tower->patch_bias));
    SLM_TRY(slm__bind_matrix(binder, "vision.positions", tower->patches, hidden, &tower->positions));
    SLM_TRY(slm__bind_vector(binder, "vision.final_norm", hidden, false, &body->final_norm.weight));
    SLM_TRY(slm__bind_vector(binder, "vision.final_norm_bias", hidden, true, &body->final_norm.bias));
    SLM_TRY(slm__bind_vector(binder, "vision.projector_norm", hidden, false, &tower->projector_norm));
    SLM_TRY(slm__bind_matrix(binder, "vision.projector", tower->text_hidden, hidden, &tower->projector));
    SLM_TRY(slm__bind_vector(binder, "vision.pixel_values", 3 * 256, false, &tower->pixel_values));
    binder->prefix = "vision.";
    for (uint32_t i = 0; i < body->layer_count; i++) {
        SLM_TRY(slm__bind_layer(binder, body, i, &body->layers[i], NULL));
    }
    return SLM_OK;
}

slm_status slm__vision_bind(struct slm_vision_tower *tower, const struct slm_transformer *text, struct slm_tensor_binder *binder)
{
    SLM_TRY(refuse_unknown(binder->file, binder->error));
    SLM_TRY(read_sizes(tower, text, binder->file, binder->error));
    SLM_TRY(read_switches(&tower->body, binder->file, binder->error));
    SLM_TRY(read_layers(&tower->body, binder->file, binder->error));
    return bind_tensors(tower, binder);
}
