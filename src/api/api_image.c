/* SPDX-License-Identifier: MIT */
/* Images: sizes and buffers are checked here, so that the tower reads nothing beyond them. */
#include "api/handles.h"
#include "runtime/session.h" /* slm__session_append_image */

static slm_status take_bytes(const slm_image *image, struct slm_vision_image *known, slm_error *error)
{
    const uint64_t line = 3 * (uint64_t)image->width, row_bytes = image->row_bytes == 0 ? line : image->row_bytes;
    if (image->width < 1 || image->height < 1 || image->width > SLM_IMAGE_SIDE_MAX || image->height > SLM_IMAGE_SIDE_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "the image is %u x %u pixels; 1 to %d a side are possible", image->width, image->height,
                         SLM_IMAGE_SIDE_MAX);
    }
    if (row_bytes < line || row_bytes > (uint64_t)1 << 32) {
        return slm__fail(error, SLM_E_ARGUMENT, "row_bytes is %llu; a row of %u pixels has %llu bytes", (unsigned long long)row_bytes,
                         image->width, (unsigned long long)line);
    }
    const uint64_t needed = (image->height - 1) * row_bytes + line;
    if (image->row_bytes == 0 ? image->pixel_bytes != needed : image->pixel_bytes < needed) {
        return slm__fail(error, SLM_E_ARGUMENT, "the buffer has %llu bytes; %u x %u pixels of RGB8 are %llu",
                         (unsigned long long)image->pixel_bytes, image->width, image->height, (unsigned long long)needed);
    }
    *known = (struct slm_vision_image){.rgb = image->pixels, .row_bytes = row_bytes, .width = image->width, .height = image->height};
    return SLM_OK;
}

static slm_status take_values(const slm_image *image, uint32_t size, struct slm_vision_image *known, slm_error *error)
{
    const uint64_t count = 3 * (uint64_t)size * size;
    const float *values = image->pixels;
    if (image->width != size || image->height != size || image->pixel_bytes != count * sizeof *values || image->row_bytes != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "the image is %u x %u in %llu bytes; values are 3 x %u x %u without gaps, %llu bytes",
                         image->width, image->height, (unsigned long long)image->pixel_bytes, size, size,
                         (unsigned long long)(count * sizeof *values));
    }
    if ((uintptr_t)values % sizeof *values != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "pixels is not aligned to %u bytes, as values have to be", (unsigned)sizeof *values);
    }
    for (uint64_t i = 0; i < count; i++) {
        if (values[i] - values[i] != 0.0f) {
            return slm__fail(error, SLM_E_ARGUMENT, "value %llu of the image is no finite number", (unsigned long long)i);
        }
    }
    *known = (struct slm_vision_image){.values = values};
    return SLM_OK;
}

slm_status slm_session_append_image(slm_session *session, const slm_image *image, const slm_append_options *options, slm_error *error)
{
    SLM_REQUIRE_PART(IMAGES, "images", error);
    slm_append_options known;
    slm_image given;
    struct slm_vision_image taken;
    SLM_TRY(slm__require(session, "session", error));
    SLM_TRY(slm__require(image, "image", error));
    SLM_TRY(slm__options_in(&given, sizeof given, image, error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    SLM_TRY(slm__require_zero(known.reserved, "append options: reserved", error));
    const struct slm_vision_tower *tower = session->pool->model->transformer->vision;
    if (tower == NULL) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the model takes no images: its file has no part that sees");
    }
    SLM_TRY(slm__require(given.pixels, "pixels", error));
    if (given.format == SLM_IMAGE_RGB8) {
        SLM_TRY(take_bytes(&given, &taken, error));
    } else if (given.format == SLM_IMAGE_VALUES) {
        SLM_TRY(take_values(&given, tower->image_size, &taken, error));
    } else {
        return slm__fail(error, SLM_E_ARGUMENT, "format is %d; SLM_IMAGE_RGB8 (0) and SLM_IMAGE_VALUES (1) are possible", given.format);
    }
    return slm__session_append_image(session, &taken, &known, error);
}
