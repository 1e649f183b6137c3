/* SPDX-License-Identifier: MIT */
/* Images of the command line: files decoded to RGB, and prompts whose image tokens they take the place of. */
#ifndef SLM_CLI_IMAGE_H
#define SLM_CLI_IMAGE_H

#include "examples/cli/cli_options.h" /* struct cli_strings */
#include "examples/cli/cli_prompt.h"  /* struct cli_model, struct cli_ids */

/* Rows of RGB, 8 bits each; pixels are freed with cli_images_free(). */
struct cli_image {
    unsigned char *pixels;
    uint32_t width, height;
};

struct cli_images {
    struct cli_image *items;
    size_t count;
};

enum { CLI_IMAGE_SIDE_MAX = 16384 };

/* Decode all files; PNG and JPEG where the build found libpng and libjpeg, binary PPM always. -1 to go on, or an exit code. */
int cli_images_read(struct cli_images *images, const char *command, const struct cli_strings *paths);
void cli_images_free(struct cli_images *images);

/* "images by libpng, libjpeg": what this build decodes with, or "images by no library: PPM files only". */
const char *cli_images_libraries(void);

/* Room for an image, or what is wrong with its size. NULL: fine. */
const char *cli_image_allocate(struct cli_image *image, uint64_t width, uint64_t height);
/* The decoders: NULL, or a sentence. */
const char *cli_image_decode_png(const struct cli_text *bytes, struct cli_image *image);
const char *cli_image_decode_jpeg(const struct cli_text *bytes, struct cli_image *image);

/* Places for images among the ids: runs of the model's image_tokens. -1 when there are as many as images, or an exit code. */
int cli_images_check(const struct cli_images *images, const struct cli_model *opened, const struct cli_ids *ids);
/* Append ids[*done ..] to the session, images in their places; *done is how far it came. */
slm_status cli_images_append(const struct cli_images *images, const slm_model_info *info, slm_session *session, const int32_t *ids,
                             size_t count, size_t *done, slm_error *error);

#endif
