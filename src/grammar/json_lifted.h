/* SPDX-License-Identifier: MIT */
/*
 * Reading the inside of a JSON string while an automaton reads the decoded text. A place is a state of the automaton and one of
 * text/json_chars.h; raw characters go to the automaton byte by byte, escaped ones when they are complete. No place is entered from
 * which no word can be reached.
 */
#ifndef SLM_GRAMMAR_JSON_LIFTED_H
#define SLM_GRAMMAR_JSON_LIFTED_H

#include "grammar/match_states.h" /* struct slm_grammar, struct slm_configuration */

struct slm_lifted {
    uint32_t state;        /* of the automaton */
    uint32_t chars;        /* 0 but inside an escape */
    uint32_t left;         /* code points that may still come, if least is given */
    const uint32_t *least; /* of each state: code points to the nearest accepting one; NULL: words of any length */
};

/* The place of a configuration in a node. */
static inline struct slm_lifted slm__lifted_place(const struct slm_grammar *grammar, const struct slm_configuration *place)
{
    const struct slm_node_record *record = &grammar->nodes[place->node];
    if (record->c == SLM_REPEAT_NO_END) {
        return (struct slm_lifted){place->b, place->a, 0, NULL};
    }
    const struct slm_counted_place at = slm__counted_place(place->b);
    return (struct slm_lifted){at.state, place->a, at.left, grammar->automata[record->a].least};
}

/* false: refused, the place is unchanged. The closing quote is not read here. */
bool slm__lifted_step(const struct slm_program_automaton *automaton, struct slm_lifted *place, uint8_t byte);
/* The bytes that slm__lifted_step() would take. */
void slm__lifted_first(const struct slm_program_automaton *automaton, const struct slm_lifted *place, struct slm_byte_set *set);
/* Bytes from a place to the end of a word, at most; the fewest where words may have any length. COST_NONE: `left` is not enough for any. */
uint32_t slm__lifted_cost(const struct slm_program_automaton *automaton, const struct slm_lifted *place);
/* Fewest bytes that the escape begun in `chars` takes to become the character `code`, which it may spell. */
uint32_t slm__escape_rest(uint32_t chars, uint32_t code);
/* Whether the escape begun in `chars` can become the character `code`, as far as it is spelled so: what JSON has to escape, what is not
 * ASCII, and the slash. */
bool slm__escape_may_spell(uint32_t chars, uint32_t code);
/* The bytes that may follow at a place of text/json_chars.h, the closing quote aside. */
void slm__json_chars_first(uint32_t chars, struct slm_byte_set *set);

#endif
