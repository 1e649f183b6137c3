/* SPDX-License-Identifier: MIT */
/* A scan of JSON with a stack of its own, which allocates nothing. */
#include "sample/answer_fields.h"
#include "base/json.h" /* slm__json_escape */
#include "base/utf8.h" /* slm__utf8_encode */

/* An open object or array. */
struct frame {
    uint64_t field;      /* its number */
    uint64_t path_begin; /* of its path in the paths */
    uint64_t path_length;
    uint64_t index; /* ARRAY: of the value that comes */
    bool object;
};

struct scan {
    struct slm_span text;
    size_t at;
    struct slm_answer_fields *result;
    struct frame frames[SLM_ANSWER_DEPTH];
    uint32_t depth;
    slm_error *error;
};

static slm_status fail_syntax(const struct scan *scan, const char *expected)
{
    return slm__fail(scan->error, SLM_E_SYNTAX, "byte %llu of the answer: %s was expected", (unsigned long long)scan->at, expected);
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->text.length && memchr(" \t\r\n", scan->text.data[scan->at], 4) != NULL) {
        scan->at++;
    }
}

static bool next_is(const struct scan *scan, char byte)
{
    return scan->at < scan->text.length && scan->text.data[scan->at] == (uint8_t)byte;
}

static void add_path(struct scan *scan, const uint8_t *bytes, size_t length)
{
    if (scan->result->fields != NULL) {
        memcpy(scan->result->paths + scan->result->path_bytes, bytes, length);
    }
    scan->result->path_bytes += length;
}

/* The path of the innermost container and "/". */
static void begin_path(struct scan *scan)
{
    const struct frame *frame = &scan->frames[scan->depth - 1];
    add_path(scan, scan->result->fields != NULL ? scan->result->paths + frame->path_begin : NULL, (size_t)frame->path_length);
    add_path(scan, (const uint8_t *)"/", 1);
}

/* A key as a part of a JSON pointer: escapes of JSON undone, "~" and "/" written as ~0 and ~1. */
static slm_status read_key(struct scan *scan)
{
    if (!next_is(scan, '"')) {
        return fail_syntax(scan, "a key");
    }
    for (scan->at++; scan->at < scan->text.length && !next_is(scan, '"');) {
        uint8_t bytes[4] = {scan->text.data[scan->at]};
        size_t taken = 1, length = 1;
        if (bytes[0] == '\\') {
            const int32_t code = slm__json_escape(scan->text.data + scan->at, scan->text.data + scan->text.length, &taken);
            if (code < 0) {
                return fail_syntax(scan, "a valid escape");
            }
            length = slm__utf8_encode((uint32_t)code, bytes);
        }
        if (length == 1 && (bytes[0] == '~' || bytes[0] == '/')) {
            add_path(scan, (const uint8_t *)(bytes[0] == '~' ? "~0" : "~1"), 2);
        } else {
            add_path(scan, bytes, length);
        }
        scan->at += taken;
    }
    scan->at++;
    skip_space(scan);
    if (!next_is(scan, ':')) {
        return fail_syntax(scan, "a colon");
    }
    scan->at++;
    skip_space(scan);
    return SLM_OK;
}

static void add_index(struct scan *scan, uint64_t index)
{
    uint8_t digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (uint8_t)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    add_path(scan, digits + first, sizeof digits - first);
}

static slm_status skip_scalar(struct scan *scan)
{
    const size_t begin = scan->at;
    if (next_is(scan, '"')) {
        for (scan->at++; scan->at < scan->text.length && !next_is(scan, '"');) {
            scan->at += next_is(scan, '\\') ? 2 : 1;
        }
        if (scan->at >= scan->text.length) {
            scan->at = scan->text.length;
            return fail_syntax(scan, "the end of a string");
        }
        scan->at++;
        return SLM_OK;
    }
    while (scan->at < scan->text.length && memchr(",:]}[{\" \t\r\n", scan->text.data[scan->at], 11) == NULL) {
        scan->at++;
    }
    return scan->at > begin ? SLM_OK : fail_syntax(scan, "a value");
}

static void end_field(struct scan *scan, uint64_t field)
{
    if (scan->result->fields != NULL) {
        scan->result->fields[field].length = scan->at - scan->result->fields[field].begin;
    }
}

/* The next value begins here, and its path at `path`. *open: it is a container that holds something. */
static slm_status begin_value(struct scan *scan, uint64_t path, bool *open)
{
    struct slm_answer_fields *result = scan->result;
    const uint64_t field = result->count++;
    if (result->fields != NULL) {
        result->fields[field] = (slm_answer_field){
            .struct_size = sizeof *result->fields, .path_begin = path, .path_length = result->path_bytes - path, .begin = scan->at};
    }
    *open = next_is(scan, '{') || next_is(scan, '[');
    if (!*open) {
        SLM_TRY(skip_scalar(scan));
        end_field(scan, field);
        return SLM_OK;
    }
    if (scan->depth == SLM_ANSWER_DEPTH) {
        return slm__fail(scan->error, SLM_E_LIMIT, "the answer is nested deeper than %d levels", SLM_ANSWER_DEPTH);
    }
    const bool object = next_is(scan, '{');
    scan->frames[scan->depth++] = (struct frame){field, path, result->path_bytes - path, 0, object};
    scan->at++;
    skip_space(scan);
    *open = !next_is(scan, object ? '}' : ']');
    return SLM_OK;
}

/* Behind a value: containers that end here are closed; *more: a further value follows. */
static slm_status end_values(struct scan *scan, bool *more)
{
    for (*more = false; scan->depth > 0; scan->depth--) {
        struct frame *frame = &scan->frames[scan->depth - 1];
        skip_space(scan);
        if (next_is(scan, ',')) {
            scan->at++;
            skip_space(scan);
            *more = true;
            return SLM_OK;
        }
        if (!next_is(scan, frame->object ? '}' : ']')) {
            return fail_syntax(scan, frame->object ? "a comma or }" : "a comma or ]");
        }
        scan->at++;
        end_field(scan, frame->field);
    }
    return SLM_OK;
}

slm_status slm__answer_fields_list(struct slm_span text, struct slm_answer_fields *result, slm_error *error)
{
    struct scan scan = {.text = text, .result = result, .error = error};
    bool more = true;
    result->count = result->path_bytes = 0;
    skip_space(&scan);
    while (more) {
        const uint64_t path = result->path_bytes;
        if (scan.depth > 0) {
            begin_path(&scan);
            if (scan.frames[scan.depth - 1].object) {
                SLM_TRY(read_key(&scan));
            } else {
                add_index(&scan, scan.frames[scan.depth - 1].index++);
            }
        }
        SLM_TRY(begin_value(&scan, path, &more));
        if (!more) {
            SLM_TRY(end_values(&scan, &more));
        }
    }
    skip_space(&scan);
    return scan.at == text.length ? SLM_OK : fail_syntax(&scan, "the end of the text");
}

void slm__answer_fields_add(struct slm_answer_fields *result, uint64_t begin, uint64_t end, float allowed_logprob, float logprob)
{
    for (uint64_t i = 0; i < result->count && result->fields[i].begin <= begin + (end > begin ? end - begin - 1 : 0); i++) {
        slm_answer_field *field = &result->fields[i];
        if (begin < field->begin + field->length) {
            field->tokens++;
            field->probability += (double)allowed_logprob;
            field->probability_unconstrained += (double)logprob;
        }
    }
}
