/* SPDX-License-Identifier: MIT */
/* Attention over one tile of 64 keys with a running softmax, and the merge of two such states. */
#include "kernels/half_bits.h"             /* slm__f16_to_f32 */
#include "kernels/poly_math.h"             /* slm__expf, slm__tanhf */
#include "kernels/quantize_bits.h"         /* slm__quantize */
#include "kernels/scalar/scalar_kernels.h" /* slm__attend_..._scalar */
#include <math.h>
#include <string.h>

/* Scale t of an i8 tile whose scales begin at `offset`. */
static float tile_scale_scalar(const void *tile, uint64_t offset, uint32_t t)
{
    float scale;
    memcpy(&scale, (const uint8_t *)tile + offset + (size_t)4 * t, sizeof scale);
    return scale;
}

/* Element i of a tile; an i8 code without its scale. */
static float tile_value_scalar(const void *tile, size_t i, enum slm_kv_type type)
{
    return type == SLM_CACHE_I8    ? (float)((const int8_t *)tile)[i]
           : type == SLM_CACHE_F16 ? slm__f16_to_f32(((const uint16_t *)tile)[i])
                                   : ((const float *)tile)[i];
}

/* The K tile's element of token t, dimension d: [4 panels][head_dim][16 tokens]. */
static size_t key_index_scalar(uint32_t t, uint32_t d, uint32_t head_dim) { return ((size_t)(t / 16) * head_dim + d) * 16 + t % 16; }

static float larger_scalar(float a, float b) { return a > b ? a : b; }

/* e^(m - larger), 0 for an empty state. */
static float correction_scalar(float m, float larger) { return m == -HUGE_VALF ? 0.0f : slm__expf(m - larger); }

/* score[t] = k[t] . q for the visible t. */
static void scores_scalar(const void *k_tile, uint32_t head_dim, const struct slm_attend_query *query, enum slm_kv_type type,
                          float score[SLM_TILE])
{
    const float *q = query->q;
    for (uint32_t t = query->begin; t < query->end; t++) {
        score[t] = 0.0f;
        for (uint32_t d = 0; d < head_dim; d++) {
            score[t] = fmaf(tile_value_scalar(k_tile, key_index_scalar(t, d, head_dim), type), q[d], score[t]);
        }
    }
}

void slm__quantize_query_scalar(const float *q, uint32_t head_dim, void *codes)
{
    int8_t *code = codes;
    const uint32_t stride = slm__head_stride(head_dim);
    const float scale = slm__quantize(q, head_dim, code);
    int32_t sum = 0;
    for (uint32_t d = 0; d < head_dim; d++) {
        sum += code[d];
    }
    memset(code + head_dim, 0, stride - head_dim);
    memcpy(code + stride, &scale, sizeof scale);
    memcpy(code + stride + sizeof scale, &sum, sizeof sum);
}

/* The same with the query quantized too: score[t] = dot * (scale of k[t] * scale of q). |dot| <= 1024 * 127 * 127, exact in f32. */
static void scores_i8_scalar(const void *k_tile, uint32_t head_dim, const struct slm_attend_query *query, float score[SLM_TILE])
{
    const int8_t *k = k_tile; /* [4 panels][quads][16 tokens][4] */
    const int8_t *q = query->q;
    float q_scale;
    memcpy(&q_scale, q + slm__head_stride(head_dim), sizeof q_scale);
    for (uint32_t t = query->begin; t < query->end; t++) {
        int32_t dot = 0;
        for (uint32_t d = 0; d < head_dim; d++) {
            dot += q[d] * k[4 * key_index_scalar(t, d / 4, slm__head_quads(head_dim)) + d % 4];
        }
        score[t] = (float)dot * (tile_scale_scalar(k_tile, slm__k_scales_offset(head_dim), t) * q_scale);
    }
}

static void softcap_scores_scalar(float score[SLM_TILE], float softcap, uint32_t begin, uint32_t end)
{
    for (uint32_t t = begin; softcap != 0.0f && t < end; t++) {
        score[t] = softcap * slm__tanhf(score[t] / softcap);
    }
}

/* 16 lanes, lane t % 16, over the visible t in order; then by halves. A NaN score is never the larger one. */
static float maximum_scalar(const float score[SLM_TILE], uint32_t begin, uint32_t end)
{
    float lane[16];
    for (uint32_t i = 0; i < 16; i++) {
        lane[i] = -HUGE_VALF;
    }
    for (uint32_t t = begin; t < end; t++) {
        lane[t % 16] = larger_scalar(score[t], lane[t % 16]);
    }
    for (uint32_t width = 8; width > 0; width /= 2) {
        for (uint32_t i = 0; i < width; i++) {
            lane[i] = larger_scalar(lane[i], lane[i + width]);
        }
    }
    return lane[0];
}

/* Scores become probabilities e^(score - m); returns their sum: 16 lanes as above. */
static float probabilities_scalar(float score[SLM_TILE], uint32_t begin, uint32_t end, float m)
{
    float lane[16] = {0};
    for (uint32_t t = begin; t < end; t++) {
        score[t] = slm__expf(score[t] - m);
        lane[t % 16] += score[t];
    }
    for (uint32_t width = 8; width > 0; width /= 2) {
        for (uint32_t i = 0; i < width; i++) {
            lane[i] += lane[i + width];
        }
    }
    return lane[0];
}

static void attend_query_scalar(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                                const struct slm_attend_query *query, enum slm_kv_type type)
{
    float p[SLM_TILE];
    float *state = query->state, *acc = state + SLM_ATTEND_HEADER;
    const uint32_t stride = slm__head_stride(head_dim);
    if (type == SLM_CACHE_I8) {
        scores_i8_scalar(k_tile, head_dim, query, p);
    } else {
        scores_scalar(k_tile, head_dim, query, type, p);
    }
    softcap_scores_scalar(p, softcap, query->begin, query->end);
    const float m = larger_scalar(maximum_scalar(p, query->begin, query->end), state[0]);
    const float correction = correction_scalar(state[0], m);
    const float sum = probabilities_scalar(p, query->begin, query->end, m);
    state[0] = m;
    state[1] = fmaf(state[1], correction, sum);
    for (uint32_t t = query->begin; type == SLM_CACHE_I8 && t < query->end; t++) {
        p[t] *= tile_scale_scalar(v_tile, slm__v_scales_offset(head_dim), t);
    }
    for (uint32_t d = 0; d < stride; d++) {
        acc[d] *= correction;
        for (uint32_t t = query->begin; t < query->end; t++) {
            acc[d] = fmaf(p[t], tile_value_scalar(v_tile, (size_t)t * stride + d, type), acc[d]);
        }
    }
}

void slm__attend_f32_scalar(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                            const struct slm_attend_query *queries, uint32_t count, const struct slm_attend_ahead *ahead)
{
    (void)ahead;
    for (uint32_t i = 0; i < count; i++) {
        attend_query_scalar(k_tile, v_tile, head_dim, softcap, &queries[i], SLM_CACHE_F32);
    }
}

void slm__attend_f16_scalar(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap,
                            const struct slm_attend_query *queries, uint32_t count, const struct slm_attend_ahead *ahead)
{
    (void)ahead;
    for (uint32_t i = 0; i < count; i++) {
        attend_query_scalar(k_tile, v_tile, head_dim, softcap, &queries[i], SLM_CACHE_F16);
    }
}

void slm__attend_i8_scalar(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                           uint32_t count, const struct slm_attend_ahead *ahead)
{
    (void)ahead;
    for (uint32_t i = 0; i < count; i++) {
        attend_query_scalar(k_tile, v_tile, head_dim, softcap, &queries[i], SLM_CACHE_I8);
    }
}

void slm__attend_merge_scalar(float *state, const float *next, uint32_t head_dim)
{
    const float m = larger_scalar(next[0], state[0]);
    const float old = correction_scalar(state[0], m), new = correction_scalar(next[0], m);
    const uint32_t stride = slm__head_stride(head_dim);
    state[0] = m;
    state[1] = fmaf(state[1], old, next[1] * new);
    for (uint32_t d = SLM_ATTEND_HEADER; d < SLM_ATTEND_HEADER + stride; d++) {
        state[d] = fmaf(state[d], old, next[d] * new);
    }
}

void slm__attend_finish_scalar(const float *state, uint32_t head_dim, float *out)
{
    for (uint32_t d = 0; d < head_dim; d++) {
        out[d] = state[SLM_ATTEND_HEADER + d] / state[1];
    }
}
