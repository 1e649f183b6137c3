/* SPDX-License-Identifier: MIT */
/* How a schema can refuse a value: one way for each keyword, or for each entry of it. */
#include "grammar/schema_ways.h"

static slm_status fail_literal(struct slm_schema_work *work, const struct slm_json *schema, bool negative, struct slm_ways *ways)
{
    struct slm_atom atom;
    SLM_TRY(slm__literal_at(work, schema, negative, &atom));
    return slm__way_add(work, ways, &atom, 1);
}

static slm_status fail_atom(struct slm_schema_work *work, enum slm_atom_kind kind, uint32_t location, enum slm_keyword keyword,
                            uint32_t index, struct slm_ways *ways)
{
    struct slm_atom atom = {.kind = (uint8_t)kind, .keyword = (uint8_t)keyword, .location = location, .index = index};
    return slm__way_add(work, ways, &atom, 1);
}

/* Does every value satisfy the schema at `json`, as far as one sees? */
static bool is_trivial(const struct slm_json *json)
{
    return json->type == SLM_JSON_TRUE || (json->type == SLM_JSON_OBJECT && json->count == 0);
}

/* oneOf fails when no branch holds, or two do. */
static slm_status fail_one_of(struct slm_schema_work *work, const struct slm_json *list, enum slm_schema_type type, struct slm_ways *ways)
{
    for (uint32_t i = 0; i < list->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            struct slm_atom both[2];
            SLM_TRY(slm__literal_at(work, &list->items[k], false, &both[0]));
            SLM_TRY(slm__literal_at(work, &list->items[i], false, &both[1]));
            slm_literal literals[2] = {both[0].literal, both[1].literal};
            slm_goal goal = SLM_GOAL_ANY;
            bool empty = false;
            SLM_TRY(slm__goal_of(work, literals, 2, &goal));
            SLM_TRY(slm__goal_is_empty_for(work, goal, type, &empty));
            if (!empty) {
                SLM_TRY(slm__way_add(work, ways, both, 2));
            }
        }
    }
    return SLM_OK;
}

/* All of a list fail. */
static slm_status fail_all(struct slm_schema_work *work, const struct slm_json *list, struct slm_ways *ways)
{
    struct slm_atom *items = NULL;
    SLM_TRY(slm__schema_take(work, list->count * sizeof *items, &items));
    for (uint32_t i = 0; i < list->count; i++) {
        SLM_TRY(slm__literal_at(work, &list->items[i], true, &items[i]));
    }
    return slm__way_add(work, ways, items, list->count);
}

static slm_status fail_condition(struct slm_schema_work *work, uint32_t location, struct slm_ways *ways)
{
    static const enum slm_keyword branches[2] = {SLM_KEYWORD_THEN, SLM_KEYWORD_ELSE};
    for (int i = 0; i < 2; i++) {
        const struct slm_json *if_schema = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_IF);
        const struct slm_json *branch = slm__schema_get(&work->document.locations[location], branches[i]);
        if (branch != NULL) {
            struct slm_atom items[2];
            SLM_TRY(slm__literal_at(work, if_schema, i == 1, &items[0]));
            SLM_TRY(slm__literal_at(work, branch, true, &items[1]));
            SLM_TRY(slm__way_add(work, ways, items, 2));
        }
    }
    return SLM_OK;
}

static slm_status fail_applicator(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, enum slm_schema_type type,
                                  struct slm_ways *ways)
{
    const struct slm_json *value = slm__schema_get(&work->document.locations[location], keyword);
    uint32_t target = 0;
    switch (keyword) {
    case SLM_KEYWORD_REF:
    case SLM_KEYWORD_DYNAMIC_REF:
    case SLM_KEYWORD_RECURSIVE_REF: {
        SLM_TRY(slm__schema_follow(&work->document, location, keyword, &target, work->error));
        struct slm_atom atom = slm__literal_atom(slm__literal(target, true));
        return slm__way_add(work, ways, &atom, 1);
    }
    case SLM_KEYWORD_NOT: return fail_literal(work, value, false, ways);
    case SLM_KEYWORD_IF: return fail_condition(work, location, ways);
    case SLM_KEYWORD_ALL_OF:
    case SLM_KEYWORD_ANY_OF:
    case SLM_KEYWORD_ONE_OF: break;
    default: return SLM_OK;
    }
    for (uint32_t i = 0; keyword == SLM_KEYWORD_ALL_OF && i < value->count; i++) {
        SLM_TRY(fail_literal(work, &value->items[i], true, ways));
    }
    if (keyword == SLM_KEYWORD_ONE_OF) {
        SLM_TRY(fail_one_of(work, value, type, ways));
    }
    return keyword == SLM_KEYWORD_ALL_OF ? SLM_OK : fail_all(work, value, ways);
}

/* A dependency fails: the name is there, and what it needs is not. */
static slm_status fail_dependencies(struct slm_schema_work *work, const struct slm_json *map, struct slm_ways *ways)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct slm_json *needed = &map->items[i];
        struct slm_atom items[2] = {{.kind = SLM_ATOM_HAS, .key = map->keys[i]}, {.kind = SLM_ATOM_LACKS}};
        if (needed->type == SLM_JSON_OBJECT || needed->type == SLM_JSON_FALSE) {
            SLM_TRY(slm__literal_at(work, needed, true, &items[1]));
            SLM_TRY(slm__way_add(work, ways, items, 2));
        }
        uint32_t names = needed->type == SLM_JSON_ARRAY ? needed->count : needed->type == SLM_JSON_STRING;
        for (uint32_t k = 0; k < names; k++) {
            items[1].key = needed->type == SLM_JSON_STRING ? needed->text : needed->items[k].text;
            SLM_TRY(slm__way_add(work, ways, items, 2));
        }
    }
    return SLM_OK;
}

static slm_status fail_properties(struct slm_schema_work *work, const struct slm_json *properties, struct slm_ways *ways)
{
    for (uint32_t i = 0; i < properties->count; i++) {
        if (!is_trivial(&properties->items[i])) {
            struct slm_atom items[2] = {{.kind = SLM_ATOM_HAS, .key = properties->keys[i]}};
            SLM_TRY(slm__literal_at(work, &properties->items[i], true, &items[1]));
            items[1].kind = SLM_ATOM_MEMBER;
            items[1].key = properties->keys[i];
            SLM_TRY(slm__way_add(work, ways, items, 2));
        }
    }
    return SLM_OK;
}

static slm_status fail_object(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, struct slm_ways *ways)
{
    const struct slm_json *value = slm__schema_get(&work->document.locations[location], keyword);
    switch (keyword) {
    case SLM_KEYWORD_PROPERTIES: return fail_properties(work, value, ways);
    case SLM_KEYWORD_DEPENDENT_SCHEMAS:
    case SLM_KEYWORD_DEPENDENT_REQUIRED:
    case SLM_KEYWORD_DEPENDENCIES: return fail_dependencies(work, value, ways);
    case SLM_KEYWORD_REQUIRED:
        for (uint32_t i = 0; value->type == SLM_JSON_ARRAY && i < value->count; i++) {
            struct slm_atom atom = {.kind = SLM_ATOM_LACKS, .key = value->items[i].text};
            SLM_TRY(slm__way_add(work, ways, &atom, 1));
        }
        return SLM_OK;
    case SLM_KEYWORD_PATTERN_PROPERTIES:
        for (uint32_t i = 0; i < value->count; i++) {
            if (!is_trivial(&value->items[i])) {
                SLM_TRY(fail_atom(work, SLM_ATOM_FAILS, location, keyword, i, ways));
            }
        }
        return SLM_OK;
    case SLM_KEYWORD_ADDITIONAL_PROPERTIES:
    case SLM_KEYWORD_PROPERTY_NAMES: return is_trivial(value) ? SLM_OK : fail_atom(work, SLM_ATOM_FAILS, location, keyword, 0, ways);
    case SLM_KEYWORD_MIN_PROPERTIES:
    case SLM_KEYWORD_MAX_PROPERTIES: return fail_atom(work, SLM_ATOM_FAILS, location, keyword, 0, ways);
    case SLM_KEYWORD_UNEVALUATED_PROPERTIES: return fail_atom(work, SLM_ATOM_UNSUPPORTED, location, keyword, 0, ways);
    default: return SLM_OK;
    }
}

/* contains fails when no item satisfies it; with other counts that is not a matter of one kind of item. */
static slm_status fail_contains(struct slm_schema_work *work, uint32_t location, struct slm_ways *ways)
{
    uint32_t least = 1;
    if (slm__schema_has(&work->document.locations[location], SLM_KEYWORD_MIN_CONTAINS)) {
        SLM_TRY(slm__schema_count(work, location, SLM_KEYWORD_MIN_CONTAINS, &least));
    }
    bool most = slm__schema_has(&work->document.locations[location], SLM_KEYWORD_MAX_CONTAINS);
    if (least > 1 || most) {
        return fail_atom(work, SLM_ATOM_UNSUPPORTED, location, SLM_KEYWORD_CONTAINS, 0, ways);
    }
    if (least == 0) {
        return SLM_OK;
    }
    struct slm_atom atom;
    SLM_TRY(slm__literal_at(work, slm__schema_get(&work->document.locations[location], SLM_KEYWORD_CONTAINS), true, &atom));
    atom.kind = SLM_ATOM_ITEMS;
    return slm__way_add(work, ways, &atom, 1);
}

static slm_status fail_prefix(struct slm_schema_work *work, const struct slm_json *list, struct slm_ways *ways)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (!is_trivial(&list->items[i])) {
            struct slm_atom atom;
            SLM_TRY(slm__literal_at(work, &list->items[i], true, &atom));
            atom.kind = SLM_ATOM_ITEM;
            atom.index = i;
            SLM_TRY(slm__way_add(work, ways, &atom, 1));
        }
    }
    return SLM_OK;
}

static slm_status fail_array(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, struct slm_ways *ways)
{
    const struct slm_json *value = slm__schema_get(&work->document.locations[location], keyword);
    switch (keyword) {
    case SLM_KEYWORD_PREFIX_ITEMS: return value->type == SLM_JSON_ARRAY ? fail_prefix(work, value, ways) : SLM_OK;
    case SLM_KEYWORD_ITEMS:
    case SLM_KEYWORD_ADDITIONAL_ITEMS:
        if (value->type == SLM_JSON_ARRAY) {
            return fail_prefix(work, value, ways);
        }
        return is_trivial(value) ? SLM_OK : fail_atom(work, SLM_ATOM_FAILS, location, keyword, 0, ways);
    case SLM_KEYWORD_MIN_ITEMS:
    case SLM_KEYWORD_MAX_ITEMS: return fail_atom(work, SLM_ATOM_FAILS, location, keyword, 0, ways);
    case SLM_KEYWORD_UNIQUE_ITEMS:
        return slm__json_is_true(value) ? fail_atom(work, SLM_ATOM_UNSUPPORTED, location, keyword, 0, ways) : SLM_OK;
    case SLM_KEYWORD_CONTAINS: return fail_contains(work, location, ways);
    case SLM_KEYWORD_UNEVALUATED_ITEMS: return fail_atom(work, SLM_ATOM_UNSUPPORTED, location, keyword, 0, ways);
    default: return SLM_OK;
    }
}

static slm_status fail_string(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, struct slm_ways *ways)
{
    if (keyword == SLM_KEYWORD_PATTERN || keyword == SLM_KEYWORD_FORMAT) {
        const struct slm_regular *words = NULL;
        SLM_TRY(slm__schema_language(work, location, keyword, &words));
        return words == NULL ? SLM_OK : fail_atom(work, SLM_ATOM_FAILS, location, keyword, 0, ways);
    }
    bool length = keyword == SLM_KEYWORD_MIN_LENGTH || keyword == SLM_KEYWORD_MAX_LENGTH;
    return length ? fail_atom(work, SLM_ATOM_FAILS, location, keyword, 0, ways) : SLM_OK;
}

static slm_status fail_number(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, struct slm_ways *ways)
{
    const struct slm_json *value = slm__schema_get(&work->document.locations[location], keyword);
    bool bound = keyword >= SLM_KEYWORD_MINIMUM && keyword <= SLM_KEYWORD_MULTIPLE_OF;
    bool flag = value->type == SLM_JSON_TRUE || value->type == SLM_JSON_FALSE; /* draft 4: part of minimum or maximum */
    return bound && !flag ? fail_atom(work, SLM_ATOM_FAILS, location, keyword, 0, ways) : SLM_OK;
}

static slm_status fail_keyword(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, enum slm_schema_type type,
                               struct slm_ways *ways)
{
    if (keyword == SLM_KEYWORD_ENUM || keyword == SLM_KEYWORD_CONST) {
        return fail_atom(work, SLM_ATOM_FAILS, location, keyword, 0, ways);
    }
    if (keyword < SLM_KEYWORD_DEPENDENT_SCHEMAS) {
        return fail_applicator(work, location, keyword, type, ways);
    }
    switch (type) {
    case SLM_VALUE_NUMBER: return fail_number(work, location, keyword, ways);
    case SLM_VALUE_STRING: return fail_string(work, location, keyword, ways);
    case SLM_VALUE_ARRAY: return fail_array(work, location, keyword, ways);
    case SLM_VALUE_OBJECT: return fail_object(work, location, keyword, ways);
    default: return SLM_OK;
    }
}

slm_status slm__ways_to_fail(struct slm_schema_work *work, uint32_t location, enum slm_schema_type type, struct slm_ways *ways,
                             bool *always)
{
    *ways = (struct slm_ways){NULL, 0, 0};
    *always = work->document.locations[location].json->type == SLM_JSON_FALSE;
    uint32_t types = 0;
    SLM_TRY(slm__schema_types(work, location, &types));
    bool integer = type == SLM_VALUE_NUMBER && (types >> SLM_VALUE_INTEGER & 1) != 0;
    if ((types >> type & 1) == 0 && !integer) {
        *always = true;
    } else if ((types >> type & 1) == 0) {
        SLM_TRY(fail_atom(work, SLM_ATOM_FAILS, location, SLM_KEYWORD_TYPE, 0, ways));
    }
    for (uint32_t i = 0; !*always && i < work->document.locations[location].keyword_count; i++) {
        SLM_TRY(fail_keyword(work, location, (enum slm_keyword)work->document.locations[location].order[i], type, ways));
    }
    return SLM_OK;
}
