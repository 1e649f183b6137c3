/* SPDX-License-Identifier: MIT */
/* Transition tables under construction: classes of what is read are numbers, state 0 is dead; minimizing and finishing them. */
#ifndef SLM_GRAMMAR_STATE_TABLE_H
#define SLM_GRAMMAR_STATE_TABLE_H

#include "grammar/regular.h" /* struct slm_regular, struct slm_regular_space */

struct slm_state_table {
    struct slm_arena *arena; /* scratch: everything below lives here */
    uint32_t state_count;    /* with the dead state 0 */
    uint32_t class_count;
    uint32_t start;
    uint32_t capacity; /* of states */
    uint32_t *next;    /* [state][class] */
    uint8_t *accepting;
};

/* One state (the dead one). false: no memory. */
bool slm__table_init(struct slm_state_table *table, struct slm_arena *arena, uint32_t class_count);
/* Room for states up to `state`, whose transitions are dead until set. false: no memory. */
bool slm__table_reach(struct slm_state_table *table, uint32_t state);

/* Merge equal states, drop what is not reached from the start or leads nowhere. */
slm_status slm__table_minimize(struct slm_state_table *table, slm_error *error);

/* The finished automaton of a minimal table whose classes are those of bytes: classes merged and numbered by their first byte, states
 * numbered in breadth-first order. */
slm_status slm__table_write(const struct slm_state_table *table, const uint8_t byte_class[256], const struct slm_regular_space *space,
                            struct slm_regular *result, slm_error *error);
/* Both. */
slm_status slm__table_finish(struct slm_state_table *table, const uint8_t byte_class[256], const struct slm_regular_space *space,
                             struct slm_regular *result, slm_error *error);

#endif
