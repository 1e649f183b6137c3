/* SPDX-License-Identifier: MIT */
/*
 * Attention over one tile of 64 keys. Scores: a lane is a token, so registers hold [4 panels of 16 tokens][queries] sums; values: a lane is
 * a dimension, registers hold [queries][dimensions] sums. Four queries at a time share each load (and conversion) of K and V, and go
 * through the softmax side by side, since one alone is a single chain of dependent operations; two or three are filled up with copies whose
 * results are dropped.
 */
#include "kernels/avx512vnni/avx512vnni_kernels.h" /* slm__attend_..._avx512vnni */
#include "kernels/avx512vnni/simd_avx512vnni.h"    /* exp_avx512vnni, tanh_avx512vnni, tree16_avx512vnni, maximum16_avx512vnni */
#include <math.h>
#include <string.h>

enum { QUERIES_AVX512VNNI = 4, PANELS_AVX512VNNI = SLM_TILE / 16, REGISTERS_AVX512VNNI = 16 };

/* Up to four queries on their way through one tile. */
struct attend_batch_avx512vnni {
    struct slm_attend_query query[QUERIES_AVX512VNNI];
    float p[QUERIES_AVX512VNNI][SLM_TILE]; /* scores, then probabilities, for i8 times the scale of v */
    struct slm_attend_ahead ahead;
    float correction[QUERIES_AVX512VNNI]; /* what acc is multiplied by when it is first added to */
};

/* 16 elements from element i on, i8 without the scale; `type` is a constant of the caller. */
SLM_INLINE_AVX512VNNI __m512 load_tile_avx512vnni(const void *tile, size_t i, enum slm_kv_type type)
{
    if (type == SLM_CACHE_I8) {
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)((const int8_t *)tile + i))));
    }
    if (type == SLM_CACHE_F16) {
        return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)((const uint16_t *)tile + i)));
    }
    return _mm512_loadu_ps((const float *)tile + i);
}

/* Ask for the lines of the next K tile that belong to step `step` of all steps through the present one. */
SLM_INLINE_AVX512VNNI void prefetch_keys_avx512vnni(const struct attend_batch_avx512vnni *batch, size_t step, uint32_t lines)
{
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < lines; i++) {
        prefetch_avx512vnni(batch->ahead.k_tile, 64 * (step * lines + i));
    }
}

/* The same for V: what lies where the present tile has elements [i, i + 16 * registers). */
SLM_INLINE_AVX512VNNI void prefetch_values_avx512vnni(const struct attend_batch_avx512vnni *batch, size_t i, uint32_t registers,
                                                      enum slm_kv_type type)
{
    const uint32_t bytes = type == SLM_CACHE_F32 ? 4 : type == SLM_CACHE_F16 ? 2 : 1;
    SLM_UNROLL_AVX512VNNI
    for (uint32_t line = 0; line < (registers * bytes + 3) / 4; line++) {
        prefetch_avx512vnni(batch->ahead.v_tile, i * bytes + (size_t)64 * line);
    }
}

/* Scores of the whole tile for `count` queries. */
SLM_INLINE_AVX512VNNI void scores_avx512vnni(const void *k_tile, uint32_t head_dim, enum slm_kv_type type, uint32_t count,
                                             struct attend_batch_avx512vnni *batch)
{
    const size_t panel_length = (size_t)head_dim * 16;
    __m512 sum[REGISTERS_AVX512VNNI];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < PANELS_AVX512VNNI * count; i++) {
        sum[i] = _mm512_setzero_ps();
    }
    for (uint32_t d = 0; d < head_dim; d++) {
        prefetch_keys_avx512vnni(batch, d, type == SLM_CACHE_F16 ? 2 : 4);
        SLM_UNROLL_AVX512VNNI
        for (uint32_t panel = 0; panel < PANELS_AVX512VNNI; panel++) {
            const __m512 k = load_tile_avx512vnni(k_tile, panel * panel_length + (size_t)16 * d, type);
            SLM_UNROLL_AVX512VNNI
            for (uint32_t i = 0; i < count; i++) {
                sum[panel * count + i] = _mm512_fmadd_ps(k, _mm512_set1_ps(((const float *)batch->query[i].q)[d]), sum[panel * count + i]);
            }
        }
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < PANELS_AVX512VNNI * count; i++) {
        _mm512_storeu_ps(batch->p[i % count] + (size_t)16 * (i / count), sum[i]);
    }
}

/* The same for an i8 cache: vpdpbusd of k + 128 (one xor) and q, starting at -128 times the sum of q, is exactly the dot. */
SLM_INLINE_AVX512VNNI void scores_i8_avx512vnni(const uint8_t *k_tile, uint32_t head_dim, uint32_t count,
                                                struct attend_batch_avx512vnni *batch)
{
    const uint32_t quads = slm__head_quads(head_dim);
    const uint8_t *k_scales = k_tile + slm__k_scales_offset(head_dim);
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    const uint32_t stride = slm__head_stride(head_dim);
    __m512i sum[REGISTERS_AVX512VNNI];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < PANELS_AVX512VNNI * count; i++) {
        const uint8_t *codes = batch->query[i % count].q; /* behind them: their scale, their sum */
        sum[i] = _mm512_slli_epi32(broadcast_quad_avx512vnni(codes + stride + 4), 7);
        sum[i] = _mm512_sub_epi32(_mm512_setzero_si512(), sum[i]);
    }
    for (uint32_t j = 0; j < quads; j++) {
        prefetch_keys_avx512vnni(batch, j, 4);
        SLM_UNROLL_AVX512VNNI
        for (uint32_t panel = 0; panel < PANELS_AVX512VNNI; panel++) {
            const __m512i k = _mm512_xor_si512(_mm512_loadu_si512(k_tile + (size_t)64 * (panel * quads + j)), flip);
            SLM_UNROLL_AVX512VNNI
            for (uint32_t i = 0; i < count; i++) {
                const __m512i quad = broadcast_quad_avx512vnni((const uint8_t *)batch->query[i].q + (size_t)4 * j);
                sum[panel * count + i] = hold_avx512vnni(_mm512_dpbusd_epi32(sum[panel * count + i], k, quad));
            }
        }
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < PANELS_AVX512VNNI * count; i++) {
        const uint8_t *codes = batch->query[i % count].q;
        const __m512 q_scale = _mm512_castsi512_ps(broadcast_quad_avx512vnni(codes + stride));
        const __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(k_scales + (size_t)64 * (i / count)), q_scale);
        _mm512_storeu_ps(batch->p[i % count] + (size_t)16 * (i / count), _mm512_mul_ps(_mm512_cvtepi32_ps(sum[i]), scale));
    }
}

/* Bit t is set where begin <= t < end; begin < end <= 64. */
static uint64_t visible_avx512vnni(const struct slm_attend_query *query)
{
    return (~(uint64_t)0 >> (SLM_TILE - query->end)) & (~(uint64_t)0 << query->begin);
}

/* Scores become e^(score - m), their sum over the visible tokens is returned lane by lane. v_scales: [64], NULL for none. */
SLM_INLINE_AVX512VNNI __m512 exponentials_avx512vnni(float p[SLM_TILE], uint64_t visible, float m, const uint8_t *v_scales)
{
    __m512 lane = _mm512_setzero_ps();
    SLM_UNROLL_AVX512VNNI
    for (uint32_t panel = 0; panel < PANELS_AVX512VNNI; panel++) {
        __m512 e = exp_avx512vnni(_mm512_sub_ps(_mm512_loadu_ps(p + (size_t)16 * panel), _mm512_set1_ps(m)));
        lane = _mm512_mask_add_ps(lane, (__mmask16)(visible >> (16 * panel)), lane, e);
        e = v_scales == NULL ? e : _mm512_mul_ps(e, _mm512_loadu_ps(v_scales + (size_t)64 * panel));
        _mm512_storeu_ps(p + (size_t)16 * panel, e);
    }
    return lane;
}

/* The largest visible score of each lane, -infinity for none. */
SLM_INLINE_AVX512VNNI __m512 maxima_avx512vnni(const float p[SLM_TILE], uint64_t visible)
{
    __m512 lane = _mm512_set1_ps(-HUGE_VALF);
    SLM_UNROLL_AVX512VNNI
    for (uint32_t panel = 0; panel < PANELS_AVX512VNNI; panel++) {
        lane = _mm512_mask_max_ps(lane, (__mmask16)(visible >> (16 * panel)), _mm512_loadu_ps(p + (size_t)16 * panel), lane);
    }
    return lane;
}

static void softcap_avx512vnni(float p[SLM_TILE], float softcap)
{
    const __m512 cap = _mm512_set1_ps(softcap);
    for (uint32_t t = 0; t < SLM_TILE; t += 16) {
        _mm512_storeu_ps(p + t, _mm512_mul_ps(cap, tanh_avx512vnni(_mm512_div_ps(_mm512_loadu_ps(p + t), cap))));
    }
}

/* Maximum, probabilities, sum: p goes from scores to e^(score - m), m and l of the states move on. Lane i of a short register: query i. */
SLM_INLINE_AVX512VNNI void softmax_avx512vnni(struct attend_batch_avx512vnni *batch, uint32_t count, const uint8_t *v_scales)
{
    const struct slm_attend_query *query = batch->query;
    const __m128 empty = _mm_set1_ps(-HUGE_VALF);
    __m512 lanes[QUERIES_AVX512VNNI];
    __m128 old_m = empty, old_l = _mm_setzero_ps();
    float m[QUERIES_AVX512VNNI], l[QUERIES_AVX512VNNI];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < count; i++) {
        m[i] = query[i].state[0];
        l[i] = query[i].state[1];
        lanes[i] = maxima_avx512vnni(batch->p[i], visible_avx512vnni(&query[i]));
    }
    __m128 new_m;
    if (count == 1) {
        old_m = _mm_set_ss(m[0]);
        old_l = _mm_set_ss(l[0]);
        new_m = _mm_max_ps(_mm_set_ss(maximum16_avx512vnni(lanes[0])), old_m);
    } else {
        old_m = _mm_loadu_ps(m);
        old_l = _mm_loadu_ps(l);
        new_m = _mm_max_ps(maximum16_of_4_avx512vnni(lanes), old_m);
    }
    const __m512 shrink = exp_avx512vnni(_mm512_zextps128_ps512(_mm_sub_ps(old_m, new_m)));
    const __m128 correction = _mm_maskz_mov_ps(_mm_cmp_ps_mask(old_m, empty, _CMP_NEQ_UQ), _mm512_castps512_ps128(shrink));
    float new_ms[4];
    _mm_storeu_ps(new_ms, new_m);
    _mm_storeu_ps(batch->correction, correction);
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < count; i++) {
        lanes[i] = exponentials_avx512vnni(batch->p[i], visible_avx512vnni(&query[i]), new_ms[i], v_scales);
        query[i].state[0] = new_ms[i];
    }
    const __m128 sums = count == 1 ? _mm_set_ss(tree16_avx512vnni(lanes[0])) : tree16_of_4_avx512vnni(lanes);
    float new_ls[4];
    _mm_storeu_ps(new_ls, _mm_fmadd_ps(old_l, correction, sums));
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < count; i++) {
        query[i].state[1] = new_ls[i];
    }
}

/* Queries [first, first + count): acc[16 * registers from d on] = acc * correction + p[t] v[t] for t in [begin, end), in order. */
SLM_INLINE_AVX512VNNI void add_values_avx512vnni(const void *v_tile, uint32_t stride, enum slm_kv_type type, uint32_t d, uint32_t registers,
                                                 const struct attend_batch_avx512vnni *batch, uint32_t first, uint32_t count,
                                                 uint32_t begin, uint32_t end)
{
    __m512 acc[REGISTERS_AVX512VNNI];
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < registers * count; i++) {
        const float *at = batch->query[first + i / registers].state + SLM_ATTEND_HEADER + d + (size_t)16 * (i % registers);
        acc[i] = _mm512_mul_ps(_mm512_loadu_ps(at), _mm512_set1_ps(batch->correction[first + i / registers]));
    }
    for (uint32_t t = begin; t < end; t++) {
        prefetch_values_avx512vnni(batch, (size_t)t * stride + d, registers, type);
        SLM_UNROLL_AVX512VNNI
        for (uint32_t r = 0; r < registers; r++) {
            const __m512 v = load_tile_avx512vnni(v_tile, (size_t)t * stride + d + (size_t)16 * r, type);
            SLM_UNROLL_AVX512VNNI
            for (uint32_t i = 0; i < count; i++) {
                acc[i * registers + r] = _mm512_fmadd_ps(_mm512_set1_ps(batch->p[first + i][t]), v, acc[i * registers + r]);
            }
        }
    }
    SLM_UNROLL_AVX512VNNI
    for (uint32_t i = 0; i < registers * count; i++) {
        _mm512_storeu_ps(batch->query[first + i / registers].state + SLM_ATTEND_HEADER + d + (size_t)16 * (i % registers), acc[i]);
    }
}

/* All dimensions of `count` queries, keys [begin, end) that all of them see: 64 dimensions at a time, then 16. Corrects them, once. */
SLM_INLINE_AVX512VNNI void values_avx512vnni(const void *v_tile, uint32_t stride, enum slm_kv_type type,
                                             struct attend_batch_avx512vnni *batch, uint32_t first, uint32_t count, uint32_t begin,
                                             uint32_t end)
{
    uint32_t d = 0;
    if (begin >= end) {
        return;
    }
    for (; d + 64 <= stride; d += 64) {
        add_values_avx512vnni(v_tile, stride, type, d, 4, batch, first, count, begin, end);
    }
    for (; d < stride; d += 16) {
        add_values_avx512vnni(v_tile, stride, type, d, 1, batch, first, count, begin, end);
    }
    for (uint32_t i = first; i < first + count; i++) {
        batch->correction[i] = 1.0f;
    }
}

/* Four queries: keys that all of them see are shared, those before and behind are added one query at a time, in order. */
SLM_INLINE_AVX512VNNI void values_four_avx512vnni(const void *v_tile, uint32_t stride, enum slm_kv_type type,
                                                  struct attend_batch_avx512vnni *batch)
{
    const struct slm_attend_query *query = batch->query;
    uint32_t low = 0, high = SLM_TILE;
    for (uint32_t i = 0; i < QUERIES_AVX512VNNI; i++) {
        low = query[i].begin > low ? query[i].begin : low;
        high = query[i].end < high ? query[i].end : high;
    }
    for (uint32_t i = 0; i < QUERIES_AVX512VNNI; i++) {
        const uint32_t end = low < high ? low : query[i].end; /* nothing is shared: everything here */
        values_avx512vnni(v_tile, stride, type, batch, i, 1, query[i].begin, end);
    }
    values_avx512vnni(v_tile, stride, type, batch, 0, QUERIES_AVX512VNNI, low, high);
    for (uint32_t i = 0; low < high && i < QUERIES_AVX512VNNI; i++) {
        values_avx512vnni(v_tile, stride, type, batch, i, 1, high, query[i].end);
    }
}

/* `count` queries, 1 or 4. */
SLM_INLINE_AVX512VNNI void attend_batch_avx512vnni(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                                                   enum slm_kv_type type, uint32_t count, struct attend_batch_avx512vnni *batch)
{
    const uint32_t stride = slm__head_stride(head_dim);
    if (type == SLM_CACHE_I8) {
        scores_i8_avx512vnni(k_tile, head_dim, count, batch);
    } else {
        scores_avx512vnni(k_tile, head_dim, type, count, batch);
    }
    for (uint32_t i = 0; softcap != 0.0f && i < count; i++) {
        softcap_avx512vnni(batch->p[i], softcap);
    }
    softmax_avx512vnni(batch, count, type == SLM_CACHE_I8 ? (const uint8_t *)v_tile + slm__v_scales_offset(head_dim) : NULL);
    if (count == 1) {
        values_avx512vnni(v_tile, stride, type, batch, 0, 1, batch->query[0].begin, batch->query[0].end);
    } else {
        values_four_avx512vnni(v_tile, stride, type, batch);
    }
}

SLM_INLINE_AVX512VNNI void attend_avx512vnni(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                                             enum slm_kv_type type, const struct slm_attend_query *queries, uint32_t count,
                                             const struct slm_attend_ahead *ahead)
{
    const struct slm_attend_ahead present = {v_tile, v_tile}; /* nothing to fetch ahead: at least V while K is worked on */
    float dropped[SLM_ATTEND_HEADER + SLM_HEAD_DIM_MAX];
    struct attend_batch_avx512vnni batch;
    batch.ahead = ahead != NULL ? *ahead : present;
    for (uint32_t done = 0; done < count; done += QUERIES_AVX512VNNI) {
        const uint32_t taken = count - done < QUERIES_AVX512VNNI ? count - done : QUERIES_AVX512VNNI;
        memcpy(batch.query, queries + done, taken * sizeof queries[0]);
        if (taken == 1) {
            attend_batch_avx512vnni(k_tile, v_tile, head_dim, softcap, type, 1, &batch);
            return;
        }
        for (uint32_t i = taken; i < QUERIES_AVX512VNNI; i++) {
            memset(dropped, 0, (SLM_ATTEND_HEADER + slm__head_stride(head_dim)) * sizeof dropped[0]);
            batch.query[i] = (struct slm_attend_query){queries[done].q, dropped, queries[done].begin, queries[done].end};
        }
        attend_batch_avx512vnni(k_tile, v_tile, head_dim, softcap, type, QUERIES_AVX512VNNI, &batch);
        batch.ahead = present;
    }
}

void slm__attend_f32_avx512vnni(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                                const struct slm_attend_query *queries, uint32_t count, const struct slm_attend_ahead *ahead)
{
    attend_avx512vnni(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F32, queries, count, ahead);
}

void slm__attend_f16_avx512vnni(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                                const struct slm_attend_query *queries, uint32_t count, const struct slm_attend_ahead *ahead)
{
    attend_avx512vnni(k_tile, v_tile, head_dim, softcap, SLM_CACHE_F16, queries, count, ahead);
}

void slm__attend_i8_avx512vnni(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                               const struct slm_attend_query *queries, uint32_t count, const struct slm_attend_ahead *ahead)
{
    attend_avx512vnni(k_tile, v_tile, head_dim, softcap, SLM_CACHE_I8, queries, count, ahead);
}

/* e^(m - larger), 0 for an empty state */
static __m512 merge_factor_avx512vnni(float m, float larger)
{
    return m == -HUGE_VALF ? _mm512_setzero_ps() : exp_avx512vnni(_mm512_set1_ps(m - larger));
}

void slm__attend_merge_avx512vnni(float *state, const float *next, uint32_t head_dim)
{
    const float m = next[0] > state[0] ? next[0] : state[0];
    const __m512 kept = merge_factor_avx512vnni(state[0], m), taken = merge_factor_avx512vnni(next[0], m);
    const uint32_t stride = slm__head_stride(head_dim);
    state[0] = m;
    state[1] = fmaf(state[1], _mm512_cvtss_f32(kept), next[1] * _mm512_cvtss_f32(taken));
    for (uint32_t d = SLM_ATTEND_HEADER; d < SLM_ATTEND_HEADER + stride; d += 16) {
        const __m512 other = _mm512_mul_ps(_mm512_loadu_ps(next + d), taken);
        _mm512_storeu_ps(state + d, _mm512_fmadd_ps(_mm512_loadu_ps(state + d), kept, other));
    }
}

void slm__attend_finish_avx512vnni(const float *state, uint32_t head_dim, float *out)
{
    const float *acc = state + SLM_ATTEND_HEADER; /* head_stride long: whole registers may be read */
    const __m512 sum = _mm512_set1_ps(state[1]);
    for (uint32_t d = 0; d < head_dim; d += 16) {
        const __m512 value = _mm512_div_ps(_mm512_loadu_ps(acc + d), sum);
        if (head_dim - d >= 16) {
            _mm512_storeu_ps(out + d, value);
        } else {
            _mm512_mask_storeu_ps(out + d, (__mmask16)((1u << (head_dim - d)) - 1u), value);
        }
    }
}
