/* SPDX-License-Identifier: MIT */
/* Locations and their keywords. Where in the text a value stands is found by its offset, from the root down, only when it is needed. */
#include "grammar/schema_document.h"
#include "grammar/schema_references.h" /* slm__schema_scan */

enum { FIRST_SLOTS = 256 };

/* Later drafts than this one read the keywords beside $ref. */
enum { DRAFT_REF_ALONE = 7 };

static uint32_t draft_of(const struct slm_json *root)
{
    const struct slm_json *schema = slm__json_get(root, "$schema");
    if (schema == NULL || schema->type != SLM_JSON_STRING) {
        return 2020;
    }
    static const struct {
        const char *part;
        uint32_t draft;
    } drafts[] = {{"draft-03", 3}, {"draft-04", 4}, {"draft-05", 4}, {"draft-06", 6}, {"draft-07", 7}, {"2019-09", 2019}};
    for (size_t i = 0; i < sizeof drafts / sizeof drafts[0]; i++) {
        size_t length = strlen(drafts[i].part);
        for (size_t at = 0; at + length <= schema->text.length; at++) {
            if (memcmp(schema->text.data + at, drafts[i].part, length) == 0) {
                return drafts[i].draft;
            }
        }
    }
    return 2020;
}

static uint32_t slot_of(const struct slm_schema_document *document, const struct slm_json *json)
{
    uint32_t slot = (uint32_t)((json->offset * 0x9E3779B97F4A7C15u) >> 32) & document->slot_mask;
    while (document->slots[slot] != 0 && document->locations[document->slots[slot] - 1].json != json) {
        slot = (slot + 1) & document->slot_mask;
    }
    return slot;
}

static slm_status grow(struct slm_schema_document *document, slm_error *error)
{
    uint32_t count = document->location_count;
    uint32_t capacity = count == 0 ? FIRST_SLOTS / 2 : 2 * count;
    struct slm_schema_location *locations = slm__arena_take(document->arena, (size_t)capacity * sizeof *locations);
    uint32_t *slots = slm__arena_take(document->arena, (size_t)capacity * 2 * sizeof *slots);
    if (locations == NULL || slots == NULL) {
        return slm__arena_failure(document->arena, error);
    }
    if (count > 0) {
        memcpy(locations, document->locations, count * sizeof *locations);
    }
    document->locations = locations;
    document->location_capacity = capacity;
    document->slots = slots;
    document->slot_mask = 2 * capacity - 1;
    for (uint32_t i = 0; i < count; i++) {
        slots[slot_of(document, locations[i].json)] = i + 1;
    }
    return SLM_OK;
}

/* In drafts 3 to 7 $ref stands alone: what is beside it is ignored. */
static bool ignored(const struct slm_schema_document *document, uint64_t present, enum slm_keyword keyword)
{
    return document->draft <= DRAFT_REF_ALONE && (present & SLM_KEYWORD_BIT(SLM_KEYWORD_REF)) != 0 && keyword != SLM_KEYWORD_REF &&
           keyword != SLM_KEYWORD_DEFINITIONS && keyword != SLM_KEYWORD_DEFS;
}

/* What the value of a keyword has to be; NULL: nothing that is needed to walk through it. */
static const char *shape_of(enum slm_keyword keyword, const struct slm_json *value)
{
    bool fine = true;
    const char *shape = NULL;
    switch (keyword) {
    case SLM_KEYWORD_PROPERTIES:
    case SLM_KEYWORD_PATTERN_PROPERTIES:
    case SLM_KEYWORD_DEPENDENT_SCHEMAS:
    case SLM_KEYWORD_DEPENDENT_REQUIRED:
    case SLM_KEYWORD_DEPENDENCIES:
        shape = "an object";
        fine = value->type == SLM_JSON_OBJECT;
        break;
    case SLM_KEYWORD_ALL_OF:
    case SLM_KEYWORD_ANY_OF:
    case SLM_KEYWORD_ONE_OF:
    case SLM_KEYWORD_PREFIX_ITEMS:
        shape = "a list of schemas";
        fine = value->type == SLM_JSON_ARRAY;
        break;
    case SLM_KEYWORD_ENUM:
        shape = "a list of values";
        fine = value->type == SLM_JSON_ARRAY;
        break;
    case SLM_KEYWORD_REQUIRED:
        shape = "a list of names";
        fine = value->type == SLM_JSON_ARRAY || value->type == SLM_JSON_FALSE; /* false: draft 3 */
        for (uint32_t i = 0; fine && i < value->count; i++) {
            fine = value->items[i].type == SLM_JSON_STRING;
        }
        break;
    default: break;
    }
    return fine ? NULL : shape;
}

/* Lists of dependent names hold strings. */
static bool is_dependency_map(const struct slm_json *map)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct slm_json *names = &map->items[i];
        for (uint32_t k = 0; names->type == SLM_JSON_ARRAY && k < names->count; k++) {
            if (names->items[k].type != SLM_JSON_STRING) {
                return false;
            }
        }
    }
    return true;
}

static slm_status check_keyword(const struct slm_schema_document *document, enum slm_keyword keyword, const struct slm_json *value,
                                slm_error *error)
{
    const char *shape = shape_of(keyword, value);
    if (shape == NULL && (keyword == SLM_KEYWORD_DEPENDENCIES || keyword == SLM_KEYWORD_DEPENDENT_REQUIRED) && !is_dependency_map(value)) {
        shape = "an object with lists of names";
    }
    if (shape != NULL) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: \"%s\" has to be %s", slm__schema_path(document, value).text,
                         slm__keyword_name(keyword), shape);
    }
    return SLM_OK;
}

static slm_status read_keywords(struct slm_schema_document *document, struct slm_schema_location *location, slm_error *error)
{
    const struct slm_json *json = location->json;
    const struct slm_json *values[SLM_KEYWORD_COUNT];
    uint8_t order[SLM_KEYWORD_COUNT];
    uint32_t count = 0;
    for (uint32_t i = 0; i < json->count; i++) {
        enum slm_keyword keyword = slm__keyword_find(json->keys[i]);
        if (keyword == SLM_KEYWORD_COUNT) {
            continue;
        }
        if ((location->present & SLM_KEYWORD_BIT(keyword)) == 0) {
            order[count++] = (uint8_t)keyword;
        }
        location->present |= SLM_KEYWORD_BIT(keyword);
        values[keyword] = &json->items[i];
    }
    uint64_t all = location->present;
    uint8_t *kept_order = slm__arena_take(document->arena, count);
    const struct slm_json **kept = slm__arena_take(document->arena, count * sizeof *kept);
    if (kept_order == NULL || kept == NULL) {
        return slm__arena_failure(document->arena, error);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (ignored(document, all, order[i])) {
            location->present &= ~SLM_KEYWORD_BIT(order[i]);
        } else {
            kept_order[location->keyword_count++] = order[i];
        }
    }
    count = 0;
    for (uint32_t keyword = 0; keyword < SLM_KEYWORD_COUNT; keyword++) {
        if ((location->present & SLM_KEYWORD_BIT(keyword)) != 0) {
            SLM_TRY(check_keyword(document, (enum slm_keyword)keyword, values[keyword], error));
            kept[count++] = values[keyword];
        }
    }
    uint64_t unevaluated = SLM_KEYWORD_BIT(SLM_KEYWORD_UNEVALUATED_ITEMS) | SLM_KEYWORD_BIT(SLM_KEYWORD_UNEVALUATED_PROPERTIES);
    document->unevaluated = document->unevaluated || (location->present & unevaluated) != 0;
    location->values = kept;
    location->order = kept_order;
    return SLM_OK;
}

slm_status slm__schema_locate(struct slm_schema_document *document, const struct slm_json *json, uint32_t *number, slm_error *error)
{
    if (json->type != SLM_JSON_OBJECT && json->type != SLM_JSON_TRUE && json->type != SLM_JSON_FALSE) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: a schema has to be an object, true or false", slm__schema_path(document, json).text);
    }
    if (document->location_count == document->location_capacity) {
        SLM_TRY(grow(document, error));
    }
    uint32_t slot = slot_of(document, json);
    if (document->slots[slot] == 0) {
        struct slm_schema_location *location = &document->locations[document->location_count];
        *location = (struct slm_schema_location){.json = json};
        if (json->type == SLM_JSON_OBJECT) {
            SLM_TRY(read_keywords(document, location, error));
        }
        document->slots[slot] = ++document->location_count;
    }
    *number = document->slots[slot] - 1;
    return SLM_OK;
}

slm_status slm__schema_open(struct slm_schema_document *document, struct slm_arena *arena, struct slm_span text, slm_error *error)
{
    *document = (struct slm_schema_document){.arena = arena};
    SLM_TRY(slm__json_parse(arena, text, &document->root, error));
    document->draft = draft_of(document->root);
    uint32_t root = 0;
    SLM_TRY(slm__schema_locate(document, document->root, &root, error));
    return slm__schema_scan(document, error);
}

const struct slm_json *slm__schema_member(const struct slm_json *object, struct slm_span key)
{
    for (uint32_t i = object->type == SLM_JSON_OBJECT ? object->count : 0; i-- > 0;) {
        if (slm__span_equal(object->keys[i], key)) {
            return &object->items[i];
        }
    }
    return NULL;
}

/* The children are in the order of their offsets. */
const struct slm_json *slm__schema_child_around(const struct slm_json *parent, uint64_t offset)
{
    uint32_t low = 0;
    uint32_t high = parent->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (parent->items[middle].offset <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &parent->items[low];
}

/* Escape for a JSON pointer, without letting the path grow beyond its room: the front is given up. */
static void add_to_path(struct slm_schema_path *path, size_t *length, const char *text, size_t count)
{
    enum { ROOM = sizeof path->text - 1 };
    for (size_t i = 0; i < count; i++) {
        if (*length == ROOM) {
            memmove(path->text, path->text + ROOM / 4, ROOM - ROOM / 4);
            memcpy(path->text, "...", 3);
            *length -= ROOM / 4;
        }
        path->text[(*length)++] = text[i];
    }
}

struct slm_schema_path slm__schema_path(const struct slm_schema_document *document, const struct slm_json *json)
{
    struct slm_schema_path path = {"#"};
    size_t length = 1;
    for (const struct slm_json *at = document->root; at != json && at->count > 0;) {
        const struct slm_json *inside = slm__schema_child_around(at, json->offset);
        uint32_t child = (uint32_t)(inside - at->items);
        add_to_path(&path, &length, "/", 1);
        if (at->type == SLM_JSON_OBJECT) {
            for (size_t i = 0; i < at->keys[child].length; i++) {
                char byte = (char)at->keys[child].data[i];
                const char *escaped = byte == '~' ? "~0" : byte == '/' ? "~1" : NULL;
                add_to_path(&path, &length, escaped == NULL ? &byte : escaped, escaped == NULL ? 1 : 2);
            }
        } else {
            char digits[12];
            size_t at_digit = sizeof digits;
            uint32_t number = child;
            do {
                digits[--at_digit] = (char)('0' + number % 10);
                number /= 10;
            } while (number > 0);
            add_to_path(&path, &length, digits + at_digit, sizeof digits - at_digit);
        }
        at = inside;
    }
    path.text[length] = '\0';
    return path;
}
