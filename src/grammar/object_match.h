/* SPDX-License-Identifier: MIT */
/* Objects, matched: which members may come, names in JSON's spelling, white space, the end. */
#ifndef SLM_GRAMMAR_OBJECT_MATCH_H
#define SLM_GRAMMAR_OBJECT_MATCH_H

#include "grammar/match_states.h" /* struct slm_match_states, configurations, frames */

/* Where a configuration of an object stands. */
enum slm_object_place {
    SLM_OBJECT_AT_OPEN,    /* '{'; the frame is that around the object */
    SLM_OBJECT_AT_SIGN,    /* by the frame's phase */
    SLM_OBJECT_IN_MEMBER,  /* b: position in the keys */
    SLM_OBJECT_IN_PATTERN, /* b: state of its automaton */
    SLM_OBJECT_IN_ANY      /* b: position in the keys, or SLM_LIST_LOST */
};

/* The parts of its a: the place, and in names a state of text/json_chars.h. */
enum { SLM_OBJECT_PLACE_BITS = 4 };

static inline enum slm_object_place slm__object_place(const struct slm_configuration *place)
{
    return (enum slm_object_place)(place->a & ((1 << SLM_OBJECT_PLACE_BITS) - 1));
}

static inline uint32_t slm__object_chars(const struct slm_configuration *place) { return place->a >> SLM_OBJECT_PLACE_BITS; }

/* A frame of an object goes on. */
void slm__object_return(struct slm_match_states *states, uint32_t frame);
void slm__object_step(struct slm_match_states *states, const struct slm_configuration *place, uint8_t byte);
void slm__object_first(const struct slm_match_states *states, const struct slm_configuration *place, struct slm_byte_set *set);
/* Bytes from a frame's phase to behind the closing brace; object_cost.c. */
uint32_t slm__object_rest(const struct slm_match_states *states, const struct slm_frame *frame);
/* From a configuration's place, what its own frame asks for included. */
uint32_t slm__object_cost(const struct slm_match_states *states, const struct slm_configuration *place);

#endif
