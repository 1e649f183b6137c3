/* SPDX-License-Identifier: MIT */
/* Sorting in place without allocation and without a bad case, for lists whose order a hostile file chooses. */
#ifndef SLM_BASE_HEAP_SORT_H
#define SLM_BASE_HEAP_SORT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether item a belongs before item b; exchange items a and b. */
typedef bool slm_sort_less_fn(const void *items, uint32_t a, uint32_t b);
typedef void slm_sort_swap_fn(void *items, uint32_t a, uint32_t b);

void slm__heap_sort(void *items, uint32_t count, slm_sort_less_fn *less, slm_sort_swap_fn *swap);

#endif
