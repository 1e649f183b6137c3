/* SPDX-License-Identifier: MIT */
/*
 * One GGUF file: keys with typed values, and tensor entries. The file's head (keys and entries) is held in memory, the data never. A split
 * model is several such files, the keys in the first.
 */
#ifndef SLM_IMPORT_GGUF_READER_H
#define SLM_IMPORT_GGUF_READER_H

#include "import/tensor_set.h" /* struct slm_tensor_set */

enum slm_gguf_type {
    SLM_GGUF_U8 = 0,
    SLM_GGUF_I8 = 1,
    SLM_GGUF_U16 = 2,
    SLM_GGUF_I16 = 3,
    SLM_GGUF_U32 = 4,
    SLM_GGUF_I32 = 5,
    SLM_GGUF_F32 = 6,
    SLM_GGUF_BOOL = 7,
    SLM_GGUF_STRING = 8,
    SLM_GGUF_ARRAY = 9,
    SLM_GGUF_U64 = 10,
    SLM_GGUF_I64 = 11,
    SLM_GGUF_F64 = 12,
    SLM_GGUF_TYPES = 13
};

struct slm_gguf_key {
    struct slm_span name;
    uint32_t type;         /* enum slm_gguf_type */
    uint32_t item_type;    /* ARRAY */
    uint64_t count;        /* ARRAY: items */
    struct slm_span value; /* the value's bytes, or the array's items; STRING: the text */
};

struct slm_gguf {
    const struct slm_memory *memory;
    struct slm_arena arena; /* keys */
    uint8_t *head;          /* the file's first head_bytes bytes */
    size_t head_bytes;
    struct slm_gguf_key *keys; /* sorted by name */
    uint32_t key_count;
};

/* Open `path`, check and read its head, and add its tensors to `set`. To be freed also after a failure. Messages name the file. */
slm_status slm__gguf_open(struct slm_gguf *gguf, struct slm_tensor_set *set, const struct slm_memory *memory, const char *path,
                          slm_error *error);
void slm__gguf_free(struct slm_gguf *gguf);

/* NULL: not there. */
const struct slm_gguf_key *slm__gguf_find(const struct slm_gguf *gguf, const char *name);
/* Values of any integer type or bool; of F32 or F64 (or an integer); texts. false: not there, or another type. */
bool slm__gguf_u64(const struct slm_gguf_key *key, uint64_t *value); /* also false when negative */
bool slm__gguf_f64(const struct slm_gguf_key *key, double *value);
bool slm__gguf_text(const struct slm_gguf_key *key, struct slm_span *value);

/* Items of an array. Integers and f32 of `item_type`, index < count. */
uint64_t slm__gguf_item_u64(const struct slm_gguf_key *key, uint64_t index);
/* Strings one after another: *cursor starts at 0. */
struct slm_span slm__gguf_next_text(const struct slm_gguf_key *key, uint64_t *cursor);
bool slm__gguf_is_array(const struct slm_gguf_key *key, uint32_t item_type);

#endif
