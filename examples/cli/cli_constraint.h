/* SPDX-License-Identifier: MIT */
/* --schema, --regex, --grammar: what the answers of run and chat may look like. */
#ifndef SLM_CLI_CONSTRAINT_H
#define SLM_CLI_CONSTRAINT_H

#include "examples/cli/cli_model.h" /* struct cli_model */

struct cli_constraint_options {
    const char *schema;
    const char *regex;
    const char *grammar;
    int32_t no_jump;
};

enum { CLI_CONSTRAINT_ROWS = 4 };
extern const struct cli_option cli_constraint_rows[CLI_CONSTRAINT_ROWS];

/* A compiled grammar and what a session needs for it; all zero: answers are free. */
struct cli_constraint {
    slm_grammar *grammar;
    uint64_t grammar_bytes; /* for the options of a session */
};

/* None of them is given. */
int cli_constraint_is_free(const struct cli_constraint_options *options);
/* At most one is given. -1, or the exit code after a message. */
int cli_constraint_check(const char *command, const struct cli_constraint_options *options);
/* Read the file and compile it; nothing happens when no option is given. -1, or the exit code after a message. */
int cli_constraint_open(struct cli_constraint *constraint, const struct cli_model *opened, const struct cli_constraint_options *options);
/* The demonstration model's schema in place of an option. -1, or the exit code after a message. */
int cli_constraint_open_demonstration(struct cli_constraint *constraint, const struct cli_model *opened);
/* Give the grammar to a session that was created with grammar_bytes. -1, or the exit code after a message. */
int cli_constraint_set(const struct cli_constraint *constraint, const struct cli_model *opened, slm_session *session);
/* After the sessions, before the model. */
void cli_constraint_close(struct cli_constraint *constraint);

#endif
