/* SPDX-License-Identifier: MIT */
/*
 * A session: one sequence of tokens, its page table, its sampler and the state of its text. It lives in a slot of its pool.
 *
 * Invariant: keys and values of tokens [0, computed) are in the cache; count - computed is 0, or 1: the token that was chosen last, or
 * the last one kept by a rewind, which the next step computes. logits are those after the last token exactly when logits_valid; a rewind
 * to the end of an image leaves none and nothing to compute: tokens have to be appended. Only where they are valid may there be guesses,
 * whose keys and values lie behind the computed ones.
 */
#ifndef SLM_RUNTIME_SESSION_H
#define SLM_RUNTIME_SESSION_H

#include "cache/kv_sequence.h"     /* struct slm_kv_sequence */
#include "runtime/bound_adapter.h" /* struct slm_adapter */
#include "runtime/constrain.h"     /* struct slm_constraint */
#include "runtime/pool.h"          /* struct slm_pool */
#include "runtime/speculate.h"     /* struct slm_speculation */
#include "sample/sampler.h"        /* struct slm_sampler */
#include "sample/stop_strings.h"   /* struct slm_stop_strings */
#include "text/token_stream.h"     /* struct slm_token_stream */
#include <stdatomic.h>

/* One push of a token's text, what was held back before it, and the rest at a stop. */
enum { SLM_SESSION_TEXT_BYTES = SLM_STOP_STRINGS_BYTES + 2 * SLM_STOP_STRINGS_PUSH_BYTES };

enum { SLM_SESSION_FLAGS = SLM_SESSION_IGNORE_EOS | SLM_SESSION_SHOW_SPECIAL | SLM_SESSION_JUMP };

struct slm_session {
    struct slm_pool *pool;
    int32_t *tokens;  /* [pool context] */
    float *logits;    /* [vocab] */
    uint32_t *images; /* first token of each image, ascending */
    uint32_t image_count;
    struct slm_kv_sequence kv[SLM_KV_CLASSES];
    uint32_t count;      /* tokens in the sequence */
    uint32_t computed;   /* of them in the cache */
    uint32_t context;    /* most of them */
    uint32_t flags;      /* SLM_SESSION_... */
    uint32_t max_tokens; /* of an answer; 0: no limit */
    uint32_t top_logprobs;
    slm_token_logprob top[SLM_TOP_LOGPROBS_MAX]; /* result.top */
    uint32_t answered;                           /* tokens chosen since the last append */
    uint32_t reused;                             /* tokens of the last append that were shared, not computed */
    bool live;
    bool logits_valid;
    bool in_step; /* marks the sessions of one step */
    atomic_int cancel;
    struct slm_adapter_list adapters;                      /* what forward passes see */
    struct slm_adapter *adapter_handles[SLM_ADAPTERS_MAX]; /* whose users this session counts among */
    struct slm_speculation guesses;
    struct slm_constraint constraint;
    struct slm_sampler sampler;
    struct slm_stop_strings stop;
    struct slm_token_stream stream;
    slm_status status;                    /* of the last step */
    slm_token result;                     /* of the last step */
    uint8_t text[SLM_SESSION_TEXT_BYTES]; /* result.text */
};

/* A free slot of `pool`, set up. `options` is of the known size. Errors: SLM_E_POOL_FULL, SLM_E_ARGUMENT. */
slm_status slm__session_create(struct slm_pool *pool, const slm_session_options *options, struct slm_session **session, slm_error *error);
/* Gives pages and slot back; the sequence may be kept for reuse. */
void slm__session_free(struct slm_session *session);
/* The same for a sequence that nobody will go on from. */
void slm__session_discard(struct slm_session *session);
/* The adapters of an empty session, instead of those it had. weights NULL: 1 for all. Errors: SLM_E_STATE, SLM_E_ARGUMENT. */
slm_status slm__session_set_adapters(struct slm_session *session, struct slm_adapter *const *adapters, const float *weights, uint32_t count,
                                     slm_error *error);
slm_status slm__session_append(struct slm_session *session, const int32_t *tokens, uint64_t count, const slm_append_options *options,
                               slm_error *error);
/* Add tokens that the answer goes on with, without a choice. */
slm_status slm__session_extend(struct slm_session *session, const int32_t *tokens, uint32_t count, slm_error *error);
/* The tokens of an image, in one pass of the tower and one of the text model. The model sees; `image` is one that its tower takes. */
slm_status slm__session_append_image(struct slm_session *session, const struct slm_vision_image *image, const slm_append_options *options,
                                     slm_error *error);
/* Whether the cache holds all tokens, the logits not, and the last token, an image's, cannot be computed again from its id. */
bool slm__session_ends_in_image(const struct slm_session *session);
slm_status slm__session_rewind(struct slm_session *session, uint64_t tokens, slm_error *error);
slm_status slm__session_fork(struct slm_session *session, struct slm_session **fork, slm_error *error);
/* Forget guesses and their keys and values. */
void slm__session_forget_guesses(struct slm_session *session);
/* Compute what is missing so that session->logits are those after the last token. */
slm_status slm__session_compute(struct slm_session *session, slm_error *error);
/* Choose one token for each session: session->status and session->result. Returns the first status that is not SLM_OK. */
slm_status slm__session_step(struct slm_pool *pool, struct slm_session *const *sessions, uint32_t count, slm_error *error);
/* Add what is still held back to the text of the last result, because no more tokens will come. */
void slm__session_flush_text(struct slm_session *session);

/* What its answers are texts of; NULL: any text, and that is what the compiler sees in builds without grammars. */
static inline struct slm_grammar *slm__session_grammar(const struct slm_session *session)
{
    return SLM_WITH_GRAMMAR ? session->constraint.grammar : NULL;
}

#endif
