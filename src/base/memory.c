/* SPDX-License-Identifier: MIT */
/* The one file that calls the C library's allocator, and size arithmetic that reports what does not fit. */
#include "base/memory.h" /* struct slm_memory, slm__round_up */

#include <stdlib.h> /* aligned_alloc, free */
#ifdef _WIN32
#  include <malloc.h> /* _aligned_malloc, _aligned_free */
#endif

static void *system_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    (void)user;
    uint64_t step = alignment < sizeof(void *) ? sizeof(void *) : alignment;
    if (bytes > SIZE_MAX - step) {
        return NULL;
    }
#ifdef _WIN32
    return _aligned_malloc((size_t)bytes, (size_t)step);
#else
    return aligned_alloc((size_t)step, (size_t)slm__round_up(bytes, step)); /* C11: a multiple of the alignment */
#endif
}

static void system_release(void *user, void *memory, uint64_t bytes)
{
    (void)user;
    (void)bytes;
#ifdef _WIN32
    _aligned_free(memory);
#else
    free(memory);
#endif
}

struct slm_memory slm__memory_default(void)
{
    struct slm_memory memory = {system_allocate, system_release, NULL};
    return memory;
}

void *slm__allocate(const struct slm_memory *memory, size_t bytes, size_t alignment)
{
    return bytes == 0 ? NULL : memory->allocate(memory->user, bytes, alignment);
}

void slm__release(const struct slm_memory *memory, void *block, size_t bytes)
{
    if (block != NULL) {
        memory->release(memory->user, block, bytes);
    }
}

bool slm__size_mul(size_t a, size_t b, size_t *result)
{
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *result = a * b;
    return true;
}

bool slm__size_add(size_t a, size_t b, size_t *result)
{
    if (a > SIZE_MAX - b) {
        return false;
    }
    *result = a + b;
    return true;
}

bool slm__u64_mul(uint64_t a, uint64_t b, uint64_t *result)
{
    if (b != 0 && a > UINT64_MAX / b) {
        return false;
    }
    *result = a * b;
    return true;
}

bool slm__u64_add(uint64_t a, uint64_t b, uint64_t *result)
{
    if (a > UINT64_MAX - b) {
        return false;
    }
    *result = a + b;
    return true;
}
