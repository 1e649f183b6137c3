/* SPDX-License-Identifier: MIT */
/* Which format a file has, the simplest format, and images in prompts (see cli_image.h). */
#include "examples/cli/cli_image.h"

#include "examples/cli/cli_input.h"  /* cli_input_read */
#include "examples/cli/cli_output.h" /* cli_fail */

#include <stdlib.h>
#include <string.h>

const char *cli_image_allocate(struct cli_image *image, uint64_t width, uint64_t height)
{
    if (width < 1 || height < 1 || width > CLI_IMAGE_SIDE_MAX || height > CLI_IMAGE_SIDE_MAX) {
        return "1 to 16384 pixels a side are possible";
    }
    image->width = (uint32_t)width;
    image->height = (uint32_t)height;
    image->pixels = malloc((size_t)(3 * width * height));
    return image->pixels != NULL ? NULL : "memory could not be allocated";
}

/* A number of a PPM header behind blanks and comments; UINT64_MAX: none. */
static uint64_t ppm_number(const struct cli_text *bytes, size_t *at)
{
    uint64_t value = 0;
    while (*at < bytes->length && (strchr(" \t\r\n", bytes->bytes[*at]) != NULL || bytes->bytes[*at] == '#')) {
        const int comment = bytes->bytes[(*at)++] == '#';
        while (comment && *at < bytes->length && bytes->bytes[*at] != '\n') {
            (*at)++;
        }
    }
    const size_t start = *at;
    for (; *at < bytes->length && bytes->bytes[*at] >= '0' && bytes->bytes[*at] <= '9'; (*at)++) {
        value = value < 1000000 ? value * 10 + (uint64_t)(bytes->bytes[*at] - '0') : value;
    }
    return *at > start ? value : UINT64_MAX;
}

static const char *decode_ppm(const struct cli_text *bytes, struct cli_image *image)
{
    size_t at = 2;
    const uint64_t width = ppm_number(bytes, &at), height = ppm_number(bytes, &at), most = ppm_number(bytes, &at);
    if (most != 255) {
        return "only PPM files of 8 bits a channel (maximum 255) are read";
    }
    const char *wrong = cli_image_allocate(image, width, height);
    if (wrong != NULL) {
        return wrong;
    }
    at++; /* one blank behind the header */
    if (at > bytes->length || bytes->length - at < 3 * width * height) {
        return "the file ends before its last pixel";
    }
    memcpy(image->pixels, bytes->bytes + at, (size_t)(3 * width * height));
    return NULL;
}

static int begins_with(const struct cli_text *bytes, const char *magic, size_t length)
{
    return bytes->length >= length && memcmp(bytes->bytes, magic, length) == 0;
}

static const char *decode(const struct cli_text *bytes, struct cli_image *image)
{
    if (begins_with(bytes, "\x89PNG\r\n\x1a\n", 8)) {
        return cli_image_decode_png(bytes, image);
    }
    if (begins_with(bytes, "\xff\xd8\xff", 3)) {
        return cli_image_decode_jpeg(bytes, image);
    }
    return begins_with(bytes, "P6", 2) ? decode_ppm(bytes, image) : "the file is neither PNG nor JPEG nor binary PPM";
}

int cli_images_read(struct cli_images *images, const char *command, const struct cli_strings *paths)
{
    images->items = calloc(paths->count + 1, sizeof *images->items);
    if (images->items == NULL) {
        return cli_fail_memory(command);
    }
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];
        struct cli_text bytes = {0};
        int code = cli_input_read(command, path, "the file of an image", &bytes);
        const char *wrong = code < 0 ? decode(&bytes, &images->items[images->count++]) : NULL;
        code = wrong != NULL ? cli_fail(command, "%s: %s", path, wrong) : code;
        cli_text_free(&bytes);
        if (code >= 0) {
            return code;
        }
    }
    return -1;
}

void cli_images_free(struct cli_images *images)
{
    for (size_t i = 0; i < images->count; i++) {
        free(images->items[i].pixels);
    }
    free(images->items);
    *images = (struct cli_images){0};
}

int cli_images_check(const struct cli_images *images, const struct cli_model *opened, const struct cli_ids *ids)
{
    const slm_model_info *info = &opened->info;
    size_t places = 0;
    for (size_t i = 0; info->image_tokens > 0 && i < ids->count; i++) {
        places += ids->items[i] == info->image_token;
    }
    if (places != images->count * info->image_tokens) {
        return cli_fail(opened->command, "the prompt has %zu image tokens; %zu image%s of %u tokens %s given with --image", places,
                        images->count, images->count == 1 ? "" : "s", info->image_tokens, images->count == 1 ? "is" : "are");
    }
    return -1;
}

slm_status cli_images_append(const struct cli_images *images, const slm_model_info *info, slm_session *session, const int32_t *ids,
                             size_t count, size_t *done, slm_error *error)
{
    size_t seen = 0; /* image tokens before *done */
    for (size_t i = 0; i < *done; i++) {
        seen += info->image_tokens > 0 && ids[i] == info->image_token;
    }
    while (*done < count) {
        const int sees = info->image_tokens > 0 && ids[*done] == info->image_token;
        size_t length = sees ? info->image_tokens : 0;
        while (!sees && *done + length < count && (info->image_tokens == 0 || ids[*done + length] != info->image_token)) {
            length++;
        }
        slm_status status;
        if (sees && seen / info->image_tokens < images->count && length <= count - *done) {
            const struct cli_image *decoded = &images->items[seen / info->image_tokens];
            const slm_image image = {.struct_size = sizeof image,
                                     .width = decoded->width,
                                     .height = decoded->height,
                                     .pixels = decoded->pixels,
                                     .pixel_bytes = (uint64_t)3 * decoded->width * decoded->height};
            status = slm_session_append_image(session, &image, NULL, error);
            seen += length;
        } else {
            status = slm_session_append(session, ids + *done, length < count - *done ? length : count - *done, NULL, error);
        }
        if (status != SLM_OK) {
            return status;
        }
        *done += length;
    }
    return SLM_OK;
}
