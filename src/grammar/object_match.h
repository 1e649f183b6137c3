/* SPDX-License-Identifier: MIT */
/* Objects, matched: which members may come, names in JSON's spelling, white space, the end. */
#ifndef SLM_GRAMMAR_OBJECT_MATCH_H
#define SLM_GRAMMAR_OBJECT_MATCH_H

#include "grammar/match_states.h" /* struct slm_match_states, configurations, frames */

/* What a frame of an object waits for. */
enum slm_object_phase {
    SLM_OBJECT_FIRST,    /* behind '{': a name or '}' */
    SLM_OBJECT_NEXT,     /* behind ',': a name */
    SLM_OBJECT_COLON,    /* behind a name */
    SLM_OBJECT_VALUE,    /* behind ':' */
    SLM_OBJECT_IN_VALUE, /* in the value */
    SLM_OBJECT_AFTER     /* behind it: ',' or '}' */
};

/* Where a configuration of an object stands. */
enum slm_object_place {
    SLM_OBJECT_AT_OPEN,    /* '{'; the frame is that around the object */
    SLM_OBJECT_AT_SIGN,    /* by the frame's phase */
    SLM_OBJECT_IN_MEMBER,  /* b: position in the keys */
    SLM_OBJECT_IN_PATTERN, /* b: state of its automaton */
    SLM_OBJECT_IN_ANY      /* b: position in the keys, or SLM_LIST_LOST */
};

/* A frame of an object goes on. */
void slm__object_return(struct slm_match_states *states, uint32_t frame);
void slm__object_step(struct slm_match_states *states, const struct slm_configuration *place, uint8_t byte);
void slm__object_first(const struct slm_match_states *states, const struct slm_configuration *place, struct slm_byte_set *set);
/* Fewest bytes from a frame's phase to behind the closing brace. */
uint32_t slm__object_rest(const struct slm_match_states *states, const struct slm_frame *frame);

#endif
