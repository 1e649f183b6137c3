/* SPDX-License-Identifier: MIT */
/* Sort, merge, take out the surrogates. */
#include "grammar/code_set.h"
#include "grammar/sequence_set.h" /* slm__arena_grow, slm__sort_u64 */

void slm__codes_init(struct slm_code_collector *codes, struct slm_arena *arena) { *codes = (struct slm_code_collector){.arena = arena}; }

void slm__codes_add(struct slm_code_collector *codes, uint32_t first, uint32_t last)
{
    if (first > last) {
        return;
    }
    if (!slm__arena_grow(codes->arena, &codes->ranges, &codes->capacity, (uint64_t)codes->count + 1, sizeof *codes->ranges)) {
        codes->failed = true;
        return;
    }
    codes->ranges[codes->count++] = (uint64_t)first << 32 | last;
}

void slm__codes_add_set(struct slm_code_collector *codes, struct slm_code_set set)
{
    for (uint32_t i = 0; i < set.count; i++) {
        slm__codes_add(codes, set.ranges[i].first, set.ranges[i].last);
    }
}

/* Append a range behind the others, cut at the surrogates. */
static void put(struct slm_code_range *ranges, uint32_t *count, uint32_t first, uint32_t last)
{
    if (first < SLM_SURROGATE_FIRST && last >= SLM_SURROGATE_FIRST) {
        ranges[(*count)++] = (struct slm_code_range){first, SLM_SURROGATE_FIRST - 1};
        first = SLM_SURROGATE_FIRST;
    }
    first = first >= SLM_SURROGATE_FIRST && first <= SLM_SURROGATE_LAST ? SLM_SURROGATE_LAST + 1 : first;
    if (first <= last) {
        ranges[(*count)++] = (struct slm_code_range){first, last};
    }
}

bool slm__codes_finish(struct slm_code_collector *codes, bool complement, struct slm_code_set *set)
{
    /* Each range may be cut in two, and a complement has one more. */
    struct slm_code_range *ranges = codes->failed ? NULL : slm__arena_take(codes->arena, ((size_t)codes->count + 3) * sizeof *ranges);
    if (ranges == NULL) {
        return false;
    }
    slm__sort_u64(codes->ranges, codes->count);
    uint32_t count = 0;
    uint32_t gap = 0; /* first code point behind what was seen */
    for (uint32_t i = 0; i < codes->count;) {
        uint32_t first = (uint32_t)(codes->ranges[i] >> 32);
        uint32_t last = (uint32_t)codes->ranges[i];
        for (i++; i < codes->count && (codes->ranges[i] >> 32) <= (uint64_t)last + 1; i++) {
            uint32_t other = (uint32_t)codes->ranges[i];
            last = other > last ? other : last;
        }
        if (!complement) {
            put(ranges, &count, first, last);
        } else if (first > gap) {
            put(ranges, &count, gap, first - 1);
        }
        gap = last + 1;
    }
    if (complement && gap <= SLM_CODE_LAST) {
        put(ranges, &count, gap, SLM_CODE_LAST);
    }
    *set = (struct slm_code_set){ranges, count};
    slm__codes_init(codes, codes->arena);
    return true;
}

struct slm_code_set slm__codes_digits(void)
{
    static const struct slm_code_range ranges[] = {{'0', '9'}};
    return (struct slm_code_set){ranges, 1};
}

struct slm_code_set slm__codes_word(void)
{
    static const struct slm_code_range ranges[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    return (struct slm_code_set){ranges, 4};
}

struct slm_code_set slm__codes_space(void)
{
    static const struct slm_code_range ranges[] = {{0x09, 0x0D},     {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680},
                                                   {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                                                   {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
    return (struct slm_code_set){ranges, 10};
}

struct slm_code_set slm__codes_line_ends(void)
{
    static const struct slm_code_range ranges[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
    return (struct slm_code_set){ranges, 3};
}
