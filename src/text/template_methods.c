/* SPDX-License-Identifier: MIT */
/* Methods of lists, mappings and loops, and how a method is found. Methods that would change their object are refused: as values they
 * are undefined, calling them is an error. */
#include "text/template_builtins.h" /* slm__template_method */
#include "text/template_eval.h"     /* struct slm_tloop */

static slm_status dict_get(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    struct slm_tvalue *value = NULL;
    SLM_TRY(slm__tv_dict_find(m, self.as.dict, a->value[0], &value));
    *out = value != NULL ? *value : a->given[1] ? a->value[1] : slm__tv_none();
    return SLM_OK;
}

static slm_status dict_items(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return slm__tv_dict_pairs(m, self.as.dict, SLM_T_VIEW, out);
}

/* A view of all keys or of all values. */
static slm_status view_of(struct slm_tmachine *m, struct slm_tvalue *items, size_t count, const char *label, struct slm_tvalue *out)
{
    SLM_TRY(slm__tv_list(m, SLM_T_VIEW, 0, out));
    out->as.list->items = items;
    out->as.list->count = count;
    out->as.list->capacity = count;
    out->as.list->label = label;
    return SLM_OK;
}

static slm_status dict_keys(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return view_of(m, self.as.dict->keys, self.as.dict->count, "dict_keys", out);
}

static slm_status dict_values(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return view_of(m, self.as.dict->values, self.as.dict->count, "dict_values", out);
}

static slm_status value_copy(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    *out = self; /* nothing can be changed, so a copy is the thing itself */
    return SLM_OK;
}

static slm_status list_count(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    int64_t count = 0;
    for (size_t i = 0; i < self.as.list->count; i++) {
        bool equal = false;
        SLM_TRY(slm__tv_equal(m, self.as.list->items[i], a->value[0], &equal));
        count += equal;
    }
    *out = slm__tv_int(count);
    return slm__tm_charge(m, self.as.list->count / 8);
}

static slm_status list_index(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    SLM_TRY(slm__tm_charge(m, self.as.list->count / 8));
    for (size_t i = 0; i < self.as.list->count; i++) {
        bool equal = false;
        SLM_TRY(slm__tv_equal(m, self.as.list->items[i], a->value[0], &equal));
        if (equal) {
            *out = slm__tv_int((int64_t)i);
            return SLM_OK;
        }
    }
    return slm__tm_fail(m, "the value is not in the list");
}

/* loop.cycle(a, b, ...): the one whose turn it is */
static slm_status loop_cycle(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    if (a->call->count == 0) {
        return slm__tm_fail(m, "no items for cycling given");
    }
    *out = a->call->positional[self.as.loop->index % a->call->count];
    return SLM_OK;
}

/* loop.changed(values): whether they differ from those of the last call */
static slm_status loop_changed(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    struct slm_tloop *loop = self.as.loop;
    struct slm_tvalue values;
    bool equal = false;
    SLM_TRY(slm__tv_list(m, SLM_T_TUPLE, a->call->count, &values));
    for (size_t i = 0; i < a->call->count; i++) {
        SLM_TRY(slm__tv_append(m, values, a->call->positional[i]));
    }
    if (loop->changed_called) {
        SLM_TRY(slm__tv_equal(m, loop->changed, values, &equal));
    }
    loop->changed = values;
    loop->changed_called = true;
    *out = slm__tv_bool(!equal);
    return SLM_OK;
}

static slm_status float_is_integer(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    double real = self.as.real;
    bool whole = real - real == 0.0 && (real >= 9007199254740992.0 || real <= -9007199254740992.0 || real == (double)(int64_t)real);
    *out = slm__tv_bool(whole);
    return SLM_OK;
}

static const struct slm_tfunction dict_methods[] = {
    {"get", dict_get, "key default", 1}, {"items", dict_items, "", 0}, {"keys", dict_keys, "", 0},
    {"values", dict_values, "", 0},      {"copy", value_copy, "", 0},  {NULL, NULL, NULL, 0},
};

static const struct slm_tfunction list_methods[] = {
    {"count", list_count, "value", 1},
    {"index", list_index, "value", 1},
    {"copy", value_copy, "", 0},
    {NULL, NULL, NULL, 0},
};

static const struct slm_tfunction loop_methods[] = {
    {"cycle", loop_cycle, NULL, 0},
    {"changed", loop_changed, NULL, 0},
    {NULL, NULL, NULL, 0},
};

static const struct slm_tfunction float_methods[] = {
    {"is_integer", float_is_integer, "", 0},
    {NULL, NULL, NULL, 0},
};

/* Whether Python's type has a method of this name that changes the object. */
static bool changes_object(uint8_t kind, struct slm_span name)
{
    static const char *const of_lists[] = {"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove", NULL};
    static const char *const of_dicts[] = {"clear", "pop", "popitem", "setdefault", "update", NULL};
    const char *const *names = kind == SLM_T_LIST ? of_lists : kind == SLM_T_DICT ? of_dicts : NULL;
    for (; names != NULL && *names != NULL; names++) {
        if (slm__span_is(name, *names)) {
            return true;
        }
    }
    return false;
}

slm_status slm__template_method(struct slm_tmachine *m, struct slm_tvalue self, struct slm_span name, struct slm_tvalue *out, bool *found)
{
    static const struct slm_tfunction *const tables[] = {
        [SLM_T_FLOAT] = float_methods, [SLM_T_STRING] = slm__template_text_methods,
        [SLM_T_LIST] = list_methods,   [SLM_T_TUPLE] = list_methods,
        [SLM_T_RANGE] = list_methods,  [SLM_T_DICT] = dict_methods,
        [SLM_T_LOOP] = loop_methods,   [SLM_T_METHOD] = NULL,
    };
    const struct slm_tfunction *function = tables[self.kind] != NULL ? slm__tm_find(tables[self.kind], name) : NULL;
    *found = true;
    if (changes_object(self.kind, name)) {
        return slm__te_undefined(m, slm__tv_type(self), name, -1, out);
    }
    if (function == NULL) {
        *found = false;
        return SLM_OK;
    }
    struct slm_tmethod *method = slm__tm_take(m, sizeof *method);
    if (method == NULL) {
        return slm__tm_no_memory(m);
    }
    method->self = self;
    method->function = function;
    *out = slm__tv_none();
    out->kind = SLM_T_METHOD;
    out->as.method = method;
    return SLM_OK;
}
