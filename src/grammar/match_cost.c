/* SPDX-License-Identifier: MIT */
/* How far it is to the end: the place itself, and what its stack still asks for. */
#include "grammar/match_states.h"
#include "grammar/object_match.h" /* slm__object_rest */

enum { ESCAPE_BYTES = 12 };

static uint32_t times(uint32_t cost, uint32_t count)
{
    const uint64_t product = cost == SLM_COST_NONE ? SLM_COST_MAX : (uint64_t)cost * count;
    return product < SLM_COST_MAX ? (uint32_t)product : SLM_COST_MAX;
}

static uint32_t object_cost(const struct slm_match_states *states, const struct slm_configuration *place)
{
    const enum slm_object_place at = (enum slm_object_place)(place->a & 15);
    if (at == SLM_OBJECT_AT_OPEN) {
        return states->grammar->cost[place->node];
    }
    const uint32_t rest = slm__object_rest(states, &states->frames[place->frame]);
    return at == SLM_OBJECT_AT_SIGN ? rest : slm__cost_add(rest, place->a >> 4 != 0 ? ESCAPE_BYTES : 0);
}

static uint32_t lifted_cost(const struct slm_program_automaton *automaton, const struct slm_node_record *node,
                            const struct slm_configuration *place)
{
    return node->c == SLM_REPEAT_NO_END ? automaton->cost[place->b]
                                        : slm__bounded_cost(automaton->cost[place->b & UINT16_MAX], place->b >> 16);
}

static uint32_t place_cost(const struct slm_match_states *states, const struct slm_configuration *place)
{
    const struct slm_grammar *grammar = states->grammar;
    const struct slm_node_record *node = &grammar->nodes[place->node];
    switch ((enum slm_node_kind)node->kind) {
    case SLM_NODE_KIND_TEXT: return node->b - place->b;
    case SLM_NODE_KIND_AUTOMATON: return grammar->automata[node->a].cost[place->b];
    case SLM_NODE_KIND_LIFTED:
        return slm__cost_add(lifted_cost(&grammar->automata[node->a], node, place), place->a != 0 ? ESCAPE_BYTES : 0);
    case SLM_NODE_KIND_CHARS: return slm__cost_add(place->b < node->b ? node->b - place->b : 0, place->a != 0 ? ESCAPE_BYTES : 0);
    case SLM_NODE_KIND_OBJECT: return object_cost(states, place);
    case SLM_NODE_KIND_TEXTS: {
        const struct slm_string_list *list = &grammar->lists[node->a];
        const uint32_t end = slm__list_end(list, place->b);
        uint32_t best = SLM_COST_MAX;
        for (uint32_t i = slm__list_first(place->b); i < end; i++) {
            const uint32_t rest = list->strings[i].length - slm__list_length(place->b);
            best = rest > 0 && rest < best ? rest : best;
        }
        return best;
    }
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
    case SLM_NODE_KIND_REPEAT: return frame->a < node->b ? times(grammar->cost[node->a], node->b - frame->a) : 0;
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
        if (states->grammar->nodes[place->node].kind == SLM_NODE_KIND_OBJECT && (place->a & 15) != SLM_OBJECT_AT_OPEN) {
            frame = states->frames[frame].parent; /* its own frame is in the place's cost */
        }
        for (; frame != 0 && cost < best; frame = states->frames[frame].parent) {
            cost = slm__cost_add(cost, frame_cost(states, &states->frames[frame]));
        }
        best = cost < best ? cost : best;
    }
    return best;
}
