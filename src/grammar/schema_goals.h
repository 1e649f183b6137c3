/* SPDX-License-Identifier: MIT */
/*
 * The normal form of JSON Schema, before any grammar. What a value has to satisfy is a goal: a set of literals, each a location of the
 * document or its opposite. Equal goals are one number, so what is asked twice (through $ref, or as the same conjunction at two places) is
 * worked out once, and recursive schemas end. For one type of value a goal becomes forms: alternatives, each a conjunction of atoms, the
 * keywords of one location or the failure of one keyword. allOf, $ref and siblings only join literals; anyOf, oneOf, not, if, dependencies
 * make alternatives, of which those that cannot be met are dropped at once.
 */
#ifndef SLM_GRAMMAR_SCHEMA_GOALS_H
#define SLM_GRAMMAR_SCHEMA_GOALS_H

#include "base/buffer.h"             /* struct slm_buffer */
#include "grammar/grammar_nodes.h"   /* slm_node, struct slm_grammar_builder */
#include "grammar/number_ranges.h"   /* struct slm_number_range */
#include "grammar/schema_document.h" /* struct slm_schema_document */

enum slm_schema_type {
    SLM_VALUE_NULL,
    SLM_VALUE_BOOLEAN,
    SLM_VALUE_NUMBER,
    SLM_VALUE_STRING,
    SLM_VALUE_ARRAY,
    SLM_VALUE_OBJECT,
    SLM_VALUE_TYPES,                    /* their number */
    SLM_VALUE_INTEGER = SLM_VALUE_TYPES /* a bit of its own in what slm__schema_types() gives */
};

/* A location times 2, plus 1 when it must not hold. */
typedef uint32_t slm_literal;
static inline slm_literal slm__literal(uint32_t location, bool negative) { return 2 * location + negative; }

typedef uint32_t slm_goal;
enum { SLM_GOAL_ANY = 0 /* every value */, SLM_GOAL_NEVER = 1 /* none */ };

/* A literal that was taken apart, and the entry of the list that led to it (UINT32_MAX: the goal). */
struct slm_visit {
    slm_literal literal;
    uint32_t parent;
};

enum slm_atom_kind {
    SLM_ATOM_KEYWORDS,    /* what the keywords of `location` say about the type */
    SLM_ATOM_FAILS,       /* what `keyword` of `location` says does not hold (`index`: an entry of it) */
    SLM_ATOM_HAS,         /* the object has a member `key` */
    SLM_ATOM_LACKS,       /* it has none */
    SLM_ATOM_MEMBER,      /* if it has, the value satisfies `literal` */
    SLM_ATOM_ITEM,        /* the array has an item `index`, and it satisfies `literal` */
    SLM_ATOM_ITEMS,       /* all its items satisfy `literal` */
    SLM_ATOM_WORDS,       /* the string is one of `words` */
    SLM_ATOM_UNSUPPORTED, /* like FAILS, and cannot be expressed */
    SLM_ATOM_LITERAL      /* `literal`, before it is taken apart; never in a form */
};

struct slm_atom {
    uint8_t kind;    /* enum slm_atom_kind */
    uint8_t keyword; /* enum slm_keyword */
    uint32_t location;
    uint32_t index;
    slm_literal literal;
    uint32_t visit; /* of the form's that it comes from */
    struct slm_span key;
    const struct slm_regular *words;
};

/* A conjunction; or, when `finite`, exactly these values. */
struct slm_form {
    const struct slm_atom *atoms;
    const struct slm_json *const *values;
    uint32_t atom_count;
    uint32_t value_count;
    const struct slm_visit *visits;
    bool finite;
    bool shared; /* some literal was reached on several ways, of which `visits` tells the first */
};

struct slm_forms {
    const struct slm_form *forms;
    uint32_t count;
};

struct slm_goal_record {
    const slm_literal *literals; /* ascending */
    uint32_t count;
    uint8_t expanded; /* bits of types whose forms are there */
    uint8_t tested;   /* bits of types whose emptiness is known (or being found out) */
    uint8_t empty;    /* bits of types of which no value satisfies the goal */
    bool has_node;
    slm_node node;
    slm_rule rule; /* whose reference the node is, if it is one */
    struct slm_forms forms[SLM_VALUE_TYPES];
};

struct slm_schema_options {
    bool any_order;              /* members of objects in any order, else in that of `properties` */
    bool flexible_space;         /* white space where JSON allows it, in bounded runs; else none */
    bool ignore_rest;            /* what cannot be enforced is left out, with a line in `warnings` */
    struct slm_buffer *warnings; /* text, a line each; may be NULL */
};

enum slm_schema_language_kind {
    SLM_LANGUAGE_PATTERN,    /* of `text` */
    SLM_LANGUAGE_FORMAT,     /* of `text` */
    SLM_LANGUAGE_LENGTH,     /* a's words of first to second code points */
    SLM_LANGUAGE_COMBINATION /* a and b combined, by `first` */
};

/* A language that was asked for, and how it was made. */
struct slm_schema_language {
    enum slm_schema_language_kind kind;
    struct slm_span text;
    const struct slm_regular *a;
    const struct slm_regular *b;
    uint32_t first;
    uint32_t second;
    const struct slm_regular *words;
};

/* A range of numbers that was asked for, and its node. */
struct slm_schema_range {
    struct slm_number_range range;
    slm_node node;
};

/* Everything that lives while a schema is compiled. */
struct slm_schema_work {
    struct slm_schema_document document;
    struct slm_schema_options options;
    struct slm_grammar_builder *builder;
    struct slm_arena *arena;
    struct slm_regular_space space;
    slm_error *error;
    uint64_t steps;      /* left; SLM_E_LIMIT at 0 */
    uint32_t depth;      /* of questions about questions */
    uint32_t known_enum; /* location plus 1 whose `enum` holds for what is being evaluated */
    struct slm_goal_record *goals;
    uint32_t goal_count;
    uint32_t goal_capacity;
    uint32_t *goal_slots;
    uint32_t goal_slot_mask;
    struct slm_schema_language *languages;
    uint32_t language_count;
    uint32_t language_capacity;
    struct slm_schema_range *ranges;
    uint32_t range_count;
    uint32_t range_capacity;
    struct slm_json constants[3]; /* null, false, true: candidates for types of few values */
    slm_node space_node;
    slm_node any_value; /* 0: not made yet */
    slm_node any_number;
    slm_goal *agenda; /* goals whose rules wait for their definitions */
    uint32_t agenda_count;
    uint32_t agenda_capacity;
};

/* SLM_E_LIMIT when the work exceeds what any sensible schema needs. */
slm_status slm__schema_spend(struct slm_schema_work *work, uint64_t steps);
/* `count` elements of `size` bytes behind *items grow so that one more fits. */
slm_status slm__schema_room(struct slm_schema_work *work, void *items, uint32_t count, uint32_t *capacity, size_t size);
/* Zeroed memory; fails with the arena's sentence. */
slm_status slm__schema_take(struct slm_schema_work *work, size_t bytes, void *result);
/* A keyword cannot be enforced: an error that names its place, or (ignore_rest) a warning and SLM_OK. */
slm_status slm__schema_unsupported(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const char *why);
/* A keyword's value is not what it has to be. */
slm_status slm__schema_malformed(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const char *wanted);

/* A growing list of literals that a value has to satisfy, all zero at first. */
struct slm_literals {
    slm_literal *list;
    uint32_t count;
    uint32_t capacity;
    bool never; /* something else than a literal says that nothing does */
};
slm_status slm__literals_add(struct slm_schema_work *work, struct slm_literals *literals, slm_literal literal);
slm_status slm__literals_add_schema(struct slm_schema_work *work, struct slm_literals *literals, const struct slm_json *schema);
slm_status slm__literals_goal(struct slm_schema_work *work, const struct slm_literals *literals, slm_goal *goal);

/* The goal of these literals. */
slm_status slm__goal_of(struct slm_schema_work *work, const slm_literal *literals, uint32_t count, slm_goal *goal);
/* The alternatives of a goal for one type. */
slm_status slm__goal_forms(struct slm_schema_work *work, slm_goal goal, enum slm_schema_type type, struct slm_forms *forms);
/* *empty: surely no value (of the type) satisfies the goal. */
slm_status slm__goal_is_empty(struct slm_schema_work *work, slm_goal goal, bool *empty);
slm_status slm__goal_is_empty_for(struct slm_schema_work *work, slm_goal goal, enum slm_schema_type type, bool *empty);

/* Types that `type` of a location allows: bits of enum slm_schema_type; INTEGER is set with NUMBER, or alone for integers only. */
slm_status slm__schema_types(struct slm_schema_work *work, uint32_t location, uint32_t *types);
/* Location of a schema that stands somewhere below another. */
slm_status slm__schema_at(struct slm_schema_work *work, const struct slm_json *json, uint32_t *location);
/* A count such as minLength: a non-negative integer; beyond 2^32 - 2 it is 2^32 - 2. */
slm_status slm__schema_count(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, uint32_t *count);
/* Says a schema of `dependencies` no more than `required`? Then it is a dependency between names. */
const struct slm_json *slm__schema_only_required(const struct slm_json *schema);

/* The language of a pattern (matching anywhere); kept, so that it is made once. `at` is for messages. */
slm_status slm__schema_pattern(struct slm_schema_work *work, const struct slm_json *at, struct slm_span pattern,
                               const struct slm_regular **words);
/* The language of `pattern` or `format` of a location; NULL when it says nothing (an unknown format, or what is not enforced). */
slm_status slm__schema_language(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword,
                                const struct slm_regular **words);
/* Two languages combined; `b` NULL: the complement of `a`. */
slm_status slm__schema_combine(struct slm_schema_work *work, enum slm_regular_combination how, const struct slm_regular *a,
                               const struct slm_regular *b, const struct slm_regular **words);
/* The words of `a` (NULL: any) of min to max code points. */
slm_status slm__schema_measure(struct slm_schema_work *work, const struct slm_regular *a, uint32_t min, uint32_t max,
                               const struct slm_regular **words);
/* A copy of a finished language that stays. */
slm_status slm__schema_keep(struct slm_schema_work *work, const struct slm_regular *made, const struct slm_regular **words);

#endif
