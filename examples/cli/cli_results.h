/* SPDX-License-Identifier: MIT */
/* Rows of results, written one by one to a file that an interrupted run can go on with, or to standard output. */
#ifndef SLM_CLI_RESULTS_H
#define SLM_CLI_RESULTS_H

#include "examples/cli/cli_csv.h"    /* struct cli_csv */
#include "examples/cli/cli_output.h" /* struct cli_output */

struct cli_results {
    const char *command;
    const char *path; /* NULL: standard output */
    struct cli_output output;
    const struct cli_text *header; /* NULL: lines */
    int resuming;                  /* rows of the run before are being read */
    int64_t end;                   /* of the last complete one */
    struct cli_csv csv;
    struct cli_text line;
};

/* `header` is the first line of a CSV file with its line feed, NULL for JSON lines; it must stay. A file that exists is refused unless it
 * is to be resumed: then cli_results_next() gives its rows. Returns -1 to go on, or the exit code after a message. */
int cli_results_open(struct cli_results *results, const char *command, const char *path, int resume, const struct cli_text *header);
/* The next row of the run before, without its line end. 1: a complete one; 0: what is left of one, perhaps nothing: the last. */
int cli_results_next(struct cli_results *results, const struct cli_text **row);
/* Cut off what is behind the complete rows; new ones follow. -1 to go on, or the exit code after a message. */
int cli_results_cut(struct cli_results *results);
/* Write a row with its line feed, and flush. */
int cli_results_put(struct cli_results *results, const struct cli_text *row);
/* CLI_OK, or the exit code after a message. */
int cli_results_close(struct cli_results *results);

#endif
