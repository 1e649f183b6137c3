/* SPDX-License-Identifier: MIT */
/* Resizing images: to the bit what Pillow 12.2.0 makes of the same pixels by Image.resize((size, size), Image.BILINEAR), as FNV-1a hashes
 * of its bytes; any row from any thread; nothing read beside the image. */
#include "ops/image_resize.h"
#include "tests/kernels/kernel_fixture.h" /* guarded */
#include <stdlib.h>
#include <string.h>

/* Pixels that tests and the hashes below share. */
static uint8_t *noise(uint32_t width, uint32_t height, uint64_t row_bytes)
{
    uint8_t *pixels = guarded((height - 1) * row_bytes + 3 * (size_t)width, 1);
    uint32_t state = width * 65536 + height;
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < 3 * width; x++) {
            state = state * 1664525u + 1013904223u;
            pixels[y * row_bytes + x] = (uint8_t)(state >> 24);
        }
    }
    return pixels;
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

static const struct {
    uint32_t width, height, size;
    uint64_t hash;
} cases[] = {
    {32, 32, 32, 0x27c86ff8530592be},  {1, 1, 32, 0x9999f37851560b25},      {3, 65, 32, 0x06e93f611728e2cf},
    {65, 3, 32, 0x40ef129db5ed4293},   {640, 37, 32, 0xed786cb2a43d0e94},   {31, 33, 32, 0x8bc33f6b724601b1},
    {64, 64, 32, 0x351fe99aea016be8},  {100, 1, 32, 0xf08233fb7a7bb1a5},    {1, 100, 32, 0xb204dd1997ee7c05},
    {97, 203, 48, 0xbaff4ad05fb47635}, {500, 333, 224, 0x61f40eeb83b4737a}, {224, 500, 224, 0x44cde35c119c3562},
    {20, 30, 224, 0x927ae8486a38b911}, {300, 2, 1, 0xd16d3c198a1716c7},     {7, 9, 5, 0x7cb39d871c6cbc7a},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static void equal_to_pillow(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        for (uint64_t gap = 0; gap < 2; gap++) {
            struct slm_image_resize resize;
            struct slm_carver carver = {NULL, 0};
            slm__image_resize_carve(&resize, &carver, cases[i].size, 2);
            carver = (struct slm_carver){guarded((size_t)carver.used, 64), 0};
            slm__image_resize_carve(&resize, &carver, cases[i].size, 2);
            const uint64_t row_bytes = 3 * (uint64_t)cases[i].width + 7 * gap;
            slm__image_resize_begin(&resize, noise(cases[i].width, cases[i].height, row_bytes), row_bytes, cases[i].width, cases[i].height);
            uint64_t hash = 0xcbf29ce484222325;
            for (uint32_t y = 0; y < cases[i].size; y++) {
                hash = hash_bytes(hash, slm__image_resize_row(&resize, y, (y + (uint32_t)gap) % 2), 3 * (size_t)cases[i].size);
            }
            if (hash != cases[i].hash) {
                fail_msg("%u x %u to %u differs from Pillow", cases[i].width, cases[i].height, cases[i].size);
            }
            guarded_release_all();
        }
    }
}

/* The longest sides that are possible, one colour: it stays. */
static void long_sides(void **state)
{
    static const uint32_t shapes[][2] = {{SLM_IMAGE_SIDE_MAX, 1}, {1, SLM_IMAGE_SIDE_MAX}, {SLM_IMAGE_SIDE_MAX, 300}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const uint32_t width = shapes[i][0], height = shapes[i][1], size = 10;
        uint8_t *pixels = guarded(3 * (size_t)width * height, 1);
        memset(pixels, 255, 3 * (size_t)width * height);
        struct slm_image_resize resize;
        struct slm_carver carver = {NULL, 0};
        slm__image_resize_carve(&resize, &carver, size, 1);
        carver = (struct slm_carver){guarded((size_t)carver.used, 64), 0};
        slm__image_resize_carve(&resize, &carver, size, 1);
        slm__image_resize_begin(&resize, pixels, 3 * (uint64_t)width, width, height);
        for (uint32_t y = 0; y < size; y++) {
            const uint8_t *row = slm__image_resize_row(&resize, y, 0);
            for (uint32_t x = 0; x < 3 * size; x++) {
                assert_int_equal(row[x], 255);
            }
        }
        guarded_release_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equal_to_pillow), cmocka_unit_test(long_sides)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
