/* SPDX-License-Identifier: MIT */
/* Sizes and preparation of images. Absent keys have the defaults of transformers' classes. */
#include "import/hf_vision.h"

#include "import/hf_values.h" /* slm__hf_size, slm__hf_bool, slm__hf_real */
#include <inttypes.h>         /* PRIu32 */

enum { LIMIT_LAYERS = 1024, LIMIT_HIDDEN = 1 << 16, LIMIT_HEADS = 1024, LIMIT_FFN = 1 << 20, LIMIT_IMAGE = 4096, LIMIT_PATCH = 256 };
enum { BILINEAR = 2 };

static slm_status read_limited(const struct slm_json *root, const char *key, uint32_t standard, uint32_t limit, uint32_t *value,
                               slm_error *error)
{
    *value = standard;
    SLM_TRY(slm__hf_size(root, key, false, value, error));
    return *value <= limit ? SLM_OK
                           : slm__fail(error, SLM_E_BAD_VALUE, "%s is %" PRIu32 ", supported is 1 to %" PRIu32, key, *value, limit);
}

static slm_status refuse_others(const struct slm_json *tower, const struct slm_vision_family *family, slm_error *error)
{
    static const char activation[] = "gelu_pytorch_tanh";
    const struct slm_json *type = slm__json_present(tower, "model_type"), *act = slm__json_present(tower, "hidden_act");
    uint32_t channels = 3;
    if (type != NULL && !slm__json_is_string(type, family->model_type)) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "model_type of vision_config is not %s", family->model_type);
    }
    if (act != NULL && !slm__json_is_string(act, activation)) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "hidden_act of vision_config is not %s", activation);
    }
    SLM_TRY(slm__hf_size(tower, "num_channels", false, &channels, error));
    return channels == 3 ? SLM_OK : slm__fail(error, SLM_E_UNSUPPORTED, "num_channels is %" PRIu32 ", supported is 3", channels);
}

static slm_status read_tower(const struct slm_json *tower, struct slm_vision_config *vision, slm_error *error)
{
    const struct slm_vision_family *family = vision->family;
    SLM_TRY(read_limited(tower, "num_hidden_layers", family->default_layers, LIMIT_LAYERS, &vision->layers, error));
    SLM_TRY(read_limited(tower, "hidden_size", family->default_hidden, LIMIT_HIDDEN, &vision->hidden, error));
    SLM_TRY(read_limited(tower, "num_attention_heads", family->default_heads, LIMIT_HEADS, &vision->heads, error));
    SLM_TRY(read_limited(tower, "intermediate_size", family->default_ffn, LIMIT_FFN, &vision->ffn, error));
    SLM_TRY(read_limited(tower, "image_size", family->default_image_size, LIMIT_IMAGE, &vision->image_size, error));
    SLM_TRY(read_limited(tower, "patch_size", family->default_patch_size, LIMIT_PATCH, &vision->patch_size, error));
    vision->eps = family->default_eps;
    SLM_TRY(slm__hf_real(tower, "layer_norm_eps", 0.0, 1.0, &vision->eps, error));
    if (vision->hidden % vision->heads != 0 || vision->hidden / vision->heads < 2 || vision->hidden / vision->heads > 1024) {
        return slm__fail(error, SLM_E_BAD_VALUE, "hidden_size %" PRIu32 " over num_attention_heads %" PRIu32 " gives no heads of 2 to 1024",
                         vision->hidden, vision->heads);
    }
    if (vision->image_size % vision->patch_size != 0) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "image_size %" PRIu32 " is no multiple of patch_size %" PRIu32, vision->image_size,
                         vision->patch_size);
    }
    vision->side = vision->image_size / vision->patch_size;
    return vision->side <= 256 ? SLM_OK
                               : slm__fail(error, SLM_E_UNSUPPORTED, "image_size %" PRIu32 " over patch_size %" PRIu32 " is more than 256",
                                           vision->image_size, vision->patch_size);
}

/* The squares of patches that become one token. */
static slm_status read_tokens(const struct slm_json *root, struct slm_vision_config *vision, slm_error *error)
{
    uint32_t across = 0;
    SLM_TRY(read_limited(root, "mm_tokens_per_image", vision->family->default_tokens, 1 << 16, &vision->tokens, error));
    while (across * across < vision->tokens) {
        across++;
    }
    if (across * across != vision->tokens || vision->side % across != 0) {
        return slm__fail(error, SLM_E_UNSUPPORTED,
                         "mm_tokens_per_image is %" PRIu32 ", no square whose side divides the %" PRIu32 " patches a side", vision->tokens,
                         vision->side);
    }
    vision->pool = vision->side / across;
    return SLM_OK;
}

/* Both names of the key; the id of the image has to be in the vocabulary, those around it are used only where they are. */
static slm_status read_token(const struct slm_json *root, const char *key, const char *other, uint32_t standard, uint32_t *id,
                             slm_error *error)
{
    *id = standard;
    SLM_TRY(slm__hf_size(root, other, false, id, error));
    return slm__hf_size(root, key, false, id, error);
}

slm_status slm__hf_vision_read(const struct slm_json *root, struct slm_family_config *config, slm_error *error)
{
    const struct slm_json *type = slm__json_present(root, "model_type"), *tower = slm__json_present(root, "vision_config");
    const struct slm_composite *composite = type != NULL && type->type == SLM_JSON_STRING ? slm__composite_of_model_type(type->text) : NULL;
    struct slm_vision_config *vision = &config->vision;
    if (composite == NULL || composite->vision == NULL || tower == NULL) {
        return SLM_OK;
    }
    if (tower->type != SLM_JSON_OBJECT || tower->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "vision_config is no object with each key once");
    }
    const struct slm_vision_family *family = vision->family = composite->vision;
    vision->rescale = 1.0 / 255.0;
    for (int c = 0; c < 3; c++) {
        vision->mean[c] = vision->deviation[c] = 0.5;
    }
    SLM_TRY(refuse_others(tower, family, error));
    SLM_TRY(read_tower(tower, vision, error));
    SLM_TRY(read_tokens(root, vision, error));
    SLM_TRY(read_token(root, "image_token_index", "image_token_id", family->default_image_token, &vision->image_token, error));
    SLM_TRY(read_token(root, "boi_token_index", "boi_token_id", family->default_begin_token, &vision->begin_token, error));
    SLM_TRY(read_token(root, "eoi_token_index", "eoi_token_id", family->default_end_token, &vision->end_token, error));
    if (vision->image_token >= config->vocab) {
        return slm__fail(error, SLM_E_BAD_VALUE, "image_token_index %" PRIu32 " is not in the vocabulary of %" PRIu32 " tokens",
                         vision->image_token, config->vocab);
    }
    return SLM_OK;
}

/* ---- preparation */

static slm_status read_channels(const struct slm_json *root, const char *key, double least, double values[3], slm_error *error)
{
    const struct slm_json *list = slm__json_present(root, key);
    if (list == NULL) {
        return SLM_OK;
    }
    if (list->type != SLM_JSON_ARRAY || list->count != 3) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no list of 3 numbers", key);
    }
    for (uint32_t c = 0; c < 3; c++) {
        if (list->items[c].type != SLM_JSON_NUMBER || !slm__json_f64(&list->items[c], &values[c]) ||
            !(values[c] >= least && values[c] <= 1000.0)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "%s holds a value out of range", key);
        }
    }
    return SLM_OK;
}

/* Steps that a processor leaves out or adds. */
static slm_status refuse_steps(const struct slm_json *root, slm_error *error)
{
    static const struct {
        const char *key;
        bool wanted;
    } steps[] = {{"do_resize", true}, {"do_rescale", true}, {"do_normalize", true}, {"do_pan_and_scan", false}, {"do_center_crop", false}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        bool on = steps[i].wanted;
        SLM_TRY(slm__hf_bool(root, steps[i].key, &on, error));
        if (on != steps[i].wanted) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "%s is %s: that is not supported", steps[i].key, on ? "true" : "false");
        }
    }
    return SLM_OK;
}

slm_status slm__hf_image_processor_read(const struct slm_json *root, struct slm_vision_config *vision, slm_error *error)
{
    uint32_t resample = BILINEAR, sides[2] = {vision->image_size, vision->image_size};
    const struct slm_json *size = slm__json_present(root, "size");
    SLM_TRY(refuse_steps(root, error));
    SLM_TRY(slm__hf_size(root, "resample", false, &resample, error));
    if (resample != BILINEAR) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "resample is %" PRIu32 ", supported is %d (bilinear)", resample, BILINEAR);
    }
    SLM_TRY(slm__hf_size(size, "height", false, &sides[0], error));
    SLM_TRY(slm__hf_size(size, "width", false, &sides[1], error));
    if (sides[0] != vision->image_size || sides[1] != vision->image_size) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "size is %" PRIu32 " x %" PRIu32 ", the tower takes %" PRIu32 " x %" PRIu32, sides[0],
                         sides[1], vision->image_size, vision->image_size);
    }
    SLM_TRY(slm__hf_real(root, "rescale_factor", 1e-9, 1e9, &vision->rescale, error));
    SLM_TRY(read_channels(root, "image_mean", -1000.0, vision->mean, error));
    return read_channels(root, "image_std", 1e-6, vision->deviation, error);
}
