/* SPDX-License-Identifier: MIT */
/* The table of filters, and those filters that are neither about text nor about order. */
#include "base/decimal.h"           /* slm__decimal_parse */
#include "text/template_builtins.h" /* slm__template_filters */
#include "text/template_eval.h"     /* slm__te_item */

#include <math.h> /* floor, ceil: exact */

/* default(value='', boolean=false) */
static slm_status filter_default(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    bool missing = self.kind == SLM_T_UNDEFINED || (slm__ta_truth(a, 1, false) && !slm__tv_truth(self));
    *out = self;
    if (missing && a->given[0]) {
        *out = a->value[0];
    } else if (missing) {
        return slm__ts_make(m, slm__span_text(""), true, out);
    }
    return SLM_OK;
}

static slm_status filter_length(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    size_t length = 0;
    (void)a;
    SLM_TRY(slm__tv_length(m, self, &length));
    *out = slm__tv_int((int64_t)length);
    return SLM_OK;
}

static slm_status filter_first(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tlist *items = NULL;
    (void)a;
    SLM_TRY(slm__tv_iterate(m, self, &items));
    if (items->count == 0) {
        return slm__te_undefined(m, NULL, slm__span_text("the first item of an empty sequence"), 0, out);
    }
    *out = items->items[0];
    return SLM_OK;
}

static slm_status filter_last(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tlist *items = NULL;
    (void)a;
    if (self.kind == SLM_T_GENERATOR) {
        return slm__tm_fail(m, "'generator' object is not reversible");
    }
    SLM_TRY(slm__tv_iterate(m, self, &items));
    if (items->count == 0) {
        return slm__te_undefined(m, NULL, slm__span_text("the last item of an empty sequence"), 0, out);
    }
    *out = items->items[items->count - 1];
    return SLM_OK;
}

static slm_status filter_list(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tlist *items = NULL;
    (void)a;
    SLM_TRY(slm__tv_iterate(m, self, &items));
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, items->count, out));
    for (size_t i = 0; i < items->count; i++) {
        SLM_TRY(slm__tv_append(m, *out, items->items[i]));
    }
    return slm__tm_charge(m, items->count / 8);
}

/* Backwards: a text from a text, else a generator. */
static slm_status filter_reverse(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tlist *items = NULL;
    struct slm_tvalue result;
    (void)a;
    if (self.kind == SLM_T_STRING) {
        struct slm_tvalue bounds[3] = {slm__tv_none(), slm__tv_none(), slm__tv_int(-1)};
        return slm__te_slice(m, self, bounds, out);
    }
    SLM_TRY(slm__tv_iterate(m, self, &items));
    SLM_TRY(slm__tv_list(m, SLM_T_GENERATOR, items->count, &result));
    for (size_t i = items->count; i-- > 0;) {
        SLM_TRY(slm__tv_append(m, result, items->items[i]));
    }
    *out = result;
    return slm__tm_charge(m, items->count / 8);
}

static slm_status filter_items(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    if (self.kind == SLM_T_UNDEFINED) {
        return slm__tv_list(m, SLM_T_GENERATOR, 0, out);
    }
    if (self.kind != SLM_T_DICT) {
        return slm__tm_fail(m, "Can only get item pairs from a mapping.");
    }
    return slm__tv_dict_pairs(m, self.as.dict, SLM_T_GENERATOR, out);
}

static slm_status filter_string(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    (void)a;
    *out = self;
    if (self.kind == SLM_T_STRING) {
        return SLM_OK;
    }
    slm__ts_begin(&builder, m);
    SLM_TRY(slm__ts_print(&builder, self));
    return slm__ts_end(&builder, out);
}

/* join(d='', attribute=none) */
static slm_status filter_join(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *separator = NULL;
    if (a->given[0]) {
        SLM_TRY(slm__ts_from(m, a->value[0], &separator));
    }
    if (a->given[1] && a->value[1].kind != SLM_T_NONE) {
        const struct slm_tlist *items = NULL;
        struct slm_tvalue values;
        SLM_TRY(slm__tv_iterate(m, self, &items));
        SLM_TRY(slm__tv_list(m, SLM_T_LIST, items->count, &values));
        for (size_t i = 0; i < items->count; i++) {
            struct slm_tvalue value;
            SLM_TRY(slm__te_path(m, items->items[i], a->value[1], &value));
            SLM_TRY(slm__tv_append(m, values, value));
        }
        self = values;
    }
    return slm__template_join(m, self, separator, true, out);
}

/* A text as a number, as float() reads it; false: it is none. */
static slm_status read_real(struct slm_tmachine *m, const struct slm_tstring *text, double *real, bool *valid)
{
    struct slm_tvalue stripped;
    char digits[64];
    size_t length = 0;
    SLM_TRY(slm__template_strip(m, text, NULL, true, true, &stripped));
    struct slm_span span = slm__ts_span(stripped.as.string);
    *valid = span.length > 0 && span.length < sizeof digits;
    for (size_t i = 0; *valid && i < span.length; i++) {
        bool underscore = span.data[i] == '_' && i > 0 && i + 1 < span.length && span.data[i - 1] != '_';
        if (!underscore) {
            digits[length++] = (char)span.data[i];
        }
    }
    /* "5." and ".5" are numbers to Python, not to JSON's grammar. */
    char *point = length > 0 ? memchr(digits, '.', length) : NULL;
    if (point == digits && length + 1 < sizeof digits) {
        memmove(digits + 1, digits, length++);
        digits[0] = '0';
    } else if (point == digits + length - 1 && length > 1) {
        length--;
    }
    *valid = *valid && slm__decimal_parse(slm__span(digits, length), real);
    return SLM_OK;
}

/* A whole number in a base of 2 to 36; false: it is none, or leaves 64 bits. */
static bool read_integer(struct slm_span text, int64_t base, int64_t *integer)
{
    bool minus = text.length > 0 && text.data[0] == '-';
    size_t at = text.length > 0 && (text.data[0] == '-' || text.data[0] == '+');
    bool any = false;
    char letter_of_base = base == 16 ? 'x' : base == 8 ? 'o' : base == 2 ? 'b' : 0;
    *integer = 0;
    if (letter_of_base != 0 && at + 2 < text.length && text.data[at] == '0' && (text.data[at + 1] | 0x20) == letter_of_base) {
        at += 2;
    }
    for (; at < text.length; at++) {
        uint8_t byte = text.data[at];
        uint8_t letter = byte | 0x20;
        int64_t digit = byte >= '0' && byte <= '9' ? byte - '0' : letter >= 'a' && letter <= 'z' ? letter - 'a' + 10 : 99;
        if (byte == '_' && any && at + 1 < text.length && text.data[at - 1] != '_') {
            continue;
        }
        if (digit >= base || __builtin_mul_overflow(*integer, base, integer) ||
            __builtin_add_overflow(*integer, minus ? -digit : digit, integer)) {
            return false;
        }
        any = true;
    }
    return any;
}

/* A float as a whole number, cut towards zero; false: it leaves 64 bits. */
static bool cut_real(double real, int64_t *integer)
{
    if (!(real > -9.2e18 && real < 9.2e18)) {
        return false;
    }
    *integer = (int64_t)real;
    return true;
}

/* int(default=0, base=10) */
static slm_status filter_int(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    int64_t base = 10;
    int64_t integer = 0;
    double real = 0.0;
    bool valid = false;
    SLM_TRY(slm__ta_integer(m, a, 1, 10, &base));
    if (self.kind == SLM_T_UNDEFINED) {
        return slm__tm_fail_undefined(m, self);
    }
    if (self.kind == SLM_T_BIGINT) {
        *out = self;
        return SLM_OK;
    }
    if (slm__tv_integer(self, &integer)) {
        valid = true;
    } else if (self.kind == SLM_T_FLOAT) {
        valid = cut_real(self.as.real, &integer);
    } else if (self.kind == SLM_T_STRING) {
        struct slm_tvalue stripped;
        SLM_TRY(slm__template_strip(m, self.as.string, NULL, true, true, &stripped));
        valid = read_integer(slm__ts_span(stripped.as.string), base, &integer);
        if (!valid) {
            SLM_TRY(read_real(m, self.as.string, &real, &valid));
            valid = valid && cut_real(real, &integer);
        }
    }
    bool origin = self.kind == SLM_T_STRING ? self.as.string->runs == NULL && self.as.string->trusted : self.trusted;
    *out = slm__tv_int(integer);
    out->trusted = origin;
    if (!valid) {
        *out = a->given[0] ? a->value[0] : slm__tv_int(0);
    }
    return SLM_OK;
}

/* float(default=0.0) */
static slm_status filter_float(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    double real = 0.0;
    bool valid = slm__tv_real(self, &real);
    bool origin = self.trusted;
    if (self.kind == SLM_T_UNDEFINED) {
        return slm__tm_fail_undefined(m, self);
    }
    if (self.kind == SLM_T_STRING) {
        SLM_TRY(read_real(m, self.as.string, &real, &valid));
        origin = self.as.string->runs == NULL && self.as.string->trusted;
    }
    *out = slm__tv_float(real);
    out->trusted = origin;
    if (!valid) {
        *out = a->given[0] ? a->value[0] : slm__tv_float(0.0);
    }
    return SLM_OK;
}

static slm_status filter_abs(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    int64_t integer = 0;
    bool whole = slm__tv_integer(self, &integer);
    (void)a;
    if (whole ? integer < 0 : (self.kind == SLM_T_FLOAT && copysign(1.0, self.as.real) < 0.0)) {
        return slm__te_negate(m, self, true, out);
    }
    return slm__te_negate(m, self, false, out);
}

/* round(precision=0, method='common' | 'ceil' | 'floor') */
static slm_status filter_round(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    char digits[400];
    int64_t precision = 0;
    double scale = 1.0;
    double real = 0.0;
    int64_t integer = 0;
    SLM_TRY(slm__ta_integer(m, a, 0, 0, &precision));
    bool ceiling = a->given[1] && slm__ts_is(a->value[1], "ceil");
    bool flooring = a->given[1] && slm__ts_is(a->value[1], "floor");
    if (!slm__tv_real(self, &real) || precision < 0 || (a->given[1] && !ceiling && !flooring && !slm__ts_is(a->value[1], "common"))) {
        return slm__tm_fail(m, "round() needs a number, a precision that is not negative, and 'common', 'ceil' or 'floor'");
    }
    if (!ceiling && !flooring && slm__tv_integer(self, &integer)) {
        *out = slm__tv_int(integer);
        return SLM_OK;
    }
    if (!ceiling && !flooring) {
        size_t length = slm__template_fixed(real, precision > 50 ? 50 : (unsigned)precision, digits);
        if (precision <= 50 && real - real == 0.0) {
            slm__decimal_parse(slm__span(digits, length), &real);
        }
        *out = slm__tv_float(real);
        return SLM_OK;
    }
    for (int64_t i = 0; i < precision && i < 300; i++) {
        scale *= 10.0;
    }
    *out = slm__tv_float((ceiling ? ceil(real * scale) : floor(real * scale)) / scale);
    return SLM_OK;
}

/* batch(linecount, fill_with=none): rows of `linecount` */
static slm_status filter_batch(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tlist *items = NULL;
    struct slm_tvalue rows;
    struct slm_tvalue row;
    int64_t width = 1;
    SLM_TRY(slm__ta_integer(m, a, 0, 1, &width));
    if (width < 1) {
        return slm__tm_fail(m, "batch() needs a count of at least 1");
    }
    SLM_TRY(slm__tv_iterate(m, self, &items));
    SLM_TRY(slm__tv_list(m, SLM_T_GENERATOR, 0, &rows));
    for (size_t i = 0; i < items->count; i++) {
        if (i % (size_t)width == 0) {
            SLM_TRY(slm__tv_list(m, SLM_T_LIST, 0, &row));
            SLM_TRY(slm__tv_append(m, rows, row));
        }
        SLM_TRY(slm__tv_append(m, row, items->items[i]));
    }
    while (a->given[1] && a->value[1].kind != SLM_T_NONE && items->count > 0 && row.as.list->count < (size_t)width) {
        SLM_TRY(slm__tm_charge(m, 1));
        SLM_TRY(slm__tv_append(m, row, a->value[1]));
    }
    *out = rows;
    return slm__tm_charge(m, items->count / 8);
}

/* attr(name): the attribute, never the item */
static slm_status filter_attr(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    const struct slm_tstring *name = NULL;
    SLM_TRY(slm__ta_text(m, a, 0, &name));
    if (self.kind == SLM_T_DICT && name != NULL) {
        bool found = false;
        SLM_TRY(slm__template_method(m, self, slm__ts_span(name), out, &found));
        return found ? SLM_OK : slm__te_undefined(m, "dict", slm__ts_span(name), 0, out);
    }
    return name != NULL ? slm__te_attribute(m, self, slm__ts_span(name), out) : slm__tm_fail(m, "attr() needs a name");
}

const struct slm_tfunction slm__template_filters[] = {
    {"abs", filter_abs, "", 0},
    {"attr", filter_attr, "name", 1},
    {"batch", filter_batch, "linecount fill_with", 1},
    {"capitalize", slm__filter_capitalize, "", 0},
    {"center", slm__filter_center, "width", 0},
    {"count", filter_length, "", 0},
    {"d", filter_default, "default_value boolean", 0},
    {"default", filter_default, "default_value boolean", 0},
    {"dictsort", slm__filter_dictsort, "case_sensitive by reverse", 0},
    {"e", slm__filter_escape, "", 0},
    {"escape", slm__filter_escape, "", 0},
    {"first", filter_first, "", 0},
    {"float", filter_float, "default", 0},
    {"forceescape", slm__filter_forceescape, "", 0},
    {"format", slm__filter_format, NULL, 0},
    {"indent", slm__filter_indent, "width first blank", 0},
    {"int", filter_int, "default base", 0},
    {"items", filter_items, "", 0},
    {"join", filter_join, "d attribute", 0},
    {"last", filter_last, "", 0},
    {"length", filter_length, "", 0},
    {"list", filter_list, "", 0},
    {"lower", slm__filter_lower, "", 0},
    {"map", slm__filter_map, NULL, 0},
    {"max", slm__filter_max, "case_sensitive attribute", 0},
    {"min", slm__filter_min, "case_sensitive attribute", 0},
    {"reject", slm__filter_reject, NULL, 0},
    {"rejectattr", slm__filter_rejectattr, NULL, 0},
    {"replace", slm__filter_replace, "old new count", 2},
    {"reverse", filter_reverse, "", 0},
    {"round", filter_round, "precision method", 0},
    {"safe", slm__filter_safe, "", 0},
    {"select", slm__filter_select, NULL, 0},
    {"selectattr", slm__filter_selectattr, NULL, 0},
    {"sort", slm__filter_sort, "reverse case_sensitive attribute", 0},
    {"string", filter_string, "", 0},
    {"sum", slm__filter_sum, "attribute start", 0},
    {"title", slm__filter_title, "", 0},
    {"tojson", slm__filter_tojson, "ensure_ascii indent separators sort_keys", 0},
    {"trim", slm__filter_trim, "chars", 0},
    {"truncate", slm__filter_truncate, "length killwords end leeway", 0},
    {"unique", slm__filter_unique, "case_sensitive attribute", 0},
    {"upper", slm__filter_upper, "", 0},
    {"wordcount", slm__filter_wordcount, "", 0},
    {NULL, NULL, NULL, 0},
};
