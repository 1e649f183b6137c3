/* SPDX-License-Identifier: MIT */
/* Fewest bytes and fewest stack frames that each node needs: what has none is never entered, so that no match ends in a dead end. */
#include "grammar/grammar_compile.h"

enum { PASSES_MAX = 10000, MEMBER_BYTES = 4 /* quotes, colon, comma */ };

struct weights {
    const struct slm_grammar *grammar;
    uint32_t *cost;
    uint32_t *depth;
};

static uint32_t max_of(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint32_t times(uint32_t cost, uint32_t count)
{
    if (cost == SLM_COST_NONE) {
        return count == 0 ? 0 : SLM_COST_NONE;
    }
    uint64_t product = (uint64_t)cost * count;
    return product < SLM_COST_MAX ? (uint32_t)product : SLM_COST_MAX;
}

struct weight {
    uint32_t cost;
    uint32_t depth;
};

static void add_member(const struct weights *weights, const struct slm_program_object *object, uint32_t member, struct weight *sum)
{
    const struct slm_member_record *record = &object->members[member];
    const uint32_t key = slm__json_spelled_length(weights->grammar->texts + record->key, record->key_length);
    sum->cost = slm__cost_add(sum->cost, slm__cost_add(key + MEMBER_BYTES, weights->cost[record->value]));
    sum->depth = max_of(sum->depth, weights->depth[record->value]);
}

/* Members needed beside the required ones are taken from the optional ones in their order, or from the cheapest pattern. */
static struct weight weigh_object(const struct weights *weights, const struct slm_program_object *object)
{
    struct weight sum = {2, 0};
    uint32_t count = object->required_count;
    for (uint32_t i = 0; i < object->member_count; i++) {
        if (object->members[i].required) {
            add_member(weights, object, i, &sum);
        }
    }
    uint32_t missing = object->min_properties > count ? object->min_properties - count : 0;
    if (missing > 0 && object->pattern_count > 0) {
        struct weight best = {SLM_COST_NONE, 0};
        for (uint32_t i = 0; i < object->pattern_count; i++) {
            const struct slm_pattern_record *pattern = &object->patterns[i];
            const struct slm_program_automaton *keys =
                &weights->grammar->automata[pattern->automaton == UINT32_MAX ? 0 : pattern->automaton];
            const uint32_t key = pattern->automaton == UINT32_MAX ? missing : keys->cost[keys->start];
            const uint32_t cost = slm__cost_add(slm__cost_add(key, MEMBER_BYTES), weights->cost[pattern->value]);
            if (cost < best.cost) {
                best.cost = cost;
                best.depth = weights->depth[pattern->value];
            }
        }
        if (best.cost != SLM_COST_NONE) {
            sum.cost = slm__cost_add(sum.cost, times(best.cost, missing));
            sum.depth = max_of(sum.depth, best.depth);
            missing = 0;
        }
    }
    for (uint32_t i = 0; i < object->member_count && missing > 0; i++) {
        if (!object->members[i].required && weights->cost[object->members[i].value] != SLM_COST_NONE) {
            add_member(weights, object, i, &sum);
            missing--;
        }
    }
    if (missing > 0 || object->required_count > object->max_properties) {
        sum.cost = SLM_COST_NONE;
    }
    sum.depth++;
    return sum;
}

static struct weight weigh_sequence(const struct weights *weights, const struct slm_node_record *record)
{
    struct weight sum = {0, 0};
    for (uint32_t i = 0; i < record->b; i++) {
        const slm_node child = weights->grammar->words[record->a + i];
        sum.cost = slm__cost_add(sum.cost, weights->cost[child]);
        sum.depth = max_of(sum.depth, weights->depth[child] + (i + 1 < record->b ? 1 : 0));
    }
    return sum;
}

static struct weight weigh_choice(const struct weights *weights, const struct slm_node_record *record)
{
    struct weight best = {SLM_COST_NONE, SLM_COST_MAX};
    for (uint32_t i = 0; i < record->b; i++) {
        const slm_node child = weights->grammar->words[record->a + i];
        if (weights->cost[child] != SLM_COST_NONE) {
            best.cost = weights->cost[child] < best.cost ? weights->cost[child] : best.cost;
            best.depth = weights->depth[child] < best.depth ? weights->depth[child] : best.depth;
        }
    }
    return best;
}

static struct weight weigh_texts(const struct slm_string_list *list)
{
    struct weight best = {SLM_COST_NONE, 0};
    for (uint32_t i = 0; i < list->count; i++) {
        best.cost = list->strings[i].length < best.cost ? list->strings[i].length : best.cost;
    }
    return best;
}

/* Of the shortest word that has at most `most` code points. */
static uint32_t automaton_cost(const struct slm_program_automaton *automaton, uint32_t most)
{
    uint32_t cost = automaton->cost[automaton->start];
    if (most == SLM_REPEAT_NO_END) {
        return cost;
    }
    return automaton->least[automaton->start] > most ? SLM_COST_NONE : slm__bounded_cost(cost, most);
}

static struct weight weigh(const struct weights *weights, slm_node node)
{
    const struct slm_grammar *grammar = weights->grammar;
    const struct slm_node_record *record = &grammar->nodes[node];
    struct weight weight = {SLM_COST_NONE, 0};
    switch ((enum slm_node_kind)record->kind) {
    case SLM_NODE_KIND_NEVER: break;
    case SLM_NODE_KIND_EMPTY: weight.cost = 0; break;
    case SLM_NODE_KIND_BYTES: weight.cost = 1; break;
    case SLM_NODE_KIND_TEXT: weight.cost = record->b; break;
    case SLM_NODE_KIND_SEQUENCE: return weigh_sequence(weights, record);
    case SLM_NODE_KIND_CHOICE: return weigh_choice(weights, record);
    case SLM_NODE_KIND_REPEAT:
        weight.cost = times(weights->cost[record->a], record->b);
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
            const struct weight weight = weigh(&weights, node);
            if (weight.cost < cost[node] || (weight.cost != SLM_COST_NONE && weight.depth < depth[node])) {
                cost[node] = weight.cost < cost[node] ? weight.cost : cost[node];
                depth[node] = weight.depth < depth[node] ? weight.depth : depth[node];
                changed = true;
            }
        }
        if (!changed) {
            return SLM_OK;
        }
    }
    return slm__fail(error, SLM_E_LIMIT, "the rules of the grammar are nested too deeply (more than %d)", PASSES_MAX);
}
