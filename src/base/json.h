/* SPDX-License-Identifier: MIT */
/* Strict JSON (RFC 8259) into a tree in an arena. Text of numbers is kept. Duplicate keys are kept and flagged. */
#ifndef SLM_BASE_JSON_H
#define SLM_BASE_JSON_H

#include "base/arena.h"  /* struct slm_arena */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

enum slm_json_type { SLM_JSON_NULL, SLM_JSON_FALSE, SLM_JSON_TRUE, SLM_JSON_NUMBER, SLM_JSON_STRING, SLM_JSON_ARRAY, SLM_JSON_OBJECT };

struct slm_json {
    enum slm_json_type type;
    bool duplicate_keys;    /* OBJECT: some key occurs more than once */
    uint32_t count;         /* ARRAY: items; OBJECT: members */
    struct slm_span text;   /* NUMBER: as written; STRING: decoded UTF-8 (may hold NUL) */
    struct slm_json *items; /* ARRAY, OBJECT: the values, in order */
    struct slm_span *keys;  /* OBJECT: keys[i] belongs to items[i] */
    uint64_t offset;        /* of the value's first byte in the source */
};

enum { SLM_JSON_DEPTH = 128 }; /* deeper nesting is SLM_E_LIMIT */

/* Parse one value with nothing but white space around it. The tree lives in `arena` and may point into `source`, which has to stay.
 * Errors: SLM_E_SYNTAX "line L, column C: ...", SLM_E_ENCODING (invalid UTF-8), SLM_E_LIMIT, SLM_E_NO_MEMORY. A lone surrogate escape is
 * a SLM_E_SYNTAX. A leading byte order mark is refused. */
slm_status slm__json_parse(struct slm_arena *arena, struct slm_span source, const struct slm_json **root, slm_error *error);

/* The character that the escape at `at` (its backslash) stands for, -1: it is none. *length: bytes of the escape. */
int32_t slm__json_escape(const uint8_t *at, const uint8_t *end, size_t *length);

/* Member of an object by key (the last of duplicates), or NULL; also NULL when `object` is NULL or no object. */
const struct slm_json *slm__json_get(const struct slm_json *object, const char *key);
/* As slm__json_get, but JSON null counts as absent. */
const struct slm_json *slm__json_present(const struct slm_json *object, const char *key);
bool slm__json_is_string(const struct slm_json *value, const char *text);
bool slm__json_is_true(const struct slm_json *value);
/* Number as integer or double; false when `value` is NULL, no number, or (integers) has a fraction or does not fit. "100000.0" is an
 * integer. Doubles: too large is infinity. */
bool slm__json_i64(const struct slm_json *value, int64_t *result);
bool slm__json_f64(const struct slm_json *value, double *result);

#endif
