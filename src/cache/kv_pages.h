/* SPDX-License-Identifier: MIT */
/* Fixed-size pages with reference counts, all taken from one block at creation. A page holds the keys and values of 64 consecutive
 * positions (a tile) for all layers. What lies where inside a page is the business of floor 3. */
#ifndef SLM_CACHE_KV_PAGES_H
#define SLM_CACHE_KV_PAGES_H

#include "base/arena.h" /* struct slm_carver */
#include <stdint.h>

struct slm_kv_pages {
    uint8_t *base;       /* [count][page_bytes], 64-byte aligned */
    uint64_t page_bytes; /* multiple of 64 */
    uint32_t count;
    uint32_t free_count;
    uint32_t *free_list;  /* [count]; the first free_count entries are free pages */
    uint32_t *references; /* [count]; 0: free */
};

/* Lay out the pages in `carver` (see base/arena.h: with a NULL base this only counts). */
void slm__kv_pages_carve(struct slm_kv_pages *pages, struct slm_carver *carver, uint32_t count, uint64_t page_bytes);
/* All pages free. */
void slm__kv_pages_reset(struct slm_kv_pages *pages);
/* A free page with one reference; the caller has checked free_count. */
uint32_t slm__kv_pages_take(struct slm_kv_pages *pages);
void slm__kv_pages_share(struct slm_kv_pages *pages, uint32_t page);
void slm__kv_pages_drop(struct slm_kv_pages *pages, uint32_t page);

#endif
