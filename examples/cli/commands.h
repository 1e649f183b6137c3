/* SPDX-License-Identifier: MIT */
/* The subcommands: each file cmd_NAME.c holds one row, with its option tables and its function. */
#ifndef SLM_CLI_COMMANDS_H
#define SLM_CLI_COMMANDS_H

#include "examples/cli/cli_options.h" /* struct cli_command */

extern const struct cli_command cli_command_run;
extern const struct cli_command cli_command_chat;
extern const struct cli_command cli_command_convert;
extern const struct cli_command cli_command_inspect;
extern const struct cli_command cli_command_tokenize;
extern const struct cli_command cli_command_template;
extern const struct cli_command cli_command_logits;
extern const struct cli_command cli_command_embed;
extern const struct cli_command cli_command_grammar;
extern const struct cli_command cli_command_score;
extern const struct cli_command cli_command_classify;
extern const struct cli_command cli_command_calibrate;
extern const struct cli_command cli_command_bench;

#endif
