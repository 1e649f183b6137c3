/* SPDX-License-Identifier: MIT */
/* What filters and methods of texts share: strip, replace, join, lines, case. Bytes keep their origin throughout. */
#include "base/utf8.h"              /* slm__utf8_decode */
#include "text/template_builtins.h" /* slm__template_strip */
#include "text/template_unicode.h"  /* slm__tu_space */

/* Whether the character [from, to) of `text` is to be cut off. */
static bool is_stripped(const struct slm_tstring *text, size_t from, size_t to, const struct slm_tstring *characters)
{
    if (characters == NULL) {
        return slm__tu_space(slm__utf8_decode(text->data + from, to - from).code);
    }
    return slm__ts_find(characters, slm__span(text->data + from, to - from), 0, characters->length) != SIZE_MAX;
}

slm_status slm__template_strip(struct slm_tmachine *m, const struct slm_tstring *text, const struct slm_tstring *characters, bool left,
                               bool right, struct slm_tvalue *out)
{
    size_t from = 0;
    size_t to = text->length;
    uint64_t cost = characters != NULL ? characters->length / 64 : 0; /* of looking at one character */
    while (left && from < to) {
        SLM_TRY(slm__tm_charge(m, cost));
        size_t end = from + slm__utf8_decode(text->data + from, to - from).length;
        if (!is_stripped(text, from, end, characters)) {
            break;
        }
        from = end;
    }
    while (right && from < to) {
        SLM_TRY(slm__tm_charge(m, cost));
        size_t begin = to - 1;
        while (begin > from && (text->data[begin] & 0xC0) == 0x80) {
            begin--;
        }
        if (!is_stripped(text, begin, to, characters)) {
            break;
        }
        to = begin;
    }
    SLM_TRY(slm__tm_charge(m, (text->length - (to - from)) / 16));
    return slm__ts_slice(m, text, from, to, out);
}

/* Replacing nothing puts `to` between all characters. */
static slm_status replace_empty(struct slm_tbuilder *builder, const struct slm_tstring *text, const struct slm_tstring *to, int64_t most)
{
    size_t at = 0;
    while (most != 0) {
        SLM_TRY(slm__ts_add_text(builder, to));
        most -= most > 0;
        if (at >= text->length) {
            break;
        }
        size_t end = at + slm__utf8_decode(text->data + at, text->length - at).length;
        SLM_TRY(slm__ts_add_part(builder, text, at, end));
        at = end;
    }
    return slm__ts_add_part(builder, text, at, text->length);
}

slm_status slm__template_replace(struct slm_tmachine *m, const struct slm_tstring *text, const struct slm_tstring *from,
                                 const struct slm_tstring *to, int64_t most, struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    size_t at = 0;
    slm__ts_begin(&builder, m);
    SLM_TRY(slm__tm_charge(m, text->length / 64));
    if (from->length == 0) {
        SLM_TRY(replace_empty(&builder, text, to, most));
        return slm__ts_end(&builder, out);
    }
    for (; most != 0; most -= most > 0) {
        size_t hit = slm__ts_find(text, slm__ts_span(from), at, text->length);
        if (hit == SIZE_MAX) {
            break;
        }
        SLM_TRY(slm__tm_charge(m, 1));
        SLM_TRY(slm__ts_add_part(&builder, text, at, hit));
        SLM_TRY(slm__ts_add_text(&builder, to));
        at = hit + from->length;
    }
    SLM_TRY(slm__ts_add_part(&builder, text, at, text->length));
    return slm__ts_end(&builder, out);
}

slm_status slm__template_join(struct slm_tmachine *m, struct slm_tvalue value, const struct slm_tstring *separator, bool any_type,
                              struct slm_tvalue *out)
{
    const struct slm_tlist *items = NULL;
    struct slm_tbuilder builder;
    SLM_TRY(slm__tv_iterate(m, value, &items));
    slm__ts_begin(&builder, m);
    for (size_t i = 0; i < items->count; i++) {
        if (!any_type && items->items[i].kind != SLM_T_STRING) {
            return slm__tm_fail(m, "sequence item %zu: expected str instance, %s found", i, slm__tv_type(items->items[i]));
        }
        if (i > 0 && separator != NULL) {
            SLM_TRY(slm__ts_add_text(&builder, separator));
        }
        SLM_TRY(slm__ts_print(&builder, items->items[i]));
    }
    SLM_TRY(slm__tm_charge(m, items->count / 8));
    return slm__ts_end(&builder, out);
}

slm_status slm__template_lines(struct slm_tmachine *m, const struct slm_tstring *text, bool keep_ends, struct slm_tvalue *out)
{
    struct slm_tvalue lines;
    struct slm_tvalue line;
    size_t start = 0;
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, 0, &lines));
    SLM_TRY(slm__tm_charge(m, text->length / 64));
    for (size_t i = 0; i < text->length;) {
        struct slm_utf8 character = slm__utf8_decode(text->data + i, text->length - i);
        size_t end = i + character.length;
        if (slm__tu_line_end(character.code)) {
            if (character.code == '\r' && end < text->length && text->data[end] == '\n') {
                end++;
            }
            SLM_TRY(slm__ts_slice(m, text, start, keep_ends ? end : i, &line));
            SLM_TRY(slm__tv_append(m, lines, line));
            start = end;
        }
        i = end;
    }
    if (start < text->length) {
        SLM_TRY(slm__ts_slice(m, text, start, text->length, &line));
        SLM_TRY(slm__tv_append(m, lines, line));
    }
    *out = lines;
    return SLM_OK;
}

/* The character in its new case; `first`: at the start of the text, `inside`: behind a letter. */
static uint32_t change_case(uint32_t code, char how, bool first, bool inside)
{
    switch (how) {
    case 'u': return slm__tu_upper(code);
    case 'l': return slm__tu_lower(code);
    case 't': return inside ? slm__tu_lower(code) : slm__tu_upper(code);
    case 'c': return first ? slm__tu_upper(code) : slm__tu_lower(code);
    default: return slm__tu_lower(code) != code ? slm__tu_lower(code) : slm__tu_upper(code);
    }
}

slm_status slm__template_case(struct slm_tmachine *m, const struct slm_tstring *text, char how, struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    bool inside = false;
    slm__ts_begin(&builder, m);
    SLM_TRY(slm__ts_reserve(&builder, text->length));
    SLM_TRY(slm__tm_charge(m, text->length / 8));
    for (size_t i = 0; i < text->length;) {
        size_t end = 0;
        struct slm_utf8 character = slm__utf8_decode(text->data + i, text->length - i);
        bool trusted = slm__ts_origin(text, i, &end);
        if (character.code == 0xDF && (how == 'u' || (how == 's') || (!inside && how == 't') || (i == 0 && how == 'c'))) {
            const char *sharp = how == 'u' || how == 's' ? "SS" : "Ss"; /* the one letter of Latin 1 whose capital is two */
            SLM_TRY(slm__ts_add(&builder, sharp, 2, trusted));
        } else {
            SLM_TRY(slm__ts_add_character(&builder, change_case(character.code, how, i == 0, inside), trusted));
        }
        inside = slm__tu_cased(character.code) || character.code == 0xDF;
        i += character.length;
    }
    SLM_TRY(slm__ts_end(&builder, out));
    return text->markup ? slm__ts_markup(m, out->as.string, out) : SLM_OK;
}
