/* SPDX-License-Identifier: MIT */
/* Automata over the texts of numbers without sign: those below, at or above a decimal, and the multiples of one. */
#ifndef SLM_GRAMMAR_NUMBER_AUTOMATA_H
#define SLM_GRAMMAR_NUMBER_AUTOMATA_H

#include "grammar/regular.h" /* struct slm_regular, struct slm_regular_space */

/* sign x 0.d1d2d3... x 10^point, without zeros at either end; zero has no digits, point 0 and no sign. */
struct slm_decimal {
    const uint8_t *digits; /* 0 to 9 */
    uint32_t count;
    int32_t point;
    bool negative;
};

enum { SLM_DECIMAL_DIGITS = 4096 }; /* digits of a number written without exponent, on either side of the point */

/* Of the text of a JSON number; digits are copied into the arena. Errors: SLM_E_BAD_VALUE (no number), SLM_E_LIMIT. */
slm_status slm__decimal_read(struct slm_arena *arena, struct slm_span text, struct slm_decimal *value, slm_error *error);
/* -1, 0, 1 of the magnitudes. */
int slm__decimal_compare(const struct slm_decimal *a, const struct slm_decimal *b);

enum slm_relation { SLM_LESS = 1, SLM_EQUAL = 2, SLM_GREATER = 4 };

/* Texts of numbers whose relation to the magnitude of `value` is one of `wanted`: "12", "12.5", with an exponent "1.25e1" (one digit other
 * than 0 before the point) and any zero; for a `value` of zero in every notation. */
slm_status slm__numbers_compared(const struct slm_regular_space *space, const struct slm_decimal *value, unsigned wanted,
                                 struct slm_regular *result, slm_error *error);
/* Texts without exponent of the multiples of the magnitude of `step`, which is not zero. SLM_E_UNSUPPORTED: too many residues. */
slm_status slm__number_multiples(const struct slm_regular_space *space, const struct slm_decimal *step, struct slm_regular *result,
                                 slm_error *error);
/* Is every integer a multiple of `step`? */
bool slm__decimal_divides_one(const struct slm_decimal *step);

#endif
