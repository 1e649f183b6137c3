/* SPDX-License-Identifier: MIT */
/* What a form says about values of its type, with all its atoms taken together: the last step before nodes. */
#ifndef SLM_GRAMMAR_SCHEMA_RECORDS_H
#define SLM_GRAMMAR_SCHEMA_RECORDS_H

#include "grammar/number_ranges.h" /* struct slm_number_range */
#include "grammar/schema_goals.h"  /* struct slm_form */
#include "grammar/schema_ways.h"   /* struct slm_ways */

struct slm_schema_number {
    struct slm_number_range range;
    const struct slm_span *excluded; /* values */
    const struct slm_span *not_multiples;
    uint32_t excluded_count;
    uint32_t not_multiple_count;
    bool fraction; /* only numbers that are no integers */
    bool empty;
};

struct slm_schema_string {
    const struct slm_regular *words; /* NULL: any */
    uint32_t min;                    /* code points; already part of `words` when there are some */
    uint32_t max;                    /* UINT32_MAX: no end; not part of `words`, UINT32_MAX where all of them are short enough */
    bool empty;
};

/* `least` to `most` items from index `from` on satisfy `literal`. */
struct slm_schema_contains {
    slm_literal literal;
    uint32_t from;
    uint32_t least;
    uint32_t most;
    uint32_t location; /* for messages */
};

struct slm_schema_array {
    const slm_goal *prefix;
    uint32_t prefix_count;
    slm_goal rest;
    uint32_t min;
    uint32_t max; /* UINT32_MAX: no end */
    const struct slm_schema_contains *contains;
    uint32_t contains_count;
    uint32_t unique; /* location plus 1 that wants different items */
    bool empty;
};

struct slm_schema_member_goal {
    struct slm_span key;
    slm_goal goal;
    bool required;
};

/* Names that are no member's, and what their values have to be. */
struct slm_schema_class {
    const struct slm_regular *keys; /* NULL: all */
    slm_goal goal;
};

struct slm_schema_object {
    struct slm_schema_member_goal *members;
    uint32_t member_count;
    uint32_t member_capacity;
    struct slm_schema_class *classes; /* disjoint; without those that are NEVER */
    uint32_t class_count;
    uint32_t class_capacity;
    struct slm_object_dependency *dependencies;
    uint32_t dependency_count;
    uint32_t dependency_capacity;
    uint32_t min;
    uint32_t max;
    bool empty;
};

slm_status slm__schema_number_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_number *number);
slm_status slm__schema_string_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_string *string);
slm_status slm__schema_array_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_array *array);
slm_status slm__schema_object_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_object *object);

/* The classes of names beyond the members that `object` has already. */
slm_status slm__schema_classes_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_object *object);

/* The atoms (KEYWORDS) whose items or members count as evaluated for `keyword` of an atom; itself among them. 0: not to be enforced. */
slm_status slm__schema_evaluators(struct slm_schema_work *work, const struct slm_form *form, uint32_t atom, enum slm_keyword keyword,
                                  uint32_t **evaluators, uint32_t *count);

/* *schema: what `unevaluatedProperties` of an atom wants of the members that its evaluators do not know, or NULL. */
slm_status slm__schema_unevaluated_of(struct slm_schema_work *work, const struct slm_form *form, uint32_t atom,
                                      const struct slm_json **schema, uint32_t **evaluators, uint32_t *count);
/* What the atoms say about the member `key` of an object. */
slm_status slm__schema_member_goal(struct slm_schema_work *work, const struct slm_atom *atoms, uint32_t count, struct slm_span key,
                                   slm_goal *goal);
/* The language of the strings that satisfy a goal (NULL: all of them). */
slm_status slm__schema_strings_of_goal(struct slm_schema_work *work, slm_goal goal, const struct slm_regular **words);
/* The complement of a part of a format lets some of the format in: such a form, unless it is empty, cannot be enforced. */
slm_status slm__schema_check_opposites(struct slm_schema_work *work, const struct slm_form *form);
/* A choice between conjunctions of strings as one atom. */
slm_status slm__schema_strings_of_ways(struct slm_schema_work *work, const struct slm_ways *ways, struct slm_atom *atom);
/* Is surely no value of the form's type possible? */
slm_status slm__form_is_empty(struct slm_schema_work *work, const struct slm_form *form, enum slm_schema_type type, bool *empty);

#endif
