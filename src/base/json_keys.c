/* SPDX-License-Identifier: MIT */
/* Few keys are compared pairwise, many go through an open-addressing table of key numbers. */
#include "base/json_keys.h"   /* slm__json_has_duplicates */
#include "base/byte_reader.h" /* slm__load_u32 */

enum { PAIRWISE = 16 };

static bool pairwise(const struct slm_span *keys, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (slm__span_equal(keys[i], keys[k])) {
                return true;
            }
        }
    }
    return false;
}

/* Multiply and fold, four bytes a step. */
static uint64_t hash_of(struct slm_span key, uint64_t seed)
{
    uint64_t hash = seed ^ key.length;
    size_t i = 0;
    for (; i + 4 <= key.length; i += 4) {
        hash = (hash ^ slm__load_u32(key.data + i)) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    for (; i < key.length; i++) {
        hash = (hash ^ key.data[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return hash ^ hash >> 32;
}

/* slots: mask + 1 zeros, at least twice the number of keys; a slot holds key number + 1. */
static bool through_table(const struct slm_span *keys, uint32_t count, uint32_t *slots, size_t mask)
{
    /* The table's address differs from run to run, so nobody can write keys that all collide. The answer does not depend on it. */
    uint64_t seed = (uint64_t)(uintptr_t)slots * 0xD6E8FEB86659FD93u;
    for (uint32_t i = 0; i < count; i++) {
        size_t at = (size_t)hash_of(keys[i], seed) & mask;
        for (; slots[at] != 0; at = (at + 1) & mask) {
            if (slm__span_equal(keys[i], keys[slots[at] - 1])) {
                return true;
            }
        }
        slots[at] = i + 1;
    }
    return false;
}

slm_status slm__json_has_duplicates(const struct slm_span *keys, uint32_t count, const struct slm_memory *memory, bool *found,
                                    slm_error *error)
{
    if (count <= PAIRWISE) {
        *found = pairwise(keys, count);
        return SLM_OK;
    }
    size_t slots_count = 64;
    while (slots_count / 2 < count) {
        slots_count *= 2;
    }
    size_t bytes = 0;
    if (!slm__size_mul(slots_count, sizeof(uint32_t), &bytes)) {
        return slm__fail(error, SLM_E_LIMIT, "an object has too many keys (%u)", count);
    }
    uint32_t *slots = slm__allocate(memory, bytes, 64);
    if (slots == NULL) {
        return slm__fail_memory(error, bytes);
    }
    memset(slots, 0, bytes);
    *found = through_table(keys, count, slots, slots_count - 1);
    slm__release(memory, slots, bytes);
    return SLM_OK;
}
