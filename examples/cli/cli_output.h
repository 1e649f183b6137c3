/* SPDX-License-Identifier: MIT */
/*
 * What the program says: results through a checked stream, complaints on standard error as "slm COMMAND: sentence".
 * Exit codes: CLI_OK, CLI_FAILED (the message says what, where, what to do), CLI_USAGE.
 */
#ifndef SLM_CLI_OUTPUT_H
#define SLM_CLI_OUTPUT_H

#include "examples/cli/cli_text.h" /* struct cli_text */

#include <slm.h>

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* Standard output. Every write is checked; the first failure is kept. */
struct cli_output {
    FILE *file;
    int error; /* errno of the first write that failed; 0: none */
};

struct cli_output cli_output_stdout(void);
/* Each returns 0, or -1 when this or an earlier write failed. */
int cli_put(struct cli_output *output, const char *bytes, size_t length);
int cli_put_text(struct cli_output *output, const struct cli_text *text);
int cli_put_format(struct cli_output *output, const char *format, ...);
int cli_put_flush(struct cli_output *output);
/* Flush; CLI_OK, or CLI_FAILED with a message (a closed pipe fails without one). */
int cli_output_finish(struct cli_output *output, const char *command);

/* "slm COMMAND: ..." on standard error. Return the exit code that belongs to it. */
int cli_fail(const char *command, const char *format, ...);
int cli_fail_usage(const char *command, const char *format, ...);
int cli_fail_library(const char *command, slm_status status, const slm_error *error);
int cli_fail_memory(const char *command);
/* "slm COMMAND: note: ..." or another word in place of `kind`. */
void cli_remark(const char *command, const char *kind, const char *format, ...);

#endif
