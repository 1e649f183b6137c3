/* SPDX-License-Identifier: MIT */
/* Tables over the texts of numbers without sign: their syntax, those below, at or above a decimal, the multiples of one. */
#ifndef SLM_GRAMMAR_NUMBER_AUTOMATA_H
#define SLM_GRAMMAR_NUMBER_AUTOMATA_H

#include "grammar/state_table.h" /* struct slm_state_table */

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

enum slm_relation { SLM_LESS = 1, SLM_EQUAL = 2, SLM_GREATER = 4 };

/* The tables below are over these classes of bytes, and neither minimal nor without dead ends. */
enum slm_number_class {
    SLM_NUMBER_POINT = 10,
    SLM_NUMBER_EXPONENT,
    SLM_NUMBER_PLUS,
    SLM_NUMBER_MINUS,
    SLM_NUMBER_OTHER,
    SLM_NUMBER_CLASSES
};
void slm__number_classes(uint8_t byte_class[256]);

/* Texts of JSON numbers without sign, their exponents in the range of doubles: all; with zeros only behind the point and no negative
 * exponent; digits only. */
enum slm_number_syntax { SLM_NUMBER_ANY, SLM_NUMBER_INTEGER, SLM_NUMBER_PLAIN_INTEGER };
slm_status slm__number_syntax(struct slm_arena *arena, enum slm_number_syntax syntax, struct slm_state_table *table, slm_error *error);

/* Texts whose relation to the magnitude of `value` is one of `wanted`: those without exponent in `plain`; in `scientific` those with one
 * that have one digit other than 0 before the point, or are zero. For a `value` of zero every notation is in `plain`, and `scientific`
 * holds nothing. */
slm_status slm__number_compared(struct slm_arena *arena, const struct slm_decimal *value, unsigned wanted, struct slm_state_table *plain,
                                struct slm_state_table *scientific, slm_error *error);
/* Texts without exponent of the multiples of the magnitude of `step`, which is not zero. SLM_E_UNSUPPORTED: more states than the limit. */
slm_status slm__number_multiples(struct slm_arena *arena, const struct slm_decimal *step, uint32_t state_limit,
                                 struct slm_state_table *table, slm_error *error);
/* Is every integer a multiple of `step`? */
bool slm__decimal_divides_one(const struct slm_decimal *step);

#endif
