/* SPDX-License-Identifier: MIT */
/*
 * Names that no atom knows, in classes: at first all of them are one. Each pattern splits the classes it meets in two, propertyNames cuts
 * them down. In the end they are disjoint, and each has one goal.
 */
#include "grammar/schema_records.h"

enum { MOST_CLASSES = 256 };

/* A class in the making. */
struct names {
    const struct slm_regular *keys; /* NULL: all */
    slm_literal *literals;
    uint32_t count;
    bool matched; /* by a pattern of the atom at hand */
};

struct splitting {
    struct names *classes;
    uint32_t count;
    uint32_t capacity;
};

/* The part of `keys` (NULL: all) inside or outside of `words`. */
static slm_status part_of(struct slm_schema_work *work, const struct slm_regular *keys, const struct slm_regular *words, bool inside,
                          const struct slm_regular **part)
{
    if (keys == NULL) {
        *part = words;
        return inside ? SLM_OK : slm__schema_combine(work, SLM_REGULAR_DIFFERENCE, words, NULL, part);
    }
    return slm__schema_combine(work, inside ? SLM_REGULAR_INTERSECTION : SLM_REGULAR_DIFFERENCE, keys, words, part);
}

static slm_status add_literal(struct slm_schema_work *work, struct names *names, const struct slm_json *schema)
{
    uint32_t location = 0;
    slm_literal *longer = NULL;
    SLM_TRY(slm__schema_at(work, schema, &location));
    SLM_TRY(slm__schema_take(work, (names->count + 1) * sizeof *longer, &longer));
    if (names->count > 0) {
        memcpy(longer, names->literals, names->count * sizeof *longer);
    }
    longer[names->count++] = slm__literal(location, false);
    names->literals = longer;
    return SLM_OK;
}

/* Names in `words` also satisfy `schema`. */
static slm_status split(struct slm_schema_work *work, struct splitting *splitting, const struct slm_regular *words,
                        const struct slm_json *schema)
{
    uint32_t count = splitting->count;
    for (uint32_t i = 0; i < count; i++) {
        struct names inside = splitting->classes[i];
        struct names outside = inside;
        SLM_TRY(slm__schema_spend(work, 16));
        SLM_TRY(part_of(work, inside.keys, words, true, &inside.keys));
        if (slm__regular_is_empty(inside.keys)) {
            continue;
        }
        SLM_TRY(part_of(work, outside.keys, words, false, &outside.keys));
        SLM_TRY(add_literal(work, &inside, schema));
        inside.matched = true;
        splitting->classes[i] = inside;
        if (!slm__regular_is_empty(outside.keys)) {
            if (splitting->count == MOST_CLASSES) {
                return slm__fail(work->error, SLM_E_LIMIT, "%s: the patterns overlap in more than %d ways",
                                 slm__schema_path(&work->document, schema).text, MOST_CLASSES);
            }
            SLM_TRY(slm__schema_room(work, &splitting->classes, splitting->count, &splitting->capacity, sizeof outside));
            splitting->classes[splitting->count++] = outside;
        }
    }
    return SLM_OK;
}

static slm_status apply_names(struct slm_schema_work *work, struct splitting *splitting, const struct slm_json *schema)
{
    uint32_t location = 0;
    slm_goal goal = SLM_GOAL_ANY;
    const struct slm_regular *words = NULL;
    SLM_TRY(slm__schema_at(work, schema, &location));
    slm_literal literal = slm__literal(location, false);
    SLM_TRY(slm__goal_of(work, &literal, 1, &goal));
    SLM_TRY(slm__schema_strings_of_goal(work, goal, &words));
    for (uint32_t i = 0; words != NULL && i < splitting->count; i++) {
        SLM_TRY(part_of(work, splitting->classes[i].keys, words, true, &splitting->classes[i].keys));
    }
    return SLM_OK;
}

static slm_status apply(struct slm_schema_work *work, struct splitting *splitting, uint32_t location)
{
    const struct slm_schema_location at = work->document.locations[location];
    const struct slm_json *patterns = slm__schema_get(&at, SLM_KEYWORD_PATTERN_PROPERTIES);
    const struct slm_json *names = slm__schema_get(&at, SLM_KEYWORD_PROPERTY_NAMES);
    const struct slm_json *rest = slm__schema_get(&at, SLM_KEYWORD_ADDITIONAL_PROPERTIES);
    for (uint32_t i = 0; i < splitting->count; i++) {
        splitting->classes[i].matched = false;
    }
    for (uint32_t i = 0; patterns != NULL && i < patterns->count; i++) {
        const struct slm_regular *words = NULL;
        SLM_TRY(slm__schema_pattern(work, &patterns->items[i], patterns->keys[i], &words));
        SLM_TRY(split(work, splitting, words, &patterns->items[i]));
    }
    for (uint32_t i = 0; rest != NULL && i < splitting->count; i++) {
        if (!splitting->classes[i].matched) {
            SLM_TRY(add_literal(work, &splitting->classes[i], rest));
        }
    }
    return names == NULL ? SLM_OK : apply_names(work, splitting, names);
}

/* Classes lie inside or outside of every pattern, so that one of their names tells which. */
static slm_status matches(struct slm_schema_work *work, const struct names *names, uint32_t location, bool *matched)
{
    const struct slm_json *patterns = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_PATTERN_PROPERTIES);
    for (uint32_t i = 0; patterns != NULL && names->keys != NULL && !*matched && i < patterns->count; i++) {
        const struct slm_regular *words = NULL;
        struct slm_span name;
        if (slm__regular_is_empty(names->keys)) {
            break;
        }
        SLM_TRY(slm__schema_pattern(work, &patterns->items[i], patterns->keys[i], &words));
        SLM_TRY(slm__regular_shortest(&work->space, names->keys, &name, work->error));
        *matched = slm__regular_accepts(words, name);
    }
    return SLM_OK;
}

static slm_status apply_unevaluated(struct slm_schema_work *work, struct splitting *splitting, const struct slm_form *form, uint32_t atom)
{
    const struct slm_json *schema = NULL;
    uint32_t *evaluators = NULL;
    uint32_t count = 0;
    SLM_TRY(slm__schema_unevaluated_of(work, form, atom, &schema, &evaluators, &count));
    for (uint32_t i = 0; schema != NULL && i < splitting->count; i++) {
        bool matched = false;
        for (uint32_t e = 0; e < count && !matched; e++) {
            SLM_TRY(matches(work, &splitting->classes[i], form->atoms[evaluators[e]].location, &matched));
        }
        if (!matched) {
            SLM_TRY(add_literal(work, &splitting->classes[i], schema));
        }
    }
    return SLM_OK;
}

/* Without the members' names: they have goals of their own. */
static slm_status without_members(struct slm_schema_work *work, const struct slm_schema_object *object, const struct slm_regular **keys)
{
    struct slm_span *texts = NULL;
    uint32_t count = 0;
    SLM_TRY(slm__schema_take(work, object->member_count * sizeof *texts, &texts));
    for (uint32_t i = 0; i < object->member_count; i++) {
        texts[count] = object->members[i].key;
        count += slm__regular_accepts(*keys, texts[count]);
    }
    if (count == 0) {
        return SLM_OK;
    }
    struct slm_regular words;
    const struct slm_regular *kept = NULL;
    SLM_TRY(slm__regular_texts(&work->space, texts, count, &words, work->error));
    SLM_TRY(slm__schema_keep(work, &words, &kept));
    return part_of(work, *keys, kept, false, keys);
}

/* Classes of the same goal become one. */
static slm_status add_class(struct slm_schema_work *work, struct slm_schema_object *object, const struct names *names)
{
    struct slm_schema_class class = {names->keys, SLM_GOAL_ANY};
    SLM_TRY(slm__goal_of(work, names->literals, names->count, &class.goal));
    if (class.goal == SLM_GOAL_NEVER) {
        return SLM_OK;
    }
    if (class.keys != NULL) {
        SLM_TRY(without_members(work, object, &class.keys));
        if (slm__regular_is_empty(class.keys)) {
            return SLM_OK;
        }
    }
    for (uint32_t i = 0; i < object->class_count; i++) {
        if (object->classes[i].goal == class.goal) {
            return slm__schema_combine(work, SLM_REGULAR_UNION, object->classes[i].keys, class.keys, &object->classes[i].keys);
        }
    }
    SLM_TRY(slm__schema_room(work, &object->classes, object->class_count, &object->class_capacity, sizeof class));
    object->classes[object->class_count++] = class;
    return SLM_OK;
}

slm_status slm__schema_classes_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_object *object)
{
    struct splitting splitting = {NULL, 0, 0};
    SLM_TRY(slm__schema_room(work, &splitting.classes, 0, &splitting.capacity, sizeof *splitting.classes));
    splitting.classes[splitting.count++] = (struct names){NULL, NULL, 0, false};
    for (uint32_t i = 0; i < form->atom_count; i++) {
        if (form->atoms[i].kind == SLM_ATOM_KEYWORDS) {
            SLM_TRY(apply(work, &splitting, form->atoms[i].location));
        }
    }
    for (uint32_t i = 0; i < form->atom_count; i++) {
        SLM_TRY(apply_unevaluated(work, &splitting, form, i));
    }
    for (uint32_t i = 0; i < splitting.count; i++) {
        SLM_TRY(add_class(work, object, &splitting.classes[i]));
    }
    return SLM_OK;
}
