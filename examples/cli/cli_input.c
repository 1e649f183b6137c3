/* SPDX-License-Identifier: MIT */
/* A folder can be opened as a file is, on some systems, and fails at the first byte: it is told before (see cli_input.h). */
#include "examples/cli/cli_input.h" /* cli_input_open */

#include "examples/cli/cli_output.h" /* cli_fail */
#include "examples/cli/cli_system.h" /* cli_file_open, cli_path_kind */

#include <errno.h>
#include <string.h>

FILE *cli_input_open(const char *command, const char *path, const char *expected)
{
    if (cli_path_kind(path) == CLI_PATH_FOLDER) {
        (void)cli_fail(command, "%s is a folder; %s is expected", path, expected);
        return NULL;
    }
    FILE *file = cli_file_open(path, "rb");
    if (file == NULL) {
        (void)cli_fail(command, "%s: %s", path, strerror(errno));
    }
    return file;
}

int cli_input_read(const char *command, const char *path, const char *expected, struct cli_text *text)
{
    FILE *file = cli_input_open(command, path, expected);
    if (file == NULL) {
        return CLI_FAILED;
    }
    const int status = cli_text_read_all(text, file);
    (void)fclose(file);
    return status == 0 ? -1 : cli_fail(command, "%s: reading failed", path);
}
