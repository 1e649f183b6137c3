/* SPDX-License-Identifier: MIT */
/*
 * The tensors of a checkpoint, whatever format and however many files they lie in: name, type, shape, place. Only the lists are in memory;
 * values are read in rows, from any thread. Rows of packed linears are read only while the linear is held.
 */
#ifndef SLM_IMPORT_TENSOR_SET_H
#define SLM_IMPORT_TENSOR_SET_H

#include "base/arena.h"         /* struct slm_arena */
#include "base/file.h"          /* struct slm_file */
#include "import/value_types.h" /* struct slm_value_type */

enum { SLM_TENSOR_DIMENSIONS = 8 };

struct slm_packed_linear;

struct slm_source_tensor {
    struct slm_span name;
    const struct slm_value_type *type;
    uint32_t dimensions;
    uint64_t shape[SLM_TENSOR_DIMENSIONS]; /* row-major: the last one is contiguous */
    uint32_t file;                         /* index into files */
    uint64_t offset;                       /* in that file */
    uint64_t bytes;
    struct slm_packed_linear *packed; /* NULL, or the tensors that rows are put together from: packed_linear.h */
    bool used;                        /* some part of the model comes from it */
};

struct slm_source_file {
    struct slm_file file;
    const char *path; /* in the arena */
    const char *name; /* its last part, for messages */
};

struct slm_tensor_set {
    struct slm_arena arena; /* lists, names, paths */
    struct slm_source_file *files;
    uint32_t file_count, file_capacity;
    struct slm_source_tensor *tensors; /* sorted by name once a reader has returned */
    uint32_t tensor_count, tensor_capacity;
};

void slm__tensor_set_init(struct slm_tensor_set *set, const struct slm_memory *memory);
/* Closes the files. */
void slm__tensor_set_free(struct slm_tensor_set *set);

/* Open a file of the set; *index is its number. */
slm_status slm__tensor_set_open(struct slm_tensor_set *set, const char *path, uint32_t *index, slm_error *error);
/* A new tensor to be filled in, all zero, or NULL (slm__arena_failure says why). */
struct slm_source_tensor *slm__tensor_set_add(struct slm_tensor_set *set);
/* Sort by name; refuse a name that is there twice. */
slm_status slm__tensor_set_sort(struct slm_tensor_set *set, slm_error *error);
/* Refuse tensors of one file that share bytes and, when `data_end` is not 0, bytes from `data_begin` to `data_end` that belong to none.
 * The list is sorted by name again afterwards. */
slm_status slm__tensor_set_check_layout(struct slm_tensor_set *set, uint32_t file, uint64_t data_begin, uint64_t data_end,
                                        slm_error *error);

/* By name; NULL: not there. */
struct slm_source_tensor *slm__tensor_set_find(const struct slm_tensor_set *set, const char *name);

/* A tensor as a matrix: rows is the product of all dimensions but the last. */
uint64_t slm__source_rows(const struct slm_source_tensor *tensor);
uint64_t slm__source_cols(const struct slm_source_tensor *tensor);
uint64_t slm__source_row_bytes(const struct slm_source_tensor *tensor);
/* "64 x 32", at most 191 bytes. */
void slm__source_shape_text(const struct slm_source_tensor *tensor, char text[192]);

/* The stored bytes of row `row`: slm__source_row_bytes() of them. */
slm_status slm__source_read_raw(const struct slm_tensor_set *set, const struct slm_source_tensor *tensor, uint64_t row, uint8_t *raw,
                                slm_error *error);
/* Whether rows can be read as floats. */
bool slm__source_is_readable(const struct slm_source_tensor *tensor);
/* Whether the codes of this type fit into i4, or (not four) into i8 with its steps. */
bool slm__source_keeps_codes(const struct slm_source_tensor *tensor, bool four);
/* Before reading rows, and after: packed linears have their bytes in memory meanwhile; nothing is done for others. */
slm_status slm__source_hold(const struct slm_tensor_set *set, const struct slm_source_tensor *tensor, const struct slm_memory *memory,
                            slm_error *error);
void slm__source_release(const struct slm_source_tensor *tensor, const struct slm_memory *memory);
/* The same as slm__source_cols() floats; `raw` is scratch for the stored bytes. */
slm_status slm__source_read_row(const struct slm_tensor_set *set, const struct slm_source_tensor *tensor, uint64_t row, uint8_t *raw,
                                float *out, slm_error *error);
/* The row just read into `raw`, as w = step * (q - zero) for each 32 columns; false when it has no such form. */
bool slm__source_row_steps(const struct slm_source_tensor *tensor, uint64_t row, const uint8_t *raw, float *steps, float *zeros);

#endif
