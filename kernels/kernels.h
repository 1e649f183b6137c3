/* SPDX-License-Identifier: MIT */
/*
 * struct slm_kernels: every kernel of one tier. kernels/scalar/ is the specification; each other tier gives the same bits. The contract
 * (order of operations, alignment, tails, non-finite values) is in kernels/README.md. Kernels do not allocate, thread, or keep state.
 */
#ifndef SLM_KERNELS_KERNELS_H
#define SLM_KERNELS_KERNELS_H

#include "kernels/blocks.h"  /* panel and tile layout */
#include "kernels/cpu_isa.h" /* enum slm_isa */
#include <float.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__FAST_MATH__) || (defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0)
#  error "results are part of the contract: compile without -ffast-math and with FLT_EVAL_METHOD 0"
#endif

/* 1: a build for size, that leaves out what is only faster. */
#ifndef SLM_SMALL
#  define SLM_SMALL 0
#endif

struct slm_matrix {
    const uint8_t *data;  /* panels, 64-byte aligned */
    uint64_t panel_bytes; /* slm__panel_bytes(type, cols) */
    uint32_t rows;        /* outputs; panels = padded_rows / 16 */
    uint32_t cols;        /* inputs */
    enum slm_weight_type type;
};

/* Pack `columns` (1..8) token rows x[c * x_stride + k], k < cols, into `packed` (layout: blocks.h; aligned to 8 bytes for i8 and i4, else
 * to 16), zero-padded to padded_cols. For i8/i4 this quantizes per group of 32. */
typedef void slm_pack_fn(const float *x, size_t x_stride, uint32_t columns, uint32_t cols, void *packed);
/* y[c * y_stride + 16 p + r] for panels p in [panel_begin, panel_end), r < 16, c < columns (1..8). All 16 rows of a panel are written. As a
 * gemm the same function takes any multiple of 8 columns, packed in blocks of 8, one behind the other. */
typedef void slm_matmul_fn(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                           float *y, size_t y_stride);
/* One column, which is a matter of memory: panels are asked for byte after byte, each while the one before is worked on, and during the
 * last as much of what lies at `ahead`, which the thread will read next. Only a hint, nothing there is read; may be NULL. */
typedef void slm_gemv_fn(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, float *y,
                         const void *ahead);
/* out[k] = w[row][k] as f32, k < cols. */
typedef void slm_gather_fn(const struct slm_matrix *w, uint32_t row, float *out);

/* y[i] = x[i] / sqrt(mean(x^2) + eps) * weight[i]; in place allowed. */
typedef void slm_rms_norm_fn(const float *x, const float *weight, float eps, uint32_t n, float *y);
/* y[i] = (x[i] - mean) / sqrt(variance + eps) * weight[i] + bias[i]; bias may be NULL; in place allowed. */
typedef void slm_layer_norm_fn(const float *x, const float *weight, const float *bias, float eps, uint32_t n, float *y);
/* y[i] += x[i] */
typedef void slm_add_fn(float *y, const float *x, uint32_t n);
/* y[i] = silu(gate[i]) * up[i]; y may be gate. */
typedef void slm_silu_mul_fn(const float *gate, const float *up, uint32_t n, float *y);
/* y[i] = activation(x[i]); in place allowed. */
enum slm_activation { SLM_ACTIVATION_SILU = 0, SLM_ACTIVATION_GELU_TANH = 1, SLM_ACTIVATION_GELU_ERF = 2, SLM_ACTIVATIONS = 3 };
typedef void slm_activate_fn(const float *x, uint32_t n, float *y);
/* y[i] *= x[i] */
typedef void slm_multiply_fn(float *y, const float *x, uint32_t n);
/* y[i] = cap * tanh(y[i] / cap) */
typedef void slm_softcap_fn(float *y, float cap, uint32_t n);
/* Rotate pairs (i, i + half), i < half: head[i] = a cos[i] - b sin[i], head[i + half] = b cos[i] + a sin[i]. */
typedef void slm_rope_fn(float *head, const float *cos, const float *sin, uint32_t half);
/* y[i] = x[i] * factor */
typedef void slm_scale_fn(float *y, const float *x, float factor, uint32_t n);

/* Sum over i < n of exp(x[i] - max), none of them above max, in f64: exp_minus.h. */
typedef double slm_sum_exp_fn(const float *x, float max, uint32_t n);

/* Write one token's key or value vector of one head into slot (0..63) of a tile. K: lane slot % 16 of panel slot / 16. V: row slot, padded
 * with zeros to head_stride. i8: quantized, with one scale. */
typedef void slm_kv_store_fn(const float *x, uint32_t head_dim, uint32_t slot, void *tile);

/* Online softmax state of one query: [0] running maximum m, [1] running sum l, [16 .. 16 + head_stride) accumulated p V. Starts as
 * m = -infinity, all else 0. 64-byte aligned. */
enum { SLM_ATTEND_HEADER = 16 };
struct slm_attend_query {
    const void *q;  /* [head_dim] f32, already multiplied by the attention scale; for i8 what quantize_query made of them */
    float *state;   /* [16 + head_stride] */
    uint32_t begin; /* visible keys of this tile: slots begin <= slot < end, at least one */
    uint32_t end;
};
/* A query for i8 tiles (layout: blocks.h; codes are 16-byte aligned). */
typedef void slm_quantize_query_fn(const float *q, uint32_t head_dim, void *codes);
/* The tiles that will be read next: asked for while the present ones are worked on. Only a hint, nothing there is read; may be NULL. */
struct slm_attend_ahead {
    const void *k_tile, *v_tile;
};
/* Bring one tile of keys and values into the states of `count` queries of the same kv head; head_dim <= SLM_HEAD_DIM_MAX.
 * softcap 0: none. */
typedef void slm_attend_fn(const void *k_tile, const void *v_tile, uint32_t head_dim, float softcap, const struct slm_attend_query *queries,
                           uint32_t count, const struct slm_attend_ahead *ahead);
/* state = state followed by `next`, the state of the segment behind it. */
typedef void slm_attend_merge_fn(float *state, const float *next, uint32_t head_dim);
/* out[i] = acc[i] / l, i < head_dim */
typedef void slm_attend_finish_fn(const float *state, uint32_t head_dim, float *out);

/* Measuring: run the tier's i8 (which = 0) or i4 (which = 1) multiply-accumulate mix in registers; returns the operations done (2 per
 * multiply-add; of a value that must be used: *sink). */
typedef uint64_t slm_peak_fn(uint32_t which, uint64_t iterations, uint32_t *sink);
/* Read `bytes` bytes (a multiple of 256, 64-byte aligned) once; returns a value that depends on all. */
typedef uint32_t slm_read_fn(const void *data, size_t bytes);

struct slm_kernels {
    enum slm_isa isa;
    slm_pack_fn *pack[SLM_WEIGHT_TYPES];
    slm_matmul_fn *matmul[SLM_WEIGHT_TYPES];
    slm_gemv_fn *gemv[SLM_WEIGHT_TYPES];   /* NULL: matmul */
    slm_matmul_fn *gemm[SLM_WEIGHT_TYPES]; /* NULL: matmul, block by block */
    slm_gather_fn *gather[SLM_WEIGHT_TYPES];
    slm_rms_norm_fn *rms_norm;
    slm_layer_norm_fn *layer_norm;
    slm_add_fn *add;
    slm_silu_mul_fn *silu_mul;
    slm_activate_fn *activate[SLM_ACTIVATIONS];
    slm_multiply_fn *multiply;
    slm_softcap_fn *softcap;
    slm_rope_fn *rope;
    slm_scale_fn *scale;
    slm_sum_exp_fn *sum_exp;
    slm_kv_store_fn *store_k[SLM_CACHE_TYPES];
    slm_kv_store_fn *store_v[SLM_CACHE_TYPES];
    slm_quantize_query_fn *quantize_query;
    slm_attend_fn *attend[SLM_CACHE_TYPES];
    slm_attend_merge_fn *attend_merge;
    slm_attend_finish_fn *attend_finish;
    slm_peak_fn *peak;
    slm_read_fn *read;
};

/* Fill the table: scalar first, then every tier up to `isa` that this build holds and this processor has, overwriting what it improves.
 * table->isa is the highest tier that was taken. */
void slm__kernels_fill(struct slm_kernels *table, enum slm_isa isa);

/* Each tier's own overwriting; defined in kernels/<tier>/<tier>_fill.c, called by slm__kernels_fill(). */
void slm__fill_scalar(struct slm_kernels *table);
void slm__fill_avx2(struct slm_kernels *table);
void slm__fill_neon(struct slm_kernels *table);
void slm__fill_neon_dotprod(struct slm_kernels *table);
void slm__fill_neon_i8mm(struct slm_kernels *table);
void slm__fill_avxvnni(struct slm_kernels *table);
void slm__fill_avx512vnni(struct slm_kernels *table);

#endif
