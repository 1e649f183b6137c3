/* SPDX-License-Identifier: MIT */
/* The filter tojson: json.dumps(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False) of Python. */
#include "base/utf8.h"              /* slm__utf8_decode */
#include "text/template_builtins.h" /* slm__filter_tojson */

#include <stdio.h> /* snprintf */

struct json_writer {
    struct slm_tbuilder builder;
    struct slm_tmachine *machine;
    const struct slm_tstring *indent; /* NULL: on one line */
    const struct slm_tstring *item_separator;
    const struct slm_tstring *key_separator;
    bool ascii;
    bool sorted;
    unsigned level;
};

static slm_status write_value(struct json_writer *w, struct slm_tvalue value);

static slm_status write_unit(struct json_writer *w, uint32_t unit, bool trusted)
{
    char text[8];
    snprintf(text, sizeof text, "\\u%04x", (unsigned)(unit & 0xFFFF));
    return slm__ts_add(&w->builder, text, 6, trusted);
}

/* A character that cannot stand as it is. */
static slm_status write_escape(struct json_writer *w, uint32_t code, bool trusted)
{
    static const char letters[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    const char *known = code != 0 && code < 0x80 ? strchr(letters, (int)code) : NULL;
    if (known != NULL) {
        char text[2] = {'\\', names[known - letters]};
        return slm__ts_add(&w->builder, text, 2, trusted);
    }
    if (code >= 0x10000) {
        SLM_TRY(write_unit(w, 0xD800 + ((code - 0x10000) >> 10), trusted));
        return write_unit(w, 0xDC00 + ((code - 0x10000) & 0x3FF), trusted);
    }
    return write_unit(w, code, trusted);
}

static slm_status write_text(struct json_writer *w, const struct slm_tstring *text)
{
    SLM_TRY(slm__ts_add_literal(&w->builder, "\""));
    size_t plain = 0; /* start of the bytes that need no escape */
    for (size_t i = 0; i < text->length;) {
        struct slm_utf8 character = {text->data[i], 1, true, false};
        if (character.code >= 0x80) {
            character = slm__utf8_decode(text->data + i, text->length - i);
        }
        if (character.code < 0x20 || character.code == '"' || character.code == '\\' || (w->ascii && character.code >= 0x7F + 1u)) {
            size_t end = 0;
            SLM_TRY(slm__ts_add_part(&w->builder, text, plain, i));
            SLM_TRY(write_escape(w, character.code, slm__ts_origin(text, i, &end)));
            plain = i + character.length;
        }
        i += character.length;
    }
    SLM_TRY(slm__ts_add_part(&w->builder, text, plain, text->length));
    return slm__ts_add_literal(&w->builder, "\"");
}

/* "\n" and the indentation of the current level. */
static slm_status write_line(struct json_writer *w)
{
    if (w->indent == NULL) {
        return SLM_OK;
    }
    SLM_TRY(slm__ts_add_literal(&w->builder, "\n"));
    for (unsigned i = 0; i < w->level; i++) {
        SLM_TRY(slm__ts_add_text(&w->builder, w->indent));
    }
    return SLM_OK;
}

static slm_status write_number(struct json_writer *w, struct slm_tvalue value)
{
    if (value.kind == SLM_T_FLOAT && value.as.real != value.as.real) {
        return slm__ts_add(&w->builder, "NaN", 3, value.trusted);
    }
    if (value.kind == SLM_T_FLOAT && value.as.real - value.as.real != 0.0) {
        return value.as.real > 0 ? slm__ts_add(&w->builder, "Infinity", 8, value.trusted)
                                 : slm__ts_add(&w->builder, "-Infinity", 9, value.trusted);
    }
    return slm__ts_print(&w->builder, value);
}

static slm_status write_word(struct json_writer *w, struct slm_tvalue value)
{
    const char *word = value.kind == SLM_T_NONE ? "null" : value.as.truth ? "true" : "false";
    return slm__ts_add(&w->builder, word, strlen(word), value.trusted);
}

static slm_status write_key(struct json_writer *w, struct slm_tvalue key)
{
    switch (key.kind) {
    case SLM_T_STRING: return write_text(w, key.as.string);
    case SLM_T_NONE:
    case SLM_T_BOOL:
    case SLM_T_INT:
    case SLM_T_BIGINT:
    case SLM_T_FLOAT:
        SLM_TRY(slm__ts_add_literal(&w->builder, "\""));
        SLM_TRY(key.kind <= SLM_T_BOOL ? write_word(w, key) : write_number(w, key));
        return slm__ts_add_literal(&w->builder, "\"");
    default: return slm__tm_fail(w->machine, "keys must be str, int, float, bool or None, not %s", slm__tv_type(key));
    }
}

static slm_status write_list(struct json_writer *w, const struct slm_tlist *list)
{
    if (list->count == 0) {
        return slm__ts_add_literal(&w->builder, "[]");
    }
    SLM_TRY(slm__ts_add_literal(&w->builder, "["));
    w->level++;
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) {
            SLM_TRY(slm__ts_add_text(&w->builder, w->item_separator));
        }
        SLM_TRY(write_line(w));
        SLM_TRY(write_value(w, list->items[i]));
    }
    w->level--;
    SLM_TRY(write_line(w));
    return slm__ts_add_literal(&w->builder, "]");
}

/* The mapping with its keys in order. */
static slm_status sort_dict(struct json_writer *w, struct slm_tdict **dict)
{
    struct slm_tvalue pairs;
    struct slm_tvalue sorted;
    struct slm_targuments a;
    memset(&a, 0, sizeof a);
    a.given[1] = true; /* case_sensitive */
    a.value[1] = slm__tv_bool(true);
    SLM_TRY(slm__tv_dict_pairs(w->machine, *dict, SLM_T_LIST, &pairs));
    SLM_TRY(slm__filter_sort(w->machine, pairs, &a, &pairs));
    SLM_TRY(slm__tv_dict(w->machine, SLM_T_DICT, (*dict)->count, &sorted));
    for (size_t i = 0; i < pairs.as.list->count; i++) {
        const struct slm_tvalue *pair = pairs.as.list->items[i].as.list->items;
        SLM_TRY(slm__tv_dict_set(w->machine, sorted.as.dict, pair[0], pair[1]));
    }
    *dict = sorted.as.dict;
    return SLM_OK;
}

static slm_status write_dict(struct json_writer *w, struct slm_tdict *dict)
{
    if (dict->count == 0) {
        return slm__ts_add_literal(&w->builder, "{}");
    }
    if (w->sorted) {
        SLM_TRY(sort_dict(w, &dict));
    }
    SLM_TRY(slm__ts_add_literal(&w->builder, "{"));
    w->level++;
    for (size_t i = 0; i < dict->count; i++) {
        if (i > 0) {
            SLM_TRY(slm__ts_add_text(&w->builder, w->item_separator));
        }
        SLM_TRY(write_line(w));
        SLM_TRY(write_key(w, dict->keys[i]));
        SLM_TRY(slm__ts_add_text(&w->builder, w->key_separator));
        SLM_TRY(write_value(w, dict->values[i]));
    }
    w->level--;
    SLM_TRY(write_line(w));
    return slm__ts_add_literal(&w->builder, "}");
}

static slm_status write_value(struct json_writer *w, struct slm_tvalue value)
{
    switch (value.kind) {
    case SLM_T_NONE:
    case SLM_T_BOOL: return write_word(w, value);
    case SLM_T_INT:
    case SLM_T_BIGINT:
    case SLM_T_FLOAT: return write_number(w, value);
    case SLM_T_STRING: return write_text(w, value.as.string);
    case SLM_T_LIST:
    case SLM_T_TUPLE:
    case SLM_T_DICT:
        SLM_TRY(slm__tm_enter_value(w->machine));
        SLM_TRY(value.kind == SLM_T_DICT ? write_dict(w, value.as.dict) : write_list(w, value.as.list));
        slm__tm_leave_value(w->machine);
        return SLM_OK;
    default: return slm__tm_fail(w->machine, "Object of type %s is not JSON serializable", slm__tv_type(value));
    }
}

/* indent=: a number of blanks or a text. */
static slm_status read_indent(struct json_writer *w, const struct slm_targuments *a)
{
    struct slm_tbuilder blanks;
    struct slm_tvalue text;
    int64_t count = 0;
    if (!a->given[1] || a->value[1].kind == SLM_T_NONE) {
        return SLM_OK;
    }
    if (a->value[1].kind == SLM_T_STRING) {
        w->indent = a->value[1].as.string;
        return SLM_OK;
    }
    SLM_TRY(slm__ta_integer(w->machine, a, 1, 0, &count));
    slm__ts_begin(&blanks, w->machine);
    SLM_TRY(slm__ts_add_repeated(&blanks, ' ', count > 0 ? (size_t)count : 0, true));
    SLM_TRY(slm__ts_end(&blanks, &text));
    w->indent = text.as.string;
    return SLM_OK;
}

static slm_status read_separators(struct json_writer *w, const struct slm_targuments *a)
{
    struct slm_tvalue item;
    struct slm_tvalue key;
    if (a->given[2] && a->value[2].kind != SLM_T_NONE) {
        const struct slm_tlist *pair = NULL;
        SLM_TRY(slm__tv_iterate(w->machine, a->value[2], &pair));
        if (pair->count != 2 || pair->items[0].kind != SLM_T_STRING || pair->items[1].kind != SLM_T_STRING) {
            return slm__tm_fail(w->machine, "separators of tojson have to be two texts");
        }
        w->item_separator = pair->items[0].as.string;
        w->key_separator = pair->items[1].as.string;
        return SLM_OK;
    }
    SLM_TRY(slm__ts_make(w->machine, slm__span_text(w->indent != NULL ? "," : ", "), true, &item));
    SLM_TRY(slm__ts_make(w->machine, slm__span_text(": "), true, &key));
    w->item_separator = item.as.string;
    w->key_separator = key.as.string;
    return SLM_OK;
}

/* tojson(ensure_ascii, indent, separators, sort_keys) */
slm_status slm__filter_tojson(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    struct json_writer w;
    memset(&w, 0, sizeof w);
    w.machine = m;
    w.ascii = slm__ta_truth(a, 0, false);
    w.sorted = slm__ta_truth(a, 3, false);
    SLM_TRY(read_indent(&w, a));
    SLM_TRY(read_separators(&w, a));
    slm__ts_begin(&w.builder, m);
    SLM_TRY(write_value(&w, self));
    return slm__ts_end(&w.builder, out);
}
