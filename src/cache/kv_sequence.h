/* SPDX-License-Identifier: MIT */
/* The page table of one sequence for one class of layers. Forks share pages; the first append to a shared, part-filled page copies it.
 * Layers with a window drop pages that no query can see any more. */
#ifndef SLM_CACHE_KV_SEQUENCE_H
#define SLM_CACHE_KV_SEQUENCE_H

#include "cache/kv_pages.h" /* struct slm_kv_pages */
#include <stdbool.h>

enum { SLM_NO_PAGE = 0xffffffff };

struct slm_kv_sequence {
    uint32_t *table;   /* [capacity] page of each tile; SLM_NO_PAGE: dropped */
    uint32_t capacity; /* tiles */
    uint32_t tiles;    /* entries in use: tiles up to the length */
    uint32_t low;      /* positions below it have been dropped */
    uint32_t length;   /* positions whose keys and values are valid */
};

/* Tiles that `positions` positions take. */
static inline uint32_t slm__kv_tiles(uint32_t positions) { return (positions + 63u) / 64u; }

/* Make positions [from, from + count) writable: own pages under all of them, where positions below `from` keep theirs. false, and nothing
 * changed, when the pool has too few free pages. from is at least the length and at most the end of what was reserved before. */
bool slm__kv_sequence_reserve(struct slm_kv_sequence *sequence, struct slm_kv_pages *pages, uint32_t from, uint32_t count);
/* Keep the first `length` positions (at most the present length, or what was reserved) and give back pages behind them. */
void slm__kv_sequence_truncate(struct slm_kv_sequence *sequence, struct slm_kv_pages *pages, uint32_t length);
/* Give back the pages of tiles [begin, end). */
void slm__kv_sequence_drop(struct slm_kv_sequence *sequence, struct slm_kv_pages *pages, uint32_t begin, uint32_t end);
/* Make the empty `fork` share everything of `sequence`. Same capacity. */
void slm__kv_sequence_fork(struct slm_kv_sequence *fork, const struct slm_kv_sequence *sequence, struct slm_kv_pages *pages);

#endif
