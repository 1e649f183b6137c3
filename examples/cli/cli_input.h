/* SPDX-License-Identifier: MIT */
/* Files that an argument names, to be read: what is wrong with one is said with what was expected there. */
#ifndef SLM_CLI_INPUT_H
#define SLM_CLI_INPUT_H

#include "examples/cli/cli_text.h" /* struct cli_text */

/* expected: such as "a file of labels". The stream, or NULL after a message. */
FILE *cli_input_open(const char *command, const char *path, const char *expected);
/* All bytes of a file. -1 to go on, or the exit code after a message. */
int cli_input_read(const char *command, const char *path, const char *expected, struct cli_text *text);

#endif
