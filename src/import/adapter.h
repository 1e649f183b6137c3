/* SPDX-License-Identifier: MIT */
/*
 * LoRA adapters, from a folder in peft's layout or a GGUF file: W' = W + weight * scale * B A for the linears that have a pair of tensors
 * A [rank, in] and B [out, rank]. Which linears those are follows from the tensors' names alone.
 */
#ifndef SLM_IMPORT_ADAPTER_H
#define SLM_IMPORT_ADAPTER_H

#include "import/tensor_set.h" /* struct slm_tensor_set */

struct slm_checkpoint;
struct slm_rule_source;

/* One pair. */
struct slm_adapter_delta {
    struct slm_adapter_delta *listed; /* next of the same adapter */
    struct slm_adapter_delta *next;   /* next on the same linear */
    const struct slm_adapter_source *adapter;
    struct slm_span module;        /* the linear's name as the adapter has it, without ".weight" */
    struct slm_source_tensor a, b; /* type NULL: not there */
    uint32_t rank, inputs, outputs;
    uint32_t pairs; /* not 0: B's rows lie as pairs in heads of this width, as in struct slm_target_part */
    double scale;
    float *values; /* held: A, then B */
    size_t value_bytes;
};

struct slm_adapter_source {
    struct slm_adapter_source *next;
    struct slm_tensor_set set;
    bool gguf;
    bool paired; /* rows that are rotated lie as pairs, as its architecture has them in GGUF files */
    double weight;
    struct slm_adapter_delta *deltas;
};

/* What a caller asks for. */
struct slm_adapter_choice {
    const char *path;
    double weight;
};

/* Open and check an adapter. It lives in the checkpoint's arena and is closed with it; its files count for the checkpoint's hash. */
slm_status slm__adapter_open(struct slm_checkpoint *checkpoint, const struct slm_adapter_choice *choice,
                             struct slm_adapter_source **adapter, slm_error *error);
/* Closes the files of a list of adapters. */
void slm__adapters_close(struct slm_adapter_source *first);
/* Open adapters and put their deltas on the parts of a planned checkpoint. */
slm_status slm__adapters_merge(struct slm_checkpoint *checkpoint, const struct slm_adapter_choice *choices, uint32_t count,
                               slm_error *error);

/* Parts of that, for adapters that are not merged: the width of heads whose rows in B lie as pairs, or 0; what is wrong with a delta. */
uint32_t slm__adapter_pairs(const struct slm_checkpoint *checkpoint, const struct slm_adapter_source *adapter,
                            const struct slm_rule_source *source);
slm_status slm__adapter_no_linear(const struct slm_checkpoint *checkpoint, const struct slm_adapter_delta *delta, slm_error *error);
slm_status slm__adapter_refuse_embedding(const struct slm_adapter_delta *delta, slm_error *error);
slm_status slm__adapter_check_size(const struct slm_adapter_delta *delta, uint32_t rows, uint32_t cols, slm_error *error);

/* The values of all deltas on a linear in memory, and given back. `deltas` may be NULL. */
slm_status slm__adapter_deltas_hold(struct slm_adapter_delta *deltas, const struct slm_memory *memory, slm_error *error);
void slm__adapter_deltas_release(struct slm_adapter_delta *deltas, const struct slm_memory *memory);
/* Add row `row` (in the order of Hugging Face) of all deltas to `out`. They are held. */
void slm__adapter_deltas_add(const struct slm_adapter_delta *deltas, uint32_t row, float *out, uint32_t cols);

#endif
