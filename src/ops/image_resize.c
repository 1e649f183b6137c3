/* SPDX-License-Identifier: MIT */
/* The weights of rows are the same for all of them and computed once; those of a column are computed where its row is. A row of the square
 * makes the image's rows that it needs anew: twice as much work as keeping them, and no memory that grows with the image. */
#include "ops/image_resize.h"
#include <string.h>

enum { FRACTION = 22 };

/* Most samples that one output takes, where `in` become `out`. */
static uint32_t most_taps(uint32_t in, uint32_t out) { return 2 * ((in + out - 1) / out) + 1; }

/* The weight before division of a sample at distance `x`, in units of the reach. */
static double weight_at(double x)
{
    const double distance = x < 0.0 ? -x : x;
    return distance < 1.0 ? 1.0 - distance : 0.0;
}

/* The weights of output `o`; returns the first sample, *count is their number. */
static uint32_t find_taps(uint32_t in, uint32_t out, uint32_t o, int32_t *taps, uint32_t *count)
{
    const double scale = (double)in / out, reach = scale < 1.0 ? 1.0 : scale, inverse = 1.0 / reach;
    const double center = (o + 0.5) * scale, low = center - reach + 0.5, high = center + reach + 0.5;
    const uint32_t first = low < 0.0 ? 0 : (uint32_t)low, end = high > in ? in : (uint32_t)high;
    double sum = 0.0;
    for (uint32_t i = first; i < end; i++) {
        sum += weight_at((i - center + 0.5) * inverse);
    }
    for (uint32_t i = first; i < end; i++) {
        taps[i - first] = (int32_t)(0.5 + weight_at((i - center + 0.5) * inverse) / sum * (1 << FRACTION));
    }
    *count = end - first;
    return first;
}

static uint8_t to_byte(int32_t sum)
{
    const int32_t value = sum >> FRACTION; /* sums are not negative */
    return value > 255 ? 255 : (uint8_t)value;
}

void slm__image_resize_carve(struct slm_image_resize *resize, struct slm_carver *carver, uint32_t size, uint32_t threads)
{
    const uint64_t column_taps = most_taps(SLM_IMAGE_SIDE_MAX, size), line = 3 * (uint64_t)size;
    resize->size = size;
    resize->scratch_bytes = (column_taps + line) * sizeof(int32_t) + 2 * line;
    resize->scratch_bytes = (resize->scratch_bytes + 63) & ~(uint64_t)63;
    resize->first = slm__carve(carver, (uint64_t)size * sizeof *resize->first);
    resize->taps = slm__carve(carver, (uint64_t)size * column_taps * sizeof *resize->taps);
    resize->scratch = slm__carve(carver, threads * resize->scratch_bytes);
}

void slm__image_resize_begin(struct slm_image_resize *resize, const uint8_t *rgb, uint64_t row_bytes, uint32_t width, uint32_t height)
{
    resize->rgb = rgb;
    resize->row_bytes = row_bytes;
    resize->width = width;
    resize->height = height;
    resize->tap_count = most_taps(width, resize->size);
    memset(resize->taps, 0, (size_t)resize->size * resize->tap_count * sizeof *resize->taps);
    for (uint32_t x = 0; x < resize->size; x++) {
        uint32_t count = 0;
        resize->first[x] = find_taps(width, resize->size, x, resize->taps + (size_t)x * resize->tap_count, &count);
    }
}

/* One row of the image in the square's width. */
static void resize_line(const struct slm_image_resize *resize, const uint8_t *row, uint8_t *out)
{
    for (uint32_t x = 0; x < resize->size; x++) {
        const int32_t *taps = resize->taps + (size_t)x * resize->tap_count;
        const uint32_t left = resize->width - resize->first[x], count = left < resize->tap_count ? left : resize->tap_count;
        const uint8_t *pixel = row + 3 * (size_t)resize->first[x];
        int32_t red = 1 << (FRACTION - 1), green = red, blue = red;
        for (uint32_t i = 0; i < count; i++, pixel += 3) {
            red += taps[i] * pixel[0];
            green += taps[i] * pixel[1];
            blue += taps[i] * pixel[2];
        }
        out[3 * (size_t)x] = to_byte(red);
        out[3 * (size_t)x + 1] = to_byte(green);
        out[3 * (size_t)x + 2] = to_byte(blue);
    }
}

const uint8_t *slm__image_resize_row(const struct slm_image_resize *resize, uint32_t y, uint32_t thread)
{
    const size_t length = 3 * (size_t)resize->size;
    int32_t *sums = (int32_t *)(void *)(resize->scratch + thread * resize->scratch_bytes), *taps = sums + length;
    uint8_t *line = (uint8_t *)(taps + most_taps(SLM_IMAGE_SIDE_MAX, resize->size)), *out = line + length;
    uint32_t count = 0;
    const uint32_t first = find_taps(resize->height, resize->size, y, taps, &count);
    for (size_t i = 0; i < length; i++) {
        sums[i] = 1 << (FRACTION - 1);
    }
    for (uint32_t t = 0; t < count; t++) {
        resize_line(resize, resize->rgb + (first + t) * resize->row_bytes, line);
        for (size_t i = 0; i < length; i++) {
            sums[i] += taps[t] * line[i];
        }
    }
    for (size_t i = 0; i < length; i++) {
        out[i] = to_byte(sums[i]);
    }
    return out;
}
