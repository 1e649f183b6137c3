/* SPDX-License-Identifier: MIT */
/*
 * A unit of the trie is a u32: bits 0-7 and 31 its label, bit 8 whether a value hangs below it, bits 10-30 the offset to its children,
 * shifted by 8 more when bit 9 is set. Every index is compared with the number of units, so a wrong map gives wrong text and no more.
 */
#include "text/precompiled_map.h"

#include "base/byte_reader.h" /* slm__load_u32 */
#include "base/utf8.h"        /* slm__utf8_valid_prefix */
#include "text/grapheme.h"    /* slm__grapheme_end */

enum { WHOLE_CLUSTER_LIMIT = 6 }; /* bytes: shorter clusters are looked up as a whole */

struct map {
    const uint8_t *units;
    uint32_t count;
    struct slm_span texts;
};

static bool open_map(struct slm_span bytes, struct map *map)
{
    if (bytes.length < 8) {
        return false;
    }
    uint32_t trie = slm__load_u32(bytes.data);
    if (trie % 4 != 0 || trie == 0 || trie > bytes.length - 4) {
        return false;
    }
    map->units = bytes.data + 4;
    map->count = trie / 4;
    map->texts = slm__span(bytes.data + 4 + trie, bytes.length - 4 - trie);
    return true;
}

bool slm__precompiled_valid(struct slm_span bytes)
{
    struct map map;
    return open_map(bytes, &map) && slm__utf8_valid_prefix(map.texts) == map.texts.length &&
           (map.texts.length == 0 || map.texts.data[map.texts.length - 1] == 0);
}

static uint32_t unit_offset(uint32_t unit) { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }

/* Unit `at`, or one that matches nothing. */
static uint32_t unit_at(const struct map *map, uint32_t at) { return at < map->count ? slm__load_u32(map->units + 4 * (size_t)at) : 0; }

/* The replacement of the shortest beginning of `key` that the map knows. */
static bool find(const struct map *map, struct slm_span key, struct slm_span *replacement)
{
    uint32_t at = unit_offset(unit_at(map, 0));
    for (size_t i = 0; i < key.length && key.data[i] != 0; i++) {
        at ^= key.data[i];
        uint32_t unit = unit_at(map, at);
        if ((unit & (1U << 31 | 0xFF)) != key.data[i]) {
            return false;
        }
        at ^= unit_offset(unit);
        if ((unit >> 8 & 1) != 0) {
            uint32_t start = unit_at(map, at) & ~(1U << 31);
            if (start >= map->texts.length || (map->texts.data[start] & 0xC0) == 0x80) {
                return false; /* outside, or inside a character */
            }
            const uint8_t *end = memchr(map->texts.data + start, 0, map->texts.length - start);
            *replacement = slm__span(map->texts.data + start, (end == NULL ? map->texts.length : (size_t)(end - map->texts.data)) - start);
            return true;
        }
    }
    return false;
}

static void apply_characters(const struct map *map, struct slm_span cluster, struct slm_buffer *out)
{
    for (size_t position = 0; position < cluster.length;) {
        struct slm_utf8 c = slm__utf8_decode(cluster.data + position, cluster.length - position);
        struct slm_span text = slm__span(cluster.data + position, c.length);
        (void)find(map, text, &text);
        slm__buffer_append(out, text.data, text.length);
        position += c.length;
    }
}

void slm__precompiled_apply(struct slm_span bytes, struct slm_span text, struct slm_buffer *out)
{
    struct map map;
    if (!open_map(bytes, &map)) {
        slm__buffer_append(out, text.data, text.length);
        return;
    }
    for (size_t position = 0; position < text.length;) {
        size_t end = slm__grapheme_end(text, position);
        struct slm_span cluster = slm__span(text.data + position, end - position);
        struct slm_span replacement;
        if (cluster.length < WHOLE_CLUSTER_LIMIT && find(&map, cluster, &replacement)) {
            slm__buffer_append(out, replacement.data, replacement.length);
        } else {
            apply_characters(&map, cluster, out);
        }
        position = end;
    }
}
