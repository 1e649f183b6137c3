/* SPDX-License-Identifier: MIT */
/* A .slm file in memory: validated once, then only looked up, in place. No allocation, no copy. Floor 2: it does not know which model
 * this is, nor what the tokenizer section holds. */
#ifndef SLM_FORMAT_WEIGHT_FILE_H
#define SLM_FORMAT_WEIGHT_FILE_H

#include "base/span.h"      /* struct slm_span */
#include "base/status.h"    /* slm_status, slm_error */
#include "kernels/blocks.h" /* enum slm_weight_type */

struct slm_weight_file {
    const uint8_t *data;
    uint64_t size;
    uint32_t section_count;
    struct slm_span metadata, directory, tokenizer, vocabulary; /* the sections; length 0: absent */
    uint64_t data_offset, data_length;                          /* of the data section in the file */
    uint32_t tensor_count;
    uint32_t metadata_count;
};

struct slm_tensor {
    struct slm_span name;
    uint32_t kind; /* SLM_TENSOR_... */
    enum slm_weight_type type;
    uint32_t rows, cols; /* vector: cols = 1 */
    uint64_t bytes;      /* padded size in the file */
    uint32_t crc;        /* CRC-32C of these bytes */
    const uint8_t *data; /* 64-byte aligned */
};

/* Validate everything but the payload: magic, versions, size, section table, header checksum, checksums of metadata and directory, every
 * offset and size, names sorted and unique. `data` is 64-byte aligned (else SLM_E_ARGUMENT) and stays as long as the file is used. */
slm_status slm__weight_file_open(struct slm_weight_file *file, const void *data, uint64_t size, slm_error *error);
/* Bytes of header that must be readable to learn the file's size, sections and so on. */
enum { SLM_WEIGHT_FILE_HEADER = 4096 };

/* Compare the checksums of all sections and tensors. progress may be NULL. */
slm_status slm__weight_file_verify(const struct slm_weight_file *file, slm_progress_fn *progress, void *user, slm_error *error);

/* Tensors, sorted by name. */
void slm__weight_file_tensor(const struct slm_weight_file *file, uint32_t index, struct slm_tensor *tensor); /* index < tensor_count */
bool slm__weight_file_find(const struct slm_weight_file *file, const char *name, struct slm_tensor *tensor);

/* Metadata. false: no such key, or another type. Texts and arrays are in place. */
bool slm__meta_has(const struct slm_weight_file *file, const char *key);
bool slm__meta_u64(const struct slm_weight_file *file, const char *key, uint64_t *value);
bool slm__meta_f64(const struct slm_weight_file *file, const char *key, double *value);
bool slm__meta_text(const struct slm_weight_file *file, const char *key, struct slm_span *text);
/* Element count through *count; elements by slm__meta_u32_at, slm__meta_f32_at. */
bool slm__meta_u32s(const struct slm_weight_file *file, const char *key, struct slm_span *bytes, uint32_t *count);
bool slm__meta_f32s(const struct slm_weight_file *file, const char *key, struct slm_span *bytes, uint32_t *count);
uint32_t slm__meta_u32_at(struct slm_span bytes, uint32_t index); /* index < count */
float slm__meta_f32_at(struct slm_span bytes, uint32_t index);
/* Entry by index, for listing and for refusing unknown keys. value is the raw payload. */
void slm__meta_entry(const struct slm_weight_file *file, uint32_t index, struct slm_span *key, uint32_t *type, struct slm_span *value);

#endif
