/* SPDX-License-Identifier: MIT */
/* Page tables: append, truncate, fork. */
#include "cache/kv_sequence.h"
#include "base/check.h" /* SLM_ASSERT */
#include <string.h>

/* Whether the page that the next position falls into holds older positions and belongs to others too. */
static bool must_copy(const struct slm_kv_sequence *sequence, const struct slm_kv_pages *pages)
{
    return sequence->length % 64 != 0 && pages->references[sequence->table[sequence->length / 64]] > 1;
}

bool slm__kv_sequence_reserve(struct slm_kv_sequence *sequence, struct slm_kv_pages *pages, uint32_t count)
{
    if (count == 0) {
        return true;
    }
    const uint32_t tiles = slm__kv_tiles(sequence->length + count);
    const bool copy = must_copy(sequence, pages);
    SLM_ASSERT(tiles <= sequence->capacity);
    if ((tiles - sequence->tiles) + (copy ? 1u : 0u) > pages->free_count) {
        return false;
    }
    if (copy) {
        uint32_t *entry = &sequence->table[sequence->length / 64];
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
    while (sequence->tiles > tiles) {
        slm__kv_pages_drop(pages, sequence->table[--sequence->tiles]);
    }
    if (sequence->length > length) {
        sequence->length = length;
    }
}

void slm__kv_sequence_fork(struct slm_kv_sequence *fork, const struct slm_kv_sequence *sequence, struct slm_kv_pages *pages)
{
    SLM_ASSERT(fork->tiles == 0 && fork->capacity >= sequence->tiles);
    for (uint32_t i = 0; i < sequence->tiles; i++) {
        fork->table[i] = sequence->table[i];
        slm__kv_pages_share(pages, sequence->table[i]);
    }
    fork->tiles = sequence->tiles;
    fork->length = sequence->length;
}
