/* SPDX-License-Identifier: MIT */
/* Attention of many rows over paged keys and values, causal or not. Takes page addresses, so it never sees the cache. */
#ifndef SLM_OPS_ATTENTION_OP_H
#define SLM_OPS_ATTENTION_OP_H

#include "base/parallel.h"   /* struct slm_team */
#include "kernels/kernels.h" /* struct slm_kernels, tiles */

/* One token row: its queries see the keys of positions [0, end) of its own sequence, or from position - window + 1 on. In causal attention
 * end is position + 1; in attention in both directions it is where the text, or the group of tokens that see each other, ends. */
struct slm_attention_row {
    const uint32_t *table; /* page of each tile of the sequence */
    uint32_t position;
    uint32_t end; /* more than position */
};

struct slm_attention {
    enum slm_kv_type kv_type;
    uint32_t heads;    /* queries a row */
    uint32_t kv_heads; /* query head h reads kv head h / (heads / kv_heads) */
    uint32_t head_dim;
    uint32_t window;      /* keys a query sees up to its own, which counts; 0: all */
    float softcap;        /* 0: none */
    const uint8_t *pages; /* base of all pages */
    uint64_t page_bytes;
    uint64_t layer_offset; /* of this layer in a page: K tiles of all kv heads, then V tiles */
    const float *q;        /* [rows][q_stride], heads side by side, scaled */
    size_t q_stride;
    float *out; /* [rows][out_stride] */
    size_t out_stride;
    float *states;       /* [threads][slm__op_attention_state_floats()] */
    float *split_states; /* [slm__op_attention_split_floats()] for a context that no position exceeds */
};

/* Floats of scratch that each thread needs. */
uint64_t slm__op_attention_state_floats(uint32_t heads, uint32_t kv_heads, uint32_t head_dim);
/* Floats of the results of single segments, where few queries are cut along their keys. */
uint64_t slm__op_attention_split_floats(uint32_t threads, uint32_t heads, uint32_t kv_heads, uint32_t head_dim, uint32_t context);
/* Address of the K or V tile of a kv head in a page (layout above). */
uint64_t slm__op_k_offset(enum slm_kv_type type, uint32_t head_dim, uint32_t kv_head);
uint64_t slm__op_v_offset(enum slm_kv_type type, uint32_t head_dim, uint32_t kv_heads, uint32_t kv_head);
/* Bytes of one layer in a page, a multiple of 64. */
uint64_t slm__op_kv_layer_bytes(enum slm_kv_type type, uint32_t head_dim, uint32_t kv_heads);

void slm__op_attention(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_attention *attention,
                       const struct slm_attention_row *rows, uint32_t row_count);

#endif
