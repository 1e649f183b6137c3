/* SPDX-License-Identifier: MIT */
/* JSON numbers between bounds and on a grid, as regular languages of their texts. */
#ifndef SLM_GRAMMAR_NUMBER_RANGES_H
#define SLM_GRAMMAR_NUMBER_RANGES_H

#include "grammar/regular.h" /* struct slm_regular, struct slm_regular_space */

/* Bounds and steps are texts of JSON numbers, exact in any size; an empty span: none. */
struct slm_number_range {
    bool integer;            /* only integers (of any notation that is taken) */
    bool plain_only;         /* integers as digits only: no "1.0", no "1e3" */
    struct slm_span minimum; /* value >= minimum */
    struct slm_span maximum;
    struct slm_span exclusive_minimum; /* value > exclusive_minimum */
    struct slm_span exclusive_maximum;
    const struct slm_span *multiples; /* multipleOf, each > 0 */
    uint32_t multiple_count;
};

/* The language of the JSON texts of these numbers. Notations with an exponent that the bounds or steps make undecidable are left out,
 * never wrong ones let in. Errors: SLM_E_BAD_VALUE (no number, multipleOf <= 0), SLM_E_UNSUPPORTED (a multipleOf that no automaton
 * within the limit decides), SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__number_language(const struct slm_regular_space *space, const struct slm_number_range *range, struct slm_regular *result,
                                slm_error *error);

#endif
