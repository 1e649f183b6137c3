/* SPDX-License-Identifier: MIT */
/*
 * A small strict JSON reader (RFC 8259, UTF-8 only, no duplicate judgement: the last key of a name counts) for the lines
 * and files that the commands take, and the writing of JSON strings and numbers.
 */
#ifndef SLM_CLI_JSON_H
#define SLM_CLI_JSON_H

#include "examples/cli/cli_text.h" /* struct cli_text */

enum cli_json_kind { CLI_JSON_NULL, CLI_JSON_FALSE, CLI_JSON_TRUE, CLI_JSON_NUMBER, CLI_JSON_STRING, CLI_JSON_ARRAY, CLI_JSON_OBJECT };

enum { CLI_JSON_DEPTH = 256 }; /* arrays and objects within one another */

/* A value. Values lie in one array in the order of the text, so that the first element of an array or object follows it. */
struct cli_json_value {
    enum cli_json_kind kind;
    uint32_t key_length;
    const char *key;    /* of an object's member, decoded; NULL elsewhere */
    const char *text;   /* string: decoded (may hold NUL); number: as written */
    size_t length;      /* bytes of text; for arrays and objects the number of elements */
    const char *source; /* the value as it is written */
    size_t source_length;
    size_t next; /* index of the value that follows this one and all in it */
};

/* A parsed document; reuse it for many, free it once. */
struct cli_json {
    struct cli_json_value *values; /* values[0] is the document */
    size_t count;
    size_t capacity;
    char *strings; /* decoded strings, never longer than their source */
    size_t strings_capacity;
    const char *problem; /* what is wrong, after a failure */
    size_t position;     /* and at which byte */
};

/* Parse one document; `source` must stay as long as numbers are looked at. 0, or -1 with problem and position. */
int cli_json_parse(struct cli_json *json, const char *source, size_t length);
void cli_json_free(struct cli_json *json);
/* The member of an object, or NULL. */
const struct cli_json_value *cli_json_member(const struct cli_json *json, const struct cli_json_value *object, const char *key);
/* A number that is an integer in [minimum, maximum]: 0; else -1. */
int cli_json_integer(const struct cli_json_value *value, int64_t minimum, int64_t maximum, int64_t *result);

/* Add a value in one form: no white space, keys in their order, numbers as they were written. */
void cli_json_add_value(struct cli_text *text, const struct cli_json *json, const struct cli_json_value *value);
/* Add a JSON string, quotes included. */
void cli_json_add_string(struct cli_text *text, const char *bytes, size_t length);
/* The same of any bytes: what is no UTF-8 becomes U+FFFD. */
void cli_json_add_lossy(struct cli_text *text, const char *bytes, size_t length);
/* Add a number with 9 significant digits; "null" for one that is not finite. */
void cli_json_add_number(struct cli_text *text, double value);
/* Add [1,2,3]. */
void cli_json_add_ids(struct cli_text *text, const int32_t *ids, size_t count);

#endif
