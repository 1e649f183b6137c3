/* SPDX-License-Identifier: MIT */
/* A row is complete when its line feed is there: so nothing is done twice and nothing is lost (see cli_results.h). */
#include "examples/cli/cli_results.h" /* struct cli_results */

#include "examples/cli/cli_system.h" /* cli_file_open, cli_path_kind */

#include <errno.h>
#include <string.h>

/* As cli_results_next(). */
static int next_record(struct cli_results *results, const struct cli_text **row)
{
    const int got = cli_csv_read(&results->csv, results->output.file);
    *row = &results->csv.raw;
    return got == 1 && results->csv.ended;
}

static int next_line(struct cli_results *results, const struct cli_text **row)
{
    int byte;
    cli_text_clear(&results->line);
    while ((byte = getc(results->output.file)) != EOF && byte != '\n') {
        const char added = (char)byte;
        cli_text_add(&results->line, &added, 1);
    }
    *row = &results->line;
    return byte == '\n' && !results->line.failed;
}

int cli_results_next(struct cli_results *results, const struct cli_text **row)
{
    const int whole = results->header != NULL ? next_record(results, row) : next_line(results, row);
    results->end = whole ? cli_file_position(results->output.file) : results->end;
    return whole;
}

/* The file behind its header, which may be missing in part. */
static int resume_file(struct cli_results *results)
{
    const struct cli_text *header = results->header, *row;
    results->output.file = cli_file_open(results->path, "r+b");
    if (results->output.file == NULL) {
        return errno == ENOENT ? -1 : cli_fail(results->command, "%s: %s", results->path, strerror(errno));
    }
    results->resuming = 1;
    if (header == NULL) {
        return -1;
    }
    const int whole = cli_results_next(results, &row);
    if (row->length > header->length - 1 || memcmp(row->length > 0 ? row->bytes : "", header->bytes, row->length) != 0 ||
        (whole && row->length < header->length - 1)) {
        return cli_fail(results->command, "%s has another header: it was not written by this command, which so cannot go on with it",
                        results->path);
    }
    return whole ? -1 : cli_results_cut(results);
}

int cli_results_cut(struct cli_results *results)
{
    FILE *file = results->output.file;
    results->resuming = 0;
    if (cli_file_seek(file, results->end) != 0 || cli_file_cut(file, results->end) != 0) {
        return cli_fail(results->command, "%s: %s", results->path, strerror(errno));
    }
    return results->end > 0 || results->header == NULL ? -1 : cli_results_put(results, results->header);
}

int cli_results_open(struct cli_results *results, const char *command, const char *path, int resume, const struct cli_text *header)
{
    *results = (struct cli_results){.command = command, .path = path, .output = cli_output_stdout(), .header = header};
    if (path == NULL) {
        return header != NULL ? cli_results_put(results, header) : -1;
    }
    results->output.file = NULL;
    if (cli_path_kind(path) == CLI_PATH_FOLDER) {
        return cli_fail(command, "%s is a folder; the name of a file is expected", path);
    }
    if (resume) {
        const int code = resume_file(results);
        if (code >= 0 || results->output.file != NULL) {
            return code;
        }
    }
    results->output.file = cli_file_open(path, "wbx");
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
    cli_csv_free(&results->csv);
    cli_text_free(&results->line);
    if (results->path == NULL) {
        return results->command != NULL ? cli_output_finish(&results->output, results->command) : CLI_OK;
    }
    if (results->output.file == NULL) {
        return CLI_OK; /* the message was written when opening failed */
    }
    const int failed = fclose(results->output.file) != 0 || results->output.error != 0;
    return failed ? cli_fail(results->command, "%s: writing failed", results->path) : CLI_OK;
}
