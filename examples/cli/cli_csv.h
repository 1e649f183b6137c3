/* SPDX-License-Identifier: MIT */
/* Comma-separated values (RFC 4180): one record at a time from a stream, quoted fields with commas, quotes and line ends. */
#ifndef SLM_CLI_CSV_H
#define SLM_CLI_CSV_H

#include "examples/cli/cli_text.h" /* struct cli_text */

struct cli_csv {
    struct cli_text raw;  /* the record as it stands, without the line end */
    struct cli_text data; /* its fields, decoded, a NUL behind each */
    size_t *begins;       /* of the fields in data */
    size_t count;
    size_t capacity;
    int ended;     /* the record ended with a line end */
    uint64_t line; /* of the file where the record began, from 1 */
    uint64_t next_line;
    const char *problem; /* after a failure */
};

/* 1: a record; 0: end of the file; -1: problem says what is wrong. An empty line is a record with one empty field. */
int cli_csv_read(struct cli_csv *csv, FILE *file);
const char *cli_csv_field(const struct cli_csv *csv, size_t index, size_t *length);
void cli_csv_free(struct cli_csv *csv);
/* Add a field, quoted where it has to be. */
void cli_csv_add(struct cli_text *text, const char *bytes, size_t length);

#endif
