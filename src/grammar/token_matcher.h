/* SPDX-License-Identifier: MIT */
/*
 * A grammar matched token by token: which tokens may come next, as a mask over the vocabulary. All memory is one planned block: states of
 * the match, and masks of states that were asked before.
 */
#ifndef SLM_GRAMMAR_TOKEN_MATCHER_H
#define SLM_GRAMMAR_TOKEN_MATCHER_H

#include "grammar/match_states.h" /* struct slm_match_states */
#include "text/vocabulary_trie.h" /* struct slm_vocabulary */

enum { SLM_MATCHER_ENDS_MAX = 64 };

struct slm_mask_slot {
    slm_state state; /* DEAD: free */
    bool used;       /* since the clock's hand passed */
};

struct slm_token_matcher {
    const struct slm_grammar *grammar;
    const struct slm_vocabulary *vocabulary;
    struct slm_match_states states;
    slm_state current;
    slm_state *path; /* [longest token + 4]: states of a walk */
    uint8_t *masks;  /* [slot][mask_bytes] */
    struct slm_mask_slot *slots;
    uint32_t slot_count;
    uint32_t hand;
    uint32_t end_count;
    int32_t ends[SLM_MATCHER_ENDS_MAX]; /* tokens that end the text: allowed where the match is complete */
};

/* Whether a token ends the text. */
static inline bool slm__matcher_is_end(const struct slm_token_matcher *matcher, int32_t token)
{
    uint32_t i = 0;
    while (i < matcher->end_count && matcher->ends[i] != token) {
        i++;
    }
    return i < matcher->end_count;
}
/* Bytes for a cache of about `cache_bytes` (0: a usual size). Pure arithmetic. */
uint64_t slm__matcher_bytes(const struct slm_grammar *grammar, const struct slm_vocabulary *vocabulary, uint64_t cache_bytes);
/* Lay out `block` (64-aligned, slm__matcher_bytes() long) and begin at the start of the grammar. `ends` beyond ENDS_MAX are left out. */
slm_status slm__matcher_begin(struct slm_token_matcher *matcher, const struct slm_grammar *grammar, const struct slm_vocabulary *vocabulary,
                              const int32_t *ends, uint32_t end_count, void *block, uint64_t cache_bytes, slm_error *error);
/* Back to the start of the grammar; what is cached stays. */
static inline void slm__matcher_restart(struct slm_token_matcher *matcher) { matcher->current = matcher->states.start; }
/* The state of another matcher of the same grammar. SLM_E_LIMIT when it does not fit; then nothing has changed. */
slm_status slm__matcher_take(struct slm_token_matcher *matcher, const struct slm_token_matcher *from, slm_error *error);
/* Read bytes. *taken is how many of them the grammar takes; the match moves on only when it takes all. SLM_E_LIMIT. */
slm_status slm__matcher_read(struct slm_token_matcher *matcher, struct slm_span bytes, size_t *taken, slm_error *error);
/* Bit t % 8 of byte t / 8: token t may come next. Valid until the next call. SLM_E_LIMIT, or SLM_E_BAD_VALUE when the vocabulary has no
 * token for what has to come. */
slm_status slm__matcher_mask(struct slm_token_matcher *matcher, const uint8_t **mask, slm_error *error);
static inline bool slm__matcher_complete(const struct slm_token_matcher *matcher)
{
    return matcher->states.states[matcher->current].complete;
}
/* Complete, and nothing may follow. */
static inline bool slm__matcher_finished(const struct slm_token_matcher *matcher)
{
    return slm__matcher_complete(matcher) && slm__byte_set_is_empty(&matcher->states.states[matcher->current].allowed);
}
/* The bytes that have to come next, because nothing else can; at most `capacity`. */
slm_status slm__matcher_forced(struct slm_token_matcher *matcher, uint8_t *bytes, size_t capacity, size_t *count, slm_error *error);
/* The bytes of a shortest completion, at most `capacity`; *whole: these are all. */
slm_status slm__matcher_completion(struct slm_token_matcher *matcher, uint8_t *bytes, size_t capacity, size_t *count, bool *whole,
                                   slm_error *error);

#endif
