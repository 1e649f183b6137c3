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
        const size_t room = text->capacity - text->length;
        const size_t count = fread(text->bytes + text->length, 1, room, file);
        text->length += count;
        text->bytes[text->length] = '\0';
        if (count < room) { /* the end, of which a terminal tells once only, or an error */
            return ferror(file) ? -1 : 0;
        }
    }
}

size_t cli_utf8_character(const char *text, size_t available)
{
    const unsigned char *bytes = (const unsigned char *)text;
    const unsigned first = bytes[0];
    const size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || length > available) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    if ((first == 0xE0 && bytes[1] < 0xA0) || (first == 0xED && bytes[1] > 0x9F) || (first == 0xF0 && bytes[1] < 0x90) ||
        (first == 0xF4 && bytes[1] > 0x8F)) {
        return 0;
    }
    return length;
}

size_t cli_utf8_valid_prefix(const char *text, size_t length)
{
    size_t at = 0;
    for (size_t count = 1; at < length && count > 0; at += count) {
        count = cli_utf8_character(text + at, length - at);
    }
    return at;
}
