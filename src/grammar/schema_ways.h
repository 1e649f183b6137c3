/* SPDX-License-Identifier: MIT */
/* Alternatives: what anyOf, oneOf, if and their like leave to choose from, and the ways in which a schema can fail to hold. */
#ifndef SLM_GRAMMAR_SCHEMA_WAYS_H
#define SLM_GRAMMAR_SCHEMA_WAYS_H

#include "grammar/schema_goals.h" /* struct slm_schema_work, struct slm_atom */

/* A conjunction of atoms (LITERALs among them). */
struct slm_way {
    const struct slm_atom *items;
    uint32_t count;
};

struct slm_ways {
    struct slm_way *ways;
    uint32_t count;
    uint32_t capacity;
};

slm_status slm__way_add(struct slm_schema_work *work, struct slm_ways *ways, const struct slm_atom *items, uint32_t count);
static inline struct slm_atom slm__literal_atom(slm_literal literal)
{
    return (struct slm_atom){.kind = SLM_ATOM_LITERAL, .literal = literal};
}
/* `negative` of the schema at `json`. */
slm_status slm__literal_at(struct slm_schema_work *work, const struct slm_json *json, bool negative, struct slm_atom *atom);

/* The choices that `keyword` (ANY_OF, ONE_OF, IF) of a location leaves to values of a type. `all_true`: a choice has to name all schemas
 * of an anyOf that hold, not only one. */
slm_status slm__ways_of(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, enum slm_schema_type type, bool all_true,
                        struct slm_ways *ways);
/* Entry `index` of a map of dependent schemas: the name is absent, or the schema holds. */
slm_status slm__ways_of_dependency(struct slm_schema_work *work, const struct slm_json *map, uint32_t index, struct slm_ways *ways);
/* The ways in which the schema at `location` refuses values of a type; *always: it refuses them all. */
slm_status slm__ways_to_fail(struct slm_schema_work *work, uint32_t location, enum slm_schema_type type, struct slm_ways *ways,
                             bool *always);
/* An atom that says "some member fails" (FAILS of PATTERN_PROPERTIES, ADDITIONAL_PROPERTIES, PROPERTY_NAMES) as a choice among the names
 * that the atoms of its conjunction know; UNSUPPORTED where other names are possible. */
slm_status slm__ways_of_member(struct slm_schema_work *work, const struct slm_atom *atoms, uint32_t count, const struct slm_atom *atom,
                               struct slm_ways *ways);
bool slm__atom_is_some_member(const struct slm_atom *atom);

/* Is it plain that the literal admits no value of the type? (In schema_expand.c.) */
slm_status slm__literal_excludes(struct slm_schema_work *work, slm_literal literal, enum slm_schema_type type, bool *excludes);

#endif
