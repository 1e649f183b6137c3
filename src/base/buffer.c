/* SPDX-License-Identifier: MIT */
/* Growing buffer: doubles, never beyond its limit, and remembers its first failure. */
#include "base/buffer.h"      /* struct slm_buffer */
#include "base/byte_reader.h" /* slm__store_u32, slm__store_u64 */

#include <stdarg.h>
#include <stdio.h> /* vsnprintf */

enum { FIRST_CAPACITY = 64, ALIGNMENT = 64, FORMAT_BYTES = 256 };

void slm__buffer_init(struct slm_buffer *buffer, const struct slm_memory *memory, size_t limit)
{
    *buffer = (struct slm_buffer){.limit = limit, .memory = *memory, .status = SLM_OK};
}

static bool fail(struct slm_buffer *buffer, slm_status status)
{
    buffer->status = status;
    return false;
}

/* Room for `more` bytes behind `length`. */
static bool reserve(struct slm_buffer *buffer, size_t more)
{
    if (buffer->status != SLM_OK) {
        return false;
    }
    if (more > buffer->limit - buffer->length) {
        return fail(buffer, SLM_E_LIMIT);
    }
    size_t needed = buffer->length + more;
    if (needed <= buffer->capacity) {
        return true;
    }
    size_t capacity = buffer->capacity > buffer->limit / 2 ? buffer->limit : 2 * buffer->capacity;
    capacity = capacity < FIRST_CAPACITY ? FIRST_CAPACITY : capacity;
    capacity = capacity < needed ? needed : capacity;
    uint8_t *data = slm__allocate(&buffer->memory, capacity, ALIGNMENT);
    if (data == NULL) {
        return fail(buffer, SLM_E_NO_MEMORY);
    }
    if (buffer->length > 0) {
        memcpy(data, buffer->data, buffer->length);
    }
    slm__release(&buffer->memory, buffer->data, buffer->capacity);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool slm__buffer_append(struct slm_buffer *buffer, const void *data, size_t length)
{
    if (!reserve(buffer, length)) {
        return false;
    }
    if (length > 0) {
        memcpy(buffer->data + buffer->length, data, length);
        buffer->length += length;
    }
    return true;
}

bool slm__buffer_append_text(struct slm_buffer *buffer, const char *text) { return slm__buffer_append(buffer, text, strlen(text)); }

bool slm__buffer_append_byte(struct slm_buffer *buffer, uint8_t byte) { return slm__buffer_append(buffer, &byte, 1); }

bool slm__buffer_append_u32(struct slm_buffer *buffer, uint32_t value)
{
    uint8_t bytes[4];
    slm__store_u32(bytes, value);
    return slm__buffer_append(buffer, bytes, sizeof bytes);
}

bool slm__buffer_append_u64(struct slm_buffer *buffer, uint64_t value)
{
    uint8_t bytes[8];
    slm__store_u64(bytes, value);
    return slm__buffer_append(buffer, bytes, sizeof bytes);
}

bool slm__buffer_append_format(struct slm_buffer *buffer, const char *format, ...)
{
    char text[FORMAT_BYTES + 1];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || length > FORMAT_BYTES) {
        return buffer->status == SLM_OK ? fail(buffer, SLM_E_LIMIT) : false;
    }
    return slm__buffer_append(buffer, text, (size_t)length);
}

/* The escape of a byte that JSON does not take as it is; returns its length, 0 for any other byte. */
static size_t json_escape(uint8_t byte, char escape[6])
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = byte == 0 ? NULL : strchr(plain, byte);
    if (found != NULL) {
        escape[0] = '\\';
        escape[1] = letters[found - plain];
        return 2;
    }
    if (byte >= 0x20) {
        return 0;
    }
    memcpy(escape, "\\u00", 4);
    escape[4] = hex[byte >> 4];
    escape[5] = hex[byte & 15];
    return 6;
}

bool slm__buffer_append_json_string(struct slm_buffer *buffer, struct slm_span text)
{
    size_t before = buffer->length;
    size_t copied = 0; /* text [0, copied) is in the buffer */
    bool ok = slm__buffer_append_byte(buffer, '"');
    for (size_t i = 0; i < text.length && ok; i++) {
        char escape[6];
        size_t length = json_escape(text.data[i], escape);
        if (length > 0) {
            ok = slm__buffer_append(buffer, text.data + copied, i - copied) && slm__buffer_append(buffer, escape, length);
            copied = i + 1;
        }
    }
    ok = ok && (copied == text.length || slm__buffer_append(buffer, text.data + copied, text.length - copied));
    ok = ok && slm__buffer_append_byte(buffer, '"');
    if (!ok) {
        buffer->length = before;
    }
    return ok;
}

bool slm__buffer_align(struct slm_buffer *buffer, size_t unit)
{
    size_t padding = (0 - buffer->length) & (unit - 1);
    if (!reserve(buffer, padding)) {
        return false;
    }
    if (padding > 0) {
        memset(buffer->data + buffer->length, 0, padding);
        buffer->length += padding;
    }
    return true;
}

slm_status slm__buffer_failure(const struct slm_buffer *buffer, slm_error *error)
{
    if (buffer->status == SLM_E_NO_MEMORY) {
        return slm__fail(error, SLM_E_NO_MEMORY, "out of memory (beyond %zu bytes of a growing text)", buffer->capacity);
    }
    if (buffer->status == SLM_E_LIMIT) {
        return slm__fail(error, SLM_E_LIMIT, "the result is longer than its limit of %zu bytes", buffer->limit);
    }
    return buffer->status;
}

void slm__buffer_free(struct slm_buffer *buffer)
{
    slm__release(&buffer->memory, buffer->data, buffer->capacity);
    slm__buffer_init(buffer, &buffer->memory, buffer->limit);
}

slm_status slm__copy_out(struct slm_span result, void *target, uint64_t capacity, uint64_t *needed, slm_error *error)
{
    if (needed != NULL) {
        *needed = result.length;
    }
    if (result.length > capacity) {
        return slm__fail(error, SLM_E_BUFFER_TOO_SMALL, "the result has %llu bytes, the buffer %llu", (unsigned long long)result.length,
                         (unsigned long long)capacity);
    }
    if (result.length > 0) {
        if (target == NULL) {
            return slm__fail(error, SLM_E_ARGUMENT, "the buffer is NULL but its capacity is %llu bytes", (unsigned long long)capacity);
        }
        memcpy(target, result.data, result.length);
    }
    return SLM_OK;
}
