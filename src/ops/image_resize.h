/* SPDX-License-Identifier: MIT */
/*
 * An RGB8 image of any size becomes a square of another, row by row: bilinear with antialiasing, to the bit what Image.resize(BILINEAR)
 * of Pillow 12 gives, which the reference image processors use. (Pillow 13 takes columns before rows for some sizes: single values differ
 * by 1.)
 *
 * One dimension, `in` samples to `out`: scale = in / out, reach = max(scale, 1) (f64). Output o lies at c = (o + 0.5) scale and takes the
 * samples from trunc(c - reach + 0.5) up to trunc(c + reach + 0.5), kept inside the image; sample i weighs 1 - |i - c + 0.5| / reach, at
 * least 0, divided by the sum of the weights and rounded to 22 bits behind the point. A value is (2^21 + the sum of weight times sample)
 * shifted right by 22. First each row, rounded to 8 bits, then the columns.
 */
#ifndef SLM_OPS_IMAGE_RESIZE_H
#define SLM_OPS_IMAGE_RESIZE_H

#include "base/arena.h" /* struct slm_carver */
#include <stdint.h>

enum { SLM_IMAGE_SIDE_MAX = 16384 }; /* of the image, in pixels */

struct slm_image_resize {
    const uint8_t *rgb; /* [height] rows of 3 width bytes */
    uint64_t row_bytes; /* from one row to the next */
    uint32_t width, height, size;
    uint32_t tap_count; /* most samples of one output in a row */
    uint32_t *first;    /* [size] first sample of an output */
    int32_t *taps;      /* [size][tap_count] weights, zeros behind the last */
    uint8_t *scratch;   /* [threads][scratch_bytes] */
    uint64_t scratch_bytes;
};

/* Room for any image, to a square of `size` (1 .. SLM_IMAGE_SIDE_MAX), on `threads` threads. */
void slm__image_resize_carve(struct slm_image_resize *resize, struct slm_carver *carver, uint32_t size, uint32_t threads);
/* Take an image of 1 .. SLM_IMAGE_SIDE_MAX pixels a side. */
void slm__image_resize_begin(struct slm_image_resize *resize, const uint8_t *rgb, uint64_t row_bytes, uint32_t width, uint32_t height);
/* Row y of the square: 3 size bytes, in the thread's scratch. */
const uint8_t *slm__image_resize_row(const struct slm_image_resize *resize, uint32_t y, uint32_t thread);

#endif
