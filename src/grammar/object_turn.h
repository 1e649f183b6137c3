/* SPDX-License-Identifier: MIT */
/* Whose turn it is in an object: which members may come next, whether it may end, and what has to come until then. */
#ifndef SLM_GRAMMAR_OBJECT_TURN_H
#define SLM_GRAMMAR_OBJECT_TURN_H

#include "grammar/match_states.h" /* struct slm_match_states, slm__match_set_has */

/* What a frame of an object waits for. */
enum slm_object_phase {
    SLM_OBJECT_FIRST,    /* behind '{': a name or '}' */
    SLM_OBJECT_NEXT,     /* behind ',': a name */
    SLM_OBJECT_COLON,    /* behind a name */
    SLM_OBJECT_VALUE,    /* behind ':' */
    SLM_OBJECT_IN_VALUE, /* in the value */
    SLM_OBJECT_AFTER     /* behind it: ',' or '}' */
};

/* The parts of a frame's c: phase, whether a name of no member has come (in order, with a set), members and others so far. */
enum {
    SLM_OBJECT_PHASE_BITS = 3,
    SLM_OBJECT_OTHERS = 1 << SLM_OBJECT_PHASE_BITS,
    SLM_OBJECT_COUNT_SHIFT = SLM_OBJECT_PHASE_BITS + 1,
    SLM_OBJECT_COUNT_MAX = (1 << 28) - 1
};

static inline enum slm_object_phase slm__object_phase(const struct slm_frame *frame)
{
    return (enum slm_object_phase)(frame->c & (SLM_OBJECT_OTHERS - 1));
}

static inline uint32_t slm__object_count(const struct slm_frame *frame) { return frame->c >> SLM_OBJECT_COUNT_SHIFT; }

struct slm_object_turn {
    const struct slm_grammar *grammar;
    const struct slm_match_states *states; /* of the frame; NULL while the nodes are weighed */
    const struct slm_program_object *object;
    const struct slm_frame *frame;
    uint32_t room; /* frames that values may need */
};

struct slm_object_turn slm__turn_of(const struct slm_match_states *states, const struct slm_frame *frame);
bool slm__turn_may_take(const struct slm_object_turn *turn, uint32_t member);
bool slm__turn_may_take_pattern(const struct slm_object_turn *turn, uint32_t pattern);
bool slm__turn_may_take_any(const struct slm_object_turn *turn);
bool slm__turn_may_close(const struct slm_object_turn *turn);

/* ---- Costs ---- */

/* Bytes, or COST_NONE; frames needed for them. */
struct slm_weight {
    uint32_t cost;
    uint32_t depth;
};

static inline bool slm__weight_less(struct slm_weight a, struct slm_weight b)
{
    return a.cost != b.cost ? a.cost < b.cost : a.depth < b.depth;
}

/* Of the members that have to come after those so far, `member` too, or SLM_LIST_LOST; with `others`, a name of no member too: each with a
 * comma in front of it. Of several ways to have enough of them it is one that stays open until it is taken. */
struct slm_weight slm__turn_rest(const struct slm_object_turn *turn, uint32_t member, bool others);
/* Comma, name, colon and value. */
uint32_t slm__member_cost(const struct slm_grammar *grammar, const struct slm_member_record *member);
/* Fewest bytes to the end of a name that is none of `keys`: `position` in them and a state of text/json_chars.h. */
uint32_t slm__other_name_rest(const struct slm_string_list *keys, uint32_t position, uint32_t chars);

#endif
