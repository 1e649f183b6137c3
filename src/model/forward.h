/* SPDX-License-Identifier: MIT */
/* One forward pass over rows of any number of sequences: prefill, decoding, batches are the same call. */
#ifndef SLM_MODEL_FORWARD_H
#define SLM_MODEL_FORWARD_H

#include "base/parallel.h"     /* struct slm_team */
#include "model/low_rank.h"    /* struct slm_adapter_list */
#include "model/transformer.h" /* struct slm_transformer */
#include "ops/attention_op.h"  /* struct slm_attention_row */

/* One token at one position of one sequence. Rows of a sequence come in order of position. Every page up to the position is writable at
 * the row's own slot and holds the keys of all positions below `end` (or gets them by other rows of the same call). */
struct slm_row {
    int32_t token;
    const float *embedding; /* [hidden] what stands for the token, as it is; NULL: the token's own, scaled */
    uint32_t position;
    uint32_t end;                            /* positions below it are seen: position + 1, or more where tokens see each other */
    uint32_t context;                        /* capacity of the sequence: chooses between rope frequencies */
    const uint32_t *tables[SLM_KV_CLASSES];  /* pages of the sequence, for each class of layers */
    float *logits;                           /* [vocab]: where they go; NULL: not wanted */
    float *hidden;                           /* [hidden]: input of the head; NULL: not wanted */
    bool looked_at;                          /* slm_forward.look gets its logits, which are kept nowhere */
    const struct slm_adapter_list *adapters; /* what is added to the matrices; NULL: nothing */
};

/* An expert that a row uses and its weight. */
struct slm_expert_choice {
    uint32_t expert;
    float weight;
};

/* What a forward pass needs besides weights: planned once for a number of rows, then used for any call with no more. */
struct slm_workspace {
    uint32_t batch; /* most rows of a call */
    enum slm_kv_type kv_type;
    uint64_t page_bytes[SLM_KV_CLASSES];      /* of a KV page that holds all layers of a class; one layer when bidirectional */
    uint64_t *layer_offsets;                  /* [layers] in a page of the layer's class */
    struct slm_attention_row *attention_rows; /* [classes][batch] */
    float *x;                                 /* [batch][hidden stride]: the residual stream */
    float *h;                                 /* [batch][input stride]: normed rows, attention's output; the middle of an MLP */
    float *wide;                              /* [batch][output stride]: qkv, projections; gate and up */
    float *rotary;                            /* [rope sets][batch][2 half]: cos, then sin */
    float *states;                            /* attention scratch of each thread */
    float *split_states;                      /* attention of single segments */
    float *head_rows;                         /* [8][hidden stride] final-normed rows, then [8][vocab stride] logits */
    void *packed;                             /* packed activations of the widest matrix */
    float *mlp_scratch;                       /* a part of gate and up, for each thread */
    uint64_t mlp_scratch_floats;              /* of each thread */
    float *parallel;                          /* [batch][hidden stride] attention's output of a parallel block; NULL elsewhere */
    struct slm_expert_choice *choices;        /* [batch][SLM_MAX_EXPERTS_USED], experts of each row */
    float *expert_in, *expert_out;            /* [batch][hidden stride] rows of one expert; sum over experts. NULL without experts */
    uint32_t *expert_rows;                    /* [batch] which rows these are */
    uint32_t adapter_rank;                    /* largest rank of an adapter; 0: rows have none */
    uint64_t low_rank_floats;                 /* of each thread in low_rank */
    float *low_rank;                          /* scratch of slm__low_rank_add() */
    uint32_t x_stride, h_stride, wide_stride, vocab_stride, rotary_stride;
};

/* Lay a workspace out in `carver` (base NULL: count only), for a team of `threads`. */
void slm__workspace_carve(struct slm_workspace *workspace, struct slm_carver *carver, const struct slm_transformer *transformer,
                          enum slm_kv_type kv_type, uint32_t batch, uint32_t context, uint32_t adapter_rank, uint32_t threads);
/* Bytes of a KV page of one class. */
uint64_t slm__kv_page_bytes(const struct slm_transformer *transformer, uint32_t kv_class, enum slm_kv_type kv_type);

struct slm_forward {
    const struct slm_transformer *transformer;
    const struct slm_kernels *kernels;
    struct slm_team *team;
    struct slm_workspace *workspace;
    uint8_t *pages[SLM_KV_CLASSES];         /* base of the KV pages of each class */
    bool (*cancelled)(const void *context); /* polled once a layer; may be NULL */
    const void *cancel_context;
    void (*look)(void *context, uint32_t row, const float *logits); /* of rows that are looked_at; from any thread of the team */
    void *look_context;
};

/* Whether a sequence of this capacity takes the frequencies for long ones. */
bool slm__transformer_is_long(const struct slm_transformer *transformer, uint32_t context);

/* Whether sequences of these capacities take the same frequencies. */
bool slm__transformer_same_rope(const struct slm_transformer *transformer, uint32_t context, uint32_t other);

/* Compute `count` rows (1 .. batch). false: cancelled; keys and values of these rows are then undefined, nothing else has changed.
 * Call it inside slm__team_run(). */
bool slm__forward_rows(const struct slm_forward *forward, const struct slm_row *rows, uint32_t count);

#endif
