/* SPDX-License-Identifier: MIT */
/* Attributes, items and slices: base.name looks for the object's own attribute first and then for the item, base['name'] the other way
 * round. What is not there is undefined, not an error. */
#include "text/template_builtins.h" /* slm__template_method */
#include "text/template_eval.h"     /* slm__te_attribute */

/* loop.index ... */
static slm_status loop_attribute(struct slm_tmachine *m, const struct slm_tloop *loop, struct slm_span name, struct slm_tvalue *out,
                                 bool *found)
{
    int64_t index = (int64_t)loop->index;
    int64_t count = (int64_t)loop->items->count;
    const struct {
        const char *name;
        struct slm_tvalue value;
    } rows[] = {
        {"index", slm__tv_int(index + 1)},        {"index0", slm__tv_int(index)},
        {"revindex", slm__tv_int(count - index)}, {"revindex0", slm__tv_int(count - index - 1)},
        {"first", slm__tv_bool(index == 0)},      {"last", slm__tv_bool(index + 1 == count)},
        {"length", slm__tv_int(count)},           {"depth", slm__tv_int(loop->level + 1)},
        {"depth0", slm__tv_int(loop->level)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (slm__span_is(name, rows[i].name)) {
            *out = rows[i].value;
            *found = true;
            return SLM_OK;
        }
    }
    bool is_next = slm__span_is(name, "nextitem");
    *found = is_next || slm__span_is(name, "previtem");
    if (!*found) {
        return SLM_OK;
    }
    if (is_next ? index + 1 < count : index > 0) {
        *out = loop->items->items[is_next ? index + 1 : index - 1];
        return SLM_OK;
    }
    return slm__te_undefined(m, "loop", name, 0, out);
}

/* The object's own attribute. */
static slm_status own_attribute(struct slm_tmachine *m, struct slm_tvalue base, struct slm_span name, struct slm_tvalue *out, bool *found)
{
    *found = false;
    if (base.kind == SLM_T_LOOP) {
        SLM_TRY(loop_attribute(m, base.as.loop, name, out, found));
    } else if (base.kind == SLM_T_NAMESPACE) {
        struct slm_tvalue *value = slm__tv_dict_find_text(base.as.dict, name);
        *found = value != NULL;
        if (value != NULL) {
            *out = *value;
        }
        return SLM_OK;
    } else if (base.kind == SLM_T_MACRO && slm__span_is(name, "name")) {
        *found = true;
        return slm__ts_make(m, base.as.macro->syntax->name, true, out);
    }
    return *found ? SLM_OK : slm__template_method(m, base, name, out, found);
}

slm_status slm__te_attribute(struct slm_tmachine *m, struct slm_tvalue base, struct slm_span name, struct slm_tvalue *out)
{
    bool found = false;
    if (base.kind == SLM_T_UNDEFINED) {
        return slm__tm_fail_undefined(m, base);
    }
    SLM_TRY(own_attribute(m, base, name, out, &found));
    if (found) {
        return SLM_OK;
    }
    if (base.kind == SLM_T_DICT) {
        struct slm_tvalue *value = slm__tv_dict_find_text(base.as.dict, name);
        SLM_TRY(slm__tm_charge(m, base.as.dict->count / 8));
        if (value != NULL) {
            *out = *value;
            return SLM_OK;
        }
    }
    return slm__te_undefined(m, slm__tv_type(base), name, 0, out);
}

/* Item of a text or a list by number; false: out of range. */
static slm_status numbered_item(struct slm_tmachine *m, struct slm_tvalue base, int64_t index, struct slm_tvalue *out, bool *found)
{
    size_t length = 0;
    *found = false;
    if (base.kind != SLM_T_STRING && base.kind != SLM_T_LIST && base.kind != SLM_T_TUPLE && base.kind != SLM_T_RANGE) {
        return SLM_OK;
    }
    SLM_TRY(slm__tv_length(m, base, &length));
    if (index < 0) {
        index += (int64_t)length;
    }
    if (index < 0 || index >= (int64_t)length) {
        return SLM_OK;
    }
    *found = true;
    if (base.kind != SLM_T_STRING) {
        *out = base.as.list->items[index];
        return SLM_OK;
    }
    const struct slm_tstring *text = base.as.string;
    SLM_TRY(slm__tm_charge(m, text->characters == text->length ? 0 : text->length / 64));
    size_t from = slm__ts_offset(text, (size_t)index);
    size_t to = from + 1;
    while (to < text->length && (text->data[to] & 0xC0) == 0x80) {
        to++;
    }
    return slm__ts_slice(m, text, from, to, out);
}

slm_status slm__te_item(struct slm_tmachine *m, struct slm_tvalue base, struct slm_tvalue key, struct slm_tvalue *out)
{
    int64_t index = 0;
    bool found = false;
    if (base.kind == SLM_T_UNDEFINED) {
        return slm__tm_fail_undefined(m, base);
    }
    if (base.kind == SLM_T_DICT && key.kind != SLM_T_LIST && key.kind != SLM_T_DICT) {
        struct slm_tvalue *value = NULL;
        SLM_TRY(slm__tv_dict_find(m, base.as.dict, key, &value));
        if (value != NULL) {
            *out = *value;
            return SLM_OK;
        }
    } else if (slm__tv_integer(key, &index)) {
        SLM_TRY(numbered_item(m, base, index, out, &found));
    }
    if (!found && key.kind == SLM_T_STRING) {
        SLM_TRY(own_attribute(m, base, slm__ts_span(key.as.string), out, &found));
    }
    if (found) {
        return SLM_OK;
    }
    return slm__te_undefined(m, slm__tv_type(base), key.kind == SLM_T_STRING ? slm__ts_span(key.as.string) : slm__span(NULL, 0), index,
                             out);
}

/* The bounds of a slice over `length` items, by Python's rules: the first item, the step, and how many items. */
static slm_status slice_bounds(struct slm_tmachine *m, const struct slm_tvalue bounds[3], int64_t length, int64_t *first, int64_t *step,
                               int64_t *count)
{
    int64_t limits[3] = {0, 0, 1};
    for (unsigned i = 0; i < 3; i++) {
        if (bounds[i].kind != SLM_T_NONE && !slm__tv_integer(bounds[i], &limits[i])) {
            return slm__tm_fail(m, "slice indices must be integers or None, not %s", slm__tv_type(bounds[i]));
        }
    }
    *step = limits[2];
    if (*step == 0) {
        return slm__tm_fail(m, "slice step cannot be zero");
    }
    int64_t lowest = *step > 0 ? 0 : -1;
    int64_t highest = *step > 0 ? length : length - 1;
    for (unsigned i = 0; i < 2; i++) {
        if (bounds[i].kind == SLM_T_NONE) {
            limits[i] = (i == 0) == (*step > 0) ? lowest : highest;
            continue;
        }
        if (limits[i] < 0) {
            limits[i] += length;
        }
        limits[i] = limits[i] < lowest ? lowest : limits[i] > highest ? highest : limits[i];
    }
    *first = limits[0];
    *count = 0;
    if (*step > 0 && limits[0] < limits[1]) {
        *count = (limits[1] - limits[0] - 1) / *step + 1;
    } else if (*step < 0 && limits[0] > limits[1]) {
        *count = (limits[0] - limits[1] - 1) / (*step == INT64_MIN ? INT64_MAX : -*step) + 1;
    }
    return SLM_OK;
}

/* Characters of a text with a step other than 1. */
static slm_status slice_text_steps(struct slm_tmachine *m, const struct slm_tstring *text, int64_t first, int64_t step, int64_t count,
                                   struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    size_t *offsets = slm__tm_take_items(m, text->characters + 1, sizeof *offsets);
    if (offsets == NULL) {
        return slm__tm_no_memory(m);
    }
    size_t character = 0;
    for (size_t i = 0; i < text->length; i++) {
        if ((text->data[i] & 0xC0) != 0x80) {
            offsets[character++] = i;
        }
    }
    offsets[character] = text->length;
    slm__ts_begin(&builder, m);
    SLM_TRY(slm__tm_charge(m, text->length / 8));
    for (int64_t i = 0; i < count; i++) {
        size_t at = (size_t)(first + i * step);
        SLM_TRY(slm__ts_add_part(&builder, text, offsets[at], offsets[at + 1]));
    }
    return slm__ts_end(&builder, out);
}

slm_status slm__te_slice(struct slm_tmachine *m, struct slm_tvalue base, const struct slm_tvalue bounds[3], struct slm_tvalue *out)
{
    int64_t first = 0;
    int64_t step = 1;
    int64_t count = 0;
    size_t length = 0;
    if (base.kind == SLM_T_UNDEFINED) {
        return slm__tm_fail_undefined(m, base);
    }
    if (base.kind != SLM_T_STRING && base.kind != SLM_T_LIST && base.kind != SLM_T_TUPLE && base.kind != SLM_T_RANGE) {
        return base.kind == SLM_T_DICT ? slm__tm_fail(m, "unhashable type: 'slice'")
                                       : slm__tm_fail(m, "'%s' object is not subscriptable", slm__tv_type(base));
    }
    SLM_TRY(slm__tv_length(m, base, &length));
    SLM_TRY(slice_bounds(m, bounds, (int64_t)length, &first, &step, &count));
    if (base.kind == SLM_T_STRING) {
        const struct slm_tstring *text = base.as.string;
        SLM_TRY(slm__tm_charge(m, text->length / 64));
        if (step == 1) {
            size_t from = slm__ts_offset(text, (size_t)first);
            return slm__ts_slice(m, text, from, count == 0 ? from : slm__ts_offset(text, (size_t)(first + count)), out);
        }
        return slice_text_steps(m, text, first, step, count, out);
    }
    struct slm_tvalue list;
    SLM_TRY(slm__tm_charge(m, (uint64_t)count / 8));
    SLM_TRY(slm__tv_list(m, (enum slm_tkind)base.kind, (size_t)count, &list));
    for (int64_t i = 0; i < count; i++) {
        SLM_TRY(slm__tv_append(m, list, base.as.list->items[first + i * step]));
    }
    *out = list;
    return SLM_OK;
}

slm_status slm__te_path(struct slm_tmachine *m, struct slm_tvalue base, struct slm_tvalue path, struct slm_tvalue *out)
{
    if (path.kind != SLM_T_STRING) {
        return slm__te_item(m, base, path, out);
    }
    const struct slm_tstring *text = path.as.string;
    *out = base;
    for (size_t from = 0; from <= text->length;) {
        size_t dot = slm__ts_find(text, slm__span_text("."), from, text->length);
        size_t to = dot == SIZE_MAX ? text->length : dot;
        struct slm_json number = {.type = SLM_JSON_NUMBER, .text = {text->data + from, to - from}};
        struct slm_tvalue key;
        int64_t index = 0;
        bool digits = to > from;
        for (size_t i = from; i < to; i++) {
            digits = digits && text->data[i] >= '0' && text->data[i] <= '9';
        }
        SLM_TRY(slm__ts_slice(m, text, from, to, &key));
        if (digits && slm__json_i64(&number, &index)) {
            key = slm__tv_int(index);
        }
        SLM_TRY(slm__te_item(m, *out, key, out));
        from = to + 1;
    }
    return SLM_OK;
}
