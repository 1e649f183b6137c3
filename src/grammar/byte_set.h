/* SPDX-License-Identifier: MIT */
/* A set of byte values. */
#ifndef SLM_GRAMMAR_BYTE_SET_H
#define SLM_GRAMMAR_BYTE_SET_H

#include <stdbool.h>
#include <stdint.h>

struct slm_byte_set {
    uint64_t words[4]; /* byte b is bit b % 64 of words[b / 64] */
};

static inline void slm__byte_set_add(struct slm_byte_set *set, uint8_t byte) { set->words[byte >> 6] |= UINT64_C(1) << (byte & 63); }

static inline bool slm__byte_set_has(const struct slm_byte_set *set, uint8_t byte) { return (set->words[byte >> 6] >> (byte & 63)) & 1; }

/* first <= last */
static inline void slm__byte_set_add_range(struct slm_byte_set *set, uint8_t first, uint8_t last)
{
    for (unsigned byte = first; byte <= last; byte++) {
        slm__byte_set_add(set, (uint8_t)byte);
    }
}

static inline void slm__byte_set_unite(struct slm_byte_set *set, const struct slm_byte_set *other)
{
    for (int i = 0; i < 4; i++) {
        set->words[i] |= other->words[i];
    }
}

static inline bool slm__byte_set_is_empty(const struct slm_byte_set *set)
{
    return (set->words[0] | set->words[1] | set->words[2] | set->words[3]) == 0;
}

/* The only byte of the set, or -1 when it has none or several. */
static inline int slm__byte_set_single(const struct slm_byte_set *set)
{
    int single = -1;
    for (int i = 0; i < 4; i++) {
        uint64_t word = set->words[i];
        if (word == 0) {
            continue;
        }
        if (single >= 0 || (word & (word - 1)) != 0) {
            return -1;
        }
        single = 64 * i;
        while ((word >>= 1) != 0) {
            single++;
        }
    }
    return single;
}

#endif
