/* SPDX-License-Identifier: MIT */
/* Escapes and character classes of patterns. Beyond the strict syntax: escapes of any sign, and a class beside a hyphen. */
#include "base/utf8.h"                /* slm__utf8_decode */
#include "grammar/regex_syntax.h"     /* struct slm_regex_reader */
#include "grammar/unicode_property.h" /* slm__unicode_property */

enum { NO_DIGIT = -1 };

uint32_t slm__regex_peek(const struct slm_regex_reader *reader)
{
    if (reader->position >= reader->text.length) {
        return UINT32_MAX;
    }
    return slm__utf8_decode(reader->text.data + reader->position, reader->text.length - reader->position).code;
}

uint32_t slm__regex_take(struct slm_regex_reader *reader)
{
    if (reader->position >= reader->text.length) {
        return UINT32_MAX;
    }
    struct slm_utf8 c = slm__utf8_decode(reader->text.data + reader->position, reader->text.length - reader->position);
    reader->position += c.length;
    return c.code;
}

bool slm__regex_skip(struct slm_regex_reader *reader, const char *text)
{
    size_t length = strlen(text);
    if (reader->text.length - reader->position < length || memcmp(reader->text.data + reader->position, text, length) != 0) {
        return false;
    }
    reader->position += length;
    return true;
}

slm_status slm__regex_fail(const struct slm_regex_reader *reader, slm_status status, size_t position, const char *what)
{
    size_t column = 1;
    for (size_t i = 0; i < position; i++) {
        column += (reader->text.data[i] & 0xC0) != 0x80;
    }
    return slm__fail(reader->error, status, "column %zu of the pattern: %s", column, what);
}

static int digit_value(uint32_t code)
{
    if (code >= '0' && code <= '9') {
        return (int)(code - '0');
    }
    code |= 0x20;
    return code >= 'a' && code <= 'f' ? (int)(code - 'a') + 10 : NO_DIGIT;
}

/* `digits` hexadecimal digits; false, position unchanged, when they are not there. */
static bool hex(struct slm_regex_reader *reader, int digits, uint32_t *value)
{
    size_t start = reader->position;
    *value = 0;
    for (int i = 0; i < digits; i++) {
        uint32_t code = slm__regex_peek(reader);
        int digit = code < 0x80 ? digit_value(code) : NO_DIGIT;
        if (digit < 0) {
            reader->position = start;
            return false;
        }
        *value = *value << 4 | (uint32_t)digit;
        reader->position++;
    }
    return true;
}

/* \u1234, a pair of them, \u{12345}; the position is behind the u. */
static slm_status unicode_escape(struct slm_regex_reader *reader, uint32_t *code)
{
    size_t start = reader->position - 2;
    if (slm__regex_skip(reader, "{")) {
        uint32_t digit = 0;
        *code = 0;
        bool any = false;
        while (hex(reader, 1, &digit)) {
            *code = *code << 4 | digit;
            any = true;
            if (*code > SLM_CODE_LAST) {
                return slm__regex_fail(reader, SLM_E_SYNTAX, start, "there is no such code point");
            }
        }
        return any && slm__regex_skip(reader, "}") ? SLM_OK
                                                   : slm__regex_fail(reader, SLM_E_SYNTAX, start, "\\u{...} expects hexadecimal digits");
    }
    if (!hex(reader, 4, code)) {
        return slm__regex_fail(reader, SLM_E_SYNTAX, start, "\\u expects four hexadecimal digits");
    }
    size_t behind = reader->position;
    uint32_t low = 0;
    if (*code >= 0xD800 && *code < 0xDC00 && slm__regex_skip(reader, "\\u") && hex(reader, 4, &low) && low >= 0xDC00 && low < 0xE000) {
        *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    } else {
        reader->position = behind;
    }
    return SLM_OK;
}

/* \p{...}, \P{...}; the position is behind the letter. */
static slm_status property_escape(struct slm_regex_reader *reader, bool complement, struct slm_regex_escape *escape)
{
    size_t start = reader->position - 2;
    if (!slm__regex_skip(reader, "{")) {
        return slm__regex_fail(reader, SLM_E_SYNTAX, start, "\\p expects a name in braces");
    }
    size_t first = reader->position;
    while (reader->position < reader->text.length && reader->text.data[reader->position] != '}') {
        reader->position++;
    }
    struct slm_span name = slm__span(reader->text.data + first, reader->position - first);
    if (!slm__regex_skip(reader, "}")) {
        return slm__regex_fail(reader, SLM_E_SYNTAX, start, "the name behind \\p has no closing brace");
    }
    struct slm_code_collector codes;
    slm__codes_init(&codes, reader->arena);
    if (!slm__unicode_property(&codes, name)) {
        return slm__regex_fail(reader, SLM_E_UNSUPPORTED, start,
                               "this Unicode property is not known (general categories, scripts and a few others are)");
    }
    escape->is_set = true;
    return slm__codes_finish(&codes, complement, &escape->set) ? SLM_OK : slm__arena_failure(reader->arena, reader->error);
}

static slm_status set_escape(struct slm_regex_reader *reader, struct slm_code_set set, bool complement, struct slm_regex_escape *escape)
{
    struct slm_code_collector codes;
    slm__codes_init(&codes, reader->arena);
    slm__codes_add_set(&codes, set);
    escape->is_set = true;
    return slm__codes_finish(&codes, complement, &escape->set) ? SLM_OK : slm__arena_failure(reader->arena, reader->error);
}

/* Escapes of one character other than \u; UINT32_MAX when it is none. */
static uint32_t letter_escape(struct slm_regex_reader *reader, uint32_t letter, bool in_class)
{
    static const char letters[] = "tnvfr";
    static const char codes[] = "\t\n\v\f\r";
    const char *found = letter != 0 && letter < 0x80 ? strchr(letters, (int)letter) : NULL;
    uint32_t value = 0;
    uint32_t next = slm__regex_peek(reader);
    if (found != NULL) {
        return (uint32_t)codes[found - letters];
    }
    if (letter == 'b' && in_class) {
        return '\b';
    }
    if (letter == '0' && !(next >= '0' && next <= '9')) {
        return 0;
    }
    if (letter == 'x' && hex(reader, 2, &value)) {
        return value;
    }
    if (letter == 'c' && ((next | 0x20) >= 'a' && (next | 0x20) <= 'z')) {
        return slm__regex_take(reader) & 0x1F;
    }
    bool alphanumeric = (letter >= '0' && letter <= '9') || ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z');
    return alphanumeric ? UINT32_MAX : letter;
}

slm_status slm__regex_escape(struct slm_regex_reader *reader, bool in_class, struct slm_regex_escape *escape)
{
    size_t start = reader->position - 1; /* the backslash */
    uint32_t letter = slm__regex_take(reader);
    *escape = (struct slm_regex_escape){.is_set = false};
    switch (letter) {
    case UINT32_MAX: return slm__regex_fail(reader, SLM_E_SYNTAX, start, "nothing stands behind the backslash");
    case 'd':
    case 'D': return set_escape(reader, slm__codes_digits(), letter == 'D', escape);
    case 'w':
    case 'W': return set_escape(reader, slm__codes_word(), letter == 'W', escape);
    case 's':
    case 'S': return set_escape(reader, slm__codes_space(), letter == 'S', escape);
    case 'p':
    case 'P': return property_escape(reader, letter == 'P', escape);
    case 'u': return unicode_escape(reader, &escape->code);
    default: break;
    }
    escape->code = letter_escape(reader, letter, in_class);
    if (escape->code != UINT32_MAX) {
        return SLM_OK;
    }
    if (!in_class && ((letter >= '1' && letter <= '9') || letter == 'k')) {
        return slm__regex_fail(reader, SLM_E_UNSUPPORTED, start, "back-references are not supported: their language is not regular");
    }
    return slm__regex_fail(reader, SLM_E_SYNTAX, start, "there is no such escape");
}

/* One member of a class: a character, or an escape. */
static slm_status class_atom(struct slm_regex_reader *reader, struct slm_regex_escape *atom)
{
    if (slm__regex_skip(reader, "\\")) {
        return slm__regex_escape(reader, true, atom);
    }
    *atom = (struct slm_regex_escape){.code = slm__regex_take(reader)};
    return SLM_OK;
}

static void add_atom(struct slm_code_collector *codes, const struct slm_regex_escape *atom)
{
    if (atom->is_set) {
        slm__codes_add_set(codes, atom->set);
    } else {
        slm__codes_add(codes, atom->code, atom->code);
    }
}

slm_status slm__regex_class(struct slm_regex_reader *reader, struct slm_code_set *set)
{
    size_t start = reader->position - 1;
    bool complement = slm__regex_skip(reader, "^");
    struct slm_code_collector codes;
    slm__codes_init(&codes, reader->arena);
    while (!slm__regex_skip(reader, "]")) {
        if (reader->position >= reader->text.length) {
            return slm__regex_fail(reader, SLM_E_SYNTAX, start, "the class has no closing bracket");
        }
        size_t first = reader->position;
        struct slm_regex_escape from;
        SLM_TRY(class_atom(reader, &from));
        bool range =
            slm__regex_peek(reader) == '-' && reader->position + 1 < reader->text.length && reader->text.data[reader->position + 1] != ']';
        if (!range) {
            add_atom(&codes, &from);
            continue;
        }
        struct slm_regex_escape to;
        reader->position++;
        SLM_TRY(class_atom(reader, &to));
        if (from.is_set || to.is_set) {
            add_atom(&codes, &from);
            add_atom(&codes, &to);
            slm__codes_add(&codes, '-', '-');
        } else if (from.code > to.code) {
            return slm__regex_fail(reader, SLM_E_SYNTAX, first, "the range of the class is out of order");
        } else {
            slm__codes_add(&codes, from.code, to.code);
        }
    }
    return slm__codes_finish(&codes, complement, set) ? SLM_OK : slm__arena_failure(reader->arena, reader->error);
}
