/* SPDX-License-Identifier: MIT */
/* A growing run of bytes with a limit. After a failed append the buffer is unchanged and the failure is remembered. */
#ifndef SLM_BASE_BUFFER_H
#define SLM_BASE_BUFFER_H

#include "base/format_check.h" /* SLM_FORMAT */
#include "base/memory.h"       /* struct slm_memory */
#include "base/span.h"         /* struct slm_span */
#include "base/status.h"       /* slm_status */

struct slm_buffer {
    uint8_t *data;
    size_t length;
    size_t capacity;
    size_t limit; /* of length */
    struct slm_memory memory;
    slm_status status; /* SLM_OK, or the first failure: SLM_E_NO_MEMORY or SLM_E_LIMIT; later appends do nothing */
};

void slm__buffer_init(struct slm_buffer *buffer, const struct slm_memory *memory, size_t limit);
/* false on failure; callers may ignore it and look at `status` once at the end. */
bool slm__buffer_append(struct slm_buffer *buffer, const void *data, size_t length);
bool slm__buffer_append_text(struct slm_buffer *buffer, const char *text);
bool slm__buffer_append_byte(struct slm_buffer *buffer, uint8_t byte);
/* Little-endian integers. */
bool slm__buffer_append_u32(struct slm_buffer *buffer, uint32_t value);
bool slm__buffer_append_u64(struct slm_buffer *buffer, uint64_t value);
/* Formatted, at most 256 bytes. No %f %g %e (the locale's point). */
bool slm__buffer_append_format(struct slm_buffer *buffer, const char *format, ...) SLM_FORMAT(2, 3);
/* Append `text` as a JSON string with its quotes: escapes only for the quote, the backslash and below U+0020. */
bool slm__buffer_append_json_string(struct slm_buffer *buffer, struct slm_span text);
/* Zero bytes up to a multiple of `unit` (a power of two). */
bool slm__buffer_align(struct slm_buffer *buffer, size_t unit);
/* The sentence of `status`. */
slm_status slm__buffer_failure(const struct slm_buffer *buffer, slm_error *error);
void slm__buffer_free(struct slm_buffer *buffer);

/* Hand a result out by the public rule: *needed is its length; copied when it fits, else SLM_E_BUFFER_TOO_SMALL. */
slm_status slm__copy_out(struct slm_span result, void *target, uint64_t capacity, uint64_t *needed, slm_error *error);

#endif
