/* SPDX-License-Identifier: MIT */
/* Fewest bytes that each node needs, and the frames for these: what has none is never entered, so that no match ends in a dead end. */
#include "grammar/grammar_compile.h"
#include "grammar/json_lifted.h" /* slm__lifted_cost */
#include "grammar/object_turn.h" /* struct slm_weight, slm__turn_rest */

enum { PASSES_MAX = 10000 };

struct weights {
    const struct slm_grammar *grammar;
    uint32_t *cost;
    uint32_t *depth;
};

static uint32_t max_of(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* As at its opening brace. */
static struct slm_weight weigh_object(const struct weights *weights, const struct slm_program_object *object)
{
    const struct slm_frame frame = {0};
    const struct slm_object_turn turn = {weights->grammar, NULL, object, &frame, UINT32_MAX};
    struct slm_weight sum = slm__turn_rest(&turn, SLM_LIST_LOST, false);
    sum.cost = slm__cost_add(sum.cost, sum.cost == 0 ? 2 : 1); /* the braces; the first member has no comma */
    sum.depth++;
    return sum;
}

static struct slm_weight weigh_sequence(const struct weights *weights, const struct slm_node_record *record)
{
    struct slm_weight sum = {0, 0};
    for (uint32_t i = 0; i < record->b; i++) {
        const slm_node child = weights->grammar->words[record->a + i];
        sum.cost = slm__cost_add(sum.cost, weights->cost[child]);
        sum.depth = max_of(sum.depth, weights->depth[child] + (i + 1 < record->b ? 1 : 0));
    }
    return sum;
}

static struct slm_weight weigh_choice(const struct weights *weights, const struct slm_node_record *record)
{
    struct slm_weight best = {SLM_COST_NONE, SLM_COST_MAX};
    for (uint32_t i = 0; i < record->b; i++) {
        const slm_node child = weights->grammar->words[record->a + i];
        if (weights->cost[child] != SLM_COST_NONE) {
            const struct slm_weight weight = {weights->cost[child], weights->depth[child]};
            best = slm__weight_less(weight, best) ? weight : best;
        }
    }
    return best;
}

static struct slm_weight weigh_texts(const struct slm_string_list *list)
{
    struct slm_weight best = {SLM_COST_NONE, 0};
    for (uint32_t i = 0; i < list->count; i++) {
        best.cost = list->strings[i].length < best.cost ? list->strings[i].length : best.cost;
    }
    return best;
}

/* Of the shortest word that has at most `most` code points. */
static uint32_t automaton_cost(const struct slm_program_automaton *automaton, uint32_t most)
{
    const struct slm_lifted start = {automaton->start, 0, most, most == SLM_REPEAT_NO_END ? NULL : automaton->least};
    return slm__lifted_cost(automaton, &start);
}

static struct slm_weight weigh(const struct weights *weights, slm_node node)
{
    const struct slm_grammar *grammar = weights->grammar;
    const struct slm_node_record *record = &grammar->nodes[node];
    struct slm_weight weight = {SLM_COST_NONE, 0};
    switch ((enum slm_node_kind)record->kind) {
    case SLM_NODE_KIND_NEVER: break;
    case SLM_NODE_KIND_EMPTY: weight.cost = 0; break;
    case SLM_NODE_KIND_BYTES: weight.cost = 1; break;
    case SLM_NODE_KIND_TEXT: weight.cost = record->b; break;
    case SLM_NODE_KIND_SEQUENCE: return weigh_sequence(weights, record);
    case SLM_NODE_KIND_CHOICE: return weigh_choice(weights, record);
    case SLM_NODE_KIND_REPEAT:
        weight.cost = slm__cost_times(weights->cost[record->a], record->b);
        weight.depth = record->b == 0 ? 0 : weights->depth[record->a] + 1;
        break;
    case SLM_NODE_KIND_RULE:
        weight.cost = weights->cost[grammar->rules[record->a]];
        weight.depth = weights->depth[grammar->rules[record->a]];
        break;
    case SLM_NODE_KIND_AUTOMATON:
    case SLM_NODE_KIND_LIFTED: weight.cost = automaton_cost(&grammar->automata[record->a], record->c); break;
    case SLM_NODE_KIND_CHARS: weight.cost = record->b < SLM_COST_MAX ? record->b : SLM_COST_MAX; break;
    case SLM_NODE_KIND_OBJECT: return weigh_object(weights, &grammar->objects[record->a]);
    case SLM_NODE_KIND_TEXTS: return weigh_texts(&grammar->lists[record->a]);
    }
    return weight;
}

slm_status slm__grammar_weigh(const struct slm_grammar *grammar, uint32_t *cost, uint32_t *depth, slm_error *error)
{
    const struct weights weights = {grammar, cost, depth};
    for (slm_node node = 0; node < grammar->node_count; node++) {
        cost[node] = SLM_COST_NONE;
        depth[node] = SLM_COST_MAX;
    }
    for (uint32_t pass = 0; pass < PASSES_MAX; pass++) {
        bool changed = false;
        for (slm_node node = 0; node < grammar->node_count; node++) {
            const struct slm_weight weight = weigh(&weights, node);
            if (slm__weight_less(weight, (struct slm_weight){cost[node], depth[node]})) {
                cost[node] = weight.cost;
                depth[node] = weight.depth;
                changed = true;
            }
        }
        if (!changed) {
            return SLM_OK;
        }
    }
    return slm__fail(error, SLM_E_LIMIT, "the rules of the grammar are nested too deeply (more than %d)", PASSES_MAX);
}
