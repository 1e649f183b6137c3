/* SPDX-License-Identifier: MIT */
/*
 * Values of the chat template language: Python's, as Jinja shows them. A value is 16 bytes, passed by value, immutable once seen by a
 * template (the language has no mutation but that of namespaces); what it points to lives in the arena of the rendering.
 * Prefixes: slm__tv_ value, slm__ts_ text, slm__tm_ machine.
 */
#ifndef SLM_TEXT_TEMPLATE_VALUE_H
#define SLM_TEXT_TEMPLATE_VALUE_H

#include "base/json.h"   /* struct slm_json */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status */

struct slm_tmachine;
struct slm_tloop;
struct slm_tmacro;
struct slm_tfunction;

enum slm_tkind {
    SLM_T_UNDEFINED,
    SLM_T_NONE,
    SLM_T_BOOL,
    SLM_T_INT,
    SLM_T_BIGINT, /* beyond 64 bits: its digits; can be printed and compared, not computed with */
    SLM_T_FLOAT,
    SLM_T_STRING,
    SLM_T_LIST,
    SLM_T_TUPLE,
    SLM_T_RANGE,     /* as.list with its label, "range(0, 3)" */
    SLM_T_VIEW,      /* keys(), values(), items(); as.list with its label */
    SLM_T_GENERATOR, /* what lazy filters give: no length, one pass; as.list */
    SLM_T_DICT,
    SLM_T_NAMESPACE, /* as.dict */
    SLM_T_LOOP,
    SLM_T_MACRO,
    SLM_T_FUNCTION, /* a global function */
    SLM_T_METHOD    /* a function bound to its object */
};

/* Bytes with their origin: the template's own text is trusted, text of the request is not. */
struct slm_trun {
    size_t end; /* first byte behind the run; runs follow each other without gaps */
    bool trusted;
};

struct slm_tstring {
    const uint8_t *data; /* valid UTF-8 */
    size_t length;
    size_t characters;
    const struct slm_trun *runs; /* NULL: all bytes have the origin `trusted` */
    size_t run_count;
    bool trusted;
    bool markup; /* came out of `safe` or `escape`: joined to another text by +, that one is escaped for HTML */
};

/* Why a value is undefined, for the message when it is used. */
struct slm_tundefined {
    struct slm_span name; /* what was looked for */
    const char *owner;    /* type of the object it was looked for in; NULL: a variable */
    int64_t index;        /* owner and no name: the element; owner and name and -1: it exists but would change the object */
};

struct slm_tvalue {
    uint8_t kind;
    bool trusted; /* of numbers, truth values and none: their text is the template's */
    union {
        bool truth;
        int64_t integer;
        double real;
        const struct slm_tstring *string; /* STRING, BIGINT */
        struct slm_tlist *list;
        struct slm_tdict *dict;
        const struct slm_tundefined *undefined; /* may be NULL */
        struct slm_tloop *loop;
        const struct slm_tmacro *macro;
        const struct slm_tfunction *function;
        const struct slm_tmethod *method;
    } as;
};

struct slm_tlist {
    struct slm_tvalue *items;
    size_t count;
    size_t capacity;   /* of items */
    size_t *used;      /* lists that share `items`: how many are taken by the longest; NULL: not shared */
    const char *label; /* VIEW: "dict_keys" ...; RANGE: how it prints, or NULL */
    bool consumed;     /* GENERATOR */
};

struct slm_tdict {
    struct slm_tvalue *keys; /* in order of insertion */
    struct slm_tvalue *values;
    size_t count;
    size_t capacity;
};

struct slm_tmethod {
    struct slm_tvalue self;
    const struct slm_tfunction *function;
};

struct slm_tvalue slm__tv_none(void);
struct slm_tvalue slm__tv_bool(bool truth);
struct slm_tvalue slm__tv_int(int64_t integer);
struct slm_tvalue slm__tv_float(double real);
/* Python's name of the type: "str", "NoneType" ... */
const char *slm__tv_type(struct slm_tvalue value);
/* A list, tuple, range, view or generator: as.list is set. */
bool slm__tv_is_list(struct slm_tvalue value);
/* bool, int or float; with `integer`: bool or int, whose value is stored. */
bool slm__tv_is_number(struct slm_tvalue value);
bool slm__tv_integer(struct slm_tvalue value, int64_t *integer);
/* Any number as a float (BIGINT rounded). */
bool slm__tv_real(struct slm_tvalue value, double *real);
bool slm__tv_truth(struct slm_tvalue value);

/* A new list (kind LIST, TUPLE, RANGE, VIEW or GENERATOR) with room for `capacity` items. */
slm_status slm__tv_list(struct slm_tmachine *m, enum slm_tkind kind, size_t capacity, struct slm_tvalue *out);
slm_status slm__tv_append(struct slm_tmachine *m, struct slm_tvalue list, struct slm_tvalue item);
/* left + right: takes the room behind left's items when nobody else did, so that `list = list + [x]` in a loop stays linear. */
slm_status slm__tv_list_join(struct slm_tmachine *m, struct slm_tvalue left, struct slm_tvalue right, struct slm_tvalue *out);

slm_status slm__tv_dict(struct slm_tmachine *m, enum slm_tkind kind, size_t capacity, struct slm_tvalue *out);
/* Sets or replaces; a replaced key keeps its place. */
slm_status slm__tv_dict_set(struct slm_tmachine *m, struct slm_tdict *dict, struct slm_tvalue key, struct slm_tvalue value);
slm_status slm__tv_dict_find(struct slm_tmachine *m, const struct slm_tdict *dict, struct slm_tvalue key, struct slm_tvalue **value);
struct slm_tvalue *slm__tv_dict_find_text(const struct slm_tdict *dict, struct slm_span key);
/* [key, value] pairs as a list of tuples of the given kind. */
slm_status slm__tv_dict_pairs(struct slm_tmachine *m, const struct slm_tdict *dict, enum slm_tkind kind, struct slm_tvalue *out);

/* JSON to value; texts and numbers get the origin `trusted`. The tree and its source have to outlive the machine. */
slm_status slm__tv_from_json(struct slm_tmachine *m, const struct slm_json *json, bool trusted, struct slm_tvalue *out);

/* == ; deep. */
slm_status slm__tv_equal(struct slm_tmachine *m, struct slm_tvalue a, struct slm_tvalue b, bool *equal);
/* *order < 0, 0, > 0; an error naming `operation` for types that have no order. *ordered is false for a NaN. */
slm_status slm__tv_compare(struct slm_tmachine *m, struct slm_tvalue a, struct slm_tvalue b, const char *operation, int *order,
                           bool *ordered);
/* Python's `needle in haystack`. */
slm_status slm__tv_contains(struct slm_tmachine *m, struct slm_tvalue haystack, struct slm_tvalue needle, bool *found);
/* The items that a loop over `value` takes, as a list; a generator is used up by it. */
slm_status slm__tv_iterate(struct slm_tmachine *m, struct slm_tvalue value, const struct slm_tlist **items);
/* Length as Python's len(). */
slm_status slm__tv_length(struct slm_tmachine *m, struct slm_tvalue value, size_t *length);

#endif
