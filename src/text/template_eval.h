/* SPDX-License-Identifier: MIT */
/* Evaluation: expressions to values, statements to output. */
#ifndef SLM_TEXT_TEMPLATE_EVAL_H
#define SLM_TEXT_TEMPLATE_EVAL_H

#include "text/template_syntax.h" /* struct slm_texpr, struct slm_tnode */

/* A running loop, as `loop` shows it. */
struct slm_tloop {
    const struct slm_tnode *node;
    const struct slm_tlist *items; /* those that passed the test */
    size_t index;
    uint32_t level;            /* of a recursive loop, from 0 */
    struct slm_tscope *scope;  /* the scope around the loop */
    struct slm_tvalue changed; /* arguments of the last loop.changed() */
    bool changed_called;
};

struct slm_tmacro {
    const struct slm_tmacro_syntax *syntax;
    struct slm_tscope *scope; /* where it was defined */
};

slm_status slm__te_eval(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out);
/* A filter node applied to a value that is given instead of its base. */
slm_status slm__te_filter_value(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue value, struct slm_tvalue *out);
slm_status slm__te_exec(struct slm_tmachine *m, const struct slm_tnode *body);
/* Statements in the scope given, their output as a text. */
slm_status slm__te_capture(struct slm_tmachine *m, const struct slm_tnode *body, struct slm_tscope *scope, struct slm_tvalue *out);
/* target = value, in the current scope. */
slm_status slm__te_assign(struct slm_tmachine *m, const struct slm_texpr *target, struct slm_tvalue value);
/* Run a loop over `items`; `level` > 0: called by itself. */
slm_status slm__te_loop(struct slm_tmachine *m, const struct slm_tnode *node, struct slm_tvalue items, uint32_t level);

/* callee(call) for all that can be called; `caller`, when not NULL, is what caller() renders in a macro. */
slm_status slm__te_call(struct slm_tmachine *m, struct slm_tvalue callee, const struct slm_tcall *call, const struct slm_tvalue *caller,
                        struct slm_tvalue *out);
/* Evaluate the arguments of a call, filter or test. */
slm_status slm__te_arguments(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tcall *call);

/* base.name, base[key], base[from:to:step]: Jinja's rules. */
slm_status slm__te_attribute(struct slm_tmachine *m, struct slm_tvalue base, struct slm_span name, struct slm_tvalue *out);
slm_status slm__te_item(struct slm_tmachine *m, struct slm_tvalue base, struct slm_tvalue key, struct slm_tvalue *out);
slm_status slm__te_slice(struct slm_tmachine *m, struct slm_tvalue base, const struct slm_tvalue bounds[3], struct slm_tvalue *out);
/* item by a path such as "function.name" or "0.x", as map(attribute=...) takes it. */
slm_status slm__te_path(struct slm_tmachine *m, struct slm_tvalue base, struct slm_tvalue path, struct slm_tvalue *out);
/* An undefined value that remembers what was missing: `name` (or element `index` when it is empty) of an `owner` (NULL: a variable). */
slm_status slm__te_undefined(struct slm_tmachine *m, const char *owner, struct slm_span name, int64_t index, struct slm_tvalue *out);

/* a operation b. */
slm_status slm__te_binary(struct slm_tmachine *m, enum slm_toperator operation, struct slm_tvalue a, struct slm_tvalue b,
                          struct slm_tvalue *out);
slm_status slm__te_compare(struct slm_tmachine *m, enum slm_toperator operation, struct slm_tvalue a, struct slm_tvalue b, bool *holds);
slm_status slm__te_negate(struct slm_tmachine *m, struct slm_tvalue value, bool minus, struct slm_tvalue *out);

#endif
