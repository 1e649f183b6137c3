/* SPDX-License-Identifier: MIT */
/*
 * The parser of expressions. Precedence, loosest first: if-else; or; and; not; comparisons; + -; ~; * / // %; **; filters and tests;
 * unary minus; postfix. Every level of operators becomes one node with all its operands, so that long sums do not nest.
 */
#include "text/template_parser.h" /* struct slm_tparser */

#include "base/decimal.h"           /* slm__decimal_parse */
#include "base/json.h"              /* slm__json_i64 */
#include "base/utf8.h"              /* slm__utf8_encode */
#include "text/template_builtins.h" /* slm__template_filters, slm__template_tests */

/* Operands being collected. */
struct operands {
    const struct slm_texpr **items;
    uint8_t *operators;
    uint32_t count;
    uint32_t capacity;
    uint32_t depth;
};

static slm_status add_operand(struct slm_tparser *p, struct operands *list, uint8_t operation, const struct slm_texpr *item)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        const struct slm_texpr **items = slm__tm_take_items(p->machine, capacity, sizeof *items);
        uint8_t *operators = slm__tm_take(p->machine, capacity);
        if (items == NULL || operators == NULL) {
            return slm__tm_no_memory(p->machine);
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
            memcpy(operators, list->operators, list->count);
        }
        list->items = items;
        list->operators = operators;
        list->capacity = capacity;
    }
    list->items[list->count] = item;
    list->operators[list->count++] = operation;
    if (item != NULL && item->depth > list->depth) {
        list->depth = item->depth;
    }
    return SLM_OK;
}

static slm_status new_expression(struct slm_tparser *p, enum slm_texpr_kind kind, uint32_t depth, struct slm_texpr **out)
{
    struct slm_texpr *e = slm__tm_take(p->machine, sizeof *e);
    if (e == NULL) {
        return slm__tm_no_memory(p->machine);
    }
    if (depth >= SLM_T_SYNTAX_DEPTH) {
        return slm__fail(p->machine->error, SLM_E_LIMIT, "chat template, line %u: an expression is nested deeper than %d",
                         (unsigned)p->token->line, (int)SLM_T_SYNTAX_DEPTH);
    }
    e->kind = (uint8_t)kind;
    e->line = p->token->line;
    e->depth = depth + 1;
    *out = e;
    return SLM_OK;
}

static slm_status new_from_operands(struct slm_tparser *p, enum slm_texpr_kind kind, const struct operands *list,
                                    const struct slm_texpr **out)
{
    struct slm_texpr *e = NULL;
    SLM_TRY(new_expression(p, kind, list->depth, &e));
    e->items = list->items;
    e->operators = list->operators;
    e->count = list->count;
    *out = e;
    return SLM_OK;
}

static slm_status new_unary(struct slm_tparser *p, enum slm_texpr_kind kind, const struct slm_texpr *base, struct slm_texpr **out)
{
    SLM_TRY(new_expression(p, kind, base != NULL ? base->depth : 0, out));
    (*out)->base = base;
    return SLM_OK;
}

static slm_status parse_unary(struct slm_tparser *p, bool with_filters, const struct slm_texpr **out);

/* ---- literals ---- */

/* Up to `most` hexadecimal or octal digits; the number of digits read. */
static size_t read_digits(struct slm_span text, size_t at, size_t most, unsigned base, uint32_t *code)
{
    size_t count = 0;
    *code = 0;
    while (count < most && at + count < text.length) {
        uint8_t byte = text.data[at + count];
        unsigned digit = 99;
        if (byte >= '0' && byte <= '9') {
            digit = byte - (unsigned)'0';
        } else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f') {
            digit = (byte | 0x20u) - 'a' + 10u;
        }
        if (digit >= base) {
            break;
        }
        *code = *code * base + digit;
        count++;
    }
    return count;
}

/* \xHH \uHHHH \UHHHHHHHH at `*at` (behind the letter). */
static slm_status read_hexadecimal(struct slm_tparser *p, struct slm_span text, char letter, size_t *at, uint32_t *code)
{
    size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
    if (read_digits(text, *at, digits, 16, code) != digits) {
        return slm__tp_fail(p, "an escape \\%c needs %zu hexadecimal digits", letter, digits);
    }
    *at += digits;
    uint32_t low = 0;
    if (*code >= 0xD800 && *code < 0xDC00 && *at + 6 <= text.length && text.data[*at] == '\\' && text.data[*at + 1] == 'u' &&
        read_digits(text, *at + 2, 4, 16, &low) == 4 && low >= 0xDC00 && low < 0xE000) {
        *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
        *at += 6;
    }
    if (*code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)) {
        return slm__tp_fail(p, "an escape names no character");
    }
    return SLM_OK;
}

/* The escape behind the backslash at `*at`, appended to `target`. */
static slm_status unescape(struct slm_tparser *p, struct slm_span text, size_t *at, uint8_t *target, size_t *length)
{
    static const char letters[] = "abfnrtv\\'\"";
    static const char meanings[] = "\a\b\f\n\r\t\v\\'\"";
    uint32_t code = 0;
    char letter = (char)text.data[*at];
    const char *known = letter != '\0' ? strchr(letters, letter) : NULL;
    size_t octal = read_digits(text, *at, 3, 8, &code);
    if (letter == '\n') {
        (*at)++;
        return SLM_OK;
    }
    if (known != NULL) {
        target[(*length)++] = (uint8_t)meanings[known - letters];
        (*at)++;
        return SLM_OK;
    }
    if (octal > 0) {
        *at += octal;
    } else if (letter == 'x' || letter == 'u' || letter == 'U') {
        (*at)++;
        SLM_TRY(read_hexadecimal(p, text, letter, at, &code));
    } else {
        code = '\\';
    }
    *length += slm__utf8_encode(code, target + *length);
    return SLM_OK;
}

/* One or more adjacent string literals. */
static slm_status parse_string(struct slm_tparser *p, struct slm_texpr *e)
{
    size_t total = 0;
    const struct slm_ttoken *last = p->token;
    for (; last->type == SLM_TT_STRING; last++) {
        total += last->text.length;
    }
    uint8_t *bytes = slm__tm_take(p->machine, total); /* no escape is longer than what it is written as */
    if (bytes == NULL) {
        return slm__tm_no_memory(p->machine);
    }
    size_t length = 0;
    for (; p->token < last; p->token++) {
        struct slm_span text = p->token->text;
        for (size_t at = 0; at < text.length;) {
            uint8_t byte = text.data[at++];
            if (byte == '\\') {
                SLM_TRY(unescape(p, text, &at, bytes, &length));
            } else {
                bytes[length++] = byte;
            }
        }
    }
    return slm__ts_make(p->machine, slm__span(bytes, length), true, &e->value);
}

/* 0, or an integer with a base: 0x1f, 0o17, 0b11. */
static slm_status parse_based(struct slm_tparser *p, struct slm_span text, struct slm_texpr *e)
{
    uint8_t letter = text.length > 1 ? text.data[1] | 0x20 : 0;
    unsigned base = letter == 'x' ? 16 : letter == 'o' ? 8 : 2;
    uint64_t value = 0;
    for (size_t i = 2; i < text.length; i++) {
        uint32_t digit = 0;
        read_digits(text, i, 1, base, &digit);
        if (value > ((uint64_t)INT64_MAX - digit) / base) {
            return slm__tp_fail(p, "an integer with a base leaves 64 bits");
        }
        value = value * base + digit;
    }
    e->value = slm__tv_int((int64_t)value);
    p->token++;
    return SLM_OK;
}

/* Digits without their underscores. */
static slm_status parse_number(struct slm_tparser *p, struct slm_texpr *e)
{
    struct slm_span text = p->token->text;
    uint8_t *digits = slm__tm_take(p->machine, text.length);
    if (digits == NULL) {
        return slm__tm_no_memory(p->machine);
    }
    struct slm_json number = {.type = SLM_JSON_NUMBER, .text = {digits, 0}};
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] != '_') {
            digits[number.text.length++] = text.data[i];
        }
    }
    int64_t integer = 0;
    double real = 0.0;
    if (p->token->type == SLM_TT_FLOAT) {
        slm__decimal_parse(number.text, &real);
        e->value = slm__tv_float(real);
    } else if (digits[0] == '0') {
        return parse_based(p, number.text, e);
    } else if (slm__json_i64(&number, &integer)) {
        e->value = slm__tv_int(integer);
    } else {
        SLM_TRY(slm__ts_make(p->machine, number.text, true, &e->value));
        e->value.kind = SLM_T_BIGINT;
    }
    p->token++;
    return SLM_OK;
}

/* ---- primary expressions ---- */

static slm_status parse_name(struct slm_tparser *p, struct slm_texpr *e)
{
    struct slm_span name = p->token->text;
    p->token++;
    e->kind = SLM_TE_LITERAL;
    if (slm__span_is(name, "true") || slm__span_is(name, "True")) {
        e->value = slm__tv_bool(true);
    } else if (slm__span_is(name, "false") || slm__span_is(name, "False")) {
        e->value = slm__tv_bool(false);
    } else if (slm__span_is(name, "none") || slm__span_is(name, "None")) {
        e->value = slm__tv_none();
    } else {
        e->kind = SLM_TE_NAME;
        e->name = name;
        if (p->in_macro != NULL) {
            p->in_macro->uses_varargs = p->in_macro->uses_varargs || slm__span_is(name, "varargs");
            p->in_macro->uses_kwargs = p->in_macro->uses_kwargs || slm__span_is(name, "kwargs");
            p->in_macro->uses_caller = p->in_macro->uses_caller || slm__span_is(name, "caller");
        }
    }
    return SLM_OK;
}

/* Behind "[" or "{": items up to the closing bracket; pairs "key: value" in a mapping. */
static slm_status parse_items(struct slm_tparser *p, bool pairs, const struct slm_texpr **out)
{
    struct operands list = {0};
    const char *close = pairs ? "}" : "]";
    while (!slm__tp_is(p, close)) {
        const struct slm_texpr *item = NULL;
        if (list.count > 0) {
            SLM_TRY(slm__tp_expect(p, ","));
            if (slm__tp_is(p, close)) {
                break;
            }
        }
        SLM_TRY(slm__tp_expression(p, &item));
        SLM_TRY(add_operand(p, &list, SLM_TO_NONE, item));
        if (pairs) {
            SLM_TRY(slm__tp_expect(p, ":"));
            SLM_TRY(slm__tp_expression(p, &item));
            SLM_TRY(add_operand(p, &list, SLM_TO_NONE, item));
        }
    }
    SLM_TRY(slm__tp_expect(p, close));
    return new_from_operands(p, pairs ? SLM_TE_DICT : SLM_TE_LIST, &list, out);
}

static slm_status parse_tuple(struct slm_tparser *p, bool conditions, bool in_parentheses, const struct slm_texpr **out);

static slm_status parse_primary(struct slm_tparser *p, const struct slm_texpr **out)
{
    struct slm_texpr *e = NULL;
    if (slm__tp_skip(p, "(")) {
        SLM_TRY(parse_tuple(p, true, true, out));
        return slm__tp_expect(p, ")");
    }
    if (slm__tp_skip(p, "[")) {
        return parse_items(p, false, out);
    }
    if (slm__tp_skip(p, "{")) {
        return parse_items(p, true, out);
    }
    SLM_TRY(new_expression(p, SLM_TE_LITERAL, 0, &e));
    *out = e;
    switch (p->token->type) {
    case SLM_TT_NAME: return parse_name(p, e);
    case SLM_TT_STRING: return parse_string(p, e);
    case SLM_TT_INTEGER:
    case SLM_TT_FLOAT: return parse_number(p, e);
    default: return slm__tp_fail_token(p, "an expression");
    }
}

/* ---- postfix: attributes, items, calls, filters, tests ---- */

/* Inside brackets: an index, a slice, or several indices (a tuple). */
static slm_status parse_subscript(struct slm_tparser *p, const struct slm_texpr *base, const struct slm_texpr **out)
{
    struct operands parts = {0};
    bool is_slice = false;
    for (unsigned i = 0; i < 3; i++) {
        const struct slm_texpr *part = NULL;
        if (!slm__tp_is(p, ":") && !slm__tp_is(p, "]")) {
            SLM_TRY(slm__tp_expression(p, &part));
        }
        SLM_TRY(add_operand(p, &parts, SLM_TO_NONE, part));
        if (!slm__tp_is(p, ":") || i == 2) {
            break;
        }
        is_slice = true;
        p->token++;
    }
    if (!is_slice && parts.items[0] == NULL) {
        return slm__tp_fail_token(p, "an index");
    }
    SLM_TRY(slm__tp_expect(p, "]"));
    while (is_slice && parts.count < 3) {
        SLM_TRY(add_operand(p, &parts, SLM_TO_NONE, NULL));
    }
    struct slm_texpr *e = NULL;
    SLM_TRY(new_expression(p, is_slice ? SLM_TE_SLICE : SLM_TE_ITEM, base->depth > parts.depth ? base->depth : parts.depth, &e));
    e->base = base;
    e->items = parts.items;
    e->count = parts.count;
    *out = e;
    return SLM_OK;
}

/* One argument of a call. */
static slm_status parse_argument(struct slm_tparser *p, struct slm_targument *argument)
{
    memset(argument, 0, sizeof *argument);
    if (slm__tp_skip(p, "*")) {
        argument->stars = 1;
    } else if (slm__tp_skip(p, "**")) {
        argument->stars = 2;
    } else if (p->token->type == SLM_TT_NAME && p->token[1].type == SLM_TT_OPERATOR && slm__span_is(p->token[1].text, "=")) {
        argument->name = p->token->text;
        p->token += 2;
    }
    return slm__tp_expression(p, &argument->value);
}

/* Behind "(": arguments up to ")", put into `e`. */
static slm_status parse_arguments(struct slm_tparser *p, struct slm_texpr *e)
{
    uint32_t capacity = 0;
    struct slm_targument *arguments = NULL;
    bool keywords = false;
    while (!slm__tp_is(p, ")")) {
        if (e->count > 0) {
            SLM_TRY(slm__tp_expect(p, ","));
            if (slm__tp_is(p, ")")) {
                break;
            }
        }
        if (e->count == capacity) {
            capacity = capacity == 0 ? 4 : capacity * 2;
            struct slm_targument *grown = slm__tm_take_items(p->machine, capacity, sizeof *grown);
            if (grown == NULL) {
                return slm__tm_no_memory(p->machine);
            }
            if (e->count > 0) {
                memcpy(grown, arguments, e->count * sizeof *grown);
            }
            arguments = grown;
        }
        struct slm_targument *argument = &arguments[e->count];
        SLM_TRY(parse_argument(p, argument));
        if (keywords && argument->name.length == 0 && argument->stars == 0) {
            return slm__tp_fail(p, "an argument without name follows one with a name");
        }
        keywords = keywords || argument->name.length > 0;
        if (argument->value->depth >= e->depth) {
            e->depth = argument->value->depth + 1;
        }
        e->count++;
    }
    e->arguments = arguments;
    return slm__tp_expect(p, ")");
}

static slm_status parse_postfix(struct slm_tparser *p, const struct slm_texpr **out)
{
    for (;;) {
        struct slm_texpr *e = NULL;
        if (slm__tp_skip(p, ".")) {
            if (p->token->type != SLM_TT_NAME && p->token->type != SLM_TT_INTEGER) {
                return slm__tp_fail_token(p, "a name or a number behind the dot");
            }
            SLM_TRY(new_unary(p, SLM_TE_ATTRIBUTE, *out, &e));
            if (p->token->type == SLM_TT_INTEGER) {
                struct operands index = {0};
                const struct slm_texpr *number = NULL;
                SLM_TRY(parse_primary(p, &number));
                SLM_TRY(add_operand(p, &index, SLM_TO_NONE, number));
                e->kind = SLM_TE_ITEM;
                e->items = index.items;
                e->count = 1;
            } else {
                e->name = p->token->text;
                p->token++;
            }
            *out = e;
        } else if (slm__tp_skip(p, "[")) {
            SLM_TRY(parse_subscript(p, *out, out));
        } else if (slm__tp_skip(p, "(")) {
            SLM_TRY(new_unary(p, SLM_TE_CALL, *out, &e));
            SLM_TRY(parse_arguments(p, e));
            *out = e;
        } else {
            return SLM_OK;
        }
    }
}

/* a.b.c as one span of the source, as names of filters and tests are written. */
static slm_status parse_dotted_name(struct slm_tparser *p, struct slm_span *name)
{
    SLM_TRY(slm__tp_expect_name(p, name));
    while (slm__tp_skip(p, ".")) {
        struct slm_span part = slm__span(NULL, 0);
        SLM_TRY(slm__tp_expect_name(p, &part));
        name->length = (size_t)(part.data + part.length - name->data);
    }
    return SLM_OK;
}

slm_status slm__tp_filters(struct slm_tparser *p, const struct slm_texpr *base, const struct slm_texpr **out)
{
    do {
        struct slm_texpr *e = NULL;
        SLM_TRY(new_unary(p, SLM_TE_FILTER, base, &e));
        SLM_TRY(parse_dotted_name(p, &e->name));
        e->function = slm__tm_find(slm__template_filters, e->name);
        if (e->function == NULL && !p->soft) {
            return slm__tp_fail(p, "no filter named '%.*s'", SLM_SPAN_ARGS(e->name));
        }
        if (slm__tp_skip(p, "(")) {
            SLM_TRY(parse_arguments(p, e));
        }
        base = e;
    } while (slm__tp_skip(p, "|"));
    *out = base;
    return SLM_OK;
}

/* Whether the current token starts the argument of a test written without parentheses. */
static bool starts_test_argument(const struct slm_tparser *p)
{
    switch (p->token->type) {
    case SLM_TT_STRING:
    case SLM_TT_INTEGER:
    case SLM_TT_FLOAT: return true;
    case SLM_TT_NAME: return !slm__tp_is_name(p, "else") && !slm__tp_is_name(p, "or") && !slm__tp_is_name(p, "and");
    default: return slm__tp_is(p, "[") || slm__tp_is(p, "{");
    }
}

/* Behind "is". */
static slm_status parse_test(struct slm_tparser *p, const struct slm_texpr *base, const struct slm_texpr **out)
{
    struct slm_texpr *e = NULL;
    SLM_TRY(new_unary(p, SLM_TE_TEST, base, &e));
    e->negated = slm__tp_skip_name(p, "not");
    SLM_TRY(parse_dotted_name(p, &e->name));
    e->function = slm__tm_find(slm__template_tests, e->name);
    if (e->function == NULL && !p->soft) {
        return slm__tp_fail(p, "no test named '%.*s'", SLM_SPAN_ARGS(e->name));
    }
    if (slm__tp_skip(p, "(")) {
        SLM_TRY(parse_arguments(p, e));
    } else if (starts_test_argument(p)) {
        if (slm__tp_is_name(p, "is")) {
            return slm__tp_fail(p, "tests cannot be chained with is");
        }
        struct slm_targument *argument = slm__tm_take(p->machine, sizeof *argument);
        if (argument == NULL) {
            return slm__tm_no_memory(p->machine);
        }
        SLM_TRY(parse_primary(p, &argument->value));
        SLM_TRY(parse_postfix(p, &argument->value));
        e->arguments = argument;
        e->count = 1;
        e->depth = argument->value->depth >= e->depth ? argument->value->depth + 1 : e->depth;
    }
    *out = e;
    return SLM_OK;
}

static slm_status parse_filters_and_tests(struct slm_tparser *p, const struct slm_texpr **out)
{
    for (;;) {
        struct slm_texpr *e = NULL;
        if (slm__tp_skip(p, "|")) {
            SLM_TRY(slm__tp_filters(p, *out, out));
        } else if (slm__tp_skip_name(p, "is")) {
            SLM_TRY(parse_test(p, *out, out));
        } else if (slm__tp_skip(p, "(")) {
            SLM_TRY(new_unary(p, SLM_TE_CALL, *out, &e));
            SLM_TRY(parse_arguments(p, e));
            *out = e;
        } else {
            return SLM_OK;
        }
    }
}

static slm_status parse_unary(struct slm_tparser *p, bool with_filters, const struct slm_texpr **out)
{
    struct slm_texpr *e = NULL;
    SLM_TRY(slm__tp_enter(p));
    if (slm__tp_is(p, "-") || slm__tp_is(p, "+")) {
        enum slm_texpr_kind kind = slm__tp_is(p, "-") ? SLM_TE_NEGATE : SLM_TE_PLUS;
        p->token++;
        SLM_TRY(parse_unary(p, false, out));
        SLM_TRY(new_unary(p, kind, *out, &e));
        *out = e;
    } else {
        SLM_TRY(parse_primary(p, out));
    }
    SLM_TRY(parse_postfix(p, out));
    if (with_filters) {
        SLM_TRY(parse_filters_and_tests(p, out));
    }
    p->depth--;
    return SLM_OK;
}

slm_status slm__tp_call(struct slm_tparser *p, const struct slm_texpr **out) { return parse_unary(p, false, out); }

/* ---- binary operators ---- */

/* The operator of `level` at the current token, skipped; SLM_TO_NONE if there is none. */
static enum slm_toperator skip_operator(struct slm_tparser *p, unsigned level)
{
    static const struct {
        const char *text;
        uint8_t operation;
        uint8_t level;
    } rows[] = {
        {"==", SLM_TO_EQUAL, 0},  {"!=", SLM_TO_NOT_EQUAL, 0},     {"<", SLM_TO_LESS, 0},   {"<=", SLM_TO_LESS_EQUAL, 0},
        {">", SLM_TO_GREATER, 0}, {">=", SLM_TO_GREATER_EQUAL, 0}, {"+", SLM_TO_ADD, 1},    {"-", SLM_TO_SUBTRACT, 1},
        {"~", SLM_TO_ADD, 2},     {"*", SLM_TO_MULTIPLY, 3},       {"/", SLM_TO_DIVIDE, 3}, {"//", SLM_TO_FLOOR, 3},
        {"%", SLM_TO_MODULO, 3},  {"**", SLM_TO_POWER, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].level == level && slm__tp_skip(p, rows[i].text)) {
            return (enum slm_toperator)rows[i].operation;
        }
    }
    if (level == 0 && slm__tp_skip_name(p, "in")) {
        return SLM_TO_IN;
    }
    if (level == 0 && slm__tp_is_name(p, "not") && p->token[1].type == SLM_TT_NAME && slm__span_is(p->token[1].text, "in")) {
        p->token += 2;
        return SLM_TO_NOT_IN;
    }
    return SLM_TO_NONE;
}

/* Levels: 0 comparisons, 1 sums, 2 ~, 3 products, 4 powers, 5 unary. */
static slm_status parse_level(struct slm_tparser *p, unsigned level, const struct slm_texpr **out)
{
    if (level == 5) {
        return parse_unary(p, true, out);
    }
    struct operands list = {0};
    enum slm_toperator operation = SLM_TO_NONE;
    do {
        const struct slm_texpr *item = NULL;
        SLM_TRY(parse_level(p, level + 1, &item));
        SLM_TRY(add_operand(p, &list, (uint8_t)operation, item));
        operation = skip_operator(p, level);
    } while (operation != SLM_TO_NONE);
    if (list.count == 1) {
        *out = list.items[0];
        return SLM_OK;
    }
    return new_from_operands(p, level == 0 ? SLM_TE_COMPARE : level == 2 ? SLM_TE_JOIN : SLM_TE_CHAIN, &list, out);
}

static slm_status parse_not(struct slm_tparser *p, const struct slm_texpr **out)
{
    if (!slm__tp_skip_name(p, "not")) {
        return parse_level(p, 0, out);
    }
    struct slm_texpr *e = NULL;
    SLM_TRY(slm__tp_enter(p));
    SLM_TRY(parse_not(p, out));
    p->depth--;
    SLM_TRY(new_unary(p, SLM_TE_NOT, *out, &e));
    *out = e;
    return SLM_OK;
}

static slm_status parse_logical(struct slm_tparser *p, bool is_or, const struct slm_texpr **out)
{
    struct operands list = {0};
    do {
        const struct slm_texpr *item = NULL;
        SLM_TRY(is_or ? parse_logical(p, false, &item) : parse_not(p, &item));
        SLM_TRY(add_operand(p, &list, SLM_TO_NONE, item));
    } while (slm__tp_skip_name(p, is_or ? "or" : "and"));
    if (list.count == 1) {
        *out = list.items[0];
        return SLM_OK;
    }
    return new_from_operands(p, is_or ? SLM_TE_OR : SLM_TE_AND, &list, out);
}

slm_status slm__tp_expression(struct slm_tparser *p, const struct slm_texpr **out)
{
    SLM_TRY(slm__tp_enter(p));
    SLM_TRY(parse_logical(p, true, out));
    while (slm__tp_skip_name(p, "if")) {
        bool soft = p->soft;
        struct operands list = {0};
        const struct slm_texpr *test = NULL;
        const struct slm_texpr *otherwise = NULL;
        SLM_TRY(parse_logical(p, true, &test));
        p->soft = true;
        if (slm__tp_skip_name(p, "else")) {
            SLM_TRY(slm__tp_expression(p, &otherwise));
        }
        p->soft = soft;
        SLM_TRY(add_operand(p, &list, SLM_TO_NONE, *out));
        SLM_TRY(add_operand(p, &list, SLM_TO_NONE, otherwise));
        struct slm_texpr *e = NULL;
        SLM_TRY(new_expression(p, SLM_TE_CONDITION, test->depth > list.depth ? test->depth : list.depth, &e));
        e->items = list.items;
        e->count = list.count;
        e->base = test;
        *out = e;
    }
    p->depth--;
    return SLM_OK;
}

/* ---- tuples and targets ---- */

static bool ends_tuple(const struct slm_tparser *p)
{
    return p->token->type == SLM_TT_PRINT_END || p->token->type == SLM_TT_BLOCK_END || slm__tp_is(p, ")") ||
           slm__tp_is_name(p, "recursive");
}

static slm_status parse_tuple(struct slm_tparser *p, bool conditions, bool in_parentheses, const struct slm_texpr **out)
{
    struct operands list = {0};
    bool is_tuple = in_parentheses && slm__tp_is(p, ")");
    while (!ends_tuple(p)) {
        const struct slm_texpr *item = NULL;
        SLM_TRY(conditions ? slm__tp_expression(p, &item) : parse_logical(p, true, &item));
        SLM_TRY(add_operand(p, &list, SLM_TO_NONE, item));
        if (!slm__tp_skip(p, ",")) {
            break;
        }
        is_tuple = true;
    }
    if (!is_tuple && list.count == 1) {
        *out = list.items[0];
        return SLM_OK;
    }
    if (!is_tuple) {
        return slm__tp_fail_token(p, "an expression");
    }
    return new_from_operands(p, SLM_TE_TUPLE, &list, out);
}

slm_status slm__tp_tuple(struct slm_tparser *p, bool conditions, const struct slm_texpr **out)
{
    return parse_tuple(p, conditions, false, out);
}

/* name, name.attribute or a nested (a, b). */
static slm_status parse_single_target(struct slm_tparser *p, bool attributes, const struct slm_texpr **out)
{
    struct slm_texpr *e = NULL;
    if (slm__tp_skip(p, "(")) {
        SLM_TRY(slm__tp_enter(p));
        SLM_TRY(slm__tp_target(p, false, out));
        p->depth--;
        return slm__tp_expect(p, ")");
    }
    SLM_TRY(new_expression(p, SLM_TE_NAME, 0, &e));
    SLM_TRY(slm__tp_expect_name(p, &e->name));
    if (slm__span_is(e->name, "true") || slm__span_is(e->name, "false") || slm__span_is(e->name, "none") || slm__span_is(e->name, "loop")) {
        return slm__tp_fail(p, "'%.*s' can't be given a value", SLM_SPAN_ARGS(e->name));
    }
    *out = e;
    if (attributes && slm__tp_skip(p, ".")) {
        struct slm_texpr *attribute = NULL;
        SLM_TRY(new_unary(p, SLM_TE_ATTRIBUTE, e, &attribute));
        SLM_TRY(slm__tp_expect_name(p, &attribute->name));
        *out = attribute;
    }
    return SLM_OK;
}

slm_status slm__tp_target(struct slm_tparser *p, bool attributes, const struct slm_texpr **out)
{
    struct operands list = {0};
    const struct slm_texpr *item = NULL;
    SLM_TRY(parse_single_target(p, attributes, &item));
    if (!slm__tp_is(p, ",")) {
        *out = item;
        return SLM_OK;
    }
    SLM_TRY(add_operand(p, &list, SLM_TO_NONE, item));
    while (slm__tp_skip(p, ",") && (slm__tp_is(p, "(") || (p->token->type == SLM_TT_NAME && !slm__tp_is_name(p, "in")))) {
        SLM_TRY(parse_single_target(p, attributes, &item));
        SLM_TRY(add_operand(p, &list, SLM_TO_NONE, item));
    }
    return new_from_operands(p, SLM_TE_TUPLE, &list, out);
}
