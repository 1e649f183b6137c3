/* SPDX-License-Identifier: MIT */
/* A tower's sizes become keys that begin with "vision."; how bytes become values is a table of 256 for each channel. */
#include "import/vision_metadata.h"

#include "format/format_layout.h" /* SLM_TENSOR_VECTOR */
#include "import/weight_stream.h" /* slm__floats_to_bytes */
#include "text/tokenizer.h"       /* slm__tokenizer_open, slm__tokenizer_bytes */
#include <math.h>                 /* sqrt */

enum { PIXEL_VALUES = 3 * 256 };

/* "before" and "after" with the text of a token between, in `text`; empty: the tokenizer has no such token. */
static slm_status write_around(struct slm_weight_writer *writer, const char *key, const char *before, struct slm_span token,
                               const char *after, slm_error *error)
{
    char text[256];
    const size_t head = strlen(before), tail = strlen(after);
    if (token.length == 0 || head + token.length + tail > sizeof text) {
        return SLM_OK;
    }
    memcpy(text, before, head);
    memcpy(text + head, token.data, token.length);
    memcpy(text + head + token.length, after, tail);
    return slm__writer_meta_text(writer, key, slm__span(text, head + token.length + tail), error);
}

/* What a chat template writes for an image, and what that becomes. */
static slm_status write_marker(struct slm_weight_writer *writer, const struct slm_checkpoint *checkpoint, slm_error *error)
{
    const struct slm_vision_config *vision = &checkpoint->config.vision;
    struct slm_tokenizer tokenizer;
    if (checkpoint->tokenizer.length == 0) {
        return SLM_OK;
    }
    SLM_TRY(slm__tokenizer_open(&tokenizer, slm__span(checkpoint->tokenizer.data, checkpoint->tokenizer.length), error));
    const uint32_t size = slm__tokenizer_size(&tokenizer);
    if (vision->begin_token >= size || vision->end_token >= size || vision->image_token >= size) {
        slm__log(checkpoint->context.log, SLM_LOG_WARNING,
                 "the tokenizer has no tokens for images: a chat template cannot place them, only token ids can");
        return SLM_OK;
    }
    const struct slm_span begin = slm__tokenizer_bytes(&tokenizer, vision->begin_token);
    SLM_TRY(write_around(writer, "vision.marker", "", begin, "", error));
    SLM_TRY(write_around(writer, "vision.before", vision->family->before, begin, "", error));
    return write_around(writer, "vision.after", "", slm__tokenizer_bytes(&tokenizer, vision->end_token), vision->family->after, error);
}

slm_status slm__write_vision_traits(struct slm_weight_writer *writer, const struct slm_checkpoint *checkpoint, slm_error *error)
{
    const struct slm_vision_config *vision = &checkpoint->config.vision;
    const uint32_t head_dim = vision->heads != 0 ? vision->hidden / vision->heads : 0;
    const struct {
        const char *key;
        uint64_t value;
    } sizes[] = {{"vision.layers", vision->layers},
                 {"vision.hidden_size", vision->hidden},
                 {"vision.heads", vision->heads},
                 {"vision.head_dim", head_dim},
                 {"vision.ffn_size", vision->ffn},
                 {"vision.norm_kind", 1},
                 {"vision.activation", 1},
                 {"vision.gated", 0},
                 {"vision.image_size", vision->image_size},
                 {"vision.patch_size", vision->patch_size},
                 {"vision.pool", vision->pool},
                 {"vision.image_token", vision->image_token}};
    if (vision->family == NULL) {
        return SLM_OK;
    }
    slm__writer_needs(writer, 3);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        SLM_TRY(slm__writer_meta_u64(writer, sizes[i].key, sizes[i].value, error));
    }
    SLM_TRY(slm__writer_meta_f64(writer, "vision.norm_eps", vision->eps, error));
    SLM_TRY(slm__writer_meta_f64(writer, "vision.attention_scale", 1.0 / sqrt((double)head_dim), error));
    SLM_TRY(slm__writer_meta_f64(writer, "vision.projector_eps", vision->eps, error));
    return write_marker(writer, checkpoint, error);
}

slm_status slm__pixel_values_declare(const struct slm_vision_config *vision, struct slm_weight_writer *writer, uint32_t *id,
                                     slm_error *error)
{
    return vision->family == NULL
               ? SLM_OK
               : slm__writer_add_tensor(writer, "vision.pixel_values", SLM_TENSOR_VECTOR, SLM_WEIGHT_F32, PIXEL_VALUES, 1, id, error);
}

slm_status slm__pixel_values_write(const struct slm_vision_config *vision, struct slm_weight_writer *writer, uint32_t id, slm_error *error)
{
    float values[PIXEL_VALUES];
    uint8_t bytes[PIXEL_VALUES * 4];
    if (vision->family == NULL) {
        return SLM_OK;
    }
    for (int i = 0; i < PIXEL_VALUES; i++) { /* rounded to f32 where the reference processor does */
        const float scaled = (float)(i % 256 * vision->rescale);
        values[i] = (scaled - (float)vision->mean[i / 256]) / (float)vision->deviation[i / 256];
    }
    slm__floats_to_bytes(values, PIXEL_VALUES, bytes);
    return slm__writer_write_tensor(writer, id, bytes, sizeof bytes, error);
}
