/* SPDX-License-Identifier: MIT */
/* Grammars from the command line (see cli_constraint.h). */
#include "examples/cli/cli_constraint.h" /* struct cli_constraint */

#include "examples/cli/cli_input.h"  /* cli_input_read */
#include "examples/cli/cli_output.h" /* cli_fail */

#include <string.h>

/* examples/demo/schema.json, made by embed_file */
extern const unsigned char slm_demo_schema[];
extern const unsigned long long slm_demo_schema_length;

const struct cli_option cli_constraint_rows[CLI_CONSTRAINT_ROWS] = {
    {"--schema", NULL, "F.json", "The answer is JSON that this JSON Schema allows.", CLI_STRING,
     offsetof(struct cli_constraint_options, schema), 0, 0},
    {"--regex", NULL, "R", "The answer matches this regular expression, from its begin to its end.", CLI_STRING,
     offsetof(struct cli_constraint_options, regex), 0, 0},
    {"--grammar", NULL, "F", "The answer follows these rules, as in: root ::= \"yes\" | \"no\".", CLI_STRING,
     offsetof(struct cli_constraint_options, grammar), 0, 0},
    {"--no-jump", NULL, NULL, "Let the model choose every token, also where these leave no choice.", CLI_FLAG,
     offsetof(struct cli_constraint_options, no_jump), 0, 0},
};

static int count_given(const struct cli_constraint_options *options)
{
    return (options->schema != NULL) + (options->regex != NULL) + (options->grammar != NULL);
}

int cli_constraint_is_free(const struct cli_constraint_options *options) { return count_given(options) == 0; }

int cli_constraint_check(const char *command, const struct cli_constraint_options *options)
{
    return count_given(options) <= 1 ? -1 : cli_fail_usage(command, "--schema, --regex and --grammar exclude each other: give one of them");
}

static int compile(struct cli_constraint *constraint, const struct cli_model *opened, int32_t kind, const char *name, const char *text,
                   size_t length)
{
    slm_error error = cli_error_empty();
    const slm_matcher_options usual = {.struct_size = sizeof usual, .history = 1};
    slm_status status = slm_grammar_compile(opened->engine, kind, text, length, NULL, &constraint->grammar, &error);
    if (status != SLM_OK) {
        return cli_fail(opened->command, "%s: %s", name, error.message);
    }
    status = slm_matcher_plan(opened->model, constraint->grammar, &usual, &constraint->grammar_bytes, &error);
    return status == SLM_OK ? -1 : cli_fail_library(opened->command, status, &error);
}

int cli_constraint_open(struct cli_constraint *constraint, const struct cli_model *opened, const struct cli_constraint_options *options)
{
    const char *path = options->schema != NULL ? options->schema : options->grammar;
    if (options->regex != NULL) {
        return compile(constraint, opened, SLM_GRAMMAR_REGEX, "--regex", options->regex, strlen(options->regex));
    }
    if (path == NULL) {
        return -1;
    }
    struct cli_text source = {0};
    const char *expected = options->schema != NULL ? "a file with a JSON Schema" : "a file with a grammar";
    int code = cli_input_read(opened->command, path, expected, &source);
    if (code < 0) {
        const int32_t kind = options->schema != NULL ? SLM_GRAMMAR_SCHEMA : SLM_GRAMMAR_GBNF;
        code = compile(constraint, opened, kind, path, source.bytes != NULL ? source.bytes : "", source.length);
    }
    cli_text_free(&source);
    return code;
}

int cli_constraint_open_demonstration(struct cli_constraint *constraint, const struct cli_model *opened)
{
    return compile(constraint, opened, SLM_GRAMMAR_SCHEMA, "the demonstration's schema", (const char *)slm_demo_schema,
                   (size_t)slm_demo_schema_length);
}

int cli_constraint_set(const struct cli_constraint *constraint, const struct cli_model *opened, slm_session *session)
{
    slm_error error = cli_error_empty();
    const slm_status status = constraint->grammar != NULL ? slm_session_set_grammar(session, constraint->grammar, &error) : SLM_OK;
    return status == SLM_OK ? -1 : cli_fail_library(opened->command, status, &error);
}

void cli_constraint_close(struct cli_constraint *constraint)
{
    (void)slm_grammar_destroy(constraint->grammar);
    constraint->grammar = NULL;
}
