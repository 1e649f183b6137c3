/* SPDX-License-Identifier: MIT */
/*
 * States of an automaton from which any plain characters may follow, without end: inside such a string no token has to be tried. The
 * largest set of states that every plain character leads back into, found by taking out what leads elsewhere until nothing changes.
 */
#include "grammar/grammar_compile.h"

/* Ways through the bytes of a character: what may come, and where each byte leads. */
enum stage { DONE, ONE, ONE_2028, TWO, TWO_E0, TWO_E2, TWO_ED, THREE, THREE_F0, THREE_F4, START, STAGES };

struct byte_range {
    uint8_t stage;
    uint8_t first;
    uint8_t last;
    uint8_t next; /* stage */
};

/* ASCII first: most states fail there. U+2028 and U+2029 are E2 80 A8 and E2 80 A9. */
static const struct byte_range ranges[] = {
    {START, 0x20, 0x21, DONE},     {START, 0x23, 0x5B, DONE}, {START, 0x5D, 0x7F, DONE},      {START, 0xC2, 0xDF, ONE},
    {START, 0xE0, 0xE0, TWO_E0},   {START, 0xE1, 0xE1, TWO},  {START, 0xE2, 0xE2, TWO_E2},    {START, 0xE3, 0xEC, TWO},
    {START, 0xED, 0xED, TWO_ED},   {START, 0xEE, 0xEF, TWO},  {START, 0xF0, 0xF0, THREE_F0},  {START, 0xF1, 0xF3, THREE},
    {START, 0xF4, 0xF4, THREE_F4}, {ONE, 0x80, 0xBF, DONE},   {ONE_2028, 0x80, 0xA7, DONE},   {ONE_2028, 0xAA, 0xBF, DONE},
    {TWO, 0x80, 0xBF, ONE},        {TWO_E0, 0xA0, 0xBF, ONE}, {TWO_E2, 0x80, 0x80, ONE_2028}, {TWO_E2, 0x81, 0xBF, ONE},
    {TWO_ED, 0x80, 0x9F, ONE},     {THREE, 0x80, 0xBF, TWO},  {THREE_F0, 0x90, 0xBF, TWO},    {THREE_F4, 0x80, 0x8F, TWO},
};
enum { RANGES = sizeof ranges / sizeof ranges[0] };

/* Whether every way from `state` through a character ends in a free state. Recursion: at most four deep. */
static bool leads_back(const struct slm_program_automaton *automaton, const uint8_t *flags, uint32_t state, uint8_t stage)
{
    if (stage == DONE) {
        return state != SLM_REGULAR_DEAD && (flags[state] & SLM_STATE_FREE) != 0;
    }
    for (int i = 0; i < RANGES && state != SLM_REGULAR_DEAD; i++) {
        uint32_t last = UINT32_MAX;
        for (unsigned byte = ranges[i].first; ranges[i].stage == stage && byte <= ranges[i].last; byte++) {
            const uint32_t next = slm__automaton_next(automaton, state, (uint8_t)byte);
            if (next != last && !leads_back(automaton, flags, next, ranges[i].next)) {
                return false;
            }
            last = next;
        }
    }
    return state != SLM_REGULAR_DEAD;
}

void slm__automaton_free_states(const struct slm_program_automaton *automaton, uint8_t *flags)
{
    for (uint32_t state = 1; state < automaton->state_count; state++) {
        flags[state] |= SLM_STATE_FREE;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t state = automaton->state_count; state-- > 1;) { /* from the end: most ways lead forward */
            if ((flags[state] & SLM_STATE_FREE) != 0 && !leads_back(automaton, flags, state, START)) {
                flags[state] &= (uint8_t)~SLM_STATE_FREE;
                changed = true;
            }
        }
    }
}
