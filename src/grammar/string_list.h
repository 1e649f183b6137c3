/* SPDX-License-Identifier: MIT */
/*
 * Several strings matched at once, byte by byte: sorted, each with the length that it has in common with the one before. What has been
 * read is a position: the first string that begins with it, and its length; the strings that begin with it follow each other.
 */
#ifndef SLM_GRAMMAR_STRING_LIST_H
#define SLM_GRAMMAR_STRING_LIST_H

#include <stdbool.h>
#include <stdint.h>

struct slm_listed_string {
    uint32_t text; /* in the texts of the grammar */
    uint32_t length;
    uint32_t common; /* bytes in common with the string before; 0 of the first */
    uint32_t tag;    /* what the string means to its owner */
};

struct slm_string_list {
    const struct slm_listed_string *strings;
    uint32_t count;
    const uint8_t *texts;
};

enum { SLM_LIST_LENGTH_BITS = 12, SLM_LIST_STRINGS_MAX = 1 << 20, SLM_LIST_LENGTH_MAX = (1 << SLM_LIST_LENGTH_BITS) - 1 };
#define SLM_LIST_LOST UINT32_MAX /* no string begins so; never a position */

static inline uint32_t slm__list_first(uint32_t position) { return position >> SLM_LIST_LENGTH_BITS; }
static inline uint32_t slm__list_length(uint32_t position) { return position & SLM_LIST_LENGTH_MAX; }
/* Behind the last string that begins as the position says. */
static inline uint32_t slm__list_end(const struct slm_string_list *list, uint32_t position)
{
    uint32_t i = slm__list_first(position) + 1;
    while (i < list->count && list->strings[i].common >= slm__list_length(position)) {
        i++;
    }
    return i;
}
/* Position 0 is the start, also of an empty list. After one more byte, or LOST. */
static inline uint32_t slm__list_step(const struct slm_string_list *list, uint32_t position, uint8_t byte)
{
    const uint32_t length = slm__list_length(position);
    uint32_t i = slm__list_first(position);
    for (bool first = true; i < list->count && (first || list->strings[i].common >= length); i++, first = false) {
        const struct slm_listed_string *string = &list->strings[i];
        if (string->length > length && list->texts[string->text + length] == byte) {
            return i << SLM_LIST_LENGTH_BITS | (length + 1);
        }
    }
    return SLM_LIST_LOST;
}
/* The string that has been read, or NULL. */
static inline const struct slm_listed_string *slm__list_match(const struct slm_string_list *list, uint32_t position)
{
    const struct slm_listed_string *string = &list->strings[slm__list_first(position)];
    return list->count > 0 && string->length == slm__list_length(position) ? string : 0;
}
/* Sort and fill `common`. */
void slm__list_sort(struct slm_listed_string *strings, uint32_t count, const uint8_t *texts);

#endif
