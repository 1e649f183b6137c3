/* SPDX-License-Identifier: MIT */
/* A pool: one block that holds KV pages, the workspace of the forward pass, and the slots of all its sessions. */
#ifndef SLM_RUNTIME_POOL_H
#define SLM_RUNTIME_POOL_H

#include "cache/kv_pages.h"     /* struct slm_kv_pages */
#include "model/forward.h"      /* struct slm_workspace, struct slm_row */
#include "model/vision_tower.h" /* struct slm_vision_workspace */
#include "text/tokenizer.h"     /* struct slm_tokenizer */
#include <stdatomic.h>

/* What the runtime knows of a model; owned by the model handle, immutable. */
struct slm_runtime_model {
    const struct slm_transformer *transformer;
    const struct slm_weight_file *file;
    const struct slm_tokenizer *tokenizer; /* NULL: ids only */
    const struct slm_kernels *kernels;
    struct slm_team *team;
    const struct slm_memory *memory;
    atomic_uint *users; /* pools and adapters of the model */
    int32_t pooling;    /* SLM_POOLING_...: how its embeddings are made */
    bool normalize;
    struct slm_span chat_template; /* length 0: none */
    struct slm_span template_tokens;
};

/* Resolved sizes of a pool: no zero means "default" any more. */
struct slm_pool_shape {
    uint32_t sessions;
    uint32_t context;               /* tokens of one session */
    uint32_t pages[SLM_KV_CLASSES]; /* of all sessions together, for each class of layers */
    uint32_t batch;                 /* rows of one forward pass */
    uint32_t adapter_rank;          /* largest of an adapter; 0: none can be set */
    uint32_t speculate;             /* most guesses of one session */
    uint64_t grammar_bytes;         /* for matching the grammar of one session; 0: none can be set */
    uint32_t prefixes;              /* ended sequences that are kept; 0: nothing is reused */
    enum slm_kv_type kv_type;
};

/* Keys that layers with a window keep beyond it, so that a session can be rewound by as many tokens. */
enum { SLM_WINDOW_RESERVE = 256 };
/* Texts at once in a pool for an encoder that does not say how many. */
enum { SLM_ENCODER_TEXTS = 32 };
/* Most sessions that one forward pass of a step takes. */
enum { SLM_STEP_ROWS = 64 };

/* A text on its way through slm_embed() or slm_score(). */
struct slm_pool_text {
    struct slm_session *session;
    uint64_t input; /* which one */
};

struct slm_pool {
    const struct slm_runtime_model *model;
    struct slm_pool_shape shape;
    struct slm_kv_pages pages[SLM_KV_CLASSES];
    struct slm_workspace workspace;
    struct slm_vision_workspace *vision; /* NULL: the model does not see */
    struct slm_session *sessions;        /* [shape.sessions] slots */
    struct slm_row *rows;                /* [batch] */
    struct slm_pool_text *texts;         /* [shape.sessions] on their way */
    float *row_scores;                   /* [batch] */
    float *logits;                       /* [vocab]: of what is appended, before it is accepted */
    float *allowed_logits;               /* [vocab]: what a grammar leaves; NULL: grammar_bytes is 0 */
    void *sampler_scratch;
    struct slm_prefix *prefixes; /* [shape.prefixes] */
    uint64_t clock;              /* counts uses of prefixes */
    uint32_t live;               /* sessions in use */
    bool private;                /* belongs to its only session and goes with it */
    void *block;                 /* what was allocated; NULL: the caller's */
    uint64_t block_bytes;
};

/* Replace defaults and check limits. Errors: SLM_E_ARGUMENT. */
slm_status slm__pool_shape(const struct slm_runtime_model *model, const slm_pool_options *options, struct slm_pool_shape *shape,
                           slm_error *error);
/* Bytes of everything, by the same code that lays it out. */
void slm__pool_plan(const struct slm_runtime_model *model, const struct slm_pool_shape *shape, slm_pool_memory *memory);
/* Lay a pool out in options->block, or in one allocation. `options` is of the known size. */
slm_status slm__pool_create(const struct slm_runtime_model *model, const slm_pool_options *options, bool is_private, struct slm_pool **pool,
                            slm_error *error);
/* What the forward pass needs of a pool. */
struct slm_forward slm__pool_forward(struct slm_pool *pool, bool (*cancelled)(const void *context), const void *context);
/* Run `work` that computes about `rows` rows, perhaps none: on the team's threads, or on this one alone where they would cost more than
 * they save. */
void slm__pool_run(struct slm_pool *pool, uint64_t rows, slm_team_main_fn *work, void *context);
/* The caller has checked that no session lives. */
void slm__pool_free(struct slm_pool *pool);

#endif
