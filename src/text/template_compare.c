/* SPDX-License-Identifier: MIT */
/* Equality, order, membership, length and iteration of values, by Python's rules. */
#include "text/template_machine.h" /* slm__tm_fail, slm__tm_enter_value */
#include "text/template_text.h"    /* slm__ts_find */

static slm_status lists_equal(struct slm_tmachine *m, const struct slm_tlist *a, const struct slm_tlist *b, bool *equal)
{
    *equal = a->count == b->count;
    SLM_TRY(slm__tm_charge(m, *equal ? a->count / 8 : 0));
    for (size_t i = 0; *equal && i < a->count; i++) {
        SLM_TRY(slm__tv_equal(m, a->items[i], b->items[i], equal));
    }
    return SLM_OK;
}

static slm_status dicts_equal(struct slm_tmachine *m, const struct slm_tdict *a, const struct slm_tdict *b, bool *equal)
{
    *equal = a->count == b->count;
    for (size_t i = 0; *equal && i < a->count; i++) {
        struct slm_tvalue *other = NULL;
        SLM_TRY(slm__tv_dict_find(m, b, a->keys[i], &other));
        *equal = other != NULL;
        if (other != NULL) {
            SLM_TRY(slm__tv_equal(m, a->values[i], *other, equal));
        }
    }
    return SLM_OK;
}

/* Numbers, and what two values of one kind without content are. */
static bool scalars_equal(struct slm_tvalue a, struct slm_tvalue b)
{
    int64_t left = 0;
    int64_t right = 0;
    double x = 0.0;
    double y = 0.0;
    if (slm__tv_integer(a, &left) && slm__tv_integer(b, &right)) {
        return left == right;
    }
    if (slm__tv_is_number(a) && slm__tv_is_number(b) && slm__tv_real(a, &x) && slm__tv_real(b, &y)) {
        return x == y;
    }
    if (a.kind != b.kind) {
        return false;
    }
    return a.kind == SLM_T_NONE || a.kind == SLM_T_UNDEFINED || a.as.list == b.as.list;
}

slm_status slm__tv_equal(struct slm_tmachine *m, struct slm_tvalue a, struct slm_tvalue b, bool *equal)
{
    if (a.kind == b.kind && (a.kind == SLM_T_STRING || a.kind == SLM_T_BIGINT)) {
        *equal = slm__span_equal(slm__ts_span(a.as.string), slm__ts_span(b.as.string));
        return slm__tm_charge(m, a.as.string->length == b.as.string->length ? a.as.string->length / 64 : 0);
    }
    if (a.kind != b.kind || (a.kind != SLM_T_LIST && a.kind != SLM_T_TUPLE && a.kind != SLM_T_RANGE && a.kind != SLM_T_DICT)) {
        *equal = scalars_equal(a, b);
        return SLM_OK;
    }
    SLM_TRY(slm__tm_enter_value(m));
    SLM_TRY(a.kind == SLM_T_DICT ? dicts_equal(m, a.as.dict, b.as.dict, equal) : lists_equal(m, a.as.list, b.as.list, equal));
    slm__tm_leave_value(m);
    return SLM_OK;
}

static slm_status compare_lists(struct slm_tmachine *m, const struct slm_tlist *a, const struct slm_tlist *b, const char *operation,
                                int *order, bool *ordered)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        bool equal = false;
        SLM_TRY(slm__tv_equal(m, a->items[i], b->items[i], &equal));
        if (!equal) {
            return slm__tv_compare(m, a->items[i], b->items[i], operation, order, ordered);
        }
    }
    *order = (a->count > b->count) - (a->count < b->count);
    return SLM_OK;
}

slm_status slm__tv_compare(struct slm_tmachine *m, struct slm_tvalue a, struct slm_tvalue b, const char *operation, int *order,
                           bool *ordered)
{
    int64_t left = 0;
    int64_t right = 0;
    double x = 0.0;
    double y = 0.0;
    *ordered = true;
    if (a.kind == SLM_T_UNDEFINED || b.kind == SLM_T_UNDEFINED) {
        return slm__tm_fail_undefined(m, a.kind == SLM_T_UNDEFINED ? a : b);
    }
    if (slm__tv_integer(a, &left) && slm__tv_integer(b, &right)) {
        *order = (left > right) - (left < right);
        return SLM_OK;
    }
    if (slm__tv_real(a, &x) && slm__tv_real(b, &y)) {
        *order = (x > y) - (x < y);
        *ordered = x == x && y == y;
        return SLM_OK;
    }
    if (a.kind == SLM_T_STRING && b.kind == SLM_T_STRING) {
        *order = slm__span_order(slm__ts_span(a.as.string), slm__ts_span(b.as.string));
        return slm__tm_charge(m, a.as.string->length / 64);
    }
    if (a.kind == b.kind && (a.kind == SLM_T_LIST || a.kind == SLM_T_TUPLE)) {
        SLM_TRY(slm__tm_enter_value(m));
        SLM_TRY(compare_lists(m, a.as.list, b.as.list, operation, order, ordered));
        slm__tm_leave_value(m);
        return SLM_OK;
    }
    return slm__tm_fail(m, "'%s' not supported between instances of '%s' and '%s'", operation, slm__tv_type(a), slm__tv_type(b));
}

slm_status slm__tv_contains(struct slm_tmachine *m, struct slm_tvalue haystack, struct slm_tvalue needle, bool *found)
{
    *found = false;
    if (haystack.kind == SLM_T_STRING) {
        const struct slm_tstring *text = haystack.as.string;
        if (needle.kind == SLM_T_UNDEFINED) {
            return slm__tm_fail_undefined(m, needle);
        }
        if (needle.kind != SLM_T_STRING) {
            return slm__tm_fail(m, "'in <string>' requires string as left operand, not %s", slm__tv_type(needle));
        }
        *found = slm__ts_find(text, slm__ts_span(needle.as.string), 0, text->length) != SIZE_MAX;
        return slm__tm_charge(m, text->length / 64);
    }
    if (haystack.kind == SLM_T_DICT) {
        struct slm_tvalue *place = NULL;
        SLM_TRY(slm__tv_dict_find(m, haystack.as.dict, needle, &place));
        *found = place != NULL;
        return SLM_OK;
    }
    if (haystack.kind == SLM_T_UNDEFINED) {
        return SLM_OK;
    }
    if (!slm__tv_is_list(haystack)) {
        return slm__tm_fail(m, "argument of type '%s' is not iterable", slm__tv_type(haystack));
    }
    const struct slm_tlist *items = NULL;
    SLM_TRY(slm__tv_iterate(m, haystack, &items));
    for (size_t i = 0; !*found && i < items->count; i++) {
        SLM_TRY(slm__tv_equal(m, items->items[i], needle, found));
    }
    return slm__tm_charge(m, items->count / 8);
}

/* The characters of a text as texts. */
static slm_status iterate_text(struct slm_tmachine *m, const struct slm_tstring *text, const struct slm_tlist **items)
{
    struct slm_tvalue list;
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, text->characters, &list));
    for (size_t i = 0; i < text->length;) {
        size_t end = i + 1;
        while (end < text->length && (text->data[end] & 0xC0) == 0x80) {
            end++;
        }
        struct slm_tvalue item;
        SLM_TRY(slm__ts_slice(m, text, i, end, &item));
        SLM_TRY(slm__tv_append(m, list, item));
        i = end;
    }
    *items = list.as.list;
    return slm__tm_charge(m, text->characters / 8);
}

slm_status slm__tv_iterate(struct slm_tmachine *m, struct slm_tvalue value, const struct slm_tlist **items)
{
    static const struct slm_tlist no_items = {NULL, 0, 0, NULL, NULL, false};
    *items = &no_items;
    if (value.kind == SLM_T_GENERATOR) {
        if (!value.as.list->consumed) {
            *items = value.as.list;
        }
        value.as.list->consumed = true;
        return SLM_OK;
    }
    if (slm__tv_is_list(value)) {
        *items = value.as.list;
        return SLM_OK;
    }
    if (value.kind == SLM_T_STRING) {
        return iterate_text(m, value.as.string, items);
    }
    if (value.kind == SLM_T_DICT) {
        struct slm_tlist *keys = slm__tm_take(m, sizeof *keys);
        if (keys == NULL) {
            return slm__tm_no_memory(m);
        }
        keys->items = value.as.dict->keys;
        keys->count = value.as.dict->count;
        keys->capacity = keys->count;
        *items = keys;
        return SLM_OK;
    }
    if (value.kind == SLM_T_UNDEFINED) {
        return SLM_OK;
    }
    return slm__tm_fail(m, "'%s' object is not iterable", slm__tv_type(value));
}

slm_status slm__tv_length(struct slm_tmachine *m, struct slm_tvalue value, size_t *length)
{
    *length = 0;
    if (value.kind == SLM_T_STRING) {
        *length = value.as.string->characters;
    } else if (value.kind == SLM_T_DICT) {
        *length = value.as.dict->count;
    } else if (slm__tv_is_list(value) && value.kind != SLM_T_GENERATOR) {
        *length = value.as.list->count;
    } else if (value.kind != SLM_T_UNDEFINED) {
        return slm__tm_fail(m, "object of type '%s' has no len()", slm__tv_type(value));
    }
    return SLM_OK;
}
