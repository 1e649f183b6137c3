/* SPDX-License-Identifier: MIT */
/* Sets of code points as sorted ranges, without surrogates: what a character class of a pattern stands for. */
#ifndef SLM_GRAMMAR_CODE_SET_H
#define SLM_GRAMMAR_CODE_SET_H

#include "base/arena.h" /* struct slm_arena */

enum { SLM_CODE_LAST = 0x10FFFF, SLM_SURROGATE_FIRST = 0xD800, SLM_SURROGATE_LAST = 0xDFFF };

struct slm_code_range {
    uint32_t first;
    uint32_t last;
};

/* Ascending, at least one code point between two ranges. */
struct slm_code_set {
    const struct slm_code_range *ranges;
    uint32_t count;
};

/* Collects ranges in any order; a failed allocation is remembered. */
struct slm_code_collector {
    struct slm_arena *arena;
    uint64_t *ranges; /* first << 32 | last */
    uint32_t count;
    uint32_t capacity;
    bool failed;
};

void slm__codes_init(struct slm_code_collector *codes, struct slm_arena *arena);
void slm__codes_add(struct slm_code_collector *codes, uint32_t first, uint32_t last);
void slm__codes_add_set(struct slm_code_collector *codes, struct slm_code_set set);
/* The set, or all other code points, in the arena; false: no memory. The collector is empty afterwards. */
bool slm__codes_finish(struct slm_code_collector *codes, bool complement, struct slm_code_set *set);

/* The ranges that ECMA-262 gives to \d, \w, \s. */
struct slm_code_set slm__codes_digits(void);
struct slm_code_set slm__codes_word(void);
struct slm_code_set slm__codes_space(void);
/* The line ends that the dot does not match. */
struct slm_code_set slm__codes_line_ends(void);

#endif
