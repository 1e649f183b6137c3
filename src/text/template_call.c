/* SPDX-License-Identifier: MIT */
/* Calls: arguments, macros, recursive loops, and the global functions. */
#include "text/template_builtins.h" /* slm__template_globals */
#include "text/template_eval.h"     /* slm__te_call */

#include <stdio.h> /* snprintf */

/* Arguments being collected. */
struct collected {
    struct slm_tvalue positional; /* a list */
    struct slm_tvalue names;      /* keywords as texts, and their values */
    struct slm_tvalue named;
};

static slm_status collect_keyword(struct slm_tmachine *m, struct collected *c, struct slm_tvalue name, struct slm_tvalue value)
{
    if (name.kind != SLM_T_STRING) {
        return slm__tm_fail(m, "keywords must be strings");
    }
    SLM_TRY(slm__tv_append(m, c->names, name));
    return slm__tv_append(m, c->named, value);
}

static slm_status collect_argument(struct slm_tmachine *m, struct collected *c, const struct slm_targument *argument)
{
    struct slm_tvalue value;
    struct slm_tvalue name;
    const struct slm_tlist *items = NULL;
    SLM_TRY(slm__te_eval(m, argument->value, &value));
    if (argument->stars == 1) {
        SLM_TRY(slm__tv_iterate(m, value, &items));
        for (size_t i = 0; i < items->count; i++) {
            SLM_TRY(slm__tv_append(m, c->positional, items->items[i]));
        }
        return SLM_OK;
    }
    if (argument->stars == 2) {
        if (value.kind != SLM_T_DICT) {
            return slm__tm_fail(m, "argument after ** must be a mapping, not %s", slm__tv_type(value));
        }
        for (size_t i = 0; i < value.as.dict->count; i++) {
            SLM_TRY(collect_keyword(m, c, value.as.dict->keys[i], value.as.dict->values[i]));
        }
        return SLM_OK;
    }
    if (argument->name.length == 0) {
        return slm__tv_append(m, c->positional, value);
    }
    SLM_TRY(slm__ts_make(m, argument->name, true, &name));
    return collect_keyword(m, c, name, value);
}

slm_status slm__te_arguments(struct slm_tmachine *m, const struct slm_texpr *e, struct slm_tcall *call)
{
    struct collected c;
    memset(call, 0, sizeof *call);
    if (e->count == 0) {
        return SLM_OK;
    }
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, e->count, &c.positional));
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, 0, &c.names));
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, 0, &c.named));
    for (uint32_t i = 0; i < e->count; i++) {
        SLM_TRY(collect_argument(m, &c, &e->arguments[i]));
    }
    call->positional = c.positional.as.list->items;
    call->count = c.positional.as.list->count;
    call->named = c.named.as.list->items;
    call->named_count = c.named.as.list->count;
    if (call->named_count > 0) {
        call->names = slm__tm_take_items(m, call->named_count, sizeof *call->names);
        if (call->names == NULL) {
            return slm__tm_no_memory(m);
        }
        for (size_t i = 0; i < call->named_count; i++) {
            call->names[i] = slm__ts_span(c.names.as.list->items[i].as.string);
        }
    }
    return SLM_OK;
}

/* Bind varargs and kwargs, or refuse what no parameter takes. `taken[i]`: keyword i was used. */
static slm_status bind_rest(struct slm_tmachine *m, const struct slm_tmacro_syntax *macro, const struct slm_tcall *call, const bool *taken,
                            struct slm_tscope *scope)
{
    struct slm_tvalue rest;
    struct slm_tvalue keywords;
    if (call->count > macro->count && !macro->uses_varargs) {
        return slm__tm_fail(m, "macro '%.*s' takes not more than %zu argument(s)", SLM_SPAN_ARGS(macro->name), macro->count);
    }
    SLM_TRY(slm__tv_list(m, SLM_T_TUPLE, 0, &rest));
    SLM_TRY(slm__tv_dict(m, SLM_T_DICT, 0, &keywords));
    for (size_t i = macro->count; i < call->count; i++) {
        SLM_TRY(slm__tv_append(m, rest, call->positional[i]));
    }
    for (size_t i = 0; i < call->named_count; i++) {
        struct slm_tvalue name;
        if (taken[i]) {
            continue;
        }
        if (!macro->uses_kwargs) {
            return slm__tm_fail(m, "macro '%.*s' takes no keyword argument '%.*s'", SLM_SPAN_ARGS(macro->name),
                                SLM_SPAN_ARGS(call->names[i]));
        }
        SLM_TRY(slm__ts_make(m, call->names[i], true, &name));
        SLM_TRY(slm__tv_dict_set(m, keywords.as.dict, name, call->named[i]));
    }
    if (macro->uses_varargs) {
        SLM_TRY(slm__tm_set(m, scope, slm__span_text("varargs"), rest));
    }
    return macro->uses_kwargs ? slm__tm_set(m, scope, slm__span_text("kwargs"), keywords) : SLM_OK;
}

/* One parameter: by position, by keyword, its default, or undefined. */
static slm_status bind_parameter(struct slm_tmachine *m, const struct slm_tmacro_syntax *macro, size_t index, const struct slm_tcall *call,
                                 bool *taken, struct slm_tscope *scope)
{
    const struct slm_tparameter *parameter = &macro->parameters[index];
    struct slm_tvalue value;
    bool given = index < call->count;
    if (given) {
        value = call->positional[index];
    }
    for (size_t i = 0; i < call->named_count; i++) {
        if (!slm__span_equal(call->names[i], parameter->name)) {
            continue;
        }
        if (given) {
            return slm__tm_fail(m, "macro '%.*s' got multiple values for argument '%.*s'", SLM_SPAN_ARGS(macro->name),
                                SLM_SPAN_ARGS(parameter->name));
        }
        value = call->named[i];
        taken[i] = true;
        given = true;
    }
    if (!given && parameter->otherwise != NULL) {
        struct slm_tscope *outer = m->scope;
        m->scope = scope;
        SLM_TRY(slm__te_eval(m, parameter->otherwise, &value));
        m->scope = outer;
    } else if (!given) {
        SLM_TRY(slm__te_undefined(m, NULL, parameter->name, 0, &value));
    }
    return slm__tm_set(m, scope, parameter->name, value);
}

static slm_status call_macro(struct slm_tmachine *m, const struct slm_tmacro *macro, const struct slm_tcall *call,
                             const struct slm_tvalue *caller, struct slm_tvalue *out)
{
    struct slm_tscope *scope = NULL;
    bool *taken = slm__tm_take(m, call->named_count + 1);
    if (taken == NULL) {
        return slm__tm_no_memory(m);
    }
    SLM_TRY(slm__tm_scope(m, macro->scope, &scope));
    for (size_t i = 0; i < macro->syntax->count; i++) {
        SLM_TRY(bind_parameter(m, macro->syntax, i, call, taken, scope));
    }
    SLM_TRY(bind_rest(m, macro->syntax, call, taken, scope));
    if (caller != NULL) {
        SLM_TRY(slm__tm_set(m, scope, slm__span_text("caller"), *caller));
    }
    return slm__te_capture(m, macro->syntax->body, scope, out);
}

/* loop(items) in a recursive loop: the loop again, one level deeper, as a text. */
static slm_status call_loop(struct slm_tmachine *m, const struct slm_tloop *loop, const struct slm_tcall *call, struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    struct slm_tbuilder *outer_output = m->output;
    struct slm_tscope *outer_scope = m->scope;
    if (!loop->node->recursive || call->count != 1) {
        return slm__tm_fail(m, "loop() needs a recursive loop and one argument");
    }
    SLM_TRY(slm__tm_enter(m));
    slm__ts_begin(&builder, m);
    m->output = &builder;
    m->scope = loop->scope;
    SLM_TRY(slm__te_loop(m, loop->node, call->positional[0], loop->level + 1));
    m->output = outer_output;
    m->scope = outer_scope;
    slm__tm_leave(m);
    return slm__ts_end(&builder, out);
}

slm_status slm__te_call(struct slm_tmachine *m, struct slm_tvalue callee, const struct slm_tcall *call, const struct slm_tvalue *caller,
                        struct slm_tvalue *out)
{
    switch (callee.kind) {
    case SLM_T_FUNCTION: return slm__tm_run(m, callee.as.function, slm__tv_none(), call, out);
    case SLM_T_METHOD: return slm__tm_run(m, callee.as.method->function, callee.as.method->self, call, out);
    case SLM_T_MACRO: return call_macro(m, callee.as.macro, call, caller, out);
    case SLM_T_LOOP: return call_loop(m, callee.as.loop, call, out);
    case SLM_T_UNDEFINED: return slm__tm_fail_undefined(m, callee);
    default: return slm__tm_fail(m, "'%s' object is not callable", slm__tv_type(callee));
    }
}

/* ---- global functions ---- */

static slm_status global_raise(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)self;
    (void)out;
    const struct slm_tstring *text = NULL;
    SLM_TRY(slm__ts_from(m, a->value[0], &text));
    int length = text->length < 4096 ? (int)text->length : 4096;
    return slm__fail(m->error, SLM_E_TEMPLATE, "%.*s", length, (const char *)text->data);
}

static slm_status global_strftime(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)self;
    if (a->value[0].kind != SLM_T_STRING) {
        return slm__tm_fail(m, "strftime_now() needs a text, not %s", slm__tv_type(a->value[0]));
    }
    return slm__template_strftime(m, a->value[0].as.string, m->now, out);
}

/* dict(mapping or pairs, name=value ...), and the same for a namespace. */
static slm_status make_dict(struct slm_tmachine *m, const struct slm_tcall *call, enum slm_tkind kind, struct slm_tvalue *out)
{
    struct slm_tvalue dict;
    const struct slm_tlist *pairs = NULL;
    SLM_TRY(slm__tv_dict(m, kind, 0, &dict));
    if (call->count > 1) {
        return slm__tm_fail(m, "dict expected at most 1 argument, got %zu", call->count);
    }
    if (call->count == 1 && call->positional[0].kind == SLM_T_DICT) {
        const struct slm_tdict *source = call->positional[0].as.dict;
        for (size_t i = 0; i < source->count; i++) {
            SLM_TRY(slm__tv_dict_set(m, dict.as.dict, source->keys[i], source->values[i]));
        }
    } else if (call->count == 1) {
        SLM_TRY(slm__tv_iterate(m, call->positional[0], &pairs));
        for (size_t i = 0; i < pairs->count; i++) {
            const struct slm_tlist *pair = NULL;
            SLM_TRY(slm__tv_iterate(m, pairs->items[i], &pair));
            if (pair->count != 2) {
                return slm__tm_fail(m, "dictionary update sequence element %zu has length %zu; 2 is required", i, pair->count);
            }
            SLM_TRY(slm__tv_dict_set(m, dict.as.dict, pair->items[0], pair->items[1]));
        }
    }
    for (size_t i = 0; i < call->named_count; i++) {
        struct slm_tvalue name;
        SLM_TRY(slm__ts_make(m, call->names[i], true, &name));
        SLM_TRY(slm__tv_dict_set(m, dict.as.dict, name, call->named[i]));
    }
    *out = dict;
    return SLM_OK;
}

static slm_status global_dict(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)self;
    return make_dict(m, a->call, SLM_T_DICT, out);
}

static slm_status global_namespace(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)self;
    SLM_TRY(make_dict(m, a->call, SLM_T_NAMESPACE, out));
    const struct slm_tdict *dict = out->as.dict;
    for (size_t i = 0; i < dict->count; i++) {
        if (dict->keys[i].kind == SLM_T_STRING && dict->keys[i].as.string->length > 0 && dict->keys[i].as.string->data[0] == '_') {
            return slm__tm_fail(m, "attribute '%.*s' of a namespace begins with an underscore",
                                SLM_SPAN_ARGS(slm__ts_span(dict->keys[i].as.string)));
        }
    }
    return SLM_OK;
}

static slm_status global_range(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)self;
    char label[96];
    int64_t bounds[3] = {0, 0, 1};
    for (unsigned i = 0; i < 3; i++) {
        if (a->given[i] && !slm__tv_integer(a->value[i], &bounds[i])) {
            return a->value[i].kind == SLM_T_UNDEFINED
                       ? slm__tm_fail_undefined(m, a->value[i])
                       : slm__tm_fail(m, "'%s' object cannot be interpreted as an integer", slm__tv_type(a->value[i]));
        }
    }
    int64_t start = a->given[1] ? bounds[0] : 0;
    int64_t stop = a->given[1] ? bounds[1] : bounds[0];
    int64_t step = bounds[2];
    if (step == 0) {
        return slm__tm_fail(m, "range() arg 3 must not be zero");
    }
    /* Unsigned: the distance of two int64 fits. */
    uint64_t distance = step > 0 ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
    uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    uint64_t count = (step > 0 ? start < stop : start > stop) ? (distance - 1) / stride + 1 : 0;
    if (count > SLM_T_RANGE_LIMIT) {
        return slm__tm_fail(m, "range too big: more than %d items", (int)SLM_T_RANGE_LIMIT);
    }
    SLM_TRY(slm__tm_charge(m, count / 8));
    SLM_TRY(slm__tv_list(m, SLM_T_RANGE, (size_t)count, out));
    int length = step == 1 ? snprintf(label, sizeof label, "range(%lld, %lld)", (long long)start, (long long)stop)
                           : snprintf(label, sizeof label, "range(%lld, %lld, %lld)", (long long)start, (long long)stop, (long long)step);
    out->as.list->label = slm__arena_text(&m->arena, slm__span(label, (size_t)length));
    if (out->as.list->label == NULL) {
        return slm__tm_no_memory(m);
    }
    for (uint64_t i = 0; i < count; i++) {
        SLM_TRY(slm__tv_append(m, *out, slm__tv_int((int64_t)((uint64_t)start + i * (uint64_t)step))));
    }
    return SLM_OK;
}

const struct slm_tfunction slm__template_globals[] = {
    {"raise_exception", global_raise, "message", 1}, {"strftime_now", global_strftime, "format", 1},
    {"namespace", global_namespace, NULL, 0},        {"dict", global_dict, NULL, 0},
    {"range", global_range, "start stop step", 1},   {NULL, NULL, NULL, 0},
};
