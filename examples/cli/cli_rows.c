/* SPDX-License-Identifier: MIT */
/* Two formats behind one call (see cli_rows.h). */
#include "examples/cli/cli_rows.h" /* struct cli_rows */

#include "examples/cli/cli_input.h"  /* cli_input_open */
#include "examples/cli/cli_output.h" /* cli_fail */
#include "examples/cli/cli_system.h" /* cli_file_position */

#include <string.h>

const struct cli_option cli_rows_rows[] = {
    {"--in", NULL, "FILE", "The rows: .csv, or JSON lines; - is standard input.", CLI_STRING, offsetof(struct cli_rows_options, in), 0, 0},
    {"--column", NULL, "NAME", "Column or member with the text; default text.", CLI_STRING, offsetof(struct cli_rows_options, column), 0,
     0},
    {"--format", NULL, "WHAT", "csv or jsonl; default: by the name of the file.", CLI_STRING, offsetof(struct cli_rows_options, format), 0,
     0},
};

static int ends_with(const char *text, const char *ending)
{
    const size_t length = strlen(text), least = strlen(ending);
    return length >= least && strcmp(text + length - least, ending) == 0;
}

static int find_columns(struct cli_rows *rows)
{
    const int got = cli_csv_read(&rows->csv, rows->file);
    if (got <= 0) {
        return cli_fail(rows->command, "%s: %s", rows->name, got == 0 ? "the file is empty; a header is expected" : rows->csv.problem);
    }
    rows->fields = rows->csv.count;
    for (int c = 0; c < 2; c++) {
        size_t found = rows->fields, length = 0;
        for (size_t i = 0; i < rows->fields && rows->columns[c] != NULL; i++) {
            if (strcmp(cli_csv_field(&rows->csv, i, &length), rows->columns[c]) == 0) {
                found = i;
            }
        }
        if (rows->columns[c] != NULL && found == rows->fields) {
            return cli_fail(rows->command, "%s: the header has no column '%s'", rows->name, rows->columns[c]);
        }
        rows->indices[c] = found;
    }
    return -1;
}

int cli_rows_open(struct cli_rows *rows, const char *command, const struct cli_rows_options *options, const char *label_column)
{
    const char *path = options->in, *format = options->format;
    const int is_stdin = strcmp(path, "-") == 0;
    *rows = (struct cli_rows){.command = command,
                              .name = is_stdin ? "standard input" : path,
                              .columns = {options->column != NULL ? options->column : "text", label_column}};
    if (format != NULL && strcmp(format, "csv") != 0 && strcmp(format, "jsonl") != 0) {
        return cli_fail_usage(command, "option '--format' takes csv or jsonl, not '%s'", format);
    }
    rows->is_csv = format != NULL ? strcmp(format, "csv") == 0 : ends_with(path, ".csv");
    rows->file = is_stdin ? stdin : cli_input_open(command, path, "a file of rows (CSV, or JSON lines)");
    if (rows->file == NULL) {
        return CLI_FAILED;
    }
    if (!is_stdin && fseek(rows->file, 0, SEEK_END) == 0) {
        const int64_t size = cli_file_position(rows->file);
        rows->size = size > 0 ? (uint64_t)size : 0;
        rewind(rows->file);
    }
    return rows->is_csv ? find_columns(rows) : -1;
}

static int next_csv(struct cli_rows *rows)
{
    const int got = cli_csv_read(&rows->csv, rows->file);
    if (got == 0) {
        return 0;
    }
    if (got < 0 || rows->csv.count != rows->fields) {
        (void)cli_fail(rows->command, "%s, line %llu: %s", rows->name, (unsigned long long)rows->csv.line,
                       got < 0 ? rows->csv.problem : "the number of fields is not that of the header");
        return -1;
    }
    for (int c = 0; c < 2; c++) {
        if (rows->columns[c] != NULL) {
            rows->texts[c] = cli_csv_field(&rows->csv, rows->indices[c], &rows->lengths[c]);
        }
    }
    return 1;
}

static int next_json(struct cli_rows *rows)
{
    int got;
    do {
        got = cli_text_read_line(&rows->line, rows->file);
    } while (got == 1 && strspn(rows->line.bytes, " \t\r") == rows->line.length);
    if (got <= 0) {
        if (got < 0) {
            (void)cli_fail(rows->command, got == -2 ? "cancelled" : "%s cannot be read, or a line is too long for the memory", rows->name);
        }
        return got < 0 ? -1 : 0;
    }
    const char *wrong = cli_json_parse(&rows->json, rows->line.bytes, rows->line.length) != 0 ? rows->json.problem
                        : rows->json.values[0].kind != CLI_JSON_OBJECT                        ? "an object is expected"
                                                                                              : NULL;
    for (int c = 0; c < 2 && wrong == NULL; c++) {
        if (rows->columns[c] == NULL) {
            continue;
        }
        const struct cli_json_value *value = cli_json_member(&rows->json, rows->json.values, rows->columns[c]);
        if (value == NULL || value->kind != CLI_JSON_STRING) {
            wrong = c == 0 ? "the object has no string for the text (--column)" : "the object has no string for the label (--label-column)";
        } else {
            rows->texts[c] = value->text;
            rows->lengths[c] = value->length;
        }
    }
    if (wrong != NULL) {
        (void)cli_fail(rows->command, "%s, row %llu: %s", rows->name, (unsigned long long)rows->number + 1, wrong);
        return -1;
    }
    return 1;
}

int cli_rows_next(struct cli_rows *rows)
{
    const int got = rows->is_csv ? next_csv(rows) : next_json(rows);
    rows->number += got == 1;
    return got;
}

uint64_t cli_rows_position(const struct cli_rows *rows)
{
    const int64_t at = cli_file_position(rows->file);
    return at > 0 ? (uint64_t)at : 0;
}

void cli_rows_close(struct cli_rows *rows)
{
    if (rows->file != NULL && rows->file != stdin) {
        (void)fclose(rows->file);
    }
    cli_csv_free(&rows->csv);
    cli_json_free(&rows->json);
    cli_text_free(&rows->line);
}
