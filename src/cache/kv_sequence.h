/* SPDX-License-Identifier: MIT */
/* The page table of one sequence. Forks share pages; the first append to a shared, part-filled page copies it. */
#ifndef SLM_CACHE_KV_SEQUENCE_H
#define SLM_CACHE_KV_SEQUENCE_H

#include "cache/kv_pages.h" /* struct slm_kv_pages */
#include <stdbool.h>

struct slm_kv_sequence {
    uint32_t *table;   /* [capacity] page of each tile */
    uint32_t capacity; /* tiles */
    uint32_t tiles;    /* pages held */
    uint32_t length;   /* positions whose keys and values are valid */
};

/* Tiles that `positions` positions take. */
static inline uint32_t slm__kv_tiles(uint32_t positions) { return (positions + 63u) / 64u; }

/* Make positions [length, length + count) writable: own pages under all of them. false, and nothing changed, when the pool has too few
 * free pages. The caller has checked the capacity. */
bool slm__kv_sequence_reserve(struct slm_kv_sequence *sequence, struct slm_kv_pages *pages, uint32_t count);
/* Keep the first `length` positions (at most the present length, or what was reserved) and give back pages behind them. */
void slm__kv_sequence_truncate(struct slm_kv_sequence *sequence, struct slm_kv_pages *pages, uint32_t length);
/* Make the empty `fork` share everything of `sequence`. Same capacity. */
void slm__kv_sequence_fork(struct slm_kv_sequence *fork, const struct slm_kv_sequence *sequence, struct slm_kv_pages *pages);

#endif
