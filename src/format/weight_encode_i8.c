/* SPDX-License-Identifier: MIT */
/* i8: per group of 32 an f16 scale and codes -127..127. Rounding errors depend on where the values fall between the codes, so the scale
 * is searched among the f16 numbers around amax / 127, a few of which clip the largest value a little; the least squared error wins. */
#include "format/weight_blocks.h" /* struct slm_lanes, rounding, half_bits.h */
#include "format/weight_encode.h" /* slm__encode_panel_i8_codes */

#include <string.h> /* memcpy */

/* Candidates: f16 bit patterns from BELOW under to ABOVE over the rounded amax / 127. A step is 0.05 to 0.1 percent. */
enum { BELOW = 12, ABOVE = 4, LARGEST_F16 = 0x7bff };

/* Scale candidates of 16 lanes, their reciprocals (0 for a scale of 0), and the errors they give. */
struct candidate {
    uint16_t bits[SLM_PANEL_ROWS];
    float scale[SLM_PANEL_ROWS], inverse[SLM_PANEL_ROWS], error[SLM_PANEL_ROWS];
};

static void find_largest(const struct slm_lanes *lanes, float amax[SLM_PANEL_ROWS])
{
    for (int r = 0; r < SLM_PANEL_ROWS; r++) {
        amax[r] = 0.0f;
    }
    for (int k = 0; k < SLM_GROUP; k++) {
        for (int r = 0; r < SLM_PANEL_ROWS; r++) {
            float x = lanes->x[k][r], magnitude = x < 0.0f ? -x : x;
            amax[r] = magnitude > amax[r] ? magnitude : amax[r];
        }
    }
}

/* f16 patterns of positive numbers are ordered as the numbers, so neighbours are integers apart. */
static void set_candidate(struct candidate *candidate, const float amax[SLM_PANEL_ROWS], int distance)
{
    for (int r = 0; r < SLM_PANEL_ROWS; r++) {
        int bits = slm__f32_to_f16(amax[r] / 127.0f) + distance;
        bits = bits < 0 || amax[r] == 0.0f ? 0 : bits;
        candidate->bits[r] = (uint16_t)(bits > LARGEST_F16 ? LARGEST_F16 : bits);
        candidate->scale[r] = slm__f16_to_f32(candidate->bits[r]);
        candidate->inverse[r] = candidate->bits[r] == 0 ? 0.0f : 1.0f / candidate->scale[r];
    }
}

static void measure_candidate(const struct slm_lanes *lanes, struct candidate *candidate)
{
    float error[SLM_PANEL_ROWS] = {0};
    for (int k = 0; k < SLM_GROUP; k++) {
        for (int r = 0; r < SLM_PANEL_ROWS; r++) {
            float q = (float)slm__clamp(slm__nearest(lanes->x[k][r] * candidate->inverse[r]), -127, 127);
            float difference = lanes->x[k][r] - q * candidate->scale[r];
            error[r] += difference * difference;
        }
    }
    memcpy(candidate->error, error, sizeof error);
}

static void keep_better(struct candidate *best, const struct candidate *candidate)
{
    for (int r = 0; r < SLM_PANEL_ROWS; r++) {
        if (candidate->error[r] < best->error[r]) {
            best->bits[r] = candidate->bits[r];
            best->inverse[r] = candidate->inverse[r];
            best->error[r] = candidate->error[r];
        }
    }
}

static void store_group(const struct slm_lanes *lanes, const struct candidate *best, uint8_t *quants, uint8_t *scales)
{
    for (uint32_t r = 0; r < SLM_PANEL_ROWS; r++) {
        memcpy(scales + (size_t)2 * r, &best->bits[r], 2);
        for (uint32_t k = 0; k < SLM_GROUP; k++) {
            int32_t q = slm__clamp(slm__nearest(lanes->x[k][r] * best->inverse[r]), -127, 127);
            quants[(size_t)64 * (k / 4) + (size_t)4 * r + k % 4] = (uint8_t)q;
        }
    }
}

void slm__encode_i8(const float *const rows[16], uint32_t row_count, uint32_t cols, uint8_t *panel)
{
    static const float ones[SLM_PANEL_ROWS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const uint32_t groups = slm__padded_cols(cols) / SLM_GROUP;
    for (uint32_t g = 0; g < groups; g++) {
        struct slm_lanes lanes;
        struct candidate best, candidate;
        float amax[SLM_PANEL_ROWS];
        slm__lanes_load(&lanes, rows, row_count, cols, g, ones);
        find_largest(&lanes, amax);
        set_candidate(&best, amax, 0);
        measure_candidate(&lanes, &best);
        for (int distance = -BELOW; distance <= ABOVE; distance++) {
            set_candidate(&candidate, amax, distance);
            measure_candidate(&lanes, &candidate);
            keep_better(&best, &candidate);
        }
        store_group(&lanes, &best, panel + (size_t)512 * g, panel + slm__i8_scales_offset(groups) + (size_t)32 * g);
    }
}

void slm__encode_panel_i8_codes(const int8_t *const codes[16], const uint16_t *const scales[16], uint32_t row_count, uint32_t cols,
                                uint8_t *panel)
{
    const uint32_t groups = slm__padded_cols(cols) / SLM_GROUP;
    memset(panel, 0, (size_t)slm__i8_panel_bytes(groups));
    for (uint32_t r = 0; r < row_count; r++) {
        for (uint32_t k = 0; k < cols; k++) {
            panel[(size_t)64 * (k / 4) + (size_t)4 * r + k % 4] = (uint8_t)codes[r][k];
        }
        for (uint32_t g = 0; g < groups; g++) {
            memcpy(panel + slm__i8_scales_offset(groups) + (size_t)32 * g + (size_t)2 * r, &scales[r][g], 2);
        }
    }
}
