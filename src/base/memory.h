/* SPDX-License-Identifier: MIT */
/* The engine's allocator, handed to whatever allocates; and size arithmetic that cannot wrap. */
#ifndef SLM_BASE_MEMORY_H
#define SLM_BASE_MEMORY_H

#include <slm.h> /* slm_allocate_fn, slm_release_fn */
#include <stdbool.h>
#include <stddef.h>

struct slm_memory {
    slm_allocate_fn *allocate;
    slm_release_fn *release;
    void *user;
};

/* The C library's aligned allocation. */
struct slm_memory slm__memory_default(void);

/* NULL when there is no memory or `bytes` is 0. Contents are undefined. alignment: power of two, at most 4096. */
void *slm__allocate(const struct slm_memory *memory, size_t bytes, size_t alignment);
/* `bytes` as given to slm__allocate. block may be NULL. */
void slm__release(const struct slm_memory *memory, void *block, size_t bytes);

/* *result = a * b or a + b; false when that does not fit. */
bool slm__size_mul(size_t a, size_t b, size_t *result);
bool slm__size_add(size_t a, size_t b, size_t *result);
bool slm__u64_mul(uint64_t a, uint64_t b, uint64_t *result);
bool slm__u64_add(uint64_t a, uint64_t b, uint64_t *result);

/* value rounded up to a multiple of `unit` (a power of two); the caller knows that it fits. */
static inline uint64_t slm__round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) & ~(unit - 1); }

#endif
