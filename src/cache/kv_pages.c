/* SPDX-License-Identifier: MIT */
/* The page pool of the KV cache: a stack of free pages and a reference count for each. */
#include "cache/kv_pages.h"
#include "base/check.h" /* SLM_ASSERT */

void slm__kv_pages_carve(struct slm_kv_pages *pages, struct slm_carver *carver, uint32_t count, uint64_t page_bytes)
{
    pages->count = count;
    pages->page_bytes = page_bytes;
    pages->base = slm__carve(carver, (uint64_t)count * page_bytes);
    pages->free_list = slm__carve(carver, (uint64_t)count * sizeof *pages->free_list);
    pages->references = slm__carve(carver, (uint64_t)count * sizeof *pages->references);
}

void slm__kv_pages_reset(struct slm_kv_pages *pages)
{
    for (uint32_t i = 0; i < pages->count; i++) {
        pages->free_list[i] = pages->count - 1 - i; /* the first page is taken first */
        pages->references[i] = 0;
    }
    pages->free_count = pages->count;
}

uint32_t slm__kv_pages_take(struct slm_kv_pages *pages)
{
    SLM_ASSERT(pages->free_count > 0);
    const uint32_t page = pages->free_list[--pages->free_count];
    pages->references[page] = 1;
    return page;
}

void slm__kv_pages_share(struct slm_kv_pages *pages, uint32_t page)
{
    SLM_ASSERT(pages->references[page] > 0);
    pages->references[page]++;
}

void slm__kv_pages_drop(struct slm_kv_pages *pages, uint32_t page)
{
    SLM_ASSERT(pages->references[page] > 0);
    if (--pages->references[page] == 0) {
        pages->free_list[pages->free_count++] = page;
    }
}
