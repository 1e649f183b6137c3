/* SPDX-License-Identifier: MIT */
/*
 * States of an automaton from which any characters of an alphabet may follow, as many as a token has, or without end: inside such a string
 * no token of them has to be tried. The alphabets are those of the vocabulary's slices, and all plain characters.
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
    BEYOND = FOREIGN | PLAIN,
    ALL = LOWER | LETTERS | WORD | FOREIGN | PLAIN
};
_Static_assert(((int)ALL | (int)SPACED) <= UINT8_MAX, "flags of a state are a byte");

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
    {START, 'a', 'z', DONE, ALL},           {START, 'A', 'Z', DONE, ALL & ~LOWER}, {START, ' ', ' ', DONE, BEYOND},
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

/* More than the characters of any token of a slice. */
enum { ENOUGH = SLM_VOCABULARY_LEVELS };

/* The least level of the states behind one character of the alphabet, whichever it is. Recursion: at most four deep. */
static uint32_t level_behind(const struct slm_program_automaton *automaton, const uint32_t *levels, uint8_t alphabet, uint32_t state,
                             uint8_t stage)
{
    uint32_t least = stage == DONE ? levels[state] : ENOUGH;
    for (int i = 0; i < RANGES && stage != DONE && least > 0; i++) {
        uint32_t last = UINT32_MAX;
        if (ranges[i].stage != stage || (ranges[i].alphabets & alphabet) == 0) {
            continue;
        }
        for (unsigned byte = ranges[i].first; byte <= ranges[i].last && least > 0; byte++) {
            const uint32_t next = slm__automaton_next(automaton, state, (uint8_t)byte);
            if (next != last) {
                const uint32_t level = next == SLM_REGULAR_DEAD ? 0 : level_behind(automaton, levels, alphabet, next, ranges[i].next);
                least = level < least ? level : least;
            }
            last = next;
        }
    }
    return least;
}

/*
 * Flag the states behind which any ENOUGH - 1 characters of the alphabet may follow, or, `endless`, any number of them. A state's level is
 * the number of such characters and one more, at most ENOUGH; the levels sink from there until they hold. Only where some state is free for
 * `part`, which is in the alphabet.
 */
static void flag_states(const struct slm_program_automaton *automaton, uint8_t *flags, uint32_t *levels, uint8_t part, uint8_t alphabet,
                        bool endless)
{
    bool changed = part == 0;
    levels[SLM_REGULAR_DEAD] = 0;
    for (uint32_t state = 1; state < automaton->state_count; state++) {
        levels[state] = ENOUGH;
        changed = changed || (flags[state] & part) != 0;
    }
    if (!changed) {
        return;
    }
    while (changed) {
        changed = false;
        for (uint32_t state = automaton->state_count; state-- > 1;) { /* from the end: most ways lead forward */
            const uint32_t behind = levels[state] > 0 ? level_behind(automaton, levels, alphabet, state, START) + !endless : 0;
            if (behind < levels[state]) {
                levels[state] = behind;
                changed = true;
            }
        }
    }
    for (uint32_t state = 1; state < automaton->state_count; state++) {
        flags[state] |= levels[state] == ENOUGH ? alphabet : 0;
    }
}

void slm__automaton_free_states(const struct slm_program_automaton *automaton, uint8_t *flags, uint32_t *levels)
{
    flag_states(automaton, flags, levels, 0, LOWER, false);
    flag_states(automaton, flags, levels, LOWER, LETTERS, false);
    flag_states(automaton, flags, levels, LETTERS, WORD, false);
    flag_states(automaton, flags, levels, LETTERS, FOREIGN, false);
    flag_states(automaton, flags, levels, FOREIGN, PLAIN, true);
    for (uint32_t state = 1; state < automaton->state_count; state++) {
        const uint32_t next = slm__automaton_next(automaton, state, ' ');
        flags[state] |= next != SLM_REGULAR_DEAD && (flags[next] & LETTERS) != 0 ? SPACED : 0;
    }
}
