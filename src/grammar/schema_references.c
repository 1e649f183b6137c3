/* SPDX-License-Identifier: MIT */
/*
 * $id, anchors, $ref. A schema with an $id begins a resource with its own base URI; references are resolved against the base around them
 * and have to lead to a resource of the same text. Places of enum, const and unknown keywords are no schemas, so what looks like an $id
 * there is none.
 */
#include "grammar/schema_references.h"
#include "grammar/schema_uri.h" /* slm__uri_resolve, slm__uri_cut_fragment, slm__uri_decode */

static slm_status scan_schema(struct slm_schema_document *document, const struct slm_json *json, uint32_t resource, slm_error *error);

/* What stands at a keyword. */
enum place { PLACE_NONE, PLACE_SCHEMA, PLACE_SCHEMAS, PLACE_MAP };

static enum place place_of(enum slm_keyword keyword)
{
    switch (keyword) {
    case SLM_KEYWORD_NOT:
    case SLM_KEYWORD_IF:
    case SLM_KEYWORD_THEN:
    case SLM_KEYWORD_ELSE:
    case SLM_KEYWORD_ADDITIONAL_ITEMS:
    case SLM_KEYWORD_CONTAINS:
    case SLM_KEYWORD_UNEVALUATED_ITEMS:
    case SLM_KEYWORD_ADDITIONAL_PROPERTIES:
    case SLM_KEYWORD_PROPERTY_NAMES:
    case SLM_KEYWORD_UNEVALUATED_PROPERTIES: return PLACE_SCHEMA;
    case SLM_KEYWORD_ITEMS:
    case SLM_KEYWORD_ALL_OF:
    case SLM_KEYWORD_ANY_OF:
    case SLM_KEYWORD_ONE_OF:
    case SLM_KEYWORD_PREFIX_ITEMS: return PLACE_SCHEMAS;
    case SLM_KEYWORD_PROPERTIES:
    case SLM_KEYWORD_PATTERN_PROPERTIES:
    case SLM_KEYWORD_DEPENDENT_SCHEMAS:
    case SLM_KEYWORD_DEPENDENCIES:
    case SLM_KEYWORD_DEFS:
    case SLM_KEYWORD_DEFINITIONS: return PLACE_MAP;
    default: return PLACE_NONE;
    }
}

/* Room for one more element behind *items. */
static slm_status make_room(struct slm_arena *arena, void *items, uint32_t count, uint32_t *capacity, size_t size, slm_error *error)
{
    if (count < *capacity) {
        return SLM_OK;
    }
    uint32_t wider = *capacity == 0 ? 4 : 2 * *capacity;
    void *old = NULL;
    memcpy(&old, items, sizeof old);
    void *moved = slm__arena_take(arena, wider * size);
    if (moved == NULL) {
        return slm__arena_failure(arena, error);
    }
    if (count > 0) {
        memcpy(moved, old, count * size);
    }
    memcpy(items, &moved, sizeof moved);
    *capacity = wider;
    return SLM_OK;
}

static slm_status add_resource(struct slm_schema_document *document, const struct slm_json *root, struct slm_span uri, slm_error *error)
{
    SLM_TRY(make_room(document->arena, &document->resources, document->resource_count, &document->resource_capacity,
                      sizeof *document->resources, error));
    document->resources[document->resource_count++] = (struct slm_schema_resource){root, uri};
    return SLM_OK;
}

static slm_status add_anchor(struct slm_schema_document *document, const struct slm_json *target, struct slm_span name, uint32_t resource,
                             bool dynamic, slm_error *error)
{
    SLM_TRY(make_room(document->arena, &document->anchors, document->anchor_count, &document->anchor_capacity, sizeof *document->anchors,
                      error));
    document->anchors[document->anchor_count++] = (struct slm_schema_anchor){target, name, resource, dynamic};
    return SLM_OK;
}

/* The identity that a schema gives itself: a new resource, or an anchor written as "#name". */
static slm_status scan_id(struct slm_schema_document *document, const struct slm_json *json, uint32_t *resource, slm_error *error)
{
    const struct slm_json *id = slm__json_get(json, document->draft <= 4 ? "id" : "$id");
    bool alone = document->draft <= 7 && slm__json_get(json, "$ref") != NULL; /* $ref hides an $id beside it */
    if (id == NULL || id->type != SLM_JSON_STRING || alone) {
        return SLM_OK;
    }
    struct slm_span uri;
    SLM_TRY(slm__uri_resolve(document->arena, document->resources[*resource].uri, id->text, &uri, error));
    struct slm_span fragment = slm__uri_cut_fragment(&uri);
    if (id->text.length > 0 && id->text.data[0] == '#') {
        return fragment.length == 0 ? SLM_OK : add_anchor(document, json, fragment, *resource, false, error);
    }
    if (json == document->root) {
        document->resources[0].uri = uri;
        return SLM_OK;
    }
    *resource = document->resource_count;
    return add_resource(document, json, uri, error);
}

static slm_status scan_anchors(struct slm_schema_document *document, const struct slm_json *json, uint32_t resource, slm_error *error)
{
    const struct slm_json *anchor = slm__json_get(json, "$anchor");
    if (anchor != NULL && anchor->type == SLM_JSON_STRING) {
        SLM_TRY(add_anchor(document, json, anchor->text, resource, false, error));
    }
    const struct slm_json *dynamic = slm__json_get(json, "$dynamicAnchor");
    if (dynamic != NULL && dynamic->type == SLM_JSON_STRING) {
        SLM_TRY(add_anchor(document, json, dynamic->text, resource, true, error));
    }
    if (slm__json_is_true(slm__json_get(json, "$recursiveAnchor"))) {
        SLM_TRY(add_anchor(document, json, slm__span_text(""), resource, true, error));
    }
    return SLM_OK;
}

/* The nesting is bounded by the JSON reader. */
static slm_status scan_schema(struct slm_schema_document *document, const struct slm_json *json, uint32_t resource, slm_error *error)
{
    if (json->type != SLM_JSON_OBJECT) {
        return SLM_OK;
    }
    SLM_TRY(scan_id(document, json, &resource, error));
    SLM_TRY(scan_anchors(document, json, resource, error));
    for (uint32_t i = 0; i < json->count; i++) {
        const struct slm_json *value = &json->items[i];
        if (value->count == 0) {
            continue;
        }
        enum place place = place_of(slm__keyword_find(json->keys[i]));
        if (place == PLACE_SCHEMA || (place == PLACE_SCHEMAS && value->type == SLM_JSON_OBJECT)) {
            SLM_TRY(scan_schema(document, value, resource, error));
        } else if (place != PLACE_NONE) {
            for (uint32_t k = 0; k < value->count; k++) {
                SLM_TRY(scan_schema(document, &value->items[k], resource, error));
            }
        }
    }
    return SLM_OK;
}

slm_status slm__schema_scan(struct slm_schema_document *document, slm_error *error)
{
    SLM_TRY(add_resource(document, document->root, slm__span_text(""), error));
    return scan_schema(document, document->root, 0, error);
}

/* Does `json` stand at or inside `root`? Counted from the offsets on the way down. */
static uint32_t resource_around(const struct slm_schema_document *document, const struct slm_json *json)
{
    uint32_t resource = 0;
    for (const struct slm_json *at = document->root; document->resource_count > 1;) {
        for (uint32_t i = 1; i < document->resource_count; i++) {
            resource = document->resources[i].root == at ? i : resource;
        }
        if (at == json || at->count == 0) {
            break;
        }
        at = slm__schema_child_around(at, json->offset);
    }
    return resource;
}

/* One step of a JSON pointer: an index of an array or a key, with ~0 and ~1. */
static const struct slm_json *step(struct slm_schema_document *document, const struct slm_json *at, struct slm_span part)
{
    if (at->type == SLM_JSON_ARRAY) {
        uint64_t index = 0;
        for (size_t i = 0; i < part.length && index < UINT32_MAX; i++) {
            if (part.data[i] < '0' || part.data[i] > '9') {
                return NULL;
            }
            index = 10 * index + (uint64_t)(part.data[i] - '0');
        }
        return part.length > 0 && index < at->count ? &at->items[index] : NULL;
    }
    uint8_t *key = slm__arena_take(document->arena, part.length);
    size_t length = 0;
    for (size_t i = 0; key != NULL && i < part.length; i++) {
        bool escape = part.data[i] == '~' && i + 1 < part.length;
        key[length++] = !escape ? part.data[i] : part.data[i + 1] == '1' ? '/' : '~';
        i += escape;
    }
    return key == NULL ? NULL : slm__schema_member(at, slm__span(key, length));
}

static const struct slm_json *walk_pointer(struct slm_schema_document *document, const struct slm_json *at, struct slm_span pointer)
{
    while (at != NULL && pointer.length > 0) {
        size_t end = 1;
        while (end < pointer.length && pointer.data[end] != '/') {
            end++;
        }
        at = step(document, at, slm__span(pointer.data + 1, end - 1));
        pointer = slm__span(pointer.data + end, pointer.length - end);
    }
    return at;
}

/* The value that a fragment names in a resource, or NULL. A pointer that leads nowhere in an embedded resource is tried from the root:
 * an `id` that was only meant as a name would hide the definitions otherwise. */
static const struct slm_json *find_in_resource(struct slm_schema_document *document, uint32_t resource, struct slm_span fragment,
                                               bool *dynamic)
{
    if (fragment.length == 0 || fragment.data[0] == '/') {
        const struct slm_json *found = walk_pointer(document, document->resources[resource].root, fragment);
        return found != NULL ? found : walk_pointer(document, document->root, fragment);
    }
    for (uint32_t i = 0; i < document->anchor_count; i++) {
        const struct slm_schema_anchor *anchor = &document->anchors[i];
        if (anchor->resource == resource && slm__span_equal(anchor->name, fragment)) {
            *dynamic = anchor->dynamic;
            return anchor->target;
        }
    }
    return NULL;
}

static slm_status find_target(struct slm_schema_document *document, const struct slm_json *at, struct slm_span reference,
                              const struct slm_json **target, bool *dynamic, slm_error *error)
{
    uint32_t resource = resource_around(document, at);
    struct slm_span uri = reference;
    struct slm_span fragment = slm__uri_cut_fragment(&uri);
    if (uri.length > 0) {
        SLM_TRY(slm__uri_resolve(document->arena, document->resources[resource].uri, uri, &uri, error));
        for (resource = 0; resource < document->resource_count; resource++) {
            if (slm__span_equal(document->resources[resource].uri, uri)) {
                break;
            }
        }
        if (resource == document->resource_count) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "%s: %.*s is not in this document, and others are not fetched",
                             slm__schema_path(document, at).text, SLM_SPAN_ARGS(uri));
        }
    }
    SLM_TRY(slm__uri_decode(document->arena, fragment, &fragment, error));
    *target = find_in_resource(document, resource, fragment, dynamic);
    if (*target == NULL) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: there is nothing at \"%.*s\"", slm__schema_path(document, at).text,
                         SLM_SPAN_ARGS(reference));
    }
    return SLM_OK;
}

/* A dynamic reference is an ordinary one unless another resource has the same dynamic anchor. */
static slm_status check_dynamic(const struct slm_schema_document *document, const struct slm_json *at, const struct slm_json *target,
                                slm_error *error)
{
    struct slm_span name = slm__span_text("");
    for (uint32_t i = 0; i < document->anchor_count; i++) {
        name = document->anchors[i].target == target && document->anchors[i].dynamic ? document->anchors[i].name : name;
    }
    uint32_t same = 0;
    for (uint32_t i = 0; i < document->anchor_count; i++) {
        same += document->anchors[i].dynamic && slm__span_equal(document->anchors[i].name, name);
    }
    if (same > 1) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "%s: several dynamic anchors \"%.*s\": where it leads depends on the way",
                         slm__schema_path(document, at).text, SLM_SPAN_ARGS(name));
    }
    return SLM_OK;
}

slm_status slm__schema_follow(struct slm_schema_document *document, uint32_t location, enum slm_keyword keyword, uint32_t *target,
                              slm_error *error)
{
    struct slm_schema_location *from = &document->locations[location];
    if (keyword == SLM_KEYWORD_REF && from->reference != 0) {
        *target = from->reference - 1;
        return SLM_OK;
    }
    const struct slm_json *reference = slm__schema_get(from, keyword);
    if (reference->type != SLM_JSON_STRING) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: a reference has to be a string", slm__schema_path(document, reference).text);
    }
    const struct slm_json *found = NULL;
    bool dynamic = keyword == SLM_KEYWORD_RECURSIVE_REF;
    SLM_TRY(find_target(document, reference, reference->text, &found, &dynamic, error));
    if (dynamic && keyword != SLM_KEYWORD_REF) {
        SLM_TRY(check_dynamic(document, reference, found, error));
    }
    SLM_TRY(slm__schema_locate(document, found, target, error));
    if (keyword == SLM_KEYWORD_REF) {
        document->locations[location].reference = *target + 1;
    }
    return SLM_OK;
}
