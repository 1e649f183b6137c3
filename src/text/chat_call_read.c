/* SPDX-License-Identifier: MIT */
/* A complete region to calls: JSON in its variants, XML parameters with the types of the tools, built-in tools and code. */
#include "text/chat_call.h"

#include "base/utf8.h" /* slm__utf8_valid_prefix */

#include <string.h>

enum { READ_MEMORY = 4 << 20, READ_MEMORY_PER_BYTE = 128 };

struct reader {
    struct slm_arena arena;
    struct slm_chat_calls *calls;
    const struct slm_json *tools;
    bool bare;
    bool wrong; /* this is no call */
    slm_error *error;
};

static slm_status refuse(struct reader *reader)
{
    reader->wrong = true;
    return SLM_OK;
}

static size_t here(const struct reader *reader) { return reader->calls->text.length; }

/* The part of the calls' text from `start` to its end. */
static struct slm_text_part part_from(const struct reader *reader, size_t start)
{
    return (struct slm_text_part){start, here(reader) - start};
}

static struct slm_text_part put(struct reader *reader, struct slm_span text)
{
    const size_t start = here(reader);
    slm__buffer_append(&reader->calls->text, text.data, text.length);
    return part_from(reader, start);
}

static void put_call(struct reader *reader, const struct slm_chat_call *call)
{
    slm__buffer_append(&reader->calls->list, call, sizeof *call);
}

/* Parse; *root is NULL for what is no JSON or too much of it. */
static slm_status parse(struct reader *reader, struct slm_span text, const struct slm_json **root)
{
    const slm_status status = slm__json_parse(&reader->arena, text, root, reader->error);
    if (status != SLM_OK) {
        *root = NULL;
    }
    return status == SLM_E_NO_MEMORY ? status : SLM_OK;
}

static struct slm_span trim(struct slm_span text)
{
    while (text.length > 0 && slm__chat_is_space(text.data[0])) {
        text = slm__span(text.data + 1, text.length - 1);
    }
    while (text.length > 0 && slm__chat_is_space(text.data[text.length - 1])) {
        text.length--;
    }
    return text;
}

/* ---- JSON calls ---- */

static bool is_type(const struct slm_json *value, enum slm_json_type type) { return value != NULL && value->type == type; }

/* Has a call without marker only members of a call? */
static bool has_only_call_members(const struct slm_json *object)
{
    static const char *const names[] = {"name", "arguments", "parameters", "type", "id", "function"};
    for (uint32_t i = 0; i < object->count; i++) {
        size_t known = 0;
        while (known < sizeof names / sizeof names[0] && !slm__span_is(object->keys[i], names[known])) {
            known++;
        }
        if (known == sizeof names / sizeof names[0]) {
            return false;
        }
    }
    return true;
}

/* Arguments: an object as it is written, or a string that holds one; none is {}. */
static slm_status put_arguments(struct reader *reader, const struct slm_json *value, struct slm_span source, struct slm_text_part *part)
{
    const struct slm_json *inner = value;
    struct slm_span text = slm__span_text("{}");
    if (is_type(value, SLM_JSON_OBJECT)) {
        const size_t start = (size_t)value->offset;
        text = slm__span(source.data + start, slm__chat_json_end(source, start) - start);
    } else if (is_type(value, SLM_JSON_STRING)) {
        SLM_TRY(parse(reader, value->text, &inner));
        text = value->text;
    }
    if (value != NULL && !is_type(inner, SLM_JSON_OBJECT)) {
        return refuse(reader);
    }
    *part = put(reader, text);
    return SLM_OK;
}

/* {"name":..., "arguments" or "parameters":..., "id":...}, or the same in a member "function". */
static slm_status read_object(struct reader *reader, const struct slm_json *object, struct slm_span source)
{
    struct slm_chat_call call = {{0, 0}, {0, 0}, {0, 0}};
    const struct slm_json *function = slm__json_present(object, "function");
    const struct slm_json *body = is_type(function, SLM_JSON_OBJECT) ? function : object;
    const struct slm_json *name = slm__json_present(body, "name");
    const struct slm_json *arguments = slm__json_present(body, "arguments");
    const struct slm_json *id = slm__json_present(object, "id");
    name = name == NULL && is_type(function, SLM_JSON_STRING) ? function : name;
    arguments = arguments == NULL ? slm__json_present(body, "parameters") : arguments;
    if (!is_type(name, SLM_JSON_STRING) || name->text.length == 0 ||
        (reader->bare && (arguments == NULL || !has_only_call_members(object)))) {
        return refuse(reader);
    }
    SLM_TRY(put_arguments(reader, arguments, source, &call.arguments));
    call.name = put(reader, name->text);
    if (is_type(id, SLM_JSON_STRING)) {
        call.id = put(reader, id->text);
    }
    put_call(reader, &call);
    return SLM_OK;
}

static slm_status read_json(struct reader *reader, struct slm_span source)
{
    const struct slm_json *root = NULL;
    SLM_TRY(parse(reader, source, &root));
    if (is_type(root, SLM_JSON_OBJECT)) {
        return read_object(reader, root, source);
    }
    if (!is_type(root, SLM_JSON_ARRAY) || root->count == 0) {
        return refuse(reader);
    }
    for (uint32_t i = 0; i < root->count && !reader->wrong; i++) {
        if (!is_type(&root->items[i], SLM_JSON_OBJECT)) {
            return refuse(reader);
        }
        SLM_TRY(read_object(reader, &root->items[i], source));
    }
    return SLM_OK;
}

/* ---- a name in front of the arguments ---- */

/* Position of `literal` in `text`, or its length. */
static size_t find(struct slm_span text, const char *literal)
{
    size_t at = 0;
    while (at < text.length && slm__chat_literal(text, at, literal) != SLM_CHAT_YES) {
        at++;
    }
    return at;
}

static struct slm_span from(struct slm_span text, size_t at) { return slm__span(text.data + at, text.length - at); }

static slm_status read_named(struct reader *reader, struct slm_span name, struct slm_span id, struct slm_span source)
{
    struct slm_chat_call call = {{0, 0}, {0, 0}, {0, 0}};
    const struct slm_json *root = NULL;
    SLM_TRY(parse(reader, source, &root));
    if (!is_type(root, SLM_JSON_OBJECT) || name.length == 0 || slm__utf8_valid_prefix(name) != name.length ||
        slm__utf8_valid_prefix(id) != id.length) {
        return refuse(reader);
    }
    call.arguments = put(reader, source);
    call.name = put(reader, name);
    call.id = put(reader, id);
    put_call(reader, &call);
    return SLM_OK;
}

/* NAME{...}, NAME[ARGS]{...}, NAME[CALL_ID]ID[ARGS]{...} */
static slm_status read_brackets(struct reader *reader, struct slm_span body)
{
    struct slm_span name = slm__span(body.data, find(body, "{"));
    struct slm_span id = {NULL, 0};
    const struct slm_span arguments = from(body, name.length);
    name.length = find(name, "[ARGS]");
    const size_t bracket = find(name, "[CALL_ID]");
    if (bracket < name.length) {
        id = from(name, bracket + strlen("[CALL_ID]"));
        name.length = bracket;
    }
    return read_named(reader, name, id, arguments);
}

/* ---- XML ---- */

/* The JSON type that the tools give to a parameter: "string", another, or an empty span when unknown. */
static struct slm_span type_of(const struct slm_json *tools, struct slm_span function, struct slm_span key)
{
    const struct slm_span unknown = {NULL, 0};
    for (uint32_t i = 0; is_type(tools, SLM_JSON_ARRAY) && i < tools->count; i++) {
        const struct slm_json *wrapped = slm__json_present(&tools->items[i], "function");
        const struct slm_json *tool = wrapped != NULL ? wrapped : &tools->items[i];
        const struct slm_json *name = slm__json_get(tool, "name");
        const struct slm_json *properties = slm__json_get(slm__json_get(tool, "parameters"), "properties");
        if (!is_type(name, SLM_JSON_STRING) || !slm__span_equal(name->text, function) || !is_type(properties, SLM_JSON_OBJECT)) {
            continue;
        }
        for (uint32_t j = 0; j < properties->count; j++) {
            const struct slm_json *type = slm__json_get(&properties->items[j], "type");
            if (slm__span_equal(properties->keys[j], key) && is_type(type, SLM_JSON_STRING)) {
                return type->text;
            }
        }
    }
    return unknown;
}

/* The value without the line feeds that the form puts around it. */
static struct slm_span inner_value(struct slm_span value)
{
    if (value.length > 0 && value.data[0] == '\n') {
        value = from(value, 1);
    }
    if (value.length > 0 && value.data[value.length - 1] == '\n') {
        value.length--;
    }
    return value;
}

/* A value as JSON: text where the type says so, or where it is nothing else. */
static slm_status put_value(struct reader *reader, struct slm_span value, struct slm_span type)
{
    static const char *const python[][2] = {{"True", "true"}, {"False", "false"}, {"None", "null"}};
    const struct slm_json *root = NULL;
    const struct slm_span trimmed = trim(value);
    struct slm_buffer *out = &reader->calls->text;
    if (slm__utf8_valid_prefix(value) != value.length) {
        return refuse(reader);
    }
    if (!slm__span_is(type, "string")) {
        for (size_t i = 0; i < sizeof python / sizeof python[0]; i++) {
            if (slm__span_is(trimmed, python[i][0])) {
                slm__buffer_append_text(out, python[i][1]);
                return SLM_OK;
            }
        }
        SLM_TRY(parse(reader, trimmed, &root));
    }
    if (root != NULL && (root->type != SLM_JSON_STRING || type.length > 0)) {
        slm__buffer_append(out, trimmed.data, trimmed.length);
    } else {
        slm__buffer_append_json_string(out, value);
    }
    return SLM_OK;
}

/* NAME> <parameter=KEY>VALUE</parameter>... </function>; the scanner has seen that it is so. *used is its length. */
static slm_status read_function(struct reader *reader, struct slm_span text, size_t *used)
{
    struct slm_chat_call call = {{0, 0}, {0, 0}, {0, 0}};
    const struct slm_span name = slm__span(text.data, find(text, ">"));
    size_t at = name.length + 1;
    bool first = true;
    if (slm__utf8_valid_prefix(name) != name.length) {
        return refuse(reader);
    }
    call.name = put(reader, name);
    call.arguments.start = here(reader);
    slm__buffer_append_byte(&reader->calls->text, '{');
    for (;; first = false) {
        at += find(from(text, at), "<");
        if (slm__chat_literal(text, at, "</function>") == SLM_CHAT_YES) {
            break;
        }
        const struct slm_span rest = from(text, at + strlen("<parameter="));
        const struct slm_span key = slm__span(rest.data, find(rest, ">"));
        const struct slm_span behind = from(rest, key.length + 1);
        const struct slm_span value = slm__span(behind.data, find(behind, "</parameter>"));
        if (slm__utf8_valid_prefix(key) != key.length) {
            return refuse(reader);
        }
        slm__buffer_append_text(&reader->calls->text, first ? "" : ", ");
        slm__buffer_append_json_string(&reader->calls->text, key);
        slm__buffer_append_text(&reader->calls->text, ": ");
        SLM_TRY(put_value(reader, inner_value(value), type_of(reader->tools, name, key)));
        at = (size_t)(behind.data - text.data) + value.length + strlen("</parameter>");
    }
    slm__buffer_append_byte(&reader->calls->text, '}');
    call.arguments = part_from(reader, call.arguments.start);
    put_call(reader, &call);
    *used = at + strlen("</function>");
    return SLM_OK;
}

/* One function behind the other; `body` begins with the first one's name. */
static slm_status read_functions(struct reader *reader, struct slm_span body)
{
    while (!reader->wrong) {
        size_t used = 0;
        SLM_TRY(read_function(reader, body, &used));
        if (reader->wrong) {
            break;
        }
        body = trim(from(body, used));
        if (slm__chat_literal(body, 0, "<function=") != SLM_CHAT_YES) {
            break;
        }
        body = from(body, strlen("<function="));
    }
    return SLM_OK;
}

/* ---- code ---- */

static bool is_name_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
}

static size_t name_length(struct slm_span text)
{
    size_t length = 0;
    while (length < text.length && is_name_byte(text.data[length])) {
        length++;
    }
    return length;
}

/* End of a quoted value at 0: a quote with a comma or the closing parenthesis behind it. */
static size_t quoted_length(struct slm_span text)
{
    for (size_t at = 1; at + 1 < text.length; at++) {
        if (text.data[at] == '"' && (text.data[at + 1] == ',' || (text.data[at + 1] == ')' && at + 2 == text.length))) {
            return at + 1;
        }
    }
    return 0;
}

/* NAME.call(KEY="VALUE", ...): how built-in tools are called. */
static void read_builtin(struct reader *reader, struct slm_span code)
{
    static const char call_text[] = ".call(";
    struct slm_chat_call call = {{0, 0}, {0, 0}, {0, 0}};
    const struct slm_span name = slm__span(code.data, name_length(code));
    bool first = true;
    if (name.length == 0 || slm__chat_literal(code, name.length, call_text) != SLM_CHAT_YES || code.data[code.length - 1] != ')') {
        (void)refuse(reader);
        return;
    }
    code = from(code, name.length + strlen(call_text));
    call.name = put(reader, name);
    call.arguments.start = here(reader);
    slm__buffer_append_byte(&reader->calls->text, '{');
    for (; code.length > 1; first = false) {
        const struct slm_span key = slm__span(code.data, name_length(code));
        const struct slm_span rest = from(code, key.length);
        const size_t length = slm__chat_literal(rest, 0, "=\"") == SLM_CHAT_YES ? quoted_length(from(rest, 1)) : 0;
        if (key.length == 0 || length == 0) {
            (void)refuse(reader);
            return;
        }
        slm__buffer_append_text(&reader->calls->text, first ? "" : ", ");
        slm__buffer_append_json_string(&reader->calls->text, key);
        slm__buffer_append_text(&reader->calls->text, ": ");
        slm__buffer_append_json_string(&reader->calls->text, slm__span(rest.data + 2, length - 2));
        code = from(rest, 1 + length);
        code = code.length > 1 ? trim(from(code, 1)) : code;
    }
    slm__buffer_append_byte(&reader->calls->text, '}');
    call.arguments = part_from(reader, call.arguments.start);
    put_call(reader, &call);
}

/* Code for a tool named python: {"code": ...}, its arguments as JSON, or the text itself. */
static slm_status read_code(struct reader *reader, struct slm_span code)
{
    struct slm_chat_call call = {{0, 0}, {0, 0}, {0, 0}};
    const struct slm_json *root = NULL;
    if (code.length == 0 || slm__utf8_valid_prefix(code) != code.length) {
        return refuse(reader);
    }
    read_builtin(reader, code);
    if (!reader->wrong) {
        return SLM_OK;
    }
    reader->wrong = false;
    reader->calls->text.length = 0;
    SLM_TRY(parse(reader, code, &root));
    call.name = put(reader, slm__span_text("python"));
    if (is_type(root, SLM_JSON_OBJECT)) {
        call.arguments = put(reader, code);
    } else {
        call.arguments.start = here(reader);
        slm__buffer_append_text(&reader->calls->text, "{\"code\": ");
        slm__buffer_append_json_string(&reader->calls->text, is_type(root, SLM_JSON_STRING) ? root->text : code);
        slm__buffer_append_byte(&reader->calls->text, '}');
        call.arguments = part_from(reader, call.arguments.start);
    }
    put_call(reader, &call);
    return SLM_OK;
}

/* ---- a region ---- */

static struct slm_span without_tail(struct slm_span body, const char *tail)
{
    const size_t length = tail != NULL ? strlen(tail) : 0;
    body = trim(body);
    if (length > 0 && body.length >= length && memcmp(body.data + body.length - length, tail, length) == 0) {
        body.length -= length;
    }
    return trim(body);
}

static slm_status read_region(struct reader *reader, const struct slm_chat_region *region, struct slm_span text)
{
    const enum slm_chat_grammar grammar = region->marker->grammar;
    const struct slm_span body = without_tail(slm__span(text.data + region->body, region->end - region->body), region->marker->tail);
    if (grammar == SLM_CHAT_NAMED) {
        const struct slm_span name = slm__span(body.data, find(body, ">"));
        return read_named(reader, name, slm__span(NULL, 0), trim(from(body, name.length + 1)));
    }
    if (grammar == SLM_CHAT_XML_BARE) {
        return read_functions(reader, body);
    }
    if (grammar == SLM_CHAT_CODE && region->phase == SLM_CHAT_AT_REST) {
        return read_code(reader, body);
    }
    if (grammar == SLM_CHAT_XML && body.data[0] == '<') {
        return read_functions(reader, from(body, strlen("<function=")));
    }
    return grammar == SLM_CHAT_BRACKETS && body.data[0] != '[' && body.data[0] != '{' ? read_brackets(reader, body)
                                                                                      : read_json(reader, body);
}

slm_status slm__chat_calls_read(const struct slm_memory *memory, const struct slm_chat_region *region, struct slm_span text, bool bare,
                                const struct slm_json *tools, struct slm_chat_calls *calls, bool *is_call, slm_error *error)
{
    struct reader reader = {.calls = calls, .tools = tools, .bare = bare, .error = error};
    slm_error unused = {sizeof unused, 0, ""};
    reader.error = &unused;
    slm__arena_init(&reader.arena, memory, READ_MEMORY + READ_MEMORY_PER_BYTE * (region->end - region->start));
    slm_status status = read_region(&reader, region, text);
    slm__arena_free(&reader.arena);
    if (status == SLM_OK && calls->text.status != SLM_OK) {
        status = slm__buffer_failure(&calls->text, &unused);
    } else if (status == SLM_OK && calls->list.status != SLM_OK) {
        status = slm__buffer_failure(&calls->list, &unused);
    }
    *is_call = status == SLM_OK && !reader.wrong;
    return status == SLM_OK ? SLM_OK : slm__fail(error, status, "%s", unused.message);
}
