/* SPDX-License-Identifier: MIT */
/*
 * Attention over one tile of 64 keys. Scores: a lane is a token, so registers hold [panels of 16 tokens][queries] sums; values: a lane is a
 * dimension, registers hold [queries][dimensions] sums. Four queries at a time share each load (and f16 conversion) of K and V.
 */
#include "kernels/avx2/avx2_kernels.h" /* slm__attend_..._avx2, slm__store_..._avx2 */
#include "kernels/avx2/simd_avx2.h"    /* exp_avx2, tanh_avx2, tree16_avx2, maximum16_avx2 */
#include "kernels/half_bits.h"         /* slm__f32_to_f16 */
#include <math.h>
#include <string.h>

enum { QUERIES_AVX2 = 4, PANELS_AVX2 = SLM_TILE / 16 };

/* What one tile gives one query. */
struct attend_tile_avx2 {
    float p[SLM_TILE];
    float correction;
};

/* 8 elements from element i on; `type` is a constant of the caller. */
SLM_INLINE_AVX2 __m256 load_tile_avx2(const void *tile, size_t i, enum slm_kv_type type)
{
    return type == SLM_CACHE_F16 ? load_f16_avx2((const uint16_t *)tile + i) : _mm256_loadu_ps((const float *)tile + i);
}

/* Scores of panels [first, first + panels) for `count` queries; panels * 2 * count = 8 registers. */
SLM_INLINE_AVX2 void score_panels_avx2(const void *k_tile, uint32_t head_dim, enum slm_kv_type type, uint32_t first, uint32_t panels,
                                       const struct slm_attend_query *queries, uint32_t count, struct attend_tile_avx2 *tiles)
{
    const size_t begin = (size_t)first * head_dim * 16, panel_length = (size_t)head_dim * 16;
    __m256 sum[2 * PANELS_AVX2];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 2 * panels * count; i++) {
        sum[i] = _mm256_setzero_ps();
    }
    for (uint32_t d = 0; d < head_dim; d++) {
        SLM_UNROLL_AVX2
        for (uint32_t h = 0; h < 2 * panels; h++) {
            const __m256 k = load_tile_avx2(k_tile, begin + h / 2 * panel_length + (size_t)16 * d + (size_t)8 * (h % 2), type);
            SLM_UNROLL_AVX2
            for (uint32_t i = 0; i < count; i++) {
                sum[h * count + i] = _mm256_fmadd_ps(k, _mm256_broadcast_ss(queries[i].q + d), sum[h * count + i]);
            }
        }
    }
    SLM_UNROLL_AVX2
    for (uint32_t h = 0; h < 2 * panels; h++) {
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < count; i++) {
            _mm256_storeu_ps(tiles[i].p + (size_t)16 * first + (size_t)8 * h, sum[h * count + i]);
        }
    }
}

/* All ones where begin <= t < end, for t = first .. first + 7. */
SLM_INLINE_AVX2 __m256 visible_avx2(uint32_t first, uint32_t begin, uint32_t end)
{
    const __m256i t = _mm256_add_epi32(_mm256_set1_epi32((int32_t)first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i before = _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)begin), t);
    return _mm256_castsi256_ps(_mm256_andnot_si256(before, _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)end), t)));
}

/* Soft cap, maximum, probabilities, sum: p goes from scores to e^(score - m), and m and l of the state move on. */
static void softmax_avx2(struct attend_tile_avx2 *tile, float softcap, const struct slm_attend_query *query)
{
    const __m256 cap = _mm256_set1_ps(softcap), nothing = _mm256_set1_ps(-HUGE_VALF);
    __m256 lane[2] = {nothing, nothing};
    for (uint32_t h = 0; h < 2 * PANELS_AVX2; h++) {
        __m256 s = _mm256_loadu_ps(tile->p + (size_t)8 * h);
        if (softcap != 0.0f) {
            s = _mm256_mul_ps(cap, tanh_avx2(_mm256_div_ps(s, cap)));
            _mm256_storeu_ps(tile->p + (size_t)8 * h, s);
        }
        lane[h % 2] = _mm256_max_ps(_mm256_blendv_ps(nothing, s, visible_avx2(8 * h, query->begin, query->end)), lane[h % 2]);
    }
    const float tile_m = maximum16_avx2(lane[0], lane[1]), old_m = query->state[0], new_m = tile_m > old_m ? tile_m : old_m;
    const __m256 m = _mm256_set1_ps(new_m);
    lane[0] = lane[1] = _mm256_setzero_ps();
    for (uint32_t h = 0; h < 2 * PANELS_AVX2; h++) {
        const __m256 p = exp_avx2(_mm256_sub_ps(_mm256_loadu_ps(tile->p + (size_t)8 * h), m));
        _mm256_storeu_ps(tile->p + (size_t)8 * h, p);
        lane[h % 2] = _mm256_add_ps(lane[h % 2], _mm256_and_ps(p, visible_avx2(8 * h, query->begin, query->end)));
    }
    tile->correction = old_m == -HUGE_VALF ? 0.0f : _mm256_cvtss_f32(exp_avx2(_mm256_set1_ps(old_m - new_m)));
    query->state[0] = new_m;
    query->state[1] = fmaf(query->state[1], tile->correction, tree16_avx2(lane[0], lane[1]));
}

/* acc[8 * registers from d on] of `count` queries += p[t] v[t] for t in [begin, end), in order. */
SLM_INLINE_AVX2 void add_values_avx2(const void *v_tile, uint32_t stride, enum slm_kv_type type, uint32_t d, uint32_t registers,
                                     const struct slm_attend_query *queries, const struct attend_tile_avx2 *tiles, uint32_t count,
                                     uint32_t begin, uint32_t end)
{
    __m256 acc[8];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < registers * count; i++) {
        acc[i] = _mm256_loadu_ps(queries[i / registers].state + SLM_ATTEND_HEADER + d + (size_t)8 * (i % registers));
    }
    for (uint32_t t = begin; t < end; t++) {
        SLM_UNROLL_AVX2
        for (uint32_t r = 0; r < registers; r++) {
            const __m256 v = load_tile_avx2(v_tile, (size_t)t * stride + d + (size_t)8 * r, type);
            SLM_UNROLL_AVX2
            for (uint32_t i = 0; i < count; i++) {
                acc[i * registers + r] = _mm256_fmadd_ps(_mm256_broadcast_ss(tiles[i].p + t), v, acc[i * registers + r]);
            }
        }
    }
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < registers * count; i++) {
        _mm256_storeu_ps(queries[i / registers].state + SLM_ATTEND_HEADER + d + (size_t)8 * (i % registers), acc[i]);
    }
}

/* All dimensions of one query, keys [begin, end): 64 dimensions at a time, then 16. */
SLM_INLINE_AVX2 void values_one_avx2(const void *v_tile, uint32_t stride, enum slm_kv_type type, const struct slm_attend_query *query,
                                     const struct attend_tile_avx2 *tile, uint32_t begin, uint32_t end)
{
    uint32_t d = 0;
    if (begin >= end) {
        return;
    }
    for (; d + 64 <= stride; d += 64) {
        add_values_avx2(v_tile, stride, type, d, 8, query, tile, 1, begin, end);
    }
    for (; d < stride; d += 16) {
        add_values_avx2(v_tile, stride, type, d, 2, query, tile, 1, begin, end);
    }
}

/* Four queries: keys that all of them see are shared, those before and behind are added one query at a time, in order. */
SLM_INLINE_AVX2 void values_four_avx2(const void *v_tile, uint32_t stride, enum slm_kv_type type, const struct slm_attend_query *queries,
                                      const struct attend_tile_avx2 *tiles)
{
    uint32_t low = 0, high = SLM_TILE;
    for (uint32_t i = 0; i < QUERIES_AVX2; i++) {
        low = queries[i].begin > low ? queries[i].begin : low;
        high = queries[i].end < high ? queries[i].end : high;
    }
    if (low >= high) {
        for (uint32_t i = 0; i < QUERIES_AVX2; i++) {
            values_one_avx2(v_tile, stride, type, &queries[i], &tiles[i], queries[i].begin, queries[i].end);
        }
        return;
    }
    for (uint32_t i = 0; i < QUERIES_AVX2; i++) {
        values_one_avx2(v_tile, stride, type, &queries[i], &tiles[i], queries[i].begin, low);
    }
    for (uint32_t d = 0; d < stride; d += 16) {
        add_values_avx2(v_tile, stride, type, d, 2, queries, tiles, QUERIES_AVX2, low, high);
    }
    for (uint32_t i = 0; i < QUERIES_AVX2; i++) {
        values_one_avx2(v_tile, stride, type, &queries[i], &tiles[i], high, queries[i].end);
    }
}

static void correct_avx2(const struct slm_attend_query *query, float correction, uint32_t stride)
{
    float *acc = query->state + SLM_ATTEND_HEADER;
    for (uint32_t d = 0; d < stride; d += 8) {
        _mm256_storeu_ps(acc + d, _mm256_mul_ps(_mm256_loadu_ps(acc + d), _mm256_set1_ps(correction)));
    }
}

SLM_INLINE_AVX2 void attend_avx2(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, enum slm_kv_type type,
                                 const struct slm_attend_query *queries, uint32_t count)
{
    const uint32_t stride = slm__head_stride(head_dim);
    struct attend_tile_avx2 tiles[QUERIES_AVX2];
    while (count > 0) {
        const uint32_t taken = count >= QUERIES_AVX2 ? QUERIES_AVX2 : 1;
        if (taken == QUERIES_AVX2) {
            for (uint32_t panel = 0; panel < PANELS_AVX2; panel++) {
                score_panels_avx2(k_tile, head_dim, type, panel, 1, queries, QUERIES_AVX2, tiles);
            }
        } else {
            score_panels_avx2(k_tile, head_dim, type, 0, PANELS_AVX2, queries, 1, tiles);
        }
        for (uint32_t i = 0; i < taken; i++) {
            softmax_avx2(&tiles[i], softcap, &queries[i]);
            correct_avx2(&queries[i], tiles[i].correction, stride);
        }
        if (taken == QUERIES_AVX2) {
            values_four_avx2(v_tile, stride, type, queries, tiles);
        } else {
            values_one_avx2(v_tile, stride, type, queries, tiles, queries->begin, queries->end);
        }
        queries += taken;
        count -= taken;
    }
}

void slm__attend_f32_avx2(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                          uint32_t count, const struct slm_attend_ahead *ahead)
{
    (void)ahead;
    attend_avx2(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F32, queries, count);
}

void slm__attend_f16_avx2(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                          uint32_t count, const struct slm_attend_ahead *ahead)
{
    (void)ahead;
    attend_avx2(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F16, queries, count);
}

void slm__store_k_f16_avx2(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    uint16_t *lane = (uint16_t *)tile + (size_t)(slot / 16) * head_dim * 16 + slot % 16, half[8];
    uint32_t d = 0;
    for (; d + 8 <= head_dim; d += 8) {
        _mm_storeu_si128((__m128i *)(void *)half, _mm256_cvtps_ph(_mm256_loadu_ps(x + d), _MM_FROUND_TO_NEAREST_INT));
        for (uint32_t i = 0; i < 8; i++) {
            lane[(size_t)16 * (d + i)] = half[i];
        }
    }
    for (; d < head_dim; d++) {
        lane[(size_t)16 * d] = slm__f32_to_f16(x[d]);
    }
}

void slm__store_v_f16_avx2(const float *x, uint32_t head_dim, uint32_t slot, void *tile)
{
    const uint32_t stride = slm__head_stride(head_dim);
    uint16_t *row = (uint16_t *)tile + (size_t)slot * stride;
    uint32_t d = 0;
    for (; d + 8 <= head_dim; d += 8) {
        _mm_storeu_si128((__m128i *)(void *)(row + d), _mm256_cvtps_ph(_mm256_loadu_ps(x + d), _MM_FROUND_TO_NEAREST_INT));
    }
    for (; d < head_dim; d++) {
        row[d] = slm__f32_to_f16(x[d]);
    }
    memset(row + head_dim, 0, (stride - head_dim) * sizeof *row);
}

/* e^(m - larger), 0 for an empty state */
static __m256 merge_factor_avx2(float m, float larger)
{
    return m == -HUGE_VALF ? _mm256_setzero_ps() : exp_avx2(_mm256_set1_ps(m - larger));
}

void slm__attend_merge_avx2(float *state, const float *next, uint32_t head_dim)
{
    const float m = next[0] > state[0] ? next[0] : state[0];
    const __m256 kept = merge_factor_avx2(state[0], m), taken = merge_factor_avx2(next[0], m);
    const uint32_t stride = slm__head_stride(head_dim);
    state[0] = m;
    state[1] = fmaf(state[1], _mm256_cvtss_f32(kept), next[1] * _mm256_cvtss_f32(taken));
    for (uint32_t d = SLM_ATTEND_HEADER; d < SLM_ATTEND_HEADER + stride; d += 8) {
        const __m256 other = _mm256_mul_ps(_mm256_loadu_ps(next + d), taken);
        _mm256_storeu_ps(state + d, _mm256_fmadd_ps(_mm256_loadu_ps(state + d), kept, other));
    }
}

void slm__attend_finish_avx2(const float *state, uint32_t head_dim, float *out)
{
    const float *acc = state + SLM_ATTEND_HEADER; /* head_stride long: whole registers may be read */
    const __m256 sum = _mm256_set1_ps(state[1]);
    for (uint32_t d = 0; d < head_dim; d += 8) {
        const __m256 value = _mm256_div_ps(_mm256_loadu_ps(acc + d), sum);
        if (head_dim - d >= 8) {
            _mm256_storeu_ps(out + d, value);
        } else {
            _mm256_maskstore_ps(out + d, first_lanes_avx2(head_dim - d), value);
        }
    }
}
