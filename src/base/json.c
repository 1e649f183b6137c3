/* SPDX-License-Identifier: MIT */
/*
 * Strict JSON, RFC 8259. A recursive descent (at most SLM_JSON_DEPTH deep) over the source. Values of open arrays and objects wait on two
 * scratch stacks and move into the arena, all at once, when their bracket closes; so the tree has no links and no slack. Strings without
 * escapes stay in the source. json_access.c holds the questions one asks of a tree.
 */
#include "base/json.h"      /* struct slm_json */
#include "base/buffer.h"    /* struct slm_buffer: the scratch stacks */
#include "base/json_keys.h" /* slm__json_has_duplicates */
#include "base/utf8.h"      /* slm__utf8_decode, slm__utf8_encode */

struct parser {
    const uint8_t *start;
    const uint8_t *end;
    const uint8_t *at;
    struct slm_arena *arena;
    struct slm_buffer values; /* struct slm_json: finished children of open arrays and objects */
    struct slm_buffer keys;   /* struct slm_span: keys of the open objects */
    unsigned depth;
    slm_error *error;
};

static slm_status parse_value(struct parser *parser, struct slm_json *value);

/* "line L, column C: text"; columns count characters. */
static slm_status fail_at(const struct parser *parser, const uint8_t *place, slm_status status, const char *text)
{
    uint64_t line = 1;
    uint64_t column = 1;
    for (const uint8_t *at = parser->start; at < place; at++) {
        if (*at == '\n') {
            line++;
            column = 1;
        } else {
            column += (*at & 0xC0) != 0x80;
        }
    }
    return slm__fail(parser->error, status, "line %llu, column %llu: %s", (unsigned long long)line, (unsigned long long)column, text);
}

static slm_status fail_syntax(const struct parser *parser, const char *text)
{
    return fail_at(parser, parser->at, SLM_E_SYNTAX, parser->at == parser->end ? "the text ends too early" : text);
}

static void skip_space(struct parser *parser)
{
    while (parser->at < parser->end && (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\r' || *parser->at == '\t')) {
        parser->at++;
    }
}

static bool next_is(const struct parser *parser, char character) { return parser->at < parser->end && *parser->at == (uint8_t)character; }

static bool next_is_digit(const struct parser *parser) { return parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; }

static slm_status expect_digits(struct parser *parser, const char *complaint)
{
    if (!next_is_digit(parser)) {
        return fail_syntax(parser, complaint);
    }
    while (next_is_digit(parser)) {
        parser->at++;
    }
    return SLM_OK;
}

static slm_status parse_number(struct parser *parser, struct slm_json *value)
{
    const uint8_t *first = parser->at;
    parser->at += next_is(parser, '-');
    if (next_is(parser, '0')) {
        parser->at++;
        if (next_is_digit(parser)) {
            return fail_syntax(parser, "a number has a leading zero");
        }
    } else {
        SLM_TRY(expect_digits(parser, "a number needs a digit behind its sign"));
    }
    if (next_is(parser, '.')) {
        parser->at++;
        SLM_TRY(expect_digits(parser, "a number needs a digit behind its point"));
    }
    if (next_is(parser, 'e') || next_is(parser, 'E')) {
        parser->at++;
        parser->at += next_is(parser, '+') || next_is(parser, '-');
        SLM_TRY(expect_digits(parser, "a number needs a digit in its exponent"));
    }
    value->type = SLM_JSON_NUMBER;
    value->text = slm__span(first, (size_t)(parser->at - first));
    return SLM_OK;
}

static slm_status parse_word(struct parser *parser, struct slm_json *value, const char *word, enum slm_json_type type)
{
    size_t length = strlen(word);
    if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, word, length) != 0) {
        return fail_syntax(parser, "a value was expected");
    }
    parser->at += length;
    value->type = type;
    return SLM_OK;
}

/* Four hexadecimal digits at `at`, or -1. */
static int32_t hex_quad(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 4) {
        return -1;
    }
    int32_t code = 0;
    for (int i = 0; i < 4; i++) {
        int32_t digit = at[i];
        if (digit >= '0' && digit <= '9') {
            digit -= '0';
        } else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') {
            digit = (digit | 0x20) - 'a' + 10;
        } else {
            return -1;
        }
        code = code << 4 | digit;
    }
    return code;
}

/* The character of a \u escape whose digits begin at `at` (a surrogate pair takes two escapes), or -1. *length: bytes behind "\u". */
static int32_t unicode_escape(const uint8_t *at, const uint8_t *end, size_t *length)
{
    int32_t code = hex_quad(at, end);
    *length = 4;
    if (code < 0xD800 || code > 0xDFFF) {
        return code;
    }
    if (code > 0xDBFF || end - at < 10 || at[4] != '\\' || at[5] != 'u') {
        return -1;
    }
    int32_t low = hex_quad(at + 6, end);
    *length = 10;
    return low < 0xDC00 || low > 0xDFFF ? -1 : 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

/* What one letter behind a backslash stands for, or 0. */
static uint8_t simple_escape(uint8_t letter)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *found = letter == 0 ? NULL : strchr(letters, letter);
    return found == NULL ? 0 : (uint8_t)meanings[found - letters];
}

int32_t slm__json_escape(const uint8_t *at, const uint8_t *end, size_t *length)
{
    *length = 2;
    if (end - at < 2 || at[1] != 'u') {
        const uint8_t meaning = end - at < 2 ? 0 : simple_escape(at[1]);
        return meaning == 0 ? -1 : meaning;
    }
    const int32_t code = unicode_escape(at + 2, end, length);
    *length += 2;
    return code;
}

/* Checks an escape; parser->at is on the backslash and ends behind the escape. */
static slm_status skip_escape(struct parser *parser)
{
    size_t left = (size_t)(parser->end - parser->at);
    if (left < 2) {
        parser->at = parser->end;
        return fail_syntax(parser, "");
    }
    size_t length = 0;
    if (parser->at[1] == 'u') {
        if (unicode_escape(parser->at + 2, parser->end, &length) < 0) {
            return fail_syntax(parser, "a \\u escape needs four hexadecimal digits, and a surrogate its other half");
        }
    } else if (simple_escape(parser->at[1]) == 0) {
        return fail_syntax(parser, "unknown escape in a string");
    }
    parser->at += 2 + length;
    return SLM_OK;
}

/* Decode a checked string with escapes into the arena. */
static slm_status decode_string(struct parser *parser, const uint8_t *at, const uint8_t *end, struct slm_span *text)
{
    uint8_t *target = slm__arena_take(parser->arena, (size_t)(end - at)); /* escapes only get shorter */
    if (target == NULL) {
        return slm__arena_failure(parser->arena, parser->error);
    }
    size_t length = 0;
    while (at < end) {
        if (*at != '\\') {
            target[length++] = *at++;
        } else {
            size_t taken = 0;
            const int32_t code = slm__json_escape(at, end, &taken);
            length += slm__utf8_encode((uint32_t)code, target + length);
            at += taken;
        }
    }
    *text = slm__span(target, length);
    return SLM_OK;
}

static slm_status parse_string(struct parser *parser, struct slm_span *text)
{
    const uint8_t *first = ++parser->at; /* behind the quote */
    bool escapes = false;
    while (!next_is(parser, '"')) {
        if (parser->at == parser->end || *parser->at < 0x20) {
            return fail_syntax(parser, "a control character in a string must be escaped");
        }
        if (*parser->at == '\\') {
            escapes = true;
            SLM_TRY(skip_escape(parser));
        } else if (*parser->at < 0x80) {
            parser->at++;
        } else {
            struct slm_utf8 character = slm__utf8_decode(parser->at, (size_t)(parser->end - parser->at));
            if (!character.valid) {
                return fail_at(parser, parser->at, SLM_E_ENCODING, "invalid UTF-8 in a string");
            }
            parser->at += character.length;
        }
    }
    const uint8_t *end = parser->at++;
    if (escapes) {
        return decode_string(parser, first, end, text);
    }
    *text = slm__span(first, (size_t)(end - first));
    return SLM_OK;
}

/* Parse a child and push it on the stack of values. */
static slm_status parse_child(struct parser *parser)
{
    struct slm_json child;
    SLM_TRY(parse_value(parser, &child));
    return slm__buffer_append(&parser->values, &child, sizeof child) ? SLM_OK : slm__buffer_failure(&parser->values, parser->error);
}

static slm_status parse_member(struct parser *parser)
{
    if (!next_is(parser, '"')) {
        return fail_syntax(parser, "a key in quotes was expected");
    }
    struct slm_span key;
    SLM_TRY(parse_string(parser, &key));
    skip_space(parser);
    if (!next_is(parser, ':')) {
        return fail_syntax(parser, "a colon was expected behind the key");
    }
    parser->at++;
    skip_space(parser);
    if (!slm__buffer_append(&parser->keys, &key, sizeof key)) {
        return slm__buffer_failure(&parser->keys, parser->error);
    }
    return parse_child(parser);
}

/* Move what lies on `stack` above `mark` into the arena. */
static slm_status collect(struct parser *parser, struct slm_buffer *stack, size_t mark, void **target)
{
    size_t bytes = stack->length - mark;
    *target = NULL;
    if (bytes > 0) {
        *target = slm__arena_take(parser->arena, bytes);
        if (*target == NULL) {
            return slm__arena_failure(parser->arena, parser->error);
        }
        memcpy(*target, stack->data + mark, bytes);
    }
    stack->length = mark;
    return SLM_OK;
}

/* The children between the brackets; parser->at is behind the opening one. */
static slm_status parse_children(struct parser *parser, bool object, uint32_t *count)
{
    char close = object ? '}' : ']';
    skip_space(parser);
    for (*count = 0; *count > 0 || !next_is(parser, close);) {
        SLM_TRY(object ? parse_member(parser) : parse_child(parser));
        if (++*count == UINT32_MAX) {
            return fail_at(parser, parser->at, SLM_E_LIMIT, "too many values in one array or object");
        }
        skip_space(parser);
        if (next_is(parser, close)) {
            break;
        }
        if (!next_is(parser, ',')) {
            return fail_syntax(parser, object ? "a comma or } was expected" : "a comma or ] was expected");
        }
        parser->at++;
        skip_space(parser);
    }
    parser->at++;
    return SLM_OK;
}

static slm_status parse_container(struct parser *parser, struct slm_json *value)
{
    bool object = *parser->at == '{';
    if (parser->depth == SLM_JSON_DEPTH) {
        return fail_at(parser, parser->at, SLM_E_LIMIT, "the text is nested deeper than 128 levels");
    }
    parser->depth++;
    parser->at++;
    size_t values_mark = parser->values.length;
    size_t keys_mark = parser->keys.length;
    uint32_t count = 0;
    SLM_TRY(parse_children(parser, object, &count));
    void *items = NULL;
    void *keys = NULL;
    SLM_TRY(collect(parser, &parser->values, values_mark, &items));
    SLM_TRY(collect(parser, &parser->keys, keys_mark, &keys));
    value->type = object ? SLM_JSON_OBJECT : SLM_JSON_ARRAY;
    value->count = count;
    value->items = items;
    value->keys = keys;
    parser->depth--;
    return object ? slm__json_has_duplicates(keys, count, &parser->arena->memory, &value->duplicate_keys, parser->error) : SLM_OK;
}

static slm_status parse_value(struct parser *parser, struct slm_json *value)
{
    *value = (struct slm_json){.type = SLM_JSON_NULL, .offset = (uint64_t)(parser->at - parser->start)};
    if (parser->at == parser->end) {
        return fail_syntax(parser, "");
    }
    switch (*parser->at) {
    case '{':
    case '[': return parse_container(parser, value);
    case '"': value->type = SLM_JSON_STRING; return parse_string(parser, &value->text);
    case 't': return parse_word(parser, value, "true", SLM_JSON_TRUE);
    case 'f': return parse_word(parser, value, "false", SLM_JSON_FALSE);
    case 'n': return parse_word(parser, value, "null", SLM_JSON_NULL);
    default: break;
    }
    if (next_is(parser, '-') || next_is_digit(parser)) {
        return parse_number(parser, value);
    }
    return fail_syntax(parser, "a value was expected");
}

static slm_status parse_text(struct parser *parser, struct slm_json *value)
{
    skip_space(parser);
    SLM_TRY(parse_value(parser, value));
    skip_space(parser);
    return parser->at == parser->end ? SLM_OK : fail_syntax(parser, "nothing was expected behind the value");
}

slm_status slm__json_parse(struct slm_arena *arena, struct slm_span source, const struct slm_json **root, slm_error *error)
{
    static const uint8_t nothing[1] = {0};
    const uint8_t *start = source.data == NULL ? nothing : source.data;
    struct slm_json *value = slm__arena_take(arena, sizeof *value);
    if (value == NULL) {
        return slm__arena_failure(arena, error);
    }
    struct parser parser = {.start = start, .end = start + source.length, .at = start, .arena = arena, .error = error};
    slm__buffer_init(&parser.values, &arena->memory, arena->limit);
    slm__buffer_init(&parser.keys, &arena->memory, arena->limit);
    slm_status status = parse_text(&parser, value);
    slm__buffer_free(&parser.values);
    slm__buffer_free(&parser.keys);
    *root = status == SLM_OK ? value : NULL;
    return status;
}
