/* SPDX-License-Identifier: MIT */
/* Open addressing over hashes; the words of all sequences lie one behind the other. */
#include "grammar/sequence_set.h"
#include "base/heap_sort.h" /* slm__heap_sort */

enum { FIRST_CAPACITY = 64, INSERTION_LIMIT = 24 };

void slm__sequence_init(struct slm_sequence_set *set, struct slm_arena *arena, uint32_t limit)
{
    *set = (struct slm_sequence_set){.arena = arena, .limit = limit};
}

bool slm__arena_grow(struct slm_arena *arena, void *items, uint32_t *capacity, uint64_t needed, size_t size)
{
    if (needed <= *capacity) {
        return true;
    }
    uint64_t larger = 2 * (uint64_t)*capacity < FIRST_CAPACITY ? FIRST_CAPACITY : 2 * (uint64_t)*capacity;
    larger = larger < needed ? needed : larger;
    if (larger > UINT32_MAX || larger > SIZE_MAX / 2 / size) {
        arena->limit_hit = true;
        return false;
    }
    void *block = slm__arena_take(arena, (size_t)larger * size);
    if (block == NULL) {
        return false;
    }
    void *old = NULL;
    memcpy(&old, items, sizeof old);
    if (*capacity > 0) {
        memcpy(block, old, *capacity * size);
    }
    memcpy(items, &block, sizeof block);
    *capacity = (uint32_t)larger;
    return true;
}

static uint32_t hash_of(const uint32_t *words, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++) {
        hash = (hash ^ words[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash ^ hash >> 32);
}

static bool rehash(struct slm_sequence_set *set)
{
    uint32_t slots = set->slots == NULL ? 2 * FIRST_CAPACITY : 2 * (set->slot_mask + 1);
    uint32_t *table = slots > UINT32_C(1) << 29 ? NULL : slm__arena_take(set->arena, slots * sizeof *table);
    if (table == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t slot = set->hashes[i] & (slots - 1);
        while (table[slot] != 0) {
            slot = (slot + 1) & (slots - 1);
        }
        table[slot] = i + 1;
    }
    set->slots = table;
    set->slot_mask = slots - 1;
    return true;
}

static bool equals(const struct slm_sequence_set *set, uint32_t number, const uint32_t *words, uint32_t count)
{
    uint32_t length = 0;
    const uint32_t *known = slm__sequence_get(set, number, &length);
    return length == count && (count == 0 || memcmp(known, words, count * sizeof *words) == 0);
}

/* Append the sequence as a new member. */
static bool append(struct slm_sequence_set *set, const uint32_t *words, uint32_t count, uint32_t hash)
{
    uint64_t used = set->count == 0 ? 0 : set->starts[set->count];
    uint32_t starts = set->capacity;
    uint32_t hashes = set->capacity;
    uint32_t capacity = (uint32_t)set->word_capacity;
    bool ok = slm__arena_grow(set->arena, &set->words, &capacity, used + count, sizeof *words) &&
              slm__arena_grow(set->arena, &set->hashes, &hashes, (uint64_t)set->count + 2, sizeof *set->hashes) &&
              slm__arena_grow(set->arena, &set->starts, &starts, (uint64_t)set->count + 2, sizeof *set->starts);
    set->word_capacity = capacity;
    set->capacity = starts < hashes ? starts : hashes;
    if (!ok) {
        return false;
    }
    if (count > 0) {
        memcpy(set->words + used, words, count * sizeof *words);
    }
    set->hashes[set->count] = hash;
    set->starts[++set->count] = (uint32_t)used + count;
    return true;
}

uint32_t slm__sequence_add(struct slm_sequence_set *set, const uint32_t *words, uint32_t count)
{
    if ((set->slots == NULL || set->count >= set->slot_mask / 2) && !rehash(set)) {
        return UINT32_MAX;
    }
    uint32_t hash = hash_of(words, count);
    uint32_t slot = hash & set->slot_mask;
    while (set->slots[slot] != 0) {
        uint32_t number = set->slots[slot] - 1;
        if (set->hashes[number] == hash && equals(set, number, words, count)) {
            return number;
        }
        slot = (slot + 1) & set->slot_mask;
    }
    if (set->count >= set->limit || !append(set, words, count, hash)) {
        return UINT32_MAX;
    }
    set->slots[slot] = set->count;
    return set->count - 1;
}

slm_status slm__sequence_failure(const struct slm_sequence_set *set, const char *what, slm_error *error)
{
    if (set->count >= set->limit) {
        return slm__fail(error, SLM_E_LIMIT, "more than the limit of %u %s are needed", set->limit, what);
    }
    return slm__arena_failure(set->arena, error);
}

static bool is_less(const void *items, uint32_t a, uint32_t b)
{
    const uint64_t *values = items;
    return values[a] < values[b];
}

static void exchange(void *items, uint32_t a, uint32_t b)
{
    uint64_t *values = items;
    uint64_t value = values[a];
    values[a] = values[b];
    values[b] = value;
}

/* Insertion for short lists, which are nearly all; heap sort for the others. */
void slm__sort_u64(uint64_t *values, uint32_t count)
{
    if (count <= INSERTION_LIMIT) {
        for (uint32_t i = 1; i < count; i++) {
            uint64_t value = values[i];
            uint32_t j = i;
            for (; j > 0 && values[j - 1] > value; j--) {
                values[j] = values[j - 1];
            }
            values[j] = value;
        }
        return;
    }
    slm__heap_sort(values, count, is_less, exchange);
}
