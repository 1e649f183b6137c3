/* SPDX-License-Identifier: MIT */
/*
 * The JSON reader (see cli_json.h): one pass, values into a flat array, strings decoded into one block that is as
 * long as the source, so that no string needs an allocation of its own. Recursion ends at CLI_JSON_DEPTH.
 */
#include "examples/cli/cli_json.h" /* struct cli_json */

#include <stdlib.h>
#include <string.h>

struct json_reader {
    struct cli_json *json;
    const char *source;
    size_t length;
    size_t at;
    size_t strings_used;
};

static int problem(struct json_reader *reader, const char *what)
{
    reader->json->problem = what;
    reader->json->position = reader->at;
    return -1;
}

static int peek(const struct json_reader *reader) { return reader->at < reader->length ? (unsigned char)reader->source[reader->at] : -1; }

static void skip_space(struct json_reader *reader)
{
    while (reader->at < reader->length) {
        const char byte = reader->source[reader->at];
        if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') {
            return;
        }
        reader->at++;
    }
}

/* Index of a new value, or SIZE_MAX without memory. */
static size_t add_value(struct json_reader *reader, enum cli_json_kind kind)
{
    struct cli_json *json = reader->json;
    if (json->count == json->capacity) {
        const size_t capacity = json->capacity < 64 ? 64 : json->capacity * 2;
        struct cli_json_value *values = capacity <= SIZE_MAX / sizeof *values ? realloc(json->values, capacity * sizeof *values) : NULL;
        if (values == NULL) {
            (void)problem(reader, "memory could not be allocated");
            return SIZE_MAX;
        }
        json->values = values;
        json->capacity = capacity;
    }
    json->values[json->count] = (struct cli_json_value){.kind = kind, .next = json->count + 1};
    return json->count++;
}

/* Four hexadecimal digits, or -1. */
static int32_t read_hex4(struct json_reader *reader)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        const int byte = peek(reader);
        int digit = -1;
        if (byte >= '0' && byte <= '9') {
            digit = byte - '0';
        } else if ((byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F')) {
            digit = (byte | 32) - 'a' + 10;
        } else {
            return problem(reader, "\\u needs four hexadecimal digits");
        }
        value = value * 16 + digit;
        reader->at++;
    }
    return value;
}

static char *put_utf8(char *out, uint32_t point)
{
    if (point < 0x80) {
        *out++ = (char)point;
        return out;
    }
    if (point < 0x800) {
        *out++ = (char)(0xC0 | (point >> 6));
    } else {
        if (point < 0x10000) {
            *out++ = (char)(0xE0 | (point >> 12));
        } else {
            *out++ = (char)(0xF0 | (point >> 18));
            *out++ = (char)(0x80 | ((point >> 12) & 63));
        }
        *out++ = (char)(0x80 | ((point >> 6) & 63));
    }
    *out++ = (char)(0x80 | (point & 63));
    return out;
}

/* What follows a backslash. Six bytes of \uXXXX become at most three, twelve of a pair four. */
static char *read_escape(struct json_reader *reader, char *out)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    const int name = peek(reader);
    const char *found = name > 0 ? memchr(names, name, sizeof names - 1) : NULL;
    reader->at += name >= 0;
    if (found != NULL) {
        *out++ = values[found - names];
        return out;
    }
    if (name != 'u') {
        reader->at -= name >= 0;
        (void)problem(reader, "unknown escape in a string");
        return NULL;
    }
    int32_t point = read_hex4(reader);
    if (point >= 0xD800 && point < 0xDC00) {
        if (reader->length - reader->at < 2 || memcmp(reader->source + reader->at, "\\u", 2) != 0) {
            (void)problem(reader, "the second half of a surrogate pair is missing");
            return NULL;
        }
        reader->at += 2;
        const int32_t low = read_hex4(reader);
        if (low >= 0 && (low < 0xDC00 || low > 0xDFFF)) {
            (void)problem(reader, "the second half of a surrogate pair is missing");
            return NULL;
        }
        point = low < 0 ? -1 : 0x10000 + (point - 0xD800) * 0x400 + (low - 0xDC00);
    } else if (point >= 0xDC00 && point <= 0xDFFF) {
        (void)problem(reader, "the first half of a surrogate pair is missing");
        return NULL;
    }
    return point < 0 ? NULL : put_utf8(out, (uint32_t)point);
}

/* A string from its opening quote on; decoded bytes go to the end of the document's block. */
static int read_string(struct json_reader *reader, const char **text, size_t *length)
{
    char *const start = reader->json->strings + reader->strings_used;
    char *out = start;
    reader->at++;
    for (;;) {
        const int byte = peek(reader);
        if (byte < 0) {
            return problem(reader, "a string does not end");
        }
        if (byte == '"') {
            reader->at++;
            break;
        }
        if (byte < 0x20) {
            return problem(reader, "a control character in a string must be escaped");
        }
        if (byte == '\\') {
            reader->at++;
            out = read_escape(reader, out);
            if (out == NULL) {
                return -1;
            }
            continue;
        }
        const size_t count = cli_utf8_character(reader->source + reader->at, reader->length - reader->at);
        if (count == 0) {
            return problem(reader, "the text is not valid UTF-8");
        }
        memcpy(out, reader->source + reader->at, count);
        out += count;
        reader->at += count;
    }
    *text = start;
    *length = (size_t)(out - start);
    reader->strings_used += *length;
    return 0;
}

static size_t skip_digits(struct json_reader *reader)
{
    const size_t start = reader->at;
    while (peek(reader) >= '0' && peek(reader) <= '9') {
        reader->at++;
    }
    return reader->at - start;
}

static int read_number(struct json_reader *reader, struct cli_json_value *value)
{
    const size_t start = reader->at;
    reader->at += peek(reader) == '-';
    if (peek(reader) == '0') {
        reader->at++;
    } else if (skip_digits(reader) == 0) {
        return problem(reader, "a value is expected");
    }
    if (peek(reader) == '.') {
        reader->at++;
        if (skip_digits(reader) == 0) {
            return problem(reader, "digits must follow the decimal point");
        }
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        reader->at++;
        reader->at += peek(reader) == '+' || peek(reader) == '-';
        if (skip_digits(reader) == 0) {
            return problem(reader, "digits must follow the exponent");
        }
    }
    value->text = reader->source + start;
    value->length = reader->at - start;
    return 0;
}

static int read_word(struct json_reader *reader, const char *word)
{
    const size_t length = strlen(word);
    if (reader->length - reader->at < length || memcmp(reader->source + reader->at, word, length) != 0) {
        return problem(reader, "a value is expected");
    }
    reader->at += length;
    return 0;
}

static int read_value(struct json_reader *reader, const char *key, size_t key_length, int depth);

/* "key" : in front of a member's value. */
static int read_key(struct json_reader *reader, const char **key, size_t *key_length)
{
    skip_space(reader);
    if (peek(reader) != '"') {
        return problem(reader, "a key in quotes is expected");
    }
    if (read_string(reader, key, key_length) != 0) {
        return -1;
    }
    skip_space(reader);
    if (peek(reader) != ':') {
        return problem(reader, "':' is expected after a key");
    }
    reader->at++;
    return *key_length <= UINT32_MAX ? 0 : problem(reader, "a key is too long");
}

/* The elements of an array or object, from its opening bracket on. values[index] is its value. */
static int read_elements(struct json_reader *reader, size_t index, int closing, int depth)
{
    if (depth >= CLI_JSON_DEPTH) {
        return problem(reader, "arrays and objects lie more than 256 deep");
    }
    size_t count = 0;
    reader->at++;
    skip_space(reader);
    if (peek(reader) == closing) {
        reader->at++;
        return 0;
    }
    for (;;) {
        const char *key = NULL;
        size_t key_length = 0;
        if ((closing == '}' && read_key(reader, &key, &key_length) != 0) || read_value(reader, key, key_length, depth + 1) != 0) {
            return -1;
        }
        count++;
        skip_space(reader);
        const int byte = peek(reader);
        if (byte != ',' && byte != closing) {
            return problem(reader, closing == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
        }
        reader->at++;
        if (byte == closing) {
            break;
        }
    }
    reader->json->values[index].length = count;
    reader->json->values[index].next = reader->json->count;
    return 0;
}

static int read_content(struct json_reader *reader, size_t index, int depth)
{
    struct cli_json_value *value = &reader->json->values[index];
    switch (value->kind) {
    case CLI_JSON_OBJECT: return read_elements(reader, index, '}', depth);
    case CLI_JSON_ARRAY: return read_elements(reader, index, ']', depth);
    case CLI_JSON_STRING: return read_string(reader, &value->text, &value->length);
    case CLI_JSON_TRUE: return read_word(reader, "true");
    case CLI_JSON_FALSE: return read_word(reader, "false");
    case CLI_JSON_NULL: return read_word(reader, "null");
    case CLI_JSON_NUMBER: break;
    }
    return read_number(reader, value);
}

static int read_value(struct json_reader *reader, const char *key, size_t key_length, int depth)
{
    skip_space(reader);
    enum cli_json_kind kind = CLI_JSON_NUMBER;
    switch (peek(reader)) {
    case '{': kind = CLI_JSON_OBJECT; break;
    case '[': kind = CLI_JSON_ARRAY; break;
    case '"': kind = CLI_JSON_STRING; break;
    case 't': kind = CLI_JSON_TRUE; break;
    case 'f': kind = CLI_JSON_FALSE; break;
    case 'n': kind = CLI_JSON_NULL; break;
    default: break;
    }
    const size_t start = reader->at;
    const size_t index = add_value(reader, kind);
    if (index == SIZE_MAX) {
        return -1;
    }
    reader->json->values[index].key = key;
    reader->json->values[index].key_length = (uint32_t)key_length;
    if (read_content(reader, index, depth) != 0) {
        return -1;
    }
    reader->json->values[index].source = reader->source + start;
    reader->json->values[index].source_length = reader->at - start;
    return 0;
}

int cli_json_parse(struct cli_json *json, const char *source, size_t length)
{
    struct json_reader reader = {json, source, length, 0, 0};
    json->count = 0;
    json->problem = NULL;
    json->position = 0;
    if (json->strings == NULL || json->strings_capacity < length) {
        const size_t capacity = length < 256 ? 256 : length + length / 4;
        char *strings = realloc(json->strings, capacity);
        if (strings == NULL) {
            return problem(&reader, "memory could not be allocated");
        }
        json->strings = strings;
        json->strings_capacity = capacity;
    }
    if (read_value(&reader, NULL, 0, 0) != 0) {
        return -1;
    }
    skip_space(&reader);
    return reader.at == length ? 0 : problem(&reader, "text after the end of the document");
}

void cli_json_free(struct cli_json *json)
{
    free(json->values);
    free(json->strings);
    *json = (struct cli_json){0};
}

const struct cli_json_value *cli_json_member(const struct cli_json *json, const struct cli_json_value *object, const char *key)
{
    const struct cli_json_value *found = NULL;
    if (object->kind != CLI_JSON_OBJECT) {
        return NULL;
    }
    const size_t length = strlen(key);
    size_t at = (size_t)(object - json->values) + 1;
    for (size_t i = 0; i < object->length; i++) {
        const struct cli_json_value *member = &json->values[at];
        if (member->key_length == length && memcmp(member->key, key, length) == 0) {
            found = member;
        }
        at = member->next;
    }
    return found;
}

int cli_json_integer(const struct cli_json_value *value, int64_t minimum, int64_t maximum, int64_t *result)
{
    if (value->kind != CLI_JSON_NUMBER || value->length > 19) {
        return -1;
    }
    int64_t number = 0;
    const int negative = value->text[0] == '-';
    for (size_t i = (size_t)negative; i < value->length; i++) {
        const char byte = value->text[i];
        if (byte < '0' || byte > '9' || number > (INT64_MAX - 9) / 10) {
            return -1;
        }
        number = number * 10 + (byte - '0');
    }
    number = negative ? -number : number;
    *result = number;
    return number >= minimum && number <= maximum ? 0 : -1;
}

void cli_json_add_string(struct cli_text *text, const char *bytes, size_t length)
{
    size_t start = 0;
    if (length == 0) {
        cli_text_add(text, "\"\"", 2);
        return;
    }
    cli_text_add(text, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        cli_text_add(text, bytes + start, i - start);
        start = i + 1;
        if (byte == '\n') {
            cli_text_add(text, "\\n", 2);
        } else if (byte >= 0x20) {
            const char escaped[2] = {'\\', (char)byte};
            cli_text_add(text, escaped, 2);
        } else {
            cli_text_format(text, "\\u%04x", byte);
        }
    }
    cli_text_add(text, bytes + start, length - start);
    cli_text_add(text, "\"", 1);
}

void cli_json_add_lossy(struct cli_text *text, const char *bytes, size_t length)
{
    struct cli_text whole = {0};
    for (size_t i = 0; i < length;) {
        const size_t valid = cli_utf8_character(bytes + i, length - i);
        cli_text_add(&whole, valid > 0 ? bytes + i : "\xEF\xBF\xBD", valid > 0 ? valid : 3);
        i += valid > 0 ? valid : 1;
    }
    text->failed = text->failed || whole.failed;
    cli_json_add_string(text, whole.bytes, whole.failed ? 0 : whole.length);
    cli_text_free(&whole);
}

void cli_json_add_number(struct cli_text *text, double value)
{
    if (value - value != 0) { /* infinities and NaN */
        cli_text_add_string(text, "null");
    } else {
        cli_text_format(text, "%.9g", value);
    }
}

void cli_json_add_ids(struct cli_text *text, const int32_t *ids, size_t count)
{
    char digits[16];
    cli_text_add(text, "[", 1);
    for (size_t i = 0; i < count; i++) {
        size_t at = sizeof digits;
        uint32_t value = ids[i] < 0 ? 0u - (uint32_t)ids[i] : (uint32_t)ids[i];
        do {
            digits[--at] = (char)('0' + value % 10);
            value /= 10;
        } while (value > 0);
        if (ids[i] < 0) {
            digits[--at] = '-';
        }
        if (i > 0) {
            digits[--at] = ',';
        }
        cli_text_add(text, digits + at, sizeof digits - at);
    }
    cli_text_add(text, "]", 1);
}

void cli_json_add_value(struct cli_text *text, const struct cli_json *json, const struct cli_json_value *value)
{
    const struct cli_json_value *child = value + 1;
    const int is_object = value->kind == CLI_JSON_OBJECT;
    if (value->kind == CLI_JSON_STRING) {
        cli_json_add_string(text, value->text, value->length);
        return;
    }
    if (!is_object && value->kind != CLI_JSON_ARRAY) {
        cli_text_add(text, value->source, value->source_length);
        return;
    }
    cli_text_add(text, is_object ? "{" : "[", 1);
    for (size_t i = 0; i < value->length; i++) {
        cli_text_add(text, ",", i > 0 ? 1 : 0);
        if (is_object) {
            cli_json_add_string(text, child->key, child->key_length);
            cli_text_add(text, ":", 1);
        }
        cli_json_add_value(text, json, child);
        child = json->values + child->next;
    }
    cli_text_add(text, is_object ? "}" : "]", 1);
}
