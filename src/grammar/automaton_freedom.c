/* SPDX-License-Identifier: MIT */
/*
 * States of an automaton from which any characters of an alphabet may follow, without end: inside such a string no token of them has to be
 * tried. The largest set of states that every character leads back into, found by taking out what leads elsewhere until nothing changes.
 * The alphabets are those of the vocabulary's slices, and all plain characters.
 */
#include "grammar/grammar_compile.h"
#include "text/vocabulary_trie.h" /* enum slm_vocabulary_trie */

enum alphabet {
    LOWER = 1 << (SLM_STATE_FREE_SLICES + SLM_VOCABULARY_LOWER),
    LETTERS = 1 << (SLM_STATE_FREE_SLICES + SLM_VOCABULARY_LETTERS),
    WORD = 1 << (SLM_STATE_FREE_SLICES + SLM_VOCABULARY_WORD),
    SPACED = 1 << (SLM_STATE_FREE_SLICES + SLM_VOCABULARY_SPACED),
    FOREIGN = 1 << (SLM_STATE_FREE_SLICES + SLM_VOCABULARY_FOREIGN),
    PLAIN = SLM_STATE_FREE,
    SPACES = SPACED | FOREIGN | PLAIN,
    BEYOND = FOREIGN | PLAIN,
    ALL = LOWER | LETTERS | WORD | SPACES
};
_Static_assert((int)ALL <= UINT8_MAX, "flags of a state are a byte");

/* Ways through the bytes of a character: what may come, and where each byte leads. */
enum stage { DONE, ONE, ONE_2028, TWO, TWO_E0, TWO_E2, TWO_ED, THREE, THREE_F0, THREE_F4, START, STAGES };

struct byte_range {
    uint8_t stage;
    uint8_t first;
    uint8_t last;
    uint8_t next;      /* stage */
    uint8_t alphabets; /* in which such characters are */
};

/* ASCII first: most states fail there. U+2028 and U+2029 are E2 80 A8 and E2 80 A9. */
static const struct byte_range ranges[] = {
    {START, 'a', 'z', DONE, ALL},           {START, 'A', 'Z', DONE, ALL & ~LOWER}, {START, ' ', ' ', DONE, SPACES},
    {START, '0', '9', DONE, WORD | PLAIN},  {START, '_', '_', DONE, WORD | PLAIN}, {START, 0x21, 0x21, DONE, PLAIN},
    {START, 0x23, 0x2F, DONE, PLAIN},       {START, 0x3A, 0x40, DONE, PLAIN},      {START, 0x5B, 0x5B, DONE, PLAIN},
    {START, 0x5D, 0x5E, DONE, PLAIN},       {START, 0x60, 0x60, DONE, PLAIN},      {START, 0x7B, 0x7F, DONE, PLAIN},
    {START, 0xC2, 0xDF, ONE, BEYOND},       {START, 0xE0, 0xE0, TWO_E0, BEYOND},   {START, 0xE1, 0xE1, TWO, BEYOND},
    {START, 0xE2, 0xE2, TWO_E2, BEYOND},    {START, 0xE3, 0xEC, TWO, BEYOND},      {START, 0xED, 0xED, TWO_ED, BEYOND},
    {START, 0xEE, 0xEF, TWO, BEYOND},       {START, 0xF0, 0xF0, THREE_F0, BEYOND}, {START, 0xF1, 0xF3, THREE, BEYOND},
    {START, 0xF4, 0xF4, THREE_F4, BEYOND},  {ONE, 0x80, 0xBF, DONE, BEYOND},       {ONE_2028, 0x80, 0xA7, DONE, BEYOND},
    {ONE_2028, 0xAA, 0xBF, DONE, BEYOND},   {TWO, 0x80, 0xBF, ONE, BEYOND},        {TWO_E0, 0xA0, 0xBF, ONE, BEYOND},
    {TWO_E2, 0x80, 0x80, ONE_2028, BEYOND}, {TWO_E2, 0x81, 0xBF, ONE, BEYOND},     {TWO_ED, 0x80, 0x9F, ONE, BEYOND},
    {THREE, 0x80, 0xBF, TWO, BEYOND},       {THREE_F0, 0x90, 0xBF, TWO, BEYOND},   {THREE_F4, 0x80, 0x8F, TWO, BEYOND},
};
enum { RANGES = sizeof ranges / sizeof ranges[0] };

/* Whether every way from `state` through a character of the alphabet ends in a free state. Recursion: at most four deep. */
static bool leads_back(const struct slm_program_automaton *automaton, const uint8_t *flags, uint8_t alphabet, uint32_t state, uint8_t stage)
{
    if (stage == DONE) {
        return state != SLM_REGULAR_DEAD && (flags[state] & alphabet) != 0;
    }
    for (int i = 0; i < RANGES && state != SLM_REGULAR_DEAD; i++) {
        uint32_t last = UINT32_MAX;
        if (ranges[i].stage != stage || (ranges[i].alphabets & alphabet) == 0) {
            continue;
        }
        for (unsigned byte = ranges[i].first; byte <= ranges[i].last; byte++) {
            const uint32_t next = slm__automaton_next(automaton, state, (uint8_t)byte);
            if (next != last && !leads_back(automaton, flags, alphabet, next, ranges[i].next)) {
                return false;
            }
            last = next;
        }
    }
    return state != SLM_REGULAR_DEAD;
}

/* Flag the states that are free for the alphabet, among those that are for `part`, a smaller one. */
static void flag_states(const struct slm_program_automaton *automaton, uint8_t *flags, uint8_t part, uint8_t alphabet)
{
    for (uint32_t state = 1; state < automaton->state_count; state++) {
        flags[state] |= (flags[state] & part) == part ? alphabet : 0;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t state = automaton->state_count; state-- > 1;) { /* from the end: most ways lead forward */
            if ((flags[state] & alphabet) != 0 && !leads_back(automaton, flags, alphabet, state, START)) {
                flags[state] &= (uint8_t)~alphabet;
                changed = true;
            }
        }
    }
}

void slm__automaton_free_states(const struct slm_program_automaton *automaton, uint8_t *flags)
{
    flag_states(automaton, flags, 0, LOWER);
    flag_states(automaton, flags, LOWER, LETTERS);
    flag_states(automaton, flags, LETTERS, WORD);
    flag_states(automaton, flags, LETTERS, SPACED);
    flag_states(automaton, flags, SPACED, FOREIGN);
    flag_states(automaton, flags, WORD | FOREIGN, PLAIN);
}
