/* SPDX-License-Identifier: MIT */
/* One byte further: what each configuration makes of it, what may follow, and the state that all of them are. */
#include "grammar/match_states.h"
#include "base/heap_sort.h"       /* slm__heap_sort */
#include "grammar/json_lifted.h"  /* slm__lifted_step */
#include "grammar/object_match.h" /* slm__object_step */
#include "text/json_chars.h"      /* slm__json_chars_step */

enum { STEPS_MAX = 1 << 20, SMALL = 24 };

/* ---- Entering nodes and returning to frames ---- */

static void open_work(struct slm_match_states *states, slm_node node, uint32_t frame)
{
    if (states->work_count == states->sizes.work || frame == UINT32_MAX) {
        states->over_limit = states->over_limit || frame != UINT32_MAX;
        return;
    }
    states->work[states->work_count++] = (struct slm_work_item){node, frame};
}

void slm__match_enter(struct slm_match_states *states, slm_node node, uint32_t frame)
{
    if (node != SLM_NODE_NEVER) {
        open_work(states, node, frame);
    }
}

void slm__match_return(struct slm_match_states *states, uint32_t frame) { open_work(states, SLM_NODE_NEVER, frame); }

static int compare(const struct slm_configuration *x, const struct slm_configuration *y)
{
    if (x->frame != y->frame) {
        return x->frame < y->frame ? -1 : 1;
    }
    if (x->node != y->node) {
        return x->node < y->node ? -1 : 1;
    }
    if (x->b != y->b) {
        return x->b < y->b ? -1 : 1;
    }
    return x->a == y->a ? 0 : x->a < y->a ? -1 : 1;
}

static bool less(const void *items, uint32_t a, uint32_t b)
{
    const struct slm_configuration *all = items;
    return compare(&all[a], &all[b]) < 0;
}

static void swap(void *items, uint32_t a, uint32_t b)
{
    struct slm_configuration *all = items;
    const struct slm_configuration kept = all[a];
    all[a] = all[b];
    all[b] = kept;
}

static void sort_found(struct slm_match_states *states)
{
    struct slm_configuration *found = states->found;
    if (states->found_count > SMALL) {
        slm__heap_sort(found, states->found_count, less, swap);
    } else {
        for (uint32_t i = 1; i < states->found_count; i++) {
            for (uint32_t k = i; k > 0 && compare(&found[k], &found[k - 1]) < 0; k--) {
                swap(found, k, k - 1);
            }
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < states->found_count; i++) {
        if (kept == 0 || compare(&found[i], &found[kept - 1]) != 0) {
            found[kept++] = found[i];
        }
    }
    states->found_count = kept;
}

void slm__match_found(struct slm_match_states *states, struct slm_configuration configuration)
{
    if (configuration.frame == UINT32_MAX) {
        return;
    }
    if (states->found_count == states->sizes.work) {
        sort_found(states);
        if (states->found_count > states->sizes.work / 4 * 3) {
            states->over_limit = true;
            return;
        }
    }
    states->found[states->found_count++] = configuration;
}

/* A state and what is left of a bounded number of code points, in one word of a configuration. */
static uint32_t pack_place(const struct slm_node_record *node, uint32_t state, uint32_t left)
{
    return node->c == SLM_REPEAT_NO_END ? state : state | left << 16;
}

static void enter_automaton(struct slm_match_states *states, slm_node node, uint32_t frame)
{
    const struct slm_node_record *record = &states->grammar->nodes[node];
    const struct slm_program_automaton *automaton = &states->grammar->automata[record->a];
    if (automaton->flags[automaton->start] & SLM_STATE_ACCEPTS) {
        slm__match_return(states, frame);
    }
    if (automaton->flags[automaton->start] & SLM_STATE_GOES_ON) {
        slm__match_found(states, (struct slm_configuration){node, frame, 0, pack_place(record, automaton->start, record->c)});
    }
}

static void enter(struct slm_match_states *states, slm_node node, uint32_t frame)
{
    const struct slm_grammar *grammar = states->grammar;
    const struct slm_node_record *record = &grammar->nodes[node];
    if (grammar->cost[node] == SLM_COST_NONE || states->frames[frame].depth + grammar->depth[node] > grammar->depth_limit) {
        return;
    }
    switch ((enum slm_node_kind)record->kind) {
    case SLM_NODE_KIND_NEVER: break;
    case SLM_NODE_KIND_EMPTY: slm__match_return(states, frame); break;
    case SLM_NODE_KIND_SEQUENCE:
        slm__match_enter(states, grammar->words[record->a],
                         slm__match_frame(states, &(struct slm_frame){.node = node, .parent = frame, .a = 1}));
        break;
    case SLM_NODE_KIND_CHOICE:
        for (uint32_t i = 0; i < record->b; i++) {
            slm__match_enter(states, grammar->words[record->a + i], frame);
        }
        break;
    case SLM_NODE_KIND_REPEAT:
        if (record->b == 0) {
            slm__match_return(states, frame);
        }
        slm__match_enter(states, record->a, slm__match_frame(states, &(struct slm_frame){.node = node, .parent = frame, .a = 1}));
        break;
    case SLM_NODE_KIND_RULE: slm__match_enter(states, grammar->rules[record->a], frame); break;
    case SLM_NODE_KIND_AUTOMATON:
    case SLM_NODE_KIND_LIFTED: enter_automaton(states, node, frame); break;
    case SLM_NODE_KIND_CHARS:
        if (record->b == 0) {
            slm__match_return(states, frame);
        }
        slm__match_found(states, (struct slm_configuration){node, frame, 0, 0});
        break;
    case SLM_NODE_KIND_BYTES:
    case SLM_NODE_KIND_TEXT:
    case SLM_NODE_KIND_OBJECT:
    case SLM_NODE_KIND_TEXTS: slm__match_found(states, (struct slm_configuration){node, frame, 0, 0}); break;
    }
}

static void return_to(struct slm_match_states *states, uint32_t frame)
{
    if (frame == 0) {
        states->found_end = true;
        return;
    }
    const struct slm_frame record = states->frames[frame];
    const struct slm_node_record *node = &states->grammar->nodes[record.node];
    struct slm_frame next = record;
    switch ((enum slm_node_kind)node->kind) {
    case SLM_NODE_KIND_SEQUENCE: /* the last child needs no frame */
        next.a = record.a + 1;
        slm__match_enter(states, states->grammar->words[node->a + record.a],
                         next.a == node->b ? record.parent : slm__match_frame(states, &next));
        break;
    case SLM_NODE_KIND_REPEAT:
        if (record.a >= node->b) {
            slm__match_return(states, record.parent);
        }
        if (record.a < node->c) { /* without an end, turns beyond the fewest look alike */
            next.a = node->c == SLM_REPEAT_NO_END && record.a >= node->b ? record.a : record.a + 1;
            slm__match_enter(states, node->a, slm__match_frame(states, &next));
        }
        break;
    default: slm__object_return(states, frame); break;
    }
}

static void close_work(struct slm_match_states *states)
{
    while (states->work_count > 0 && !states->full && !states->over_limit) {
        const struct slm_work_item item = states->work[--states->work_count];
        if (++states->steps > STEPS_MAX) {
            states->over_limit = true;
        } else if (item.node == SLM_NODE_NEVER) {
            return_to(states, item.frame);
        } else {
            enter(states, item.node, item.frame);
        }
    }
    states->work_count = 0;
}

/* ---- One byte ---- */

static void step_automaton(struct slm_match_states *states, const struct slm_configuration *place, uint32_t state, uint32_t chars,
                           uint32_t left)
{
    const struct slm_node_record *node = &states->grammar->nodes[place->node];
    const uint8_t flags = states->grammar->automata[node->a].flags[state];
    if (chars == 0 && (flags & SLM_STATE_ACCEPTS)) {
        slm__match_return(states, place->frame);
    }
    if (chars != 0 || (flags & SLM_STATE_GOES_ON)) {
        slm__match_found(states, (struct slm_configuration){place->node, place->frame, chars, pack_place(node, state, left)});
    }
}

static void step_chars(struct slm_match_states *states, const struct slm_configuration *place, const struct slm_node_record *node,
                       uint8_t byte)
{
    struct slm_configuration after = *place;
    uint32_t code;
    const enum slm_json_chars_result result = slm__json_chars_step(&after.a, byte, &code);
    if (result == SLM_JSON_CHARS_REFUSED) {
        return;
    }
    if (result == SLM_JSON_CHARS_INSIDE) {
        after.a = slm__json_chars_merge(after.a);
        slm__match_found(states, after);
        return;
    }
    after.b += node->c == SLM_REPEAT_NO_END && after.b >= node->b ? 0 : 1;
    if (after.b >= node->b) {
        slm__match_return(states, place->frame);
    }
    if (after.b < node->c) {
        slm__match_found(states, after);
    }
}

static void step_texts(struct slm_match_states *states, const struct slm_configuration *place, const struct slm_string_list *list,
                       uint8_t byte)
{
    const uint32_t position = slm__list_step(list, place->b, byte);
    if (position == SLM_LIST_LOST) {
        return;
    }
    const uint32_t end = slm__list_end(list, position);
    uint32_t whole = slm__list_match(list, position) != NULL;
    if (whole != 0) {
        slm__match_return(states, place->frame);
    }
    if (slm__list_first(position) + whole < end) {
        slm__match_found(states, (struct slm_configuration){place->node, place->frame, 0, position});
    }
}

static void step(struct slm_match_states *states, const struct slm_configuration *place, uint8_t byte)
{
    const struct slm_grammar *grammar = states->grammar;
    const struct slm_node_record *node = &grammar->nodes[place->node];
    switch ((enum slm_node_kind)node->kind) {
    case SLM_NODE_KIND_BYTES:
        if (slm__byte_set_has(&grammar->sets[node->a], byte)) {
            slm__match_return(states, place->frame);
        }
        break;
    case SLM_NODE_KIND_TEXT:
        if (grammar->texts[node->a + place->b] == byte) {
            if (place->b + 1 == node->b) {
                slm__match_return(states, place->frame);
            } else {
                slm__match_found(states, (struct slm_configuration){place->node, place->frame, 0, place->b + 1});
            }
        }
        break;
    case SLM_NODE_KIND_AUTOMATON: {
        const uint32_t next = slm__automaton_next(&grammar->automata[node->a], place->b, byte);
        if (next != SLM_REGULAR_DEAD) {
            step_automaton(states, place, next, 0, 0);
        }
        break;
    }
    case SLM_NODE_KIND_LIFTED: {
        struct slm_lifted lifted = slm__lifted_place(grammar, place);
        if (slm__lifted_step(&grammar->automata[node->a], &lifted, byte)) {
            step_automaton(states, place, lifted.state, lifted.chars, lifted.left);
        }
        break;
    }
    case SLM_NODE_KIND_CHARS: step_chars(states, place, node, byte); break;
    case SLM_NODE_KIND_TEXTS: step_texts(states, place, &grammar->lists[node->a], byte); break;
    case SLM_NODE_KIND_OBJECT: slm__object_step(states, place, byte); break;
    default: break;
    }
}

/* The bytes that lead on from a configuration. */
static void first(const struct slm_match_states *states, const struct slm_configuration *place, struct slm_byte_set *set)
{
    const struct slm_grammar *grammar = states->grammar;
    const struct slm_node_record *node = &grammar->nodes[place->node];
    switch ((enum slm_node_kind)node->kind) {
    case SLM_NODE_KIND_BYTES: slm__byte_set_unite(set, &grammar->sets[node->a]); break;
    case SLM_NODE_KIND_TEXT: slm__byte_set_add(set, grammar->texts[node->a + place->b]); break;
    case SLM_NODE_KIND_AUTOMATON: {
        const struct slm_program_automaton *automaton = &grammar->automata[node->a];
        for (uint32_t c = 0; c < automaton->class_count; c++) {
            if (automaton->next[(size_t)place->b * automaton->class_count + c] != SLM_REGULAR_DEAD) {
                slm__byte_set_unite(set, &automaton->sets[c]);
            }
        }
        break;
    }
    case SLM_NODE_KIND_LIFTED: {
        const struct slm_lifted lifted = slm__lifted_place(grammar, place);
        slm__lifted_first(&grammar->automata[node->a], &lifted, set);
        break;
    }
    case SLM_NODE_KIND_CHARS: slm__json_chars_first(place->a, set); break;
    case SLM_NODE_KIND_TEXTS: {
        const struct slm_string_list *list = &grammar->lists[node->a];
        const uint32_t end = slm__list_end(list, place->b);
        for (uint32_t i = slm__list_first(place->b); i < end; i++) {
            if (list->strings[i].length > slm__list_length(place->b)) {
                slm__byte_set_add(set, grammar->texts[list->strings[i].text + slm__list_length(place->b)]);
            }
        }
        break;
    }
    case SLM_NODE_KIND_OBJECT: slm__object_first(states, place, set); break;
    default: break;
    }
}

/* ---- States ---- */

static slm_state find_state(const struct slm_match_states *states, uint32_t head)
{
    for (uint32_t s = states->state_heads[head]; s != 0; s = states->states[s].next) {
        const struct slm_state_record *record = &states->states[s];
        if (record->count == states->found_count && record->complete == states->found_end &&
            memcmp(states->configurations + record->first, states->found, record->count * sizeof *states->found) == 0) {
            return (slm_state)s;
        }
    }
    return SLM_STATE_DEAD;
}

/* The state of what was found. */
slm_state slm__match_intern(struct slm_match_states *states, bool complete)
{
    close_work(states);
    states->found_end = states->found_end || complete;
    if (states->full || states->over_limit) {
        return SLM_STATE_UNKNOWN;
    }
    sort_found(states);
    if (states->found_count == 0 && !states->found_end) {
        return SLM_STATE_DEAD;
    }
    const uint32_t head = slm__match_hash((const uint32_t *)(const void *)states->found, 4 * states->found_count) & (states->heads - 1);
    slm_state state = find_state(states, head);
    if (state != SLM_STATE_DEAD) {
        return state;
    }
    if (states->state_count == states->sizes.states || states->found_count > states->sizes.configurations - states->configuration_count) {
        states->full = true;
        return SLM_STATE_UNKNOWN;
    }
    state = (slm_state)states->state_count++;
    struct slm_state_record *record = &states->states[state];
    *record = (struct slm_state_record){.first = states->configuration_count,
                                        .count = states->found_count,
                                        .complete = states->found_end,
                                        .next = states->state_heads[head]};
    states->state_heads[head] = state;
    memcpy(states->configurations + record->first, states->found, record->count * sizeof *states->found);
    states->configuration_count += record->count;
    for (uint32_t i = 0; i < record->count; i++) {
        first(states, &states->found[i], &record->allowed);
    }
    slm__match_new_row(states, state);
    return state;
}

void slm__match_open(struct slm_match_states *states)
{
    states->found_count = 0;
    states->found_end = false;
    states->full = false;
    states->over_limit = false;
    states->steps = 0;
}

slm_state slm__match_step(struct slm_match_states *states, slm_state state, uint8_t byte)
{
    slm_state *next = &states->rows[(size_t)state * 256 + byte];
    if (*next != SLM_STATE_UNKNOWN) {
        return *next;
    }
    slm__match_open(states);
    const struct slm_state_record record = states->states[state];
    for (uint32_t i = 0; i < record.count; i++) {
        step(states, &states->configurations[record.first + i], byte);
        close_work(states);
    }
    *next = slm__match_intern(states, false);
    return *next;
}

slm_state slm__match_behind(struct slm_match_states *states, uint32_t frame)
{
    slm__match_open(states);
    slm__match_return(states, frame);
    return slm__match_intern(states, false);
}

slm_status slm__match_begin(struct slm_match_states *states, const struct slm_grammar *grammar, slm_error *error)
{
    states->grammar = grammar;
    states->state_count = 1;
    states->frame_count = 1;
    states->set_count = 1;
    states->configuration_count = 0;
    states->frames[0] = (struct slm_frame){.depth = 0};
    states->frame_moves[0] = 0;
    states->states[0] = (struct slm_state_record){.count = 0};
    memset(states->state_heads, 0, states->heads * sizeof(uint32_t));
    memset(states->frame_heads, 0, states->heads * sizeof(uint32_t));
    memset(states->set_heads, 0, states->heads * sizeof(uint32_t));
    slm__match_new_row(states, SLM_STATE_DEAD);
    slm__match_open(states);
    slm__match_enter(states, grammar->root, 0);
    states->start = slm__match_intern(states, false);
    if (states->start == SLM_STATE_UNKNOWN) {
        return slm__fail(error, SLM_E_LIMIT, "the start of the grammar has too many possibilities");
    }
    return SLM_OK;
}
