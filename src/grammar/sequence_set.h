/* SPDX-License-Identifier: MIT */
/* Numbering of sequences of integers: equal ones get the same number. States of every construction of automata are found this way. */
#ifndef SLM_GRAMMAR_SEQUENCE_SET_H
#define SLM_GRAMMAR_SEQUENCE_SET_H

#include "base/arena.h" /* struct slm_arena */

struct slm_sequence_set {
    struct slm_arena *arena;
    uint32_t count;
    uint32_t limit;    /* of count */
    uint32_t capacity; /* of starts */
    uint32_t *starts;  /* [count + 1] of each sequence in words */
    uint32_t *hashes;  /* [count] */
    uint32_t *words;
    uint64_t word_capacity;
    uint32_t *slots; /* number + 1, 0: free */
    uint32_t slot_mask;
};

/* Takes no memory yet. */
void slm__sequence_init(struct slm_sequence_set *set, struct slm_arena *arena, uint32_t limit);
/* Number of the sequence; UINT32_MAX when there is no memory (slm__sequence_failure). Numbers go 0, 1, 2 ... in the order of adding. */
uint32_t slm__sequence_add(struct slm_sequence_set *set, const uint32_t *words, uint32_t count);
/* The sequence with a number, valid until the next addition. */
static inline const uint32_t *slm__sequence_get(const struct slm_sequence_set *set, uint32_t number, uint32_t *count)
{
    *count = set->starts[number + 1] - set->starts[number];
    return set->words + set->starts[number];
}
/* The sentence of the failure; `what` names the members: "states". */
slm_status slm__sequence_failure(const struct slm_sequence_set *set, const char *what, slm_error *error);

/* At least `needed` elements of `size` bytes behind *items, of which *capacity are there now; grows by doubling. false: no memory. */
bool slm__arena_grow(struct slm_arena *arena, void *items, uint32_t *capacity, uint64_t needed, size_t size);
/* Ascending. */
void slm__sort_u64(uint64_t *values, uint32_t count);

#endif
