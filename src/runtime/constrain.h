/* SPDX-License-Identifier: MIT */
/*
 * Sessions under a grammar: the tokens that may come next, and how the answer ends in time. Each answer, from the last append on, is one
 * text of the grammar. The matcher lives in a block of the session's slot, so that choosing a token allocates nothing.
 */
#ifndef SLM_RUNTIME_CONSTRAIN_H
#define SLM_RUNTIME_CONSTRAIN_H

#include "grammar/token_matcher.h" /* struct slm_token_matcher, struct slm_grammar */

struct slm_session;

/* The answer that the match is of. */
struct slm_constraint_answer {
    uint32_t from; /* its first token */
    bool ended;    /* by a stop: the next token begins another one */
};

struct slm_constraint {
    struct slm_grammar *grammar; /* NULL: any text */
    struct slm_token_matcher matcher;
    void *block; /* [grammar_bytes of the pool] */
    struct slm_constraint_answer answer;
    uint32_t room; /* with so many tokens left, the match can be completed from where it is; 0: not known */
};

/* From now on, instead of the grammar before; NULL: any text. The next token begins a text of it. Errors: SLM_E_ARGUMENT (the pool was
 * not planned for it), SLM_E_LIMIT. On failure nothing has changed. */
slm_status slm__constraint_set(struct slm_session *session, struct slm_grammar *grammar, const struct slm_vocabulary *vocabulary,
                               slm_error *error);
/* The next token begins a new text. */
void slm__constraint_restart(struct slm_session *session);
/* Back to `answer`: its tokens are matched again, as far as the session still has them. */
slm_status slm__constraint_return(struct slm_session *session, struct slm_constraint_answer answer, slm_error *error);
/* The constraint of a session for its fork, which has the same tokens. */
slm_status slm__constraint_fork(struct slm_session *fork, const struct slm_session *session, slm_error *error);
/* *logits, for the token behind the answer so far or the first of another one: those of the session, with -infinity for tokens that may not
 * come next; valid until the next call for a session of the pool. */
slm_status slm__constraint_logits(struct slm_session *session, const float **logits, slm_error *error);
/* The match moves on by *token, which was allowed. Where behind it too few tokens would be left to complete the text, *token becomes the
 * next one of the shortest completion instead. SLM_E_LIMIT when even that is too long. */
slm_status slm__constraint_accept(struct slm_session *session, int32_t *token, slm_error *error);
/* Tokens that the answer may still have. */
uint32_t slm__constraint_left(const struct slm_session *session);
/* The match moves on by the last `count` tokens of the session, which the grammar asked for. */
slm_status slm__constraint_extend(struct slm_session *session, uint32_t count, slm_error *error);
/* Whether the text is complete and nothing can follow. */
bool slm__constraint_finished(const struct slm_session *session);

#endif
