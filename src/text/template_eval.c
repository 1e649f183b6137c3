/* SPDX-License-Identifier: MIT */
/* Statements: output, conditions, loops, assignments, blocks. */
#include "text/template_eval.h" /* slm__te_exec */

static slm_status exec_print(struct slm_tmachine *m, const struct slm_tnode *node)
{
    struct slm_tvalue value;
    SLM_TRY(slm__te_eval(m, node->value, &value));
    return slm__ts_print(m->output, value);
}

static slm_status exec_if(struct slm_tmachine *m, const struct slm_tnode *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        struct slm_tvalue test = slm__tv_bool(true);
        if (node->branches[i].test != NULL) {
            SLM_TRY(slm__te_eval(m, node->branches[i].test, &test));
        }
        if (slm__tv_truth(test)) {
            return slm__te_exec(m, node->branches[i].body);
        }
    }
    return SLM_OK;
}

static slm_status assign_items(struct slm_tmachine *m, const struct slm_texpr *target, struct slm_tvalue value)
{
    const struct slm_tlist *items = NULL;
    SLM_TRY(slm__tv_iterate(m, value, &items));
    if (items->count != target->count) {
        return slm__tm_fail(m, "%u values expected to unpack, got %zu", (unsigned)target->count, items->count);
    }
    for (uint32_t i = 0; i < target->count; i++) {
        SLM_TRY(slm__te_assign(m, target->items[i], items->items[i]));
    }
    return SLM_OK;
}

slm_status slm__te_assign(struct slm_tmachine *m, const struct slm_texpr *target, struct slm_tvalue value)
{
    if (target->kind == SLM_TE_NAME) {
        return slm__tm_set(m, m->scope, target->name, value);
    }
    if (target->kind == SLM_TE_TUPLE) {
        return assign_items(m, target, value);
    }
    struct slm_tvalue *object = slm__tm_get(m, target->base->name);
    if (object == NULL || object->kind != SLM_T_NAMESPACE) {
        return slm__tm_fail(m, "cannot assign attribute on non-namespace object '%.*s'", SLM_SPAN_ARGS(target->base->name));
    }
    if (target->name.data[0] == '_') {
        return slm__tm_fail(m, "attribute '%.*s' of a namespace begins with an underscore", SLM_SPAN_ARGS(target->name));
    }
    struct slm_tdict *attributes = object->as.dict;
    struct slm_tvalue name;
    SLM_TRY(slm__ts_make(m, target->name, true, &name));
    return slm__tv_dict_set(m, attributes, name, value);
}

/* The items whose test holds, each tried in a scope that holds the loop's variables only. */
static slm_status filter_items(struct slm_tmachine *m, const struct slm_tnode *node, const struct slm_tlist *items,
                               struct slm_tvalue *passed)
{
    struct slm_tscope *outer = m->scope;
    struct slm_tscope *scope = NULL;
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, items->count, passed));
    SLM_TRY(slm__tm_scope(m, outer, &scope));
    for (size_t i = 0; i < items->count; i++) {
        struct slm_tvalue holds;
        m->scope = scope;
        SLM_TRY(slm__te_assign(m, node->target, items->items[i]));
        SLM_TRY(slm__te_eval(m, node->test, &holds));
        m->scope = outer;
        if (slm__tv_truth(holds)) {
            SLM_TRY(slm__tv_append(m, *passed, items->items[i]));
        }
    }
    return SLM_OK;
}

slm_status slm__te_loop(struct slm_tmachine *m, const struct slm_tnode *node, struct slm_tvalue value, uint32_t level)
{
    struct slm_tscope *outer = m->scope;
    struct slm_tscope *scope = NULL;
    struct slm_tloop *loop = slm__tm_take(m, sizeof *loop);
    struct slm_tvalue passed = slm__tv_bool(true);
    struct slm_tvalue shown = slm__tv_none();
    bool finished = false; /* a run of the body to its end: with only breaks and continues the else is run, as in the reference */
    if (loop == NULL) {
        return slm__tm_no_memory(m);
    }
    shown.kind = SLM_T_LOOP;
    shown.as.loop = loop;
    SLM_TRY(slm__tv_iterate(m, value, &loop->items));
    if (node->test != NULL) {
        SLM_TRY(filter_items(m, node, loop->items, &passed));
        loop->items = passed.as.list;
    }
    loop->node = node;
    loop->level = level;
    loop->scope = outer;
    SLM_TRY(slm__tm_scope(m, outer, &scope));
    for (loop->index = 0; loop->index < loop->items->count && m->jump != SLM_T_BREAK; loop->index++) {
        SLM_TRY(slm__tm_scope_again(m, &scope));
        m->scope = scope;
        SLM_TRY(slm__tm_set(m, scope, slm__span_text("loop"), shown));
        SLM_TRY(slm__te_assign(m, node->target, loop->items->items[loop->index]));
        SLM_TRY(slm__tm_charge(m, 1));
        m->jump = SLM_T_GO_ON;
        SLM_TRY(slm__te_exec(m, node->body));
        m->scope = outer;
        finished |= m->jump == SLM_T_GO_ON;
    }
    m->jump = SLM_T_GO_ON;
    return finished ? SLM_OK : slm__te_exec(m, node->otherwise);
}

slm_status slm__te_capture(struct slm_tmachine *m, const struct slm_tnode *body, struct slm_tscope *scope, struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    struct slm_tbuilder *outer_output = m->output;
    struct slm_tscope *outer_scope = m->scope;
    slm__ts_begin(&builder, m);
    m->output = &builder;
    m->scope = scope;
    SLM_TRY(slm__te_exec(m, body));
    m->output = outer_output;
    m->scope = outer_scope;
    return slm__ts_end(&builder, out);
}

/* The output of a block in a scope of its own, through the filters in node->value if there are any. */
static slm_status capture_block(struct slm_tmachine *m, const struct slm_tnode *node, struct slm_tvalue *out)
{
    struct slm_tscope *scope = NULL;
    SLM_TRY(slm__tm_scope(m, m->scope, &scope));
    SLM_TRY(slm__te_capture(m, node->body, scope, out));
    return node->value != NULL ? slm__te_filter_value(m, node->value, *out, out) : SLM_OK;
}

static slm_status exec_macro(struct slm_tmachine *m, const struct slm_tmacro_syntax *syntax, struct slm_tvalue *out)
{
    struct slm_tmacro *macro = slm__tm_take(m, sizeof *macro);
    if (macro == NULL) {
        return slm__tm_no_memory(m);
    }
    macro->syntax = syntax;
    macro->scope = m->scope;
    for (struct slm_tscope *scope = m->scope; scope != NULL; scope = scope->parent) {
        scope->kept = true;
    }
    *out = slm__tv_none();
    out->kind = SLM_T_MACRO;
    out->as.macro = macro;
    return SLM_OK;
}

static slm_status exec_call_block(struct slm_tmachine *m, const struct slm_tnode *node)
{
    struct slm_tvalue caller;
    struct slm_tvalue callee;
    struct slm_tvalue result;
    struct slm_tcall call;
    SLM_TRY(exec_macro(m, node->macro, &caller));
    SLM_TRY(slm__te_eval(m, node->value->base, &callee));
    SLM_TRY(slm__te_arguments(m, node->value, &call));
    SLM_TRY(slm__te_call(m, callee, &call, &caller, &result));
    return slm__ts_print(m->output, result);
}

/* with, block, generation: a body in a scope of its own; the values of `with` see the scope outside. */
static slm_status exec_scope(struct slm_tmachine *m, const struct slm_tnode *node)
{
    struct slm_tscope *outer = m->scope;
    struct slm_tscope *scope = NULL;
    SLM_TRY(slm__tm_scope(m, outer, &scope));
    for (uint32_t i = 0; i < node->count; i++) {
        struct slm_tvalue value;
        SLM_TRY(slm__te_eval(m, node->targets[2 * i + 1], &value));
        SLM_TRY(slm__tm_set(m, scope, node->targets[2 * i]->name, value));
    }
    m->scope = scope;
    SLM_TRY(slm__te_exec(m, node->body));
    m->scope = outer;
    return SLM_OK;
}

static slm_status exec_node(struct slm_tmachine *m, const struct slm_tnode *node)
{
    struct slm_tvalue value;
    switch (node->kind) {
    case SLM_TN_TEXT: return slm__ts_add_text(m->output, node->text.as.string);
    case SLM_TN_PRINT: return exec_print(m, node);
    case SLM_TN_IF: return exec_if(m, node);
    case SLM_TN_FOR: SLM_TRY(slm__te_eval(m, node->value, &value)); return slm__te_loop(m, node, value, 0);
    case SLM_TN_SET: SLM_TRY(slm__te_eval(m, node->value, &value)); return slm__te_assign(m, node->target, value);
    case SLM_TN_SET_BLOCK: SLM_TRY(capture_block(m, node, &value)); return slm__te_assign(m, node->target, value);
    case SLM_TN_MACRO: SLM_TRY(exec_macro(m, node->macro, &value)); return slm__tm_set(m, m->scope, node->macro->name, value);
    case SLM_TN_CALL_BLOCK: return exec_call_block(m, node);
    case SLM_TN_FILTER: SLM_TRY(capture_block(m, node, &value)); return slm__ts_print(m->output, value);
    case SLM_TN_BREAK: m->jump = SLM_T_BREAK; return SLM_OK;
    case SLM_TN_CONTINUE: m->jump = SLM_T_CONTINUE; return SLM_OK;
    default: return exec_scope(m, node);
    }
}

slm_status slm__te_exec(struct slm_tmachine *m, const struct slm_tnode *body)
{
    SLM_TRY(slm__tm_enter(m));
    for (const struct slm_tnode *node = body; node != NULL && m->jump == SLM_T_GO_ON; node = node->next) {
        m->line = node->line;
        SLM_TRY(slm__tm_charge(m, 1));
        SLM_TRY(exec_node(m, node));
    }
    slm__tm_leave(m);
    return SLM_OK;
}
