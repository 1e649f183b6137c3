/* SPDX-License-Identifier: MIT */
/* Bounds-checked little-endian cursor: the only way to parse untrusted bytes. After the first overrun `failed` stays set, every
 * read gives 0 and the position does not move, so a parser may check once per record. */
#ifndef SLM_BASE_BYTE_READER_H
#define SLM_BASE_BYTE_READER_H

#include "base/span.h" /* struct slm_span */

struct slm_byte_reader {
    const uint8_t *data;
    uint64_t length;
    uint64_t position;
    bool failed;
};

static inline struct slm_byte_reader slm__reader(const void *data, uint64_t length)
{
    struct slm_byte_reader reader = {(const uint8_t *)data, length, 0, false};
    return reader;
}

static inline uint64_t slm__reader_left(const struct slm_byte_reader *reader) { return reader->length - reader->position; }

/* The next `count` bytes in place, or NULL. */
static inline const uint8_t *slm__read_bytes(struct slm_byte_reader *reader, uint64_t count)
{
    if (reader->failed || count > slm__reader_left(reader)) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->data + reader->position;
    reader->position += count;
    return bytes;
}

static inline uint64_t slm__read_uint(struct slm_byte_reader *reader, unsigned count)
{
    const uint8_t *bytes = slm__read_bytes(reader, count);
    uint64_t value = 0;
    for (unsigned i = 0; bytes != NULL && i < count; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static inline uint32_t slm__read_u32(struct slm_byte_reader *reader) { return (uint32_t)slm__read_uint(reader, 4); }
static inline uint64_t slm__read_u64(struct slm_byte_reader *reader) { return slm__read_uint(reader, 8); }

/* Unaligned little-endian loads from memory already checked. */
static inline uint32_t slm__load_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}
static inline uint64_t slm__load_u64(const uint8_t *bytes)
{
    return (uint64_t)slm__load_u32(bytes) | (uint64_t)slm__load_u32(bytes + 4) << 32;
}
static inline void slm__store_u32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}
static inline void slm__store_u64(uint8_t *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

#endif
