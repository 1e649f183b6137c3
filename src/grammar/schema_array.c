/* SPDX-License-Identifier: MIT */
/* Arrays: the goal of each item of the longest prefix, that of the rest, counts, and what some items have to be. */
#include "grammar/schema_records.h"

struct building {
    struct slm_schema_array *array;
    struct slm_schema_contains *contains;
    uint32_t contains_capacity;
    uint32_t longest; /* prefix of all atoms */
    struct unevaluated {
        slm_literal literal;
        uint32_t from; /* items before it are evaluated */
    } * unevaluated;
    uint32_t unevaluated_count;
    uint32_t unevaluated_capacity;
};

/* What one location says about items: a list for the first ones, a schema for the rest. */
struct items {
    const struct slm_json *prefix; /* or NULL */
    const struct slm_json *rest;
};

static struct items items_of(const struct slm_schema_location *at)
{
    const struct slm_json *items = slm__schema_get(at, SLM_KEYWORD_ITEMS);
    struct items result = {slm__schema_get(at, SLM_KEYWORD_PREFIX_ITEMS), items};
    if (items != NULL && items->type == SLM_JSON_ARRAY) { /* before draft 2020-12 */
        result = (struct items){items, slm__schema_get(at, SLM_KEYWORD_ADDITIONAL_ITEMS)};
    }
    return result;
}

static uint32_t prefix_length(const struct slm_json *prefix)
{
    return prefix != NULL && prefix->type == SLM_JSON_ARRAY ? prefix->count : 0;
}

/* The goal of the item at `index` (UINT32_MAX: of those behind every prefix). */
static slm_status goal_at(struct slm_schema_work *work, const struct slm_form *form, const struct building *building, uint32_t index,
                          slm_goal *goal)
{
    struct slm_literals literals = {0};
    for (uint32_t i = 0; i < form->atom_count; i++) {
        const struct slm_atom *atom = &form->atoms[i];
        if (atom->kind == SLM_ATOM_ITEMS || (atom->kind == SLM_ATOM_ITEM && atom->index == index)) {
            SLM_TRY(slm__literals_add(work, &literals, atom->literal));
        }
        if (atom->kind == SLM_ATOM_KEYWORDS) {
            struct items items = items_of(&work->document.locations[atom->location]);
            const struct slm_json *schema = index < prefix_length(items.prefix) ? &items.prefix->items[index] : items.rest;
            if (schema != NULL) {
                SLM_TRY(slm__literals_add_schema(work, &literals, schema));
            }
        }
    }
    for (uint32_t i = 0; i < building->unevaluated_count; i++) {
        if (index >= building->unevaluated[i].from) {
            SLM_TRY(slm__literals_add(work, &literals, building->unevaluated[i].literal));
        }
    }
    return slm__literals_goal(work, &literals, goal);
}

static slm_status add_contains(struct slm_schema_work *work, struct building *building, struct slm_schema_contains contains)
{
    struct slm_schema_array *array = building->array;
    if (contains.least == 0 && contains.most == UINT32_MAX) {
        return SLM_OK;
    }
    SLM_TRY(slm__schema_room(work, &building->contains, array->contains_count, &building->contains_capacity, sizeof contains));
    building->contains[array->contains_count++] = contains;
    array->contains = building->contains;
    return SLM_OK;
}

static slm_status read_contains(struct slm_schema_work *work, uint32_t location, struct building *building)
{
    const struct slm_schema_location at = work->document.locations[location];
    struct slm_schema_contains contains = {.least = 1, .most = UINT32_MAX, .location = location};
    uint32_t schema = 0;
    SLM_TRY(slm__schema_at(work, slm__schema_get(&at, SLM_KEYWORD_CONTAINS), &schema));
    contains.literal = slm__literal(schema, false);
    if (slm__schema_has(&at, SLM_KEYWORD_MIN_CONTAINS)) {
        SLM_TRY(slm__schema_count(work, location, SLM_KEYWORD_MIN_CONTAINS, &contains.least));
    }
    if (slm__schema_has(&at, SLM_KEYWORD_MAX_CONTAINS)) {
        SLM_TRY(slm__schema_count(work, location, SLM_KEYWORD_MAX_CONTAINS, &contains.most));
    }
    return add_contains(work, building, contains);
}

static void at_least(struct slm_schema_array *array, uint32_t count) { array->min = count > array->min ? count : array->min; }

static void at_most(struct slm_schema_array *array, uint32_t count) { array->max = count < array->max ? count : array->max; }

static slm_status read_keywords(struct slm_schema_work *work, uint32_t location, struct building *building)
{
    const struct slm_schema_location at = work->document.locations[location];
    uint32_t count = 0;
    struct items items = items_of(&at);
    building->longest = prefix_length(items.prefix) > building->longest ? prefix_length(items.prefix) : building->longest;
    if (slm__schema_has(&at, SLM_KEYWORD_MIN_ITEMS)) {
        SLM_TRY(slm__schema_count(work, location, SLM_KEYWORD_MIN_ITEMS, &count));
        at_least(building->array, count);
    }
    if (slm__schema_has(&at, SLM_KEYWORD_MAX_ITEMS)) {
        SLM_TRY(slm__schema_count(work, location, SLM_KEYWORD_MAX_ITEMS, &count));
        at_most(building->array, count);
    }
    if (slm__json_is_true(slm__schema_get(&at, SLM_KEYWORD_UNIQUE_ITEMS))) {
        building->array->unique = location + 1;
    }
    return slm__schema_has(&at, SLM_KEYWORD_CONTAINS) ? read_contains(work, location, building) : SLM_OK;
}

/* Arrays that an enum or const excludes: of these only the empty one is a matter of counting. */
static slm_status exclude(struct slm_schema_work *work, const struct slm_atom *atom, const struct slm_json *values, uint32_t count,
                          struct building *building)
{
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].type == SLM_JSON_ARRAY && values[i].count == 0) {
            at_least(building->array, 1);
        } else if (values[i].type == SLM_JSON_ARRAY) {
            SLM_TRY(slm__schema_unsupported(work, atom->location, (enum slm_keyword)atom->keyword, "an array is excluded"));
        }
    }
    return SLM_OK;
}

static slm_status read_failure(struct slm_schema_work *work, const struct slm_atom *atom, struct building *building)
{
    enum slm_keyword keyword = (enum slm_keyword)atom->keyword;
    const struct slm_schema_location at = work->document.locations[atom->location];
    const struct slm_json *value = slm__schema_get(&at, keyword);
    uint32_t count = 0;
    if (keyword == SLM_KEYWORD_ENUM || keyword == SLM_KEYWORD_CONST) {
        bool list = keyword == SLM_KEYWORD_ENUM;
        return exclude(work, atom, list ? value->items : value, list ? value->count : 1, building);
    }
    if (keyword == SLM_KEYWORD_MIN_ITEMS) {
        SLM_TRY(slm__schema_count(work, atom->location, keyword, &count));
        building->array->empty = building->array->empty || count == 0;
        at_most(building->array, count - 1);
        return SLM_OK;
    }
    if (keyword == SLM_KEYWORD_MAX_ITEMS) {
        SLM_TRY(slm__schema_count(work, atom->location, keyword, &count));
        at_least(building->array, count + 1);
        return SLM_OK;
    }
    uint32_t schema = 0; /* items, additionalItems: some item behind the prefix fails */
    SLM_TRY(slm__schema_at(work, value, &schema));
    struct slm_schema_contains contains = {slm__literal(schema, true), prefix_length(items_of(&at).prefix), 1, UINT32_MAX, atom->location};
    return add_contains(work, building, contains);
}

static slm_status read_atom(struct slm_schema_work *work, const struct slm_atom *atom, struct building *building)
{
    switch (atom->kind) {
    case SLM_ATOM_KEYWORDS: return read_keywords(work, atom->location, building);
    case SLM_ATOM_FAILS: return read_failure(work, atom, building);
    case SLM_ATOM_ITEM:
        building->longest = atom->index + 1 > building->longest ? atom->index + 1 : building->longest;
        at_least(building->array, atom->index + 1);
        return SLM_OK;
    default: return SLM_OK;
    }
}

/* unevaluatedItems of an atom: from where on it speaks, if it does. */
static slm_status read_unevaluated(struct slm_schema_work *work, const struct slm_form *form, uint32_t atom, struct building *building)
{
    uint32_t location = form->atoms[atom].location;
    uint32_t *evaluators = NULL;
    uint32_t count = 0;
    struct unevaluated unevaluated = {.from = 0};
    if (form->atoms[atom].kind != SLM_ATOM_KEYWORDS ||
        !slm__schema_has(&work->document.locations[location], SLM_KEYWORD_UNEVALUATED_ITEMS)) {
        return SLM_OK;
    }
    SLM_TRY(slm__schema_evaluators(work, form, atom, SLM_KEYWORD_UNEVALUATED_ITEMS, &evaluators, &count));
    bool speaks = count > 0;
    bool contains = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct slm_schema_location *at = &work->document.locations[form->atoms[evaluators[i]].location];
        struct items items = items_of(at);
        bool other = evaluators[i] != atom && slm__schema_has(at, SLM_KEYWORD_UNEVALUATED_ITEMS);
        speaks = speaks && !other && items.rest == NULL;
        contains = contains || slm__schema_has(at, SLM_KEYWORD_CONTAINS);
        unevaluated.from = prefix_length(items.prefix) > unevaluated.from ? prefix_length(items.prefix) : unevaluated.from;
    }
    if (!speaks) {
        return SLM_OK;
    }
    if (contains) {
        return slm__schema_unsupported(work, location, SLM_KEYWORD_UNEVALUATED_ITEMS, "contains evaluates items too");
    }
    uint32_t schema = 0;
    SLM_TRY(slm__schema_at(work, slm__schema_get(&work->document.locations[location], SLM_KEYWORD_UNEVALUATED_ITEMS), &schema));
    unevaluated.literal = slm__literal(schema, false);
    SLM_TRY(
        slm__schema_room(work, &building->unevaluated, building->unevaluated_count, &building->unevaluated_capacity, sizeof unevaluated));
    building->unevaluated[building->unevaluated_count++] = unevaluated;
    return SLM_OK;
}

/* Goals of the prefix and the rest; a NEVER among them bounds the length. */
static slm_status read_goals(struct slm_schema_work *work, const struct slm_form *form, const struct building *building)
{
    struct slm_schema_array *array = building->array;
    uint32_t longest = building->longest;
    slm_goal *prefix = NULL;
    SLM_TRY(slm__schema_spend(work, (uint64_t)longest * form->atom_count));
    SLM_TRY(slm__schema_take(work, longest * sizeof *prefix, &prefix));
    for (uint32_t i = 0; i < longest && i < array->max; i++) {
        SLM_TRY(goal_at(work, form, building, i, &prefix[i]));
        if (prefix[i] == SLM_GOAL_NEVER) {
            at_most(array, i);
        }
    }
    SLM_TRY(goal_at(work, form, building, UINT32_MAX, &array->rest));
    if (array->rest == SLM_GOAL_NEVER) {
        at_most(array, longest);
    }
    array->prefix = prefix;
    array->prefix_count = longest < array->max ? longest : array->max;
    return SLM_OK;
}

slm_status slm__schema_array_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_array *array)
{
    *array = (struct slm_schema_array){.max = UINT32_MAX};
    struct building building = {.array = array};
    for (uint32_t i = 0; i < form->atom_count; i++) {
        SLM_TRY(read_atom(work, &form->atoms[i], &building));
    }
    for (uint32_t i = 0; i < form->atom_count; i++) {
        SLM_TRY(read_unevaluated(work, form, i, &building));
    }
    SLM_TRY(read_goals(work, form, &building));
    array->empty = array->empty || array->min > array->max;
    for (uint32_t i = 0; i < array->contains_count; i++) {
        const struct slm_schema_contains *contains = &array->contains[i];
        uint32_t room = array->max > contains->from ? array->max - contains->from : 0;
        array->empty = array->empty || contains->least > contains->most || contains->least > room;
    }
    return SLM_OK;
}
