/* SPDX-License-Identifier: MIT */
/* JSON lines: one object per line of standard input, and the token ids in it. What the commands with --jsonl share. */
#ifndef SLM_CLI_LINES_H
#define SLM_CLI_LINES_H

#include "examples/cli/cli_json.h"   /* struct cli_json */
#include "examples/cli/cli_prompt.h" /* struct cli_ids */

/* Take the object of one line. Returns -1 to go on, or the exit code after a message; *wrong (NULL before) says what is wrong with the
 * line, "" that the failure is none of the line's. */
typedef int cli_line_fn(void *context, const struct cli_json *json, const char **wrong);

/* Read standard input to its end; empty lines are skipped, messages name the line. `example` is an object as it should be. */
int cli_lines_each(const char *command, const char *example, cli_line_fn *take, void *context);
/* Add the whole numbers of a list behind `ids`. NULL, or what is wrong. */
const char *cli_lines_add_ids(const struct cli_json_value *list, struct cli_ids *ids);

#endif
