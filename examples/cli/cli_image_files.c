/* SPDX-License-Identifier: MIT */
/* PNG and JPEG through their libraries, where the build found them. Transparency is left out and no rotation applied, as the reference
 * processors do with a decoded image. */
#include "examples/cli/cli_image.h" /* struct cli_image */

#if SLM_CLI_PNG
#  include <png.h>
#endif
#if SLM_CLI_JPEG
#  include <setjmp.h>
#  include <stdio.h>

#  include <jpeglib.h>
#endif
#include <stdlib.h>
#include <string.h>

const char *cli_images_libraries(void)
{
#if SLM_CLI_PNG && SLM_CLI_JPEG
    return "images by libpng, libjpeg";
#elif SLM_CLI_PNG
    return "images by libpng";
#elif SLM_CLI_JPEG
    return "images by libjpeg";
#else
    return "images by no library: PPM files only";
#endif
}

#if SLM_CLI_PNG
const char *cli_image_decode_png(const struct cli_text *bytes, struct cli_image *image)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (png_image_begin_read_from_memory(&png, bytes->bytes, bytes->length) == 0) {
        return "the PNG file is damaged";
    }
    png.format = PNG_FORMAT_RGBA;
    const char *wrong = cli_image_allocate(image, png.width, png.height);
    unsigned char *wide = wrong == NULL ? malloc((size_t)4 * png.width * png.height) : NULL;
    if (wrong == NULL && wide == NULL) {
        wrong = "memory could not be allocated";
    }
    if (wrong == NULL && png_image_finish_read(&png, NULL, wide, 0, NULL) == 0) {
        wrong = "the PNG file is damaged";
    }
    for (size_t i = 0; wrong == NULL && i < (size_t)image->width * image->height; i++) {
        memcpy(image->pixels + 3 * i, wide + 4 * i, 3);
    }
    free(wide);
    png_image_free(&png);
    return wrong;
}
#else
const char *cli_image_decode_png(const struct cli_text *bytes, struct cli_image *image)
{
    (void)bytes, (void)image;
    return "this slm was built without libpng: install libpng-dev and build again, or give a JPEG or binary PPM file";
}
#endif

#if SLM_CLI_JPEG
/* libjpeg ends the process on an error unless told otherwise. */
struct jpeg_failure {
    struct jpeg_error_mgr manager; /* first: libjpeg gives its address */
    jmp_buf leave;
};

static void leave_jpeg(j_common_ptr common)
{
    struct jpeg_failure *failure = (struct jpeg_failure *)(void *)common->err;
    longjmp(failure->leave, 1);
}

static void say_nothing(j_common_ptr common) { (void)common; }

static const char *read_jpeg(struct jpeg_decompress_struct *jpeg, const struct cli_text *bytes, struct cli_image *image)
{
    jpeg_mem_src(jpeg, (const unsigned char *)bytes->bytes, (unsigned long)bytes->length);
    (void)jpeg_read_header(jpeg, TRUE);
    jpeg->out_color_space = JCS_RGB;
    const char *wrong = cli_image_allocate(image, jpeg->image_width, jpeg->image_height);
    if (wrong != NULL) {
        return wrong;
    }
    (void)jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        unsigned char *row = image->pixels + (size_t)3 * image->width * jpeg->output_scanline;
        (void)jpeg_read_scanlines(jpeg, &row, 1);
    }
    (void)jpeg_finish_decompress(jpeg);
    return jpeg->err->num_warnings == 0 ? NULL : "the JPEG file is damaged";
}

const char *cli_image_decode_jpeg(const struct cli_text *bytes, struct cli_image *image)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_failure failure;
    memset(&jpeg, 0, sizeof jpeg);
    jpeg.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = leave_jpeg;
    failure.manager.output_message = say_nothing;
    if (setjmp(failure.leave) != 0) {
        jpeg_destroy_decompress(&jpeg);
        return "the JPEG file is damaged, or not RGB";
    }
    jpeg_create_decompress(&jpeg);
    const char *wrong = read_jpeg(&jpeg, bytes, image);
    jpeg_destroy_decompress(&jpeg);
    return wrong;
}
#else
const char *cli_image_decode_jpeg(const struct cli_text *bytes, struct cli_image *image)
{
    (void)bytes, (void)image;
    return "this slm was built without libjpeg: install libjpeg-dev and build again, or give a PNG or binary PPM file";
}
#endif
