/* SPDX-License-Identifier: MIT */
/* Python's two ways to format texts, "%s" % value and "{}".format(value), as far as they occur with texts, integers and fixed decimals;
 * and decimals with a fixed number of places, exactly rounded. */
#include "base/decimal.h"           /* slm__decimal_format */
#include "text/template_builtins.h" /* slm__template_percent */
#include "text/template_eval.h"     /* slm__te_undefined */

#include <stdio.h> /* snprintf */

/* ---- fixed decimals ---- */

enum { LIMBS = 40, MOST_PLACES = 50 }; /* 2^1024 x 10^50 has 1191 bits */

struct big {
    uint32_t limb[LIMBS]; /* little-endian */
};

static void big_multiply(struct big *big, uint32_t factor)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < LIMBS; i++) {
        carry += (uint64_t)big->limb[i] * factor;
        big->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static uint32_t big_divide(struct big *big, uint32_t divisor)
{
    uint64_t rest = 0;
    for (size_t i = LIMBS; i-- > 0;) {
        rest = rest << 32 | big->limb[i];
        big->limb[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return (uint32_t)rest;
}

static bool big_is_zero(const struct big *big)
{
    for (size_t i = 0; i < LIMBS; i++) {
        if (big->limb[i] != 0) {
            return false;
        }
    }
    return true;
}

/* big / 2^bits, to nearest, ties to even. */
static void big_halve(struct big *big, unsigned bits)
{
    bool half = false;
    bool more = false;
    for (unsigned i = 0; i < bits; i++) {
        more = more || half;
        half = big_divide(big, 2) != 0;
    }
    if (half && (more || (big->limb[0] & 1) != 0)) {
        for (size_t i = 0; i < LIMBS && ++big->limb[i] == 0; i++) {
        }
    }
}

size_t slm__template_fixed(double value, unsigned places, char *text)
{
    uint64_t bits = 0;
    struct big big;
    char digits[400];
    size_t count = 0;
    size_t length = 0;
    memset(&big, 0, sizeof big);
    memcpy(&bits, &value, sizeof bits);
    unsigned biased = (unsigned)(bits >> 52 & 0x7FF);
    if (biased == 0x7FF) {
        return slm__decimal_format(value, text);
    }
    places = places > MOST_PLACES ? MOST_PLACES : places;
    uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | (biased != 0 ? (uint64_t)1 << 52 : 0);
    int exponent = (biased != 0 ? (int)biased : 1) - 1075;
    big.limb[0] = (uint32_t)mantissa;
    big.limb[1] = (uint32_t)(mantissa >> 32);
    for (unsigned i = 0; i < places; i++) {
        big_multiply(&big, 10);
    }
    for (int i = 0; i < exponent; i++) {
        big_multiply(&big, 2);
    }
    big_halve(&big, exponent < 0 ? (unsigned)-exponent : 0);
    while (!big_is_zero(&big) || count <= places) {
        digits[count++] = (char)('0' + big_divide(&big, 10));
    }
    if (bits >> 63 != 0) {
        text[length++] = '-';
    }
    while (count > 0) {
        if (count == places) {
            text[length++] = '.';
        }
        text[length++] = digits[--count];
    }
    text[length] = '\0';
    return length;
}

/* ---- one value by a specification ---- */

struct specification {
    char align; /* '<' '>' '^' '=', 0: by type */
    char fill;
    char sign; /* '+' or ' ', 0: none */
    char type; /* 0: as str() */
    bool thousands;
    int64_t width;
    int64_t precision; /* -1: none */
};

/* Digits of a number by spec->type, into text (512 bytes). */
static slm_status format_number(struct slm_tmachine *m, const struct specification *spec, struct slm_tvalue value, char text[512])
{
    int64_t integer = 0;
    double real = 0.0;
    bool whole = slm__tv_integer(value, &integer);
    if (!slm__tv_real(value, &real)) {
        return slm__tm_fail(m, "format %%%c: a number is required, not %s", spec->type, slm__tv_type(value));
    }
    if (spec->type == 'f' || spec->type == 'F') {
        slm__template_fixed(real, spec->precision < 0 ? 6 : (unsigned)(spec->precision < MOST_PLACES ? spec->precision : MOST_PLACES),
                            text);
        return SLM_OK;
    }
    if (!whole) {
        if (real != real || real >= 9.2e18 || real <= -9.2e18) {
            return slm__tm_fail(m, "format %%%c: the number is too large", spec->type);
        }
        integer = (int64_t)real;
    }
    uint64_t magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    const char *minus = integer < 0 ? "-" : "";
    switch (spec->type) {
    case 'x': snprintf(text, 512, "%s%llx", minus, (unsigned long long)magnitude); return SLM_OK;
    case 'X': snprintf(text, 512, "%s%llX", minus, (unsigned long long)magnitude); return SLM_OK;
    case 'o': snprintf(text, 512, "%s%llo", minus, (unsigned long long)magnitude); return SLM_OK;
    case 'd':
    case 'i':
    case 'u': snprintf(text, 512, "%s%llu", minus, (unsigned long long)magnitude); return SLM_OK;
    default: return slm__tm_fail(m, "the format type '%c' is not supported", spec->type);
    }
}

/* "," between groups of three digits before the point. */
static void add_thousands(char text[512])
{
    size_t begin = text[0] == '-';
    size_t end = begin + strspn(text + begin, "0123456789");
    for (size_t at = end; at > begin + 3;) {
        at -= 3;
        memmove(text + at + 1, text + at, strlen(text + at) + 1);
        text[at] = ',';
    }
}

/* `body` in a field of spec->width characters. */
static slm_status add_padded(struct slm_tbuilder *builder, const struct specification *spec, const struct slm_tstring *body, bool is_number)
{
    size_t width = spec->width > 0 ? (size_t)spec->width : 0;
    size_t padding = width > body->characters ? width - body->characters : 0;
    char align = spec->align != 0 ? spec->align : is_number ? '>' : '<';
    size_t sign = align == '=' && body->length > 0 && strchr("+- ", body->data[0]) != NULL && body->data[0] != 0;
    size_t before = align == '>' || align == '=' ? padding : align == '^' ? padding / 2 : 0;
    SLM_TRY(slm__ts_add_part(builder, body, 0, sign));
    SLM_TRY(slm__ts_add_repeated(builder, spec->fill, before, true));
    SLM_TRY(slm__ts_add_part(builder, body, sign, body->length));
    return slm__ts_add_repeated(builder, spec->fill, padding - before, true);
}

static slm_status add_formatted(struct slm_tbuilder *builder, const struct specification *spec, struct slm_tvalue value)
{
    struct slm_tmachine *m = builder->machine;
    struct slm_tvalue body;
    struct slm_tbuilder repr;
    const struct slm_tstring *text = NULL;
    char digits[513] = "";
    bool is_number = spec->type != 0 && spec->type != 's' && spec->type != 'r' && spec->type != 'a';
    if (is_number) {
        SLM_TRY(format_number(m, spec, value, digits + 1));
        if (spec->thousands) {
            add_thousands(digits + 1);
        }
        digits[0] = spec->sign;
        const char *begin = digits[1] == '-' || spec->sign == 0 ? digits + 1 : digits;
        slm__ts_begin(&repr, m);
        SLM_TRY(slm__ts_add(&repr, begin, strlen(begin), value.trusted));
        SLM_TRY(slm__ts_end(&repr, &body));
        return add_padded(builder, spec, body.as.string, true);
    }
    if (spec->type == 'r' || spec->type == 'a') {
        slm__ts_begin(&repr, m);
        SLM_TRY(slm__ts_repr(&repr, value));
        SLM_TRY(slm__ts_end(&repr, &value));
    }
    is_number = slm__tv_is_number(value) && value.kind != SLM_T_BOOL;
    SLM_TRY(slm__ts_from(m, value, &text));
    if (spec->precision >= 0 && (size_t)spec->precision < text->characters) {
        SLM_TRY(slm__ts_slice(m, text, 0, slm__ts_offset(text, (size_t)spec->precision), &body));
        text = body.as.string;
    }
    return add_padded(builder, spec, text, is_number && spec->type == 0);
}

/* A number in the format text; at most 9 digits. */
static int64_t read_width(struct slm_span text, size_t *at)
{
    int64_t number = 0;
    while (*at < text.length && text.data[*at] >= '0' && text.data[*at] <= '9') {
        number = number > 99999999 ? number : number * 10 + (text.data[*at] - '0');
        (*at)++;
    }
    return number;
}

/* ---- "..." % value ---- */

/* The next argument of %: an item of a tuple, or the value itself once. */
static slm_status percent_argument(struct slm_tmachine *m, struct slm_tvalue arguments, size_t *used, struct slm_tvalue *out)
{
    size_t count = arguments.kind == SLM_T_TUPLE ? arguments.as.list->count : 1;
    if (*used >= count) {
        return slm__tm_fail(m, "not enough arguments for format string");
    }
    *out = arguments.kind == SLM_T_TUPLE ? arguments.as.list->items[*used] : arguments;
    (*used)++;
    return SLM_OK;
}

/* Behind "%": flags, width, precision and type at `*at`. */
static slm_status read_percent(struct slm_tmachine *m, struct slm_span format, size_t *at, struct specification *spec)
{
    memset(spec, 0, sizeof *spec);
    spec->align = '>';
    spec->fill = ' ';
    spec->precision = -1;
    for (; *at < format.length && strchr("-0+ #", format.data[*at]) != NULL && format.data[*at] != 0; (*at)++) {
        char flag = (char)format.data[*at];
        spec->align = flag == '-' ? '<' : flag == '0' && spec->align != '<' ? '=' : spec->align;
        spec->fill = flag == '0' ? '0' : spec->fill;
        spec->sign = flag == '+' || flag == ' ' ? flag : spec->sign;
    }
    if (spec->align == '<') {
        spec->fill = ' ';
    }
    spec->width = read_width(format, at);
    if (*at < format.length && format.data[*at] == '.') {
        (*at)++;
        spec->precision = read_width(format, at);
    }
    if (*at >= format.length) {
        return slm__tm_fail(m, "incomplete format");
    }
    spec->type = (char)format.data[(*at)++];
    if (strchr("srdixXouFf%", spec->type) == NULL || spec->type == 0) {
        return slm__tm_fail(m, "the format type '%c' is not supported", spec->type);
    }
    if (spec->type == 's' || spec->type == 'r') {
        spec->fill = ' ';
    }
    return SLM_OK;
}

/* One "%..." at *at (behind the sign). */
static slm_status add_percent(struct slm_tbuilder *builder, struct slm_span format, size_t *at, struct slm_tvalue arguments, size_t *used)
{
    struct slm_tmachine *m = builder->machine;
    struct slm_tvalue value = slm__tv_none();
    struct specification spec;
    bool named = *at < format.length && format.data[*at] == '(';
    if (named) {
        const uint8_t *close = memchr(format.data + *at, ')', format.length - *at);
        if (close == NULL || arguments.kind != SLM_T_DICT) {
            return slm__tm_fail(m, "format requires a mapping");
        }
        struct slm_span name = slm__span(format.data + *at + 1, (size_t)(close - format.data) - *at - 1);
        struct slm_tvalue *found = slm__tv_dict_find_text(arguments.as.dict, name);
        if (found == NULL) {
            return slm__tm_fail(m, "format: there is no key '%.*s'", SLM_SPAN_ARGS(name));
        }
        value = *found;
        *used = 1;
        *at = (size_t)(close - format.data) + 1;
    }
    SLM_TRY(read_percent(m, format, at, &spec));
    if (spec.type == '%') {
        return slm__ts_add_literal(builder, "%");
    }
    if (!named) {
        SLM_TRY(percent_argument(m, arguments, used, &value));
    }
    return add_formatted(builder, &spec, value);
}

slm_status slm__template_percent(struct slm_tmachine *m, const struct slm_tstring *format, struct slm_tvalue arguments,
                                 struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    struct slm_span text = slm__ts_span(format);
    size_t used = 0;
    slm__ts_begin(&builder, m);
    for (size_t at = 0; at < text.length;) {
        size_t sign = slm__ts_find(format, slm__span_text("%"), at, text.length);
        size_t end = sign == SIZE_MAX ? text.length : sign;
        SLM_TRY(slm__ts_add_part(&builder, format, at, end));
        at = end + 1;
        if (sign != SIZE_MAX) {
            SLM_TRY(add_percent(&builder, text, &at, arguments, &used));
        }
    }
    bool all_used = arguments.kind == SLM_T_TUPLE ? used == arguments.as.list->count : used > 0;
    if (!all_used && arguments.kind != SLM_T_DICT && arguments.kind != SLM_T_LIST) {
        return slm__tm_fail(m, "not all arguments converted during string formatting");
    }
    return slm__ts_end(&builder, out);
}

/* ---- "...".format(...) ---- */

/* [[fill]align][sign][0][width][,][.precision][type] */
static slm_status read_specification(struct slm_tmachine *m, struct slm_span text, struct specification *spec)
{
    size_t at = 0;
    memset(spec, 0, sizeof *spec);
    spec->fill = ' ';
    spec->precision = -1;
    if (text.length >= 2 && text.data[0] < 0x80 && strchr("<>^=", text.data[1]) != NULL && text.data[1] != 0) {
        spec->fill = (char)text.data[0];
        spec->align = (char)text.data[1];
        at = 2;
    } else if (text.length >= 1 && strchr("<>^=", text.data[0]) != NULL && text.data[0] != 0) {
        spec->align = (char)text.data[0];
        at = 1;
    }
    if (at < text.length && (text.data[at] == '+' || text.data[at] == ' ' || text.data[at] == '-')) {
        spec->sign = text.data[at] == '-' ? '\0' : (char)text.data[at];
        at++;
    }
    if (at < text.length && text.data[at] == '0' && spec->align == 0) {
        spec->fill = '0';
        spec->align = '=';
    }
    spec->width = read_width(text, &at);
    spec->thousands = at < text.length && text.data[at] == ',';
    at += spec->thousands;
    if (at < text.length && text.data[at] == '.') {
        at++;
        spec->precision = read_width(text, &at);
    }
    if (at < text.length) {
        spec->type = (char)text.data[at++];
    }
    if (at != text.length || (spec->type != 0 && strchr("sdxXofF", spec->type) == NULL)) {
        return slm__tm_fail(m, "the format specification '%.*s' is not supported", SLM_SPAN_ARGS(text));
    }
    if (spec->type == 0 && spec->thousands) {
        spec->type = 'd';
    }
    return SLM_OK;
}

/* The argument that a field names: nothing (the next one), a number or a keyword. */
static slm_status find_field(struct slm_tmachine *m, struct slm_span name, const struct slm_tcall *call, size_t *next,
                             struct slm_tvalue *out)
{
    size_t at = 0;
    size_t index = (size_t)read_width(name, &at);
    if (at == name.length) {
        index = name.length == 0 ? (*next)++ : index;
        if (index >= call->count) {
            return slm__tm_fail(m, "format: there is no argument %zu", index);
        }
        *out = call->positional[index];
        return SLM_OK;
    }
    for (size_t i = 0; i < call->named_count; i++) {
        if (slm__span_equal(call->names[i], name)) {
            *out = call->named[i];
            return SLM_OK;
        }
    }
    return slm__tm_fail(m, "format: there is no argument '%.*s'", SLM_SPAN_ARGS(name));
}

/* A field, without its braces. */
static slm_status add_field(struct slm_tbuilder *builder, struct slm_span field, const struct slm_tcall *call, size_t *next)
{
    struct slm_tvalue value;
    struct specification spec;
    const uint8_t *colon = field.length > 0 ? memchr(field.data, ':', field.length) : NULL;
    size_t name_length = colon != NULL ? (size_t)(colon - field.data) : field.length;
    struct slm_span rest = slm__span(field.data + name_length, field.length - name_length);
    bool repr = name_length >= 2 && field.data[name_length - 2] == '!' && field.data[name_length - 1] == 'r';
    bool text = name_length >= 2 && field.data[name_length - 2] == '!' && field.data[name_length - 1] == 's';
    name_length -= repr || text ? 2 : 0;
    SLM_TRY(read_specification(builder->machine, slm__span(rest.data + (rest.length > 0), rest.length - (rest.length > 0)), &spec));
    SLM_TRY(find_field(builder->machine, slm__span(field.data, name_length), call, next, &value));
    if (repr) {
        spec.type = 'r';
    } else if (spec.type == 0 && spec.precision >= 0 && value.kind == SLM_T_FLOAT) {
        return slm__tm_fail(builder->machine, "a format precision for numbers needs the type f");
    }
    return add_formatted(builder, &spec, value);
}

slm_status slm__template_format(struct slm_tmachine *m, const struct slm_tstring *format, const struct slm_tcall *call,
                                struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    size_t next = 0;
    slm__ts_begin(&builder, m);
    for (size_t at = 0; at < format->length;) {
        char byte = (char)format->data[at];
        bool doubled = at + 1 < format->length && (char)format->data[at + 1] == byte;
        if ((byte != '{' && byte != '}') || doubled) {
            SLM_TRY(slm__ts_add_part(&builder, format, at, at + 1));
            at += (byte == '{' || byte == '}') ? 2 : 1;
            continue;
        }
        size_t close = slm__ts_find(format, slm__span_text("}"), at, format->length);
        if (byte == '}' || close == SIZE_MAX) {
            return slm__tm_fail(m, "single '%c' encountered in format string", byte);
        }
        SLM_TRY(add_field(&builder, slm__span(format->data + at + 1, close - at - 1), call, &next));
        at = close + 1;
    }
    return slm__ts_end(&builder, out);
}
