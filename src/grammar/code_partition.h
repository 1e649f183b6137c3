/* SPDX-License-Identifier: MIT */
/*
 * Sets of code points divide all code points into classes, and automata are built over these few classes. At the end a class becomes
 * what it is in UTF-8, by a tree of the bytes behind each lead byte.
 */
#ifndef SLM_GRAMMAR_CODE_PARTITION_H
#define SLM_GRAMMAR_CODE_PARTITION_H

#include "grammar/code_set.h"    /* struct slm_code_set */
#include "grammar/state_table.h" /* struct slm_state_table */

struct slm_code_partition {
    uint32_t class_count;
    uint32_t range_count; /* range i: firsts[i] up to firsts[i + 1]; firsts[range_count] is behind the last code point */
    uint32_t *firsts;
    uint32_t *classes; /* of each range */
    uint32_t set_count;
    const uint8_t *members; /* [set][class]: 1 if the class lies in the set */
};

enum { SLM_PARTITION_SETS = 2048 }; /* more different sets are SLM_E_LIMIT */

/* In the arena. */
slm_status slm__partition_build(struct slm_arena *arena, const struct slm_code_set *sets, uint32_t count,
                                struct slm_code_partition *partition, slm_error *error);

/* The automaton over bytes of a minimal table over the classes of a partition. */
slm_status slm__partition_to_bytes(const struct slm_regular_space *space, const struct slm_code_partition *partition,
                                   const struct slm_state_table *table, struct slm_regular *result, slm_error *error);

/* The texts of one character of a set, as an automaton in the space's arena. */
slm_status slm__code_language(const struct slm_regular_space *space, struct slm_code_set set, struct slm_regular *result, slm_error *error);

#endif
