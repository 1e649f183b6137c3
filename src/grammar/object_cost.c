/* SPDX-License-Identifier: MIT */
/* How far it is to the end of an object: of its names, of what has to follow them. */
#include "base/utf8.h"            /* slm__utf8_decode */
#include "grammar/json_lifted.h"  /* slm__lifted_cost, slm__escape_rest */
#include "grammar/object_match.h" /* enum slm_object_place */
#include "grammar/object_turn.h"  /* struct slm_object_turn, slm__turn_rest */

static uint32_t least_of(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* From the closing quote of a name to behind the object: the name is of `member`, or of none. */
static uint32_t cost_behind_name(const struct slm_object_turn *turn, uint32_t member, slm_node value)
{
    enum { SIGNS = 3 }; /* the quote, the colon and the brace */
    const uint32_t rest = slm__turn_rest(turn, member, member == SLM_LIST_LOST).cost;
    return slm__cost_add(rest, slm__cost_add(turn->grammar->cost[value], SIGNS));
}

/* Bytes to the end of a name, from a position in it. */
static uint32_t key_rest(const struct slm_string_list *keys, const struct slm_listed_string *key, uint32_t length, uint32_t chars)
{
    const uint8_t *text = keys->texts + key->text + length;
    const uint32_t left = key->length - length;
    if (chars == 0) {
        return slm__json_spelled_length(text, left);
    }
    const struct slm_utf8 next = left > 0 ? slm__utf8_decode(text, left) : (struct slm_utf8){0};
    if (!next.valid || !slm__escape_may_spell(chars, next.code)) {
        return SLM_COST_NONE;
    }
    return slm__escape_rest(chars, next.code) + slm__json_spelled_length(text + next.length, left - next.length);
}

static uint32_t member_name_cost(const struct slm_object_turn *turn, uint32_t position, uint32_t chars)
{
    const struct slm_string_list *keys = &turn->object->keys;
    const uint32_t end = keys->count > 0 ? slm__list_end(keys, position) : 0;
    uint32_t best = SLM_COST_NONE;
    for (uint32_t i = slm__list_first(position); i < end; i++) {
        const struct slm_listed_string *key = &keys->strings[i];
        const uint32_t rest = key_rest(keys, key, slm__list_length(position), chars);
        if (rest != SLM_COST_NONE && slm__turn_may_take(turn, key->tag)) {
            best = least_of(best, slm__cost_add(rest, cost_behind_name(turn, key->tag, turn->object->members[key->tag].value)));
        }
    }
    return best;
}

/* `position`: of the automaton, or in the keys. */
static uint32_t other_name_cost(const struct slm_object_turn *turn, const struct slm_pattern_record *pattern, uint32_t position,
                                uint32_t chars)
{
    const struct slm_lifted lifted = {position, chars, 0, NULL};
    const uint32_t name = pattern->automaton == UINT32_MAX ? slm__other_name_rest(&turn->object->keys, position, chars)
                                                           : slm__lifted_cost(&turn->grammar->automata[pattern->automaton], &lifted);
    return slm__cost_add(name, cost_behind_name(turn, SLM_LIST_LOST, pattern->value));
}

/* Behind the quote that opens a name. */
static uint32_t name_cost(const struct slm_object_turn *turn)
{
    uint32_t best = member_name_cost(turn, 0, 0);
    for (uint32_t i = 0; i < turn->object->pattern_count; i++) {
        const struct slm_pattern_record *pattern = &turn->object->patterns[i];
        if (slm__turn_may_take_pattern(turn, i)) {
            const uint32_t start = pattern->automaton == UINT32_MAX ? 0 : turn->grammar->automata[pattern->automaton].start;
            best = least_of(best, other_name_cost(turn, pattern, start, 0));
        }
    }
    return best;
}

uint32_t slm__object_rest(const struct slm_match_states *states, const struct slm_frame *frame)
{
    const struct slm_object_turn turn = slm__turn_of(states, frame);
    const enum slm_object_phase phase = slm__object_phase(frame);
    if (phase == SLM_OBJECT_NEXT) {
        return slm__cost_add(name_cost(&turn), 1);
    }
    const uint32_t rest = slm__turn_rest(&turn, SLM_LIST_LOST, false).cost;
    if (phase == SLM_OBJECT_FIRST) { /* no comma in front of the first */
        return rest == 0 ? 1 : rest;
    }
    const uint32_t value = phase == SLM_OBJECT_COLON || phase == SLM_OBJECT_VALUE ? states->grammar->cost[frame->b] : 0;
    return slm__cost_add(slm__cost_add(rest, value), phase == SLM_OBJECT_COLON ? 2 : 1);
}

uint32_t slm__object_cost(const struct slm_match_states *states, const struct slm_configuration *place)
{
    if (slm__object_place(place) == SLM_OBJECT_AT_OPEN) {
        return states->grammar->cost[place->node];
    }
    const struct slm_object_turn turn = slm__turn_of(states, &states->frames[place->frame]);
    switch (slm__object_place(place)) {
    case SLM_OBJECT_IN_MEMBER: return member_name_cost(&turn, place->b, slm__object_chars(place));
    case SLM_OBJECT_IN_PATTERN:
    case SLM_OBJECT_IN_ANY: return other_name_cost(&turn, &turn.object->patterns[turn.frame->b], place->b, slm__object_chars(place));
    default: return slm__object_rest(states, turn.frame);
    }
}
