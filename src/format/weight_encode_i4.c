/* SPDX-License-Identifier: MIT */
/*
 * i4: w = (row * scale) * (16 q - zero), q 0..15, per group of 32 a scale of 8 bits and a zero of 8 bits, per row one f32.
 *
 * A row is multiplied by a power of two so that its largest magnitude lies in [1, 2); then the search sees the same numbers for tiny and
 * for huge weights and nothing over- or underflows. The row's factor puts the widest group's step at the top of the scale's range. Then,
 * per group, each plausible scale is tried with several starting zeros; for a scale, codes and zero are improved in turn (the best zero
 * for given codes is the mean difference, in closed form). All 16 rows of a panel are searched side by side, so every sum has one order.
 */
#include "format/weight_blocks.h" /* struct slm_lanes, rounding, slm__i4_scale, half_bits.h */

#include <string.h> /* memcpy */

/* Scales are tried from STEPS_BELOW codes under to STEPS_ABOVE over the one that spans the group's range; a code is 1/16 to 1/32. STARTS
 * places of the 16-code window within the range; ROUNDS improvements each. Twice as many of all would gain 0.2 percent of the error. */
enum { STEPS_BELOW = 8, STEPS_ABOVE = 4, STARTS = 4, ROUNDS = 3 };
#define TINY 0x1p-100f /* a row below this is written as zeros: its products could not be normal numbers */

enum { LANES = SLM_PANEL_ROWS };

/* What is known of the panel's rows: 2^-exponent, and the row's factor in the scaled domain (16 times what is stored). */
struct row_units {
    float normalize[LANES]; /* 0: the row is zero */
    float factor[LANES];
    float stored[LANES];
};

/* The best of a group so far: `start` is the zero that made the codes, `zero` the one that is stored; in steps, multiples of 1/16. */
struct choice {
    float error[LANES], start[LANES], zero[LANES], inverse[LANES];
    uint8_t code[LANES];
};

/* 2^n for -126 <= n <= 127 */
static float power_of_two(int n) { return slm__f32_of_bits((uint32_t)(n + 127) << 23); }

/* Range of a run of values, widened to contain zero (the zero point lies within the codes). */
static float range_of(const float *x, uint32_t count)
{
    float low = 0.0f, high = 0.0f;
    for (uint32_t k = 0; k < count; k++) {
        low = x[k] < low ? x[k] : low;
        high = x[k] > high ? x[k] : high;
    }
    return high - low;
}

static void find_row_units(const float *row, uint32_t cols, uint32_t lane, struct row_units *units)
{
    float widest = 0.0f, amax = 0.0f;
    for (uint32_t k = 0; k < cols; k++) {
        float magnitude = row[k] < 0.0f ? -row[k] : row[k];
        amax = magnitude > amax ? magnitude : amax;
    }
    if (amax < TINY) {
        return;
    }
    for (uint32_t k = 0; k < cols; k += SLM_GROUP) {
        float range = range_of(row + k, cols - k < SLM_GROUP ? cols - k : SLM_GROUP);
        widest = range > widest ? range : widest;
    }
    int exponent = (int)(slm__f32_bits(amax) >> 23) - 127;
    units->normalize[lane] = power_of_two(-exponent);
    units->factor[lane] = widest * units->normalize[lane] / (15.0f * slm__i4_scale(255)) * 1.04f;
    units->stored[lane] = units->factor[lane] * 0.0625f * power_of_two(exponent);
}

/* The largest scale code whose step is at most `step`, 0 when all are larger. */
static int code_below(float step, float factor)
{
    if (factor == 0.0f || step <= factor * slm__i4_scale(0)) {
        return 0;
    }
    uint32_t code = (slm__f32_bits(step / factor) - (111u << 23)) >> 19;
    return code > 255 ? 255 : (int)code;
}

/* Improve the lanes' zeros once (as a fraction of steps): codes for the given zero, then the best zero for these codes. What is better than
 * anything before is kept. */
static void improve(const struct slm_lanes *lanes, uint32_t count, const float step[LANES], const float inverse[LANES],
                    const uint8_t code[LANES], float zero[LANES], struct choice *best)
{
    float sum[LANES] = {0}, square[LANES] = {0};
    for (uint32_t k = 0; k < count; k++) {
        for (int r = 0; r < LANES; r++) {
            float y = lanes->x[k][r] * inverse[r] + zero[r];
            float e = (float)slm__clamp(slm__nearest(y), 0, 15) - y;
            sum[r] += e;
            square[r] += e * e;
        }
    }
    const float n = (float)count, reciprocal = 1.0f / n;
    for (int r = 0; r < LANES; r++) {
        float next = (float)slm__clamp(slm__nearest((zero[r] + sum[r] * reciprocal) * 16.0f), 0, 255) * 0.0625f;
        float change = next - zero[r];
        float error = (square[r] - 2.0f * change * sum[r] + n * change * change) * step[r] * step[r];
        if (error < best->error[r]) {
            best->error[r] = error;
            best->start[r] = zero[r];
            best->zero[r] = next;
            best->inverse[r] = inverse[r];
            best->code[r] = code[r];
        }
        zero[r] = next;
    }
}

/* All starting zeros for the scale `distance` codes from base[r]. */
static void try_scale(const struct slm_lanes *lanes, uint32_t count, const float factor[LANES], const int base[LANES], int distance,
                      const float low[LANES], const float high[LANES], struct choice *best)
{
    float step[LANES], inverse[LANES], zero[LANES];
    uint8_t code[LANES];
    for (int r = 0; r < LANES; r++) {
        int c = base[r] + distance;
        code[r] = (uint8_t)(c < 0 ? 0 : c > 255 ? 255 : c);
        step[r] = factor[r] * slm__i4_scale(code[r]);
        inverse[r] = step[r] > 0.0f ? 1.0f / step[r] : 0.0f;
    }
    for (int s = 0; s < STARTS; s++) {
        for (int r = 0; r < LANES; r++) {
            float slack = (high[r] - low[r]) * inverse[r] - 15.0f;
            float place = -low[r] * inverse[r] - slack * ((float)s / (float)(STARTS - 1));
            zero[r] = (float)slm__clamp(slm__nearest(place * 16.0f), 0, 255) * 0.0625f;
        }
        for (int i = 0; i < ROUNDS; i++) {
            improve(lanes, count, step, inverse, code, zero, best);
        }
    }
}

static void find_range(const struct slm_lanes *lanes, float low[LANES], float high[LANES])
{
    for (int r = 0; r < LANES; r++) {
        low[r] = 0.0f;
        high[r] = 0.0f;
    }
    for (int k = 0; k < SLM_GROUP; k++) {
        for (int r = 0; r < LANES; r++) {
            low[r] = lanes->x[k][r] < low[r] ? lanes->x[k][r] : low[r];
            high[r] = lanes->x[k][r] > high[r] ? lanes->x[k][r] : high[r];
        }
    }
}

static void search_group(const struct slm_lanes *lanes, uint32_t count, const float factor[LANES], struct choice *best)
{
    float low[LANES], high[LANES];
    int base[LANES];
    find_range(lanes, low, high);
    for (int r = 0; r < LANES; r++) {
        best->error[r] = 0x1p126f;
        base[r] = code_below((high[r] - low[r]) * (1.0f / 15.0f), factor[r]);
    }
    for (int distance = -STEPS_BELOW; distance <= STEPS_ABOVE; distance++) {
        try_scale(lanes, count, factor, base, distance, low, high, best);
    }
    for (int r = 0; r < LANES; r++) {
        if (high[r] - low[r] == 0.0f) { /* an all-zero group, exactly */
            best->code[r] = 0;
            best->inverse[r] = 0.0f;
            best->start[r] = 8.0f;
            best->zero[r] = 8.0f;
        }
    }
}

static uint32_t code_of(const struct slm_lanes *lanes, const struct choice *best, uint32_t k, uint32_t r)
{
    return (uint32_t)slm__clamp(slm__nearest(lanes->x[k][r] * best->inverse[r] + best->start[r]), 0, 15);
}

static void store_group(const struct slm_lanes *lanes, const struct choice *best, uint32_t group, uint32_t groups, uint8_t *panel)
{
    uint8_t *quants = panel + (size_t)256 * group;
    for (uint32_t r = 0; r < LANES; r++) {
        panel[slm__i4_scales_offset(groups) + (size_t)16 * group + r] = best->code[r];
        panel[slm__i4_zeros_offset(groups) + (size_t)16 * group + r] = (uint8_t)(best->zero[r] * 16.0f);
        for (uint32_t k = 0; k < 16; k++) {
            uint32_t low = code_of(lanes, best, k, r), high = code_of(lanes, best, k + 16, r);
            quants[(size_t)64 * (k / 4) + (size_t)4 * r + k % 4] = (uint8_t)(low | high << 4);
        }
    }
}

void slm__encode_i4(const float *const rows[16], uint32_t row_count, uint32_t cols, uint8_t *panel)
{
    const uint32_t groups = slm__padded_cols(cols) / SLM_GROUP;
    struct row_units units = {.normalize = {0}};
    for (uint32_t r = 0; r < row_count; r++) {
        find_row_units(rows[r], cols, r, &units);
    }
    memcpy(panel + slm__i4_rows_offset(groups), units.stored, sizeof units.stored);
    for (uint32_t g = 0; g < groups; g++) {
        struct slm_lanes lanes;
        struct choice best;
        slm__lanes_load(&lanes, rows, row_count, cols, g, units.normalize);
        search_group(&lanes, slm__group_columns(cols, g), units.factor, &best);
        store_group(&lanes, &best, g, groups, panel);
    }
}
