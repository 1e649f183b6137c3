/* SPDX-License-Identifier: MIT */
/*
 * Two ways to own memory.
 *
 * struct slm_arena: many small objects of unknown number with one lifetime (a parsed JSON text, a compiled template).
 * Grows in chunks through the engine's allocator up to a byte limit; freed at once.
 *
 * struct slm_carver: one block whose parts are known before (a pool, a session). The same function carves twice: with base
 * NULL to learn the size, then with the block. So plan and layout cannot disagree.
 */
#ifndef SLM_BASE_ARENA_H
#define SLM_BASE_ARENA_H

#include "base/memory.h" /* struct slm_memory */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status */

struct slm_arena {
    struct slm_memory memory;
    struct slm_arena_chunk *chunks; /* newest first */
    size_t total;                   /* bytes taken from `memory` */
    size_t limit;                   /* of total */
    bool limit_hit;                 /* the last failure was the limit, not the allocator */
};

/* Takes no memory yet. */
void slm__arena_init(struct slm_arena *arena, const struct slm_memory *memory, size_t limit);
/* `bytes` zeroed bytes aligned to 16, or NULL: out of memory or limit (see limit_hit). bytes may be 0. */
void *slm__arena_take(struct slm_arena *arena, size_t bytes);
/* Copy of a text with a NUL behind it, or NULL. */
char *slm__arena_text(struct slm_arena *arena, struct slm_span text);
/* SLM_E_LIMIT or SLM_E_NO_MEMORY after slm__arena_take() gave NULL, with its sentence. */
slm_status slm__arena_failure(const struct slm_arena *arena, slm_error *error);
/* Gives all memory back; the arena can be used again. */
void slm__arena_free(struct slm_arena *arena);

struct slm_carver {
    uint8_t *base; /* NULL: only count */
    uint64_t used;
};

/* The next `bytes` bytes at a multiple of 64, or NULL while counting. */
void *slm__carve(struct slm_carver *carver, uint64_t bytes);

#endif
