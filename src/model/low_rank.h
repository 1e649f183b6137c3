/* SPDX-License-Identifier: MIT */
/*
 * Adapters at run time: what a row adds to the product of a matrix, y += sum over its adapters of weight * scale * B (A x). Kernels and
 * layout are those of weights, each row's sum is taken in the order of its adapters, and no result depends on which rows are together.
 */
#ifndef SLM_MODEL_LOW_RANK_H
#define SLM_MODEL_LOW_RANK_H

#include "model/transformer.h" /* struct slm_transformer, struct slm_matrix */

enum {
    SLM_LOW_RANK_PARTS = 3, /* a stacked matrix is made of at most so many: q, k, v */
    SLM_LOW_RANK_RANK_MAX = 1 << 14,
    SLM_ADAPTERS_MAX = 16 /* of one row */
};

/* What an adapter adds to one part of a stacked matrix. */
struct slm_low_rank_part {
    struct slm_matrix b; /* [rows of the part, rank] */
    uint32_t first_row;  /* of the stacked matrix */
    uint32_t first_lane; /* row of A where this part's `rank` rows begin */
    double scale;
};

struct slm_low_rank {
    const struct slm_matrix *of; /* the matrix of the transformer */
    struct slm_matrix a;         /* [sum of the parts' ranks, cols]: the A of all parts, one below the other */
    uint32_t part_count;
    struct slm_low_rank_part parts[SLM_LOW_RANK_PARTS];
};

/* One adapter bound to one transformer; immutable. */
struct slm_low_rank_set {
    const struct slm_low_rank *deltas; /* [count] sorted by address of `of` */
    uint32_t count;
    uint32_t rank;     /* the largest */
    uint64_t identity; /* of its content: equal where all results are */
};

struct slm_adapter_use {
    const struct slm_low_rank_set *adapter;
    float weight;
};

/* The adapters of a row. */
struct slm_adapter_list {
    uint32_t count;
    struct slm_adapter_use uses[SLM_ADAPTERS_MAX];
};

/* A matrix that an adapter can change, and the rows of the parts that it is stacked of. */
struct slm_low_rank_place {
    const struct slm_matrix *matrix;
    uint32_t part_count;
    uint32_t part_rows[SLM_LOW_RANK_PARTS];
};

/* The place of a tensor of a .slm file: "head", "layers.%u.qkv", "layers.%u.experts.%u.down" and so on. false: the transformer has no such
 * matrix, or its head is the embedding. */
bool slm__low_rank_find_place(const struct slm_transformer *transformer, const char *pattern, uint32_t layer, uint32_t expert,
                              struct slm_low_rank_place *place);

/* Floats of scratch for each thread, when no rank is above `rank`; 0 for rank 0. */
uint64_t slm__low_rank_floats(const struct slm_transformer *transformer, uint32_t rank);

struct slm_forward;
struct slm_row;

/* Whether any of the rows has an adapter that adds to that matrix. Rows are as below. */
bool slm__low_rank_touches(const struct slm_forward *forward, const struct slm_matrix *matrix, const struct slm_row *rows,
                           const uint32_t *picked, uint32_t count);

/* y[i] += what the adapters of row i add to matrix x[i], i < count. Row i is rows[picked[i]], or rows[i] where picked is NULL. */
void slm__low_rank_add(const struct slm_forward *forward, const struct slm_matrix *matrix, const struct slm_row *rows,
                       const uint32_t *picked, uint32_t count, const float *x, size_t x_stride, float *y, size_t y_stride);

#endif
