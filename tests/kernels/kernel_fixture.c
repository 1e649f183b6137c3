/* SPDX-License-Identifier: MIT */
/* See kernel_fixture.h. */
#define _GNU_SOURCE
#include "tests/kernels/kernel_fixture.h"
#include "kernels/half_bits.h" /* slm__f32_to_f16 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MOST_GUARDED = 4096 };
static struct {
    void *base;
    size_t length;
} mappings[MOST_GUARDED];
static size_t mapping_count;

void *guarded(size_t bytes, size_t alignment)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (bytes + page - 1) / page * page;
    uint8_t *base = mmap(NULL, body + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mapping_count == MOST_GUARDED || mprotect(base, page, PROT_NONE) != 0 ||
        mprotect(base + page + body, page, PROT_NONE) != 0) {
        abort();
    }
    mappings[mapping_count].base = base;
    mappings[mapping_count++].length = body + 2 * page;
    return base + page + (body - bytes) / alignment * alignment;
}

void guarded_release_all(void)
{
    while (mapping_count > 0) {
        mapping_count--;
        munmap(mappings[mapping_count].base, mappings[mapping_count].length);
    }
}

uint32_t dice_bits(struct dice *dice)
{
    dice->state = dice->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice->state >> 32);
}

float dice_float(struct dice *dice) { return (float)(int32_t)dice_bits(dice) * 0x1p-31f; }

void dice_fill(struct dice *dice, float *x, size_t n, float amplitude)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = dice_float(dice) * amplitude;
    }
}

static void random_float_line(struct dice *dice, enum slm_weight_type type, uint8_t *line, uint32_t r, bool zero)
{
    const float value = zero ? 0.0f : dice_float(dice);
    const uint16_t half = type == SLM_WEIGHT_F16 ? slm__f32_to_f16(value) : slm__f32_to_bf16(value);
    if (type == SLM_WEIGHT_F32) {
        memcpy(line + (size_t)4 * r, &value, 4);
    } else {
        memcpy(line + (size_t)2 * r, &half, 2);
    }
}

static void random_float_panel(struct dice *dice, const struct slm_matrix *w, uint8_t *panel, uint32_t rows)
{
    const uint32_t padded = slm__padded_cols(w->cols);
    for (uint32_t k = 0; k < padded; k++) {
        for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
            random_float_line(dice, w->type, panel + w->panel_bytes / padded * k, r, k >= w->cols || r >= rows);
        }
    }
}

static uint16_t random_half_scale(struct dice *dice, enum weights_kind kind)
{
    static const uint16_t extremes[] = {0x0000, 0x8000, 0x0001, 0x83ff, 0x7bff, 0xfbff, 0x0400, 0x3c00};
    return kind == WEIGHTS_EXTREME ? extremes[dice_bits(dice) % 8] : slm__f32_to_f16(0.02f * dice_float(dice));
}

static void random_i8_panel(struct dice *dice, const struct slm_matrix *w, uint8_t *panel, enum weights_kind kind)
{
    static const uint8_t ends[] = {0x80, 0x7f, 0x81, 0x80};
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint32_t k = 0; k < w->cols; k++) {
        for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
            const uint32_t bits = dice_bits(dice);
            panel[(size_t)64 * (k / 4) + (size_t)4 * r + k % 4] = kind == WEIGHTS_EXTREME ? ends[bits >> 16 & 3] : (uint8_t)(bits >> 16);
        }
    }
    for (uint32_t i = 0; i < groups * SLM_PANEL_ROWS; i++) {
        const uint16_t scale = random_half_scale(dice, kind);
        memcpy(panel + slm__i8_scales_offset(groups) + (size_t)2 * i, &scale, 2);
    }
}

static void random_i4_panel(struct dice *dice, const struct slm_matrix *w, uint8_t *panel, enum weights_kind kind)
{
    static const uint8_t ends[] = {0x00, 0xff, 0x0f, 0xff};
    const uint32_t groups = slm__padded_cols(w->cols) / SLM_GROUP;
    for (uint64_t i = 0; i < slm__i4_rows_offset(groups); i++) {
        const uint32_t bits = dice_bits(dice);
        panel[i] = kind == WEIGHTS_EXTREME ? ends[bits >> 16 & 3] : (uint8_t)(bits >> 16);
    }
    const bool even = kind == WEIGHTS_ORDINARY || (dice_bits(dice) >> 16 & 1) == 0; /* zeros as the encoder makes them */
    for (uint64_t i = slm__i4_zeros_offset(groups); even && i < slm__i4_rows_offset(groups); i++) {
        panel[i] &= 0xfe;
    }
    for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
        const float row = kind == WEIGHTS_EXTREME && r % 4 == 0 ? 0.0f : 0.02f * dice_float(dice);
        memcpy(panel + slm__i4_rows_offset(groups) + (size_t)4 * r, &row, 4);
    }
}

struct slm_matrix random_matrix(struct dice *dice, enum slm_weight_type type, uint32_t rows, uint32_t cols, enum weights_kind kind)
{
    struct slm_matrix w = {NULL, slm__panel_bytes(type, cols), rows, cols, type};
    const uint32_t panels = slm__padded_rows(rows) / SLM_PANEL_ROWS;
    uint8_t *data = guarded(w.panel_bytes * panels, 64);
    w.data = data;
    for (uint32_t p = 0; p < panels; p++) {
        uint8_t *panel = data + p * w.panel_bytes;
        if (kind == WEIGHTS_ANY) {
            for (uint64_t i = 0; i < w.panel_bytes; i++) {
                panel[i] = (uint8_t)(dice_bits(dice) >> 16);
            }
        } else if (type == SLM_WEIGHT_I8) {
            random_i8_panel(dice, &w, panel, kind);
        } else if (type == SLM_WEIGHT_I4) {
            random_i4_panel(dice, &w, panel, kind);
        } else {
            random_float_panel(dice, &w, panel, rows - p * SLM_PANEL_ROWS);
        }
    }
    return w;
}

const char *weight_type_name(enum slm_weight_type type)
{
    static const char *const names[SLM_WEIGHT_TYPES] = {"none", "f32", "f16", "bf16", "i8", "i4"};
    return names[type];
}

size_t first_difference(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (slm__f32_bits(a[i]) != slm__f32_bits(b[i]) && (a[i] == a[i] || b[i] == b[i])) {
            return i;
        }
    }
    return n;
}

double normalized_error(const float *got, const double *want, size_t n)
{
    double error = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        square += want[i] * want[i];
    }
    return error / square;
}

const enum slm_isa *tiers_to_check(void)
{
    static const enum slm_isa all[] = {SLM_TIER_AVX2, SLM_TIER_AVXVNNI,      SLM_TIER_AVX512VNNI,
                                       SLM_TIER_NEON, SLM_TIER_NEON_DOTPROD, SLM_TIER_NEON_I8MM};
    static enum slm_isa usable[sizeof all / sizeof all[0] + 1];
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (slm__isa_usable(all[i])) {
            usable[count++] = all[i];
        }
    }
    usable[count] = (enum slm_isa)0;
    return usable;
}

const struct slm_kernels *tier_table(enum slm_isa isa)
{
    static struct slm_kernels tables[32];
    slm__kernels_fill(&tables[isa], isa);
    return &tables[isa];
}

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool asked_for_bench(int argc, char **argv) { return argc == 2 && strcmp(argv[1], "--bench") == 0; }
