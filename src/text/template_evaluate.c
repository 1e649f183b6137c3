/* SPDX-License-Identifier: MIT */
/* Expressions to values. */
#include "text/template_builtins.h" /* slm__template_globals */
#include "text/template_eval.h"     /* slm__te_eval */

slm_status slm__te_undefined(struct slm_tmachine *m, const char *owner, struct slm_span name, int64_t index, struct slm_tvalue *out)
{
    struct slm_tundefined *reason = slm__tm_take(m, sizeof *reason);
    if (reason == NULL) {
        return slm__tm_no_memory(m);
    }
    reason->owner = owner;
    reason->name = name;
    reason->index = index;
    memset(out, 0, sizeof *out);
    out->kind = SLM_T_UNDEFINED;
    out->as.undefined = reason;
    return SLM_OK;
}

static slm_status eval_name(struct slm_tmachine *m, struct slm_span name, struct slm_tvalue *out)
{
    struct slm_tvalue *variable = slm__tm_get(m, name);
    if (variable != NULL) {
        *out = *variable;
        return SLM_OK;
    }
    const struct slm_tfunction *function = slm__tm_find(slm__template_globals, name);
    if (function != NULL) {
        *out = slm__tv_none();
        out->kind = SLM_T_FUNCTION;
        out->as.function = function;
        return SLM_OK;
    }
    return slm__te_undefined(m, NULL, name, 0, out);
}

static slm_status eval_item(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    struct slm_tvalue base;
    struct slm_tvalue bounds[3] = {slm__tv_none(), slm__tv_none(), slm__tv_none()};
    SLM_TRY(slm__te_eval(m, e->base, &base));
    for (uint32_t i = 0; i < e->count; i++) {
        if (e->items[i] != NULL) {
            SLM_TRY(slm__te_eval(m, e->items[i], &bounds[i]));
        }
    }
    return e->kind == SLM_TE_SLICE ? slm__te_slice(m, base, bounds, out) : slm__te_item(m, base, bounds[0], out);
}

static slm_status eval_call(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    struct slm_tvalue callee;
    struct slm_tcall call;
    SLM_TRY(slm__te_eval(m, e->base, &callee));
    SLM_TRY(slm__te_arguments(m, e, &call));
    m->line = e->line;
    return slm__te_call(m, callee, &call, NULL, out);
}

slm_status slm__te_filter_value(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue value, struct slm_tvalue *out)
{
    struct slm_tcall call;
    if (e->base != NULL) { /* a chain of filters of a block: the innermost has no base */
        SLM_TRY(slm__tm_enter(m));
        SLM_TRY(slm__te_filter_value(m, e->base, value, &value));
        slm__tm_leave(m);
    }
    if (e->function == NULL) {
        return slm__tm_fail(m, "no filter named '%.*s'", SLM_SPAN_ARGS(e->name));
    }
    SLM_TRY(slm__te_arguments(m, e, &call));
    return slm__tm_run(m, e->function, value, &call, out);
}

static slm_status eval_filter(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    struct slm_tvalue value;
    struct slm_tcall call;
    SLM_TRY(slm__te_eval(m, e->base, &value));
    if (e->function == NULL) {
        return slm__tm_fail(m, "no %s named '%.*s'", e->kind == SLM_TE_TEST ? "test" : "filter", SLM_SPAN_ARGS(e->name));
    }
    SLM_TRY(slm__te_arguments(m, e, &call));
    m->line = e->line;
    SLM_TRY(slm__tm_run(m, e->function, value, &call, out));
    if (e->kind == SLM_TE_TEST && e->negated) {
        *out = slm__tv_bool(!slm__tv_truth(*out));
    }
    return SLM_OK;
}

static slm_status eval_chain(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    SLM_TRY(slm__te_eval(m, e->items[0], out));
    for (uint32_t i = 1; i < e->count; i++) {
        struct slm_tvalue right;
        SLM_TRY(slm__te_eval(m, e->items[i], &right));
        SLM_TRY(slm__te_binary(m, (enum slm_toperator)e->operators[i], *out, right, out));
    }
    return SLM_OK;
}

/* a < b < c: the operands once each, up to the first comparison that does not hold. */
static slm_status eval_compare(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    struct slm_tvalue left;
    bool holds = true;
    SLM_TRY(slm__te_eval(m, e->items[0], &left));
    for (uint32_t i = 1; holds && i < e->count; i++) {
        struct slm_tvalue right;
        SLM_TRY(slm__te_eval(m, e->items[i], &right));
        SLM_TRY(slm__te_compare(m, (enum slm_toperator)e->operators[i], left, right, &holds));
        left = right;
    }
    *out = slm__tv_bool(holds);
    return SLM_OK;
}

/* and, or: the operand that decides, not its truth. */
static slm_status eval_logical(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    for (uint32_t i = 0; i < e->count; i++) {
        SLM_TRY(slm__te_eval(m, e->items[i], out));
        if (slm__tv_truth(*out) == (e->kind == SLM_TE_OR)) {
            return SLM_OK;
        }
    }
    return SLM_OK;
}

static slm_status eval_join(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    slm__ts_begin(&builder, m);
    for (uint32_t i = 0; i < e->count; i++) {
        struct slm_tvalue part;
        SLM_TRY(slm__te_eval(m, e->items[i], &part));
        SLM_TRY(slm__ts_print(&builder, part));
    }
    return slm__ts_end(&builder, out);
}

static slm_status eval_condition(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    struct slm_tvalue test;
    SLM_TRY(slm__te_eval(m, e->base, &test));
    const struct slm_texpr *chosen = e->items[slm__tv_truth(test) ? 0 : 1];
    if (chosen != NULL) {
        return slm__te_eval(m, chosen, out);
    }
    return slm__te_undefined(m, NULL, slm__span_text("the else of an if expression"), 0, out);
}

static slm_status eval_list(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    struct slm_tvalue list;
    SLM_TRY(slm__tv_list(m, e->kind == SLM_TE_LIST ? SLM_T_LIST : SLM_T_TUPLE, e->count, &list));
    for (uint32_t i = 0; i < e->count; i++) {
        struct slm_tvalue item;
        SLM_TRY(slm__te_eval(m, e->items[i], &item));
        SLM_TRY(slm__tv_append(m, list, item));
    }
    *out = list;
    return SLM_OK;
}

static slm_status eval_dict(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    struct slm_tvalue dict;
    SLM_TRY(slm__tv_dict(m, SLM_T_DICT, e->count / 2, &dict));
    for (uint32_t i = 0; i + 1 < e->count; i += 2) {
        struct slm_tvalue key;
        struct slm_tvalue value;
        SLM_TRY(slm__te_eval(m, e->items[i], &key));
        SLM_TRY(slm__te_eval(m, e->items[i + 1], &value));
        SLM_TRY(slm__tv_dict_set(m, dict.as.dict, key, value));
    }
    *out = dict;
    return SLM_OK;
}

static slm_status eval_unary(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    struct slm_tvalue base;
    SLM_TRY(slm__te_eval(m, e->base, &base));
    m->line = e->line;
    if (e->kind == SLM_TE_ATTRIBUTE) {
        return slm__te_attribute(m, base, e->name, out);
    }
    if (e->kind == SLM_TE_NOT) {
        *out = slm__tv_bool(!slm__tv_truth(base));
        return SLM_OK;
    }
    return slm__te_negate(m, base, e->kind == SLM_TE_NEGATE, out);
}

static slm_status eval_kind(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    switch (e->kind) {
    case SLM_TE_LITERAL: *out = e->value; return SLM_OK;
    case SLM_TE_NAME: return eval_name(m, e->name, out);
    case SLM_TE_ITEM:
    case SLM_TE_SLICE: return eval_item(m, e, out);
    case SLM_TE_CALL: return eval_call(m, e, out);
    case SLM_TE_FILTER:
    case SLM_TE_TEST: return eval_filter(m, e, out);
    case SLM_TE_CHAIN: return eval_chain(m, e, out);
    case SLM_TE_COMPARE: return eval_compare(m, e, out);
    case SLM_TE_AND:
    case SLM_TE_OR: return eval_logical(m, e, out);
    case SLM_TE_JOIN: return eval_join(m, e, out);
    case SLM_TE_CONDITION: return eval_condition(m, e, out);
    case SLM_TE_LIST:
    case SLM_TE_TUPLE: return eval_list(m, e, out);
    case SLM_TE_DICT: return eval_dict(m, e, out);
    default: /* ATTRIBUTE, NOT, NEGATE, PLUS */ return eval_unary(m, e, out);
    }
}

slm_status slm__te_eval(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tvalue *out)
{
    SLM_TRY(slm__tm_enter(m));
    m->line = e->line;
    SLM_TRY(eval_kind(m, e, out));
    slm__tm_leave(m);
    return SLM_OK;
}
