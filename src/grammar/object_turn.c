/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is in an object. Counts and dependencies allow only what leaves a way to the end; that way is worked out here: the members
 * needed, and then the cheapest of those that fill up the count. A way once open stays open: behind its first member the same one is found
 * again, without that.
 */
#include "grammar/object_turn.h"
#include "base/heap_sort.h"  /* slm__heap_sort */
#include "text/json_chars.h" /* slm__json_chars_rest */

enum { SET_WORDS = SLM_OBJECT_COUNTED_MAX / 32, MEMBER_BYTES = 4 /* quotes, colon, comma */ };

struct slm_object_turn slm__turn_of(const struct slm_match_states *states, const struct slm_frame *frame)
{
    const struct slm_grammar *grammar = states->grammar;
    return (struct slm_object_turn){grammar, states, &grammar->objects[grammar->nodes[frame->node].a], frame,
                                    grammar->depth_limit - frame->depth};
}

static bool can_hold(const struct slm_object_turn *turn, slm_node value)
{
    return turn->grammar->cost[value] != SLM_COST_NONE && turn->grammar->depth[value] <= turn->room;
}

static bool is_seen(const struct slm_object_turn *turn, uint32_t member)
{
    if (!turn->object->keeps_set) {
        return member < turn->frame->a;
    }
    return turn->frame->a != 0 && slm__match_set_has(turn->states, turn->frame->a, member);
}

uint32_t slm__member_cost(const struct slm_grammar *grammar, const struct slm_member_record *member)
{
    const uint32_t key = slm__json_spelled_length(grammar->texts + member->key, member->key_length);
    return slm__cost_add(key + MEMBER_BYTES, grammar->cost[member->value]);
}

uint32_t slm__other_name_rest(const struct slm_string_list *keys, uint32_t position, uint32_t chars)
{
    enum { PLAIN_SIGNS = 93 }; /* that a name may go on with: by one of them at most this part of the keys goes on too */
    uint32_t rest = slm__json_chars_rest(chars);
    if (position == SLM_LIST_LOST || keys->count == 0 || (chars == 0 && slm__list_match(keys, position) == NULL)) {
        return rest;
    }
    for (uint32_t count = slm__list_end(keys, position) - slm__list_first(position); count > 0; count = (count - 1) / PLAIN_SIGNS) {
        rest++;
    }
    return rest;
}

/* ---- What is behind the members seen ---- */

static bool has(const uint32_t *bits, uint32_t i) { return bits[i / 32] >> (i % 32) & 1; }
static void put(uint32_t *bits, uint32_t i) { bits[i / 32] |= 1u << (i % 32); }

struct account {
    uint32_t seen[SET_WORDS];
    uint32_t needed[SET_WORDS]; /* those that have to come, or have come */
    uint32_t next;              /* in order: the next that may come */
    uint32_t count;
};

/* Add what the members seen and needed need. */
static void close_needs(const struct slm_object_turn *turn, const uint32_t *seen, uint32_t *needed)
{
    const struct slm_program_object *object = turn->object;
    for (bool changed = object->has_needs; changed;) {
        changed = false;
        for (uint32_t i = 0; i < object->member_count; i++) {
            const struct slm_member_record *member = &object->members[i];
            for (uint32_t k = 0; k < member->needs_count && (has(seen, i) || has(needed, i)); k++) {
                const uint32_t other = turn->grammar->words[member->needs + k];
                changed = changed || !has(needed, other);
                put(needed, other);
            }
        }
    }
}

/* With one more, as in slm__turn_rest(). */
static void open_account(const struct slm_object_turn *turn, uint32_t taken, bool others, struct account *account)
{
    const struct slm_program_object *object = turn->object;
    memset(account, 0, sizeof *account);
    account->count = slm__object_count(turn->frame) + (taken != SLM_LIST_LOST || others ? 1 : 0);
    for (uint32_t i = 0; i < object->member_count; i++) {
        if (is_seen(turn, i)) {
            put(account->seen, i);
            account->next = i + 1;
        } else if (object->members[i].required) {
            put(account->needed, i);
        }
    }
    if (taken != SLM_LIST_LOST) {
        put(account->seen, taken);
        account->next = taken + 1;
    }
    if (others || (turn->frame->c & SLM_OBJECT_OTHERS)) {
        account->next = object->member_count;
    }
    close_needs(turn, account->seen, account->needed);
}

static bool is_reachable(const struct slm_object_turn *turn, const struct account *account, uint32_t member)
{
    return (turn->object->any_order || member >= account->next) && can_hold(turn, turn->object->members[member].value);
}

static void add_weight(struct slm_weight more, struct slm_weight *sum)
{
    sum->cost = slm__cost_add(sum->cost, more.cost);
    sum->depth = more.depth > sum->depth ? more.depth : sum->depth;
}

static void add_member(const struct slm_object_turn *turn, uint32_t member, struct slm_weight *sum)
{
    const struct slm_member_record *record = &turn->object->members[member];
    add_weight((struct slm_weight){slm__member_cost(turn->grammar, record), turn->grammar->depth[record->value]}, sum);
}

/* How many members are needed beside those of `before` (NULL: none); *reachable: they can all come. Their costs are added up. */
static uint32_t count_needed(const struct slm_object_turn *turn, const struct account *account, const uint32_t *before, bool *reachable,
                             struct slm_weight *sum)
{
    uint32_t count = 0;
    *reachable = true;
    for (uint32_t i = 0; i < turn->object->member_count; i++) {
        if (has(account->needed, i) && !has(account->seen, i) && (before == NULL || !has(before, i))) {
            count++;
            *reachable = *reachable && is_reachable(turn, account, i);
            add_member(turn, i, sum);
        }
    }
    return count;
}

static bool less(const void *items, uint32_t a, uint32_t b)
{
    const struct slm_weight *all = items;
    return slm__weight_less(all[a], all[b]);
}

static void swap(void *items, uint32_t a, uint32_t b)
{
    struct slm_weight *all = items;
    const struct slm_weight kept = all[a];
    all[a] = all[b];
    all[b] = kept;
}

/* Of what member `i` adds, with all that it needs; COST_NONE: that cannot come, or is too much beside the `sum` that comes anyway. */
static struct slm_weight weigh_member(const struct slm_object_turn *turn, const struct account *account, uint32_t i, uint32_t sum)
{
    const struct slm_weight none = {SLM_COST_NONE, 0};
    struct slm_weight weight = {0, 0};
    if (has(account->seen, i) || has(account->needed, i) || !is_reachable(turn, account, i)) {
        return none;
    }
    if (!turn->object->has_needs) {
        add_member(turn, i, &weight);
        return weight;
    }
    struct account with = *account;
    bool reachable;
    put(with.needed, i);
    close_needs(turn, with.seen, with.needed);
    const uint32_t count = count_needed(turn, &with, account->needed, &reachable, &weight);
    return reachable && count <= turn->object->max_properties - sum ? weight : none;
}

/* Add the cheapest members until there are enough beside the `sum` that come anyway (not `exact`: any of them), or COST_NONE. With
 * dependencies it is one. */
static void fill_up(const struct slm_object_turn *turn, const struct account *account, uint32_t sum, bool exact, struct slm_weight *weight)
{
    struct slm_weight members[SLM_OBJECT_COUNTED_MAX];
    const uint32_t missing = turn->object->min_properties - sum;
    uint32_t count = 0;
    for (uint32_t i = 0; i < turn->object->member_count; i++) {
        members[count] = weigh_member(turn, account, i, sum);
        count += members[count].cost != SLM_COST_NONE;
    }
    if (count < missing || (turn->object->has_needs && missing > 1)) {
        weight->cost = SLM_COST_NONE;
        return;
    }
    if (exact) {
        slm__heap_sort(members, count, less, swap);
    }
    for (uint32_t i = 0; i < missing; i++) {
        add_weight(members[i], weight);
    }
}

/* The cheapest name of no member and its value, `count` times; COST_NONE: there is none. */
static struct slm_weight weigh_others(const struct slm_object_turn *turn, uint32_t count)
{
    struct slm_weight best = {SLM_COST_NONE, 0};
    for (uint32_t i = 0; i < turn->object->pattern_count; i++) {
        const struct slm_pattern_record *pattern = &turn->object->patterns[i];
        const bool any = pattern->automaton == UINT32_MAX;
        const struct slm_program_automaton *keys = &turn->grammar->automata[any ? 0 : pattern->automaton];
        const uint32_t name = any ? slm__other_name_rest(&turn->object->keys, 0, 0) : keys->cost[keys->start];
        const uint32_t cost = slm__cost_add(slm__cost_add(name, MEMBER_BYTES), turn->grammar->cost[pattern->value]);
        if (can_hold(turn, pattern->value) && cost < best.cost) {
            best = (struct slm_weight){cost, turn->grammar->depth[pattern->value]};
        }
    }
    best.cost = slm__cost_times(best.cost, count);
    return best;
}

/* What is to come behind an account; COST_NONE: it can never be closed. */
static struct slm_weight weigh_account(const struct slm_object_turn *turn, const struct account *account, bool exact)
{
    const struct slm_program_object *object = turn->object;
    struct slm_weight weight = {0, 0};
    bool reachable;
    const uint32_t sum = account->count + count_needed(turn, account, NULL, &reachable, &weight);
    if (!reachable || sum < account->count || sum > object->max_properties || object->min_properties > object->max_properties) {
        return (struct slm_weight){SLM_COST_NONE, 0};
    }
    if (sum < object->min_properties) {
        struct slm_weight others = weight;
        add_weight(weigh_others(turn, object->min_properties - sum), &others);
        fill_up(turn, account, sum, exact, &weight);
        return slm__weight_less(others, weight) ? others : weight;
    }
    return weight;
}

/* ---- Turns ---- */

/* Members come and go freely: nothing depends on counts or needs (any more). */
static bool is_free(const struct slm_object_turn *turn)
{
    const struct slm_program_object *object = turn->object;
    return object->is_free ||
           (!object->has_needs && object->max_properties == UINT32_MAX && slm__object_count(turn->frame) >= object->min_properties);
}

/* Whether what is needed, and enough, and not too many, can still come behind one more. */
static bool can_close_behind(const struct slm_object_turn *turn, uint32_t member, bool others)
{
    struct account account;
    open_account(turn, member, others, &account);
    return weigh_account(turn, &account, false).cost != SLM_COST_NONE;
}

/* In order, with a set: behind the last one seen, and no other name has come. */
static bool is_in_order(const struct slm_object_turn *turn, uint32_t member)
{
    if (turn->object->any_order) {
        return true;
    }
    struct account account;
    open_account(turn, SLM_LIST_LOST, false, &account);
    return member >= account.next;
}

bool slm__turn_may_take(const struct slm_object_turn *turn, uint32_t member)
{
    const struct slm_program_object *object = turn->object;
    if (!can_hold(turn, object->members[member].value) || is_seen(turn, member)) {
        return false;
    }
    if (!object->keeps_set && member > object->next_required[turn->frame->a]) {
        return false;
    }
    return is_free(turn) || (is_in_order(turn, member) && can_close_behind(turn, member, false));
}

bool slm__turn_may_take_pattern(const struct slm_object_turn *turn, uint32_t pattern)
{
    const struct slm_program_object *object = turn->object;
    if (!can_hold(turn, object->patterns[pattern].value)) {
        return false;
    }
    if (!object->keeps_set && object->next_required[turn->frame->a] < object->member_count) {
        return false;
    }
    return is_free(turn) || can_close_behind(turn, SLM_LIST_LOST, true);
}

bool slm__turn_may_take_any(const struct slm_object_turn *turn)
{
    for (uint32_t i = 0; i < turn->object->pattern_count; i++) {
        if (slm__turn_may_take_pattern(turn, i)) {
            return true;
        }
    }
    for (uint32_t i = turn->object->keeps_set ? 0 : turn->frame->a; i < turn->object->member_count; i++) {
        if (slm__turn_may_take(turn, i)) {
            return true;
        }
    }
    return false;
}

bool slm__turn_may_close(const struct slm_object_turn *turn)
{
    const struct slm_program_object *object = turn->object;
    if (!is_free(turn)) {
        struct account account;
        struct slm_weight weight = {0, 0};
        bool reachable;
        open_account(turn, SLM_LIST_LOST, false, &account);
        return account.count >= object->min_properties && count_needed(turn, &account, NULL, &reachable, &weight) == 0;
    }
    if (!object->keeps_set) {
        return object->next_required[turn->frame->a] == object->member_count;
    }
    for (uint32_t i = object->next_required[0]; i < object->member_count; i = object->next_required[i + 1]) {
        if (!is_seen(turn, i)) {
            return false;
        }
    }
    return true;
}

struct slm_weight slm__turn_rest(const struct slm_object_turn *turn, uint32_t member, bool others)
{
    const struct slm_program_object *object = turn->object;
    struct slm_weight sum = {0, 0};
    if (!is_free(turn)) {
        struct account account;
        open_account(turn, member, others, &account);
        return weigh_account(turn, &account, true);
    }
    if (!object->keeps_set && turn->states != NULL) { /* nothing is summed up yet while nodes are weighed */
        return (struct slm_weight){object->pending_cost[member != SLM_LIST_LOST ? member + 1 : turn->frame->a], 0};
    }
    for (uint32_t i = object->next_required[0]; i < object->member_count; i = object->next_required[i + 1]) {
        if (i != member && !is_seen(turn, i)) {
            add_member(turn, i, &sum);
        }
    }
    return sum;
}
