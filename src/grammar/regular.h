/* SPDX-License-Identifier: MIT */
/*
 * Regular languages of texts as explicit automata over bytes: patterns, formats and ranges of numbers become one of these, and sets of
 * texts are united, intersected, subtracted and compared exactly. Every automaton is minimal, its states are numbered in the order of
 * the smallest text that reaches them, and all of its words are valid UTF-8: equal languages have equal tables.
 */
#ifndef SLM_GRAMMAR_REGULAR_H
#define SLM_GRAMMAR_REGULAR_H

#include "base/arena.h"  /* struct slm_arena */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

enum { SLM_REGULAR_DEAD = 0 }; /* the state from which nothing is accepted; every other state leads to an accepting one */

struct slm_regular {
    uint32_t state_count; /* with the dead one, so at least 1 */
    uint32_t class_count; /* of bytes; 1 to 256 */
    uint32_t start;
    uint8_t byte_class[256];
    const uint32_t *next;     /* [state][class] */
    const uint8_t *accepting; /* [state], 0 or 1 */
};

/* Where results live, and how far construction may go: every function below fails with SLM_E_LIMIT beyond state_limit, SLM_E_LIMIT or
 * SLM_E_NO_MEMORY by the arena. Working memory beside the results comes from the arena's allocator, at most its limit, and is given
 * back. Arguments may live in any arena. */
struct slm_regular_space {
    struct slm_arena *arena;
    uint32_t state_limit;
};

enum { SLM_REGULAR_STATE_LIMIT = 60000 }; /* a usual state_limit */

/* Nothing; all valid UTF-8 (no surrogates); exactly one text (of valid UTF-8: SLM_E_ENCODING otherwise). */
slm_status slm__regular_never(const struct slm_regular_space *space, struct slm_regular *result, slm_error *error);
slm_status slm__regular_any(const struct slm_regular_space *space, struct slm_regular *result, slm_error *error);
slm_status slm__regular_text(const struct slm_regular_space *space, struct slm_span text, struct slm_regular *result, slm_error *error);

/* One of several texts. */
slm_status slm__regular_texts(const struct slm_regular_space *space, const struct slm_span *texts, uint32_t count,
                              struct slm_regular *result, slm_error *error);

enum slm_regular_combination { SLM_REGULAR_UNION, SLM_REGULAR_INTERSECTION, SLM_REGULAR_DIFFERENCE };

slm_status slm__regular_combine(const struct slm_regular_space *space, enum slm_regular_combination how, const struct slm_regular *a,
                                const struct slm_regular *b, struct slm_regular *result, slm_error *error);
/* All valid UTF-8 that is not in `a`. */
slm_status slm__regular_complement(const struct slm_regular_space *space, const struct slm_regular *a, struct slm_regular *result,
                                   slm_error *error);
/* A word of `a`, then one of `b`. */
slm_status slm__regular_concatenate(const struct slm_regular_space *space, const struct slm_regular *a, const struct slm_regular *b,
                                    struct slm_regular *result, slm_error *error);
/* The words of `a` that have `min` to `max` code points; max UINT32_MAX: no end. */
slm_status slm__regular_with_length(const struct slm_regular_space *space, const struct slm_regular *a, uint32_t min, uint32_t max,
                                    struct slm_regular *result, slm_error *error);

static inline bool slm__regular_is_empty(const struct slm_regular *a) { return a->start == SLM_REGULAR_DEAD; }

bool slm__regular_accepts(const struct slm_regular *a, struct slm_span text);
/* The same language? (Tables of minimal automata are compared.) */
bool slm__regular_equal(const struct slm_regular *a, const struct slm_regular *b);

/* The shortest word (the smallest of them by bytes), in the arena. `a` must not be empty: SLM_E_ARGUMENT. */
slm_status slm__regular_shortest(const struct slm_regular_space *space, const struct slm_regular *a, struct slm_span *word,
                                 slm_error *error);
/* Code points of the shortest and of the longest word; UINT32_MAX: no end. Of the empty language 1 and 0. */
slm_status slm__regular_lengths(const struct slm_regular_space *space, const struct slm_regular *a, uint32_t *min, uint32_t *max,
                                slm_error *error);

#endif
