/* SPDX-License-Identifier: MIT */
/*
 * The state of one rendering: memory, limits, variables, output, failure. Everything the interpreter allocates comes from one arena,
 * so a rendering that stops anywhere leaves nothing behind.
 */
#ifndef SLM_TEXT_TEMPLATE_MACHINE_H
#define SLM_TEXT_TEMPLATE_MACHINE_H

#include "base/arena.h"          /* struct slm_arena */
#include "base/format_check.h"   /* SLM_FORMAT */
#include "text/template_text.h"  /* struct slm_tbuilder */
#include "text/template_value.h" /* struct slm_tvalue */

/* All limits of the language in one place. Sizes and steps are defaults that the options replace. */
enum {
    SLM_T_MEMORY_LIMIT = 64 << 20,
    SLM_T_OUTPUT_LIMIT = 16 << 20,
    SLM_T_STEP_LIMIT = 20000000, /* a step: a node evaluated, 64 bytes copied or searched, 8 items looked at */
    SLM_T_SYNTAX_DEPTH = 100,    /* nesting of statements and of parentheses, each */
    SLM_T_EVAL_DEPTH = 400,      /* nodes being evaluated within each other, macro calls included */
    SLM_T_VALUE_DEPTH = 160,     /* nesting of lists and mappings being printed or compared */
    SLM_T_RANGE_LIMIT = 100000,  /* items of a range, as the reference */
    SLM_T_ARGUMENTS = 8          /* named parameters of a built-in function */
};

struct slm_tbinding {
    struct slm_span name;
    struct slm_tvalue value;
    bool bound;
    struct slm_tbinding *next;
};

/* Names of one frame: the top level, one pass of a loop, a macro's body. */
struct slm_tscope {
    struct slm_tscope *parent;
    struct slm_tbinding *first;
    bool kept; /* a macro refers to it: not to be used again */
};

enum slm_tjump { SLM_T_GO_ON, SLM_T_BREAK, SLM_T_CONTINUE };

struct slm_tmachine {
    struct slm_arena arena;
    slm_error *error;
    uint64_t steps;
    uint64_t step_limit;
    size_t output_limit;
    int64_t now;
    unsigned depth;
    unsigned value_depth;
    uint32_t line; /* of the statement or expression being evaluated */
    enum slm_tjump jump;
    struct slm_tscope *scope;
    struct slm_tbuilder *output;
};

/* Zeroed memory; NULL is described by slm__tm_no_memory(). */
void *slm__tm_take(struct slm_tmachine *m, size_t bytes);
/* Room for `count` items of `size` bytes. */
void *slm__tm_take_items(struct slm_tmachine *m, size_t count, size_t size);
slm_status slm__tm_no_memory(struct slm_tmachine *m);
/* SLM_E_TEMPLATE: "line N: ...". */
slm_status slm__tm_fail(struct slm_tmachine *m, const char *format, ...) SLM_FORMAT(2, 3);
/* Count work; SLM_E_LIMIT beyond the limit. */
slm_status slm__tm_charge(struct slm_tmachine *m, uint64_t steps);
/* Around every recursion of evaluation, and of printing and comparing. */
slm_status slm__tm_enter(struct slm_tmachine *m);
void slm__tm_leave(struct slm_tmachine *m);
slm_status slm__tm_enter_value(struct slm_tmachine *m);
void slm__tm_leave_value(struct slm_tmachine *m);
/* The failure of using an undefined value. */
slm_status slm__tm_fail_undefined(struct slm_tmachine *m, struct slm_tvalue value);

slm_status slm__tm_scope(struct slm_tmachine *m, struct slm_tscope *parent, struct slm_tscope **scope);
slm_status slm__tm_set(struct slm_tmachine *m, struct slm_tscope *scope, struct slm_span name, struct slm_tvalue value);
/* The value of a variable as the current scope sees it, or NULL. */
struct slm_tvalue *slm__tm_get(struct slm_tmachine *m, struct slm_span name);
/* A scope for the next pass of a loop: `scope` emptied, or a new one when a macro kept it. */
slm_status slm__tm_scope_again(struct slm_tmachine *m, struct slm_tscope **scope);

/* Arguments of a call. */
struct slm_tcall {
    struct slm_tvalue *positional;
    size_t count;
    struct slm_span *names; /* keywords */
    struct slm_tvalue *named;
    size_t named_count;
};

/* Arguments of a built-in function, sorted by its parameter list. */
struct slm_targuments {
    struct slm_tvalue value[SLM_T_ARGUMENTS];
    bool given[SLM_T_ARGUMENTS];
    const struct slm_tcall *call;
};

typedef slm_status slm_tfunction_fn(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out);

/* A row of a table of filters, tests, methods or global functions. */
struct slm_tfunction {
    const char *name;
    slm_tfunction_fn *run;
    const char *parameters; /* "width first blank"; NULL: takes the call as it is */
    unsigned required;
};

/* Sort the call's arguments into the function's parameters and run it. */
slm_status slm__tm_run(struct slm_tmachine *m, const struct slm_tfunction *function, struct slm_tvalue self, const struct slm_tcall *call,
                       struct slm_tvalue *out);
/* Row by name in a table that ends with a NULL name, or NULL. */
const struct slm_tfunction *slm__tm_find(const struct slm_tfunction *table, struct slm_span name);

/* Arguments with defaults. The error names the function's parameter. */
bool slm__ta_truth(const struct slm_targuments *a, unsigned index, bool otherwise);
slm_status slm__ta_integer(struct slm_tmachine *m, const struct slm_targuments *a, unsigned index, int64_t otherwise, int64_t *value);
slm_status slm__ta_text(struct slm_tmachine *m, const struct slm_targuments *a, unsigned index, const struct slm_tstring **text);

#endif
