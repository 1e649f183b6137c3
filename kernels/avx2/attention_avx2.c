/* SPDX-License-Identifier: MIT */
/*
 * Attention over one tile of 64 keys. Scores: a lane is a token, so registers hold [8 tokens each][queries] sums; values: a lane is a
 * dimension, registers hold [queries][8 dimensions each] sums: two or three registers of four queries, which share each load (and
 * conversion) of K and V, and go through the softmax side by side, since one alone is a single chain of dependent operations. Two or
 * three queries are filled up with copies whose results are dropped.
 */
#include "kernels/avx2/avx2_kernels.h"  /* slm__attend_..._avx2 */
#include "kernels/avx2/simd_avx2.h"     /* exp_avx2, tanh_avx2, tree16_of_4_avx2, maximum16_of_4_avx2 */
#include "kernels/avx2/quantize_avx2.h" /* quantize_avx2 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { QUERIES_AVX2 = 4, EIGHTS_AVX2 = SLM_TILE / 8, REGISTERS_AVX2 = 12 };

/* Up to four queries on their way through one tile. */
struct attend_batch_avx2 {
    struct slm_attend_query query[QUERIES_AVX2];
    float p[QUERIES_AVX2][SLM_TILE]; /* scores, then probabilities, for i8 times the scale of v */
    struct slm_attend_ahead ahead;
    float correction[QUERIES_AVX2]; /* what acc is multiplied by when it is first added to */
};

/* 8 elements from element i on, i8 without the scale; `type` is a constant of the caller. */
SLM_INLINE_AVX2 __m256 load_tile_avx2(const void *tile, size_t i, enum slm_kv_type type)
{
    if (type == SLM_CACHE_I8) {
        return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)((const int8_t *)tile + i))));
    }
    return type == SLM_CACHE_F16 ? load_f16_avx2((const uint16_t *)tile + i) : _mm256_loadu_ps((const float *)tile + i);
}

/* Ask for the lines of the next K tile that belong to step `step` of all steps through the present one. */
SLM_INLINE_AVX2 void prefetch_keys_avx2(const struct attend_batch_avx2 *batch, size_t step, uint32_t lines)
{
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < lines; i++) {
        prefetch_avx2(batch->ahead.k_tile, 64 * (step * lines + i));
    }
}

/* The same for V: what lies where the present tile has elements [i, i + 8 * registers). */
SLM_INLINE_AVX2 void prefetch_values_avx2(const struct attend_batch_avx2 *batch, size_t i, uint32_t registers, enum slm_kv_type type)
{
    const uint32_t bytes = type == SLM_CACHE_F32 ? 4 : type == SLM_CACHE_F16 ? 2 : 1;
    SLM_UNROLL_AVX2
    for (uint32_t line = 0; line < (registers * bytes + 7) / 8; line++) {
        prefetch_avx2(batch->ahead.v_tile, i * bytes + (size_t)64 * line);
    }
}

/* Scores of tokens [8 * first, 8 * (first + eights)) for `count` queries. */
SLM_INLINE_AVX2 void scores_some_avx2(const void *k_tile, uint32_t head_dim, enum slm_kv_type type, uint32_t first, uint32_t eights,
                                      uint32_t count, struct attend_batch_avx2 *batch)
{
    __m256 sum[REGISTERS_AVX2];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < eights * count; i++) {
        sum[i] = _mm256_setzero_ps();
    }
    for (uint32_t d = 0; d < head_dim; d++) {
        if (first == 0) {
            prefetch_keys_avx2(batch, d, type == SLM_CACHE_F16 ? 2 : 4);
        }
        __m256 k[EIGHTS_AVX2];
        SLM_UNROLL_AVX2
        for (uint32_t h = 0; h < eights; h++) {
            const size_t panel = (first + h) / 2, half = (first + h) % 2;
            k[h] = load_tile_avx2(k_tile, (panel * head_dim + d) * 16 + 8 * half, type);
        }
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < count; i++) {
            const __m256 q = _mm256_broadcast_ss((const float *)batch->query[i].q + d);
            SLM_UNROLL_AVX2
            for (uint32_t h = 0; h < eights; h++) {
                sum[h * count + i] = hold_sum_avx2(_mm256_fmadd_ps(k[h], q, sum[h * count + i]));
            }
        }
    }
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < eights * count; i++) {
        _mm256_storeu_ps(batch->p[i % count] + (size_t)8 * (first + i / count), sum[i]);
    }
}

SLM_INLINE_AVX2 void scores_avx2(const void *k_tile, uint32_t head_dim, enum slm_kv_type type, uint32_t count,
                                 struct attend_batch_avx2 *batch)
{
    if (count == 1) {
        scores_some_avx2(k_tile, head_dim, type, 0, EIGHTS_AVX2, 1, batch);
        return;
    }
    scores_some_avx2(k_tile, head_dim, type, 0, 3, count, batch);
    scores_some_avx2(k_tile, head_dim, type, 3, 3, count, batch);
    scores_some_avx2(k_tile, head_dim, type, 6, 2, count, batch);
}

void slm__quantize_query_avx2(const float *q, uint32_t head_dim, void *codes)
{
    const __m128i flip = _mm_set1_epi8((char)0x80);
    const uint32_t stride = slm__head_stride(head_dim);
    int8_t *code = codes;
    memset(code + stride - 16, 0, 16);
    const float scale = quantize_avx2(q, head_dim, code);
    __m128i sum = _mm_set_epi32(0, 0, 0, -128 * (int32_t)stride);
    for (uint32_t d = 0; d < stride; d += 16) { /* of codes + 128, so as unsigned bytes */
        const __m128i bytes = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)(code + d)), flip);
        sum = _mm_add_epi32(sum, _mm_sad_epu8(bytes, _mm_setzero_si128()));
    }
    const int32_t total = _mm_cvtsi128_si32(sum) + _mm_extract_epi32(sum, 2);
    memcpy(code + stride, &scale, sizeof scale);
    memcpy(code + stride + sizeof scale, &total, sizeof total);
}

SLM_INLINE_AVX2 __m256 query_scale_avx2(const struct slm_attend_query *query, uint32_t head_dim)
{
    return _mm256_broadcast_ss((const float *)(const void *)((const int8_t *)query->q + slm__head_stride(head_dim)));
}

/* Scores of one panel of an i8 cache. maddubs of |k| and q with k's sign: a pair sums to at most 2 * 128 * 127, whatever the bits. */
SLM_INLINE_AVX2 void scores_panel_i8_avx2(const uint8_t *k_tile, uint32_t head_dim, uint32_t panel, uint32_t count,
                                          struct attend_batch_avx2 *batch)
{
    const uint32_t quads = slm__head_quads(head_dim);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum[2 * QUERIES_AVX2];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 2 * count; i++) {
        sum[i] = _mm256_setzero_si256();
    }
    for (uint32_t j = 0; j < quads; j++) {
        const uint8_t *line = k_tile + (size_t)64 * (panel * quads + j);
        const __m256i k[2] = {load_bytes_avx2(line), load_bytes_avx2(line + 32)};
        const __m256i magnitude[2] = {_mm256_abs_epi8(k[0]), _mm256_abs_epi8(k[1])};
        prefetch_keys_avx2(batch, (size_t)panel * quads + j, 1);
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < count; i++) {
            const __m256i quad = broadcast_quad_avx2((const uint8_t *)batch->query[i].q + (size_t)4 * j);
            SLM_UNROLL_AVX2
            for (uint32_t h = 0; h < 2; h++) {
                const __m256i pairs = _mm256_maddubs_epi16(magnitude[h], _mm256_sign_epi8(quad, k[h]));
                sum[h * count + i] = hold_avx2(_mm256_add_epi32(sum[h * count + i], _mm256_madd_epi16(pairs, ones)));
            }
        }
    }
    const uint8_t *k_scales = k_tile + slm__k_scales_offset(head_dim) + (size_t)64 * panel;
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < 2 * count; i++) {
        const __m256 k_scale = _mm256_loadu_ps((const float *)(const void *)(k_scales + (size_t)32 * (i / count)));
        const __m256 scale = _mm256_mul_ps(k_scale, query_scale_avx2(&batch->query[i % count], head_dim));
        _mm256_storeu_ps(batch->p[i % count] + (size_t)16 * panel + (size_t)8 * (i / count),
                         _mm256_mul_ps(_mm256_cvtepi32_ps(sum[i]), scale));
    }
}

SLM_INLINE_AVX2 void scores_i8_avx2(const void *k_tile, uint32_t head_dim, uint32_t count, struct attend_batch_avx2 *batch)
{
    for (uint32_t panel = 0; panel < SLM_TILE / 16; panel++) {
        scores_panel_i8_avx2(k_tile, head_dim, panel, count, batch);
    }
}

/* All ones where begin <= t < end, for t = first .. first + 7. */
SLM_INLINE_AVX2 __m256 visible_avx2(uint32_t first, const struct slm_attend_query *query)
{
    const __m256i t = _mm256_add_epi32(_mm256_set1_epi32((int32_t)first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i before = _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)query->begin), t);
    return _mm256_castsi256_ps(_mm256_andnot_si256(before, _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)query->end), t)));
}

SLM_INLINE_AVX2 bool all_visible_avx2(const struct slm_attend_query *query) { return query->begin == 0 && query->end == SLM_TILE; }

/* The largest visible score of lanes 0-7 and 8-15, -infinity for none. */
SLM_INLINE_AVX2 void maxima_avx2(const float p[SLM_TILE], const struct slm_attend_query *query, __m256 lanes[2])
{
    const __m256 nothing = _mm256_set1_ps(-HUGE_VALF);
    const bool all = all_visible_avx2(query);
    lanes[0] = lanes[1] = nothing;
    SLM_UNROLL_AVX2
    for (uint32_t h = 0; h < EIGHTS_AVX2; h++) {
        __m256 s = _mm256_loadu_ps(p + (size_t)8 * h);
        s = all ? s : _mm256_blendv_ps(nothing, s, visible_avx2(8 * h, query));
        lanes[h % 2] = _mm256_max_ps(s, lanes[h % 2]);
    }
}

/* Scores become e^(score - m); lanes: their sum over the visible tokens. v_scales: [64], NULL for none. */
SLM_INLINE_AVX2 void exponentials_avx2(float p[SLM_TILE], const struct slm_attend_query *query, float m, const float *v_scales,
                                       __m256 lanes[2])
{
    const bool all = all_visible_avx2(query);
    lanes[0] = lanes[1] = _mm256_setzero_ps();
    SLM_UNROLL_AVX2
    for (uint32_t h = 0; h < EIGHTS_AVX2; h++) {
        __m256 e = exp_avx2(_mm256_sub_ps(_mm256_loadu_ps(p + (size_t)8 * h), _mm256_set1_ps(m)));
        lanes[h % 2] = _mm256_add_ps(lanes[h % 2], all ? e : _mm256_and_ps(e, visible_avx2(8 * h, query)));
        e = v_scales == NULL ? e : _mm256_mul_ps(e, _mm256_loadu_ps(v_scales + (size_t)8 * h));
        _mm256_storeu_ps(p + (size_t)8 * h, e);
    }
}

static void softcap_avx2(float p[SLM_TILE], float softcap)
{
    const __m256 cap = _mm256_set1_ps(softcap);
    for (uint32_t t = 0; t < SLM_TILE; t += 8) {
        _mm256_storeu_ps(p + t, _mm256_mul_ps(cap, tanh_avx2(_mm256_div_ps(_mm256_loadu_ps(p + t), cap))));
    }
}

/* Maximum, probabilities, sum: p goes from scores to e^(score - m), m and l of the states move on. Lane i of a short register: query i. */
SLM_INLINE_AVX2 void softmax_some_avx2(struct attend_batch_avx2 *batch, uint32_t count, const float *v_scales)
{
    const __m128 empty = _mm_set1_ps(-HUGE_VALF);
    __m256 lanes[QUERIES_AVX2][2];
    float m[QUERIES_AVX2] = {0}, l[QUERIES_AVX2] = {0};
    for (uint32_t i = 0; i < count; i++) {
        m[i] = batch->query[i].state[0];
        l[i] = batch->query[i].state[1];
        maxima_avx2(batch->p[i], &batch->query[i], lanes[i]);
    }
    const __m128 old_m = _mm_loadu_ps(m), old_l = _mm_loadu_ps(l);
    const __m128 most = count == 1 ? _mm_set_ss(maximum16_avx2(lanes[0][0], lanes[0][1])) : maximum16_of_4_avx2(lanes);
    const __m128 new_m = _mm_max_ps(most, old_m);
    const __m128 shrink = _mm256_castps256_ps128(exp_avx2(_mm256_zextps128_ps256(_mm_sub_ps(old_m, new_m))));
    const __m128 correction = _mm_and_ps(shrink, _mm_cmp_ps(old_m, empty, _CMP_NEQ_UQ));
    _mm_storeu_ps(m, new_m);
    _mm_storeu_ps(batch->correction, correction);
    for (uint32_t i = 0; i < count; i++) {
        exponentials_avx2(batch->p[i], &batch->query[i], m[i], v_scales, lanes[i]);
        batch->query[i].state[0] = m[i];
    }
    const __m128 sums = count == 1 ? _mm_set_ss(tree16_avx2(lanes[0][0], lanes[0][1])) : tree16_of_4_avx2(lanes);
    _mm_storeu_ps(l, _mm_fmadd_ps(old_l, correction, sums));
    for (uint32_t i = 0; i < count; i++) {
        batch->query[i].state[1] = l[i];
    }
}

/* `count` queries, 1 or 4. */
SLM_LONG_AVX2 void softmax_avx2(struct attend_batch_avx2 *batch, uint32_t count, const float *v_scales)
{
    if (count == 1) {
        softmax_some_avx2(batch, 1, v_scales);
    } else {
        softmax_some_avx2(batch, QUERIES_AVX2, v_scales);
    }
}

/* Queries [first, first + count): acc[8 * registers from d on] = acc * correction + p[t] v[t] for t in [begin, end), in order. */
SLM_INLINE_AVX2 void add_values_avx2(const void *v_tile, uint32_t stride, enum slm_kv_type type, uint32_t d, uint32_t registers,
                                     const struct attend_batch_avx2 *batch, uint32_t first, uint32_t count, uint32_t begin, uint32_t end)
{
    __m256 acc[REGISTERS_AVX2];
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < registers * count; i++) {
        const float *at = batch->query[first + i / registers].state + SLM_ATTEND_HEADER + d + (size_t)8 * (i % registers);
        acc[i] = _mm256_mul_ps(_mm256_loadu_ps(at), _mm256_set1_ps(batch->correction[first + i / registers]));
    }
    for (uint32_t t = begin; t < end; t++) {
        prefetch_values_avx2(batch, (size_t)t * stride + d, registers, type);
        __m256 v[EIGHTS_AVX2];
        SLM_UNROLL_AVX2
        for (uint32_t r = 0; r < registers; r++) {
            v[r] = load_tile_avx2(v_tile, (size_t)t * stride + d + (size_t)8 * r, type);
        }
        SLM_UNROLL_AVX2
        for (uint32_t i = 0; i < count; i++) {
            const __m256 p = _mm256_broadcast_ss(batch->p[first + i] + t);
            SLM_UNROLL_AVX2
            for (uint32_t r = 0; r < registers; r++) {
                acc[i * registers + r] = hold_sum_avx2(_mm256_fmadd_ps(p, v[r], acc[i * registers + r]));
            }
        }
    }
    SLM_UNROLL_AVX2
    for (uint32_t i = 0; i < registers * count; i++) {
        _mm256_storeu_ps(batch->query[first + i / registers].state + SLM_ATTEND_HEADER + d + (size_t)8 * (i % registers), acc[i]);
    }
}

/* All dimensions of query i, keys [begin, end): 64 dimensions at a time, then 16. */
SLM_INLINE_AVX2 void values_of_type_avx2(const void *v_tile, uint32_t stride, enum slm_kv_type type, const struct attend_batch_avx2 *batch,
                                         uint32_t i, uint32_t begin, uint32_t end)
{
    uint32_t d = 0;
    for (; d + 64 <= stride; d += 64) {
        add_values_avx2(v_tile, stride, type, d, 8, batch, i, 1, begin, end);
    }
    for (; d < stride; d += 16) {
        add_values_avx2(v_tile, stride, type, d, 2, batch, i, 1, begin, end);
    }
}

/* The same for all types, unless there are no keys. Corrects the query, once. */
SLM_LONG_AVX2 void values_one_avx2(const void *v_tile, uint32_t stride, enum slm_kv_type type, struct attend_batch_avx2 *batch, uint32_t i,
                                   uint32_t begin, uint32_t end)
{
    if (begin >= end) {
        return;
    }
    if (type == SLM_CACHE_F16) {
        values_of_type_avx2(v_tile, stride, SLM_CACHE_F16, batch, i, begin, end);
    } else if (type == SLM_CACHE_I8) {
        values_of_type_avx2(v_tile, stride, SLM_CACHE_I8, batch, i, begin, end);
    } else {
        values_of_type_avx2(v_tile, stride, SLM_CACHE_F32, batch, i, begin, end);
    }
    batch->correction[i] = 1.0f;
}

/* Four queries: keys that all of them see are shared, those before and behind are added one query at a time, in order. 24 dimensions at a
 * time, the last ones 16: any stride is a sum of these. */
SLM_INLINE_AVX2 void values_four_avx2(const void *v_tile, uint32_t stride, enum slm_kv_type type, struct attend_batch_avx2 *batch)
{
    const struct slm_attend_query *query = batch->query;
    uint32_t low = 0, high = SLM_TILE, d = 0;
    for (uint32_t i = 0; i < QUERIES_AVX2; i++) {
        low = query[i].begin > low ? query[i].begin : low;
        high = query[i].end < high ? query[i].end : high;
    }
    for (uint32_t i = 0; i < QUERIES_AVX2; i++) {
        const uint32_t end = low < high ? low : query[i].end; /* nothing is shared: everything here */
        values_one_avx2(v_tile, stride, type, batch, i, query[i].begin, end);
    }
    if (low >= high) {
        return;
    }
    for (; (stride - d) % 24 != 0; d += 16) {
        add_values_avx2(v_tile, stride, type, d, 2, batch, 0, QUERIES_AVX2, low, high);
    }
    for (; d < stride; d += 24) {
        add_values_avx2(v_tile, stride, type, d, 3, batch, 0, QUERIES_AVX2, low, high);
    }
    for (uint32_t i = 0; i < QUERIES_AVX2; i++) {
        batch->correction[i] = 1.0f;
        values_one_avx2(v_tile, stride, type, batch, i, high, query[i].end);
    }
}

/* `count` queries, 1 or 4. */
SLM_INLINE_AVX2 void attend_batch_avx2(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, enum slm_kv_type type,
                                       uint32_t count, struct attend_batch_avx2 *batch)
{
    const uint32_t stride = slm__head_stride(head_dim);
    const uint8_t *v_scales = (const uint8_t *)v_tile + slm__v_scales_offset(head_dim);
    if (type == SLM_CACHE_I8) {
        scores_i8_avx2(k_tile, head_dim, count, batch);
    } else {
        scores_avx2(k_tile, head_dim, type, count, batch);
    }
    for (uint32_t i = 0; softcap != 0.0f && i < count; i++) {
        softcap_avx2(batch->p[i], softcap);
    }
    softmax_avx2(batch, count, type == SLM_CACHE_I8 ? (const float *)(const void *)v_scales : NULL);
    if (count == 1) {
        values_one_avx2(v_tile, stride, type, batch, 0, batch->query[0].begin, batch->query[0].end);
    } else {
        values_four_avx2(v_tile, stride, type, batch);
    }
}

SLM_INLINE_AVX2 void attend_avx2(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, enum slm_kv_type type,
                                 const struct slm_attend_query *queries, uint32_t count, const struct slm_attend_ahead *ahead)
{
    const struct slm_attend_ahead present = {v_tile, v_tile}; /* nothing to fetch ahead: at least V while K is worked on */
    float dropped[SLM_ATTEND_HEADER + SLM_HEAD_DIM_MAX];
    struct attend_batch_avx2 batch;
    batch.ahead = ahead != NULL ? *ahead : present;
    for (uint32_t done = 0; done < count; done += QUERIES_AVX2) {
        const uint32_t taken = count - done < QUERIES_AVX2 ? count - done : QUERIES_AVX2;
        memcpy(batch.query, queries + done, taken * sizeof queries[0]);
        if (taken == 1) {
            attend_batch_avx2(k_tile, v_tile, head_dim, softcap, type, 1, &batch);
            return;
        }
        for (uint32_t i = taken; i < QUERIES_AVX2; i++) {
            memset(dropped, 0, (SLM_ATTEND_HEADER + slm__head_stride(head_dim)) * sizeof dropped[0]);
            batch.query[i] = (struct slm_attend_query){queries[done].q, dropped, queries[done].begin, queries[done].end};
        }
        attend_batch_avx2(k_tile, v_tile, head_dim, softcap, type, QUERIES_AVX2, &batch);
        batch.ahead = present;
    }
}

void slm__attend_f32_avx2(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                          uint32_t count, const struct slm_attend_ahead *ahead)
{
    attend_avx2(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F32, queries, count, ahead);
}

void slm__attend_f16_avx2(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                          uint32_t count, const struct slm_attend_ahead *ahead)
{
    attend_avx2(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F16, queries, count, ahead);
}

void slm__attend_i8_avx2(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                         uint32_t count, const struct slm_attend_ahead *ahead)
{
    attend_avx2(k_tile, v_tile, head_dim, softcap, SLM_CACHE_I8, queries, count, ahead);
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
