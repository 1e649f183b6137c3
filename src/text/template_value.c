/* SPDX-License-Identifier: MIT */
/* Values: types, truth, lists, mappings, and what becomes of JSON. */
#include "text/template_value.h" /* struct slm_tvalue */

#include "base/decimal.h"          /* slm__decimal_parse */
#include "text/template_machine.h" /* slm__tm_take, struct slm_tfunction */
#include "text/template_text.h"    /* slm__ts_make */

static struct slm_tvalue plain_value(enum slm_tkind kind)
{
    struct slm_tvalue value;
    memset(&value, 0, sizeof value);
    value.kind = (uint8_t)kind;
    value.trusted = true;
    return value;
}

struct slm_tvalue slm__tv_none(void) { return plain_value(SLM_T_NONE); }

struct slm_tvalue slm__tv_bool(bool truth)
{
    struct slm_tvalue value = plain_value(SLM_T_BOOL);
    value.as.truth = truth;
    return value;
}

struct slm_tvalue slm__tv_int(int64_t integer)
{
    struct slm_tvalue value = plain_value(SLM_T_INT);
    value.as.integer = integer;
    return value;
}

struct slm_tvalue slm__tv_float(double real)
{
    struct slm_tvalue value = plain_value(SLM_T_FLOAT);
    value.as.real = real;
    return value;
}

const char *slm__tv_type(struct slm_tvalue value)
{
    static const char *const names[] = {
        [SLM_T_UNDEFINED] = "Undefined", [SLM_T_NONE] = "NoneType",
        [SLM_T_BOOL] = "bool",           [SLM_T_INT] = "int",
        [SLM_T_BIGINT] = "int",          [SLM_T_FLOAT] = "float",
        [SLM_T_STRING] = "str",          [SLM_T_LIST] = "list",
        [SLM_T_TUPLE] = "tuple",         [SLM_T_RANGE] = "range",
        [SLM_T_VIEW] = "dict view",      [SLM_T_GENERATOR] = "generator",
        [SLM_T_DICT] = "dict",           [SLM_T_NAMESPACE] = "Namespace",
        [SLM_T_LOOP] = "LoopContext",    [SLM_T_MACRO] = "Macro",
        [SLM_T_FUNCTION] = "function",   [SLM_T_METHOD] = "builtin_function_or_method",
    };
    return value.kind == SLM_T_VIEW ? value.as.list->label : names[value.kind];
}

bool slm__tv_is_list(struct slm_tvalue value) { return value.kind >= SLM_T_LIST && value.kind <= SLM_T_GENERATOR; }

bool slm__tv_is_number(struct slm_tvalue value) { return value.kind == SLM_T_BOOL || value.kind == SLM_T_INT || value.kind == SLM_T_FLOAT; }

bool slm__tv_integer(struct slm_tvalue value, int64_t *integer)
{
    if (value.kind == SLM_T_BOOL) {
        *integer = value.as.truth;
        return true;
    }
    if (value.kind == SLM_T_INT) {
        *integer = value.as.integer;
        return true;
    }
    return false;
}

bool slm__tv_real(struct slm_tvalue value, double *real)
{
    int64_t integer = 0;
    if (value.kind == SLM_T_FLOAT) {
        *real = value.as.real;
        return true;
    }
    if (value.kind == SLM_T_BIGINT) {
        return slm__decimal_parse(slm__ts_span(value.as.string), real);
    }
    if (slm__tv_integer(value, &integer)) {
        *real = (double)integer;
        return true;
    }
    return false;
}

bool slm__tv_truth(struct slm_tvalue value)
{
    switch (value.kind) {
    case SLM_T_UNDEFINED:
    case SLM_T_NONE: return false;
    case SLM_T_BOOL: return value.as.truth;
    case SLM_T_INT: return value.as.integer != 0;
    case SLM_T_FLOAT: return !(value.as.real == 0.0);
    case SLM_T_STRING: return value.as.string->length > 0;
    case SLM_T_LIST:
    case SLM_T_TUPLE:
    case SLM_T_RANGE:
    case SLM_T_VIEW: return value.as.list->count > 0;
    case SLM_T_DICT: return value.as.dict->count > 0;
    default: return true;
    }
}

slm_status slm__tv_list(struct slm_tmachine *m, enum slm_tkind kind, size_t capacity, struct slm_tvalue *out)
{
    struct slm_tvalue value = plain_value(kind);
    struct slm_tlist *list = slm__tm_take(m, sizeof *list);
    value.as.list = list;
    if (list == NULL) {
        return slm__tm_no_memory(m);
    }
    if (capacity > 0) {
        list->items = slm__tm_take_items(m, capacity, sizeof *list->items);
        if (list->items == NULL) {
            return slm__tm_no_memory(m);
        }
    }
    list->capacity = capacity;
    *out = value;
    return SLM_OK;
}

slm_status slm__tv_append(struct slm_tmachine *m, struct slm_tvalue value, struct slm_tvalue item)
{
    struct slm_tlist *list = value.as.list;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity < 8 ? 8 : list->capacity * 2;
        struct slm_tvalue *items = slm__tm_take_items(m, capacity, sizeof *items);
        if (items == NULL) {
            return slm__tm_no_memory(m);
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    return SLM_OK;
}

slm_status slm__tv_list_join(struct slm_tmachine *m, struct slm_tvalue left, struct slm_tvalue right, struct slm_tvalue *out)
{
    struct slm_tlist *a = left.as.list;
    const struct slm_tlist *b = right.as.list;
    struct slm_tlist *list = slm__tm_take(m, sizeof *list);
    if (list == NULL) {
        return slm__tm_no_memory(m);
    }
    SLM_TRY(slm__tm_charge(m, b->count / 8 + 1));
    *list = *a;
    list->count = a->count + b->count;
    if (a->used == NULL || *a->used != a->count || a->capacity < list->count) {
        SLM_TRY(slm__tm_charge(m, a->count / 8));
        list->capacity = list->count + list->count / 2 + 4;
        list->items = slm__tm_take_items(m, list->capacity, sizeof *list->items);
        list->used = slm__tm_take(m, sizeof *list->used);
        if (list->items == NULL || list->used == NULL) {
            return slm__tm_no_memory(m);
        }
        if (a->count > 0) {
            memcpy(list->items, a->items, a->count * sizeof *list->items);
        }
    }
    if (b->count > 0) {
        memcpy(list->items + a->count, b->items, b->count * sizeof *list->items);
    }
    *list->used = list->count;
    *out = left;
    out->as.list = list;
    return SLM_OK;
}

slm_status slm__tv_dict(struct slm_tmachine *m, enum slm_tkind kind, size_t capacity, struct slm_tvalue *out)
{
    struct slm_tvalue value = plain_value(kind);
    struct slm_tdict *dict = slm__tm_take(m, sizeof *dict);
    value.as.dict = dict;
    if (dict == NULL) {
        return slm__tm_no_memory(m);
    }
    if (capacity > 0) {
        dict->keys = slm__tm_take_items(m, capacity, sizeof *dict->keys);
        dict->values = slm__tm_take_items(m, capacity, sizeof *dict->values);
        if (dict->keys == NULL || dict->values == NULL) {
            return slm__tm_no_memory(m);
        }
    }
    dict->capacity = capacity;
    *out = value;
    return SLM_OK;
}

/* Add a key that is not there yet. */
static slm_status dict_add(struct slm_tmachine *m, struct slm_tdict *dict, struct slm_tvalue key, struct slm_tvalue value)
{
    if (dict->count == dict->capacity) {
        struct slm_tvalue grown;
        SLM_TRY(slm__tv_dict(m, SLM_T_DICT, dict->capacity < 8 ? 8 : dict->capacity * 2, &grown));
        if (dict->count > 0) {
            memcpy(grown.as.dict->keys, dict->keys, dict->count * sizeof *dict->keys);
            memcpy(grown.as.dict->values, dict->values, dict->count * sizeof *dict->values);
        }
        dict->keys = grown.as.dict->keys;
        dict->values = grown.as.dict->values;
        dict->capacity = grown.as.dict->capacity;
    }
    dict->keys[dict->count] = key;
    dict->values[dict->count] = value;
    dict->count++;
    return SLM_OK;
}

struct slm_tvalue *slm__tv_dict_find_text(const struct slm_tdict *dict, struct slm_span key)
{
    for (size_t i = 0; i < dict->count; i++) {
        if (dict->keys[i].kind == SLM_T_STRING && slm__span_equal(slm__ts_span(dict->keys[i].as.string), key)) {
            return &dict->values[i];
        }
    }
    return NULL;
}

slm_status slm__tv_dict_find(struct slm_tmachine *m, const struct slm_tdict *dict, struct slm_tvalue key, struct slm_tvalue **value)
{
    *value = NULL;
    SLM_TRY(slm__tm_charge(m, dict->count / 8));
    if (key.kind == SLM_T_STRING) {
        SLM_TRY(slm__tm_charge(m, dict->count * (key.as.string->length / 256)));
        *value = slm__tv_dict_find_text(dict, slm__ts_span(key.as.string));
        return SLM_OK;
    }
    if (key.kind == SLM_T_LIST || key.kind == SLM_T_DICT) {
        return slm__tm_fail(m, "unhashable type: '%s'", slm__tv_type(key));
    }
    for (size_t i = 0; i < dict->count; i++) {
        bool equal = false;
        SLM_TRY(slm__tv_equal(m, dict->keys[i], key, &equal));
        if (equal) {
            *value = &dict->values[i];
            return SLM_OK;
        }
    }
    return SLM_OK;
}

slm_status slm__tv_dict_set(struct slm_tmachine *m, struct slm_tdict *dict, struct slm_tvalue key, struct slm_tvalue value)
{
    struct slm_tvalue *place = NULL;
    SLM_TRY(slm__tv_dict_find(m, dict, key, &place));
    if (place != NULL) {
        *place = value;
        return SLM_OK;
    }
    return dict_add(m, dict, key, value);
}

slm_status slm__tv_dict_pairs(struct slm_tmachine *m, const struct slm_tdict *dict, enum slm_tkind kind, struct slm_tvalue *out)
{
    struct slm_tvalue pairs;
    SLM_TRY(slm__tm_charge(m, dict->count / 8));
    SLM_TRY(slm__tv_list(m, kind, dict->count, &pairs));
    pairs.as.list->label = "dict_items";
    for (size_t i = 0; i < dict->count; i++) {
        struct slm_tvalue pair;
        SLM_TRY(slm__tv_list(m, SLM_T_TUPLE, 2, &pair));
        SLM_TRY(slm__tv_append(m, pair, dict->keys[i]));
        SLM_TRY(slm__tv_append(m, pair, dict->values[i]));
        SLM_TRY(slm__tv_append(m, pairs, pair));
    }
    *out = pairs;
    return SLM_OK;
}

/* A number as Python's json module reads it: an integer without fraction and exponent, else a float. */
static slm_status number_from_json(struct slm_tmachine *m, const struct slm_json *json, bool trusted, struct slm_tvalue *out)
{
    int64_t integer = 0;
    double real = 0.0;
    bool whole = true;
    for (size_t i = 0; i < json->text.length; i++) {
        uint8_t byte = json->text.data[i];
        whole = whole && byte != '.' && byte != 'e' && byte != 'E';
    }
    if (whole && slm__json_i64(json, &integer)) {
        *out = slm__tv_int(integer);
    } else if (whole) {
        SLM_TRY(slm__ts_make(m, json->text, trusted, out));
        out->kind = SLM_T_BIGINT;
    } else {
        slm__decimal_parse(json->text, &real);
        *out = slm__tv_float(real);
    }
    out->trusted = trusted;
    return SLM_OK;
}

slm_status slm__tv_from_json(struct slm_tmachine *m, const struct slm_json *json, bool trusted, struct slm_tvalue *out)
{
    switch (json->type) {
    case SLM_JSON_NULL: *out = slm__tv_none(); break;
    case SLM_JSON_FALSE:
    case SLM_JSON_TRUE: *out = slm__tv_bool(json->type == SLM_JSON_TRUE); break;
    case SLM_JSON_NUMBER: return number_from_json(m, json, trusted, out);
    case SLM_JSON_STRING: return slm__ts_make(m, json->text, trusted, out);
    case SLM_JSON_ARRAY:
        SLM_TRY(slm__tv_list(m, SLM_T_LIST, json->count, out));
        for (uint32_t i = 0; i < json->count; i++) {
            struct slm_tvalue item;
            SLM_TRY(slm__tv_from_json(m, &json->items[i], trusted, &item));
            SLM_TRY(slm__tv_append(m, *out, item));
        }
        break;
    case SLM_JSON_OBJECT:
        SLM_TRY(slm__tv_dict(m, SLM_T_DICT, json->count, out));
        for (uint32_t i = 0; i < json->count; i++) {
            struct slm_tvalue key;
            struct slm_tvalue value;
            SLM_TRY(slm__ts_make(m, json->keys[i], trusted, &key));
            SLM_TRY(slm__tv_from_json(m, &json->items[i], trusted, &value));
            SLM_TRY(json->duplicate_keys ? slm__tv_dict_set(m, out->as.dict, key, value) : dict_add(m, out->as.dict, key, value));
        }
        break;
    }
    out->trusted = trusted;
    return SLM_OK;
}
