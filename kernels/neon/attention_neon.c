/* SPDX-License-Identifier: MIT */
/*
 * Attention over one tile of 64 keys. Scores: a lane is a token, so registers hold [panels of 16 tokens][queries] sums; values: a lane is
 * a dimension, registers hold [queries][dimensions] sums. Four queries at a time share each load (and f16 conversion) of K and V; either
 * way 16 registers are sums. int8 keys meet an int8 query one query at a time, as lines of i8 weights meet a column.
 */
#include "kernels/neon/neon_kernels.h"  /* slm__attend_..._neon */
#include "kernels/neon/quantize_neon.h" /* quantize_neon */
#include "kernels/neon/simd_neon.h"     /* exp_neon, tanh_neon, tree16_neon, maximum16_neon, fma_lane_neon */
#include <math.h>

enum { QUERIES_NEON = 4, PANELS_NEON = SLM_TILE / 16, SUMS_NEON = 16 };

/* What one tile gives one query. */
struct attend_tile_neon {
    float p[SLM_TILE];
    float correction;
};

/* Address of element i; `type` is a constant of the caller here and below. */
SLM_INLINE_NEON const uint8_t *tile_at_neon(const void *tile, size_t i, enum slm_kv_type type)
{
    return (const uint8_t *)tile + i * slm__kv_element_bytes(type);
}

/* Elements 4 i .. 4 i + 3. Half of the registers of a step are loaded, then used, so that the sums stay in registers. */
SLM_INLINE_NEON float32x4_t load_tile_neon(const uint8_t *at, uint32_t i, enum slm_kv_type type)
{
    if (i % 8 == 0) {
        load_afresh_neon();
    }
    if (type == SLM_CACHE_I8) {
        return vcvtq_f32_s32(vmovl_s16(widen_four_signed_neon(at + 4 * i)));
    }
    return type == SLM_CACHE_F16 ? load_f16_neon((const uint16_t *)(const void *)at + 4 * i)
                                 : vld1q_f32((const float *)(const void *)at + 4 * i);
}

/* sum[h][i] += k[h] q[i][d] for `depth` (1 or 4) dimensions from d on. k: the first panel, `panel_bytes` each. */
SLM_INLINE_NEON void score_step_neon(const uint8_t *k, size_t panel_bytes, enum slm_kv_type type, uint32_t panels,
                                     const struct slm_attend_query *queries, uint32_t count, uint32_t d, uint32_t depth,
                                     float32x4_t sum[SUMS_NEON])
{
    float32x4_t q[QUERIES_NEON];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < count; i++) {
        const float *at = (const float *)queries[i].q + d;
        q[i] = depth == 4 ? vld1q_f32(at) : vld1q_dup_f32(at);
    }
    SLM_UNROLL_NEON
    for (uint32_t e = 0; e < depth; e++) {
        const uint8_t *line = tile_at_neon(k, (size_t)16 * (d + e), type);
        SLM_UNROLL_NEON
        for (uint32_t h = 0; h < 4 * panels; h++) {
            const float32x4_t keys = load_tile_neon(line + h / 4 * panel_bytes, h % 4, type);
            SLM_UNROLL_NEON
            for (uint32_t i = 0; i < count; i++) {
                sum[h * count + i] = fma_lane_neon(sum[h * count + i], keys, q[i], e);
            }
        }
    }
}

/* Scores of panels [first, first + panels) for `count` queries; 4 * panels * count = SUMS_NEON. */
SLM_INLINE_NEON void score_panels_neon(const void *k_tile, uint32_t head_dim, enum slm_kv_type type, uint32_t first, uint32_t panels,
                                       const struct slm_attend_query *queries, uint32_t count, struct attend_tile_neon *tiles)
{
    const size_t panel_bytes = (size_t)head_dim * 16 * slm__kv_element_bytes(type);
    const uint8_t *k = (const uint8_t *)k_tile + first * panel_bytes;
    float32x4_t sum[SUMS_NEON];
    uint32_t d = 0;
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < SUMS_NEON; i++) {
        sum[i] = vdupq_n_f32(0.0f);
    }
    for (; d + 4 <= head_dim; d += 4) {
        score_step_neon(k, panel_bytes, type, panels, queries, count, d, 4, sum);
    }
    for (; d < head_dim; d++) {
        score_step_neon(k, panel_bytes, type, panels, queries, count, d, 1, sum);
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < SUMS_NEON; i++) {
        vst1q_f32(tiles[i % count].p + (size_t)16 * first + (size_t)4 * (i / count), sum[i]);
    }
}

/* All 64 keys: a panel after the other for four queries, all panels at once for one. */
SLM_INLINE_NEON void score_tile_neon(const void *k_tile, uint32_t head_dim, enum slm_kv_type type, const struct slm_attend_query *queries,
                                     uint32_t count, struct attend_tile_neon *tiles)
{
    if (count == 1) {
        score_panels_neon(k_tile, head_dim, type, 0, PANELS_NEON, queries, 1, tiles);
        return;
    }
    for (uint32_t panel = 0; panel < PANELS_NEON; panel++) {
        score_panels_neon(k_tile, head_dim, type, panel, 1, queries, QUERIES_NEON, tiles);
    }
}

/* Scores of 16 tokens: k is their panel, [quads][16 tokens][4]; q has a quad of zeros behind it where the number of quads is odd, and what
 * follows the panel is read there. Two products of at most 128 * 127 fit an int16. */
SLM_INLINE_NEON void score_panel_i8_neon(const int8_t *k, const int8_t *q, uint32_t quads, const float *k_scales, float q_scale,
                                         float *score)
{
    int32x4_t low[4], high[4];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4; i++) {
        low[i] = high[i] = vdupq_n_s32(0);
    }
    for (uint32_t j = 0; j < quads; j += 2, k += 128) {
        const int8x16_t first = broadcast_quad_neon((const uint8_t *)q + 4 * j),
                        second = broadcast_quad_neon((const uint8_t *)q + 4 * (j + 1));
        SLM_UNROLL_NEON
        for (uint32_t i = 0; i < 4; i++) {
            const int8x16_t a = vld1q_s8(k + 16 * i), b = vld1q_s8(k + 64 + 16 * i);
            const int16x8_t low_pair = vmull_s8(vget_low_s8(a), vget_low_s8(first)), high_pair = vmull_high_s8(a, first);
            low[i] = hold_neon(vpadalq_s16(low[i], vmlal_s8(low_pair, vget_low_s8(b), vget_low_s8(second))));
            high[i] = hold_neon(vpadalq_s16(high[i], vmlal_high_s8(high_pair, b, second)));
        }
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < 4; i++) {
        const float32x4_t scale = vmulq_n_f32(vld1q_f32(k_scales + 4 * i), q_scale);
        vst1q_f32(score + 4 * i, vmulq_f32(vcvtq_f32_s32(vpaddq_s32(low[i], high[i])), scale));
    }
}

void slm__quantize_query_neon(const float *q, uint32_t head_dim, void *codes)
{
    const uint32_t stride = slm__head_stride(head_dim);
    int8_t *code = codes;
    const float scale = quantize_neon(q, head_dim, code);
    int32_t sum = 0;
    for (uint32_t d = 0; d < stride; d += 16) {
        sum += vaddlvq_s8(vld1q_s8(code + d));
    }
    memcpy(code + stride, &scale, sizeof scale);
    memcpy(code + stride + sizeof scale, &sum, sizeof sum);
}

static void score_i8_neon(const void *k_tile, uint32_t head_dim, const struct slm_attend_query *query, struct attend_tile_neon *tile)
{
    const int8_t *q = query->q;
    const uint32_t quads = slm__head_quads(head_dim);
    float q_scale;
    memcpy(&q_scale, q + slm__head_stride(head_dim), sizeof q_scale);
    const float *k_scales = (const float *)(const void *)((const uint8_t *)k_tile + slm__k_scales_offset(head_dim));
    for (uint32_t panel = 0; panel < PANELS_NEON; panel++) {
        const int8_t *k = (const int8_t *)k_tile + (size_t)64 * quads * panel;
        score_panel_i8_neon(k, q, quads, k_scales + 16 * panel, q_scale, tile->p + 16 * panel);
    }
}

/* p[t] *= scale of v[t] */
static void weigh_i8_neon(const void *v_tile, uint32_t head_dim, struct attend_tile_neon *tile)
{
    const float *v_scales = (const float *)(const void *)((const uint8_t *)v_tile + slm__v_scales_offset(head_dim));
    for (uint32_t t = 0; t < SLM_TILE; t += 4) {
        vst1q_f32(tile->p + t, vmulq_f32(vld1q_f32(tile->p + t), vld1q_f32(v_scales + t)));
    }
}

/* All ones where begin <= t < end, for t = first .. first + 3. */
SLM_INLINE_NEON uint32x4_t visible_neon(uint32_t first, uint32_t begin, uint32_t end)
{
    static const uint32_t steps[4] = {0, 1, 2, 3};
    const uint32x4_t t = vaddq_u32(vdupq_n_u32(first), vld1q_u32(steps));
    return vandq_u32(vcgeq_u32(t, vdupq_n_u32(begin)), vcltq_u32(t, vdupq_n_u32(end)));
}

/* Soft cap, maximum, probabilities, sum: p goes from scores to e^(score - m), and m and l of the state move on. */
static void softmax_neon(struct attend_tile_neon *tile, float softcap, const struct slm_attend_query *query)
{
    const float32x4_t cap = vdupq_n_f32(softcap), nothing = vdupq_n_f32(-HUGE_VALF), zero = vdupq_n_f32(0.0f);
    float32x4_t lane[4] = {nothing, nothing, nothing, nothing};
    for (uint32_t t = 0; t < SLM_TILE; t += 16) {
        SLM_UNROLL_NEON
        for (uint32_t j = 0; j < 4; j++) {
            float *at = tile->p + t + 4 * j;
            if (softcap != 0.0f) {
                vst1q_f32(at, vmulq_f32(cap, tanh_neon(vdivq_f32(vld1q_f32(at), cap))));
            }
            lane[j] = larger_neon(vbslq_f32(visible_neon(t + 4 * j, query->begin, query->end), vld1q_f32(at), nothing), lane[j]);
        }
    }
    const float tile_m = maximum16_neon(lane), old_m = query->state[0], new_m = tile_m > old_m ? tile_m : old_m;
    lane[0] = lane[1] = lane[2] = lane[3] = zero;
    for (uint32_t t = 0; t < SLM_TILE; t += 16) {
        SLM_UNROLL_NEON
        for (uint32_t j = 0; j < 4; j++) {
            float *at = tile->p + t + 4 * j;
            const float32x4_t p = exp_neon(vsubq_f32(vld1q_f32(at), vdupq_n_f32(new_m)));
            vst1q_f32(at, p);
            lane[j] = vaddq_f32(lane[j], vbslq_f32(visible_neon(t + 4 * j, query->begin, query->end), p, zero));
        }
    }
    tile->correction = old_m == -HUGE_VALF ? 0.0f : vgetq_lane_f32(exp_neon(vdupq_n_f32(old_m - new_m)), 0);
    query->state[0] = new_m;
    query->state[1] = fmaf(query->state[1], tile->correction, tree16_neon(lane));
}

/* acc[r][i] += p[i][t] v[t] for `depth` (1 or 4) tokens from t on. */
SLM_INLINE_NEON void value_step_neon(const void *v_tile, uint32_t stride, enum slm_kv_type type, uint32_t d, uint32_t registers,
                                     const struct attend_tile_neon *tiles, uint32_t count, uint32_t t, uint32_t depth,
                                     float32x4_t acc[SUMS_NEON])
{
    float32x4_t p[QUERIES_NEON];
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < count; i++) {
        p[i] = depth == 4 ? vld1q_f32(tiles[i].p + t) : vld1q_dup_f32(tiles[i].p + t);
    }
    SLM_UNROLL_NEON
    for (uint32_t e = 0; e < depth; e++) {
        const uint8_t *row = tile_at_neon(v_tile, (size_t)(t + e) * stride + d, type);
        SLM_UNROLL_NEON
        for (uint32_t r = 0; r < registers; r++) {
            const float32x4_t v = load_tile_neon(row, r, type);
            SLM_UNROLL_NEON
            for (uint32_t i = 0; i < count; i++) {
                acc[i * registers + r] = fma_lane_neon(acc[i * registers + r], v, p[i], e);
            }
        }
    }
}

/* acc[4 * registers from d on] of `count` queries += p[t] v[t] for t in [begin, end), in order. */
SLM_INLINE_NEON void add_values_neon(const void *v_tile, uint32_t stride, enum slm_kv_type type, uint32_t d, uint32_t registers,
                                     const struct slm_attend_query *queries, const struct attend_tile_neon *tiles, uint32_t count,
                                     uint32_t begin, uint32_t end)
{
    float32x4_t acc[SUMS_NEON];
    uint32_t t = begin;
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < registers * count; i++) {
        acc[i] = vld1q_f32(queries[i / registers].state + SLM_ATTEND_HEADER + d + (size_t)4 * (i % registers));
    }
    for (; t + 4 <= end; t += 4) {
        value_step_neon(v_tile, stride, type, d, registers, tiles, count, t, 4, acc);
    }
    for (; t < end; t++) {
        value_step_neon(v_tile, stride, type, d, registers, tiles, count, t, 1, acc);
    }
    SLM_UNROLL_NEON
    for (uint32_t i = 0; i < registers * count; i++) {
        vst1q_f32(queries[i / registers].state + SLM_ATTEND_HEADER + d + (size_t)4 * (i % registers), acc[i]);
    }
}

/* All dimensions of one query, keys [begin, end): 64 dimensions at a time, then 16. */
SLM_INLINE_NEON void values_one_neon(const void *v_tile, uint32_t stride, enum slm_kv_type type, const struct slm_attend_query *query,
                                     const struct attend_tile_neon *tile, uint32_t begin, uint32_t end)
{
    uint32_t d = 0;
    if (begin >= end) {
        return;
    }
    for (; d + 64 <= stride; d += 64) {
        add_values_neon(v_tile, stride, type, d, 16, query, tile, 1, begin, end);
    }
    for (; d < stride; d += 16) {
        add_values_neon(v_tile, stride, type, d, 4, query, tile, 1, begin, end);
    }
}

/* Four queries: keys that all of them see are shared, those before and behind are added one query at a time, in order. */
SLM_INLINE_NEON void values_four_neon(const void *v_tile, uint32_t stride, enum slm_kv_type type, const struct slm_attend_query *queries,
                                      const struct attend_tile_neon *tiles)
{
    uint32_t low = 0, high = SLM_TILE;
    for (uint32_t i = 0; i < QUERIES_NEON; i++) {
        low = queries[i].begin > low ? queries[i].begin : low;
        high = queries[i].end < high ? queries[i].end : high;
    }
    high = high < low ? low : high; /* nothing shared: each query's keys lie before `low` or behind it */
    for (uint32_t i = 0; i < QUERIES_NEON; i++) {
        const uint32_t before = queries[i].end < low ? queries[i].end : low;
        values_one_neon(v_tile, stride, type, &queries[i], &tiles[i], queries[i].begin, before);
    }
    for (uint32_t d = 0; low < high && d < stride; d += 16) {
        add_values_neon(v_tile, stride, type, d, 4, queries, tiles, QUERIES_NEON, low, high);
    }
    for (uint32_t i = 0; i < QUERIES_NEON; i++) {
        values_one_neon(v_tile, stride, type, &queries[i], &tiles[i], high, queries[i].end);
    }
}

static void correct_neon(const struct slm_attend_query *query, float correction, uint32_t stride)
{
    float *acc = query->state + SLM_ATTEND_HEADER;
    for (uint32_t d = 0; d < stride; d += 4) {
        vst1q_f32(acc + d, vmulq_n_f32(vld1q_f32(acc + d), correction));
    }
}

SLM_INLINE_NEON void attend_neon(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, enum slm_kv_type type,
                                 const struct slm_attend_query *queries, uint32_t count)
{
    const uint32_t stride = slm__head_stride(head_dim);
    struct attend_tile_neon tiles[QUERIES_NEON];
    while (count > 0) {
        const uint32_t taken = count >= QUERIES_NEON ? QUERIES_NEON : 1;
        if (type == SLM_CACHE_I8) {
            for (uint32_t i = 0; i < taken; i++) {
                score_i8_neon(k_tile, head_dim, &queries[i], &tiles[i]);
            }
        } else {
            score_tile_neon(k_tile, head_dim, type, queries, taken, tiles);
        }
        for (uint32_t i = 0; i < taken; i++) {
            softmax_neon(&tiles[i], softcap, &queries[i]);
            correct_neon(&queries[i], tiles[i].correction, stride);
            if (type == SLM_CACHE_I8) {
                weigh_i8_neon(v_tile, head_dim, &tiles[i]);
            }
        }
        if (taken == QUERIES_NEON) {
            values_four_neon(v_tile, stride, type, queries, tiles);
        } else {
            values_one_neon(v_tile, stride, type, queries, tiles, queries->begin, queries->end);
        }
        queries += taken;
        count -= taken;
    }
}

void slm__attend_f32_neon(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                          uint32_t count, const struct slm_attend_ahead *ahead)
{
    (void)ahead;
    attend_neon(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F32, queries, count);
}

void slm__attend_f16_neon(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                          uint32_t count, const struct slm_attend_ahead *ahead)
{
    (void)ahead;
    attend_neon(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F16, queries, count);
}

void slm__attend_i8_neon(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                         uint32_t count, const struct slm_attend_ahead *ahead)
{
    (void)ahead;
    attend_neon(k_tile, v_tile, head_dim, softcap, SLM_CACHE_I8, queries, count);
}

/* e^(m - larger), 0 for an empty state */
static float merge_factor_neon(float m, float larger)
{
    return m == -HUGE_VALF ? 0.0f : vgetq_lane_f32(exp_neon(vdupq_n_f32(m - larger)), 0);
}

void slm__attend_merge_neon(float *state, const float *next, uint32_t head_dim)
{
    const float m = next[0] > state[0] ? next[0] : state[0];
    const float kept = merge_factor_neon(state[0], m), taken = merge_factor_neon(next[0], m);
    const uint32_t stride = slm__head_stride(head_dim);
    state[0] = m;
    state[1] = fmaf(state[1], kept, next[1] * taken);
    for (uint32_t d = SLM_ATTEND_HEADER; d < SLM_ATTEND_HEADER + stride; d += 4) {
        vst1q_f32(state + d, vfmaq_n_f32(vmulq_n_f32(vld1q_f32(next + d), taken), vld1q_f32(state + d), kept));
    }
}

void slm__attend_finish_neon(const float *state, uint32_t head_dim, float *out)
{
    const float *acc = state + SLM_ATTEND_HEADER; /* head_stride long: whole registers may be read */
    for (uint32_t d = 0; d < head_dim; d += 4) {
        store_row_neon(out, d, head_dim, vdivq_f32(vld1q_f32(acc + d), vdupq_n_f32(state[1])));
    }
}
