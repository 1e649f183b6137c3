/* SPDX-License-Identifier: MIT */
/*
 * Writes a .slm file as a stream: first everything that is known (metadata, tokenizer, the list of tensors), then the tensors' bytes in
 * order, then header and directory with their checksums. The target is a sink: a file or memory. Same calls, same bytes.
 *
 *   init -> meta_..., section, add_tensor (any order; sorted inside) -> begin -> write_tensor ... -> finish; free at any point.
 */
#ifndef SLM_FORMAT_WEIGHT_WRITER_H
#define SLM_FORMAT_WEIGHT_WRITER_H

#include "base/arena.h"     /* struct slm_arena */
#include "base/buffer.h"    /* struct slm_buffer */
#include "base/status.h"    /* slm_status, slm_error */
#include "kernels/blocks.h" /* enum slm_weight_type */

/* Write `length` bytes at `offset`. Offsets arrive in any order; the file's final size is told first by reserve. */
struct slm_sink {
    slm_status (*reserve)(void *context, uint64_t size, slm_error *error);
    slm_status (*write)(void *context, uint64_t offset, const void *data, size_t length, slm_error *error);
    void *context;
};

struct slm_weight_writer {
    struct slm_sink sink;
    struct slm_memory memory;
    struct slm_arena arena;              /* entries, names */
    struct slm_writer_meta *metas;       /* in the order of declaration */
    struct slm_writer_tensor *tensors;   /* the same; the index is the id */
    uint32_t *meta_order, *tensor_order; /* indices, sorted by name; made by begin */
    uint32_t meta_count, meta_capacity, tensor_count, tensor_capacity;
    struct slm_span tokenizer, vocabulary;
    uint64_t metadata_offset, metadata_length, directory_offset, directory_length;
    uint64_t tokenizer_offset, vocabulary_offset, data_offset, data_length;
    uint32_t metadata_crc;
    uint64_t file_size;
    uint32_t minimum_reader; /* format version that a reader has to know */
    bool begun;
};

void slm__writer_init(struct slm_weight_writer *writer, const struct slm_memory *memory, const struct slm_sink *sink);
slm_status slm__writer_meta_u64(struct slm_weight_writer *writer, const char *key, uint64_t value, slm_error *error);
slm_status slm__writer_meta_f64(struct slm_weight_writer *writer, const char *key, double value, slm_error *error);
slm_status slm__writer_meta_text(struct slm_weight_writer *writer, const char *key, struct slm_span text, slm_error *error);
slm_status slm__writer_meta_u32s(struct slm_weight_writer *writer, const char *key, const uint32_t *values, uint32_t count,
                                 slm_error *error);
slm_status slm__writer_meta_f32s(struct slm_weight_writer *writer, const char *key, const float *values, uint32_t count, slm_error *error);
/* The file uses something that came with this version of the format: older readers have to refuse it. */
void slm__writer_needs(struct slm_weight_writer *writer, uint32_t version);
/* `section` must stay until slm__writer_finish(). */
void slm__writer_tokenizer(struct slm_weight_writer *writer, struct slm_span section);
void slm__writer_vocabulary(struct slm_weight_writer *writer, struct slm_span section);
/* Declare a tensor; *id names it for slm__writer_write_tensor(). Vector: cols 1, type F32. */
slm_status slm__writer_add_tensor(struct slm_weight_writer *writer, const char *name, uint32_t kind, enum slm_weight_type type,
                                  uint32_t rows, uint32_t cols, uint32_t *id, slm_error *error);
/* Lay out the file and tell the sink its size; writes tokenizer and metadata. No declarations afterwards. */
slm_status slm__writer_begin(struct slm_weight_writer *writer, slm_error *error);
/* The next `length` bytes of tensor `id` (each tensor's bytes come in order; tensors in any order). For a matrix: whole panels as
 * kernels/blocks.h lays them out. Checks that no more than the declared size arrives. */
slm_status slm__writer_write_tensor(struct slm_weight_writer *writer, uint32_t id, const void *data, size_t length, slm_error *error);
/* Directory and header; SLM_E_INTERNAL when a tensor is incomplete. */
slm_status slm__writer_finish(struct slm_weight_writer *writer, slm_error *error);
void slm__writer_free(struct slm_weight_writer *writer);

#endif
