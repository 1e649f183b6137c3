/* SPDX-License-Identifier: MIT */
/* Normalization: the text is cut into segments that start at a character which never changes and go on up to the next such one;
 * most segments are copied, the others are decomposed, reordered and, for C and KC, composed in an array of code points. */
#include "text/unicode_normalize.h"

#include "base/utf8.h"            /* slm__utf8_decode, slm__utf8_encode */
#include "text/unicode_classes.h" /* slm__unicode, slm__unicode_ccc */
#include "text/unicode_text.h"    /* slm__unicode_text, slm__unicode_compatible_codes */

enum { HANGUL_S = 0xAC00, HANGUL_L = 0x1100, HANGUL_V = 0x1161, HANGUL_T = 0x11A7 };
enum { HANGUL_L_COUNT = 19, HANGUL_V_COUNT = 21, HANGUL_T_COUNT = 28, HANGUL_S_COUNT = 11172 };

/* Code points of one segment with their combining classes: code | ccc << 24. */
struct segment {
    uint32_t *codes;
    size_t count;
    size_t capacity;
    const struct slm_memory *memory;
    uint32_t fixed[64]; /* before memory is taken */
};

static void segment_release(struct segment *segment)
{
    if (segment->codes != segment->fixed) {
        slm__release(segment->memory, segment->codes, segment->capacity * sizeof *segment->codes);
    }
}

/* Room for twice `count` code points: the upper half is scratch of the reordering. */
static bool segment_reserve(struct segment *segment, size_t count)
{
    size_t wanted = 0;
    size_t bytes = 0;
    if (count <= segment->capacity / 2) {
        return true;
    }
    if (!slm__size_mul(count, 4, &wanted) || !slm__size_mul(wanted, sizeof *segment->codes, &bytes)) {
        return false;
    }
    uint32_t *codes = slm__allocate(segment->memory, bytes, sizeof *codes);
    if (codes == NULL) {
        return false;
    }
    memcpy(codes, segment->codes, segment->count * sizeof *codes);
    segment_release(segment);
    segment->codes = codes;
    segment->capacity = wanted;
    return true;
}

static bool segment_add(struct segment *segment, uint32_t code)
{
    if (!segment_reserve(segment, segment->count + 1)) {
        return false;
    }
    segment->codes[segment->count++] = code | slm__unicode_ccc(code) << 24;
    return true;
}

/* The table entry of `code`, or 0. */
static uint64_t find_decomposition(uint32_t code)
{
    uint32_t low = 0;
    uint32_t high = slm__unicode_decomposition_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t entry = slm__unicode_decompositions[middle];
        if ((uint32_t)(entry >> 36) == code) {
            return entry;
        }
        if ((uint32_t)(entry >> 36) < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 0;
}

/* Add the full canonical decomposition. Tables decompose the first part again, at most four times; the second part is final. */
static bool add_decomposed(struct segment *segment, uint32_t code)
{
    if (code - HANGUL_S < HANGUL_S_COUNT) {
        uint32_t index = code - HANGUL_S;
        uint32_t trailing = index % HANGUL_T_COUNT;
        return segment_add(segment, HANGUL_L + index / (HANGUL_V_COUNT * HANGUL_T_COUNT)) &&
               segment_add(segment, HANGUL_V + index % (HANGUL_V_COUNT * HANGUL_T_COUNT) / HANGUL_T_COUNT) &&
               (trailing == 0 || segment_add(segment, HANGUL_T + trailing));
    }
    uint32_t seconds[8];
    unsigned count = 0;
    uint64_t entry = 0;
    while (count < 8 && (entry = find_decomposition(code)) != 0) {
        uint32_t second = (uint32_t)entry & 0x3FFFF;
        code = (uint32_t)(entry >> 18) & 0x3FFFF;
        if (second != 0) {
            seconds[count++] = second;
        }
    }
    if (!segment_add(segment, code)) {
        return false;
    }
    while (count > 0) {
        uint32_t second = seconds[--count];
        if (find_decomposition(second) != 0 ? !add_decomposed(segment, second) : !segment_add(segment, second)) {
            return false;
        }
    }
    return true;
}

/* Add the full compatibility decomposition of a character that has one. */
static bool add_compatible(struct segment *segment, uint32_t code)
{
    uint32_t low = 0;
    uint32_t high = slm__unicode_compatible_count;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        if (slm__unicode_compatible_codes[middle] <= code) {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (uint32_t i = slm__unicode_compatible_offsets[low]; i < slm__unicode_compatible_offsets[low + 1]; i++) {
        if (!segment_add(segment, slm__unicode_compatible_parts[i])) {
            return false;
        }
    }
    return true;
}

/* In builds without variants the form is NFC, and the tables of the others are left out. */
static bool compatibility(enum slm_unicode_form form)
{
    return SLM_WITH_VARIANTS && (form == SLM_UNICODE_NFKC || form == SLM_UNICODE_NFKD);
}

static bool composing(enum slm_unicode_form form) { return !SLM_WITH_VARIANTS || form == SLM_UNICODE_NFC || form == SLM_UNICODE_NFKC; }

/* Whether `form` may change the character, alone or together with what precedes it. */
static bool is_slow(enum slm_unicode_form form, uint32_t code)
{
    if (!SLM_WITH_VARIANTS || form == SLM_UNICODE_NFC) {
        return (slm__unicode(code) & SLM_UNICODE_NFC_SLOW) != 0;
    }
    uint32_t bits = slm__unicode_text(code);
    bool slow = composing(form) ? (slm__unicode(code) & SLM_UNICODE_NFC_SLOW) != 0 : (bits & SLM_UNICODE_DECOMPOSES) != 0;
    return slow || (compatibility(form) && (bits & SLM_UNICODE_COMPATIBLE) != 0);
}

/* Stable sort of a run of characters by combining class: insertion for short runs, counting for long ones. */
static void reorder_run(uint32_t *codes, size_t count, uint32_t *scratch)
{
    if (count <= 32) {
        for (size_t i = 1; i < count; i++) {
            uint32_t moved = codes[i];
            size_t j = i;
            for (; j > 0 && codes[j - 1] >> 24 > moved >> 24; j--) {
                codes[j] = codes[j - 1];
            }
            codes[j] = moved;
        }
        return;
    }
    size_t start[257] = {0};
    for (size_t i = 0; i < count; i++) {
        start[(codes[i] >> 24) + 1]++;
    }
    for (size_t i = 1; i < 257; i++) {
        start[i] += start[i - 1];
    }
    memcpy(scratch, codes, count * sizeof *codes);
    for (size_t i = 0; i < count; i++) {
        codes[start[scratch[i] >> 24]++] = scratch[i];
    }
}

static void reorder(struct segment *segment)
{
    uint32_t *codes = segment->codes;
    for (size_t i = 0; i < segment->count;) {
        size_t end = i;
        while (end < segment->count && codes[end] >> 24 != 0) {
            end++;
        }
        reorder_run(codes + i, end - i, codes + segment->capacity / 2);
        i = end + 1;
    }
}

/* The character that `first` and `second` compose to, or 0. */
static uint32_t compose_pair(uint32_t first, uint32_t second)
{
    if (first - HANGUL_L < HANGUL_L_COUNT && second - HANGUL_V < HANGUL_V_COUNT) {
        return HANGUL_S + ((first - HANGUL_L) * HANGUL_V_COUNT + (second - HANGUL_V)) * HANGUL_T_COUNT;
    }
    if (first - HANGUL_S < HANGUL_S_COUNT && (first - HANGUL_S) % HANGUL_T_COUNT == 0 && second - (HANGUL_T + 1) < HANGUL_T_COUNT - 1) {
        return first + (second - HANGUL_T);
    }
    const uint64_t pairs = ((uint64_t)1 << 36) - 1;
    uint64_t wanted = (uint64_t)first << 18 | second;
    uint32_t low = 0;
    uint32_t high = slm__unicode_composition_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t entry = slm__unicode_decompositions[slm__unicode_compositions[middle]];
        if ((entry & pairs) == wanted) {
            return (uint32_t)(entry >> 36);
        }
        if ((entry & pairs) < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 0;
}

/* Canonical composition in place: each character joins the last starter unless one of its class or higher stands between. */
static void compose(struct segment *segment)
{
    uint32_t *codes = segment->codes;
    const uint32_t code_bits = 0xFFFFFF;
    size_t kept = 0;
    size_t starter = SIZE_MAX;
    uint32_t last_class = 0;
    for (size_t i = 0; i < segment->count; i++) {
        uint32_t combining = codes[i] >> 24;
        bool adjacent = starter != SIZE_MAX && kept == starter + 1;
        if (starter != SIZE_MAX && (adjacent || (last_class < combining && last_class != 0))) {
            uint32_t composed = compose_pair(codes[starter] & code_bits, codes[i] & code_bits);
            if (composed != 0) {
                codes[starter] = composed; /* a composition is a starter */
                continue;
            }
        }
        if (combining == 0) {
            starter = kept;
        }
        last_class = combining;
        codes[kept++] = codes[i];
    }
    segment->count = kept;
}

static void append_segment(const struct segment *segment, struct slm_buffer *out)
{
    for (size_t i = 0; i < segment->count; i++) {
        uint8_t bytes[4];
        slm__buffer_append(out, bytes, slm__utf8_encode(segment->codes[i] & 0xFFFFFF, bytes));
    }
}

/* First byte at or after `position` of a character that `form` may change, or the end; *before is the start of the character that
 * precedes it, itself when there is none. */
static size_t find_slow(enum slm_unicode_form form, struct slm_span text, size_t position, size_t *before)
{
    size_t previous = position;
    while (position < text.length) {
        if (text.data[position] < 0x80) {
            previous = position++;
            continue;
        }
        struct slm_utf8 c = slm__utf8_decode(text.data + position, text.length - position);
        if (is_slow(form, c.code)) {
            *before = previous;
            return position;
        }
        previous = position;
        position += c.length;
    }
    *before = text.length;
    return text.length;
}

bool slm__unicode_is_normal(enum slm_unicode_form form, struct slm_span text)
{
    size_t before = 0;
    return find_slow(form, text, 0, &before) == text.length;
}

/* Normalize the segment that starts at `position` and contains a slow character at `slow`; returns its end, or SIZE_MAX without memory. */
static size_t normalize_segment(enum slm_unicode_form form, struct segment *segment, struct slm_span text, size_t position, size_t slow,
                                struct slm_buffer *out)
{
    segment->count = 0;
    while (position < text.length) {
        struct slm_utf8 c = slm__utf8_decode(text.data + position, text.length - position);
        if (position > slow && !is_slow(form, c.code)) {
            break;
        }
        bool compatible = compatibility(form) && (slm__unicode_text(c.code) & SLM_UNICODE_COMPATIBLE) != 0;
        if (compatible ? !add_compatible(segment, c.code) : !add_decomposed(segment, c.code)) {
            return SIZE_MAX;
        }
        position += c.length;
    }
    reorder(segment);
    if (composing(form)) {
        compose(segment);
    }
    append_segment(segment, out);
    return position;
}

slm_status slm__unicode_normalize(enum slm_unicode_form form, struct slm_span text, struct slm_buffer *out, slm_error *error)
{
    struct segment segment;
    segment.codes = segment.fixed;
    segment.count = 0;
    segment.capacity = sizeof segment.fixed / sizeof segment.fixed[0];
    segment.memory = &out->memory;
    size_t position = 0;
    while (position < text.length) {
        size_t before = 0;
        size_t slow = find_slow(form, text, position, &before);
        slm__buffer_append(out, text.data + position, before - position);
        if (slow == text.length) {
            break;
        }
        position = normalize_segment(form, &segment, text, before, slow, out);
        if (position == SIZE_MAX) {
            segment_release(&segment);
            return slm__fail_memory(error, segment.capacity * sizeof *segment.codes);
        }
    }
    segment_release(&segment);
    return out->status == SLM_OK ? SLM_OK : slm__buffer_failure(out, error);
}
