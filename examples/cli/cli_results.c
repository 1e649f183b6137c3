/* SPDX-License-Identifier: MIT */
/* A row is complete when its line feed is there: so nothing is done twice and nothing is lost (see cli_results.h). */
#define _POSIX_C_SOURCE 200809L /* ftruncate */

#include "examples/cli/cli_results.h" /* struct cli_results */

#include "examples/cli/cli_csv.h" /* struct cli_csv */

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Complete lines, and where they end. */
static void count_lines(FILE *file, uint64_t *rows, long *end)
{
    int byte;
    for (long at = 1; (byte = getc(file)) != EOF; at++) {
        if (byte == '\n') {
            (*rows)++;
            *end = at;
        }
    }
}

/* Complete records behind the header. 0, or -1: the header is another. */
static int count_records(FILE *file, const struct cli_text *header, uint64_t *rows, long *end)
{
    struct cli_csv csv = {0};
    int first = 1, same = 1;
    while (same && cli_csv_read(&csv, file) == 1 && csv.ended) {
        same = !first || (csv.raw.length + 1 == header->length && memcmp(csv.raw.bytes, header->bytes, csv.raw.length) == 0);
        *rows += !first;
        *end = ftell(file);
        first = 0;
    }
    cli_csv_free(&csv);
    return same ? 0 : -1;
}

static int resume_file(struct cli_results *results, const struct cli_text *header)
{
    long end = 0;
    FILE *file = fopen(results->path, "r+b");
    if (file == NULL) {
        return errno == ENOENT ? -1 : cli_fail(results->command, "%s: %s", results->path, strerror(errno));
    }
    results->output.file = file;
    if (header == NULL) {
        count_lines(file, &results->rows, &end);
    } else if (count_records(file, header, &results->rows, &end) != 0) {
        return cli_fail(results->command, "%s has another header: it was not written by this command, which so cannot go on with it",
                        results->path);
    }
    if (fseek(file, end, SEEK_SET) != 0 || ftruncate(fileno(file), end) != 0) {
        return cli_fail(results->command, "%s: %s", results->path, strerror(errno));
    }
    return end > 0 || header == NULL ? -1 : cli_results_put(results, header);
}

int cli_results_open(struct cli_results *results, const char *command, const char *path, int resume, const struct cli_text *header)
{
    *results = (struct cli_results){.command = command, .path = path, .output = cli_output_stdout()};
    if (path == NULL) {
        return header != NULL ? cli_results_put(results, header) : -1;
    }
    results->output.file = NULL;
    if (resume) {
        const int code = resume_file(results, header);
        if (code >= 0 || results->output.file != NULL) {
            return code;
        }
    }
    results->output.file = fopen(path, "wbx");
    if (results->output.file == NULL) {
        return cli_fail(command, errno == EEXIST ? "%s exists: --resume goes on with it; else remove it, or give another name" : "%s: %s",
                        path, strerror(errno));
    }
    return header != NULL ? cli_results_put(results, header) : -1;
}

int cli_results_put(struct cli_results *results, const struct cli_text *row)
{
    return cli_put_text(&results->output, row) == 0 && cli_put_flush(&results->output) == 0 ? -1 : CLI_FAILED;
}

int cli_results_close(struct cli_results *results)
{
    if (results->path == NULL) {
        return results->command != NULL ? cli_output_finish(&results->output, results->command) : CLI_OK;
    }
    if (results->output.file == NULL) {
        return CLI_OK; /* the message was written when opening failed */
    }
    const int failed = fclose(results->output.file) != 0 || results->output.error != 0;
    return failed ? cli_fail(results->command, "%s: writing failed", results->path) : CLI_OK;
}
