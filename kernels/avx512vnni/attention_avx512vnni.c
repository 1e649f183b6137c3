/* SPDX-License-Identifier: MIT */
/*
 * Attention over one tile of 64 keys. Scores: a lane is a token, so registers hold [4 panels of 16 tokens][queries] sums; values: a lane is
 * a dimension, registers hold [queries][dimensions] sums. Four queries at a time share each load (and f16 conversion) of K and V.
 */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__attend_..._avx512vnni */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* exp_avx512vnni, tanh_avx512vnni, tree16_avx512vnni, maximum16_avx512vnni */
#include <math.h>

enum { QUERIES_AVX512VNNI = 4, PANELS_AVX512VNNI = SLM_TILE / 16, REGISTERS_AVX512VNNI = 16 };

/* What one tile gives one query. */
struct attend_tile_avx512vnni {
    float p[SLM_TILE];
    float correction;
};

/* 16 elements from element i on; `type` is a constant of the caller. */
SLM_INLINE_AVX512VNNI __m512 load_tile_avx512vnni(const void *tile, size_t i, enum slm_kv_type type)
{
    if (type == SLM_CACHE_F16) {
        return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)((const uint16_t *)tile + i)));
    }
    return _mm512_loadu_ps((const float *)tile + i);
}

/* Scores of the whole tile for `count` queries. */
SLM_INLINE_AVX512VNNI void scores_avx512vnni(const void *k_tile, uint32_t head_dim, enum slm_kv_type type,
                                             const struct slm_attend_query *queries, uint32_t count, struct attend_tile_avx512vnni *tiles)
{
    const size_t panel_length = (size_t)head_dim * 16;
    __m512 sum[REGISTERS_AVX512VNNI];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < PANELS_AVX512VNNI * count; i++) {
        sum[i] = _mm512_setzero_ps();
    }
    for (uint32_t d = 0; d < head_dim; d++) {
        SLM_UNROLL_AVX512VNNI
        for (uint32_t panel = 0; panel < PANELS_AVX512VNNI; panel++) {
            const __m512 k = load_tile_avx512vnni(k_tile, panel * panel_length + (size_t)16 * d, type);
            SLM_UNROLL_AVX512VNNI
            for (uint32_t i = 0; i < count; i++) {
                sum[panel * count + i] = _mm512_fmadd_ps(k, _mm512_set1_ps(queries[i].q[d]), sum[panel * count + i]);
            }
        }
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t panel = 0; panel < PANELS_AVX512VNNI; panel++) {
        SLM_UNROLL_AVX512VNNI
        for (uint32_t i = 0; i < count; i++) {
            _mm512_storeu_ps(tiles[i].p + (size_t)16 * panel, sum[panel * count + i]);
        }
    }
}

/* Bit t is set where begin <= t < end; begin < end <= 64. */
static uint64_t visible_avx512vnni(uint32_t begin, uint32_t end) { return (~(uint64_t)0 >> (SLM_TILE - end)) & (~(uint64_t)0 << begin); }

/* Soft cap, maximum, probabilities, sum: p goes from scores to e^(score - m), and m and l of the state move on. */
static void softmax_avx512vnni(struct attend_tile_avx512vnni *tile, float softcap, const struct slm_attend_query *query)
{
    const uint64_t visible = visible_avx512vnni(query->begin, query->end);
    const __m512 cap = _mm512_set1_ps(softcap);
    __m512 lane = _mm512_set1_ps(-HUGE_VALF);
    for (uint32_t panel = 0; panel < PANELS_AVX512VNNI; panel++) {
        __m512 s = _mm512_loadu_ps(tile->p + (size_t)16 * panel);
        if (softcap != 0.0f) {
            s = _mm512_mul_ps(cap, tanh_avx512vnni(_mm512_div_ps(s, cap)));
            _mm512_storeu_ps(tile->p + (size_t)16 * panel, s);
        }
        lane = _mm512_mask_max_ps(lane, (__mmask16)(visible >> (16 * panel)), s, lane);
    }
    const float tile_m = maximum16_avx512vnni(lane), old_m = query->state[0], new_m = tile_m > old_m ? tile_m : old_m;
    lane = _mm512_setzero_ps();
    for (uint32_t panel = 0; panel < PANELS_AVX512VNNI; panel++) {
        const __m512 p = exp_avx512vnni(_mm512_sub_ps(_mm512_loadu_ps(tile->p + (size_t)16 * panel), _mm512_set1_ps(new_m)));
        _mm512_storeu_ps(tile->p + (size_t)16 * panel, p);
        lane = _mm512_mask_add_ps(lane, (__mmask16)(visible >> (16 * panel)), lane, p);
    }
    tile->correction = old_m == -HUGE_VALF ? 0.0f : _mm512_cvtss_f32(exp_avx512vnni(_mm512_set1_ps(old_m - new_m)));
    query->state[0] = new_m;
    query->state[1] = fmaf(query->state[1], tile->correction, tree16_avx512vnni(lane));
}

/* acc[16 * registers from d on] of `count` queries += p[t] v[t] for t in [begin, end), in order; registers * count <= 16. */
SLM_INLINE_AVX512VNNI void add_values_avx512vnni(const void *v_tile, uint32_t stride, enum slm_kv_type type, uint32_t d, uint32_t registers,
                                                 const struct slm_attend_query *queries, const struct attend_tile_avx512vnni *tiles,
                                                 uint32_t count, uint32_t begin, uint32_t end)
{
    __m512 acc[REGISTERS_AVX512VNNI];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < registers * count; i++) {
        acc[i] = _mm512_loadu_ps(queries[i / registers].state + SLM_ATTEND_HEADER + d + (size_t)16 * (i % registers));
    }
    for (uint32_t t = begin; t < end; t++) {
        SLM_UNROLL_AVX512VNNI
        for (uint32_t r = 0; r < registers; r++) {
            const __m512 v = load_tile_avx512vnni(v_tile, (size_t)t * stride + d + (size_t)16 * r, type);
            SLM_UNROLL_AVX512VNNI
            for (uint32_t i = 0; i < count; i++) {
                acc[i * registers + r] = _mm512_fmadd_ps(_mm512_set1_ps(tiles[i].p[t]), v, acc[i * registers + r]);
            }
        }
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < registers * count; i++) {
        _mm512_storeu_ps(queries[i / registers].state + SLM_ATTEND_HEADER + d + (size_t)16 * (i % registers), acc[i]);
    }
}

/* All dimensions of `count` queries, keys [begin, end) that all of them see: 64 dimensions at a time, then 16. */
SLM_INLINE_AVX512VNNI void values_avx512vnni(const void *v_tile, uint32_t stride, enum slm_kv_type type,
                                             const struct slm_attend_query *queries, const struct attend_tile_avx512vnni *tiles,
                                             uint32_t count, uint32_t begin, uint32_t end)
{
    uint32_t d = 0;
    if (begin >= end) {
        return;
    }
    for (; d + 64 <= stride; d += 64) {
        add_values_avx512vnni(v_tile, stride, type, d, 4, queries, tiles, count, begin, end);
    }
    for (; d < stride; d += 16) {
        add_values_avx512vnni(v_tile, stride, type, d, 1, queries, tiles, count, begin, end);
    }
}

/* Four queries: keys that all of them see are shared, those before and behind are added one query at a time, in order. */
SLM_INLINE_AVX512VNNI void values_four_avx512vnni(const void *v_tile, uint32_t stride, enum slm_kv_type type,
                                                  const struct slm_attend_query *queries, const struct attend_tile_avx512vnni *tiles)
{
    uint32_t low = 0, high = SLM_TILE;
    for (uint32_t i = 0; i < QUERIES_AVX512VNNI; i++) {
        low = queries[i].begin > low ? queries[i].begin : low;
        high = queries[i].end < high ? queries[i].end : high;
    }
    for (uint32_t i = 0; i < QUERIES_AVX512VNNI; i++) {
        const uint32_t end = low < high ? low : queries[i].end; /* nothing is shared: everything here */
        values_avx512vnni(v_tile, stride, type, &queries[i], &tiles[i], 1, queries[i].begin, end);
    }
    if (low < high) {
        values_avx512vnni(v_tile, stride, type, queries, tiles, QUERIES_AVX512VNNI, low, high);
        for (uint32_t i = 0; i < QUERIES_AVX512VNNI; i++) {
            values_avx512vnni(v_tile, stride, type, &queries[i], &tiles[i], 1, high, queries[i].end);
        }
    }
}

static void correct_avx512vnni(const struct slm_attend_query *query, float correction, uint32_t stride)
{
    float *acc = query->state + SLM_ATTEND_HEADER;
    for (uint32_t d = 0; d < stride; d += 16) {
        _mm512_storeu_ps(acc + d, _mm512_mul_ps(_mm512_loadu_ps(acc + d), _mm512_set1_ps(correction)));
    }
}

SLM_INLINE_AVX512VNNI void attend_avx512vnni(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                                             enum slm_kv_type type, const struct slm_attend_query *queries, uint32_t count)
{
    const uint32_t stride = slm__head_stride(head_dim);
    struct attend_tile_avx512vnni tiles[QUERIES_AVX512VNNI];
    while (count > 0) {
        const uint32_t taken = count >= QUERIES_AVX512VNNI ? QUERIES_AVX512VNNI : 1;
        if (taken == QUERIES_AVX512VNNI) {
            scores_avx512vnni(k_tile, head_dim, type, queries, QUERIES_AVX512VNNI, tiles);
        } else {
            scores_avx512vnni(k_tile, head_dim, type, queries, 1, tiles);
        }
        for (uint32_t i = 0; i < taken; i++) {
            softmax_avx512vnni(&tiles[i], softcap, &queries[i]);
            correct_avx512vnni(&queries[i], tiles[i].correction, stride);
        }
        if (taken == QUERIES_AVX512VNNI) {
            values_four_avx512vnni(v_tile, stride, type, queries, tiles);
        } else {
            values_avx512vnni(v_tile, stride, type, queries, tiles, 1, queries->begin, queries->end);
        }
        queries += taken;
        count -= taken;
    }
}

void slm__attend_f32_avx512vnni(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                                const struct slm_attend_query *queries, uint32_t count)
{
    attend_avx512vnni(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F32, queries, count);
}

void slm__attend_f16_avx512vnni(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                                const struct slm_attend_query *queries, uint32_t count)
{
    attend_avx512vnni(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F16, queries, count);
}
