/* SPDX-License-Identifier: MIT */
/* Matrix products over rows of activations: pack the activations once, in blocks of 8 rows, then cut the panels over the threads. */
#ifndef SLM_OPS_MATMUL_H
#define SLM_OPS_MATMUL_H

#include "base/parallel.h"   /* struct slm_team */
#include "kernels/kernels.h" /* struct slm_kernels, struct slm_matrix */

/* Bytes of `packed` for `rows` rows of a matrix with `cols` inputs. */
uint64_t slm__op_packed_bytes(enum slm_weight_type type, uint32_t cols, uint32_t rows);

static inline uint32_t slm__op_blocks(uint32_t rows) { return (rows + SLM_COLUMNS - 1) / SLM_COLUMNS; }

/* Block `block` of x's `rows` rows into its place in `packed`, for products with w. */
void slm__op_pack_block(const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride, uint32_t rows,
                        uint32_t block, void *packed);
/* All blocks. */
void slm__op_pack(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride,
                  uint32_t rows, void *packed);

/* Columns [first, first + cols) of w's input, first and cols multiples of 32, into their place in `packed`; x begins with them. */
void slm__op_pack_columns(const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride, uint32_t rows,
                          uint32_t first, uint32_t cols, void *packed);

/* y[m][n] = sum_k w[n][k] x[m][k] for the rows n of panels [begin, end) and packed x: the part of a product that one thread makes. */
void slm__op_multiply_panels(const struct slm_kernels *kernels, const struct slm_matrix *w, uint32_t begin, uint32_t end,
                             const void *packed, uint32_t rows, float *y, size_t y_stride);
/* y[m][n] = sum_k w[n][k] x[m][k], m < rows, for packed x. y has room for padded_rows(w) floats a row (y_stride), of which all are
 * written. next: the matrix that will be read after this one, for which memory is asked in advance; NULL: not known. */
void slm__op_multiply(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_matrix *w, const void *packed,
                      uint32_t rows, float *y, size_t y_stride, const struct slm_matrix *next);

/* Both: packing, and the product. */
void slm__op_matmul(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_matrix *w, const float *x, size_t x_stride,
                    uint32_t rows, float *y, size_t y_stride, void *packed, const struct slm_matrix *next);

#endif
