/* SPDX-License-Identifier: MIT */
/*
 * The types of values that checkpoints store: those of safetensors by name, those of GGUF by number. A row of a tensor is a whole number
 * of blocks; plain types have blocks of one value. Types without a decoder are known by size only and refused as weights, by name.
 */
#ifndef SLM_IMPORT_VALUE_TYPES_H
#define SLM_IMPORT_VALUE_TYPES_H

#include "base/span.h" /* struct slm_span */

/* `count` blocks to count * block_values floats. `blocks` need not be aligned. */
typedef void slm_decode_blocks_fn(const uint8_t *blocks, uint64_t count, float *out);

/* The same blocks as w = step * (q - zero) with one step and zero for each 32 values: count * block_values / 32 of each. */
typedef void slm_block_steps_fn(const uint8_t *blocks, uint64_t count, float *steps, float *zeros);

struct slm_value_type {
    const char *name; /* as shown in messages; for safetensors also the dtype */
    int32_t gguf_id;  /* -1: not in GGUF */
    bool safetensors;
    uint16_t block_values;
    uint16_t block_bytes;
    slm_decode_blocks_fn *decode; /* NULL: not supported as weights */
    slm_block_steps_fn *steps;    /* NULL: values have no such form */
};

/* NULL: unknown. */
const struct slm_value_type *slm__value_type_of_dtype(struct slm_span dtype);
const struct slm_value_type *slm__value_type_of_gguf(uint32_t id);
/* Numbers that GGUF once had and gave up: "Q4_2" for 4. NULL: not one of them. */
const char *slm__gguf_removed_type(uint32_t id);

/* Whether the type is a number of 16, 32 or 64 bits that every tool writes: what norms and biases may have. */
bool slm__value_type_is_float(const struct slm_value_type *type);
/* Whether it is GGUF's Q8_0, whose codes and scales the i8 type keeps exactly. */
bool slm__value_type_is_q8_0(const struct slm_value_type *type);

#endif
