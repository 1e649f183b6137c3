/* SPDX-License-Identifier: MIT */
/* Checked standard output and messages on standard error (see cli_output.h). */
#include "examples/cli/cli_output.h" /* struct cli_output, cli_fail */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

struct cli_output cli_output_stdout(void) { return (struct cli_output){stdout, 0}; }

static int note_failure(struct cli_output *output)
{
    if (output->error == 0) {
        output->error = errno != 0 ? errno : EIO;
    }
    return -1;
}

int cli_put(struct cli_output *output, const char *bytes, size_t length)
{
    if (output->error != 0) {
        return -1;
    }
    errno = 0;
    return length > 0 && fwrite(bytes, 1, length, output->file) != length ? note_failure(output) : 0;
}

int cli_put_text(struct cli_output *output, const struct cli_text *text)
{
    if (text->failed && output->error == 0) {
        output->error = ENOMEM;
    }
    return cli_put(output, text->bytes, text->length);
}

int cli_put_format(struct cli_output *output, const char *format, ...)
{
    if (output->error != 0) {
        return -1;
    }
    va_list arguments;
    va_start(arguments, format);
    errno = 0;
    const int written = vfprintf(output->file, format, arguments);
    va_end(arguments);
    return written < 0 ? note_failure(output) : 0;
}

int cli_put_flush(struct cli_output *output)
{
    if (output->error != 0) {
        return -1;
    }
    errno = 0;
    return fflush(output->file) != 0 ? note_failure(output) : 0;
}

int cli_output_finish(struct cli_output *output, const char *command)
{
    if (cli_put_flush(output) == 0) {
        return CLI_OK;
    }
    if (output->error != EPIPE) {
        (void)cli_fail(command, "cannot write to standard output: %s", strerror(output->error));
    }
    return CLI_FAILED;
}

/* Nothing can be done when standard error itself cannot be written, so those results are not looked at. */
static void complain(const char *command, const char *kind, const char *format, va_list arguments)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "slm%s%s: ", command[0] != '\0' ? " " : "", command);
    if (kind != NULL) {
        (void)fprintf(stderr, "%s: ", kind);
    }
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
}

int cli_fail(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(command, NULL, format, arguments);
    va_end(arguments);
    return CLI_FAILED;
}

int cli_fail_usage(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(command, NULL, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "Try 'slm%s%s --help'.\n", command[0] != '\0' ? " " : "", command);
    return CLI_USAGE;
}

int cli_fail_library(const char *command, slm_status status, const slm_error *error)
{
    if (error != NULL && error->status == status && error->message[0] != '\0') {
        return cli_fail(command, "%s", error->message);
    }
    return cli_fail(command, "%s (%s)", slm_status_text(status), slm_status_name(status));
}

int cli_fail_memory(const char *command)
{
    return cli_fail(command, "memory could not be allocated; close other programs or give the machine more memory");
}

void cli_remark(const char *command, const char *kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(command, kind, format, arguments);
    va_end(arguments);
}
