/* SPDX-License-Identifier: MIT */
/*
 * The states of a match, made when they are first reached and kept in a cache of fixed size. A state is a set of configurations: a place in
 * a node and the stack of what has to follow. Stacks are linked frames; equal frames, sets of members and states are one, so that a state
 * is one small number: copying a match is copying a number.
 *
 * When the cache is full, slm__match_compact() keeps what the living states need and forgets the rest; nothing is lost but time.
 */
#ifndef SLM_GRAMMAR_MATCH_STATES_H
#define SLM_GRAMMAR_MATCH_STATES_H

#include "base/arena.h"              /* struct slm_carver */
#include "base/status.h"             /* slm_status, slm_error */
#include "grammar/grammar_program.h" /* struct slm_grammar */

typedef uint16_t slm_state;

enum { SLM_STATE_DEAD = 0, SLM_STATE_UNKNOWN = 0xFFFF, SLM_STATES_MAX = 0xFFFE };

struct slm_configuration {
    slm_node node;  /* EMPTY: the end */
    uint32_t frame; /* what follows; 0: nothing */
    uint32_t a;     /* strings, objects: enum slm_object_place and a state of text/json_chars.h */
    uint32_t b;     /* place in the node; with a bound on code points: struct slm_counted_place */
};

/* `b` of a place in a lifted automaton with a bounded number of code points. */
struct slm_counted_place {
    uint32_t state;
    uint32_t left; /* code points that may still come */
};

static inline struct slm_counted_place slm__counted_place(uint32_t b) { return (struct slm_counted_place){b & UINT16_MAX, b >> 16}; }

struct slm_frame {
    slm_node node; /* goes on when what is above it is complete */
    uint32_t parent;
    uint32_t a; /* sequence: child; repeat: turns; object: members seen */
    uint32_t b; /* object: value to come */
    uint32_t c; /* object: enum slm_object_phase and counts */
    uint32_t depth;
    uint32_t next; /* with the same hash */
};

struct slm_state_record {
    uint32_t first; /* of its configurations */
    uint32_t count;
    uint32_t next; /* with the same hash */
    uint32_t mask; /* of token_mask.c: slot, or 0 */
    struct slm_byte_set allowed;
    bool complete; /* may end here */
};

struct slm_match_sizes {
    uint32_t states;
    uint32_t configurations;
    uint32_t frames;
    uint32_t set_words;
    uint32_t work; /* steps open at once, configurations of one state */
};

struct slm_work_item {
    slm_node node; /* to enter; SLM_NODE_NEVER: the frame's node goes on */
    uint32_t frame;
};

struct slm_match_states {
    const struct slm_grammar *grammar;
    struct slm_match_sizes sizes;
    struct slm_state_record *states;
    slm_state *rows; /* [state][byte]: the next state, or UNKNOWN */
    uint32_t *state_heads;
    struct slm_configuration *configurations;
    struct slm_frame *frames;
    uint32_t *frame_heads;
    uint32_t *frame_moves; /* while compacting */
    uint32_t *sets;        /* members seen: {next, move, words of the object} */
    uint32_t *set_heads;
    struct slm_work_item *work;
    struct slm_configuration *found; /* of the state under construction */
    uint32_t heads;                  /* hash chains of each kind, a power of two */
    uint32_t state_count;
    uint32_t configuration_count;
    uint32_t frame_count;
    uint32_t set_count; /* words used */
    uint32_t work_count;
    uint32_t found_count;
    uint32_t steps; /* of the transition under construction */
    bool found_end;
    bool full;       /* a new state did not fit: compact and try again */
    bool over_limit; /* a state is larger than any that is possible */
    slm_state start;
};

/* Sizes for about `bytes` of memory; at least the smallest that works with this grammar. */
struct slm_match_sizes slm__match_sizes(const struct slm_grammar *grammar, uint64_t bytes);
void slm__match_carve(struct slm_carver *carver, const struct slm_match_sizes *sizes, struct slm_match_states *states);
/* After carving. Errors: SLM_E_LIMIT. */
slm_status slm__match_begin(struct slm_match_states *states, const struct slm_grammar *grammar, slm_error *error);
/* The state behind one more byte; DEAD: not allowed; UNKNOWN: `full` or `over_limit` tells why. */
slm_state slm__match_step(struct slm_match_states *states, slm_state state, uint8_t byte);
/* Keep only the living states, whose numbers change in place, and the start. false: they take nearly all of the cache. */
bool slm__match_compact(struct slm_match_states *states, slm_state *living, uint32_t count);
/* The state in which nothing but what `frame` asks for is to come; UNKNOWN as for steps. */
slm_state slm__match_behind(struct slm_match_states *states, uint32_t frame);
/* The same state of another match of the same grammar; UNKNOWN: it does not fit (`full`). */
slm_state slm__match_copy(struct slm_match_states *states, const struct slm_match_states *from, slm_state state);
/* Fewest bytes to the end, or what is more. */
uint32_t slm__match_cost(const struct slm_match_states *states, slm_state state);

static inline slm_state slm__match_next(struct slm_match_states *states, slm_state state, uint8_t byte)
{
    const slm_state next = states->rows[(size_t)state * 256 + byte];
    return next != SLM_STATE_UNKNOWN ? next : slm__match_step(states, state, byte);
}

/* ---- For the files that make states ---- */

/* Begin with no configuration; finish with the state of those that were found, and of what they enter. */
void slm__match_open(struct slm_match_states *states);
slm_state slm__match_intern(struct slm_match_states *states, bool complete);
uint32_t slm__match_hash(const uint32_t *words, uint32_t count);
/* Transitions by the allowed bytes of the state's record: none is known. */
void slm__match_new_row(struct slm_match_states *states, slm_state state);

uint32_t slm__match_frame(struct slm_match_states *states, const struct slm_frame *frame);
/* A set with one more member; `words` of the object. Set 0 is empty. UINT32_MAX: full. */
uint32_t slm__match_set_with(struct slm_match_states *states, uint32_t set, uint32_t words, uint32_t member);
bool slm__match_set_has(const struct slm_match_states *states, uint32_t set, uint32_t member);
void slm__match_found(struct slm_match_states *states, struct slm_configuration configuration);
void slm__match_enter(struct slm_match_states *states, slm_node node, uint32_t frame);
/* The frame's node goes on behind what was above it; 0: the end. */
void slm__match_return(struct slm_match_states *states, uint32_t frame);

#endif
