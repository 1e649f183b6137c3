/* SPDX-License-Identifier: MIT */
/* Rows of results, written one by one to a file that an interrupted run can go on with, or to standard output. */
#ifndef SLM_CLI_RESULTS_H
#define SLM_CLI_RESULTS_H

#include "examples/cli/cli_output.h" /* struct cli_output */

struct cli_results {
    const char *command;
    const char *path; /* NULL: standard output */
    struct cli_output output;
    uint64_t rows; /* that were there already */
};

/* `header` is the first line of a CSV file with its line feed, NULL for JSON lines. To resume, complete rows of the file are counted and
 * what is behind them is cut off; else a file that exists is refused. Returns -1 to go on, or the exit code after a message. */
int cli_results_open(struct cli_results *results, const char *command, const char *path, int resume, const struct cli_text *header);
/* Write a row with its line feed, and flush. */
int cli_results_put(struct cli_results *results, const struct cli_text *row);
/* CLI_OK, or the exit code after a message. */
int cli_results_close(struct cli_results *results);

#endif
