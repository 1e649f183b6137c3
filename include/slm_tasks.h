/* SPDX-License-Identifier: MIT */
/*
 * slm_tasks.h - what models are used for besides generating: adapters, embeddings, labels; a part of slm.h, which includes it.
 */
#ifndef SLM_TASKS_H
#define SLM_TASKS_H

#include "slm.h" /* handles, slm_status, slm_error, the rules for every function */

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------
 * LoRA adapters at run time
 */

typedef struct slm_adapter slm_adapter;

typedef struct slm_adapter_info {
    uint32_t struct_size;
    uint32_t rank;       /* the largest of its pairs */
    uint32_t linears;    /* pairs */
    uint32_t reserved;
    uint64_t parameters;
    uint64_t bytes;      /* of its one allocation */
} slm_adapter_info;

/* Open an adapter (a folder in peft's layout, or a GGUF file) for a model: x becomes x + weight * scale * B (A x) at every linear that it
 * has a pair for. f16 and bf16 values are kept as they are. What slm_convert() would not merge is refused with the same words, and so are
 * adapters in builds with WITH_CONVERT=0. Immutable, shared by any number of sessions and threads; the model stays open as long.
 * Reading takes scratch memory. Errors: those of slm_convert() with adapters. */
SLM_API slm_status slm_adapter_open(slm_model *model, const char *path, uint64_t path_length, slm_adapter **adapter, slm_error *error);
SLM_API slm_status slm_adapter_get_info(const slm_adapter *adapter, slm_adapter_info *info, slm_error *error);
/* SLM_E_BUSY while a session uses it. NULL is fine. */
SLM_API slm_status slm_adapter_close(slm_adapter *adapter);
/* The adapters of a session, at most 16, summed in this order; `weights` (-1000 to 1000) may be NULL: 1 for all; count 0: none. They
 * replace those it had, and belong to its state: forks have them too. A session with tokens is refused (SLM_E_STATE): rewind it to 0 first.
 * Sessions with different adapters can be stepped together. SLM_E_ARGUMENT: another model's adapter, or a rank above adapter_rank. */
SLM_API slm_status slm_session_set_adapters(slm_session *session, slm_adapter *const *adapters, const float *weights, uint32_t count,
                                            slm_error *error);

/* ------------------------------------------------------------------------------------------------
 * Embeddings
 */

/* One text, or token ids in its place. */
typedef struct slm_input {
    const char *text;
    uint64_t text_length;
    const int32_t *ids; /* not NULL: taken as they are, and `text` must be NULL */
    uint64_t id_count;
} slm_input;

/* What of the hidden states of a text's tokens (after the final norm) is its embedding. */
enum {
    SLM_POOLING_DEFAULT = 0, /* what the model's file says; else the mean of an encoder, the last token's of a decoder */
    SLM_POOLING_MEAN = 1,
    SLM_POOLING_LAST = 2,
    SLM_POOLING_FIRST = 3 /* the first token's, which is [CLS] in BERT */
};
enum { SLM_NORMALIZE_DEFAULT = 0, SLM_NORMALIZE_YES = 1, SLM_NORMALIZE_NO = 2 }; /* default: what the file says; else yes */

enum {
    SLM_EMBED_TRUNCATE = 1, /* cut texts that are longer than the pool's context; the special tokens behind them stay */
    SLM_EMBED_PLAIN = 2     /* special tokens written in a text are ordinary text */
};

typedef struct slm_embed_options {
    uint32_t struct_size;
    uint32_t flags;        /* SLM_EMBED_... */
    int32_t pooling;       /* SLM_POOLING_... */
    int32_t normalize;     /* SLM_NORMALIZE_...: to length 1 */
    slm_progress_fn *progress; /* done and total texts; may be NULL. Returning not 0 stops with SLM_E_CANCELLED */
    void *progress_user;
    slm_adapter *const *adapters; /* as in slm_session_set_adapters() */
    const float *adapter_weights;
    uint32_t adapter_count;
    uint32_t reserved;
} slm_embed_options;

/* Embeddings of `count` texts, which the model's special tokens are added to: [count, hidden_size] floats in `embeddings`, which has room
 * for `capacity`. Works with every model; encoders (BERT) have nothing else. As many texts as the pool has free sessions are computed
 * together, without padding, up to its batch of rows; each gets the bits that it gets alone. A pool for an encoder has 32 sessions unless
 * it is told otherwise, keys and values in f32, and a batch of no less than its context. Tokenizing takes scratch memory from the engine's
 * allocator. After a failure the content of `embeddings` is undefined; the pool is as it was. Errors: SLM_E_ARGUMENT (also an input without
 * tokens), SLM_E_BUFFER_TOO_SMALL, SLM_E_BAD_TOKEN, SLM_E_CONTEXT_FULL (a text is longer than the pool's context), SLM_E_POOL_FULL,
 * SLM_E_NO_TOKENIZER, SLM_E_CANCELLED, SLM_E_NOT_FINITE, SLM_E_NO_MEMORY. */
SLM_API slm_status slm_embed(slm_pool *pool, const slm_input *inputs, uint64_t count, const slm_embed_options *options, float *embeddings,
                             uint64_t capacity, slm_error *error);

/* ------------------------------------------------------------------------------------------------
 * Labels: exact probabilities of given continuations
 */

enum {
    SLM_SCORE_JOINT = 1,  /* context and label are tokenized as one text, instead of the label alone */
    SLM_SCORE_EOS = 2,    /* the end of the answer behind a label counts too: the probability of the model's end tokens together */
    SLM_SCORE_LENGTH = 4, /* scores are divided by the number of tokens (the end counts as one) */
    SLM_SCORE_PLAIN = 8   /* special tokens written in a text are ordinary text */
};

typedef struct slm_score_options {
    uint32_t struct_size;
    uint32_t flags;         /* SLM_SCORE_... */
    const slm_input *prior; /* a context without content ("N/A" instead of the text): what a label gets there is subtracted; NULL: no */
    slm_progress_fn *progress; /* done and total labels; may be NULL. Returning not 0 stops with SLM_E_CANCELLED */
    void *progress_user;
    slm_adapter *const *adapters; /* as in slm_session_set_adapters() */
    const float *adapter_weights;
    uint32_t adapter_count;
    uint32_t reserved;
} slm_score_options;

typedef struct slm_label_score {
    uint32_t struct_size;
    uint32_t tokens;    /* of the label, the end not counted */
    double logprob;     /* natural logarithm of the probability that the model continues the context with the label */
    double prior;       /* the same behind options->prior; 0 without */
    double score;       /* logprob - prior, divided by the number of tokens with SLM_SCORE_LENGTH */
    double probability; /* softmax of the scores: of these labels, this one */
} slm_label_score;

/* Score `count` labels behind a context. The context is computed once; the labels are forks of it, as many at a time as the pool has free
 * sessions, and go through the model together. The logarithms have the bits of feeding each label by hand: sums over tokens, in order.
 * The special tokens of the model are added to a context that is text, and to nothing else. scores[0].struct_size is the size of all
 * elements. With JOINT, what counts is everything behind the tokens that context and all continued texts share. The same label may be given
 * twice. The pool needs two free sessions, of which one is enough when all labels are single tokens. Tokenizing takes scratch memory from
 * the engine's allocator. The pool is as it was afterwards; one with `prefixes` keeps the context, and the next one that begins alike costs
 * its other tokens only. Errors: SLM_E_ARGUMENT (also a context without tokens, and a label without,
 * unless its end counts), SLM_E_UNSUPPORTED (an encoder), SLM_E_BAD_TOKEN, SLM_E_CONTEXT_FULL, SLM_E_POOL_FULL, SLM_E_NO_TOKENIZER,
 * SLM_E_CANCELLED, SLM_E_NOT_FINITE, SLM_E_NO_MEMORY. */
SLM_API slm_status slm_score(slm_pool *pool, const slm_input *context, const slm_input *labels, uint64_t count,
                             const slm_score_options *options, slm_label_score *scores, slm_error *error);

#ifdef __cplusplus
}
#endif
#endif /* SLM_TASKS_H */
