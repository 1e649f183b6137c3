/* SPDX-License-Identifier: MIT */
/* A growing run of bytes (see cli_text.h): doubling growth, reading of lines and files. */
#include "examples/cli/cli_text.h" /* struct cli_text */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int cli_text_reserve(struct cli_text *text, size_t capacity)
{
    if (text->failed) {
        return -1;
    }
    if (text->bytes != NULL && capacity <= text->capacity) {
        return 0;
    }
    size_t grown = text->capacity < 128 ? 128 : text->capacity;
    while (grown < capacity) {
        if (grown > SIZE_MAX / 4) {
            text->failed = 1;
            return -1;
        }
        grown *= 2;
    }
    char *bytes = realloc(text->bytes, grown + 1);
    if (bytes == NULL) {
        text->failed = 1;
        return -1;
    }
    text->bytes = bytes;
    text->capacity = grown;
    text->bytes[text->length] = '\0';
    return 0;
}

void cli_text_add(struct cli_text *text, const char *bytes, size_t length)
{
    if (length > SIZE_MAX / 4 - text->length || cli_text_reserve(text, text->length + length) != 0) {
        text->failed = 1;
        return;
    }
    if (length > 0) {
        memcpy(text->bytes + text->length, bytes, length);
    }
    text->length += length;
    text->bytes[text->length] = '\0';
}

void cli_text_add_string(struct cli_text *text, const char *string) { cli_text_add(text, string, strlen(string)); }

void cli_text_format(struct cli_text *text, const char *format, ...)
{
    char buffer[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text->failed = 1;
        return;
    }
    cli_text_add(text, buffer, (size_t)length < sizeof buffer ? (size_t)length : sizeof buffer - 1);
}

void cli_text_clear(struct cli_text *text)
{
    text->length = 0;
    if (text->bytes != NULL) {
        text->bytes[0] = '\0';
    }
}

void cli_text_free(struct cli_text *text)
{
    free(text->bytes);
    *text = (struct cli_text){0};
}

int cli_text_read_line(struct cli_text *text, FILE *file)
{
    cli_text_clear(text);
    errno = 0;
    for (;;) {
        const int byte = getc(file);
        if (byte == EOF) {
            break;
        }
        if (text->length + 1 > text->capacity && cli_text_reserve(text, text->length + 1) != 0) {
            return -1;
        }
        if (byte == '\n') {
            text->bytes[text->length] = '\0';
            return 1;
        }
        text->bytes[text->length++] = (char)byte;
    }
    if (ferror(file)) {
        const int interrupted = errno == EINTR;
        clearerr(file);
        return interrupted ? -2 : -1;
    }
    if (text->length == 0) {
        return 0;
    }
    text->bytes[text->length] = '\0';
    return 1;
}

int cli_text_read_all(struct cli_text *text, FILE *file)
{
    cli_text_clear(text);
    for (;;) {
        if (cli_text_reserve(text, text->length + 65536) != 0) {
            return -1;
        }
        const size_t count = fread(text->bytes + text->length, 1, text->capacity - text->length, file);
        text->length += count;
        text->bytes[text->length] = '\0';
        if (count == 0) {
            return ferror(file) ? -1 : 0;
        }
    }
}
