/* SPDX-License-Identifier: MIT */
/*
 * How far it is to the end: the place itself, and what its stack still asks for. At every state some byte brings the end nearer by one at
 * least, so that following it completes a text within its cost.
 */
#include "grammar/match_states.h"
#include "grammar/json_lifted.h"  /* slm__lifted_place, slm__lifted_cost */
#include "grammar/object_match.h" /* slm__object_rest, slm__object_cost */
#include "text/json_chars.h"      /* slm__json_chars_rest */

/* Characters that are still needed, one byte each, behind the one begun. */
static uint32_t chars_cost(const struct slm_node_record *node, const struct slm_configuration *place)
{
    const uint32_t begun = place->b + (place->a != 0 ? 1 : 0);
    return slm__cost_add(begun < node->b ? node->b - begun : 0, slm__json_chars_rest(place->a));
}

/* Of the shortest text of a list, from a position in it. */
static uint32_t texts_cost(const struct slm_string_list *list, uint32_t position)
{
    const uint32_t end = slm__list_end(list, position);
    uint32_t best = SLM_COST_MAX;
    for (uint32_t i = slm__list_first(position); i < end; i++) {
        const uint32_t rest = list->strings[i].length - slm__list_length(position);
        best = rest > 0 && rest < best ? rest : best;
    }
    return best;
}

static uint32_t place_cost(const struct slm_match_states *states, const struct slm_configuration *place)
{
    const struct slm_grammar *grammar = states->grammar;
    const struct slm_node_record *node = &grammar->nodes[place->node];
    switch ((enum slm_node_kind)node->kind) {
    case SLM_NODE_KIND_TEXT: return node->b - place->b;
    case SLM_NODE_KIND_AUTOMATON: return grammar->automata[node->a].cost[place->b];
    case SLM_NODE_KIND_LIFTED: {
        const struct slm_lifted lifted = slm__lifted_place(grammar, place);
        return slm__lifted_cost(&grammar->automata[node->a], &lifted);
    }
    case SLM_NODE_KIND_CHARS: return chars_cost(node, place);
    case SLM_NODE_KIND_OBJECT: return slm__object_cost(states, place);
    case SLM_NODE_KIND_TEXTS: return texts_cost(&grammar->lists[node->a], place->b);
    default: return 1;
    }
}

static uint32_t frame_cost(const struct slm_match_states *states, const struct slm_frame *frame)
{
    const struct slm_grammar *grammar = states->grammar;
    const struct slm_node_record *node = &grammar->nodes[frame->node];
    uint32_t sum = 0;
    switch ((enum slm_node_kind)node->kind) {
    case SLM_NODE_KIND_SEQUENCE:
        for (uint32_t i = frame->a; i < node->b; i++) {
            sum = slm__cost_add(sum, grammar->cost[grammar->words[node->a + i]]);
        }
        return sum;
    case SLM_NODE_KIND_REPEAT: return frame->a < node->b ? slm__cost_times(grammar->cost[node->a], node->b - frame->a) : 0;
    default: return slm__object_rest(states, frame);
    }
}

uint32_t slm__match_cost(const struct slm_match_states *states, slm_state state)
{
    const struct slm_state_record *record = &states->states[state];
    uint32_t best = record->complete ? 0 : SLM_COST_MAX;
    for (uint32_t i = 0; i < record->count; i++) {
        const struct slm_configuration *place = &states->configurations[record->first + i];
        uint32_t cost = place_cost(states, place);
        uint32_t frame = place->frame;
        if (states->grammar->nodes[place->node].kind == SLM_NODE_KIND_OBJECT && slm__object_place(place) != SLM_OBJECT_AT_OPEN) {
            frame = states->frames[frame].parent; /* its own frame is in the place's cost */
        }
        for (; frame != 0 && cost < best; frame = states->frames[frame].parent) {
            cost = slm__cost_add(cost, frame_cost(states, &states->frames[frame]));
        }
        best = cost < best ? cost : best;
    }
    return best;
}
