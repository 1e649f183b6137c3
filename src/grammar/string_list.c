/* SPDX-License-Identifier: MIT */
/* Sorting a string list. */
#include "grammar/string_list.h"
#include "base/heap_sort.h" /* slm__heap_sort */

#include <string.h> /* memcmp */

struct sorted {
    struct slm_listed_string *strings;
    const uint8_t *texts;
};

static bool less(const void *items, uint32_t a, uint32_t b)
{
    const struct sorted *sorted = items;
    const struct slm_listed_string *x = &sorted->strings[a];
    const struct slm_listed_string *y = &sorted->strings[b];
    const uint32_t shorter = x->length < y->length ? x->length : y->length;
    const int order = shorter == 0 ? 0 : memcmp(sorted->texts + x->text, sorted->texts + y->text, shorter);
    return order != 0 ? order < 0 : x->length < y->length;
}

static void swap(void *items, uint32_t a, uint32_t b)
{
    struct slm_listed_string *strings = ((struct sorted *)items)->strings;
    const struct slm_listed_string kept = strings[a];
    strings[a] = strings[b];
    strings[b] = kept;
}

void slm__list_sort(struct slm_listed_string *strings, uint32_t count, const uint8_t *texts)
{
    struct sorted sorted = {strings, texts};
    slm__heap_sort(&sorted, count, less, swap);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t common = 0;
        while (i > 0 && common < strings[i].length && common < strings[i - 1].length &&
               texts[strings[i].text + common] == texts[strings[i - 1].text + common]) {
            common++;
        }
        strings[i].common = common;
    }
}
