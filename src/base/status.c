/* SPDX-License-Identifier: MIT */
/* Writes the caller's slm_error: within its struct_size only, always NUL-terminated, always clean UTF-8, whatever a file put into it. */
#include "base/status.h" /* slm__fail, slm__fail_in, slm__fail_memory, slm__fail_plainly, slm__status_name, slm__status_text */
#include "base/utf8.h"   /* slm__utf8_printable */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h> /* offsetof */
#include <stdio.h>  /* vsnprintf */
#include <string.h> /* memcpy, memmove */

enum { HEAD = offsetof(slm_error, message), SMALLEST = HEAD + 4, MESSAGE = sizeof((slm_error *)0)->message };
enum { LONGEST = 9000 }; /* a message before it is shortened: two paths and what is said about them */

/* Bytes of `message` that belong to the caller's struct; 0: do not write. */
static size_t room_of(const slm_error *error)
{
    if (error == NULL || error->struct_size < SMALLEST) {
        return 0;
    }
    size_t room = error->struct_size - HEAD;
    return room < MESSAGE ? room : MESSAGE;
}

static bool inside_character(char byte) { return ((unsigned char)byte & 0xC0) == 0x80; }

/* A message too long for `room` because of a path: its middle, from the first slash to the last one, gives way to "...", so that the
 * file's name and the reason behind it stay. Returns the new length. */
static size_t shorten_path(char *text, size_t length, size_t room)
{
    enum { DOTS = 3, KEPT = 32 };
    size_t start = 0, end = length;
    while (start < length && text[start] != '/' && text[start] != '\\') {
        start++;
    }
    while (end > start && text[end - 1] != '/' && text[end - 1] != '\\') {
        end--;
    }
    const size_t excess = length - (room - 1) + DOTS;
    if (end - start < KEPT + DOTS) {
        return length;
    }
    const size_t kept = end - start > excess + KEPT ? end - start - excess : KEPT;
    size_t from = start + kept / 3, to = end - (kept - kept / 3);
    for (int i = 0; i < 3 && inside_character(text[from]); i++) {
        from--;
    }
    for (int i = 0; i < 3 && inside_character(text[to]); i++) {
        to++;
    }
    memcpy(text + from, "...", DOTS);
    memmove(text + from + DOTS, text + to, length - to);
    return length - (to - from) + DOTS;
}

/* `text` has `length` bytes, and room for more. */
static void store(slm_error *error, size_t room, slm_status status, char *text, size_t length)
{
    if (length >= room) {
        length = shorten_path(text, length, room);
    }
    length = slm__utf8_printable(text, length < room ? length : room - 1, length >= room);
    error->status = status;
    memcpy(error->message, text, length);
    error->message[length] = '\0';
}

static size_t format_into(char *text, size_t capacity, const char *format, va_list arguments)
{
    int length = vsnprintf(text, capacity, format, arguments);
    if (length < 0) {
        return 0;
    }
    return (size_t)length < capacity ? (size_t)length : capacity - 1;
}

slm_status(slm__fail)(slm_error *error, slm_status status, const char *format, ...)
{
    size_t room = room_of(error);
    if (room == 0) {
        return status;
    }
    char text[LONGEST] = ""; /* a buffer of its own: the arguments may point into the old message */
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_into(text, sizeof text, format, arguments);
    va_end(arguments);
    store(error, room, status, text, length);
    return status;
}

slm_status(slm__fail_in)(slm_error *error, slm_status status, const char *format, ...)
{
    size_t room = room_of(error);
    if (room == 0) {
        return status;
    }
    char text[LONGEST + MESSAGE + 4] = "";
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_into(text, LONGEST, format, arguments);
    va_end(arguments);
    text[length++] = ':';
    text[length++] = ' ';
    for (size_t i = 0; i < room && error->message[i] != '\0'; i++) {
        text[length++] = error->message[i];
    }
    store(error, room, status, text, length);
    return status;
}

slm_status slm__fail_memory(slm_error *error, uint64_t bytes)
{
    return slm__fail(error, SLM_E_NO_MEMORY, "out of memory (%llu bytes)", (unsigned long long)bytes);
}

struct known_status {
    slm_status status;
    const char *name, *text;
};

static const struct known_status known_statuses[] = {
#define STATUS_ENTRY(name, number, text) {name, #name, text},
    SLM_STATUS_LIST(STATUS_ENTRY)
#undef STATUS_ENTRY
        {0, "SLM_E_?", "unknown status"},
};

/* The last entry for a number that is none. */
static const struct known_status *find_status(slm_status status)
{
    const struct known_status *entry = known_statuses, *last = entry + sizeof known_statuses / sizeof known_statuses[0] - 1;
    while (entry < last && entry->status != status) {
        entry++;
    }
    return entry;
}

const char *slm__status_name(slm_status status) { return find_status(status)->name; }

const char *slm__status_text(slm_status status) { return find_status(status)->text; }

slm_status slm__fail_plainly(slm_error *error, slm_status status)
{
    const char *text = slm__status_text(status);
    const size_t room = room_of(error), length = strlen(text);
    if (room != 0) {
        error->status = status;
        memcpy(error->message, text, length < room ? length : room - 1);
        error->message[length < room ? length : room - 1] = '\0';
    }
    return status;
}
