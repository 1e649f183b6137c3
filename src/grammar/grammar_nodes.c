/* SPDX-License-Identifier: MIT */
/* Building nodes: simplified on the way in, and found again when they exist. */
#include "grammar/grammar_nodes.h"
#include "base/heap_sort.h"        /* slm__heap_sort */
#include "grammar/repeat_counts.h" /* slm__repeat_join */

#include <stdio.h> /* vsnprintf */
#include <stdarg.h>

enum { FIRST_SLOTS = 256, PROBES_MAX = 4096, IS_AUTOMATON = 1 << 30 };

/* The buffers of a builder, for what is done to each of them. */
enum { BUFFERS = 13 };
static void list_buffers(struct slm_grammar_builder *builder, struct slm_buffer *buffers[BUFFERS])
{
    struct slm_buffer *all[BUFFERS] = {&builder->nodes,    &builder->words,   &builder->texts,   &builder->sets,     &builder->rules,
                                       &builder->automata, &builder->objects, &builder->members, &builder->patterns, &builder->list,
                                       &builder->joined,   &builder->strings, &builder->lists};
    memcpy(buffers, all, sizeof all);
}

void slm__grammar_builder_init(struct slm_grammar_builder *builder, const struct slm_memory *memory, size_t limit)
{
    struct slm_buffer *buffers[BUFFERS];
    *builder = (struct slm_grammar_builder){.memory = *memory, .limit = limit};
    list_buffers(builder, buffers);
    for (int i = 0; i < BUFFERS; i++) {
        slm__buffer_init(buffers[i], memory, limit);
    }
}

void slm__grammar_builder_free(struct slm_grammar_builder *builder)
{
    struct slm_buffer *buffers[BUFFERS];
    list_buffers(builder, buffers);
    for (int i = 0; i < BUFFERS; i++) {
        slm__buffer_free(buffers[i]);
    }
    slm__release(&builder->memory, builder->slots, builder->slot_count * sizeof *builder->slots);
    builder->slots = NULL;
    builder->slot_count = 0;
}

slm_node slm__grammar_builder_fail(struct slm_grammar_builder *builder, slm_status status, const char *format, ...)
{
    if (builder->status == SLM_OK) {
        builder->status = status;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(builder->reason, sizeof builder->reason, format, arguments);
        va_end(arguments);
    }
    return SLM_NODE_NEVER;
}

slm_status slm__grammar_builder_failure(const struct slm_grammar_builder *builder, slm_error *error)
{
    return builder->status == SLM_OK ? SLM_OK : slm__fail(error, builder->status, "%s", builder->reason);
}

static size_t bytes_held(const struct slm_grammar_builder *builder)
{
    return builder->nodes.capacity + builder->words.capacity + builder->texts.capacity + builder->sets.capacity + builder->rules.capacity +
           builder->automata.capacity + builder->objects.capacity + builder->members.capacity + builder->patterns.capacity +
           builder->list.capacity + builder->joined.capacity + builder->strings.capacity + builder->lists.capacity +
           builder->slot_count * sizeof *builder->slots;
}

/* Append to one of the builder's buffers; *at is where, in units of `unit` bytes. */
static bool append(struct slm_grammar_builder *builder, struct slm_buffer *buffer, const void *data, size_t bytes, size_t unit,
                   uint32_t *at)
{
    if (builder->status != SLM_OK) {
        return false;
    }
    if (at != NULL) {
        *at = (uint32_t)(buffer->length / unit);
    }
    bool done = buffer->length + bytes <= UINT32_MAX && slm__buffer_append(buffer, data, bytes);
    if (!done && buffer->status == SLM_E_NO_MEMORY) {
        slm__grammar_builder_fail(builder, SLM_E_NO_MEMORY, "out of memory while the grammar is built (%zu bytes are in use)",
                                  bytes_held(builder));
    } else if (!done || bytes_held(builder) > builder->limit) {
        slm__grammar_builder_fail(builder, SLM_E_LIMIT, "the grammar needs more than its limit of %zu bytes", builder->limit);
    }
    return builder->status == SLM_OK;
}

/* ---- Finding what exists ---- */

struct content {
    struct slm_node_record record; /* `a` counts only without payload */
    const void *payload;
    size_t bytes;
};

static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ p[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return hash;
}

static uint32_t hash_of(const struct content *content)
{
    const struct slm_node_record *r = &content->record;
    uint32_t parts[4] = {r->kind, content->payload == NULL ? r->a : 0, r->b, r->c};
    uint64_t hash = mix(mix(1, parts, sizeof parts), content->payload, content->bytes);
    return (uint32_t)(hash ^ hash >> 32);
}

static const struct slm_node_record *record_of(const struct slm_grammar_builder *builder, slm_node node)
{
    return (const struct slm_node_record *)(const void *)builder->nodes.data + node;
}

static struct slm_automaton_record *automaton_of(const struct slm_grammar_builder *builder, uint32_t automaton)
{
    return (struct slm_automaton_record *)(void *)builder->automata.data + automaton;
}

static struct content content_of(const struct slm_grammar_builder *builder, slm_node node)
{
    struct content content = {.record = *record_of(builder, node)};
    switch (content.record.kind) {
    case SLM_NODE_KIND_BYTES:
        content.payload = builder->sets.data + content.record.a * sizeof(struct slm_byte_set);
        content.bytes = sizeof(struct slm_byte_set);
        break;
    case SLM_NODE_KIND_TEXT:
        content.payload = builder->texts.data + content.record.a;
        content.bytes = content.record.b;
        break;
    case SLM_NODE_KIND_SEQUENCE:
    case SLM_NODE_KIND_CHOICE:
        content.payload = builder->words.data + content.record.a * sizeof(slm_node);
        content.bytes = content.record.b * sizeof(slm_node);
        break;
    default: break;
    }
    return content;
}

static bool same_content(const struct content *x, const struct content *y)
{
    return x->record.kind == y->record.kind && x->record.b == y->record.b && x->record.c == y->record.c && x->bytes == y->bytes &&
           (x->bytes > 0 ? memcmp(x->payload, y->payload, x->bytes) == 0 : x->record.a == y->record.a);
}

static uint32_t hash_of_entry(const struct slm_grammar_builder *builder, uint32_t entry)
{
    if (entry & IS_AUTOMATON) {
        return automaton_of(builder, entry & ~(uint32_t)IS_AUTOMATON)->hash;
    }
    struct content content = content_of(builder, entry);
    return hash_of(&content);
}

static bool put(uint32_t *slots, uint32_t count, uint32_t hash, uint32_t entry)
{
    for (uint32_t probe = 0; probe < PROBES_MAX && probe < count; probe++) {
        uint32_t *slot = &slots[(hash + probe) & (count - 1)];
        if (*slot == 0) {
            *slot = entry;
            return true;
        }
    }
    return false;
}

/* Make room for one more entry. */
static bool grow_slots(struct slm_grammar_builder *builder)
{
    if (builder->status != SLM_OK || 2 * (builder->slots_used + 1) <= builder->slot_count) {
        return builder->status == SLM_OK;
    }
    uint32_t count = builder->slot_count == 0 ? FIRST_SLOTS : 2 * builder->slot_count;
    uint32_t *slots = slm__allocate(&builder->memory, count * sizeof *slots, 64);
    if (slots == NULL) {
        slm__grammar_builder_fail(builder, SLM_E_NO_MEMORY, "out of memory while the grammar is built (%zu bytes are in use)",
                                  bytes_held(builder));
        return false;
    }
    memset(slots, 0, count * sizeof *slots);
    bool placed = true;
    for (uint32_t i = 0; i < builder->slot_count; i++) {
        if (builder->slots[i] != 0) {
            placed = placed && put(slots, count, hash_of_entry(builder, builder->slots[i]), builder->slots[i]);
        }
    }
    slm__release(&builder->memory, builder->slots, builder->slot_count * sizeof *slots);
    builder->slots = slots;
    builder->slot_count = count;
    if (!placed) {
        slm__grammar_builder_fail(builder, SLM_E_LIMIT, "the grammar has too many parts that are hard to tell apart");
    }
    return placed;
}

static bool add_slot(struct slm_grammar_builder *builder, uint32_t hash, uint32_t entry)
{
    if (!grow_slots(builder)) {
        return false;
    }
    if (!put(builder->slots, builder->slot_count, hash, entry)) {
        slm__grammar_builder_fail(builder, SLM_E_LIMIT, "the grammar has too many parts that are hard to tell apart");
        return false;
    }
    builder->slots_used++;
    return true;
}

/* The two nodes that always exist. */
static bool begin(struct slm_grammar_builder *builder)
{
    if (builder->status == SLM_OK && builder->nodes.length == 0) {
        const struct slm_node_record first[2] = {{.kind = SLM_NODE_KIND_NEVER}, {.kind = SLM_NODE_KIND_EMPTY}};
        append(builder, &builder->nodes, first, sizeof first, sizeof first[0], NULL);
    }
    return builder->status == SLM_OK;
}

/* The node with this content; new ones copy the payload into `store`, in units of `unit` bytes. */
static slm_node node_with(struct slm_grammar_builder *builder, struct content *content, struct slm_buffer *store, size_t unit)
{
    if (!begin(builder)) {
        return SLM_NODE_NEVER;
    }
    uint32_t hash = hash_of(content);
    for (uint32_t probe = 0; probe < builder->slot_count; probe++) {
        uint32_t entry = builder->slots[(hash + probe) & (builder->slot_count - 1)];
        if (entry == 0) {
            break;
        }
        if (!(entry & IS_AUTOMATON)) {
            struct content other = content_of(builder, entry);
            if (same_content(content, &other)) {
                return entry;
            }
        }
    }
    if (builder->nodes.length / sizeof(struct slm_node_record) >= SLM_NODES_MAX) {
        return slm__grammar_builder_fail(builder, SLM_E_LIMIT, "the grammar has more than %d nodes", SLM_NODES_MAX);
    }
    slm_node node;
    if ((content->bytes > 0 && !append(builder, store, content->payload, content->bytes, unit, &content->record.a)) ||
        !append(builder, &builder->nodes, &content->record, sizeof content->record, sizeof content->record, &node) ||
        !add_slot(builder, hash, node)) {
        return SLM_NODE_NEVER;
    }
    return node;
}

/* ---- Nodes ---- */

slm_node slm__node_bytes(struct slm_grammar_builder *builder, const struct slm_byte_set *set)
{
    int single = slm__byte_set_single(set);
    if (single >= 0) {
        uint8_t byte = (uint8_t)single;
        return slm__node_text(builder, slm__span(&byte, 1));
    }
    if (slm__byte_set_is_empty(set)) {
        return SLM_NODE_NEVER;
    }
    struct content content = {.record.kind = SLM_NODE_KIND_BYTES, .payload = set, .bytes = sizeof *set};
    return node_with(builder, &content, &builder->sets, sizeof *set);
}

slm_node slm__node_text(struct slm_grammar_builder *builder, struct slm_span text)
{
    if (text.length == 0) {
        return SLM_NODE_EMPTY;
    }
    if (text.length > UINT32_MAX) {
        return slm__grammar_builder_fail(builder, SLM_E_LIMIT, "a text of %zu bytes in the grammar is too long", text.length);
    }
    struct content content = {
        .record = {.kind = SLM_NODE_KIND_TEXT, .b = (uint32_t)text.length}, .payload = text.data, .bytes = text.length};
    return node_with(builder, &content, &builder->texts, 1);
}

/* `list` holds the children; fewer than two need no node. */
static slm_node node_of_list(struct slm_grammar_builder *builder, enum slm_node_kind kind, slm_node none)
{
    const uint32_t count = (uint32_t)(builder->list.length / sizeof(slm_node));
    if (builder->status != SLM_OK) {
        return SLM_NODE_NEVER;
    }
    if (count < 2) {
        return count == 0 ? none : *(const slm_node *)(const void *)builder->list.data;
    }
    struct content content = {.record = {.kind = kind, .b = count}, .payload = builder->list.data, .bytes = builder->list.length};
    return node_with(builder, &content, &builder->words, sizeof(slm_node));
}

static bool begin_list(struct slm_grammar_builder *builder, const slm_node *nodes, uint32_t count)
{
    if (!begin(builder)) {
        return false;
    }
    builder->list.length = 0;
    builder->joined.length = 0;
    if (count > SLM_NODE_CHILDREN_MAX) {
        slm__grammar_builder_fail(builder, SLM_E_LIMIT, "%u parts side by side in the grammar; %d are possible", count,
                                  SLM_NODE_CHILDREN_MAX);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i] >= builder->nodes.length / sizeof(struct slm_node_record)) {
            slm__grammar_builder_fail(builder, SLM_E_INTERNAL, "a node of the grammar does not exist");
            return false;
        }
    }
    return true;
}

static void list_node(struct slm_grammar_builder *builder, slm_node node)
{
    append(builder, &builder->list, &node, sizeof node, sizeof node, NULL);
}

/* Texts that were side by side become one. */
static void end_joined(struct slm_grammar_builder *builder)
{
    if (builder->joined.length > 0) {
        list_node(builder, slm__node_text(builder, slm__span(builder->joined.data, builder->joined.length)));
        builder->joined.length = 0;
    }
}

slm_node slm__node_sequence(struct slm_grammar_builder *builder, const slm_node *nodes, uint32_t count)
{
    if (!begin_list(builder, nodes, count)) {
        return SLM_NODE_NEVER;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i] == SLM_NODE_NEVER) {
            return SLM_NODE_NEVER;
        }
        const struct slm_node_record record = *record_of(builder, nodes[i]);
        if (record.kind == SLM_NODE_KIND_TEXT) {
            /* texts.data moves when a node is added, not here */
            append(builder, &builder->joined, builder->texts.data + record.a, record.b, 1, NULL);
        } else if (nodes[i] != SLM_NODE_EMPTY) {
            end_joined(builder);
            list_node(builder, nodes[i]);
        }
    }
    end_joined(builder);
    return node_of_list(builder, SLM_NODE_KIND_SEQUENCE, SLM_NODE_EMPTY);
}

static bool node_less(const void *items, uint32_t a, uint32_t b) { return ((const slm_node *)items)[a] < ((const slm_node *)items)[b]; }

static void node_swap(void *items, uint32_t a, uint32_t b)
{
    slm_node *nodes = items;
    slm_node kept = nodes[a];
    nodes[a] = nodes[b];
    nodes[b] = kept;
}

slm_node slm__node_choice(struct slm_grammar_builder *builder, const slm_node *nodes, uint32_t count)
{
    if (!begin_list(builder, nodes, count)) {
        return SLM_NODE_NEVER;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct slm_node_record record = *record_of(builder, nodes[i]);
        if (record.kind == SLM_NODE_KIND_CHOICE) { /* its children are no choices */
            append(builder, &builder->list, builder->words.data + record.a * sizeof(slm_node), record.b * sizeof(slm_node), 1, NULL);
        } else if (nodes[i] != SLM_NODE_NEVER) {
            list_node(builder, nodes[i]);
        }
    }
    if (builder->status != SLM_OK) {
        return SLM_NODE_NEVER;
    }
    slm_node *list = (slm_node *)(void *)builder->list.data;
    const uint32_t listed = (uint32_t)(builder->list.length / sizeof *list);
    slm__heap_sort(list, listed, node_less, node_swap);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < listed; i++) {
        if (kept == 0 || list[i] != list[kept - 1]) {
            list[kept++] = list[i];
        }
    }
    builder->list.length = kept * sizeof *list;
    return node_of_list(builder, SLM_NODE_KIND_CHOICE, SLM_NODE_NEVER);
}

slm_node slm__node_repeat(struct slm_grammar_builder *builder, slm_node node, uint32_t min, uint32_t max)
{
    if (!begin_list(builder, &node, 1) || min > max) {
        return SLM_NODE_NEVER;
    }
    if (node == SLM_NODE_NEVER) {
        return min == 0 ? SLM_NODE_EMPTY : SLM_NODE_NEVER;
    }
    if (node == SLM_NODE_EMPTY || max == 0) {
        return SLM_NODE_EMPTY;
    }
    if (min == 1 && max == 1) {
        return node;
    }
    const struct slm_node_record inner = *record_of(builder, node);
    struct slm_repeat_counts counts = {min, max};
    if (inner.kind == SLM_NODE_KIND_REPEAT && slm__repeat_join((struct slm_repeat_counts){inner.b, inner.c}, counts, &counts)) {
        node = inner.a;
    }
    struct content content = {.record = {.kind = SLM_NODE_KIND_REPEAT, .a = node, .b = counts.min, .c = counts.max}};
    return node_with(builder, &content, NULL, 1);
}

slm_node slm__node_json_chars(struct slm_grammar_builder *builder, uint32_t min, uint32_t max)
{
    if (min > max || max == 0) {
        return min > max ? SLM_NODE_NEVER : SLM_NODE_EMPTY;
    }
    struct content content = {.record = {.kind = SLM_NODE_KIND_CHARS, .b = min, .c = max}};
    return node_with(builder, &content, NULL, 1);
}

/* ---- Rules ---- */

static struct slm_rule_record *rule_of(const struct slm_grammar_builder *builder, slm_rule rule)
{
    return rule < builder->rules.length / sizeof(struct slm_rule_record) ? (struct slm_rule_record *)(void *)builder->rules.data + rule
                                                                         : NULL;
}

slm_rule slm__node_rule_new(struct slm_grammar_builder *builder, struct slm_span name)
{
    slm_rule rule = 0;
    struct slm_rule_record record = {.definition = UINT32_MAX, .name_length = (uint32_t)(name.length < 200 ? name.length : 200)};
    if (!begin(builder) || !append(builder, &builder->texts, name.data, record.name_length, 1, &record.name) ||
        !append(builder, &builder->rules, &record, sizeof record, sizeof record, &rule)) {
        return 0;
    }
    struct content content = {.record = {.kind = SLM_NODE_KIND_RULE, .a = rule}};
    slm_node node = node_with(builder, &content, NULL, 1);
    if (builder->status == SLM_OK) {
        rule_of(builder, rule)->node = node;
    }
    return rule;
}

void slm__node_rule_define(struct slm_grammar_builder *builder, slm_rule rule, slm_node node)
{
    struct slm_rule_record *record = rule_of(builder, rule);
    if (builder->status != SLM_OK || !begin_list(builder, &node, 1)) {
        return;
    }
    if (record == NULL || record->definition != UINT32_MAX) {
        slm__grammar_builder_fail(builder, SLM_E_INTERNAL, "a rule of the grammar is defined twice");
        return;
    }
    record->definition = node;
}

slm_node slm__node_rule(struct slm_grammar_builder *builder, slm_rule rule)
{
    const struct slm_rule_record *record = rule_of(builder, rule);
    return builder->status != SLM_OK || record == NULL ? SLM_NODE_NEVER : record->node;
}

/* ---- Automata ---- */

/* The number of an equal automaton, or of a new one; UINT32_MAX after a failure. */
static uint32_t intern_automaton(struct slm_grammar_builder *builder, const struct slm_regular *words)
{
    const size_t table_bytes = (size_t)words->state_count * words->class_count * sizeof(uint32_t);
    uint64_t wide = mix(mix(words->start, words->byte_class, 256), words->accepting, words->state_count);
    wide = mix(wide, words->next, table_bytes);
    struct slm_automaton_record record = {words->state_count, words->class_count, words->start, (uint32_t)(wide ^ wide >> 32), 0, 0, 0, 0};
    for (uint32_t probe = 0; probe < builder->slot_count; probe++) {
        uint32_t entry = builder->slots[(record.hash + probe) & (builder->slot_count - 1)];
        if (entry == 0) {
            break;
        }
        if (!(entry & IS_AUTOMATON)) {
            continue;
        }
        const struct slm_automaton_record *other = automaton_of(builder, entry & ~(uint32_t)IS_AUTOMATON);
        if (other->hash == record.hash && other->state_count == record.state_count && other->class_count == record.class_count &&
            other->start == record.start && memcmp(builder->texts.data + other->classes, words->byte_class, 256) == 0 &&
            memcmp(builder->texts.data + other->accepting, words->accepting, words->state_count) == 0 &&
            memcmp(builder->words.data + other->next * sizeof(uint32_t), words->next, table_bytes) == 0) {
            return entry & ~(uint32_t)IS_AUTOMATON;
        }
    }
    uint32_t automaton;
    if (!append(builder, &builder->texts, words->byte_class, 256, 1, &record.classes) ||
        !append(builder, &builder->texts, words->accepting, words->state_count, 1, &record.accepting) ||
        !append(builder, &builder->words, words->next, table_bytes, sizeof(uint32_t), &record.next) ||
        !append(builder, &builder->automata, &record, sizeof record, sizeof record, &automaton) ||
        !add_slot(builder, record.hash, automaton | IS_AUTOMATON)) {
        return UINT32_MAX;
    }
    return automaton;
}

static slm_node node_of_automaton(struct slm_grammar_builder *builder, enum slm_node_kind kind, const struct slm_regular *words,
                                  uint32_t most)
{
    if (!begin(builder) || slm__regular_is_empty(words)) {
        return SLM_NODE_NEVER;
    }
    uint32_t automaton = intern_automaton(builder, words);
    struct content content = {.record = {.kind = kind, .a = automaton, .c = most}};
    if (automaton == UINT32_MAX) {
        return SLM_NODE_NEVER;
    }
    if (most != SLM_REPEAT_NO_END) {
        ((struct slm_automaton_record *)(void *)builder->automata.data)[automaton].bounded = 1;
    }
    return node_with(builder, &content, NULL, 1);
}

slm_node slm__node_automaton(struct slm_grammar_builder *builder, const struct slm_regular *words)
{
    return node_of_automaton(builder, SLM_NODE_KIND_AUTOMATON, words, SLM_REPEAT_NO_END);
}

slm_node slm__node_json_lifted(struct slm_grammar_builder *builder, const struct slm_regular *words)
{
    return node_of_automaton(builder, SLM_NODE_KIND_LIFTED, words, SLM_REPEAT_NO_END);
}

slm_node slm__node_json_lifted_most(struct slm_grammar_builder *builder, const struct slm_regular *words, uint32_t most)
{
    if (most != SLM_REPEAT_NO_END && (most > UINT16_MAX || words->state_count > UINT16_MAX)) {
        return slm__grammar_builder_fail(builder, SLM_E_LIMIT, "a string of up to %u characters of a language of %u states", most,
                                         words->state_count);
    }
    return node_of_automaton(builder, SLM_NODE_KIND_LIFTED, words, most);
}

/* ---- Objects ---- */

static bool add_members(struct slm_grammar_builder *builder, const struct slm_object_shape *shape, struct slm_object_record *object)
{
    object->members = (uint32_t)(builder->members.length / sizeof(struct slm_member_record));
    object->keys = (uint32_t)(builder->strings.length / sizeof(struct slm_listed_string));
    for (uint32_t i = 0; i < shape->member_count; i++) {
        const struct slm_object_member *member = &shape->members[i];
        struct slm_member_record record = {0, (uint32_t)member->key.length, member->value, member->required ? 1 : 0, 0, 0};
        if (!append(builder, &builder->texts, member->key.data, member->key.length, 1, &record.key) ||
            !append(builder, &builder->members, &record, sizeof record, sizeof record, NULL)) {
            return false;
        }
        if (member->key.length > SLM_LIST_LENGTH_MAX) {
            slm__grammar_builder_fail(builder, SLM_E_LIMIT, "the name of a member has %zu bytes; %d are possible", member->key.length,
                                      SLM_LIST_LENGTH_MAX);
        }
        struct slm_listed_string key = {record.key, record.key_length, 0, i};
        if (!append(builder, &builder->strings, &key, sizeof key, sizeof key, NULL)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < shape->dependency_count; i++) {
        const struct slm_object_dependency *dependency = &shape->dependencies[i];
        struct slm_member_record *record = (struct slm_member_record *)(void *)builder->members.data + object->members + dependency->member;
        if (dependency->member >= shape->member_count || record->needs_count > 0) {
            slm__grammar_builder_fail(builder, SLM_E_INTERNAL, "the dependencies of an object are wrong");
            return false;
        }
        if (!append(builder, &builder->words, dependency->needed, dependency->needed_count * sizeof(uint32_t), sizeof(uint32_t),
                    &record->needs)) {
            return false;
        }
        record->needs_count = dependency->needed_count;
    }
    return true;
}

static bool add_patterns(struct slm_grammar_builder *builder, const struct slm_object_shape *shape, struct slm_object_record *object)
{
    object->patterns = (uint32_t)(builder->patterns.length / sizeof(struct slm_pattern_record));
    for (uint32_t i = 0; i < shape->pattern_count; i++) {
        const struct slm_object_pattern *pattern = &shape->patterns[i];
        if (pattern->value == SLM_NODE_NEVER || (pattern->keys != NULL && slm__regular_is_empty(pattern->keys))) {
            continue;
        }
        struct slm_pattern_record record = {pattern->keys == NULL ? UINT32_MAX : intern_automaton(builder, pattern->keys), pattern->value};
        if (!append(builder, &builder->patterns, &record, sizeof record, sizeof record, NULL)) {
            return false;
        }
        object->pattern_count++;
    }
    return true;
}

slm_node slm__node_object(struct slm_grammar_builder *builder, const struct slm_object_shape *shape)
{
    if (!begin_list(builder, &shape->space, 1) || shape->space == SLM_NODE_NEVER || shape->min_properties > shape->max_properties) {
        return SLM_NODE_NEVER;
    }
    if (shape->member_count > SLM_NODE_CHILDREN_MAX || shape->pattern_count > SLM_NODE_CHILDREN_MAX) {
        return slm__grammar_builder_fail(builder, SLM_E_LIMIT, "an object of the grammar has more than %d members", SLM_NODE_CHILDREN_MAX);
    }
    for (uint32_t i = 0; i < shape->member_count; i++) {
        if (shape->members[i].required && shape->members[i].value == SLM_NODE_NEVER) {
            return SLM_NODE_NEVER;
        }
    }
    struct slm_object_record object = {.member_count = shape->member_count,
                                       .min_properties = shape->min_properties,
                                       .max_properties = shape->max_properties,
                                       .any_order = shape->order == SLM_OBJECT_ANY_ORDER,
                                       .space = shape->space};
    uint32_t number;
    if (!add_members(builder, shape, &object) || !add_patterns(builder, shape, &object) ||
        !append(builder, &builder->objects, &object, sizeof object, sizeof object, &number)) {
        return SLM_NODE_NEVER;
    }
    struct content content = {.record = {.kind = SLM_NODE_KIND_OBJECT, .a = number}};
    return node_with(builder, &content, NULL, 1);
}
