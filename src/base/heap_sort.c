/* SPDX-License-Identifier: MIT */
/* Heap sort (Williams 1964): O(n log n) for every input, no memory. The C library's qsort may allocate. */
#include "base/heap_sort.h"

static void sift_down(void *items, uint32_t root, uint32_t count, slm_sort_less_fn *less, slm_sort_swap_fn *swap)
{
    while (root < count / 2) {
        uint32_t child = 2 * root + 1;
        if (child + 1 < count && less(items, child, child + 1)) {
            child++;
        }
        if (!less(items, root, child)) {
            return;
        }
        swap(items, root, child);
        root = child;
    }
}

void slm__heap_sort(void *items, uint32_t count, slm_sort_less_fn *less, slm_sort_swap_fn *swap)
{
    for (uint32_t root = count / 2; root > 0; root--) {
        sift_down(items, root - 1, count, less, swap);
    }
    for (uint32_t end = count; end > 1; end--) {
        swap(items, 0, end - 1);
        sift_down(items, 0, end - 1, less, swap);
    }
}
