/* SPDX-License-Identifier: MIT */
/* Masks over the logits, the match of what was chosen, and the shortest completion when tokens run out. */
#include "runtime/constrain.h"
#include "runtime/session.h" /* struct slm_session, slm__session_grammar */
#include <math.h>            /* INFINITY */
#include <string.h>

enum { COMPLETION_BYTES = 16384 }; /* a shortest completion beyond it counts as too long for any budget below */

/* The largest cache whose matcher fits into `room`; 0: none does. */
static uint64_t fitting_cache(const struct slm_grammar *grammar, const struct slm_vocabulary *vocabulary, uint64_t room)
{
    uint64_t cache = room;
    for (int i = 0; i < 8 && cache > 0; i++) {
        const uint64_t bytes = slm__matcher_bytes(grammar, vocabulary, cache);
        if (bytes <= room) {
            return cache;
        }
        cache = cache > bytes - room ? cache - (bytes - room) : 0;
    }
    return slm__matcher_bytes(grammar, vocabulary, 1) <= room ? 1 : 0;
}

static slm_status begin_matcher(struct slm_session *session, struct slm_token_matcher *matcher, struct slm_grammar *grammar,
                                const struct slm_vocabulary *vocabulary, slm_error *error)
{
    const struct slm_transformer *t = session->pool->model->transformer;
    const uint64_t room = session->pool->shape.grammar_bytes, cache = fitting_cache(grammar, vocabulary, room);
    if (cache == 0) {
        return slm__fail(error, SLM_E_ARGUMENT,
                         "matching the grammar takes at least %llu bytes; the pool or session was created with grammar_bytes %llu",
                         (unsigned long long)slm__matcher_bytes(grammar, vocabulary, 1), (unsigned long long)room);
    }
    return slm__matcher_begin(matcher, grammar, vocabulary, t->eos_tokens, t->eos_count, session->constraint.block, cache, error);
}

slm_status slm__constraint_set(struct slm_session *session, struct slm_grammar *grammar, const struct slm_vocabulary *vocabulary,
                               slm_error *error)
{
    struct slm_constraint *constraint = &session->constraint;
    if (SLM_WITH_GRAMMAR && grammar != NULL) {
        struct slm_token_matcher matcher;
        const slm_status status = begin_matcher(session, &matcher, grammar, vocabulary, error);
        if (status != SLM_OK) { /* what was there lay in the same block */
            return constraint->grammar == NULL ||
                           begin_matcher(session, &constraint->matcher, constraint->grammar, constraint->matcher.vocabulary, NULL) != SLM_OK
                       ? status
                   : slm__constraint_return(session, constraint->answer, NULL) == SLM_OK ? status
                                                                                         : SLM_E_INTERNAL;
        }
        constraint->matcher = matcher;
        atomic_fetch_add(&grammar->users, 1);
    }
    if (SLM_WITH_GRAMMAR && constraint->grammar != NULL) {
        atomic_fetch_sub(&constraint->grammar->users, 1);
    }
    constraint->grammar = grammar;
    constraint->answer = (struct slm_constraint_answer){session->count, false};
    constraint->room = 0;
    return SLM_OK;
}

void slm__constraint_restart(struct slm_session *session)
{
    session->constraint.answer = (struct slm_constraint_answer){session->count, false};
    session->constraint.room = 0;
    if (slm__session_grammar(session) != NULL) {
        slm__matcher_restart(&session->constraint.matcher);
    }
}

/* The match moves on by a token of the answer. */
static slm_status read_token(struct slm_session *session, int32_t token, slm_error *error)
{
    struct slm_token_matcher *matcher = &session->constraint.matcher;
    struct slm_span bytes;
    uint32_t flags;
    size_t taken = 0;
    session->constraint.room = 0;
    if (slm__matcher_is_end(matcher, token)) {
        return SLM_OK;
    }
    SLM_TRY(slm__tokenizer_token_bytes(session->pool->model->tokenizer, token, &bytes, &flags));
    SLM_TRY(slm__matcher_read(matcher, bytes, &taken, error));
    return taken == bytes.length ? SLM_OK : slm__fail(error, SLM_E_INTERNAL, "the grammar refuses token %d, which it allowed", token);
}

slm_status slm__constraint_extend(struct slm_session *session, uint32_t count, slm_error *error)
{
    for (uint32_t i = session->count - count; i < session->count; i++) {
        SLM_TRY(read_token(session, session->tokens[i], error));
    }
    return SLM_OK;
}

slm_status slm__constraint_return(struct slm_session *session, struct slm_constraint_answer answer, slm_error *error)
{
    struct slm_constraint *constraint = &session->constraint;
    slm__constraint_restart(session);
    if (slm__session_grammar(session) == NULL || answer.from > session->count) {
        return SLM_OK;
    }
    constraint->answer = answer;
    return slm__constraint_extend(session, session->count - answer.from, error);
}

slm_status slm__constraint_fork(struct slm_session *fork, const struct slm_session *session, slm_error *error)
{
    const struct slm_constraint *from = &session->constraint;
    fork->constraint.grammar = NULL;
    fork->constraint.answer = from->answer;
    fork->constraint.room = 0;
    if (slm__session_grammar(session) != NULL) {
        struct slm_token_matcher *matcher = &fork->constraint.matcher;
        SLM_TRY(begin_matcher(fork, matcher, from->grammar, from->matcher.vocabulary, error));
        SLM_TRY(slm__matcher_take(matcher, &from->matcher, error));
        fork->constraint.grammar = from->grammar;
        atomic_fetch_add(&from->grammar->users, 1);
    }
    return SLM_OK;
}

slm_status slm__constraint_logits(struct slm_session *session, const float **logits, slm_error *error)
{
    const uint32_t vocab = session->pool->model->transformer->vocab_size;
    float *allowed = session->pool->allowed_logits;
    const uint8_t *mask;
    *logits = session->logits;
    if (slm__session_grammar(session) == NULL) {
        return SLM_OK;
    }
    if (session->constraint.answer.ended) {
        slm__constraint_restart(session);
    }
    SLM_TRY(slm__matcher_mask(&session->constraint.matcher, &mask, error));
    const uint32_t known = session->constraint.matcher.vocabulary->token_count;
    for (uint32_t t = 0; t < vocab; t++) {
        allowed[t] = t < known && (mask[t / 8] >> (t % 8) & 1) != 0 ? session->logits[t] : -INFINITY;
    }
    *logits = allowed;
    return SLM_OK;
}

/* Tokens of the shortest completion, or more than `most`; *first is the first of them, -1: none is needed. */
static slm_status completion_tokens(struct slm_session *session, uint32_t most, uint32_t *count, int32_t *first, slm_error *error)
{
    struct slm_token_matcher *matcher = &session->constraint.matcher;
    uint8_t bytes[COMPLETION_BYTES];
    size_t length = 0;
    bool whole = false;
    *count = 0;
    *first = -1;
    SLM_TRY(slm__matcher_completion(matcher, bytes, sizeof bytes, &length, &whole, error));
    for (size_t at = 0; at < length && *count <= most; ++*count) {
        int32_t token = -1;
        size_t taken = slm__vocabulary_longest(matcher->vocabulary, slm__span(bytes + at, length - at), &token);
        while (taken > 0 && slm__matcher_is_end(matcher, token)) { /* a token that ends answers stands for no text */
            taken = slm__vocabulary_longest(matcher->vocabulary, slm__span(bytes + at, taken - 1), &token);
        }
        if (taken == 0) {
            return slm__fail(error, SLM_E_BAD_VALUE, "the vocabulary has no token for byte 0x%02x, which the grammar asks for", bytes[at]);
        }
        *first = *count == 0 ? token : *first;
        at += taken;
    }
    *count = whole ? *count : UINT32_MAX;
    return SLM_OK;
}

/* Whether the text can be completed from here with `left` tokens. */
static slm_status fits(struct slm_session *session, uint32_t left, bool *result, slm_error *error)
{
    int32_t first;
    const struct slm_token_matcher *matcher = &session->constraint.matcher;
    uint32_t needed = 0;
    *result = slm__match_cost(&matcher->states, matcher->current) <= left; /* every byte is a token at least */
    if (!*result) {
        SLM_TRY(completion_tokens(session, left, &needed, &first, error));
        *result = needed <= left;
    }
    return SLM_OK;
}

/* The next token of the shortest completion; where the text is complete, one that ends it. */
static slm_status take_shortest(struct slm_session *session, uint32_t left, int32_t *token, slm_error *error)
{
    const struct slm_token_matcher *matcher = &session->constraint.matcher;
    uint32_t needed = 0;
    SLM_TRY(completion_tokens(session, left, &needed, token, error));
    if (needed == 0 && matcher->end_count == 0) {
        return slm__fail(error, SLM_E_LIMIT, "the text is complete and may not go on, and the model has no token that ends it");
    }
    *token = needed == 0 ? matcher->ends[0] : *token;
    return read_token(session, *token, error);
}

uint32_t slm__constraint_left(const struct slm_session *session)
{
    const uint32_t left = session->context - session->count;
    return session->max_tokens != 0 && session->max_tokens - session->answered < left ? session->max_tokens - session->answered : left;
}

slm_status slm__constraint_accept(struct slm_session *session, int32_t *token, slm_error *error)
{
    bool enough = false;
    if (slm__session_grammar(session) == NULL) {
        return SLM_OK;
    }
    const uint32_t left = slm__constraint_left(session);
    enough = session->constraint.room != 0 && session->constraint.room <= left;
    if (!enough) {
        SLM_TRY(fits(session, left, &enough, error));
    }
    if (!enough) {
        return slm__fail(error, SLM_E_LIMIT, "the shortest text that completes the answer does not fit into the %u tokens that are left",
                         left);
    }
    SLM_TRY(read_token(session, *token, error));
    SLM_TRY(fits(session, left - 1, &enough, error));
    if (!enough) {
        SLM_TRY(slm__constraint_return(session, session->constraint.answer, error));
        return take_shortest(session, left, token, error);
    }
    session->constraint.room = left - 1;
    return SLM_OK;
}

bool slm__constraint_finished(const struct slm_session *session)
{
    return slm__session_grammar(session) != NULL && slm__matcher_finished(&session->constraint.matcher);
}
