/* SPDX-License-Identifier: MIT */
/* Byte by byte, with the state in local variables (see cli_csv.h). A byte order mark at the beginning is skipped. */
#include "examples/cli/cli_csv.h" /* struct cli_csv */

#include <stdlib.h>
#include <string.h>

static void add_byte(struct cli_text *text, int byte)
{
    const char one = (char)byte;
    cli_text_add(text, &one, 1);
}

static int begin_field(struct cli_csv *csv)
{
    if (csv->count == csv->capacity) {
        const size_t grown = csv->capacity == 0 ? 16 : 2 * csv->capacity;
        size_t *begins = realloc(csv->begins, grown * sizeof *begins);
        if (begins == NULL) {
            csv->problem = "memory could not be allocated";
            return -1;
        }
        csv->begins = begins;
        csv->capacity = grown;
    }
    csv->begins[csv->count++] = csv->data.length;
    return 0;
}

/* The rest of a quoted field; returns the byte behind it, or -2. */
static int read_quoted(struct cli_csv *csv, FILE *file)
{
    for (;;) {
        int byte = getc(file);
        if (byte == EOF) {
            csv->problem = "the file ends inside a quoted field";
            return -2;
        }
        add_byte(&csv->raw, byte);
        if (byte == '"') {
            byte = getc(file);
            if (byte != '"') {
                return byte;
            }
            add_byte(&csv->raw, byte);
        }
        csv->next_line += byte == '\n';
        add_byte(&csv->data, byte);
    }
}

/* The rest of a field that begins with `byte`; returns what ends it: a comma, a line feed, or EOF. -2: a problem. */
static int read_field(struct cli_csv *csv, FILE *file, int byte)
{
    if (byte == '"') {
        add_byte(&csv->raw, byte);
        byte = read_quoted(csv, file);
        if (byte == '\r') {
            byte = getc(file);
        }
        if (byte != ',' && byte != '\n' && byte != EOF && byte != -2) {
            csv->problem = "a closing quote is followed by more of the field";
            return -2;
        }
        return byte;
    }
    for (; byte != ',' && byte != '\n' && byte != EOF; byte = getc(file)) {
        if (byte == '"') {
            csv->problem = "a quote stands inside a field that does not begin with one";
            return -2;
        }
        if (byte == '\r') {
            const int next = getc(file);
            if (next == '\n' || next == EOF) {
                return next;
            }
            (void)ungetc(next, file);
        }
        add_byte(&csv->raw, byte);
        add_byte(&csv->data, byte);
    }
    return byte;
}

static int skip_mark(FILE *file)
{
    int byte = getc(file);
    if (byte == 0xEF && (byte = getc(file)) == 0xBB && (byte = getc(file)) == 0xBF) {
        byte = getc(file);
    }
    return byte;
}

int cli_csv_read(struct cli_csv *csv, FILE *file)
{
    cli_text_clear(&csv->raw);
    cli_text_clear(&csv->data);
    csv->count = 0;
    csv->ended = 0;
    csv->line = csv->next_line == 0 ? 1 : csv->next_line;
    int byte = csv->next_line == 0 ? skip_mark(file) : getc(file);
    csv->next_line = csv->line;
    if (byte == EOF) {
        return 0;
    }
    do {
        if (csv->count > 0) {
            add_byte(&csv->raw, ',');
            byte = getc(file);
        }
        if (begin_field(csv) != 0) {
            return -1;
        }
        byte = read_field(csv, file, byte);
        add_byte(&csv->data, 0);
    } while (byte == ',');
    if (csv->raw.failed || csv->data.failed) {
        csv->problem = "memory could not be allocated";
    }
    csv->ended = byte == '\n';
    csv->next_line += byte == '\n';
    return csv->problem == NULL ? 1 : -1;
}

const char *cli_csv_field(const struct cli_csv *csv, size_t index, size_t *length)
{
    const size_t end = index + 1 < csv->count ? csv->begins[index + 1] : csv->data.length;
    *length = end - csv->begins[index] - 1;
    return csv->data.bytes + csv->begins[index];
}

void cli_csv_free(struct cli_csv *csv)
{
    cli_text_free(&csv->raw);
    cli_text_free(&csv->data);
    free(csv->begins);
    *csv = (struct cli_csv){0};
}

void cli_csv_add(struct cli_text *text, const char *bytes, size_t length)
{
    int quote = 0;
    for (size_t i = 0; i < length; i++) {
        quote = quote || memchr("\",\r\n", bytes[i], 4) != NULL;
    }
    cli_text_add_string(text, quote ? "\"" : "");
    for (size_t i = 0; i < length; i++) {
        cli_text_add(text, bytes + i, 1);
        if (bytes[i] == '"') {
            add_byte(text, '"');
        }
    }
    cli_text_add_string(text, quote ? "\"" : "");
}
