/* SPDX-License-Identifier: MIT */
/*
 * A growing run of bytes: what lines are read into and JSON is built in. An allocation that fails sets
 * `failed` and further additions do nothing, so that a caller checks once, at the end.
 */
#ifndef SLM_CLI_TEXT_H
#define SLM_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cli_text {
    char *bytes; /* a NUL follows the last byte, once anything was added */
    size_t length;
    size_t capacity;
    int failed;
};

/* Make room for `capacity` bytes and the NUL. 0, or -1 without memory. */
int cli_text_reserve(struct cli_text *text, size_t capacity);
void cli_text_add(struct cli_text *text, const char *bytes, size_t length);
void cli_text_add_string(struct cli_text *text, const char *string);
/* snprintf() at the end; at most 511 bytes. */
void cli_text_format(struct cli_text *text, const char *format, ...);
void cli_text_clear(struct cli_text *text);
void cli_text_free(struct cli_text *text);

/* Read up to and without the next line feed, of any length. 1: a line; 0: end of input; -1: no memory or a read
 * error; -2: a signal came. */
int cli_text_read_line(struct cli_text *text, FILE *file);
/* Read the rest of a file. 0, or -1: no memory or a read error. */
int cli_text_read_all(struct cli_text *text, FILE *file);

/* Bytes of the well-formed UTF-8 character at the start of `available` > 0 bytes, 0 when it is none. */
size_t cli_utf8_character(const char *text, size_t available);
/* Length of the longest valid prefix; `length` when all is valid UTF-8. */
size_t cli_utf8_valid_prefix(const char *text, size_t length);

#endif
