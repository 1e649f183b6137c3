/* SPDX-License-Identifier: MIT */
/* What has to be known before a grammar can be matched byte by byte: which nodes may be empty, that no rule reaches itself without reading
 * a byte, and that no repetition turns without one. */
#include "grammar/grammar_compile.h"

enum { PASSES_MAX = 10000, NESTING_MAX = 500 };

static uint32_t node_count(const struct slm_grammar_builder *builder)
{
    return (uint32_t)(builder->nodes.length / sizeof(struct slm_node_record));
}

static struct slm_node_record *node_at(const struct slm_grammar_builder *builder, slm_node node)
{
    return (struct slm_node_record *)(void *)builder->nodes.data + node;
}

static const slm_node *words_at(const struct slm_grammar_builder *builder, uint32_t first)
{
    return (const slm_node *)(const void *)builder->words.data + first;
}

static const struct slm_rule_record *rule_at(const struct slm_grammar_builder *builder, slm_rule rule)
{
    return (const struct slm_rule_record *)(const void *)builder->rules.data + rule;
}

static bool automaton_nullable(const struct slm_grammar_builder *builder, uint32_t automaton)
{
    const struct slm_automaton_record *record = (const struct slm_automaton_record *)(const void *)builder->automata.data + automaton;
    return builder->texts.data[record->accepting + record->start] != 0;
}

static bool is_nullable(const struct slm_grammar_builder *builder, const uint8_t *nullable, slm_node node)
{
    const struct slm_node_record *record = node_at(builder, node);
    switch ((enum slm_node_kind)record->kind) {
    case SLM_NODE_KIND_EMPTY: return true;
    case SLM_NODE_KIND_SEQUENCE:
        for (uint32_t i = 0; i < record->b; i++) {
            if (!nullable[words_at(builder, record->a)[i]]) {
                return false;
            }
        }
        return true;
    case SLM_NODE_KIND_CHOICE:
        for (uint32_t i = 0; i < record->b; i++) {
            if (nullable[words_at(builder, record->a)[i]]) {
                return true;
            }
        }
        return false;
    case SLM_NODE_KIND_REPEAT: return record->b == 0 || nullable[record->a];
    case SLM_NODE_KIND_RULE: return nullable[rule_at(builder, record->a)->definition];
    case SLM_NODE_KIND_AUTOMATON:
    case SLM_NODE_KIND_LIFTED: return automaton_nullable(builder, record->a);
    case SLM_NODE_KIND_CHARS: return record->b == 0;
    default: return false;
    }
}

slm_status slm__grammar_nullable(const struct slm_grammar_builder *builder, uint8_t *nullable, slm_error *error)
{
    const uint32_t count = node_count(builder);
    memset(nullable, 0, count);
    for (uint32_t pass = 0; pass < PASSES_MAX; pass++) {
        bool changed = false;
        for (slm_node node = 0; node < count; node++) {
            if (!nullable[node] && is_nullable(builder, nullable, node)) {
                nullable[node] = 1;
                changed = true;
            }
        }
        if (!changed) {
            return SLM_OK;
        }
    }
    return slm__fail(error, SLM_E_LIMIT, "the rules of the grammar are nested too deeply (more than %d)", PASSES_MAX);
}

/* ---- Left recursion ---- */

enum { WHITE, GREY, BLACK };

struct left_walk {
    const struct slm_grammar_builder *builder;
    const uint8_t *nullable;
    uint8_t *colors; /* [node] */
    slm_node *stack; /* [node] */
    uint32_t *edges; /* [node]: edges of the stack's nodes that are done */
    uint32_t depth;
};

/* Edge number `edge` from `node` to what it may begin with; false: there are no more. */
static bool left_edge(const struct left_walk *walk, slm_node node, uint32_t edge, slm_node *target)
{
    const struct slm_node_record *record = node_at(walk->builder, node);
    switch ((enum slm_node_kind)record->kind) {
    case SLM_NODE_KIND_SEQUENCE:
        if (edge >= record->b || (edge > 0 && !walk->nullable[words_at(walk->builder, record->a)[edge - 1]])) {
            return false;
        }
        *target = words_at(walk->builder, record->a)[edge];
        return true;
    case SLM_NODE_KIND_CHOICE:
        if (edge >= record->b) {
            return false;
        }
        *target = words_at(walk->builder, record->a)[edge];
        return true;
    case SLM_NODE_KIND_REPEAT: *target = record->a; return edge == 0;
    case SLM_NODE_KIND_RULE: *target = rule_at(walk->builder, record->a)->definition; return edge == 0;
    default: return false;
    }
}

static slm_status refuse_cycle(const struct left_walk *walk, slm_node node, slm_error *error)
{
    for (uint32_t i = walk->depth; i > 0; i--) { /* every cycle goes through a rule */
        const struct slm_node_record *record = node_at(walk->builder, walk->stack[i - 1]);
        if (record->kind == SLM_NODE_KIND_RULE) {
            const struct slm_rule_record *rule = rule_at(walk->builder, record->a);
            return slm__fail(error, SLM_E_SYNTAX, "%.*s refers to itself before a byte is read (left recursion)",
                             SLM_SPAN_ARGS(slm__span(walk->builder->texts.data + rule->name, rule->name_length)));
        }
        if (walk->stack[i - 1] == node) {
            break;
        }
    }
    return slm__fail(error, SLM_E_INTERNAL, "a node of the grammar holds itself");
}

static slm_status walk_from(struct left_walk *walk, slm_node root, slm_error *error)
{
    walk->depth = 0;
    slm_node next = root;
    for (;;) {
        if (walk->colors[next] == GREY) {
            return refuse_cycle(walk, next, error);
        }
        if (walk->colors[next] == WHITE) {
            walk->colors[next] = GREY;
            walk->stack[walk->depth] = next;
            walk->edges[walk->depth++] = 0;
        }
        while (walk->depth > 0 && !left_edge(walk, walk->stack[walk->depth - 1], walk->edges[walk->depth - 1], &next)) {
            walk->colors[walk->stack[--walk->depth]] = BLACK;
        }
        if (walk->depth == 0) {
            return SLM_OK;
        }
        walk->edges[walk->depth - 1]++;
    }
}

slm_status slm__grammar_refuse_left_recursion(const struct slm_grammar_builder *builder, const uint8_t *nullable, slm_error *error)
{
    const uint32_t count = node_count(builder);
    const size_t bytes = count * (2 * sizeof(uint32_t) + 1);
    uint32_t *scratch = slm__allocate(&builder->memory, bytes, 64);
    if (scratch == NULL) {
        return slm__fail_memory(error, bytes);
    }
    struct left_walk walk = {builder, nullable, (uint8_t *)(scratch + 2 * (size_t)count), scratch, scratch + count, 0};
    memset(walk.colors, WHITE, count);
    slm_status status = SLM_OK;
    for (slm_node node = 0; node < count && status == SLM_OK; node++) {
        status = walk_from(&walk, node, error);
    }
    slm__release(&builder->memory, scratch, bytes);
    return status;
}

/* ---- Repetitions of what may be empty ---- */

struct nonempty {
    struct slm_grammar_builder *builder;
    const uint8_t *nullable; /* [known] */
    slm_node *made;          /* [known]: the node without its empty string, or UINT32_MAX */
    uint32_t known;          /* nodes there were at the start; later ones are never asked */
    uint32_t nesting;
};

static slm_node without_empty(struct nonempty *job, slm_node node);

/* One of: a child that is not empty and then the rest, for each child. */
static slm_node sequence_without_empty(struct nonempty *job, const struct slm_node_record *record)
{
    slm_node choice = SLM_NODE_NEVER;
    for (uint32_t i = 0; i < record->b && job->builder->status == SLM_OK; i++) {
        const slm_node rest = slm__node_sequence(job->builder, words_at(job->builder, record->a + i + 1), record->b - i - 1);
        const slm_node pair[2] = {without_empty(job, words_at(job->builder, record->a)[i]), rest};
        const slm_node either[2] = {choice, slm__node_sequence(job->builder, pair, 2)};
        choice = slm__node_choice(job->builder, either, 2);
    }
    return choice;
}

static slm_node choice_without_empty(struct nonempty *job, const struct slm_node_record *record)
{
    slm_node choice = SLM_NODE_NEVER;
    for (uint32_t i = 0; i < record->b && job->builder->status == SLM_OK; i++) {
        const slm_node either[2] = {choice, without_empty(job, words_at(job->builder, record->a)[i])};
        choice = slm__node_choice(job->builder, either, 2);
    }
    return choice;
}

/* The automaton with a start of its own that does not accept. */
static slm_node automaton_without_empty(struct nonempty *job, const struct slm_node_record *record)
{
    struct slm_grammar_builder *builder = job->builder;
    const struct slm_automaton_record old = ((const struct slm_automaton_record *)(const void *)builder->automata.data)[record->a];
    const size_t row = old.class_count * sizeof(uint32_t);
    const size_t bytes = (old.state_count + 1) * (row + 1);
    uint32_t *next = slm__allocate(&builder->memory, bytes, 64);
    if (next == NULL) {
        return slm__grammar_builder_fail(builder, SLM_E_NO_MEMORY, "out of memory (%zu bytes)", bytes);
    }
    uint8_t *accepting = (uint8_t *)next + (old.state_count + 1) * row;
    memcpy(next, words_at(builder, old.next), old.state_count * row);
    memcpy((uint8_t *)next + old.state_count * row, words_at(builder, old.next + old.start * old.class_count), row);
    memcpy(accepting, builder->texts.data + old.accepting, old.state_count);
    accepting[old.state_count] = 0;
    struct slm_regular copy = {.state_count = old.state_count + 1, .class_count = old.class_count, .start = old.state_count};
    memcpy(copy.byte_class, builder->texts.data + old.classes, 256);
    copy.next = next;
    copy.accepting = accepting;
    slm_node node =
        record->kind == SLM_NODE_KIND_LIFTED ? slm__node_json_lifted_most(builder, &copy, record->c) : slm__node_automaton(builder, &copy);
    slm__release(&builder->memory, next, bytes);
    return node;
}

static slm_node repeat_without_empty(struct nonempty *job, const struct slm_node_record *record)
{
    const slm_node child = without_empty(job, record->a);
    const bool turns_empty = record->a < job->known && job->nullable[record->a];
    const uint32_t min = record->b == 0 || turns_empty ? 0 : record->b - 1;
    const uint32_t max = record->c == SLM_REPEAT_NO_END ? record->c : record->c - 1;
    const slm_node pair[2] = {child, slm__node_repeat(job->builder, child, min, max)};
    return slm__node_sequence(job->builder, pair, 2);
}

static slm_node make_without_empty(struct nonempty *job, slm_node node)
{
    const struct slm_node_record record = *node_at(job->builder, node);
    switch ((enum slm_node_kind)record.kind) {
    case SLM_NODE_KIND_SEQUENCE: return sequence_without_empty(job, &record);
    case SLM_NODE_KIND_CHOICE: return choice_without_empty(job, &record);
    case SLM_NODE_KIND_REPEAT: return repeat_without_empty(job, &record);
    case SLM_NODE_KIND_AUTOMATON:
    case SLM_NODE_KIND_LIFTED: return automaton_without_empty(job, &record);
    case SLM_NODE_KIND_CHARS: return slm__node_json_chars(job->builder, 1, record.c);
    case SLM_NODE_KIND_RULE: return without_empty(job, rule_at(job->builder, record.a)->definition); /* not left-recursive */
    default: return SLM_NODE_NEVER;                                                                  /* EMPTY */
    }
}

static slm_node without_empty(struct nonempty *job, slm_node node)
{
    if (node >= job->known || !job->nullable[node]) {
        return node;
    }
    if (job->made[node] == UINT32_MAX) {
        if (job->nesting == NESTING_MAX) {
            return slm__grammar_builder_fail(job->builder, SLM_E_LIMIT,
                                             "repetitions of what may be empty are nested too deeply (more than %d)", NESTING_MAX);
        }
        job->nesting++;
        slm_node made = make_without_empty(job, node);
        job->nesting--;
        job->made[node] = made;
    }
    return job->made[node];
}

slm_status slm__grammar_repeat_nonempty(struct slm_grammar_builder *builder, const uint8_t *nullable, slm_error *error)
{
    const uint32_t count = node_count(builder);
    bool needed = false;
    for (slm_node node = 0; node < count; node++) {
        const struct slm_node_record *record = node_at(builder, node);
        needed = needed || (record->kind == SLM_NODE_KIND_REPEAT && nullable[record->a]);
    }
    if (!needed) {
        return SLM_OK;
    }
    const size_t bytes = count * sizeof(slm_node);
    struct nonempty job = {builder, nullable, slm__allocate(&builder->memory, bytes, 64), count, 0};
    if (job.made == NULL) {
        return slm__fail_memory(error, bytes);
    }
    memset(job.made, 0xFF, bytes);
    for (slm_node node = 0; node < count && builder->status == SLM_OK; node++) {
        if (node_at(builder, node)->kind == SLM_NODE_KIND_REPEAT && nullable[node_at(builder, node)->a]) {
            const slm_node child = without_empty(&job, node_at(builder, node)->a);
            node_at(builder, node)->a = child; /* no equal node is looked for any more */
            node_at(builder, node)->b = 0;
        }
    }
    slm__release(&builder->memory, job.made, bytes);
    return slm__grammar_builder_failure(builder, error);
}
