/* SPDX-License-Identifier: MIT */
/* slm: the command line of libslm. Finds the subcommand in the table and hands it the rest of the words. */
#include "examples/cli/commands.h" /* cli_command_... */

#include "examples/cli/cli_image.h"  /* cli_images_libraries */
#include "examples/cli/cli_output.h" /* cli_fail_usage, struct cli_output */
#include "examples/cli/cli_system.h" /* cli_system_begin */

#include <string.h>

static const struct cli_command *const commands[] = {
    &cli_command_run,       &cli_command_chat,    &cli_command_convert, &cli_command_inspect, &cli_command_tokenize,
    &cli_command_template,  &cli_command_logits,  &cli_command_embed,   &cli_command_score,   &cli_command_classify,
    &cli_command_calibrate, &cli_command_grammar, &cli_command_bench,
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int print_help(void)
{
    struct cli_output output = cli_output_stdout();
    (void)cli_put_format(&output, "slm: small language models on this machine's processor\n\nusage: slm COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        (void)cli_put_format(&output, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)cli_put_format(&output, "\n'slm COMMAND --help' lists the options of a command, 'slm --version' the version.\n"
                                  "Without -m FILE.slm the built-in demonstration model answers: try 'slm run'.\n"
                                  "Exit codes: 0 done, 1 failed (standard error says why), 2 wrong usage.\n");
    return cli_output_finish(&output, "");
}

static int print_version(void)
{
    struct cli_output output = cli_output_stdout();
    (void)cli_put_format(&output, "%s\n%s\n", slm_build_info(), cli_images_libraries());
    return cli_output_finish(&output, "");
}

static int unknown_command(const char *word)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i]->name;
    }
    const char *hint = cli_closest_name(word, names, COMMANDS);
    return hint != NULL ? cli_fail_usage("", "there is no command '%s'; did you mean '%s'?", word, hint)
                        : cli_fail_usage("", "there is no command '%s'", word);
}

int main(int argc, char **argv)
{
    argv = cli_system_begin(argc, argv);
    if (argc < 2) {
        return cli_fail_usage("", "a command is needed: run, chat, convert, inspect, tokenize, template, logits, embed, score, "
                                  "classify, calibrate, grammar or bench");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        return print_help();
    }
    if (strcmp(argv[1], "--version") == 0) {
        return print_version();
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0) {
            return commands[i]->run(argc - 2, argv + 2);
        }
    }
    return unknown_command(argv[1]);
}
