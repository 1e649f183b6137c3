/* SPDX-License-Identifier: MIT */
/*
 * The option tables at work (see cli_options.h). "--name value" and "--name=value" are the same, "--" ends the
 * options, "-" alone is an argument. Numbers are read with strtod and strtoll: the program never calls
 * setlocale(), so the decimal point is a point.
 */
#include "examples/cli/cli_options.h" /* struct cli_command */

#include "examples/cli/cli_output.h" /* cli_fail_usage, struct cli_output */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Levenshtein distance of two short names; 99 for long ones. One row of the usual table is kept. */
static size_t name_distance(const char *a, const char *b)
{
    size_t row[48];
    const size_t length_a = strlen(a);
    const size_t length_b = strlen(b);
    if (length_a >= 47 || length_b >= 47) {
        return 99;
    }
    for (size_t j = 0; j <= length_b; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= length_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            const size_t moved = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = replaced < moved ? replaced : moved;
        }
    }
    return row[length_b];
}

const char *cli_closest_name(const char *word, const char *const *names, size_t count)
{
    const char *closest = NULL;
    size_t least = strlen(word) / 3 + 2; /* names farther off than about a third are no help */
    for (size_t i = 0; i < count; i++) {
        const size_t distance = name_distance(word, names[i]);
        if (distance < least) {
            least = distance;
            closest = names[i];
        }
    }
    return closest;
}

static int unknown_option(const struct cli_command *command, const char *word)
{
    const char *names[64];
    size_t count = 0;
    for (size_t g = 0; g < CLI_GROUPS; g++) {
        for (size_t i = 0; i < command->groups[g].count && count < 64; i++) {
            names[count++] = command->groups[g].options[i].name;
        }
    }
    const char *hint = cli_closest_name(word, names, count);
    return hint != NULL ? cli_fail_usage(command->name, "unknown option '%s'; did you mean '%s'?", word, hint)
                        : cli_fail_usage(command->name, "unknown option '%s'", word);
}

/* Append a word. `most` is the number of words on the command line, so one allocation is enough. */
static int add_string(struct cli_strings *strings, const char *word, size_t most)
{
    if (strings->items == NULL) {
        strings->items = calloc(most + 1, sizeof *strings->items);
        if (strings->items == NULL) {
            return -1;
        }
    }
    strings->items[strings->count++] = word;
    return 0;
}

void cli_strings_free(struct cli_strings *strings)
{
    free((void *)strings->items);
    *strings = (struct cli_strings){0};
}

static int out_of_range(const struct cli_option *option, double value)
{
    return (option->minimum != 0 || option->maximum != 0) && !(value >= option->minimum && value <= option->maximum);
}

static int store_number(const struct cli_command *command, const struct cli_option *option, const char *word, void *place)
{
    char *end = NULL;
    double value = 0;
    errno = 0;
    if (option->kind == CLI_INTEGER) {
        const long long integer = strtoll(word, &end, 10);
        value = (double)integer;
        *(int64_t *)place = (int64_t)integer;
    } else {
        value = strtod(word, &end);
        *(double *)place = value;
    }
    if (end == word || *end != '\0' || errno != 0 || value != value) {
        return cli_fail_usage(command->name, "option '%s' takes %s, not '%s'", option->name,
                              option->kind == CLI_INTEGER ? "a whole number" : "a number", word);
    }
    if (out_of_range(option, value)) {
        return cli_fail_usage(command->name, "option '%s' takes a number from %.12g to %.12g, not %s", option->name, option->minimum,
                              option->maximum, word);
    }
    return -1;
}

static int store_u64(const struct cli_command *command, const struct cli_option *option, const char *word, uint64_t *place)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end != '\0' || errno != 0 || value > UINT64_MAX) { /* strtoull takes blanks and a minus */
        return cli_fail_usage(command->name, "option '%s' takes a whole number from 0 to %llu, not '%s'", option->name,
                              (unsigned long long)UINT64_MAX, word);
    }
    *place = (uint64_t)value;
    return -1;
}

static int store_value(const struct cli_command *command, const struct cli_option *option, const char *word, void *place, size_t most)
{
    switch (option->kind) {
    case CLI_FLAG: *(int32_t *)place = 1; return -1;
    case CLI_STRING: *(const char **)place = word; return -1;
    case CLI_STRINGS: return add_string(place, word, most) == 0 ? -1 : cli_fail_memory(command->name);
    case CLI_U64: return store_u64(command, option, word, place);
    case CLI_INTEGER:
    case CLI_NUMBER: break;
    }
    return store_number(command, option, word, place);
}

/* The row of "--name", "--name=value" or "-n", and where its group's values lie. */
static const struct cli_option *find_option(const struct cli_command *command, const char *word, size_t *group_offset)
{
    const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    const size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    for (size_t g = 0; g < CLI_GROUPS; g++) {
        const struct cli_option_group *group = &command->groups[g];
        for (size_t i = 0; i < group->count; i++) {
            const struct cli_option *option = &group->options[i];
            const int is_long = strncmp(option->name, word, length) == 0 && option->name[length] == '\0';
            if (is_long || (option->short_name != NULL && strcmp(option->short_name, word) == 0)) {
                *group_offset = group->offset;
                return option;
            }
        }
    }
    return NULL;
}

/* One option at argv[*index]; moves *index over a value in a word of its own. */
static int parse_option(const struct cli_command *command, int argc, char **argv, int *index, void *values)
{
    const char *word = argv[*index];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        return cli_options_help(command);
    }
    size_t group_offset = 0;
    const struct cli_option *option = find_option(command, word, &group_offset);
    if (option == NULL) {
        return unknown_option(command, word);
    }
    const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (option->kind == CLI_FLAG && value != NULL) {
        return cli_fail_usage(command->name, "option '%s' takes no value", option->name);
    }
    if (option->kind != CLI_FLAG && value == NULL) {
        if (*index + 1 >= argc) {
            return cli_fail_usage(command->name, "option '%s' needs a value: %s", word, option->value_name);
        }
        value = argv[++*index];
    }
    return store_value(command, option, value, (char *)values + group_offset + option->offset, (size_t)argc);
}

int cli_options_parse(const struct cli_command *command, int argc, char **argv, void *values, struct cli_strings *arguments)
{
    int only_arguments = 0;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            if (add_string(arguments, word, (size_t)argc) != 0) {
                return cli_fail_memory(command->name);
            }
        } else if (strcmp(word, "--") == 0) {
            only_arguments = 1;
        } else {
            const int code = parse_option(command, argc, argv, &i, values);
            if (code >= 0) {
                return code;
            }
        }
    }
    return -1;
}

/* The help text in a column of its own; a line feed in it starts a further line there. */
static void print_help_row(struct cli_output *output, const char *left, const char *help)
{
    enum { COLUMN = 30 };
    (void)cli_put_format(output, "  %-*s", COLUMN - 2, left);
    if (strlen(left) > COLUMN - 3) {
        (void)cli_put_format(output, "\n%*s", COLUMN, "");
    }
    for (;;) {
        const char *end = strchr(help, '\n');
        const size_t length = end != NULL ? (size_t)(end - help) : strlen(help);
        (void)cli_put(output, help, length);
        (void)cli_put(output, "\n", 1);
        if (end == NULL) {
            return;
        }
        (void)cli_put_format(output, "%*s", COLUMN, "");
        help = end + 1;
    }
}

int cli_options_help(const struct cli_command *command)
{
    struct cli_output output = cli_output_stdout();
    (void)cli_put_format(&output, "slm %s: %s\n\nusage: slm %s %s\n\n", command->name, command->summary, command->name, command->arguments);
    for (size_t g = 0; g < CLI_GROUPS; g++) {
        for (size_t i = 0; i < command->groups[g].count; i++) {
            const struct cli_option *option = &command->groups[g].options[i];
            char left[96];
            (void)snprintf(left, sizeof left, "%s%s%s%s%s", option->short_name != NULL ? option->short_name : "",
                           option->short_name != NULL ? ", " : "", option->name, option->value_name != NULL ? " " : "",
                           option->value_name != NULL ? option->value_name : "");
            print_help_row(&output, left, option->help);
        }
    }
    print_help_row(&output, "-h, --help", "This text.");
    if (command->notes != NULL) {
        (void)cli_put_format(&output, "\n%s\n", command->notes);
    }
    return cli_output_finish(&output, command->name);
}
