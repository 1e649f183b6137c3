/* SPDX-License-Identifier: MIT */
/*
 * A schema text as a set of numbered locations. A location is a JSON value used as a schema: an object with its keywords at hand, true,
 * or false. Locations are made when they are first asked for; equal places have equal numbers. References ($ref, $id, anchors) lead from
 * one location to another of the same text.
 */
#ifndef SLM_GRAMMAR_SCHEMA_DOCUMENT_H
#define SLM_GRAMMAR_SCHEMA_DOCUMENT_H

#include "base/json.h"               /* struct slm_json */
#include "grammar/schema_keywords.h" /* enum slm_keyword */

struct slm_schema_location {
    const struct slm_json *json;          /* OBJECT, TRUE or FALSE */
    uint64_t present;                     /* SLM_KEYWORD_BIT()s that are set */
    const struct slm_json *const *values; /* of the present keywords, in the order of their numbers */
    const uint8_t *order;                 /* the present keywords in the order of the text */
    uint32_t keyword_count;
    uint32_t reference; /* location that REF leads to plus 1; 0: not resolved yet */
    uint8_t verdicts;   /* on null, false, true: bit i: known, bit 4 + i: accepted */
};

struct slm_schema_resource {
    const struct slm_json *root;
    struct slm_span uri; /* without fragment; empty: none given */
};

struct slm_schema_anchor {
    const struct slm_json *target;
    struct slm_span name;
    uint32_t resource;
    bool dynamic;
};

struct slm_schema_document {
    struct slm_arena *arena;
    const struct slm_json *root;
    uint32_t draft;   /* 3, 4, 6, 7, 2019, 2020 */
    bool unevaluated; /* some location has unevaluatedItems or unevaluatedProperties */
    struct slm_schema_location *locations;
    uint32_t location_count;
    uint32_t location_capacity;
    uint32_t *slots; /* location + 1 by offset of its text; open addressing */
    uint32_t slot_mask;
    struct slm_schema_resource *resources; /* the first is the whole text */
    uint32_t resource_count;
    uint32_t resource_capacity;
    struct slm_schema_anchor *anchors;
    uint32_t anchor_count;
    uint32_t anchor_capacity;
};

/* Parse `text` and find its resources and anchors. Location 0 is the root. Errors: those of JSON, SLM_E_BAD_VALUE, SLM_E_LIMIT. */
slm_status slm__schema_open(struct slm_schema_document *document, struct slm_arena *arena, struct slm_span text, slm_error *error);
/* Number of the location at `json` (a value of this document). SLM_E_BAD_VALUE when it is no object and no boolean. */
slm_status slm__schema_locate(struct slm_schema_document *document, const struct slm_json *json, uint32_t *number, slm_error *error);
/* Where keyword (REF, DYNAMIC_REF, RECURSIVE_REF) of a location leads. SLM_E_UNSUPPORTED names what is not in this document. */
slm_status slm__schema_follow(struct slm_schema_document *document, uint32_t location, enum slm_keyword keyword, uint32_t *target,
                              slm_error *error);

static inline bool slm__schema_has(const struct slm_schema_location *location, enum slm_keyword keyword)
{
    return (location->present & SLM_KEYWORD_BIT(keyword)) != 0;
}

/* Value of a keyword, or NULL. */
static inline const struct slm_json *slm__schema_get(const struct slm_schema_location *location, enum slm_keyword keyword)
{
    uint64_t bit = SLM_KEYWORD_BIT(keyword);
    return (location->present & bit) == 0 ? NULL : location->values[__builtin_popcountll(location->present & (bit - 1))];
}

/* The child of an array or object (not empty) in which the value at `offset` of the text stands. */
const struct slm_json *slm__schema_child_around(const struct slm_json *parent, uint64_t offset);
/* As slm__json_get, with any key. */
const struct slm_json *slm__schema_member(const struct slm_json *object, struct slm_span key);

/* "#/properties/a/oneOf" for messages; NUL-terminated, cut at the front when it is too long. */
struct slm_schema_path {
    char text[160];
};
struct slm_schema_path slm__schema_path(const struct slm_schema_document *document, const struct slm_json *json);

#endif
