/* SPDX-License-Identifier: MIT */
/* str() and repr() of Python: how values look when a template prints them. */
#include "base/decimal.h"          /* slm__decimal_format */
#include "base/utf8.h"             /* slm__utf8_decode */
#include "text/template_machine.h" /* slm__tm_enter_value */
#include "text/template_text.h"    /* slm__ts_print */
#include "text/template_unicode.h" /* slm__tu_printable */

#include <stdio.h> /* snprintf */

static slm_status print_integer(struct slm_tbuilder *builder, struct slm_tvalue value)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)value.as.integer);
    return slm__ts_add(builder, digits, (size_t)length, value.trusted);
}

static slm_status print_float(struct slm_tbuilder *builder, struct slm_tvalue value)
{
    char digits[32];
    size_t length = slm__decimal_format(value.as.real, digits);
    return slm__ts_add(builder, digits, length, value.trusted);
}

/* One character between quotes. */
static slm_status repr_character(struct slm_tbuilder *builder, struct slm_utf8 character, const uint8_t *bytes, char quote, bool trusted)
{
    char text[16];
    uint32_t code = character.code;
    if (code == '\\' || code == (uint32_t)quote) {
        snprintf(text, sizeof text, "\\%c", (int)code);
    } else if (code == '\n' || code == '\r' || code == '\t') {
        snprintf(text, sizeof text, "\\%c", code == '\n' ? 'n' : code == '\r' ? 'r' : 't');
    } else if (slm__tu_printable(code)) {
        return slm__ts_add(builder, bytes, character.length, trusted);
    } else if (code < 0x100) {
        snprintf(text, sizeof text, "\\x%02x", (unsigned)code);
    } else if (code < 0x10000) {
        snprintf(text, sizeof text, "\\u%04x", (unsigned)code);
    } else {
        snprintf(text, sizeof text, "\\U%08x", (unsigned)code);
    }
    return slm__ts_add(builder, text, strlen(text), trusted);
}

static slm_status repr_text(struct slm_tbuilder *builder, const struct slm_tstring *text)
{
    char quote = '\'';
    if (text->length > 0 && memchr(text->data, '\'', text->length) != NULL && memchr(text->data, '"', text->length) == NULL) {
        quote = '"';
    }
    SLM_TRY(slm__ts_add(builder, &quote, 1, true));
    size_t run_end = 0;
    bool trusted = true;
    for (size_t i = 0; i < text->length;) {
        if (i >= run_end) {
            trusted = slm__ts_origin(text, i, &run_end);
        }
        struct slm_utf8 character = slm__utf8_decode(text->data + i, text->length - i);
        SLM_TRY(repr_character(builder, character, text->data + i, quote, trusted));
        i += character.length;
    }
    return slm__ts_add(builder, &quote, 1, true);
}

static slm_status repr_items(struct slm_tbuilder *builder, const struct slm_tlist *list, const char *open, const char *close)
{
    SLM_TRY(slm__ts_add_literal(builder, open));
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) {
            SLM_TRY(slm__ts_add_literal(builder, ", "));
        }
        SLM_TRY(slm__ts_repr(builder, list->items[i]));
    }
    return slm__ts_add_literal(builder, close);
}

static slm_status repr_dict(struct slm_tbuilder *builder, const struct slm_tdict *dict)
{
    SLM_TRY(slm__ts_add_literal(builder, "{"));
    for (size_t i = 0; i < dict->count; i++) {
        if (i > 0) {
            SLM_TRY(slm__ts_add_literal(builder, ", "));
        }
        SLM_TRY(slm__ts_repr(builder, dict->keys[i]));
        SLM_TRY(slm__ts_add_literal(builder, ": "));
        SLM_TRY(slm__ts_repr(builder, dict->values[i]));
    }
    return slm__ts_add_literal(builder, "}");
}

static slm_status repr_container(struct slm_tbuilder *builder, struct slm_tvalue value)
{
    switch (value.kind) {
    case SLM_T_LIST: return repr_items(builder, value.as.list, "[", "]");
    case SLM_T_TUPLE: return repr_items(builder, value.as.list, "(", value.as.list->count == 1 ? ",)" : ")");
    case SLM_T_VIEW: SLM_TRY(slm__ts_add_literal(builder, value.as.list->label)); return repr_items(builder, value.as.list, "([", "])");
    case SLM_T_DICT: return repr_dict(builder, value.as.dict);
    case SLM_T_NAMESPACE:
        SLM_TRY(slm__ts_add_literal(builder, "<Namespace "));
        SLM_TRY(repr_dict(builder, value.as.dict));
        return slm__ts_add_literal(builder, ">");
    case SLM_T_RANGE:
        if (value.as.list->label != NULL) {
            return slm__ts_add_literal(builder, value.as.list->label);
        }
        return repr_items(builder, value.as.list, "[", "]");
    default: /* what Python prints here holds an address */
        SLM_TRY(slm__ts_add_literal(builder, "<"));
        SLM_TRY(slm__ts_add_literal(builder, slm__tv_type(value)));
        return slm__ts_add_literal(builder, " object>");
    }
}

slm_status slm__ts_repr(struct slm_tbuilder *builder, struct slm_tvalue value)
{
    if (value.kind == SLM_T_STRING) {
        return repr_text(builder, value.as.string);
    }
    if (value.kind == SLM_T_UNDEFINED) {
        return slm__ts_add_literal(builder, "Undefined");
    }
    return slm__ts_print(builder, value);
}

slm_status slm__ts_print(struct slm_tbuilder *builder, struct slm_tvalue value)
{
    const char *word = NULL;
    switch (value.kind) {
    case SLM_T_UNDEFINED: return SLM_OK;
    case SLM_T_NONE: return slm__ts_add(builder, "None", 4, value.trusted);
    case SLM_T_BOOL: word = value.as.truth ? "True" : "False"; return slm__ts_add(builder, word, strlen(word), value.trusted);
    case SLM_T_INT: return print_integer(builder, value);
    case SLM_T_FLOAT: return print_float(builder, value);
    case SLM_T_BIGINT:
    case SLM_T_STRING: return slm__ts_add_text(builder, value.as.string);
    default:
        SLM_TRY(slm__tm_enter_value(builder->machine));
        SLM_TRY(repr_container(builder, value));
        slm__tm_leave_value(builder->machine);
        return SLM_OK;
    }
}

slm_status slm__ts_from(struct slm_tmachine *m, struct slm_tvalue value, const struct slm_tstring **text)
{
    if (value.kind != SLM_T_STRING) {
        struct slm_tbuilder builder;
        slm__ts_begin(&builder, m);
        SLM_TRY(slm__ts_print(&builder, value));
        SLM_TRY(slm__ts_end(&builder, &value));
    }
    *text = value.as.string;
    return SLM_OK;
}
