/* SPDX-License-Identifier: MIT */
/* Filters that work on lists: select and map with their relatives, order, sums. What Jinja computes lazily is computed at once here and
 * shown as a generator. */
#include "text/template_builtins.h" /* slm__filter_... */
#include "text/template_eval.h"     /* slm__te_path, slm__te_binary */

slm_status slm__template_filter(struct slm_tmachine *m, struct slm_span name, struct slm_tvalue value, const struct slm_tcall *call,
                                struct slm_tvalue *out)
{
    const struct slm_tfunction *filter = slm__tm_find(slm__template_filters, name);
    if (filter == NULL) {
        return slm__tm_fail(m, "no filter named '%.*s'", SLM_SPAN_ARGS(name));
    }
    SLM_TRY(slm__tm_enter(m)); /* a filter may be map, which calls filters */
    SLM_TRY(slm__tm_run(m, filter, value, call, out));
    slm__tm_leave(m);
    return SLM_OK;
}

slm_status slm__template_test(struct slm_tmachine *m, struct slm_span name, struct slm_tvalue value, const struct slm_tcall *call,
                              bool *holds)
{
    struct slm_tvalue result;
    const struct slm_tfunction *test = slm__tm_find(slm__template_tests, name);
    if (test == NULL) {
        return slm__tm_fail(m, "no test named '%.*s'", SLM_SPAN_ARGS(name));
    }
    SLM_TRY(slm__tm_charge(m, 1));
    SLM_TRY(slm__tm_run(m, test, value, call, &result));
    *holds = slm__tv_truth(result);
    return SLM_OK;
}

/* The call without its first `skipped` positional arguments. */
static struct slm_tcall later_arguments(const struct slm_tcall *call, size_t skipped)
{
    struct slm_tcall rest = *call;
    skipped = skipped < rest.count ? skipped : rest.count;
    rest.positional = rest.positional != NULL ? rest.positional + skipped : NULL;
    rest.count -= skipped;
    return rest;
}

/* select, reject (by the item), selectattr, rejectattr (by an attribute of it): those whose test gives `wanted`. */
static slm_status select_items(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_tcall *call, bool by_attribute, bool wanted,
                               struct slm_tvalue *out)
{
    const struct slm_tlist *items = NULL;
    struct slm_tvalue chosen;
    size_t used = by_attribute ? 1 : 0;
    if (call->count < used) {
        return slm__tm_fail(m, "an attribute to select by is missing");
    }
    struct slm_tcall rest = later_arguments(call, used + 1);
    bool has_test = call->count > used;
    if (has_test && call->positional[used].kind != SLM_T_STRING) {
        return slm__tm_fail(m, "the name of a test has to be a text");
    }
    SLM_TRY(slm__tv_list(m, SLM_T_GENERATOR, 0, &chosen));
    *out = chosen;
    if (!slm__tv_truth(self)) { /* none and its like have no items here */
        return SLM_OK;
    }
    SLM_TRY(slm__tv_iterate(m, self, &items));
    for (size_t i = 0; i < items->count; i++) {
        struct slm_tvalue value = items->items[i];
        if (by_attribute) {
            SLM_TRY(slm__te_path(m, value, call->positional[0], &value));
        }
        bool holds = slm__tv_truth(value);
        if (has_test) {
            SLM_TRY(slm__template_test(m, slm__ts_span(call->positional[used].as.string), value, &rest, &holds));
        }
        if (holds == wanted) {
            SLM_TRY(slm__tv_append(m, chosen, items->items[i]));
        }
    }
    return slm__tm_charge(m, items->count / 8);
}

slm_status slm__filter_select(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return select_items(m, self, a->call, false, true, out);
}

slm_status slm__filter_reject(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return select_items(m, self, a->call, false, false, out);
}

slm_status slm__filter_selectattr(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return select_items(m, self, a->call, true, true, out);
}

slm_status slm__filter_rejectattr(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return select_items(m, self, a->call, true, false, out);
}

/* map(attribute=path, default=value) */
static slm_status map_attribute(struct slm_tmachine *m, const struct slm_tlist *items, const struct slm_tcall *call,
                                struct slm_tvalue result)
{
    const struct slm_tvalue *path = NULL;
    const struct slm_tvalue *otherwise = NULL;
    for (size_t i = 0; i < call->named_count; i++) {
        if (slm__span_is(call->names[i], "attribute")) {
            path = &call->named[i];
        } else if (slm__span_is(call->names[i], "default")) {
            otherwise = &call->named[i];
        } else {
            return slm__tm_fail(m, "map() has no use for the argument '%.*s'", SLM_SPAN_ARGS(call->names[i]));
        }
    }
    if (path == NULL) {
        return slm__tm_fail(m, "map() needs a filter or an attribute");
    }
    for (size_t i = 0; i < items->count; i++) {
        struct slm_tvalue value;
        SLM_TRY(slm__te_path(m, items->items[i], *path, &value));
        SLM_TRY(slm__tv_append(m, result, value.kind == SLM_T_UNDEFINED && otherwise != NULL ? *otherwise : value));
    }
    return SLM_OK;
}

/* map(filter, arguments ...) or map(attribute=...) */
slm_status slm__filter_map(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tlist *items = NULL;
    struct slm_tvalue result;
    SLM_TRY(slm__tv_list(m, SLM_T_GENERATOR, 0, &result));
    *out = result;
    if (!slm__tv_truth(self)) {
        return SLM_OK;
    }
    SLM_TRY(slm__tv_iterate(m, self, &items));
    SLM_TRY(slm__tm_charge(m, items->count / 8));
    if (a->call->count == 0) {
        return map_attribute(m, items, a->call, result);
    }
    if (a->call->positional[0].kind != SLM_T_STRING) {
        return slm__tm_fail(m, "the name of a filter has to be a text");
    }
    struct slm_span name = slm__ts_span(a->call->positional[0].as.string);
    struct slm_tcall rest = later_arguments(a->call, 1);
    for (size_t i = 0; i < items->count; i++) {
        struct slm_tvalue value;
        SLM_TRY(slm__template_filter(m, name, items->items[i], &rest, &value));
        SLM_TRY(slm__tv_append(m, result, value));
    }
    return SLM_OK;
}

/* ---- order ---- */

struct sort_order {
    struct slm_tvalue path; /* NONE: by the item */
    bool any_case;
    bool reverse;
};

static slm_status sort_key(struct slm_tmachine *m, const struct sort_order *order, struct slm_tvalue item, struct slm_tvalue *key)
{
    *key = item;
    if (order->path.kind != SLM_T_NONE) {
        SLM_TRY(slm__te_path(m, item, order->path, key));
    }
    return order->any_case && key->kind == SLM_T_STRING ? slm__template_case(m, key->as.string, 'l', key) : SLM_OK;
}

/* Keys of all items. */
static slm_status sort_keys(struct slm_tmachine *m, const struct sort_order *order, const struct slm_tlist *items, struct slm_tvalue *keys)
{
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, items->count, keys));
    for (size_t i = 0; i < items->count; i++) {
        struct slm_tvalue key;
        SLM_TRY(sort_key(m, order, items->items[i], &key));
        SLM_TRY(slm__tv_append(m, *keys, key));
    }
    return slm__tm_charge(m, items->count / 8);
}

/* Whether the item at `b` has to stand before the one at `a`, which comes first now. */
static slm_status is_before(struct slm_tmachine *m, const struct sort_order *sort, const struct slm_tvalue *keys, size_t a, size_t b,
                            bool *before)
{
    int order = 0;
    bool ordered = true;
    bool equal = false;
    *before = false;
    SLM_TRY(slm__tm_charge(m, 1));
    if (sort->path.kind != SLM_T_NONE) { /* the reference's keys are then lists of values, which may all be undefined */
        SLM_TRY(slm__tv_equal(m, keys[a], keys[b], &equal));
        if (equal) {
            return SLM_OK;
        }
    }
    SLM_TRY(slm__tv_compare(m, keys[b], keys[a], "<", &order, &ordered));
    *before = ordered && (sort->reverse ? order > 0 : order < 0);
    return SLM_OK;
}

/* Stable merge sort of indices, runs of 1, 2, 4 ... */
static slm_status sort_indices(struct slm_tmachine *m, const struct sort_order *sort, const struct slm_tvalue *keys, size_t count,
                               size_t **indices)
{
    size_t *from = slm__tm_take_items(m, count, sizeof *from);
    size_t *to = slm__tm_take_items(m, count, sizeof *to);
    if (from == NULL || to == NULL) {
        return slm__tm_no_memory(m);
    }
    for (size_t i = 0; i < count; i++) {
        from[i] = i;
    }
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            size_t middle = start + width < count ? start + width : count;
            size_t end = start + 2 * width < count ? start + 2 * width : count;
            size_t left = start;
            size_t right = middle;
            for (size_t at = start; at < end; at++) {
                bool before = left == middle;
                if (left < middle && right < end) {
                    SLM_TRY(is_before(m, sort, keys, from[left], from[right], &before));
                }
                to[at] = before ? from[right++] : from[left++];
            }
        }
        size_t *swap = from;
        from = to;
        to = swap;
    }
    *indices = from;
    return SLM_OK;
}

/* sort(reverse=false, case_sensitive=false, attribute=none) */
slm_status slm__filter_sort(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    struct sort_order order = {slm__tv_none(), !slm__ta_truth(a, 1, false), slm__ta_truth(a, 0, false)};
    const struct slm_tlist *items = NULL;
    struct slm_tvalue keys;
    size_t *indices = NULL;
    if (a->given[2]) {
        order.path = a->value[2];
    }
    SLM_TRY(slm__tv_iterate(m, self, &items));
    SLM_TRY(sort_keys(m, &order, items, &keys));
    SLM_TRY(sort_indices(m, &order, keys.as.list->items, items->count, &indices));
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, items->count, out));
    for (size_t i = 0; i < items->count; i++) {
        SLM_TRY(slm__tv_append(m, *out, items->items[indices[i]]));
    }
    return SLM_OK;
}

/* unique(case_sensitive=false, attribute=none) */
slm_status slm__filter_unique(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    struct sort_order order = {a->given[1] ? a->value[1] : slm__tv_none(), !slm__ta_truth(a, 0, false), false};
    const struct slm_tlist *items = NULL;
    struct slm_tvalue keys;
    struct slm_tvalue seen;
    struct slm_tvalue result;
    SLM_TRY(slm__tv_iterate(m, self, &items));
    SLM_TRY(sort_keys(m, &order, items, &keys));
    SLM_TRY(slm__tv_dict(m, SLM_T_DICT, 0, &seen));
    SLM_TRY(slm__tv_list(m, SLM_T_GENERATOR, 0, &result));
    for (size_t i = 0; i < items->count; i++) {
        struct slm_tvalue *place = NULL;
        SLM_TRY(slm__tv_dict_find(m, seen.as.dict, keys.as.list->items[i], &place));
        if (place == NULL) {
            SLM_TRY(slm__tv_dict_set(m, seen.as.dict, keys.as.list->items[i], slm__tv_none()));
            SLM_TRY(slm__tv_append(m, result, items->items[i]));
        }
    }
    *out = result;
    return SLM_OK;
}

/* The first of the smallest or greatest items; undefined when there is none. */
static slm_status find_extreme(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, bool greatest,
                               struct slm_tvalue *out)
{
    struct sort_order order = {a->given[1] ? a->value[1] : slm__tv_none(), !slm__ta_truth(a, 0, false), greatest};
    const struct slm_tlist *items = NULL;
    struct slm_tvalue keys;
    size_t best = 0;
    SLM_TRY(slm__tv_iterate(m, self, &items));
    SLM_TRY(sort_keys(m, &order, items, &keys));
    if (items->count == 0) {
        return slm__te_undefined(m, NULL, slm__span_text("the extreme of an empty sequence"), 0, out);
    }
    for (size_t i = 1; i < items->count; i++) {
        bool before = false;
        SLM_TRY(is_before(m, &order, keys.as.list->items, best, i, &before));
        best = before ? i : best;
    }
    *out = items->items[best];
    return SLM_OK;
}

/* min(case_sensitive=false, attribute=none) */
slm_status slm__filter_min(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return find_extreme(m, self, a, false, out);
}

slm_status slm__filter_max(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return find_extreme(m, self, a, true, out);
}

/* sum(attribute=none, start=0) */
slm_status slm__filter_sum(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tlist *items = NULL;
    SLM_TRY(slm__tv_iterate(m, self, &items));
    *out = a->given[1] ? a->value[1] : slm__tv_int(0);
    for (size_t i = 0; i < items->count; i++) {
        struct slm_tvalue value = items->items[i];
        if (a->given[0] && a->value[0].kind != SLM_T_NONE) {
            SLM_TRY(slm__te_path(m, value, a->value[0], &value));
        }
        SLM_TRY(slm__te_binary(m, SLM_TO_ADD, *out, value, out));
    }
    return slm__tm_charge(m, items->count / 8);
}

/* dictsort(case_sensitive=false, by='key', reverse=false) */
slm_status slm__filter_dictsort(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    struct slm_targuments order;
    struct slm_tvalue pairs;
    bool by_value = a->given[1] && slm__ts_is(a->value[1], "value");
    if (self.kind != SLM_T_DICT || (a->given[1] && !by_value && !slm__ts_is(a->value[1], "key"))) {
        return slm__tm_fail(m, "dictsort() sorts a mapping by 'key' or 'value'");
    }
    memset(&order, 0, sizeof order);
    order.value[0] = slm__tv_bool(slm__ta_truth(a, 2, false));
    order.value[1] = slm__tv_bool(slm__ta_truth(a, 0, false));
    order.value[2] = slm__tv_int(by_value ? 1 : 0);
    order.given[0] = order.given[1] = order.given[2] = true;
    SLM_TRY(slm__tv_dict_pairs(m, self.as.dict, SLM_T_LIST, &pairs));
    return slm__filter_sort(m, pairs, &order, out);
}
