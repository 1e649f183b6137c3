/* SPDX-License-Identifier: MIT */
/*
 * The choices of the positive keywords. oneOf is a choice of its branches, each joined with the opposite of those others that might hold
 * at the same time: of none when they are disjoint.
 */
#include "grammar/schema_ways.h"
#include "grammar/schema_discriminators.h" /* slm__discriminators_of */
#include "grammar/schema_evaluate.h"       /* slm__literal_accepts */

enum { MOST_SETS_OF = 5 };

slm_status slm__way_add(struct slm_schema_work *work, struct slm_ways *ways, const struct slm_atom *items, uint32_t count)
{
    SLM_TRY(slm__schema_spend(work, 1 + count));
    SLM_TRY(slm__schema_room(work, &ways->ways, ways->count, &ways->capacity, sizeof *ways->ways));
    struct slm_atom *kept = NULL;
    SLM_TRY(slm__schema_take(work, count * sizeof *kept, &kept));
    if (count > 0) {
        memcpy(kept, items, count * sizeof *kept);
    }
    ways->ways[ways->count++] = (struct slm_way){kept, count};
    return SLM_OK;
}

slm_status slm__literal_at(struct slm_schema_work *work, const struct slm_json *json, bool negative, struct slm_atom *atom)
{
    uint32_t location = 0;
    SLM_TRY(slm__schema_at(work, json, &location));
    *atom = slm__literal_atom(slm__literal(location, negative));
    return SLM_OK;
}

static slm_status any_of(struct slm_schema_work *work, const struct slm_json *list, struct slm_ways *ways)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct slm_atom atom;
        SLM_TRY(slm__literal_at(work, &list->items[i], false, &atom));
        SLM_TRY(slm__way_add(work, ways, &atom, 1));
    }
    return SLM_OK;
}

/* Every set of schemas that may hold together. That those outside of the set fail needs no saying: a larger set covers it otherwise. */
static slm_status any_sets(struct slm_schema_work *work, uint32_t location, const struct slm_json *list, struct slm_ways *ways)
{
    struct slm_atom items[MOST_SETS_OF];
    struct slm_atom all[MOST_SETS_OF];
    if (list->count > MOST_SETS_OF) {
        return slm__fail(work->error, SLM_E_UNSUPPORTED, "%s: more than %d alternatives beside unevaluatedItems or unevaluatedProperties",
                         slm__schema_path(&work->document, work->document.locations[location].json).text, MOST_SETS_OF);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        SLM_TRY(slm__literal_at(work, &list->items[i], false, &all[i]));
    }
    for (uint32_t set = 1; set < 1u << list->count; set++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < list->count; i++) {
            if ((set >> i & 1) != 0) {
                items[count++] = all[i];
            }
        }
        SLM_TRY(slm__way_add(work, ways, items, count));
    }
    return SLM_OK;
}

/* May both branches hold for one value of the type? */
static slm_status overlap(struct slm_schema_work *work, slm_literal a, slm_literal b, enum slm_schema_type type, bool *overlap)
{
    slm_literal both[2] = {a, b};
    slm_goal goal = SLM_GOAL_ANY;
    bool empty = false;
    SLM_TRY(slm__goal_of(work, both, 2, &goal));
    SLM_TRY(slm__goal_is_empty_for(work, goal, type, &empty));
    *overlap = !empty;
    return SLM_OK;
}

static slm_status one_of(struct slm_schema_work *work, const struct slm_json *list, enum slm_schema_type type, struct slm_ways *ways)
{
    slm_literal *branches = NULL;
    struct slm_discriminators *told = NULL;
    uint32_t count = 0;
    SLM_TRY(slm__schema_take(work, list->count * sizeof *branches, &branches));
    SLM_TRY(slm__schema_take(work, list->count * sizeof *told, &told));
    for (uint32_t i = 0; i < list->count; i++) {
        struct slm_atom atom;
        bool excluded = false;
        SLM_TRY(slm__literal_at(work, &list->items[i], false, &atom));
        SLM_TRY(slm__literal_excludes(work, atom.literal, type, &excluded));
        if (!excluded) {
            SLM_TRY(slm__discriminators_of(work, atom.literal / 2, &told[count]));
            branches[count++] = atom.literal;
        }
    }
    struct slm_atom *items = NULL;
    uint8_t *meets = NULL;
    SLM_TRY(slm__schema_take(work, (count + 1) * sizeof *items, &items));
    SLM_TRY(slm__schema_take(work, (size_t)count * count, &meets));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t used = 0;
        items[used++] = slm__literal_atom(branches[i]);
        for (uint32_t k = 0; k < count; k++) {
            bool both = meets[(size_t)k * count + i];
            if (k > i && !slm__discriminators_differ(&told[i], &told[k], type)) {
                SLM_TRY(overlap(work, branches[i], branches[k], type, &both));
                meets[(size_t)i * count + k] = both;
            }
            if (k != i && both) {
                items[used++] = slm__literal_atom(branches[k] ^ 1);
            }
        }
        SLM_TRY(slm__way_add(work, ways, items, used));
    }
    return SLM_OK;
}

static slm_status condition(struct slm_schema_work *work, uint32_t location, struct slm_ways *ways)
{
    const struct slm_schema_location at = work->document.locations[location];
    const struct slm_json *if_schema = slm__schema_get(&at, SLM_KEYWORD_IF);
    const struct slm_json *branches[2] = {slm__schema_get(&at, SLM_KEYWORD_THEN), slm__schema_get(&at, SLM_KEYWORD_ELSE)};
    for (int i = 0; i < 2; i++) {
        struct slm_atom items[2];
        SLM_TRY(slm__literal_at(work, if_schema, i == 1, &items[0]));
        if (branches[i] != NULL) {
            SLM_TRY(slm__literal_at(work, branches[i], false, &items[1]));
        }
        SLM_TRY(slm__way_add(work, ways, items, branches[i] == NULL ? 1 : 2));
    }
    return SLM_OK;
}

slm_status slm__ways_of(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, enum slm_schema_type type, bool all_true,
                        struct slm_ways *ways)
{
    *ways = (struct slm_ways){NULL, 0, 0};
    if (keyword == SLM_KEYWORD_IF) {
        return condition(work, location, ways);
    }
    const struct slm_json *list = slm__schema_get(&work->document.locations[location], keyword);
    if (keyword == SLM_KEYWORD_ONE_OF && list->count > 1) {
        return one_of(work, list, type, ways);
    }
    return all_true ? any_sets(work, location, list, ways) : any_of(work, list, ways);
}

slm_status slm__ways_of_dependency(struct slm_schema_work *work, const struct slm_json *map, uint32_t index, struct slm_ways *ways)
{
    *ways = (struct slm_ways){NULL, 0, 0};
    struct slm_atom items[2] = {{.kind = SLM_ATOM_LACKS, .key = map->keys[index]}};
    SLM_TRY(slm__way_add(work, ways, items, 1));
    items[0].kind = SLM_ATOM_HAS;
    SLM_TRY(slm__literal_at(work, &map->items[index], false, &items[1]));
    return slm__way_add(work, ways, items, 2);
}

bool slm__atom_is_some_member(const struct slm_atom *atom)
{
    return atom->kind == SLM_ATOM_FAILS &&
           (atom->keyword == SLM_KEYWORD_PATTERN_PROPERTIES || atom->keyword == SLM_KEYWORD_ADDITIONAL_PROPERTIES ||
            atom->keyword == SLM_KEYWORD_PROPERTY_NAMES);
}

static slm_status matches_any(struct slm_schema_work *work, const struct slm_json *patterns, struct slm_span key, bool *matches)
{
    for (uint32_t i = 0; patterns != NULL && !*matches && i < patterns->count; i++) {
        const struct slm_regular *words = NULL;
        SLM_TRY(slm__schema_pattern(work, &patterns->items[i], patterns->keys[i], &words));
        *matches = slm__regular_accepts(words, key);
    }
    return SLM_OK;
}

/* The way in which the member `key` can be the one that fails, if it can. */
static slm_status way_of_key(struct slm_schema_work *work, const struct slm_atom *atom, struct slm_span key, struct slm_ways *ways)
{
    const struct slm_schema_location at = work->document.locations[atom->location];
    const struct slm_json *schema = slm__schema_get(&at, (enum slm_keyword)atom->keyword);
    const struct slm_json *patterns = slm__schema_get(&at, SLM_KEYWORD_PATTERN_PROPERTIES);
    struct slm_atom items[2] = {{.kind = SLM_ATOM_HAS, .key = key}};
    bool concerned = false;
    if (atom->keyword == SLM_KEYWORD_PROPERTY_NAMES) {
        const struct slm_json name = {.type = SLM_JSON_STRING, .text = key};
        struct slm_atom literal;
        bool accepts = false;
        SLM_TRY(slm__literal_at(work, schema, false, &literal));
        SLM_TRY(slm__literal_accepts(work, literal.literal, &name, &accepts));
        return accepts ? SLM_OK : slm__way_add(work, ways, items, 1);
    }
    if (atom->keyword == SLM_KEYWORD_PATTERN_PROPERTIES) {
        const struct slm_regular *words = NULL;
        SLM_TRY(slm__schema_pattern(work, &patterns->items[atom->index], patterns->keys[atom->index], &words));
        concerned = slm__regular_accepts(words, key);
        schema = &patterns->items[atom->index];
    } else {
        const struct slm_json *properties = slm__schema_get(&at, SLM_KEYWORD_PROPERTIES);
        bool known = properties != NULL && slm__schema_member(properties, key) != NULL;
        SLM_TRY(matches_any(work, patterns, key, &known));
        concerned = !known;
    }
    if (!concerned) {
        return SLM_OK;
    }
    SLM_TRY(slm__literal_at(work, schema, true, &items[1]));
    items[1].kind = SLM_ATOM_MEMBER;
    items[1].key = key;
    return slm__way_add(work, ways, items, 2);
}

/* Has the object no other members than those in `properties` of this location? */
static bool is_closed(const struct slm_schema_location *location)
{
    const struct slm_json *rest = slm__schema_get(location, SLM_KEYWORD_ADDITIONAL_PROPERTIES);
    const struct slm_json *patterns = slm__schema_get(location, SLM_KEYWORD_PATTERN_PROPERTIES);
    return rest != NULL && rest->type == SLM_JSON_FALSE && (patterns == NULL || patterns->count == 0);
}

slm_status slm__ways_of_member(struct slm_schema_work *work, const struct slm_atom *atoms, uint32_t count, const struct slm_atom *atom,
                               struct slm_ways *ways)
{
    *ways = (struct slm_ways){NULL, 0, 0};
    uint32_t closed = count;
    for (uint32_t i = 0; i < count; i++) {
        if (atoms[i].kind == SLM_ATOM_KEYWORDS && is_closed(&work->document.locations[atoms[i].location])) {
            closed = i;
            break;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (atoms[i].kind != SLM_ATOM_KEYWORDS || (closed < count && i != closed)) {
            continue;
        }
        const struct slm_json *properties = slm__schema_get(&work->document.locations[atoms[i].location], SLM_KEYWORD_PROPERTIES);
        for (uint32_t k = 0; properties != NULL && k < properties->count; k++) {
            SLM_TRY(way_of_key(work, atom, properties->keys[k], ways));
        }
    }
    if (closed < count) {
        return SLM_OK;
    }
    struct slm_atom rest = *atom;
    rest.kind = SLM_ATOM_UNSUPPORTED;
    return slm__way_add(work, ways, &rest, 1);
}
