/* SPDX-License-Identifier: MIT */
/* Filters that work on text. What is no text is turned into one first, as Jinja does. */
#include "base/utf8.h"              /* slm__utf8_decode */
#include "text/template_builtins.h" /* slm__filter_... */
#include "text/template_eval.h"     /* slm__template_... */
#include "text/template_unicode.h"  /* slm__tu_space */

/* trim(chars) */
slm_status slm__filter_trim(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    const struct slm_tstring *characters = NULL;
    SLM_TRY(slm__ts_from(m, self, &text));
    SLM_TRY(slm__ta_text(m, a, 0, &characters));
    return slm__template_strip(m, text, characters, true, true, out);
}

/* What stands in front of indented lines: a number of blanks or a text. */
static slm_status read_indentation(struct slm_tmachine *m, const struct slm_targuments *a, const struct slm_tstring **text)
{
    struct slm_tbuilder blanks;
    struct slm_tvalue value;
    int64_t width = 4;
    if (a->given[0] && a->value[0].kind == SLM_T_STRING) {
        *text = a->value[0].as.string;
        return SLM_OK;
    }
    SLM_TRY(slm__ta_integer(m, a, 0, 4, &width));
    slm__ts_begin(&blanks, m);
    SLM_TRY(slm__ts_add_repeated(&blanks, ' ', width > 0 ? (size_t)width : 0, true));
    SLM_TRY(slm__ts_end(&blanks, &value));
    *text = value.as.string;
    return SLM_OK;
}

/* indent(width=4, first=false, blank=false) */
slm_status slm__filter_indent(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    const struct slm_tstring *indentation = NULL;
    struct slm_tbuilder builder;
    struct slm_tvalue lines;
    bool first = slm__ta_truth(a, 1, false);
    bool blank = slm__ta_truth(a, 2, false);
    SLM_TRY(slm__ts_from(m, self, &text));
    SLM_TRY(read_indentation(m, a, &indentation));
    slm__ts_begin(&builder, m);
    SLM_TRY(slm__ts_add_text(&builder, text));
    SLM_TRY(slm__ts_add_literal(&builder, "\n")); /* so that an empty last line counts */
    SLM_TRY(slm__ts_end(&builder, &lines));
    SLM_TRY(slm__template_lines(m, lines.as.string, false, &lines));
    slm__ts_begin(&builder, m);
    for (size_t i = 0; i < lines.as.list->count; i++) {
        const struct slm_tstring *line = lines.as.list->items[i].as.string;
        if (i > 0) {
            SLM_TRY(slm__ts_add_literal(&builder, "\n"));
        }
        if (i == 0 ? first : (blank || line->length > 0)) {
            SLM_TRY(slm__ts_add_text(&builder, indentation));
        }
        SLM_TRY(slm__ts_add_text(&builder, line));
    }
    SLM_TRY(slm__ts_end(&builder, out));
    return text->markup ? slm__ts_markup(m, out->as.string, out) : SLM_OK;
}

/* replace(old, new, count) */
slm_status slm__filter_replace(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    const struct slm_tstring *from = NULL;
    const struct slm_tstring *to = NULL;
    int64_t most = -1;
    SLM_TRY(slm__ts_from(m, self, &text));
    SLM_TRY(slm__ts_from(m, a->value[0], &from));
    SLM_TRY(slm__ts_from(m, a->value[1], &to));
    if (a->given[2] && a->value[2].kind != SLM_T_NONE) {
        SLM_TRY(slm__ta_integer(m, a, 2, -1, &most));
    }
    return slm__template_replace(m, text, from, to, most, out);
}

/* escape: & < > ' " for HTML; what is markup already stays */
slm_status slm__filter_escape(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    (void)a;
    SLM_TRY(slm__ts_from(m, self, &text));
    return text->markup ? slm__ts_markup(m, text, out) : slm__ts_escape(m, text, out);
}

slm_status slm__filter_forceescape(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    (void)a;
    SLM_TRY(slm__ts_from(m, self, &text));
    return slm__ts_escape(m, text, out);
}

/* safe: the text as markup */
slm_status slm__filter_safe(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    (void)a;
    SLM_TRY(slm__ts_from(m, self, &text));
    return slm__ts_markup(m, text, out);
}

slm_status slm__filter_upper(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    (void)a;
    SLM_TRY(slm__ts_from(m, self, &text));
    return slm__template_case(m, text, 'u', out);
}

slm_status slm__filter_lower(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    (void)a;
    SLM_TRY(slm__ts_from(m, self, &text));
    return slm__template_case(m, text, 'l', out);
}

slm_status slm__filter_capitalize(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    (void)a;
    SLM_TRY(slm__ts_from(m, self, &text));
    return slm__template_case(m, text, 'c', out);
}

/* title: words begin behind white space and one of - ( { [ <, unlike the method of the same name */
slm_status slm__filter_title(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    struct slm_tbuilder builder;
    bool inside = false;
    (void)a;
    SLM_TRY(slm__ts_from(m, self, &text));
    SLM_TRY(slm__tm_charge(m, text->length / 8));
    slm__ts_begin(&builder, m);
    for (size_t i = 0; i < text->length;) {
        size_t end = 0;
        struct slm_utf8 character = slm__utf8_decode(text->data + i, text->length - i);
        uint32_t code = inside ? slm__tu_lower(character.code) : slm__tu_upper(character.code);
        SLM_TRY(slm__ts_add_character(&builder, code, slm__ts_origin(text, i, &end)));
        inside =
            !slm__tu_space(character.code) && (character.code == 0 || character.code > 127 || strchr("-({[<", (int)character.code) == NULL);
        i += character.length;
    }
    return slm__ts_end(&builder, out);
}

/* truncate(length=255, killwords=false, end='...', leeway=5) */
slm_status slm__filter_truncate(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    const struct slm_tstring *tail = NULL;
    struct slm_tbuilder builder;
    struct slm_tvalue dots;
    int64_t length = 255;
    int64_t leeway = 5;
    SLM_TRY(slm__ts_from(m, self, &text));
    SLM_TRY(slm__ta_integer(m, a, 0, 255, &length));
    SLM_TRY(slm__ta_text(m, a, 2, &tail));
    SLM_TRY(slm__ta_integer(m, a, 3, 5, &leeway));
    SLM_TRY(slm__ts_make(m, slm__span_text("..."), true, &dots));
    tail = tail != NULL ? tail : dots.as.string;
    int64_t characters = (int64_t)text->characters;
    if (length < (int64_t)tail->characters || leeway < 0) {
        return slm__tm_fail(m, "truncate() needs a length of at least %zu and a leeway that is not negative", tail->characters);
    }
    if (characters <= length || characters - length <= leeway) {
        *out = self;
        return self.kind == SLM_T_STRING ? SLM_OK : slm__ts_slice(m, text, 0, text->length, out);
    }
    size_t cut = slm__ts_offset(text, (size_t)length - tail->characters);
    if (!slm__ta_truth(a, 1, false)) {
        size_t blank = slm__ts_find_last(text, slm__span_text(" "), 0, cut);
        cut = blank != SIZE_MAX ? blank : cut;
    }
    slm__ts_begin(&builder, m);
    SLM_TRY(slm__ts_add_part(&builder, text, 0, cut));
    SLM_TRY(slm__ts_add_text(&builder, tail));
    return slm__ts_end(&builder, out);
}

/* Letters, digits and underscores; beyond ASCII everything but white space and general punctuation. */
static bool is_word_character(uint32_t code)
{
    if (code < 0x80) {
        return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || code == '_';
    }
    return code >= 0xAA && !slm__tu_space(code) && !(code >= 0x2000 && code <= 0x206F) && !(code >= 0x3000 && code <= 0x3004) &&
           slm__tu_printable(code) && code != 0xAB && code != 0xBB && code != 0xD7 && code != 0xF7;
}

slm_status slm__filter_wordcount(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    int64_t words = 0;
    bool inside = false;
    (void)a;
    SLM_TRY(slm__ts_from(m, self, &text));
    SLM_TRY(slm__tm_charge(m, text->length / 8));
    for (size_t i = 0; i < text->length;) {
        struct slm_utf8 character = slm__utf8_decode(text->data + i, text->length - i);
        bool word = is_word_character(character.code);
        words += word && !inside;
        inside = word;
        i += character.length;
    }
    *out = slm__tv_int(words);
    return SLM_OK;
}

/* center(width=80) */
slm_status slm__filter_center(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    struct slm_tbuilder builder;
    int64_t width = 80;
    SLM_TRY(slm__ts_from(m, self, &text));
    SLM_TRY(slm__ta_integer(m, a, 0, 80, &width));
    size_t padding = width > (int64_t)text->characters ? (size_t)width - text->characters : 0;
    size_t left = padding / 2 + (padding & (size_t)width & 1); /* where Python puts the odd blank */
    slm__ts_begin(&builder, m);
    SLM_TRY(slm__ts_add_repeated(&builder, ' ', left, true));
    SLM_TRY(slm__ts_add_text(&builder, text));
    SLM_TRY(slm__ts_add_repeated(&builder, ' ', padding - left, true));
    return slm__ts_end(&builder, out);
}

/* format(*values): "%s" % values */
slm_status slm__filter_format(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    struct slm_tvalue arguments;
    SLM_TRY(slm__ts_from(m, self, &text));
    SLM_TRY(slm__tv_list(m, SLM_T_TUPLE, a->call->count, &arguments));
    for (size_t i = 0; i < a->call->count; i++) {
        SLM_TRY(slm__tv_append(m, arguments, a->call->positional[i]));
    }
    if (a->call->named_count > 0) {
        SLM_TRY(slm__tv_dict(m, SLM_T_DICT, a->call->named_count, &arguments));
        for (size_t i = 0; i < a->call->named_count; i++) {
            struct slm_tvalue key;
            SLM_TRY(slm__ts_make(m, a->call->names[i], true, &key));
            SLM_TRY(slm__tv_dict_set(m, arguments.as.dict, key, a->call->named[i]));
        }
    }
    return slm__template_percent(m, text, arguments, out);
}
