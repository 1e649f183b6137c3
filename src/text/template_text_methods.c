/* SPDX-License-Identifier: MIT */
/* Methods of texts. */
#include "base/utf8.h"              /* slm__utf8_decode */
#include "text/template_builtins.h" /* slm__template_text_methods */
#include "text/template_eval.h"     /* slm__template_... */
#include "text/template_unicode.h"  /* slm__tu_cased */

static slm_status strip_sides(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, bool left, bool right,
                              struct slm_tvalue *out)
{
    const struct slm_tstring *characters = NULL;
    SLM_TRY(slm__ta_text(m, a, 0, &characters));
    return slm__template_strip(m, self.as.string, characters, left, right, out);
}

static slm_status text_strip(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return strip_sides(m, self, a, true, true, out);
}

static slm_status text_lstrip(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return strip_sides(m, self, a, true, false, out);
}

static slm_status text_rstrip(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return strip_sides(m, self, a, false, true, out);
}

/* Words between runs of white space, at most `most` cuts (negative: all), the rest uncut. */
static slm_status split_words(struct slm_tmachine *m, const struct slm_tstring *text, int64_t most, struct slm_tvalue list)
{
    struct slm_tvalue word;
    size_t at = 0;
    while (at < text->length) {
        struct slm_utf8 character = slm__utf8_decode(text->data + at, text->length - at);
        if (slm__tu_space(character.code)) {
            at += character.length;
            continue;
        }
        size_t start = at;
        while (at < text->length && !slm__tu_space(character.code)) {
            at += character.length;
            character = at < text->length ? slm__utf8_decode(text->data + at, text->length - at) : character;
        }
        if (most == 0) { /* the rest, but for the white space at its end */
            SLM_TRY(slm__ts_slice(m, text, start, text->length, &word));
            SLM_TRY(slm__template_strip(m, word.as.string, NULL, false, true, &word));
            return slm__tv_append(m, list, word);
        }
        SLM_TRY(slm__ts_slice(m, text, start, at, &word));
        SLM_TRY(slm__tv_append(m, list, word));
        most -= most > 0;
    }
    return SLM_OK;
}

static slm_status split_left(struct slm_tmachine *m, const struct slm_tstring *text, struct slm_span separator, int64_t most,
                             struct slm_tvalue list)
{
    struct slm_tvalue part;
    size_t at = 0;
    for (; most != 0; most -= most > 0) {
        size_t hit = slm__ts_find(text, separator, at, text->length);
        if (hit == SIZE_MAX) {
            break;
        }
        SLM_TRY(slm__tm_charge(m, 1));
        SLM_TRY(slm__ts_slice(m, text, at, hit, &part));
        SLM_TRY(slm__tv_append(m, list, part));
        at = hit + separator.length;
    }
    SLM_TRY(slm__ts_slice(m, text, at, text->length, &part));
    return slm__tv_append(m, list, part);
}

/* From the right; the parts come last first and are turned around at the end. */
static slm_status split_right(struct slm_tmachine *m, const struct slm_tstring *text, struct slm_span separator, int64_t most,
                              struct slm_tvalue list)
{
    struct slm_tvalue part;
    size_t end = text->length;
    for (; most != 0; most -= most > 0) {
        size_t hit = slm__ts_find_last(text, separator, 0, end);
        if (hit == SIZE_MAX) {
            break;
        }
        SLM_TRY(slm__tm_charge(m, 1));
        SLM_TRY(slm__ts_slice(m, text, hit + separator.length, end, &part));
        SLM_TRY(slm__tv_append(m, list, part));
        end = hit;
    }
    SLM_TRY(slm__ts_slice(m, text, 0, end, &part));
    SLM_TRY(slm__tv_append(m, list, part));
    struct slm_tlist *parts = list.as.list;
    for (size_t i = 0; i < parts->count / 2; i++) {
        struct slm_tvalue swap = parts->items[i];
        parts->items[i] = parts->items[parts->count - 1 - i];
        parts->items[parts->count - 1 - i] = swap;
    }
    return SLM_OK;
}

static slm_status split_text(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, bool from_right,
                             struct slm_tvalue *out)
{
    const struct slm_tstring *text = self.as.string;
    const struct slm_tstring *separator = NULL;
    int64_t most = -1;
    SLM_TRY(slm__ta_text(m, a, 0, &separator));
    SLM_TRY(slm__ta_integer(m, a, 1, -1, &most));
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, 0, out));
    SLM_TRY(slm__tm_charge(m, text->length / 64));
    if (separator == NULL && from_right && most >= 0) {
        return slm__tm_fail(m, "rsplit() at white space with a limit is not supported");
    }
    if (separator == NULL) {
        return split_words(m, text, most, *out);
    }
    if (separator->length == 0) {
        return slm__tm_fail(m, "empty separator");
    }
    return from_right ? split_right(m, text, slm__ts_span(separator), most, *out)
                      : split_left(m, text, slm__ts_span(separator), most, *out);
}

static slm_status text_split(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return split_text(m, self, a, false, out);
}

static slm_status text_rsplit(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return split_text(m, self, a, true, out);
}

static slm_status text_splitlines(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return slm__template_lines(m, self.as.string, slm__ta_truth(a, 0, false), out);
}

static slm_status text_join(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return slm__template_join(m, a->value[0], self.as.string, false, out);
}

static slm_status text_replace(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *from = NULL;
    const struct slm_tstring *to = NULL;
    int64_t most = -1;
    SLM_TRY(slm__ta_text(m, a, 0, &from));
    SLM_TRY(slm__ta_text(m, a, 1, &to));
    SLM_TRY(slm__ta_integer(m, a, 2, -1, &most));
    if (from == NULL || to == NULL) {
        return slm__tm_fail(m, "replace() argument must be str, not NoneType");
    }
    return slm__template_replace(m, self.as.string, from, to, most, out);
}

/* startswith, endswith: a text, or a tuple of texts of which one fits. */
static slm_status match_affix(struct slm_tmachine *m, struct slm_tvalue self, struct slm_tvalue affix, bool at_end, bool *matches)
{
    const struct slm_tstring *text = self.as.string;
    *matches = false;
    if (affix.kind == SLM_T_TUPLE) {
        for (size_t i = 0; !*matches && i < affix.as.list->count; i++) {
            if (affix.as.list->items[i].kind != SLM_T_STRING) {
                return slm__tm_fail(m, "tuple for startswith or endswith must only contain str, not %s",
                                    slm__tv_type(affix.as.list->items[i]));
            }
            SLM_TRY(match_affix(m, self, affix.as.list->items[i], at_end, matches));
        }
        return SLM_OK;
    }
    if (affix.kind == SLM_T_UNDEFINED) {
        return slm__tm_fail_undefined(m, affix);
    }
    if (affix.kind != SLM_T_STRING) {
        return slm__tm_fail(m, "first argument of startswith or endswith must be str or a tuple of str, not %s", slm__tv_type(affix));
    }
    const struct slm_tstring *part = affix.as.string;
    if (part->length <= text->length) {
        const uint8_t *start = text->data + (at_end ? text->length - part->length : 0);
        *matches = part->length == 0 || memcmp(start, part->data, part->length) == 0;
    }
    return SLM_OK;
}

static slm_status text_startswith(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    bool matches = false;
    SLM_TRY(match_affix(m, self, a->value[0], false, &matches));
    *out = slm__tv_bool(matches);
    return SLM_OK;
}

static slm_status text_endswith(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    bool matches = false;
    SLM_TRY(match_affix(m, self, a->value[0], true, &matches));
    *out = slm__tv_bool(matches);
    return SLM_OK;
}

static slm_status text_removeprefix(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    bool matches = false;
    SLM_TRY(match_affix(m, self, a->value[0], false, &matches));
    *out = self;
    return matches ? slm__ts_slice(m, self.as.string, a->value[0].as.string->length, self.as.string->length, out) : SLM_OK;
}

static slm_status text_removesuffix(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    bool matches = false;
    SLM_TRY(match_affix(m, self, a->value[0], true, &matches));
    *out = self;
    return matches ? slm__ts_slice(m, self.as.string, 0, self.as.string->length - a->value[0].as.string->length, out) : SLM_OK;
}

static slm_status text_upper(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return slm__template_case(m, self.as.string, 'u', out);
}

static slm_status text_lower(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return slm__template_case(m, self.as.string, 'l', out);
}

static slm_status text_title(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return slm__template_case(m, self.as.string, 't', out);
}

static slm_status text_capitalize(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return slm__template_case(m, self.as.string, 'c', out);
}

static slm_status text_swapcase(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return slm__template_case(m, self.as.string, 's', out);
}

/* find, rfind, index, rindex (sub, start, end): the character's number, or -1, or an error. */
static slm_status find_text(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, bool last, bool required,
                            struct slm_tvalue *out)
{
    const struct slm_tstring *text = self.as.string;
    const struct slm_tstring *part = NULL;
    int64_t length = (int64_t)text->characters;
    int64_t bounds[2] = {0, length};
    SLM_TRY(slm__ta_text(m, a, 0, &part));
    if (part == NULL) {
        return slm__tm_fail(m, "must be str, not NoneType");
    }
    for (unsigned i = 0; i < 2; i++) {
        SLM_TRY(slm__ta_integer(m, a, i + 1, bounds[i], &bounds[i]));
        bounds[i] = bounds[i] < 0 ? bounds[i] + length : bounds[i];
        bounds[i] = bounds[i] < 0 ? 0 : bounds[i] > length ? length : bounds[i];
    }
    SLM_TRY(slm__tm_charge(m, text->length / 64));
    size_t from = slm__ts_offset(text, (size_t)bounds[0]);
    size_t to = slm__ts_offset(text, (size_t)bounds[1]);
    size_t hit = last ? slm__ts_find_last(text, slm__ts_span(part), from, to) : slm__ts_find(text, slm__ts_span(part), from, to);
    if (hit == SIZE_MAX && required) {
        return slm__tm_fail(m, "substring not found");
    }
    *out = slm__tv_int(hit == SIZE_MAX ? -1 : (int64_t)slm__ts_character(text, hit));
    return SLM_OK;
}

static slm_status text_find(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return find_text(m, self, a, false, false, out);
}

static slm_status text_rfind(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return find_text(m, self, a, true, false, out);
}

static slm_status text_index(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return find_text(m, self, a, false, true, out);
}

static slm_status text_rindex(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return find_text(m, self, a, true, true, out);
}

static slm_status text_count(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *text = self.as.string;
    const struct slm_tstring *part = NULL;
    int64_t count = 0;
    SLM_TRY(slm__ta_text(m, a, 0, &part));
    if (part == NULL) {
        return slm__tm_fail(m, "must be str, not NoneType");
    }
    SLM_TRY(slm__tm_charge(m, text->length / 64));
    if (part->length == 0) {
        *out = slm__tv_int((int64_t)text->characters + 1);
        return SLM_OK;
    }
    for (size_t at = 0; (at = slm__ts_find(text, slm__ts_span(part), at, text->length)) != SIZE_MAX; at += part->length) {
        count++;
    }
    *out = slm__tv_int(count);
    return slm__tm_charge(m, (uint64_t)count);
}

/* partition, rpartition: (before, separator, after) */
static slm_status partition_text(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, bool last,
                                 struct slm_tvalue *out)
{
    const struct slm_tstring *text = self.as.string;
    const struct slm_tstring *separator = NULL;
    struct slm_tvalue parts[3];
    SLM_TRY(slm__ta_text(m, a, 0, &separator));
    if (separator == NULL || separator->length == 0) {
        return slm__tm_fail(m, "empty separator");
    }
    struct slm_span part = slm__ts_span(separator);
    size_t hit = last ? slm__ts_find_last(text, part, 0, text->length) : slm__ts_find(text, part, 0, text->length);
    size_t begin = hit != SIZE_MAX ? hit : last ? 0 : text->length;
    size_t end = hit != SIZE_MAX ? hit + part.length : begin;
    SLM_TRY(slm__ts_slice(m, text, 0, begin, &parts[0]));
    SLM_TRY(slm__ts_slice(m, text, begin, end, &parts[1]));
    SLM_TRY(slm__ts_slice(m, text, end, text->length, &parts[2]));
    SLM_TRY(slm__tv_list(m, SLM_T_TUPLE, 3, out));
    for (unsigned i = 0; i < 3; i++) {
        SLM_TRY(slm__tv_append(m, *out, parts[i]));
    }
    return SLM_OK;
}

static slm_status text_partition(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return partition_text(m, self, a, false, out);
}

static slm_status text_rpartition(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return partition_text(m, self, a, true, out);
}

/* ljust, rjust, zfill: fill up to a width. */
static slm_status fill_text(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, char how,
                            struct slm_tvalue *out)
{
    const struct slm_tstring *text = self.as.string;
    const struct slm_tstring *filling = NULL;
    struct slm_tbuilder builder;
    int64_t width = 0;
    SLM_TRY(slm__ta_integer(m, a, 0, 0, &width));
    SLM_TRY(slm__ta_text(m, a, 1, &filling));
    if (filling != NULL && filling->length != 1) {
        return slm__tm_fail(m, "the fill character must be one ASCII character");
    }
    char byte = how == 'z' ? '0' : filling != NULL ? (char)filling->data[0] : ' ';
    size_t count = width > (int64_t)text->characters ? (size_t)width - text->characters : 0;
    size_t sign = how == 'z' && text->length > 0 && (text->data[0] == '-' || text->data[0] == '+');
    slm__ts_begin(&builder, m);
    SLM_TRY(slm__ts_add_part(&builder, text, 0, sign));
    SLM_TRY(slm__ts_add_repeated(&builder, byte, how == 'l' ? 0 : count, true));
    SLM_TRY(slm__ts_add_part(&builder, text, sign, text->length));
    SLM_TRY(slm__ts_add_repeated(&builder, byte, how == 'l' ? count : 0, true));
    return slm__ts_end(&builder, out);
}

static slm_status text_ljust(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return fill_text(m, self, a, 'l', out);
}

static slm_status text_rjust(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return fill_text(m, self, a, 'r', out);
}

static slm_status text_zfill(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return fill_text(m, self, a, 'z', out);
}

static slm_status text_center(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return slm__filter_center(m, self, a, out);
}

static slm_status text_format(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return slm__template_format(m, self.as.string, a->call, out);
}

static bool is_ascii_digit(uint32_t code) { return code >= '0' && code <= '9'; }

/* Letters with case, and beyond the Latin, Greek and Cyrillic blocks whatever is no space, mark or punctuation of the common blocks. */
static bool is_letter(uint32_t code)
{
    return slm__tu_cased(code) || code == 0xAA || code == 0xBA || code == 0xDF ||
           (code >= 0x100 && slm__tu_printable(code) && !slm__tu_space(code) && !(code >= 0x2000 && code <= 0x2BFF) &&
            !(code >= 0x3000 && code <= 0x3004) && !(code >= 0x3008 && code <= 0x3020) && !(code >= 0xFE00 && code <= 0xFE6F) &&
            !(code >= 0xFF00 && code <= 0xFF20) && !(code >= 0x1F000 && code <= 0x1FAFF));
}

static bool is_letter_or_digit(uint32_t code) { return is_ascii_digit(code) || is_letter(code); }

/* Not empty, and all characters of a kind. */
static slm_status test_characters(struct slm_tmachine *m, struct slm_tvalue self, bool (*is_kind)(uint32_t code), struct slm_tvalue *out)
{
    const struct slm_tstring *text = self.as.string;
    bool all = text->length > 0;
    SLM_TRY(slm__tm_charge(m, text->length / 16));
    for (size_t i = 0; all && i < text->length;) {
        struct slm_utf8 character = slm__utf8_decode(text->data + i, text->length - i);
        all = is_kind(character.code);
        i += character.length;
    }
    *out = slm__tv_bool(all);
    return SLM_OK;
}

static slm_status text_isdigit(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return test_characters(m, self, is_ascii_digit, out);
}

static slm_status text_isalpha(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return test_characters(m, self, is_letter, out);
}

static slm_status text_isalnum(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return test_characters(m, self, is_letter_or_digit, out);
}

static slm_status text_isspace(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return test_characters(m, self, slm__tu_space, out);
}

/* isupper, islower: as the tests of these names */
static slm_status text_isupper(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    struct slm_tcall none;
    bool holds = false;
    memset(&none, 0, sizeof none);
    SLM_TRY(slm__template_test(m, slm__span_text("upper"), self, &none, &holds));
    *out = slm__tv_bool(holds);
    return SLM_OK;
}

static slm_status text_islower(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    struct slm_tcall none;
    bool holds = false;
    memset(&none, 0, sizeof none);
    SLM_TRY(slm__template_test(m, slm__span_text("lower"), self, &none, &holds));
    *out = slm__tv_bool(holds);
    return SLM_OK;
}

const struct slm_tfunction slm__template_text_methods[] = {
    {"strip", text_strip, "chars", 0},
    {"lstrip", text_lstrip, "chars", 0},
    {"rstrip", text_rstrip, "chars", 0},
    {"split", text_split, "sep maxsplit", 0},
    {"rsplit", text_rsplit, "sep maxsplit", 0},
    {"splitlines", text_splitlines, "keepends", 0},
    {"join", text_join, "iterable", 1},
    {"replace", text_replace, "old new count", 2},
    {"startswith", text_startswith, "prefix", 1},
    {"endswith", text_endswith, "suffix", 1},
    {"removeprefix", text_removeprefix, "prefix", 1},
    {"removesuffix", text_removesuffix, "suffix", 1},
    {"upper", text_upper, "", 0},
    {"lower", text_lower, "", 0},
    {"casefold", text_lower, "", 0},
    {"title", text_title, "", 0},
    {"capitalize", text_capitalize, "", 0},
    {"swapcase", text_swapcase, "", 0},
    {"find", text_find, "sub start end", 1},
    {"rfind", text_rfind, "sub start end", 1},
    {"index", text_index, "sub start end", 1},
    {"rindex", text_rindex, "sub start end", 1},
    {"count", text_count, "sub", 1},
    {"partition", text_partition, "sep", 1},
    {"rpartition", text_rpartition, "sep", 1},
    {"ljust", text_ljust, "width fillchar", 1},
    {"rjust", text_rjust, "width fillchar", 1},
    {"zfill", text_zfill, "width", 1},
    {"center", text_center, "width", 1},
    {"format", text_format, NULL, 0},
    {"isdigit", text_isdigit, "", 0},
    {"isdecimal", text_isdigit, "", 0},
    {"isnumeric", text_isdigit, "", 0},
    {"isalpha", text_isalpha, "", 0},
    {"isalnum", text_isalnum, "", 0},
    {"isspace", text_isspace, "", 0},
    {"isupper", text_isupper, "", 0},
    {"islower", text_islower, "", 0},
    {NULL, NULL, NULL, 0},
};
