/* SPDX-License-Identifier: MIT */
/* The syntax tree of a chat template, and the parser that makes it. Nodes live in the machine's arena and point into the source. */
#ifndef SLM_TEXT_TEMPLATE_SYNTAX_H
#define SLM_TEXT_TEMPLATE_SYNTAX_H

#include "text/template_machine.h" /* struct slm_tmachine, struct slm_tfunction */

enum slm_texpr_kind {
    SLM_TE_LITERAL,   /* value */
    SLM_TE_NAME,      /* name */
    SLM_TE_ATTRIBUTE, /* base.name */
    SLM_TE_ITEM,      /* base[items[0]] */
    SLM_TE_SLICE,     /* base[items[0]:items[1]:items[2]], each may be NULL */
    SLM_TE_CALL,      /* base(arguments) */
    SLM_TE_FILTER,    /* base | name(arguments); base may be NULL in a filter block */
    SLM_TE_TEST,      /* base is name(arguments) */
    SLM_TE_NOT,       /* not base */
    SLM_TE_NEGATE,    /* - base */
    SLM_TE_PLUS,      /* + base */
    SLM_TE_CHAIN,     /* items[0] op[1] items[1] op[2] ...: one level of precedence, from the left */
    SLM_TE_COMPARE,   /* the same with comparisons: a < b < c */
    SLM_TE_AND,
    SLM_TE_OR,
    SLM_TE_JOIN,      /* items[0] ~ items[1] ~ ... */
    SLM_TE_CONDITION, /* items[0] if base else items[1] (NULL: undefined) */
    SLM_TE_LIST,
    SLM_TE_TUPLE,
    SLM_TE_DICT /* key, value, key, value ... */
};

enum slm_toperator {
    SLM_TO_NONE,
    SLM_TO_ADD,
    SLM_TO_SUBTRACT,
    SLM_TO_MULTIPLY,
    SLM_TO_DIVIDE,
    SLM_TO_FLOOR,
    SLM_TO_MODULO,
    SLM_TO_POWER,
    SLM_TO_EQUAL,
    SLM_TO_NOT_EQUAL,
    SLM_TO_LESS,
    SLM_TO_LESS_EQUAL,
    SLM_TO_GREATER,
    SLM_TO_GREATER_EQUAL,
    SLM_TO_IN,
    SLM_TO_NOT_IN
};

struct slm_targument {
    struct slm_span name; /* keyword, or empty */
    uint8_t stars;        /* 1: *value, 2: **value */
    const struct slm_texpr *value;
};

struct slm_texpr {
    uint8_t kind;
    bool negated; /* TEST */
    uint32_t line;
    uint32_t depth; /* of this subtree */
    uint32_t count; /* of items or arguments */
    struct slm_span name;
    struct slm_tvalue value;
    const struct slm_texpr *base;
    const struct slm_texpr **items;
    uint8_t *operators; /* CHAIN, COMPARE: operators[i] stands before items[i] */
    const struct slm_targument *arguments;
    const struct slm_tfunction *function; /* FILTER, TEST; NULL: unknown, an error when evaluated */
};

enum slm_tnode_kind {
    SLM_TN_TEXT,       /* text */
    SLM_TN_PRINT,      /* value */
    SLM_TN_IF,         /* branches */
    SLM_TN_FOR,        /* target, value, test, body, otherwise, recursive */
    SLM_TN_SET,        /* target = value */
    SLM_TN_SET_BLOCK,  /* target = body, through the filters in value */
    SLM_TN_MACRO,      /* macro */
    SLM_TN_CALL_BLOCK, /* value is the call, macro the body that caller() renders */
    SLM_TN_FILTER,     /* value(body) */
    SLM_TN_WITH,       /* targets = values, body */
    SLM_TN_SCOPE,      /* body in a scope of its own (block, generation) */
    SLM_TN_BREAK,
    SLM_TN_CONTINUE
};

struct slm_tbranch {
    const struct slm_texpr *test; /* NULL: else */
    const struct slm_tnode *body;
};

struct slm_tparameter {
    struct slm_span name;
    const struct slm_texpr *otherwise; /* default, or NULL */
};

struct slm_tmacro_syntax {
    struct slm_span name;
    const struct slm_tparameter *parameters;
    size_t count;
    bool uses_varargs, uses_kwargs, uses_caller;
    const struct slm_tnode *body;
};

struct slm_tnode {
    uint8_t kind;
    bool recursive;
    uint32_t line;
    uint32_t count; /* branches, or variables of WITH */
    const struct slm_tnode *next;
    struct slm_tvalue text; /* TEXT */
    const struct slm_texpr *value;
    const struct slm_texpr *target; /* NAME, TUPLE of targets, or ATTRIBUTE of a NAME (namespace) */
    const struct slm_texpr *test;
    const struct slm_texpr *const *targets; /* WITH: target, value, target, value ... */
    const struct slm_tnode *body;
    const struct slm_tnode *otherwise;
    const struct slm_tbranch *branches;
    const struct slm_tmacro_syntax *macro;
};

/* Parse a template. SLM_E_SYNTAX "line L, column C: ...", SLM_E_ENCODING, SLM_E_LIMIT, SLM_E_NO_MEMORY. *body may be NULL: empty. */
slm_status slm__template_parse(struct slm_tmachine *m, struct slm_span source, const struct slm_tnode **body);

#endif
