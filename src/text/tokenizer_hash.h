/* SPDX-License-Identifier: MIT */
/* The two hash functions of the tokenizer section. They are part of the format: TOKENIZER.md has them in words. */
#ifndef SLM_TEXT_TOKENIZER_HASH_H
#define SLM_TEXT_TOKENIZER_HASH_H

#include "base/byte_reader.h" /* slm__load_u64 */
#include "base/span.h"        /* struct slm_span */

/* Of a byte string: low 32 bits choose the home slot, high 32 bits are the tag. */
static inline uint64_t slm__tokenizer_hash(struct slm_span bytes)
{
    const uint64_t factor = 0x9E3779B97F4A7C15U;
    uint64_t hash = bytes.length * factor;
    const uint8_t *data = bytes.data;
    size_t left = bytes.length;
    while (left >= 8) {
        hash = (hash ^ slm__load_u64(data)) * factor;
        hash ^= hash >> 29;
        data += 8;
        left -= 8;
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < left; i++) {
        tail |= (uint64_t)data[i] << (8 * i);
    }
    hash = (hash ^ tail) * factor;
    hash ^= hash >> 32;
    hash *= factor;
    return hash ^ hash >> 29;
}

/* Of a pair of ids. */
static inline uint32_t slm__tokenizer_pair_hash(uint32_t left, uint32_t right)
{
    uint64_t hash = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15U;
    return (uint32_t)((hash ^ hash >> 32) * 0x9E3779B97F4A7C15U >> 32);
}

#endif
