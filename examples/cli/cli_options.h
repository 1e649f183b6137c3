/* SPDX-License-Identifier: MIT */
/*
 * Command-line options as tables. A command is one struct cli_command: its option groups say what each option
 * is called, what it takes and where its value goes (an offset into the command's own struct of values), and
 * the text of --help is made from the same rows.
 */
#ifndef SLM_CLI_OPTIONS_H
#define SLM_CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum cli_option_kind {
    CLI_FLAG,    /* no value; int32_t becomes 1 */
    CLI_STRING,  /* const char * */
    CLI_INTEGER, /* int64_t within [minimum, maximum] */
    CLI_U64,     /* uint64_t, any */
    CLI_NUMBER,  /* double within [minimum, maximum] */
    CLI_STRINGS  /* struct cli_strings; may be given several times */
};

/* Words of the command line, in order; pointers into argv. */
struct cli_strings {
    const char **items;
    size_t count;
};

struct cli_option {
    const char *name;       /* "--threads" */
    const char *short_name; /* "-t", or NULL */
    const char *value_name; /* "N"; NULL for a flag */
    const char *help;       /* one sentence; "\n" starts a further line */
    enum cli_option_kind kind;
    size_t offset;  /* of the value within the group's struct */
    double minimum; /* of an integer or number; both 0: no limit */
    double maximum;
};

struct cli_option_group {
    const struct cli_option *options;
    size_t count;
    size_t offset; /* of the group's struct within the command's values */
};

enum { CLI_GROUPS = 5 };

struct cli_command {
    const char *name;
    const char *summary;   /* one line for 'slm --help' */
    const char *arguments; /* "SRC -o OUT.slm [OPTIONS]" */
    const char *notes;     /* paragraphs after the options, or NULL */
    struct cli_option_group groups[CLI_GROUPS];
    int (*run)(int argc, char **argv); /* the words after the command; gives the exit code */
};

/* Go through the words of a command line: values go into `values`, other words to `arguments` (any list may be freed
 * with cli_strings_free). Returns -1 to go on, or the exit code: 0 after --help, 1 or 2 with a message. */
int cli_options_parse(const struct cli_command *command, int argc, char **argv, void *values, struct cli_strings *arguments);
void cli_strings_free(struct cli_strings *strings);
/* The --help text of a command, on standard output; gives the exit code. */
int cli_options_help(const struct cli_command *command);
/* Of `count` names the one most like `word`, or NULL when none is close. */
const char *cli_closest_name(const char *word, const char *const *names, size_t count);

#endif
