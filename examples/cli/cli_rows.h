/* SPDX-License-Identifier: MIT */
/* Rows of a CSV or JSON-lines file, in order: a text, perhaps its label, and the row as it stands. */
#ifndef SLM_CLI_ROWS_H
#define SLM_CLI_ROWS_H

#include "examples/cli/cli_csv.h"     /* struct cli_csv */
#include "examples/cli/cli_json.h"    /* struct cli_json */
#include "examples/cli/cli_options.h" /* struct cli_option */

/* Where the rows are; rows of the options. */
struct cli_rows_options {
    const char *in;
    const char *column;
    const char *format;
};
extern const struct cli_option cli_rows_rows[];
enum { CLI_ROWS_ROWS = 3 };

struct cli_rows {
    const char *command; /* for messages */
    const char *name;    /* of the file */
    FILE *file;
    int is_csv;
    const char *columns[2]; /* of text and label; NULL: none is wanted */
    size_t indices[2];      /* of these columns in a CSV file */
    size_t fields;          /* of its header */
    uint64_t size;          /* of the file, 0 when that is not known */
    uint64_t number;        /* rows read so far */
    struct cli_csv csv;
    struct cli_json json;
    struct cli_text line;
    const char *texts[2]; /* of the row: text and label */
    size_t lengths[2];
};

/* Open options->in ("-": standard input). A name that ends in .csv is CSV, others are JSON lines, unless the format is "csv" or "jsonl".
 * The header of a CSV file is read: rows->csv.raw. -1 to go on, or the exit code after a message. */
int cli_rows_open(struct cli_rows *rows, const char *command, const struct cli_rows_options *options, const char *label_column);
/* 1: a row; 0: the end; else -1 after a message. */
int cli_rows_next(struct cli_rows *rows);
/* Bytes read so far. */
uint64_t cli_rows_position(const struct cli_rows *rows);
void cli_rows_close(struct cli_rows *rows);

#endif
