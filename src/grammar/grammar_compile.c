/* SPDX-License-Identifier: MIT */
/* Laying out a grammar: the builder's records in one block, lists of strings sorted, automata with their costs, objects with their sums. */
#include "grammar/grammar_compile.h"
#include "base/arena.h"          /* struct slm_carver, slm__carve */
#include "grammar/object_turn.h" /* slm__member_cost */

enum { ALIGNMENT = 64, COST_PASSES_MAX = 10000 };

/* ---- Before: choices of texts become lists ---- */

static struct slm_node_record *node_at(const struct slm_grammar_builder *builder, slm_node node)
{
    return (struct slm_node_record *)(void *)builder->nodes.data + node;
}

static bool listable(const struct slm_grammar_builder *builder, slm_node node)
{
    return node_at(builder, node)->kind == SLM_NODE_KIND_TEXT && node_at(builder, node)->b <= SLM_LIST_LENGTH_MAX;
}

static void add(struct slm_grammar_builder *builder, struct slm_buffer *buffer, const void *data, size_t bytes)
{
    if (!slm__buffer_append(buffer, data, bytes)) {
        slm__grammar_builder_fail(builder, buffer->status, "the grammar does not fit into its limit of %zu bytes, or into memory",
                                  builder->limit);
    }
}

/* The texts among the children of a choice become one node; a choice of nothing else becomes that node. */
static void list_texts(struct slm_grammar_builder *builder, slm_node choice, uint32_t texts)
{
    const struct slm_node_record record = *node_at(builder, choice);
    const uint32_t range[2] = {(uint32_t)(builder->strings.length / sizeof(struct slm_listed_string)), texts};
    const struct slm_node_record made = {.kind = SLM_NODE_KIND_TEXTS, .a = (uint32_t)(builder->lists.length / sizeof range)};
    slm_node *children = (slm_node *)(void *)builder->words.data + record.a;
    add(builder, &builder->lists, range, sizeof range);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < record.b; i++) {
        if (listable(builder, children[i])) {
            const struct slm_node_record *text = node_at(builder, children[i]);
            const struct slm_listed_string string = {text->a, text->b, 0, 0};
            add(builder, &builder->strings, &string, sizeof string);
        } else {
            children[kept++] = children[i];
        }
    }
    if (kept == 0) {
        *node_at(builder, choice) = made;
        return;
    }
    children[kept++] = (slm_node)(builder->nodes.length / sizeof made);
    node_at(builder, choice)->b = kept;
    add(builder, &builder->nodes, &made, sizeof made);
}

static void list_choices(struct slm_grammar_builder *builder)
{
    const uint32_t count = (uint32_t)(builder->nodes.length / sizeof(struct slm_node_record));
    for (slm_node node = 0; node < count && builder->status == SLM_OK; node++) {
        const struct slm_node_record record = *node_at(builder, node);
        uint32_t texts = 0;
        for (uint32_t i = 0; record.kind == SLM_NODE_KIND_CHOICE && i < record.b; i++) {
            texts += listable(builder, ((const slm_node *)(const void *)builder->words.data)[record.a + i]);
        }
        if (texts > 1) {
            list_texts(builder, node, texts);
        }
    }
}

static slm_status prepare(struct slm_grammar_builder *builder, slm_error *error)
{
    SLM_TRY(slm__grammar_builder_failure(builder, error));
    const struct slm_rule_record *rules = (const struct slm_rule_record *)(const void *)builder->rules.data;
    for (size_t i = 0; i < builder->rules.length / sizeof *rules; i++) {
        if (rules[i].definition == UINT32_MAX) {
            return slm__fail(error, SLM_E_SYNTAX, "%.*s is used and not defined",
                             SLM_SPAN_ARGS(slm__span(builder->texts.data + rules[i].name, rules[i].name_length)));
        }
    }
    const size_t count = builder->nodes.length / sizeof(struct slm_node_record);
    uint8_t *nullable = slm__allocate(&builder->memory, count + 1, ALIGNMENT);
    if (nullable == NULL) {
        return slm__fail_memory(error, count + 1);
    }
    slm_status status = slm__grammar_nullable(builder, nullable, error);
    status = status != SLM_OK ? status : slm__grammar_refuse_left_recursion(builder, nullable, error);
    status = status != SLM_OK ? status : slm__grammar_repeat_nonempty(builder, nullable, error);
    slm__release(&builder->memory, nullable, count + 1);
    SLM_TRY(status);
    list_choices(builder);
    return slm__grammar_builder_failure(builder, error);
}

/* ---- The block ---- */

struct parts {
    struct slm_grammar *grammar;
    struct slm_node_record *nodes;
    slm_node *words;
    uint8_t *texts;
    struct slm_byte_set *sets;
    slm_node *rules;
    struct slm_program_automaton *automata;
    struct slm_program_object *objects;
    struct slm_string_list *lists;
    struct slm_member_record *members;
    struct slm_pattern_record *patterns;
    struct slm_listed_string *strings;
    uint8_t *state_flags;            /* of all automata */
    uint32_t *state_costs;           /* the same */
    uint32_t *state_lengths;         /* of the automata whose words are bounded */
    struct slm_byte_set *class_sets; /* of all classes of all automata */
    uint32_t *object_sums;           /* two for each member and one more, of all objects */
    uint32_t *cost;
    uint32_t *depth;
};

#define COUNT(builder, buffer, type) ((builder)->buffer.length / sizeof(type))

static void carve(struct slm_carver *carver, const struct slm_grammar_builder *builder, struct parts *parts)
{
    const struct slm_automaton_record *automata = (const struct slm_automaton_record *)(const void *)builder->automata.data;
    uint64_t states = 0;
    uint64_t classes = 0;
    uint64_t bounded = 0;
    for (size_t i = 0; i < COUNT(builder, automata, struct slm_automaton_record); i++) {
        states += automata[i].state_count;
        bounded += automata[i].bounded != 0 ? automata[i].state_count : 0;
        classes += automata[i].class_count;
    }
    const size_t nodes = COUNT(builder, nodes, struct slm_node_record);
    const size_t objects = COUNT(builder, objects, struct slm_object_record);
    const size_t members = COUNT(builder, members, struct slm_member_record);
    parts->grammar = slm__carve(carver, sizeof *parts->grammar);
    parts->nodes = slm__carve(carver, builder->nodes.length);
    parts->words = slm__carve(carver, builder->words.length);
    parts->texts = slm__carve(carver, builder->texts.length);
    parts->sets = slm__carve(carver, builder->sets.length);
    parts->rules = slm__carve(carver, COUNT(builder, rules, struct slm_rule_record) * sizeof(slm_node));
    parts->automata = slm__carve(carver, COUNT(builder, automata, struct slm_automaton_record) * sizeof *parts->automata);
    parts->objects = slm__carve(carver, objects * sizeof *parts->objects);
    parts->lists = slm__carve(carver, builder->lists.length / (2 * sizeof(uint32_t)) * sizeof *parts->lists);
    parts->members = slm__carve(carver, builder->members.length);
    parts->patterns = slm__carve(carver, builder->patterns.length);
    parts->strings = slm__carve(carver, builder->strings.length);
    parts->state_flags = slm__carve(carver, states);
    parts->state_costs = slm__carve(carver, states * sizeof(uint32_t));
    parts->state_lengths = slm__carve(carver, bounded * sizeof(uint32_t));
    parts->class_sets = slm__carve(carver, classes * sizeof(struct slm_byte_set));
    parts->object_sums = slm__carve(carver, 2 * (members + objects) * sizeof(uint32_t));
    parts->cost = slm__carve(carver, nodes * sizeof(uint32_t));
    parts->depth = slm__carve(carver, nodes * sizeof(uint32_t));
}

static void copy(void *target, const struct slm_buffer *buffer)
{
    if (buffer->length > 0) {
        memcpy(target, buffer->data, buffer->length);
    }
}

static uint32_t byte_cost(unsigned byte)
{
    if (byte >= 0x20) {
        return byte == '"' || byte == '\\' ? 2 : 1;
    }
    return byte == 8 || byte == 9 || byte == 10 || byte == 12 || byte == 13 ? 2 : 6;
}

/* A byte's share in the number of code points. */
static uint32_t byte_length(unsigned byte) { return byte < 0x80 || byte >= 0xC0; }

/* Shortest ways to an accepting state. States are in the order of their shortest words, so that sweeps from the end settle nearly all. */
static bool weigh_states(const struct slm_program_automaton *automaton, uint32_t (*weigh_byte)(unsigned byte), uint32_t *cost)
{
    uint32_t class_cost[256];
    for (uint32_t c = 0; c < automaton->class_count; c++) {
        class_cost[c] = SLM_COST_NONE;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        uint32_t *least = &class_cost[automaton->classes[byte]];
        *least = weigh_byte(byte) < *least ? weigh_byte(byte) : *least;
    }
    for (uint32_t state = 0; state < automaton->state_count; state++) {
        cost[state] = automaton->flags[state] & SLM_STATE_ACCEPTS ? 0 : SLM_COST_NONE;
    }
    for (uint32_t pass = 0; pass < COST_PASSES_MAX; pass++) {
        bool changed = false;
        for (uint32_t state = automaton->state_count; state-- > 0;) {
            const uint32_t *row = automaton->next + (size_t)state * automaton->class_count;
            for (uint32_t c = 0; c < automaton->class_count; c++) {
                const uint32_t way = slm__cost_add(cost[row[c]], class_cost[c]);
                if (way < cost[state]) {
                    cost[state] = way;
                    changed = true;
                }
            }
        }
        if (!changed) {
            return true;
        }
    }
    return false;
}

static slm_status fill_automata(const struct slm_grammar_builder *builder, struct parts *parts, slm_error *error)
{
    const struct slm_automaton_record *records = (const struct slm_automaton_record *)(const void *)builder->automata.data;
    uint8_t *flags = parts->state_flags;
    uint32_t *costs = parts->state_costs;
    uint32_t *lengths = parts->state_lengths;
    struct slm_byte_set *sets = parts->class_sets;
    for (size_t i = 0; i < COUNT(builder, automata, struct slm_automaton_record); i++) {
        const struct slm_automaton_record *record = &records[i];
        struct slm_program_automaton *automaton = &parts->automata[i];
        *automaton = (struct slm_program_automaton){record->state_count,
                                                    record->class_count,
                                                    record->start,
                                                    parts->texts + record->classes,
                                                    parts->words + record->next,
                                                    flags,
                                                    sets,
                                                    costs,
                                                    record->bounded != 0 ? lengths : NULL};
        memset(sets, 0, record->class_count * sizeof *sets);
        for (unsigned byte = 0; byte < 256; byte++) {
            slm__byte_set_add(&sets[automaton->classes[byte]], (uint8_t)byte);
        }
        for (uint32_t state = 0; state < record->state_count; state++) {
            flags[state] = parts->texts[record->accepting + state] != 0 ? SLM_STATE_ACCEPTS : 0;
            for (uint32_t c = 0; c < record->class_count; c++) {
                flags[state] |= automaton->next[(size_t)state * record->class_count + c] != SLM_REGULAR_DEAD ? SLM_STATE_GOES_ON : 0;
            }
        }
        slm__automaton_free_states(automaton, flags, costs); /* they are scratch until now */
        if (!weigh_states(automaton, byte_cost, costs) || (record->bounded != 0 && !weigh_states(automaton, byte_length, lengths))) {
            return slm__fail(error, SLM_E_LIMIT, "an automaton of the grammar has too long words");
        }
        flags += record->state_count;
        costs += record->state_count;
        lengths += record->bounded != 0 ? record->state_count : 0;
        sets += record->class_count;
    }
    return SLM_OK;
}

static slm_status fill_objects(const struct slm_grammar_builder *builder, struct parts *parts, slm_error *error)
{
    const struct slm_object_record *records = (const struct slm_object_record *)(const void *)builder->objects.data;
    uint32_t *sums = parts->object_sums;
    for (size_t i = 0; i < COUNT(builder, objects, struct slm_object_record); i++) {
        const struct slm_object_record *record = &records[i];
        slm__list_sort(parts->strings + record->keys, record->member_count, parts->texts);
        uint32_t *next_required = sums + record->member_count + 1;
        struct slm_program_object object = {.keys = {parts->strings + record->keys, record->member_count, parts->texts},
                                            .members = parts->members + record->members,
                                            .patterns = parts->patterns + record->patterns,
                                            .pending_cost = sums,
                                            .next_required = next_required,
                                            .member_count = record->member_count,
                                            .pattern_count = record->pattern_count,
                                            .min_properties = record->min_properties,
                                            .max_properties = record->max_properties,
                                            .space = record->space,
                                            .any_order = record->any_order != 0};
        next_required[record->member_count] = record->member_count;
        for (uint32_t m = record->member_count; m-- > 0;) {
            next_required[m] = object.members[m].required ? m : next_required[m + 1];
            object.required_count += object.members[m].required;
            object.has_needs = object.has_needs || object.members[m].needs_count > 0;
        }
        object.keeps_set = object.any_order || object.has_needs;
        object.is_free = !object.has_needs && object.min_properties <= object.required_count && object.max_properties == UINT32_MAX;
        if (!object.is_free && object.member_count > SLM_OBJECT_COUNTED_MAX) {
            return slm__fail(error, SLM_E_LIMIT, "an object with counts or dependencies has %u members; %d are possible",
                             object.member_count, SLM_OBJECT_COUNTED_MAX);
        }
        parts->objects[i] = object;
        sums += 2 * (record->member_count + (size_t)1);
    }
    return SLM_OK;
}

/* After weighing: what the required members from each place on cost. */
static void sum_objects(const struct slm_grammar_builder *builder, struct parts *parts)
{
    uint32_t *sums = parts->object_sums;
    for (size_t i = 0; i < COUNT(builder, objects, struct slm_object_record); i++) {
        const struct slm_program_object *object = &parts->objects[i];
        sums[object->member_count] = 0;
        for (uint32_t m = object->member_count; m-- > 0;) {
            const struct slm_member_record *member = &object->members[m];
            sums[m] = member->required ? slm__cost_add(sums[m + 1], slm__member_cost(parts->grammar, member)) : sums[m + 1];
        }
        sums += 2 * (object->member_count + (size_t)1);
    }
}

static slm_status fill(const struct slm_grammar_builder *builder, struct parts *parts, slm_error *error)
{
    copy(parts->nodes, &builder->nodes);
    copy(parts->words, &builder->words);
    copy(parts->texts, &builder->texts);
    copy(parts->sets, &builder->sets);
    copy(parts->members, &builder->members);
    copy(parts->patterns, &builder->patterns);
    copy(parts->strings, &builder->strings);
    for (size_t i = 0; i < COUNT(builder, rules, struct slm_rule_record); i++) {
        parts->rules[i] = ((const struct slm_rule_record *)(const void *)builder->rules.data)[i].definition;
    }
    const uint32_t *lists = (const uint32_t *)(const void *)builder->lists.data;
    for (size_t i = 0; i < builder->lists.length / (2 * sizeof *lists); i++) {
        slm__list_sort(parts->strings + lists[2 * i], lists[2 * i + 1], parts->texts);
        parts->lists[i] = (struct slm_string_list){parts->strings + lists[2 * i], lists[2 * i + 1], parts->texts};
    }
    SLM_TRY(fill_automata(builder, parts, error));
    SLM_TRY(fill_objects(builder, parts, error));
    struct slm_grammar *grammar = parts->grammar;
    grammar->nodes = parts->nodes;
    grammar->words = parts->words;
    grammar->texts = parts->texts;
    grammar->sets = parts->sets;
    grammar->rules = parts->rules;
    grammar->automata = parts->automata;
    grammar->objects = parts->objects;
    grammar->lists = parts->lists;
    grammar->cost = parts->cost;
    grammar->depth = parts->depth;
    grammar->node_count = (uint32_t)COUNT(builder, nodes, struct slm_node_record);
    SLM_TRY(slm__grammar_weigh(grammar, parts->cost, parts->depth, error));
    sum_objects(builder, parts);
    if (parts->cost[grammar->root] == SLM_COST_NONE) {
        return slm__fail(error, SLM_E_BAD_VALUE, "nothing at all satisfies the grammar");
    }
    if (parts->depth[grammar->root] >= grammar->depth_limit) {
        return slm__fail(error, SLM_E_LIMIT, "the grammar needs a stack of %u frames; its limit is %u", parts->depth[grammar->root] + 1,
                         grammar->depth_limit);
    }
    return SLM_OK;
}

slm_status slm__grammar_compile(struct slm_grammar_builder *builder, slm_node root, const struct slm_grammar_limits *limits,
                                const struct slm_memory *memory, struct slm_grammar **grammar, slm_error *error)
{
    slm__node_text(builder, slm__span("\"", 1)); /* so that there is a node at all */
    SLM_TRY(prepare(builder, error));
    struct parts parts;
    struct slm_carver carver = {NULL, 0};
    carve(&carver, builder, &parts);
    if (limits->bytes != 0 && carver.used > limits->bytes) {
        return slm__fail(error, SLM_E_LIMIT, "the grammar needs %llu bytes; its limit is %zu", (unsigned long long)carver.used,
                         limits->bytes);
    }
    carver.base = slm__allocate(memory, (size_t)carver.used, ALIGNMENT);
    if (carver.base == NULL) {
        return slm__fail_memory(error, carver.used);
    }
    const size_t bytes = (size_t)carver.used;
    carver.used = 0;
    carve(&carver, builder, &parts);
    *parts.grammar = (struct slm_grammar){.memory = *memory, .bytes = bytes, .root = root};
    parts.grammar->depth_limit = limits->depth != 0 ? limits->depth : SLM_GRAMMAR_DEPTH;
    slm_status status = fill(builder, &parts, error);
    if (status != SLM_OK) {
        slm__grammar_free(parts.grammar);
        return status;
    }
    *grammar = parts.grammar;
    return SLM_OK;
}

void slm__grammar_free(struct slm_grammar *grammar)
{
    if (grammar != NULL) {
        const struct slm_memory memory = grammar->memory;
        slm__release(&memory, grammar, grammar->bytes);
    }
}
