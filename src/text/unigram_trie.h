/* SPDX-License-Identifier: MIT */
/* Building the double array in which Unigram finds all tokens that begin at a place of a word. */
#ifndef SLM_TEXT_UNIGRAM_TRIE_H
#define SLM_TEXT_UNIGRAM_TRIE_H

#include "base/arena.h" /* struct slm_arena */

/* The child of node n for byte c is unit base(n) + c, if its parent is n. Unit 0 is the root. */
struct slm_trie_unit {
    uint32_t base;
    uint32_t parent; /* NONE: the unit is free */
    uint32_t id;     /* of the token that ends here, or NONE */
};

struct slm_unigram_trie {
    struct slm_trie_unit *units;
    uint32_t count;
    uint32_t capacity;
    struct slm_memory memory;
};

/* texts: [count] by id; empty ones are left out. Scratch lies in `arena`, the units do not: free them with slm__unigram_trie_free(), but
 * not after a failure. Errors: SLM_E_NO_MEMORY, SLM_E_LIMIT. */
slm_status slm__unigram_trie_build(const struct slm_span *texts, uint32_t count, struct slm_arena *arena, struct slm_unigram_trie *trie,
                                   slm_error *error);
void slm__unigram_trie_free(struct slm_unigram_trie *trie);

#endif
