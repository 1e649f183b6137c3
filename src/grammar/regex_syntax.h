/* SPDX-License-Identifier: MIT */
/* The tree of a parsed pattern, and what the reader of escapes and classes shares with the parser. */
#ifndef SLM_GRAMMAR_REGEX_SYNTAX_H
#define SLM_GRAMMAR_REGEX_SYNTAX_H

#include "base/arena.h"       /* struct slm_arena */
#include "base/status.h"      /* slm_status, slm_error */
#include "grammar/code_set.h" /* struct slm_code_set */

enum slm_regex_kind {
    SLM_REGEX_EMPTY,
    SLM_REGEX_SET,      /* one character of `set` */
    SLM_REGEX_SEQUENCE, /* children one after another */
    SLM_REGEX_CHOICE,   /* one of the children */
    SLM_REGEX_REPEAT,   /* children[0], min to max times; max UINT32_MAX: no end */
    SLM_REGEX_START,    /* ^ */
    SLM_REGEX_END,      /* $ */
    SLM_REGEX_LOOK      /* children[0] matches (or, negative, does not) what follows, or what precedes (behind) */
};

struct slm_regex {
    enum slm_regex_kind kind;
    bool negative;
    bool behind;
    uint32_t min;
    uint32_t max;
    uint32_t count;
    const struct slm_regex **children;
    struct slm_code_set set;
};

struct slm_regex_reader {
    struct slm_arena *arena;
    struct slm_span text; /* valid UTF-8 */
    size_t position;
    uint32_t depth;
    const struct slm_regex *word; /* a word character, for \b; NULL: not needed yet */
    slm_error *error;
};

/* The character at the position (UINT32_MAX at the end), and the same while going past it. */
uint32_t slm__regex_peek(const struct slm_regex_reader *reader);
uint32_t slm__regex_take(struct slm_regex_reader *reader);
/* Go past `text` (ASCII) if it stands at the position. */
bool slm__regex_skip(struct slm_regex_reader *reader, const char *text);
/* "column N: ..." for the byte at `position`. */
slm_status slm__regex_fail(const struct slm_regex_reader *reader, slm_status status, size_t position, const char *what);

/* What stands behind a backslash. A single character: set.count 0 and `code`; a surrogate that has no partner is such a code. */
struct slm_regex_escape {
    bool is_set;
    uint32_t code;
    struct slm_code_set set;
};
slm_status slm__regex_escape(struct slm_regex_reader *reader, bool in_class, struct slm_regex_escape *escape);
/* What stands behind an opening bracket, up to the closing one. */
slm_status slm__regex_class(struct slm_regex_reader *reader, struct slm_code_set *set);

#endif
