/* SPDX-License-Identifier: MIT */
/*
 * Objects: every name that any atom knows becomes a member with the goal that all atoms together give it; all other names are split into
 * classes by the patterns, each with its goal.
 */
#include "grammar/schema_evaluate.h" /* slm__literal_accepts */
#include "grammar/schema_records.h"  /* struct slm_schema_object */

struct member {
    struct slm_literals literals;
    uint32_t known_by; /* atom that last named it in `properties`, plus 1 */
};

struct building {
    const struct slm_form *form;
    struct slm_schema_object *object;
    struct member *members; /* beside those of the object */
    uint32_t member_capacity;
    uint32_t *slots; /* member plus 1 by key */
    uint32_t slot_mask;
};

/* patternProperties, additionalProperties and propertyNames of a location, for a key that `properties` knows or not. */
static slm_status add_rest(struct slm_schema_work *work, uint32_t location, struct slm_span key, bool known, struct slm_literals *literals)
{
    const struct slm_schema_location at = work->document.locations[location];
    const struct slm_json *patterns = slm__schema_get(&at, SLM_KEYWORD_PATTERN_PROPERTIES);
    const struct slm_json *rest = slm__schema_get(&at, SLM_KEYWORD_ADDITIONAL_PROPERTIES);
    const struct slm_json *names = slm__schema_get(&at, SLM_KEYWORD_PROPERTY_NAMES);
    for (uint32_t i = 0; patterns != NULL && i < patterns->count; i++) {
        const struct slm_regular *words = NULL;
        SLM_TRY(slm__schema_pattern(work, &patterns->items[i], patterns->keys[i], &words));
        if (slm__regular_accepts(words, key)) {
            known = true;
            SLM_TRY(slm__literals_add_schema(work, literals, &patterns->items[i]));
        }
    }
    if (!known && rest != NULL) {
        SLM_TRY(slm__literals_add_schema(work, literals, rest));
    }
    if (names != NULL) {
        const struct slm_json name = {.type = SLM_JSON_STRING, .text = key};
        uint32_t names_at = 0;
        bool accepts = false;
        SLM_TRY(slm__schema_at(work, names, &names_at));
        SLM_TRY(slm__literal_accepts(work, slm__literal(names_at, false), &name, &accepts));
        literals->never = literals->never || !accepts;
    }
    return SLM_OK;
}

slm_status slm__schema_member_goal(struct slm_schema_work *work, const struct slm_atom *atoms, uint32_t count, struct slm_span key,
                                   slm_goal *goal)
{
    struct slm_literals literals = {0};
    for (uint32_t i = 0; i < count; i++) {
        bool named = (atoms[i].kind == SLM_ATOM_LACKS || atoms[i].kind == SLM_ATOM_MEMBER) && slm__span_equal(atoms[i].key, key);
        if (named && atoms[i].kind == SLM_ATOM_LACKS) {
            literals.never = true;
        } else if (named) {
            SLM_TRY(slm__literals_add(work, &literals, atoms[i].literal));
        }
        if (atoms[i].kind != SLM_ATOM_KEYWORDS) {
            continue;
        }
        const struct slm_json *properties = slm__schema_get(&work->document.locations[atoms[i].location], SLM_KEYWORD_PROPERTIES);
        const struct slm_json *schema = properties == NULL ? NULL : slm__schema_member(properties, key);
        SLM_TRY(slm__schema_spend(work, properties == NULL ? 1 : 1 + properties->count / 16));
        if (schema != NULL) {
            SLM_TRY(slm__literals_add_schema(work, &literals, schema));
        }
        SLM_TRY(add_rest(work, atoms[i].location, key, schema != NULL, &literals));
    }
    return slm__literals_goal(work, &literals, goal);
}

static uint32_t slot_of(const struct building *building, struct slm_span key)
{
    uint64_t hash = key.length;
    for (size_t i = 0; i < key.length; i++) {
        hash = (hash ^ key.data[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    uint32_t slot = (uint32_t)(hash ^ hash >> 32) & building->slot_mask;
    while (building->slots[slot] != 0 && !slm__span_equal(building->object->members[building->slots[slot] - 1].key, key)) {
        slot = (slot + 1) & building->slot_mask;
    }
    return slot;
}

static slm_status grow_slots(struct slm_schema_work *work, struct building *building)
{
    uint32_t slots = building->slots == NULL ? 32 : 4 * (building->slot_mask + 1);
    SLM_TRY(slm__schema_take(work, slots * sizeof *building->slots, &building->slots));
    building->slot_mask = slots - 1;
    for (uint32_t i = 0; i < building->object->member_count; i++) {
        building->slots[slot_of(building, building->object->members[i].key)] = i + 1;
    }
    return SLM_OK;
}

/* Number of the member `key`, which is there from now on. */
static slm_status member_of(struct slm_schema_work *work, struct building *building, struct slm_span key, uint32_t *number)
{
    struct slm_schema_object *object = building->object;
    SLM_TRY(slm__schema_spend(work, 1));
    if (building->slots == NULL || 2 * object->member_count > building->slot_mask) {
        SLM_TRY(grow_slots(work, building));
    }
    uint32_t slot = slot_of(building, key);
    if (building->slots[slot] == 0) {
        SLM_TRY(slm__schema_room(work, &object->members, object->member_count, &object->member_capacity, sizeof *object->members));
        SLM_TRY(slm__schema_room(work, &building->members, object->member_count, &building->member_capacity, sizeof *building->members));
        object->members[object->member_count] = (struct slm_schema_member_goal){key, SLM_GOAL_ANY, false};
        building->members[object->member_count] = (struct member){{0}, 0};
        building->slots[slot] = ++object->member_count;
    }
    *number = building->slots[slot] - 1;
    return SLM_OK;
}

static slm_status read_properties(struct slm_schema_work *work, struct building *building, uint32_t atom)
{
    uint32_t location = building->form->atoms[atom].location;
    const struct slm_json *properties = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_PROPERTIES);
    if (properties == NULL) {
        return SLM_OK;
    }
    for (uint32_t i = 0; i < properties->count; i++) {
        uint32_t member = 0;
        SLM_TRY(member_of(work, building, properties->keys[i], &member));
        bool last = !properties->duplicate_keys || slm__schema_member(properties, properties->keys[i]) == &properties->items[i];
        building->members[member].known_by = atom + 1;
        if (last) {
            SLM_TRY(slm__literals_add_schema(work, &building->members[member].literals, &properties->items[i]));
        }
    }
    return SLM_OK;
}

static slm_status require(struct slm_schema_work *work, struct building *building, struct slm_span key)
{
    uint32_t member = 0;
    SLM_TRY(member_of(work, building, key, &member));
    building->object->members[member].required = true;
    return SLM_OK;
}

static slm_status read_required(struct slm_schema_work *work, struct building *building, uint32_t location)
{
    const struct slm_json *required = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_REQUIRED);
    for (uint32_t i = 0; required != NULL && i < required->count; i++) {
        SLM_TRY(require(work, building, required->items[i].text));
    }
    return SLM_OK;
}

/* `needed`: a list of names, or one name. */
static slm_status add_dependency(struct slm_schema_work *work, struct building *building, struct slm_span key,
                                 const struct slm_json *needed)
{
    struct slm_schema_object *object = building->object;
    uint32_t *members = NULL;
    bool list = needed->type == SLM_JSON_ARRAY;
    uint32_t count = list ? needed->count : 1;
    struct slm_object_dependency dependency = {.needed_count = count};
    SLM_TRY(member_of(work, building, key, &dependency.member));
    SLM_TRY(slm__schema_take(work, count * sizeof *members, &members));
    for (uint32_t i = 0; i < count; i++) {
        SLM_TRY(member_of(work, building, list ? needed->items[i].text : needed->text, &members[i]));
    }
    dependency.needed = members;
    SLM_TRY(slm__schema_room(work, &object->dependencies, object->dependency_count, &object->dependency_capacity, sizeof dependency));
    object->dependencies[object->dependency_count++] = dependency;
    return SLM_OK;
}

static slm_status read_dependencies(struct slm_schema_work *work, struct building *building, uint32_t location, enum slm_keyword keyword)
{
    const struct slm_json *map = slm__schema_get(&work->document.locations[location], keyword);
    for (uint32_t i = 0; map != NULL && i < map->count; i++) {
        const struct slm_json *needed = &map->items[i];
        const struct slm_json *names = needed->type == SLM_JSON_OBJECT ? slm__schema_only_required(needed) : needed;
        bool list = names != NULL && names->type == SLM_JSON_ARRAY;
        if (list || (names != NULL && names->type == SLM_JSON_STRING)) {
            SLM_TRY(add_dependency(work, building, map->keys[i], names));
        }
    }
    return SLM_OK;
}

static void at_least(struct slm_schema_object *object, uint32_t count) { object->min = count > object->min ? count : object->min; }

static void at_most(struct slm_schema_object *object, uint32_t count) { object->max = count < object->max ? count : object->max; }

static slm_status read_keywords(struct slm_schema_work *work, struct building *building, uint32_t atom)
{
    uint32_t location = building->form->atoms[atom].location;
    const struct slm_schema_location at = work->document.locations[location];
    uint32_t count = 0;
    SLM_TRY(read_properties(work, building, atom));
    SLM_TRY(read_required(work, building, location));
    SLM_TRY(read_dependencies(work, building, location, SLM_KEYWORD_DEPENDENT_REQUIRED));
    SLM_TRY(read_dependencies(work, building, location, SLM_KEYWORD_DEPENDENT_SCHEMAS));
    SLM_TRY(read_dependencies(work, building, location, SLM_KEYWORD_DEPENDENCIES));
    if (slm__schema_has(&at, SLM_KEYWORD_MIN_PROPERTIES)) {
        SLM_TRY(slm__schema_count(work, location, SLM_KEYWORD_MIN_PROPERTIES, &count));
        at_least(building->object, count);
    }
    if (slm__schema_has(&at, SLM_KEYWORD_MAX_PROPERTIES)) {
        SLM_TRY(slm__schema_count(work, location, SLM_KEYWORD_MAX_PROPERTIES, &count));
        at_most(building->object, count);
    }
    return SLM_OK;
}

/* Objects that an enum or const excludes: of these only the empty one is a matter of counting. */
static slm_status exclude(struct slm_schema_work *work, const struct slm_atom *atom, const struct slm_json *values, uint32_t count,
                          struct building *building)
{
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].type == SLM_JSON_OBJECT && values[i].count == 0) {
            at_least(building->object, 1);
        } else if (values[i].type == SLM_JSON_OBJECT) {
            SLM_TRY(slm__schema_unsupported(work, atom->location, (enum slm_keyword)atom->keyword, "an object is excluded"));
        }
    }
    return SLM_OK;
}

static slm_status read_failure(struct slm_schema_work *work, struct building *building, const struct slm_atom *atom)
{
    enum slm_keyword keyword = (enum slm_keyword)atom->keyword;
    const struct slm_json *value = slm__schema_get(&work->document.locations[atom->location], keyword);
    uint32_t count = 0;
    switch (keyword) {
    case SLM_KEYWORD_ENUM: return exclude(work, atom, value->items, value->count, building);
    case SLM_KEYWORD_CONST: return exclude(work, atom, value, 1, building);
    case SLM_KEYWORD_MIN_PROPERTIES:
        SLM_TRY(slm__schema_count(work, atom->location, keyword, &count));
        building->object->empty = building->object->empty || count == 0;
        at_most(building->object, count - 1);
        return SLM_OK;
    case SLM_KEYWORD_MAX_PROPERTIES:
        SLM_TRY(slm__schema_count(work, atom->location, keyword, &count));
        at_least(building->object, count + 1);
        return SLM_OK;
    default: return SLM_OK;
    }
}

static slm_status read_atom(struct slm_schema_work *work, struct building *building, uint32_t number)
{
    const struct slm_atom *atom = &building->form->atoms[number];
    uint32_t member = 0;
    switch (atom->kind) {
    case SLM_ATOM_KEYWORDS: return read_keywords(work, building, number);
    case SLM_ATOM_FAILS: return read_failure(work, building, atom);
    case SLM_ATOM_HAS: return require(work, building, atom->key);
    case SLM_ATOM_LACKS:
        SLM_TRY(member_of(work, building, atom->key, &member));
        building->members[member].literals.never = true;
        return SLM_OK;
    case SLM_ATOM_MEMBER:
        SLM_TRY(member_of(work, building, atom->key, &member));
        return slm__literals_add(work, &building->members[member].literals, atom->literal);
    default: return SLM_OK;
    }
}

/* Do `properties` or `patternProperties` of a location know the key? */
static slm_status is_evaluated(struct slm_schema_work *work, uint32_t location, struct slm_span key, bool *evaluated)
{
    const struct slm_schema_location at = work->document.locations[location];
    const struct slm_json *properties = slm__schema_get(&at, SLM_KEYWORD_PROPERTIES);
    const struct slm_json *patterns = slm__schema_get(&at, SLM_KEYWORD_PATTERN_PROPERTIES);
    *evaluated = *evaluated || (properties != NULL && slm__schema_member(properties, key) != NULL);
    for (uint32_t i = 0; patterns != NULL && !*evaluated && i < patterns->count; i++) {
        const struct slm_regular *words = NULL;
        SLM_TRY(slm__schema_pattern(work, &patterns->items[i], patterns->keys[i], &words));
        *evaluated = slm__regular_accepts(words, key);
    }
    return SLM_OK;
}

slm_status slm__schema_unevaluated_of(struct slm_schema_work *work, const struct slm_form *form, uint32_t atom,
                                      const struct slm_json **schema, uint32_t **evaluators, uint32_t *count)
{
    uint32_t location = form->atoms[atom].location;
    *schema = NULL;
    if (form->atoms[atom].kind == SLM_ATOM_KEYWORDS) {
        *schema = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_UNEVALUATED_PROPERTIES);
    }
    if (*schema == NULL) {
        return SLM_OK;
    }
    SLM_TRY(slm__schema_evaluators(work, form, atom, SLM_KEYWORD_UNEVALUATED_PROPERTIES, evaluators, count));
    bool open = *count > 0;
    for (uint32_t i = 0; open && i < *count; i++) {
        const struct slm_schema_location *at = &work->document.locations[form->atoms[(*evaluators)[i]].location];
        bool other = (*evaluators)[i] != atom && slm__schema_has(at, SLM_KEYWORD_UNEVALUATED_PROPERTIES);
        open = !other && !slm__schema_has(at, SLM_KEYWORD_ADDITIONAL_PROPERTIES);
    }
    *schema = open ? *schema : NULL;
    return SLM_OK;
}

static slm_status add_unevaluated(struct slm_schema_work *work, struct building *building)
{
    const struct slm_form *form = building->form;
    for (uint32_t i = 0; i < form->atom_count; i++) {
        const struct slm_json *schema = NULL;
        uint32_t *evaluators = NULL;
        uint32_t count = 0;
        SLM_TRY(slm__schema_unevaluated_of(work, form, i, &schema, &evaluators, &count));
        for (uint32_t k = 0; schema != NULL && k < building->object->member_count; k++) {
            bool evaluated = false;
            for (uint32_t e = 0; e < count && !evaluated; e++) {
                SLM_TRY(is_evaluated(work, form->atoms[evaluators[e]].location, building->object->members[k].key, &evaluated));
            }
            if (!evaluated) {
                SLM_TRY(slm__literals_add_schema(work, &building->members[k].literals, schema));
            }
        }
    }
    return SLM_OK;
}

/* The patterns and the rest of every atom, for the members that its `properties` do not name. */
static slm_status finish_members(struct slm_schema_work *work, struct building *building)
{
    struct slm_schema_object *object = building->object;
    for (uint32_t i = 0; i < building->form->atom_count; i++) {
        const struct slm_atom *atom = &building->form->atoms[i];
        const struct slm_schema_location *at = &work->document.locations[atom->location];
        if (atom->kind != SLM_ATOM_KEYWORDS ||
            (!slm__schema_has(at, SLM_KEYWORD_ADDITIONAL_PROPERTIES) && !slm__schema_has(at, SLM_KEYWORD_PATTERN_PROPERTIES) &&
             !slm__schema_has(at, SLM_KEYWORD_PROPERTY_NAMES))) {
            continue;
        }
        const struct slm_json *properties = slm__schema_get(at, SLM_KEYWORD_PROPERTIES);
        for (uint32_t k = 0; k < object->member_count; k++) {
            SLM_TRY(slm__schema_spend(work, 1));
            bool known = building->members[k].known_by == i + 1 ||
                         (properties != NULL && slm__schema_member(properties, object->members[k].key) != NULL);
            SLM_TRY(add_rest(work, atom->location, object->members[k].key, known, &building->members[k].literals));
        }
    }
    SLM_TRY(add_unevaluated(work, building));
    for (uint32_t k = 0; k < object->member_count; k++) {
        SLM_TRY(slm__literals_goal(work, &building->members[k].literals, &object->members[k].goal));
    }
    return SLM_OK;
}

static void find_contradictions(struct slm_schema_object *object)
{
    uint32_t required = 0;
    uint32_t possible = 0;
    for (uint32_t i = 0; i < object->member_count; i++) {
        const struct slm_schema_member_goal *member = &object->members[i];
        object->empty = object->empty || (member->required && member->goal == SLM_GOAL_NEVER);
        required += member->required;
        possible += member->goal != SLM_GOAL_NEVER;
    }
    object->empty =
        object->empty || object->min > object->max || required > object->max || (object->class_count == 0 && possible < object->min);
}

slm_status slm__schema_object_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_object *object)
{
    *object = (struct slm_schema_object){.max = UINT32_MAX};
    struct building building = {.form = form, .object = object};
    for (uint32_t i = 0; i < form->atom_count; i++) {
        SLM_TRY(read_atom(work, &building, i));
    }
    SLM_TRY(finish_members(work, &building));
    SLM_TRY(slm__schema_classes_of(work, form, object));
    find_contradictions(object);
    return SLM_OK;
}
