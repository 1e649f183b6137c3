/* SPDX-License-Identifier: MIT */
/* Memory, limits, failures and variables of one rendering, and the call of built-in functions. */
#include "text/template_machine.h" /* struct slm_tmachine */

#include <stdarg.h>
#include <stdio.h> /* vsnprintf */

void *slm__tm_take(struct slm_tmachine *m, size_t bytes) { return slm__arena_take(&m->arena, bytes); }

void *slm__tm_take_items(struct slm_tmachine *m, size_t count, size_t size)
{
    size_t bytes = 0;
    if (!slm__size_mul(count, size, &bytes)) {
        m->arena.limit_hit = true;
        return NULL;
    }
    return slm__arena_take(&m->arena, bytes);
}

slm_status slm__tm_no_memory(struct slm_tmachine *m)
{
    slm_status status = slm__arena_failure(&m->arena, m->error);
    return slm__fail_in(m->error, status, "line %u of the chat template", (unsigned)m->line);
}

slm_status slm__tm_fail(struct slm_tmachine *m, const char *format, ...)
{
    char text[400];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return slm__fail(m->error, SLM_E_TEMPLATE, "line %u of the chat template: %s", (unsigned)m->line, length < 0 ? "failed" : text);
}

slm_status slm__tm_charge(struct slm_tmachine *m, uint64_t steps)
{
    if (steps > m->step_limit - m->steps) {
        return slm__fail(m->error, SLM_E_LIMIT, "line %u of the chat template: more than %llu steps", (unsigned)m->line,
                         (unsigned long long)m->step_limit);
    }
    m->steps += steps;
    return SLM_OK;
}

slm_status slm__tm_enter(struct slm_tmachine *m)
{
    if (m->depth >= SLM_T_EVAL_DEPTH) {
        return slm__fail(m->error, SLM_E_LIMIT, "line %u of the chat template: calls and expressions are nested deeper than %d",
                         (unsigned)m->line, (int)SLM_T_EVAL_DEPTH);
    }
    m->depth++;
    return slm__tm_charge(m, 1);
}

void slm__tm_leave(struct slm_tmachine *m) { m->depth--; }

slm_status slm__tm_enter_value(struct slm_tmachine *m)
{
    if (m->value_depth >= SLM_T_VALUE_DEPTH) {
        return slm__fail(m->error, SLM_E_LIMIT, "line %u of the chat template: a value is nested deeper than %d", (unsigned)m->line,
                         (int)SLM_T_VALUE_DEPTH);
    }
    m->value_depth++;
    return slm__tm_charge(m, 1);
}

void slm__tm_leave_value(struct slm_tmachine *m) { m->value_depth--; }

slm_status slm__tm_fail_undefined(struct slm_tmachine *m, struct slm_tvalue value)
{
    const struct slm_tundefined *reason = value.as.undefined;
    if (reason == NULL) {
        return slm__tm_fail(m, "an undefined value is used");
    }
    if (reason->owner == NULL) {
        return slm__tm_fail(m, "'%.*s' is undefined", SLM_SPAN_ARGS(reason->name));
    }
    if (reason->name.data != NULL && reason->index == -1) {
        return slm__tm_fail(m, "access to attribute '%.*s' of '%s' object is unsafe", SLM_SPAN_ARGS(reason->name), reason->owner);
    }
    if (reason->name.data == NULL) {
        return slm__tm_fail(m, "%s object has no element %lld", reason->owner, (long long)reason->index);
    }
    return slm__tm_fail(m, "'%s object' has no attribute '%.*s'", reason->owner, SLM_SPAN_ARGS(reason->name));
}

slm_status slm__tm_scope(struct slm_tmachine *m, struct slm_tscope *parent, struct slm_tscope **scope)
{
    *scope = slm__tm_take(m, sizeof **scope);
    if (*scope == NULL) {
        return slm__tm_no_memory(m);
    }
    (*scope)->parent = parent;
    return SLM_OK;
}

slm_status slm__tm_scope_again(struct slm_tmachine *m, struct slm_tscope **scope)
{
    if ((*scope)->kept) {
        return slm__tm_scope(m, (*scope)->parent, scope);
    }
    for (struct slm_tbinding *binding = (*scope)->first; binding != NULL; binding = binding->next) {
        binding->bound = false;
    }
    return SLM_OK;
}

slm_status slm__tm_set(struct slm_tmachine *m, struct slm_tscope *scope, struct slm_span name, struct slm_tvalue value)
{
    struct slm_tbinding *binding = scope->first;
    uint64_t looked_at = 0;
    while (binding != NULL && !slm__span_equal(binding->name, name)) {
        binding = binding->next;
        looked_at++;
    }
    SLM_TRY(slm__tm_charge(m, looked_at / 8));
    if (binding == NULL) {
        binding = slm__tm_take(m, sizeof *binding);
        if (binding == NULL) {
            return slm__tm_no_memory(m);
        }
        binding->name = name;
        binding->next = scope->first;
        scope->first = binding;
    }
    binding->value = value;
    binding->bound = true;
    return SLM_OK;
}

/* Count work that cannot fail here; the next charge does. */
static void charge_later(struct slm_tmachine *m, uint64_t steps)
{
    m->steps = steps < m->step_limit - m->steps ? m->steps + steps : m->step_limit;
}

struct slm_tvalue *slm__tm_get(struct slm_tmachine *m, struct slm_span name)
{
    uint64_t looked_at = 0;
    for (const struct slm_tscope *scope = m->scope; scope != NULL; scope = scope->parent) {
        for (struct slm_tbinding *binding = scope->first; binding != NULL; binding = binding->next) {
            looked_at++;
            if ((looked_at & 63) == 0) {
                charge_later(m, 8 + name.length / 8);
            }
            if (binding->bound && slm__span_equal(binding->name, name)) {
                return &binding->value;
            }
        }
    }
    return NULL;
}

const struct slm_tfunction *slm__tm_find(const struct slm_tfunction *table, struct slm_span name)
{
    for (; table->name != NULL; table++) {
        if (slm__span_is(name, table->name)) {
            return table;
        }
    }
    return NULL;
}

/* Index of `name` in a list of words separated by blanks; *count is the number of words. */
static unsigned parameter_index(const char *parameters, struct slm_span name, unsigned *count)
{
    unsigned found = SLM_T_ARGUMENTS;
    *count = 0;
    while (*parameters != '\0') {
        size_t length = strcspn(parameters, " ");
        if (slm__span_equal(name, slm__span(parameters, length))) {
            found = *count;
        }
        (*count)++;
        parameters += length;
        parameters += strspn(parameters, " ");
    }
    return found;
}

slm_status slm__tm_run(struct slm_tmachine *m, const struct slm_tfunction *function, struct slm_tvalue self, const struct slm_tcall *call,
                       struct slm_tvalue *out)
{
    struct slm_targuments a;
    memset(&a, 0, sizeof a);
    a.call = call;
    if (function->parameters != NULL) {
        unsigned count = 0;
        parameter_index(function->parameters, slm__span(NULL, 0), &count);
        if (call->count > count) {
            return slm__tm_fail(m, "%s() takes at most %u arguments, got %zu", function->name, count, call->count);
        }
        for (size_t i = 0; i < call->count; i++) {
            a.value[i] = call->positional[i];
            a.given[i] = true;
        }
        for (size_t i = 0; i < call->named_count; i++) {
            unsigned index = parameter_index(function->parameters, call->names[i], &count);
            if (index >= count || a.given[index]) {
                return slm__tm_fail(m, "%s() has no use for the argument '%.*s'", function->name, SLM_SPAN_ARGS(call->names[i]));
            }
            a.value[index] = call->named[i];
            a.given[index] = true;
        }
        for (unsigned i = 0; i < function->required; i++) {
            if (!a.given[i]) {
                return slm__tm_fail(m, "%s() misses argument %u", function->name, i + 1);
            }
        }
    }
    return function->run(m, self, &a, out);
}

bool slm__ta_truth(const struct slm_targuments *a, unsigned index, bool otherwise)
{
    return a->given[index] ? slm__tv_truth(a->value[index]) : otherwise;
}

slm_status slm__ta_integer(struct slm_tmachine *m, const struct slm_targuments *a, unsigned index, int64_t otherwise, int64_t *value)
{
    *value = otherwise;
    if (!a->given[index] || slm__tv_integer(a->value[index], value)) {
        return SLM_OK;
    }
    return slm__tm_fail(m, "argument %u has to be an integer, not %s", index + 1, slm__tv_type(a->value[index]));
}

slm_status slm__ta_text(struct slm_tmachine *m, const struct slm_targuments *a, unsigned index, const struct slm_tstring **text)
{
    *text = NULL;
    if (!a->given[index] || a->value[index].kind == SLM_T_NONE) {
        return SLM_OK;
    }
    if (a->value[index].kind != SLM_T_STRING) {
        return slm__tm_fail(m, "argument %u has to be a text, not %s", index + 1, slm__tv_type(a->value[index]));
    }
    *text = a->value[index].as.string;
    return SLM_OK;
}
