/* SPDX-License-Identifier: MIT */
/* Page tables: append, truncate, drop, fork. */
#include "cache/kv_sequence.h"
#include "base/check.h" /* SLM_ASSERT */
#include <string.h>

/* Whether position `from` falls into a page that holds older positions and belongs to others too. */
static bool must_copy(const struct slm_kv_sequence *sequence, const struct slm_kv_pages *pages, uint32_t from)
{
    return from % 64 != 0 && pages->references[sequence->table[from / 64]] > 1;
}

bool slm__kv_sequence_reserve(struct slm_kv_sequence *sequence, struct slm_kv_pages *pages, uint32_t from, uint32_t count)
{
    if (count == 0) {
        return true;
    }
    const uint32_t tiles = slm__kv_tiles(from + count), missing = tiles > sequence->tiles ? tiles - sequence->tiles : 0;
    const bool copy = must_copy(sequence, pages, from);
    SLM_ASSERT(tiles <= sequence->capacity);
    if (missing + (copy ? 1u : 0u) > pages->free_count) {
        return false;
    }
    if (copy) {
        uint32_t *entry = &sequence->table[from / 64];
        const uint32_t page = slm__kv_pages_take(pages);
        memcpy(pages->base + page * pages->page_bytes, pages->base + *entry * pages->page_bytes, pages->page_bytes);
        slm__kv_pages_drop(pages, *entry);
        *entry = page;
    }
    while (sequence->tiles < tiles) {
        sequence->table[sequence->tiles++] = slm__kv_pages_take(pages);
    }
    return true;
}

void slm__kv_sequence_truncate(struct slm_kv_sequence *sequence, struct slm_kv_pages *pages, uint32_t length)
{
    const uint32_t tiles = slm__kv_tiles(length);
    if (sequence->tiles > tiles) {
        slm__kv_sequence_drop(sequence, pages, tiles, sequence->tiles);
        sequence->tiles = tiles;
    }
    if (sequence->length > length) {
        sequence->length = length;
    }
    if (length == 0) {
        sequence->low = 0;
    }
}

void slm__kv_sequence_drop(struct slm_kv_sequence *sequence, struct slm_kv_pages *pages, uint32_t begin, uint32_t end)
{
    for (uint32_t tile = begin; tile < end; tile++) {
        if (sequence->table[tile] != SLM_NO_PAGE) {
            slm__kv_pages_drop(pages, sequence->table[tile]);
            sequence->table[tile] = SLM_NO_PAGE;
        }
    }
}

void slm__kv_sequence_fork(struct slm_kv_sequence *fork, const struct slm_kv_sequence *sequence, struct slm_kv_pages *pages)
{
    SLM_ASSERT(fork->tiles == 0 && fork->capacity >= sequence->tiles);
    for (uint32_t i = 0; i < sequence->tiles; i++) {
        fork->table[i] = sequence->table[i];
        if (fork->table[i] != SLM_NO_PAGE) {
            slm__kv_pages_share(pages, fork->table[i]);
        }
    }
    fork->tiles = sequence->tiles;
    fork->low = sequence->low;
    fork->length = sequence->length;
}
