/* SPDX-License-Identifier: MIT */
/* Arena: a list of chunks, each filled from its start, growing with the arena. Carver: a running offset. */
#include "base/arena.h" /* struct slm_arena, struct slm_carver */

enum { ALIGNMENT = 16, FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20 };

struct slm_arena_chunk {
    struct slm_arena_chunk *next;
    size_t capacity; /* bytes of the whole chunk, this header included */
    size_t used;     /* header included */
};

enum { HEADER = (sizeof(struct slm_arena_chunk) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

void slm__arena_init(struct slm_arena *arena, const struct slm_memory *memory, size_t limit)
{
    *arena = (struct slm_arena){.memory = *memory, .limit = limit};
}

/* A chunk with room for `bytes`: a fresh standard one in front of the list, or, when much is asked, one of exactly that size behind the
 * first, so that the rest of the first stays in use. */
static struct slm_arena_chunk *add_chunk(struct slm_arena *arena, size_t bytes)
{
    size_t left = arena->limit - arena->total;
    if (left < HEADER || bytes > left - HEADER) {
        arena->limit_hit = true;
        return NULL;
    }
    size_t standard = arena->total / 4 < FIRST_CHUNK ? FIRST_CHUNK : arena->total / 4;
    standard = standard > LARGEST_CHUNK ? LARGEST_CHUNK : (size_t)slm__round_up(standard, FIRST_CHUNK);
    standard = standard > left ? left : standard;
    bool large = bytes > standard / 4 && arena->chunks != NULL;
    size_t capacity = large || bytes + HEADER > standard ? bytes + HEADER : standard;
    struct slm_arena_chunk *chunk = slm__allocate(&arena->memory, capacity, 64);
    if (chunk == NULL) {
        arena->limit_hit = false;
        return NULL;
    }
    *chunk = (struct slm_arena_chunk){.capacity = capacity, .used = HEADER};
    struct slm_arena_chunk **place = large ? &arena->chunks->next : &arena->chunks;
    chunk->next = *place;
    *place = chunk;
    arena->total += capacity;
    return chunk;
}

void *slm__arena_take(struct slm_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) {
        arena->limit_hit = true;
        return NULL;
    }
    bytes = (size_t)slm__round_up(bytes == 0 ? 1 : bytes, ALIGNMENT);
    struct slm_arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->capacity - chunk->used < bytes) {
        chunk = add_chunk(arena, bytes);
        if (chunk == NULL) {
            return NULL;
        }
    }
    void *block = (uint8_t *)chunk + chunk->used;
    chunk->used += bytes;
    return memset(block, 0, bytes);
}

char *slm__arena_text(struct slm_arena *arena, struct slm_span text)
{
    char *copy = text.length < SIZE_MAX ? slm__arena_take(arena, text.length + 1) : NULL;
    if (copy != NULL && text.length > 0) {
        memcpy(copy, text.data, text.length);
    }
    return copy;
}

slm_status slm__arena_failure(const struct slm_arena *arena, slm_error *error)
{
    if (arena->limit_hit) {
        return slm__fail(error, SLM_E_LIMIT, "more than the limit of %zu bytes of memory is needed", arena->limit);
    }
    return slm__fail(error, SLM_E_NO_MEMORY, "out of memory (%zu bytes in use)", arena->total);
}

void slm__arena_free(struct slm_arena *arena)
{
    while (arena->chunks != NULL) {
        struct slm_arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        slm__release(&arena->memory, chunk, chunk->capacity);
    }
    arena->total = 0;
    arena->limit_hit = false;
}

void *slm__carve(struct slm_carver *carver, uint64_t bytes)
{
    uint64_t start = slm__round_up(carver->used, 64);
    carver->used = start + bytes;
    return carver->base == NULL ? NULL : carver->base + start;
}
