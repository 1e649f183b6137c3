/* SPDX-License-Identifier: MIT */
/*
 * GPTQ and AWQ linears: W[o, i] = scales[g, o] * (q[i, o] - zero[g, o]), g the group of input i, where codes and zeros lie packed into
 * 32-bit words across other dimensions than rows. Such a linear is one more source tensor, "X.weight" [out, in], whose rows are put
 * together from X.qweight, X.qzeros, X.scales and X.g_idx; the rest of an import treats it as any other matrix.
 */
#ifndef SLM_IMPORT_PACKED_LINEAR_H
#define SLM_IMPORT_PACKED_LINEAR_H

#include "import/hf_quantization.h" /* struct slm_quantization */
#include "import/tensor_set.h"      /* struct slm_source_tensor, struct slm_tensor_set */

struct slm_packed_linear {
    struct slm_packed_linear *next;
    struct slm_quantization quantization;
    struct slm_source_tensor qweight, qzeros, scales, g_idx; /* g_idx.type NULL: there is none, groups follow each other */
    uint32_t inputs, outputs, groups, group_size;            /* group_size: of inputs that follow each other */
    bool in_order;                                           /* the group of input i is i / group_size */
    uint8_t *data;                                           /* held: the four tensors' bytes; NULL: not held */
    size_t data_bytes;
    const uint8_t *held[4];
};

/* Make the tensors "X.weight" of all "X.qweight"; the parts count as used. Shapes, types and groups are checked. */
slm_status slm__packed_linears_bind(struct slm_tensor_set *set, const struct slm_memory *memory,
                                    const struct slm_quantization *quantization, slm_error *error);

/* Have the packed bytes in memory while rows are read. They are given back by release, once for each hold. */
slm_status slm__packed_hold(struct slm_packed_linear *packed, const struct slm_tensor_set *set, const struct slm_memory *memory,
                            slm_error *error);
void slm__packed_release(struct slm_packed_linear *packed, const struct slm_memory *memory);

/* Row `row` as `inputs` floats; it is held. From any thread. */
void slm__packed_read_row(const struct slm_packed_linear *packed, uint32_t row, float *out);
/* Whether groups cover whole runs of 32, and codes have 4 bits if `four`. (8 bits fit into i8 where zeros are in the middle.) */
bool slm__packed_keeps_codes(const struct slm_packed_linear *packed, bool four);
/* For each 32 inputs of the row the step and zero of w = step * (q - zero); false when a group does not cover whole runs of 32. */
bool slm__packed_read_steps(const struct slm_packed_linear *packed, uint32_t row, float *steps, float *zeros);

#endif
