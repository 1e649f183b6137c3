/* SPDX-License-Identifier: MIT */
/*
 * From goals to forms. A state is a conjunction under construction: atoms found, choices still open. Literals are taken apart until only
 * atoms and choices are left; then every open choice is tried, those that leave one possibility are taken, and the state splits at the
 * smallest of the others. A state that holds an enum or a const is done at once: the values that satisfy the whole goal are its form.
 */
#include "grammar/schema_evaluate.h" /* slm__goal_accepts, slm__json_value_type */
#include "grammar/schema_records.h"  /* slm__schema_member_goal */
#include "grammar/schema_ways.h"     /* slm__ways_of, slm__ways_to_fail */

enum { MOST_FORMS = 400, DEEPEST_SPLIT = 60, DEEPEST_QUESTION = 10, LONGEST_CHAIN = 2000 };
enum { MOST_SPLIT_STRINGS = 8, DEEPEST_NESTING = 64, MOST_HOPS = 8 };

struct choice {
    struct slm_ways ways;
    uint32_t parent; /* visit that made it */
    bool evaluates;  /* what it chooses matters to an unevaluatedItems or unevaluatedProperties, even when it demands nothing */
};

struct state {
    enum slm_schema_type type;
    struct slm_atom *atoms;
    uint32_t atom_count;
    uint32_t atom_capacity;
    struct choice *choices;
    uint32_t choice_count;
    uint32_t choice_capacity;
    struct slm_visit *visits;
    uint32_t visit_count;
    uint32_t visit_capacity;
    uint32_t values_at; /* location plus 1 of an enum or const */
    bool dead;
    bool shared;
};

/* What waits to be taken into a state. */
struct stack {
    struct waiting {
        struct slm_atom atom;
        uint32_t parent;
    } * items;
    uint32_t count;
    uint32_t capacity;
};

struct result {
    struct slm_form *forms;
    uint32_t count;
    uint32_t capacity;
    uint32_t most;                  /* forms */
    const struct slm_json **values; /* of enum and const; one form in the end */
    uint32_t value_count;
    uint32_t value_capacity;
    uint32_t *places; /* locations that the values come from */
    uint32_t place_count;
    uint32_t place_capacity;
    slm_goal goal;
    enum slm_schema_type type;
};

static bool same_atom(const struct slm_atom *a, const struct slm_atom *b)
{
    return a->kind == b->kind && a->keyword == b->keyword && a->location == b->location && a->index == b->index &&
           a->literal == b->literal && a->words == b->words && slm__span_equal(a->key, b->key);
}

static slm_status add_atom(struct slm_schema_work *work, struct state *state, const struct slm_atom *atom)
{
    SLM_TRY(slm__schema_spend(work, 1 + state->atom_count / 16));
    for (uint32_t i = 0; i < state->atom_count; i++) {
        const struct slm_atom *other = &state->atoms[i];
        if (same_atom(other, atom)) {
            return SLM_OK;
        }
        bool opposite =
            (other->kind == SLM_ATOM_HAS && atom->kind == SLM_ATOM_LACKS) || (other->kind == SLM_ATOM_LACKS && atom->kind == SLM_ATOM_HAS);
        state->dead = state->dead || (opposite && slm__span_equal(other->key, atom->key));
    }
    SLM_TRY(slm__schema_room(work, &state->atoms, state->atom_count, &state->atom_capacity, sizeof *state->atoms));
    state->atoms[state->atom_count++] = *atom;
    return SLM_OK;
}

static slm_status push(struct slm_schema_work *work, struct stack *stack, const struct slm_atom *atom, uint32_t parent)
{
    SLM_TRY(slm__schema_room(work, &stack->items, stack->count, &stack->capacity, sizeof *stack->items));
    stack->items[stack->count++] = (struct waiting){*atom, parent};
    return SLM_OK;
}

static slm_status push_schema(struct slm_schema_work *work, struct stack *stack, const struct slm_json *json, bool negative,
                              uint32_t parent)
{
    struct slm_atom atom;
    SLM_TRY(slm__literal_at(work, json, negative, &atom));
    return push(work, stack, &atom, parent);
}

/* Does an unevaluatedItems or unevaluatedProperties around the visit want to know what holds there? */
static bool is_observed(const struct slm_schema_work *work, const struct state *state, uint32_t visit)
{
    enum slm_keyword keyword = state->type == SLM_VALUE_ARRAY ? SLM_KEYWORD_UNEVALUATED_ITEMS : SLM_KEYWORD_UNEVALUATED_PROPERTIES;
    bool observed = false;
    for (; !observed && visit != UINT32_MAX && state->type >= SLM_VALUE_ARRAY; visit = state->visits[visit].parent) {
        slm_literal literal = state->visits[visit].literal;
        if ((literal & 1) != 0) {
            return false; /* what stands under a negation evaluates nothing */
        }
        observed = slm__schema_has(&work->document.locations[literal / 2], keyword);
    }
    return observed;
}

/* A choice joins the state: none left is dead, a single one is no choice. */
static slm_status add_choice(struct slm_schema_work *work, struct state *state, struct stack *stack, const struct slm_ways *ways,
                             uint32_t parent)
{
    if (ways->count == 0) {
        state->dead = true;
        return SLM_OK;
    }
    if (ways->count > 1) {
        SLM_TRY(slm__schema_room(work, &state->choices, state->choice_count, &state->choice_capacity, sizeof *state->choices));
        state->choices[state->choice_count++] = (struct choice){*ways, parent, is_observed(work, state, parent)};
        return SLM_OK;
    }
    for (uint32_t i = ways->ways[0].count; i-- > 0;) {
        SLM_TRY(push(work, stack, &ways->ways[0].items[i], parent));
    }
    return SLM_OK;
}

#define RANGE(first, last) ((SLM_KEYWORD_BIT(last) - SLM_KEYWORD_BIT(first)) | SLM_KEYWORD_BIT(last))

/* Keywords that say something about values of a type, besides those that combine schemas. */
static uint64_t simple_keywords(enum slm_schema_type type)
{
    switch (type) {
    case SLM_VALUE_NUMBER: return RANGE(SLM_KEYWORD_MINIMUM, SLM_KEYWORD_MULTIPLE_OF);
    case SLM_VALUE_STRING: return RANGE(SLM_KEYWORD_MIN_LENGTH, SLM_KEYWORD_FORMAT);
    case SLM_VALUE_ARRAY: return RANGE(SLM_KEYWORD_PREFIX_ITEMS, SLM_KEYWORD_UNEVALUATED_ITEMS);
    case SLM_VALUE_OBJECT:
        return RANGE(SLM_KEYWORD_PROPERTIES, SLM_KEYWORD_UNEVALUATED_PROPERTIES) |
               RANGE(SLM_KEYWORD_DEPENDENT_SCHEMAS, SLM_KEYWORD_DEPENDENCIES);
    default: return 0;
    }
}

static slm_status take_dependencies(struct slm_schema_work *work, struct state *state, struct stack *stack, uint32_t location,
                                    enum slm_keyword keyword, uint32_t visit)
{
    const struct slm_json *map = slm__schema_get(&work->document.locations[location], keyword);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct slm_json *needed = &map->items[i];
        bool names = needed->type == SLM_JSON_ARRAY || needed->type == SLM_JSON_STRING || slm__schema_only_required(needed) != NULL;
        if (state->type == SLM_VALUE_OBJECT && !names) {
            struct slm_ways ways;
            SLM_TRY(slm__ways_of_dependency(work, map, i, &ways));
            SLM_TRY(add_choice(work, state, stack, &ways, visit));
        }
    }
    return SLM_OK;
}

static slm_status take_list(struct slm_schema_work *work, struct stack *stack, uint32_t location, enum slm_keyword keyword, uint32_t visit)
{
    const struct slm_json *list = slm__schema_get(&work->document.locations[location], keyword);
    for (uint32_t i = list->count; i-- > 0;) {
        SLM_TRY(push_schema(work, stack, &list->items[i], false, visit));
    }
    return SLM_OK;
}

static slm_status take_keyword(struct slm_schema_work *work, struct state *state, struct stack *stack, uint32_t location,
                               enum slm_keyword keyword, uint32_t visit)
{
    uint32_t target = 0;
    struct slm_ways ways;
    switch (keyword) {
    case SLM_KEYWORD_REF:
    case SLM_KEYWORD_DYNAMIC_REF:
    case SLM_KEYWORD_RECURSIVE_REF: {
        SLM_TRY(slm__schema_follow(&work->document, location, keyword, &target, work->error));
        struct slm_atom atom = slm__literal_atom(slm__literal(target, false));
        return push(work, stack, &atom, visit);
    }
    case SLM_KEYWORD_ALL_OF: return take_list(work, stack, location, keyword, visit);
    case SLM_KEYWORD_NOT: return push_schema(work, stack, slm__schema_get(&work->document.locations[location], keyword), true, visit);
    case SLM_KEYWORD_IF:
        if (!slm__schema_has(&work->document.locations[location], SLM_KEYWORD_THEN) &&
            !slm__schema_has(&work->document.locations[location], SLM_KEYWORD_ELSE) && !is_observed(work, state, visit)) {
            return SLM_OK;
        }
        /* fall through */
    case SLM_KEYWORD_ANY_OF:
    case SLM_KEYWORD_ONE_OF:
        SLM_TRY(slm__ways_of(work, location, keyword, state->type, is_observed(work, state, visit), &ways));
        return add_choice(work, state, stack, &ways, visit);
    case SLM_KEYWORD_DEPENDENT_SCHEMAS:
    case SLM_KEYWORD_DEPENDENCIES: return take_dependencies(work, state, stack, location, keyword, visit);
    default: return SLM_OK;
    }
}

/* Its keywords in the order of the text, so that members come in that order. */
static slm_status take_positive(struct slm_schema_work *work, struct state *state, struct stack *stack, uint32_t location, uint32_t visit)
{
    const struct slm_schema_location at = work->document.locations[location];
    uint32_t types = 0;
    SLM_TRY(slm__schema_types(work, location, &types));
    bool integer = state->type == SLM_VALUE_NUMBER && (types >> SLM_VALUE_INTEGER & 1) != 0;
    bool allowed = (types >> state->type & 1) != 0;
    if (at.json->type == SLM_JSON_FALSE || (!allowed && !integer)) {
        state->dead = true;
        return SLM_OK;
    }
    if (slm__schema_has(&at, SLM_KEYWORD_ENUM) || slm__schema_has(&at, SLM_KEYWORD_CONST)) {
        state->values_at = location + 1;
        return SLM_OK;
    }
    uint64_t simple = at.present & simple_keywords(state->type);
    bool own = simple != 0 || !allowed;
    bool ahead = !slm__schema_has(&at, SLM_KEYWORD_PROPERTIES); /* without properties the place in the order does not matter */
    struct slm_atom atom = {.kind = SLM_ATOM_KEYWORDS, .location = location};
    for (uint32_t i = at.keyword_count; i-- > 0;) {
        if (own && !ahead && at.order[i] == SLM_KEYWORD_PROPERTIES) {
            SLM_TRY(push(work, stack, &atom, visit));
        }
        SLM_TRY(take_keyword(work, state, stack, location, (enum slm_keyword)at.order[i], visit));
    }
    return own && ahead ? push(work, stack, &atom, visit) : SLM_OK;
}

/* Was the literal taken before? On the way to itself it is a circle without progress. */
static slm_status visit_literal(struct slm_schema_work *work, struct state *state, slm_literal literal, uint32_t parent, bool *known)
{
    SLM_TRY(slm__schema_spend(work, 1 + state->visit_count / 16));
    for (uint32_t i = 0; i < state->visit_count; i++) {
        if (state->visits[i].literal == literal) {
            *known = true;
            state->shared = state->shared || parent != state->visits[i].parent;
            for (uint32_t at = parent; at != UINT32_MAX; at = state->visits[at].parent) {
                if (at == i) {
                    return slm__fail(work->error, SLM_E_UNSUPPORTED, "%s: the references lead back here without describing anything",
                                     slm__schema_path(&work->document, work->document.locations[literal / 2].json).text);
                }
            }
            return SLM_OK;
        }
    }
    if (state->visit_count >= LONGEST_CHAIN) {
        return slm__fail(work->error, SLM_E_LIMIT, "%s: more than %d schemas apply to one value",
                         slm__schema_path(&work->document, work->document.locations[literal / 2].json).text, LONGEST_CHAIN);
    }
    SLM_TRY(slm__schema_room(work, &state->visits, state->visit_count, &state->visit_capacity, sizeof *state->visits));
    state->visits[state->visit_count++] = (struct slm_visit){literal, parent};
    return SLM_OK;
}

static slm_status take_literal(struct slm_schema_work *work, struct state *state, struct stack *stack, slm_literal literal, uint32_t parent)
{
    bool known = false;
    SLM_TRY(visit_literal(work, state, literal, parent, &known));
    if (known) {
        return SLM_OK;
    }
    uint32_t visit = state->visit_count - 1;
    if ((literal & 1) == 0) {
        return take_positive(work, state, stack, literal / 2, visit);
    }
    struct slm_ways ways;
    bool always = false;
    SLM_TRY(slm__ways_to_fail(work, literal / 2, state->type, &ways, &always));
    return always ? SLM_OK : add_choice(work, state, stack, &ways, visit);
}

/* Take items into the state until only choices are left. */
static slm_status take(struct slm_schema_work *work, struct state *state, const struct slm_atom *items, uint32_t count, uint32_t parent)
{
    struct stack stack = {NULL, 0, 0};
    for (uint32_t i = count; i-- > 0;) {
        SLM_TRY(push(work, &stack, &items[i], parent));
    }
    while (stack.count > 0 && !state->dead && state->values_at == 0) {
        struct waiting item = stack.items[--stack.count];
        if (item.atom.kind == SLM_ATOM_LITERAL) {
            SLM_TRY(take_literal(work, state, &stack, item.atom.literal, item.parent));
        } else {
            item.atom.visit = item.parent;
            SLM_TRY(add_atom(work, state, &item.atom));
        }
    }
    return SLM_OK;
}

slm_status slm__literal_excludes(struct slm_schema_work *work, slm_literal literal, enum slm_schema_type type, bool *excludes)
{
    uint32_t location = literal / 2;
    *excludes = false;
    for (uint32_t hops = 0; hops < MOST_HOPS && !*excludes; hops++) {
        uint32_t types = 0;
        SLM_TRY(slm__schema_types(work, location, &types));
        bool integer = type == SLM_VALUE_NUMBER && (types >> SLM_VALUE_INTEGER & 1) != 0;
        const struct slm_schema_location *at = &work->document.locations[location];
        *excludes = ((types >> type & 1) == 0 && !integer) || at->json->type == SLM_JSON_FALSE;
        if (!slm__schema_has(at, SLM_KEYWORD_REF)) {
            break;
        }
        SLM_TRY(slm__schema_follow(&work->document, location, SLM_KEYWORD_REF, &location, work->error));
    }
    return SLM_OK;
}

static slm_status copy_state(struct slm_schema_work *work, const struct state *from, struct state *to)
{
    SLM_TRY(slm__schema_spend(work, 1 + (from->atom_count + from->choice_count + from->visit_count) / 8));
    *to = *from;
    to->atom_capacity = from->atom_count + 4;
    to->choice_capacity = from->choice_count + 2;
    to->visit_capacity = from->visit_count + 4;
    SLM_TRY(slm__schema_take(work, to->atom_capacity * sizeof *to->atoms, &to->atoms));
    SLM_TRY(slm__schema_take(work, to->choice_capacity * sizeof *to->choices, &to->choices));
    SLM_TRY(slm__schema_take(work, to->visit_capacity * sizeof *to->visits, &to->visits));
    if (from->atom_count > 0) {
        memcpy(to->atoms, from->atoms, from->atom_count * sizeof *to->atoms);
    }
    if (from->choice_count > 0) {
        memcpy(to->choices, from->choices, from->choice_count * sizeof *to->choices);
    }
    if (from->visit_count > 0) {
        memcpy(to->visits, from->visits, from->visit_count * sizeof *to->visits);
    }
    return SLM_OK;
}

/* Can no value of the member `key` satisfy all that the atoms say about it? */
static slm_status check_member(struct slm_schema_work *work, struct state *state, struct slm_span key)
{
    slm_goal goal = SLM_GOAL_ANY;
    SLM_TRY(slm__schema_member_goal(work, state->atoms, state->atom_count, key, &goal));
    bool empty = goal == SLM_GOAL_NEVER;
    if (!empty && work->goals[goal].count > 1) {
        SLM_TRY(slm__goal_is_empty(work, goal, &empty));
    }
    state->dead = state->dead || empty;
    return SLM_OK;
}

/* Members that the state needs are looked at: most choices between objects are decided by one of them. */
static slm_status check_members(struct slm_schema_work *work, struct state *state)
{
    for (uint32_t i = 0; i < state->atom_count && !state->dead; i++) {
        const struct slm_atom *atom = &state->atoms[i];
        if (atom->kind == SLM_ATOM_HAS) {
            SLM_TRY(check_member(work, state, atom->key));
        }
        const struct slm_json *required =
            atom->kind != SLM_ATOM_KEYWORDS ? NULL : slm__schema_get(&work->document.locations[atom->location], SLM_KEYWORD_REQUIRED);
        for (uint32_t k = 0; required != NULL && k < required->count && !state->dead; k++) {
            SLM_TRY(check_member(work, state, required->items[k].text));
        }
    }
    return SLM_OK;
}

/* The states that a choice leads to, without the choice itself. *met: one of them says nothing new, so the choice is no condition. */
static slm_status try_choice(struct slm_schema_work *work, const struct state *state, uint32_t choice, struct state **next, uint32_t *count,
                             bool *met)
{
    const struct choice open = state->choices[choice];
    *count = 0;
    SLM_TRY(slm__schema_take(work, open.ways.count * sizeof **next, next));
    for (uint32_t i = 0; i < open.ways.count && !*met; i++) {
        struct state *child = &(*next)[*count];
        SLM_TRY(copy_state(work, state, child));
        child->choices[choice] = child->choices[--child->choice_count];
        SLM_TRY(take(work, child, open.ways.ways[i].items, open.ways.ways[i].count, open.parent));
        *met = !open.evaluates && !child->dead && child->values_at == 0 && child->atom_count == state->atom_count &&
               child->choice_count == state->choice_count - 1;
        if (!*met && !child->dead && child->values_at == 0 && child->type == SLM_VALUE_OBJECT) {
            SLM_TRY(check_members(work, child));
        }
        *count += !child->dead;
    }
    return SLM_OK;
}

static slm_status add_form(struct slm_schema_work *work, struct result *result, const struct slm_form *form)
{
    if (result->count == result->most) {
        const struct slm_goal_record *goal = &work->goals[result->goal];
        return slm__fail(work->error, SLM_E_LIMIT, "%s: more than %u combinations of alternatives",
                         slm__schema_path(&work->document, work->document.locations[goal->literals[0] / 2].json).text, result->most);
    }
    SLM_TRY(slm__schema_room(work, &result->forms, result->count, &result->capacity, sizeof *result->forms));
    result->forms[result->count++] = *form;
    return SLM_OK;
}

/* Those of the candidates that are of the type and satisfy the goal. */
static slm_status add_values(struct slm_schema_work *work, struct result *result, const struct slm_json *candidates, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool accepts = slm__json_value_type(&candidates[i]) == result->type;
        if (accepts) {
            SLM_TRY(slm__goal_accepts(work, result->goal, &candidates[i], &accepts));
        }
        if (accepts) {
            SLM_TRY(slm__schema_room(work, &result->values, result->value_count, &result->value_capacity, sizeof *result->values));
            result->values[result->value_count++] = &candidates[i];
        }
    }
    return SLM_OK;
}

static slm_status add_enum(struct slm_schema_work *work, struct result *result, uint32_t location)
{
    const struct slm_json *list = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_ENUM);
    const struct slm_json *single = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_CONST);
    SLM_TRY(slm__schema_spend(work, 1 + result->place_count / 16));
    for (uint32_t i = 0; i < result->place_count; i++) {
        if (result->places[i] == location) { /* another state ended here before */
            return SLM_OK;
        }
    }
    SLM_TRY(slm__schema_room(work, &result->places, result->place_count, &result->place_capacity, sizeof *result->places));
    result->places[result->place_count++] = location;
    uint32_t outer = work->known_enum;
    work->known_enum = single == NULL ? location + 1 : outer;
    slm_status status = add_values(work, result, single != NULL ? single : list->items, single != NULL ? 1 : list->count);
    work->known_enum = outer;
    return status;
}

/* Does a form found before say no more than the state does? Then whatever becomes of the state is part of it; not so where more atoms
 * evaluate more members and so allow more. */
static slm_status is_covered(struct slm_schema_work *work, const struct result *result, const struct state *state, bool *covered)
{
    for (uint32_t i = 0; i < result->count && !*covered && !work->document.unevaluated; i++) {
        const struct slm_form *form = &result->forms[i];
        bool within = !form->finite && form->atom_count <= state->atom_count;
        for (uint32_t k = 0; within && k < form->atom_count; k++) {
            SLM_TRY(slm__schema_spend(work, 1 + state->atom_count / 16));
            within = false;
            for (uint32_t at = 0; !within && at < state->atom_count; at++) {
                within = same_atom(&form->atoms[k], &state->atoms[at]);
            }
        }
        *covered = within;
    }
    return SLM_OK;
}

static slm_status add_state(struct slm_schema_work *work, struct result *result, const struct state *state)
{
    if (state->values_at != 0) {
        return add_enum(work, result, state->values_at - 1);
    }
    struct slm_form form = {.atoms = state->atoms, .atom_count = state->atom_count, .visits = state->visits, .shared = state->shared};
    return add_form(work, result, &form);
}

/* An atom about some member, unnamed, becomes a choice among the members known by now. *found: there was one. */
static slm_status name_member(struct slm_schema_work *work, struct state *state, bool *found)
{
    uint32_t i = 0;
    while (i < state->atom_count && !slm__atom_is_some_member(&state->atoms[i])) {
        i++;
    }
    *found = i < state->atom_count;
    if (!*found) {
        return SLM_OK;
    }
    struct slm_atom atom = state->atoms[i];
    state->atoms[i] = state->atoms[--state->atom_count];
    struct slm_ways ways;
    SLM_TRY(slm__ways_of_member(work, state->atoms, state->atom_count, &atom, &ways));
    struct stack stack = {NULL, 0, 0};
    SLM_TRY(add_choice(work, state, &stack, &ways, UINT32_MAX));
    return stack.count == 0 ? SLM_OK : take(work, state, ways.ways[0].items, ways.ways[0].count, UINT32_MAX);
}

/* Take all choices that leave one possibility; then find the smallest of the others. *best_count 0: none is left. */
static slm_status settle(struct slm_schema_work *work, struct state *state, struct state **best, uint32_t *best_count)
{
    *best_count = 0;
    for (uint32_t i = 0; i < state->choice_count && !state->dead && state->values_at == 0;) {
        struct state *next = NULL;
        uint32_t count = 0;
        bool met = false;
        SLM_TRY(try_choice(work, state, i, &next, &count, &met));
        if (!met && count > 1) {
            if (*best_count == 0 || count < *best_count) {
                *best = next;
                *best_count = count;
            }
            i++;
            continue;
        }
        if (met) {
            state->choices[i] = state->choices[--state->choice_count];
        } else if (count == 0) {
            state->dead = true;
        } else {
            *state = next[0];
        }
        *best_count = 0; /* what was tried may have changed */
        i = 0;
    }
    return SLM_OK;
}

/* Strings are closed under all combinations: what would split too often becomes one language instead. */
static slm_status join_strings(struct slm_schema_work *work, struct state *state)
{
    if (work->depth >= DEEPEST_NESTING) {
        return slm__fail(work->error, SLM_E_LIMIT, "alternatives of strings are nested deeper than %d levels", DEEPEST_NESTING);
    }
    work->depth++;
    slm_status status = SLM_OK;
    for (; status == SLM_OK && state->choice_count > 0; state->choice_count--) {
        struct slm_atom atom;
        status = slm__schema_strings_of_ways(work, &state->choices[state->choice_count - 1].ways, &atom);
        status = status == SLM_OK ? add_atom(work, state, &atom) : status;
    }
    work->depth--;
    return status;
}

static slm_status solve(struct slm_schema_work *work, struct result *result, struct state *state, uint32_t depth)
{
    struct state *next = NULL;
    uint32_t count = 0;
    for (bool again = true; again && count == 0 && !state->dead && state->values_at == 0;) {
        SLM_TRY(settle(work, state, &next, &count));
        again = false;
        if (count == 0 && !state->dead && state->values_at == 0) {
            SLM_TRY(name_member(work, state, &again));
        }
    }
    bool covered = state->dead;
    if (!covered && state->values_at == 0) {
        SLM_TRY(is_covered(work, result, state, &covered));
    }
    if (covered) {
        return SLM_OK;
    }
    if (count > 0 && state->type == SLM_VALUE_STRING && (state->choice_count > 1 || count > MOST_SPLIT_STRINGS)) {
        SLM_TRY(join_strings(work, state));
        count = 0;
    }
    if (count == 0) {
        return add_state(work, result, state);
    }
    if (depth == DEEPEST_SPLIT) {
        return slm__fail(work->error, SLM_E_LIMIT, "more than %d choices apply to one value", DEEPEST_SPLIT);
    }
    result->most = result->most < 2 * count ? 2 * count : result->most; /* a single long list is no explosion */
    for (uint32_t i = 0; i < count; i++) {
        SLM_TRY(solve(work, result, &next[i], depth + 1));
    }
    return SLM_OK;
}

static slm_status expand(struct slm_schema_work *work, struct result *result)
{
    const struct slm_goal_record goal = work->goals[result->goal];
    if (result->type == SLM_VALUE_NULL) {
        return add_values(work, result, &work->constants[0], 1);
    }
    if (result->type == SLM_VALUE_BOOLEAN) {
        return add_values(work, result, &work->constants[1], 2);
    }
    struct slm_atom *items = NULL;
    SLM_TRY(slm__schema_take(work, goal.count * sizeof *items, &items));
    for (uint32_t i = 0; i < goal.count; i++) {
        items[i] = slm__literal_atom(goal.literals[i]);
    }
    struct state state = {.type = result->type};
    SLM_TRY(take(work, &state, items, goal.count, UINT32_MAX));
    return solve(work, result, &state, 0);
}

/* Does a literal's own `type` rule the type out? */
static slm_status excluded(struct slm_schema_work *work, slm_goal goal, enum slm_schema_type type, bool *excluded)
{
    for (uint32_t i = 0; i < work->goals[goal].count && !*excluded; i++) {
        slm_literal literal = work->goals[goal].literals[i];
        if ((literal & 1) == 0) {
            SLM_TRY(slm__literal_excludes(work, literal, type, excluded));
        }
    }
    return SLM_OK;
}

slm_status slm__goal_forms(struct slm_schema_work *work, slm_goal goal, enum slm_schema_type type, struct slm_forms *forms)
{
    if ((work->goals[goal].expanded >> type & 1) == 0) {
        struct result result = {.goal = goal, .type = type, .most = MOST_FORMS};
        bool none = false;
        SLM_TRY(excluded(work, goal, type, &none));
        if (!none) {
            SLM_TRY(expand(work, &result));
        }
        if (result.value_count > 0) {
            const struct slm_form values = {.values = result.values, .value_count = result.value_count, .finite = true};
            result.most++;
            SLM_TRY(add_form(work, &result, &values));
        }
        work->goals[goal].forms[type] = (struct slm_forms){result.forms, result.count};
        work->goals[goal].expanded |= (uint8_t)(1u << type);
    }
    *forms = work->goals[goal].forms[type];
    return SLM_OK;
}

slm_status slm__goal_is_empty_for(struct slm_schema_work *work, slm_goal goal, enum slm_schema_type type, bool *empty)
{
    *empty = (work->goals[goal].empty >> type & 1) != 0;
    if ((work->goals[goal].tested >> type & 1) != 0 || goal == SLM_GOAL_ANY || work->depth >= DEEPEST_QUESTION) {
        return SLM_OK;
    }
    work->goals[goal].tested |= (uint8_t)(1u << type); /* asked again meanwhile: perhaps not empty */
    work->depth++;
    struct slm_forms forms = {NULL, 0};
    slm_status status = slm__goal_forms(work, goal, type, &forms);
    bool all = true;
    for (uint32_t i = 0; status == SLM_OK && all && i < forms.count; i++) {
        status = slm__form_is_empty(work, &forms.forms[i], type, &all);
    }
    work->depth--;
    *empty = all;
    work->goals[goal].empty |= (uint8_t)((unsigned)all << type);
    return status;
}

slm_status slm__goal_is_empty(struct slm_schema_work *work, slm_goal goal, bool *empty)
{
    *empty = goal != SLM_GOAL_ANY;
    for (unsigned type = 0; *empty && type < SLM_VALUE_TYPES; type++) {
        SLM_TRY(slm__goal_is_empty_for(work, goal, (enum slm_schema_type)type, empty));
    }
    return SLM_OK;
}
