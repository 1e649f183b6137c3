/* SPDX-License-Identifier: MIT */
/*
 * i4: w = (row * scale) * (16 q - zero), q 0..15, per group of 32 a scale of 8 bits and a zero of 8 bits, per row one f32.
 *
 * A row is multiplied by a power of two so that its largest magnitude lies in [1, 2); then the search sees the same numbers for tiny and
 * for huge weights and nothing over- or underflows. The row's factor puts the widest group's step at the top of the scale's range. Then,
 * per group, each plausible scale is tried with several starting zeros; for a scale, codes and zero are improved in turn (the best zero
 * for given codes is the mean difference, in closed form). All 16 rows of a panel are searched side by side, so every sum has one order.
 *
 * Rows that come from another 4-bit format keep their codes: there the row's factor is chosen so that the scales lose least in rounding.
 */
#include "format/weight_blocks.h" /* struct slm_lanes, rounding, slm__i4_scale, half_bits.h */
#include "format/weight_encode.h" /* struct slm_i4_steps */

#include <stdbool.h>
#include <string.h> /* memcpy */

/* Scales are tried from STEPS_BELOW codes under to STEPS_ABOVE over the one that spans the group's range; a code is 1/16 to 1/32. STARTS
 * places of the 16-code window within the range; ROUNDS improvements each. Twice as many of all would gain 0.2 percent of the error. */
enum { STEPS_BELOW = 8, STEPS_ABOVE = 4, STARTS = 4, ROUNDS = 3 };
#define TINY 0x1p-100f /* a row below this is written as zeros: its products could not be normal numbers */

enum { LANES = SLM_PANEL_ROWS };

/* Factors tried for a row that keeps its codes: its largest scale is put at each mantissa of an octave and at FRACTIONS places above it. */
enum { FIRST_TOP = 240, LAST_TOP = 255, FRACTIONS = 4 };

/* What is known of the panel's rows: 2^-exponent, and the row's factor in the scaled domain (16 times what is stored). */
struct row_units {
    float normalize[LANES]; /* 0: the row is zero */
    float factor[LANES];
    float stored[LANES];
};

/* The best of a group so far: `start` is the zero that made the codes, `zero` the one that is stored, in steps: a multiple of 1/8, or of
 * 1/16 where it was given. */
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
        float best_zero = zero[r] + sum[r] * reciprocal;
        float next = (float)slm__clamp(slm__nearest(best_zero * 8.0f), 0, 127) * 0.125f;
        float change = next - zero[r];
        float error = (square[r] - 2.0f * change * sum[r] + n * change * change) * step[r] * step[r];
        if (error < best->error[r]) {
            best->error[r] = error;
            best->start[r] = zero[r];
            best->zero[r] = next;
            best->inverse[r] = inverse[r];
            best->code[r] = code[r];
        }
        zero[r] = best_zero;
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
            zero[r] = (float)slm__clamp(slm__nearest(place * 8.0f), 0, 127) * 0.125f;
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

/* ---- rows that keep their codes */

/* Step and zero of one group as the format can have them: a negative step is made positive by mirroring the codes. */
struct kept_group {
    bool kept; /* false: the group has to be searched */
    float step, zero;
};

static struct kept_group kept_group(const struct slm_i4_steps *steps, uint32_t row, uint32_t group)
{
    struct kept_group kept = {false, 0.0f, 0.0f};
    if (steps == NULL || steps->step[row] == NULL) {
        return kept;
    }
    const float step = steps->step[row][group], zero = steps->zero[row][group];
    kept.step = step < 0.0f ? -step : step;
    kept.zero = step < 0.0f ? 15.0f - zero : zero;
    kept.kept = kept.step > 0.0f && kept.zero > -0.03125f && kept.zero < 15.96875f; /* in sixteenths: 0 to 255; false for a NaN */
    return kept;
}

/* The scale code whose step is nearest to `step`. */
static uint32_t nearest_code(float step, float factor)
{
    const int code = code_below(step, factor);
    if (code == 255) {
        return 255;
    }
    const float below = factor * slm__i4_scale((uint32_t)code), above = factor * slm__i4_scale((uint32_t)code + 1);
    return (uint32_t)code + (above - step < step - below ? 1u : 0u);
}

/* What rounding the scales of the kept groups costs with this factor: the sum of (energy of a group) x (relative error of its scale)^2. */
static float rounding_loss(const float *row, uint32_t cols, uint32_t lane, const struct slm_i4_steps *steps, float normalize, float factor)
{
    float loss = 0.0f;
    for (uint32_t g = 0; g * SLM_GROUP < cols; g++) {
        const struct kept_group kept = kept_group(steps, lane, g);
        if (!kept.kept) {
            continue;
        }
        float energy = 0.0f;
        for (uint32_t k = g * SLM_GROUP; k < g * SLM_GROUP + slm__group_columns(cols, g); k++) {
            const float x = row[k] * normalize;
            energy += x * x;
        }
        const float step = kept.step * normalize, error = factor * slm__i4_scale(nearest_code(step, factor)) / step - 1.0f;
        loss += energy * (error * error);
    }
    return loss;
}

static void choose_factor(const float *row, uint32_t cols, uint32_t lane, const struct slm_i4_steps *steps, struct row_units *units)
{
    const float normalize = units->normalize[lane];
    float largest = 0.0f, best = 0.0f, least = 0.0f;
    for (uint32_t g = 0; g * SLM_GROUP < cols; g++) {
        const struct kept_group kept = kept_group(steps, lane, g);
        const float range = range_of(row + (size_t)g * SLM_GROUP, slm__group_columns(cols, g)) * normalize;
        const float step = kept.kept ? kept.step * normalize : range * (1.04f / 15.0f);
        largest = step > largest ? step : largest;
    }
    for (uint32_t top = LAST_TOP; top >= FIRST_TOP && (best == 0.0f || least > 0.0f); top--) {
        for (int fraction = 0; fraction < FRACTIONS; fraction++) {
            const float factor = largest / slm__i4_scale(top) * (1.0f + (float)fraction * (1.0f / 32 / FRACTIONS));
            const float loss = rounding_loss(row, cols, lane, steps, normalize, factor);
            if (best == 0.0f || loss < least) {
                best = factor;
                least = loss;
            }
        }
    }
    units->factor[lane] = best;
    units->stored[lane] = best * 0.0625f / normalize; /* normalize is a power of two */
}

/* Search the lanes that have to be searched, keep the others. */
static void choose_group(const struct slm_lanes *lanes, uint32_t count, uint32_t row_count, uint32_t group,
                         const struct slm_i4_steps *steps, const struct row_units *units, struct choice *best)
{
    struct kept_group kept[LANES];
    bool search = steps == NULL;
    for (uint32_t r = 0; r < LANES; r++) {
        kept[r] = r < row_count ? kept_group(steps, r, group) : (struct kept_group){true, 0.0f, 8.0f};
        kept[r].step *= units->normalize[r];
        kept[r].kept = kept[r].kept && kept[r].step >= 0.97f * units->factor[r] * slm__i4_scale(0);
        search = search || !kept[r].kept;
    }
    if (search) {
        search_group(lanes, count, units->factor, best);
    }
    for (uint32_t r = 0; r < LANES && steps != NULL; r++) {
        if (kept[r].kept) {
            const bool zeros = kept[r].step == 0.0f; /* of the whole row, or no row at all */
            kept[r].zero = zeros ? 8.0f : kept[r].zero;
            best->code[r] = (uint8_t)(zeros ? 0 : nearest_code(kept[r].step, units->factor[r]));
            best->inverse[r] = zeros ? 0.0f : 1.0f / kept[r].step;
            best->start[r] = kept[r].zero;
            best->zero[r] = (float)slm__clamp(slm__nearest(kept[r].zero * 16.0f), 0, 255) * 0.0625f;
        }
    }
}

void slm__encode_i4(const float *const rows[16], const struct slm_i4_steps *steps, uint32_t row_count, uint32_t cols, uint8_t *panel)
{
    const uint32_t groups = slm__padded_cols(cols) / SLM_GROUP;
    struct row_units units = {.normalize = {0}};
    for (uint32_t r = 0; r < row_count; r++) {
        find_row_units(rows[r], cols, r, &units);
        if (steps != NULL && steps->step[r] != NULL && units.normalize[r] > 0.0f) {
            choose_factor(rows[r], cols, r, steps, &units);
        }
    }
    memcpy(panel + slm__i4_rows_offset(groups), units.stored, sizeof units.stored);
    for (uint32_t g = 0; g < groups; g++) {
        struct slm_lanes lanes;
        struct choice best;
        slm__lanes_load(&lanes, rows, row_count, cols, g, units.normalize);
        choose_group(&lanes, slm__group_columns(cols, g), row_count, g, steps, &units, &best);
        store_group(&lanes, &best, g, groups, panel);
    }
}
