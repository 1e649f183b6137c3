/* SPDX-License-Identifier: MIT */
/* Encoders and decoder of weight panels: bytes as FORMAT.md has them, the errors that the format promises, exact edge cases, and the same
 * floats as the kernels read from the same bytes. */
#include "base/random.h"          /* slm__random_unit */
#include "format/weight_encode.h" /* what is tested */
#include "kernels/half_bits.h"    /* slm__f32_to_f16 ... */
#include "kernels/kernels.h"      /* struct slm_kernels: the gather kernels */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A matrix of one panel. */
struct panel {
    uint32_t rows, cols;
    enum slm_weight_type type;
    float *values; /* [rows][cols] */
    uint8_t *bytes;
    void *scratch;
    struct slm_encode_error sums;
    uint32_t bad_row, bad_col;
};

static void panel_make(struct panel *panel, enum slm_weight_type type, uint32_t rows, uint32_t cols)
{
    *panel = (struct panel){.rows = rows, .cols = cols, .type = type};
    panel->values = calloc((size_t)rows * cols, sizeof(float));
    panel->bytes = aligned_alloc(64, (size_t)slm__panel_bytes(type, cols));
    panel->scratch = aligned_alloc(64, (slm__encode_scratch(cols) + 63) / 64 * 64);
    assert_true(panel->values != NULL && panel->bytes != NULL && panel->scratch != NULL);
    memset(panel->bytes, 0xee, (size_t)slm__panel_bytes(type, cols));
}

static void panel_free(struct panel *panel)
{
    free(panel->values);
    free(panel->bytes);
    free(panel->scratch);
}

static slm_status panel_encode(struct panel *panel)
{
    const float *rows[16] = {NULL};
    for (uint32_t r = 0; r < panel->rows; r++) {
        rows[r] = panel->values + (size_t)r * panel->cols;
    }
    return slm__encode_panel(panel->type, rows, panel->rows, panel->cols, panel->bytes, panel->scratch, &panel->sums, &panel->bad_row,
                             &panel->bad_col);
}

static double relative_error(const struct panel *panel) { return sqrt(panel->sums.error / panel->sums.energy); }

/* ---- random weights ---- */

enum distribution { GAUSS, STUDENT, LAPLACE };

static double gauss(struct slm_random *random)
{
    double radius = sqrt(-2.0 * log(1.0 - slm__random_unit(random)));
    return radius * cos(6.283185307179586 * slm__random_unit(random));
}

static double draw(struct slm_random *random, enum distribution distribution)
{
    double sum = 0.0;
    switch (distribution) {
    case GAUSS: return gauss(random);
    case STUDENT: /* 5 degrees of freedom */
        for (int i = 0; i < 5; i++) {
            double x = gauss(random);
            sum += x * x;
        }
        return gauss(random) / sqrt(sum / 5.0);
    case LAPLACE: sum = slm__random_unit(random) - 0.5; return sum < 0 ? log(1.0 + 2.0 * sum) : -log(1.0 - 2.0 * sum);
    }
    return 0.0;
}

static void fill(struct panel *panel, enum distribution distribution, uint64_t seed, double scale)
{
    struct slm_random random;
    slm__random_seed(&random, seed);
    for (size_t i = 0; i < (size_t)panel->rows * panel->cols; i++) {
        panel->values[i] = (float)(scale * draw(&random, distribution));
    }
}

/* ---- errors promised in FORMAT.md ---- */

/* Whether the document has these numbers, line ends counting as spaces. */
static void is_in_format_document(const char *numbers)
{
    static char text[1 << 16];
    FILE *file = fopen("src/format/FORMAT.md", "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    for (char *at = text; *at != 0; at++) {
        *at = *at == '\n' ? ' ' : *at;
    }
    if (strstr(text, numbers) == NULL) {
        fail_msg("src/format/FORMAT.md does not say: %s", numbers);
    }
}

static void i4_reaches_the_promised_error(void **state)
{
    (void)state;
    static const double promised[] = {0.0705, 0.0818, 0.0827};
    is_in_format_document("i4 0.0705 / 0.0818 / 0.0827");
    for (int d = GAUSS; d <= LAPLACE; d++) {
        struct panel panel;
        panel_make(&panel, SLM_WEIGHT_I4, 16, 8192);
        fill(&panel, (enum distribution)d, 1, 0.02);
        assert_int_equal(panel_encode(&panel), SLM_OK);
        print_message("i4 distribution %d: %.4f, promised %.4f\n", d, relative_error(&panel), promised[d]);
        assert_true(fabs(relative_error(&panel) - promised[d]) < 1e-4);
        panel_free(&panel);
    }
}

/* Error of Q8_0: scale f16(amax / 127), codes rounded with the unrounded scale. */
static double q8_0_error(const struct panel *panel)
{
    double error = 0.0, energy = 0.0;
    for (size_t i = 0; i < (size_t)panel->rows * panel->cols; i += 32) {
        float amax = 0.0f;
        for (size_t k = i; k < i + 32; k++) {
            amax = fmaxf(amax, fabsf(panel->values[k]));
        }
        float scale = slm__f16_to_f32(slm__f32_to_f16(amax / 127.0f)), inverse = amax > 0.0f ? 127.0f / amax : 0.0f;
        for (size_t k = i; k < i + 32; k++) {
            double w = panel->values[k], difference = w - (double)(scale * roundf(panel->values[k] * inverse));
            error += difference * difference;
            energy += w * w;
        }
    }
    return sqrt(error / energy);
}

static void i8_is_no_worse_than_q8_0(void **state)
{
    (void)state;
    static const double promised[] = {0.00515, 0.00648, 0.00651};
    is_in_format_document("i8 0.00515 / 0.00648 / 0.00651");
    for (int d = GAUSS; d <= LAPLACE; d++) {
        struct panel panel;
        panel_make(&panel, SLM_WEIGHT_I8, 16, 4096);
        fill(&panel, (enum distribution)d, 2, 0.02);
        assert_int_equal(panel_encode(&panel), SLM_OK);
        print_message("i8 distribution %d: %.5f, Q8_0 %.5f\n", d, relative_error(&panel), q8_0_error(&panel));
        assert_true(fabs(relative_error(&panel) - promised[d]) < 1e-5);
        assert_true(relative_error(&panel) <= q8_0_error(&panel));
        panel_free(&panel);
    }
}

/* The search sees rows scaled by a power of two, so codes do not depend on the weights' unit. */
static void i4_codes_do_not_depend_on_the_unit(void **state)
{
    (void)state;
    struct panel reference, panel;
    panel_make(&reference, SLM_WEIGHT_I4, 16, 96);
    fill(&reference, STUDENT, 3, 1.0);
    assert_int_equal(panel_encode(&reference), SLM_OK);
    for (int exponent = -96; exponent <= 120; exponent += 24) {
        panel_make(&panel, SLM_WEIGHT_I4, 16, 96);
        fill(&panel, STUDENT, 3, ldexp(1.0, exponent));
        assert_int_equal(panel_encode(&panel), SLM_OK);
        assert_memory_equal(panel.bytes, reference.bytes, (size_t)slm__i4_rows_offset(3));
        panel_free(&panel);
    }
    panel_free(&reference);
}

/* ---- layouts ---- */

static void matrices_of_every_type_and_odd_shapes_come_back(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = {{16, 32}, {1, 1}, {15, 31}, {16, 33}, {3, 64}, {7, 172}, {16, 80}, {2, 257}};
    static const double bound[SLM_WEIGHT_TYPES] = {0, 0, 0.0005, 0.004, 0.01, 0.12}; /* relative rms */
    for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            struct panel panel;
            double error = 0.0, energy = 0.0;
            panel_make(&panel, (enum slm_weight_type)type, shapes[s][0], shapes[s][1]);
            fill(&panel, GAUSS, 100 + s, 0.05);
            assert_int_equal(panel_encode(&panel), SLM_OK);
            float *row = malloc(panel.cols * sizeof *row); /* exactly cols, so that a sanitizer sees a write behind it */
            assert_non_null(row);
            for (uint32_t r = 0; r < panel.rows; r++) {
                slm__decode_panel_row(panel.type, panel.bytes, r, panel.cols, row);
                for (uint32_t k = 0; k < panel.cols; k++) {
                    double w = panel.values[(size_t)r * panel.cols + k], difference = w - row[k];
                    error += difference * difference;
                    energy += w * w;
                }
            }
            assert_true(error <= energy * bound[type] * bound[type]);
            assert_true(fabs(error - panel.sums.error) <= 1e-12 * energy && fabs(energy - panel.sums.energy) <= 1e-12 * energy);
            for (uint32_t r = panel.rows; r < 16; r++) { /* padded rows are zeros */
                slm__decode_panel_row(panel.type, panel.bytes, r, panel.cols, row);
                for (uint32_t k = 0; k < panel.cols; k++) {
                    assert_true(row[k] == 0.0f);
                }
            }
            free(row);
            panel_free(&panel);
        }
    }
}

static void rows_equal_the_gather_kernels_bit_for_bit(void **state)
{
    (void)state;
    struct slm_kernels kernels;
    memset(&kernels, 0, sizeof kernels);
    slm__kernels_fill(&kernels, SLM_TIER_SCALAR);
    for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        enum { COLS = 96 };
        struct slm_random random;
        uint64_t bytes = slm__panel_bytes((enum slm_weight_type)type, COLS);
        uint8_t *data = aligned_alloc(64, (size_t)bytes);
        assert_non_null(data);
        slm__random_seed(&random, type);
        for (uint64_t i = 0; i < bytes; i++) { /* any bits are legal */
            data[i] = (uint8_t)slm__random_u64(&random);
        }
        struct slm_matrix matrix = {data, bytes, 16, COLS, (enum slm_weight_type)type};
        for (uint32_t r = 0; r < 16; r++) {
            float expected[COLS], row[COLS];
            kernels.gather[type](&matrix, r, expected);
            slm__decode_panel_row((enum slm_weight_type)type, data, r, COLS, row);
            for (uint32_t k = 0; k < COLS; k++) {
                assert_true(slm__f32_bits(row[k]) == slm__f32_bits(expected[k]) || (isnan(row[k]) && isnan(expected[k])));
            }
        }
        free(data);
    }
}

/* FORMAT.md section 11. */
static void worked_example_of_i8(void **state)
{
    (void)state;
    static const uint8_t line0[] = {0xb1, 0xb2, 0xb3, 0xb4, 0xb9, 0xba, 0xbb, 0xbc};
    static const uint8_t end_of_line0[] = {0x29, 0x2a, 0x2b, 0x2c, 0xb5, 0xb6, 0xb7, 0xb8};
    static const uint8_t end_and_scales[] = {0x45, 0x46, 0x47, 0x48, 0x00, 0x2c, 0x00, 0x28};
    int8_t codes[16][32];
    uint16_t scales[16];
    const int8_t *code_rows[16];
    const uint16_t *scale_rows[16];
    uint8_t panel[576];
    float row[32];
    for (int r = 0; r < 16; r++) {
        for (int k = 0; k < 32; k++) {
            codes[r][k] = (int8_t)(8 * r + k - 79);
        }
        scales[r] = r % 2 == 0 ? 0x2c00 : 0x2800;
        code_rows[r] = codes[r];
        scale_rows[r] = &scales[r];
    }
    assert_int_equal(slm__panel_bytes(SLM_WEIGHT_I8, 32), sizeof panel);
    slm__encode_panel_i8_codes(code_rows, scale_rows, 16, 32, panel);
    assert_memory_equal(panel, line0, 8);
    assert_memory_equal(panel + 60, end_of_line0, 8);
    assert_memory_equal(panel + 508, end_and_scales, 8);
    for (int i = 544; i < 576; i++) {
        assert_int_equal(panel[i], 0);
    }
    slm__decode_panel_row(SLM_WEIGHT_I8, panel, 1, 32, row);
    assert_true(row[2] == -2.15625f);
}

/* The same: bytes built by the rules, compared with the document, decoded. */
static void worked_example_of_i4(void **state)
{
    (void)state;
    static const uint8_t row0[] = {0x50, 0x61, 0x72, 0x83}, row3[] = {0x83, 0x94, 0xa5, 0xb6};
    static const uint8_t line1[] = {0x94, 0xa5, 0xb6, 0xc7}, end[] = {0x0b, 0x1c, 0x2d, 0x3e};
    uint8_t bytes[448] = {0};
    const float factor = 0.0625f;
    float row[32];
    assert_int_equal(slm__panel_bytes(SLM_WEIGHT_I4, 32), sizeof bytes);
    for (uint32_t r = 0; r < 16; r++) {
        for (uint32_t k = 0; k < 16; k++) {
            uint32_t low = (r + k) % 16, high = (r + k + 16 + 5) % 16;
            bytes[64 * (k / 4) + 4 * r + k % 4] = (uint8_t)(low | high << 4);
        }
        bytes[256 + r] = (uint8_t)(0xb0 + r);
        bytes[320 + r] = (uint8_t)(120 + r);
        memcpy(bytes + 384 + 4 * r, &factor, 4);
    }
    assert_memory_equal(bytes, row0, 4);
    assert_memory_equal(bytes + 12, row3, 4);
    assert_memory_equal(bytes + 64, line1, 4);
    assert_memory_equal(bytes + 252, end, 4);
    slm__decode_panel_row(SLM_WEIGHT_I4, bytes, 3, 32, row);
    assert_true(row[18] == 0.0858154296875f);
}

/* ---- edge cases ---- */

/* Encode one row of `cols` values and decode it. */
static void encode_row(enum slm_weight_type type, const float *values, uint32_t cols, float *decoded)
{
    struct panel panel;
    panel_make(&panel, type, 1, cols);
    memcpy(panel.values, values, cols * sizeof(float));
    assert_int_equal(panel_encode(&panel), SLM_OK);
    slm__decode_panel_row(type, panel.bytes, 0, cols, decoded);
    panel_free(&panel);
}

static void zeros_are_exact_and_canonical(void **state)
{
    (void)state;
    struct panel panel;
    panel_make(&panel, SLM_WEIGHT_I4, 2, 64);
    panel.values[40] = 1.0f; /* row 0: group 0 is zero, group 1 is not; row 1 is zero */
    assert_int_equal(panel_encode(&panel), SLM_OK);
    float row[64];
    slm__decode_panel_row(SLM_WEIGHT_I4, panel.bytes, 0, 64, row);
    for (int k = 0; k < 32; k++) {
        assert_true(row[k] == 0.0f);
    }
    assert_true(fabsf(row[40] - 1.0f) < 0.01f);
    for (uint32_t r = 0; r < 16; r++) {
        assert_int_equal(panel.bytes[slm__i4_scales_offset(2) + r], 0);
        assert_int_equal(panel.bytes[slm__i4_zeros_offset(2) + r], 128);
        assert_int_equal(panel.bytes[4 * r], 0x88);
        float factor;
        memcpy(&factor, panel.bytes + slm__i4_rows_offset(2) + 4 * r, 4);
        assert_true(r == 0 ? factor > 0.0f : factor == 0.0f);
    }
    panel_free(&panel);
}

static void constant_groups_are_close(void **state)
{
    (void)state;
    static const float constants[] = {1.0f, -1.0f, 0.3f, -7.77f, 1e-20f, 3e25f};
    for (size_t c = 0; c < sizeof constants / sizeof *constants; c++) {
        float values[32], decoded[32];
        for (int k = 0; k < 32; k++) {
            values[k] = constants[c];
        }
        encode_row(SLM_WEIGHT_I4, values, 32, decoded);
        for (int k = 0; k < 32; k++) {
            assert_true(fabsf(decoded[k] / constants[c] - 1.0f) < 0.005f);
        }
    }
}

static void tiny_and_huge_rows_are_kept_or_zero(void **state)
{
    (void)state;
    static const float scales[] = {0x1p-149f, 0x1p-127f, 0x1p-101f, 0x1p-99f, 0x1p-30f, 0x1p30f, 0x1p125f};
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        float values[32], decoded[32];
        double error = 0.0, energy = 0.0;
        for (int k = 0; k < 32; k++) {
            values[k] = scales[s] * ((float)((k * 7 % 32) - 15) / 16.0f);
        }
        encode_row(SLM_WEIGHT_I4, values, 32, decoded);
        for (int k = 0; k < 32; k++) {
            double w = (double)values[k] / scales[s], difference = w - (double)decoded[k] / scales[s];
            assert_true(isfinite(decoded[k]));
            error += difference * difference;
            energy += w * w;
        }
        if (scales[s] < 0x1p-100f) {
            assert_true(energy == error); /* written as zeros */
        } else {
            assert_true(error < 0.01 * energy);
        }
    }
}

static void groups_of_one_sign_and_outliers_are_bounded(void **state)
{
    (void)state;
    float values[64], decoded[64];
    for (int k = 0; k < 64; k++) {
        values[k] = k < 32 ? 0.5f + 0.01f * (float)k : -0.001f * (float)(k - 31);
    }
    values[5] = 40.0f; /* group 0 has an outlier, group 1 is negative and much smaller */
    encode_row(SLM_WEIGHT_I4, values, 64, decoded);
    for (int k = 0; k < 64; k++) {
        float range = k < 32 ? 40.0f : 0.033f;
        assert_true(fabsf(decoded[k] - values[k]) <= range / 15.0f);
    }
}

static void values_that_do_not_fit_are_named(void **state)
{
    (void)state;
    for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        const float limit = slm__encode_limit((enum slm_weight_type)type);
        const float bad[] = {NAN, INFINITY, -INFINITY, nextafterf(limit, INFINITY)};
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            struct panel panel;
            panel_make(&panel, (enum slm_weight_type)type, 9, 40);
            panel.values[8 * 40 + 33] = bad[b];
            assert_int_equal(panel_encode(&panel), SLM_E_BAD_VALUE);
            assert_int_equal(panel.bad_row, 8);
            assert_int_equal(panel.bad_col, 33);
            panel.values[8 * 40 + 33] = -limit;
            assert_int_equal(panel_encode(&panel), SLM_OK);
            float row[40];
            slm__decode_panel_row(panel.type, panel.bytes, 8, 40, row);
            assert_true(isfinite(row[33]) && fabs((double)row[33] / limit + 1.0) < 0.01);
            panel_free(&panel);
        }
    }
}

/* ---- codes that a source already has ---- */

struct kept_case {
    uint32_t rows, cols, groups;
    uint8_t codes[16 * 96];
    float steps[16 * 3], zeros[16 * 3], values[16 * 96];
};

static void kept_values(struct kept_case *kept)
{
    for (uint32_t r = 0; r < kept->rows; r++) {
        for (uint32_t k = 0; k < kept->cols; k++) {
            const uint32_t i = r * kept->cols + k, g = r * kept->groups + k / 32;
            kept->values[i] = kept->steps[g] * ((float)kept->codes[i] - kept->zeros[g]);
        }
    }
}

static double kept_encode(const struct kept_case *kept, uint8_t *panel)
{
    struct slm_i4_steps steps = {{NULL}, {NULL}};
    const float *rows[16] = {NULL};
    struct slm_encode_error sums = {0.0, 0.0};
    _Alignas(64) float scratch[96];
    uint32_t bad_row, bad_col;
    for (uint32_t r = 0; r < kept->rows; r++) {
        rows[r] = kept->values + (size_t)r * kept->cols;
        steps.step[r] = kept->steps + (size_t)r * kept->groups;
        steps.zero[r] = kept->zeros + (size_t)r * kept->groups;
    }
    assert_int_equal(slm__encode_panel_i4_codes(rows, &steps, kept->rows, kept->cols, panel, scratch, &sums, &bad_row, &bad_col), SLM_OK);
    return sums.energy > 0.0 ? sqrt(sums.error / sums.energy) : 0.0;
}

static uint32_t code_at(const uint8_t *panel, uint32_t row, uint32_t k)
{
    const uint32_t byte = panel[256 * (k / 32) + 64 * (k % 16 / 4) + 4 * row + k % 4];
    return k % 32 < 16 ? byte & 15u : byte >> 4;
}

static void random_case(struct kept_case *kept, struct slm_random *random, bool one_step)
{
    *kept = (struct kept_case){.rows = 13, .cols = 96, .groups = 3};
    for (uint32_t i = 0; i < kept->rows * kept->cols; i++) {
        kept->codes[i] = (uint8_t)(slm__random_unit(random) * 16.0);
    }
    for (uint32_t i = 0; i < kept->rows * kept->groups; i++) {
        const float size = 0.001f + 0.05f * (float)slm__random_unit(random);
        kept->steps[i] = one_step ? 0.0123f : slm__random_unit(random) < 0.5 ? -size : size;
        kept->zeros[i] = (float)(int)(slm__random_unit(random) * 16.0);
    }
    kept_values(kept);
}

/* All codes (mirrored for negative steps) and zeros are there; only the scales are rounded. */
static void codes_of_other_formats_are_kept(void **state)
{
    (void)state;
    static struct kept_case kept;
    struct slm_random random;
    slm__random_seed(&random, 5);
    uint8_t *panel = aligned_alloc(64, (size_t)slm__panel_bytes(SLM_WEIGHT_I4, 96));
    double worst = 0.0, sum = 0.0;
    for (int round = 0; round < 50; round++) {
        random_case(&kept, &random, false);
        const double error = kept_encode(&kept, panel);
        worst = error > worst ? error : worst;
        sum += error;
        for (uint32_t r = 0; r < kept.rows; r++) {
            for (uint32_t k = 0; k < kept.cols; k++) {
                const uint32_t g = r * 3 + k / 32, code = kept.codes[r * 96 + k];
                assert_int_equal(code_at(panel, r, k), kept.steps[g] < 0.0f ? 15 - code : code);
            }
            for (uint32_t g = 0; g < 3; g++) {
                const float zero = kept.zeros[r * 3 + g];
                assert_int_equal(panel[slm__i4_zeros_offset(3) + 16 * g + r],
                                 (int)(16.0f * (kept.steps[r * 3 + g] < 0.0f ? 15.0f - zero : zero)));
            }
        }
    }
    print_message("scales rounded: relative error %.4f, at most %.4f\n", sum / 50, worst);
    assert_true(worst < 0.02);
    random_case(&kept, &random, true); /* one step for all: nothing is lost */
    assert_true(kept_encode(&kept, panel) < 1e-6);
    free(panel);
}

/* A zero that the format lacks, a step of 0 and an outlier among the steps are encoded anew; zero groups and zero rows are exact. */
static void groups_that_cannot_be_kept_are_searched(void **state)
{
    (void)state;
    static struct kept_case kept;
    struct slm_random random;
    float decoded[96];
    slm__random_seed(&random, 6);
    uint8_t *panel = aligned_alloc(64, (size_t)slm__panel_bytes(SLM_WEIGHT_I4, 96));
    random_case(&kept, &random, false);
    kept.zeros[0] = -3.0f;
    kept.zeros[4] = NAN;
    kept.steps[6] = 1e-7f;
    kept_values(&kept);
    for (uint32_t k = 0; k < 96; k++) {
        kept.values[5 * 96 + k] = 0.0f;
        kept.values[96 + k] = k / 32 == 1 ? 0.25f : kept.values[96 + k];
        kept.values[4 * 96 + k] = k / 32 == 2 ? 0.0f : kept.values[4 * 96 + k];
    }
    kept.steps[4 * 3 + 2] = 0.0f;
    const double error = kept_encode(&kept, panel);
    assert_true(error < 0.03);
    slm__decode_panel_row(SLM_WEIGHT_I4, panel, 5, 96, decoded);
    for (uint32_t k = 0; k < 96; k++) {
        assert_true(decoded[k] == 0.0f);
    }
    slm__decode_panel_row(SLM_WEIGHT_I4, panel, 4, 96, decoded);
    assert_true(decoded[64] == 0.0f && decoded[95] == 0.0f);
    slm__decode_panel_row(SLM_WEIGHT_I4, panel, 1, 96, decoded);
    assert_true(fabsf(decoded[40] - 0.25f) < 0.002f);
    free(panel);
}

/* The bytes of a fixed matrix, as they must be on every machine, compiler and build. */
static void bytes_are_the_same_everywhere(void **state)
{
    (void)state;
    static const uint64_t expected[SLM_WEIGHT_TYPES] = {
        0, 0x4905db6334a8a6deu, 0x2fd3c7cca370c8bfu, 0xc2e8ac228bcc2b99u, 0xa9403f282adf6015u, 0xeede55334dd3d48cu};
    for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        struct panel panel;
        struct slm_random random;
        uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
        panel_make(&panel, (enum slm_weight_type)type, 13, 300);
        slm__random_seed(&random, 77);
        for (size_t i = 0; i < 13 * 300; i++) { /* no libm: a sum of uniforms */
            panel.values[i] = (float)(slm__random_unit(&random) + slm__random_unit(&random) + slm__random_unit(&random) - 1.5);
        }
        assert_int_equal(panel_encode(&panel), SLM_OK);
        for (uint64_t i = 0; i < slm__panel_bytes(panel.type, panel.cols); i++) {
            hash = (hash ^ panel.bytes[i]) * 0x100000001b3u;
        }
        if (hash != expected[type]) {
            fail_msg("type %u: hash 0x%llx", type, (unsigned long long)hash);
        }
        panel_free(&panel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(i4_reaches_the_promised_error),
        cmocka_unit_test(i8_is_no_worse_than_q8_0),
        cmocka_unit_test(i4_codes_do_not_depend_on_the_unit),
        cmocka_unit_test(matrices_of_every_type_and_odd_shapes_come_back),
        cmocka_unit_test(rows_equal_the_gather_kernels_bit_for_bit),
        cmocka_unit_test(worked_example_of_i8),
        cmocka_unit_test(worked_example_of_i4),
        cmocka_unit_test(zeros_are_exact_and_canonical),
        cmocka_unit_test(constant_groups_are_close),
        cmocka_unit_test(tiny_and_huge_rows_are_kept_or_zero),
        cmocka_unit_test(groups_of_one_sign_and_outliers_are_bounded),
        cmocka_unit_test(values_that_do_not_fit_are_named),
        cmocka_unit_test(codes_of_other_formats_are_kept),
        cmocka_unit_test(groups_that_cannot_be_kept_are_searched),
        cmocka_unit_test(bytes_are_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
