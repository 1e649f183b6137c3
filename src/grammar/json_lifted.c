/* SPDX-License-Identifier: MIT */
/* Automata over decoded text, read as JSON spells it. */
#include "grammar/json_lifted.h"
#include "base/utf8.h"       /* slm__utf8_encode */
#include "text/json_chars.h" /* slm__json_chars_step */

struct code_range {
    uint32_t first;
    uint32_t last;
};

/* What may be spelled \uXXXX. */
static const struct code_range spelled_by_number[] = {{0, 0x1F}, {0x22, 0x22}, {0x5C, 0x5C}, {0x7F, 0xD7FF}, {0xE000, 0x10FFFF}};
enum { SPELLED_RANGES = sizeof spelled_by_number / sizeof spelled_by_number[0] };

/* How many code points may come, as in struct slm_lifted. */
struct bound {
    uint32_t left;
    const uint32_t *least;
};

static bool is_alive(struct bound bound, uint32_t state)
{
    return state != SLM_REGULAR_DEAD && (bound.least == NULL || bound.least[state] <= bound.left);
}

/* Whether a character between two of the same UTF-8 length leads on from `state`, with what the bound leaves behind it. */
static bool lives_between(const struct slm_program_automaton *automaton, struct bound bound, uint32_t state, const uint8_t *first,
                          const uint8_t *last, unsigned count, bool at_first, bool at_last)
{
    if (count == 0 || (!at_first && !at_last)) {
        return true; /* every state leads to a whole word, so inside a character to its end */
    }
    const unsigned from = at_first ? first[0] : 0x80;
    const unsigned to = at_last ? last[0] : 0xBF;
    for (unsigned byte = from; byte <= to; byte++) {
        const uint32_t next = slm__automaton_next(automaton, state, (uint8_t)byte);
        if (is_alive(bound, next) &&
            lives_between(automaton, bound, next, first + 1, last + 1, count - 1, at_first && byte == from, at_last && byte == to)) {
            return true;
        }
    }
    return false;
}

/* Whether any character of first..last leads on. */
static bool lives_in(const struct slm_program_automaton *automaton, struct bound bound, uint32_t state, uint32_t first, uint32_t last)
{
    static const struct code_range lengths[] = {{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, 0x10FFFF}};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const uint32_t from = first > lengths[i].first ? first : lengths[i].first;
        const uint32_t to = last < lengths[i].last ? last : lengths[i].last;
        if (from <= to) {
            uint8_t from_bytes[4];
            uint8_t to_bytes[4];
            const unsigned count = slm__utf8_encode(from, from_bytes);
            slm__utf8_encode(to, to_bytes);
            if (lives_between(automaton, bound, state, from_bytes, to_bytes, count, true, true)) {
                return true;
            }
        }
    }
    return false;
}

static bool lives_by_number(const struct slm_program_automaton *automaton, struct bound bound, uint32_t state, uint32_t first,
                            uint32_t last)
{
    for (int i = 0; i < SPELLED_RANGES; i++) {
        const uint32_t from = first > spelled_by_number[i].first ? first : spelled_by_number[i].first;
        const uint32_t to = last < spelled_by_number[i].last ? last : spelled_by_number[i].last;
        if (from <= to && lives_in(automaton, bound, state, from, to)) {
            return true;
        }
    }
    return false;
}

/* The codes that an escape may still become: first..last of the units, and for first surrogates what they stand for. */
static bool escape_lives(const struct slm_program_automaton *automaton, const struct slm_lifted *place)
{
    const struct bound bound = {place->left - 1, place->least}; /* behind the character */
    const uint32_t high = 0x10000 + (slm__json_chars_high(place->chars) << 10);
    const unsigned open_bits = 4 * (4 - slm__json_chars_count(place->chars));
    const uint32_t first = slm__json_chars_value(place->chars) << open_bits;
    const uint32_t last = first + (1u << open_bits) - 1;
    switch (slm__json_chars_mode(place->chars)) {
    case SLM_JSON_CHARS_ESCAPE:
        for (const char *sign = "\"\\/bfnrt"; *sign != '\0'; sign++) {
            if (is_alive(bound, slm__automaton_next(automaton, place->state, (uint8_t)slm__json_escape_code((uint8_t)*sign)))) {
                return true;
            }
        }
        return lives_by_number(automaton, bound, place->state, 0, 0x10FFFF);
    case SLM_JSON_CHARS_HEX: {
        if (lives_by_number(automaton, bound, place->state, first, last > 0xFFFF ? 0xFFFF : last)) {
            return true;
        }
        const uint32_t from = first > 0xD800 ? first : 0xD800;
        const uint32_t to = last < 0xDBFF ? last : 0xDBFF;
        return from <= to && lives_in(automaton, bound, place->state, 0x10000 + ((from & 0x3FF) << 10), 0x103FF + ((to & 0x3FF) << 10));
    }
    case SLM_JSON_CHARS_PAIR_HEX: {
        const uint32_t from = first > 0xDC00 ? first : 0xDC00;
        const uint32_t to = last < 0xDFFF ? last : 0xDFFF;
        return lives_in(automaton, bound, place->state, high + (from & 0x3FF), high + (to & 0x3FF));
    }
    default: return lives_in(automaton, bound, place->state, high, high + 0x3FF);
    }
}

static bool raw(uint8_t byte) { return byte >= 0x20 && byte != '"' && byte != '\\'; }

bool slm__lifted_step(const struct slm_program_automaton *automaton, struct slm_lifted *place, uint8_t byte)
{
    const bool begins = byte < 0x80 || byte >= 0xC0;
    if (place->least != NULL && place->left == 0 && place->chars == 0 && begins) {
        return false;
    }
    if (place->chars == 0 && byte != '\\') {
        const struct bound bound = {place->left - begins, place->least};
        const uint32_t next = raw(byte) ? slm__automaton_next(automaton, place->state, byte) : SLM_REGULAR_DEAD;
        if (is_alive(bound, next)) {
            place->state = next;
            place->left = bound.left;
            return true;
        }
        return false;
    }
    struct slm_lifted after = *place;
    uint32_t code = 0;
    const enum slm_json_chars_result result = slm__json_chars_step(&after.chars, byte, &code);
    if (result == SLM_JSON_CHARS_REFUSED || (result == SLM_JSON_CHARS_INSIDE && !escape_lives(automaton, &after))) {
        return false;
    }
    if (result == SLM_JSON_CHARS_DONE) {
        uint8_t bytes[4];
        const unsigned count = slm__utf8_encode(code, bytes);
        if (!slm__escape_may_spell(place->chars, code)) {
            return false;
        }
        for (unsigned i = 0; i < count; i++) {
            after.state = slm__automaton_next(automaton, after.state, bytes[i]);
        }
        after.left--;
        if (!is_alive((struct bound){after.left, after.least}, after.state)) {
            return false;
        }
    }
    *place = after;
    return true;
}

bool slm__escape_may_spell(uint32_t chars, uint32_t code)
{
    const uint32_t unit = code >= 0x10000 ? 0xD800 + ((code - 0x10000) >> 10) : code;
    const uint32_t count = slm__json_chars_count(chars);
    const uint32_t value = slm__json_chars_value(chars);
    const uint32_t high = code >= 0x10000 ? (code - 0x10000) >> 10 : UINT32_MAX;
    const bool by_number = code < 0x20 || code == '"' || code == '\\' || code >= 0x7F;
    switch (slm__json_chars_mode(chars)) {
    case SLM_JSON_CHARS_ESCAPE: return by_number || code == '/';
    case SLM_JSON_CHARS_HEX: return by_number && unit >> (4 * (4 - count)) == value;
    case SLM_JSON_CHARS_PAIR_HEX: return high == slm__json_chars_high(chars) && (0xDC00 | (code & 0x3FF)) >> (4 * (4 - count)) == value;
    case SLM_JSON_CHARS_PAIR:
    case SLM_JSON_CHARS_PAIR_ESCAPE: return high == slm__json_chars_high(chars);
    default: return true;
    }
}

/* Bytes 80 to BF that may go on in a character: no overlong forms, no surrogates, nothing above U+10FFFF. Bit 0 is 80. */
static uint64_t utf8_next(uint32_t count, uint32_t value)
{
    const uint64_t all = UINT64_MAX;
    if (count == 2) {
        return value == 0 ? all << 32 : value == 0xD ? all >> 32 : all;
    }
    if (count == 3) {
        return value == 0 ? all << 16 : value == 4 ? all >> 48 : all;
    }
    return all;
}

static void add_signs(const char *signs, struct slm_byte_set *set)
{
    for (; *signs != '\0'; signs++) {
        slm__byte_set_add(set, (uint8_t)*signs);
    }
}

void slm__json_chars_first(uint32_t chars, struct slm_byte_set *set)
{
    const uint32_t count = slm__json_chars_count(chars);
    const uint32_t value = slm__json_chars_value(chars);
    switch (slm__json_chars_mode(chars)) {
    case SLM_JSON_CHARS_BETWEEN:
        set->words[0] |= ~(UINT64_C(0xFFFFFFFF) | UINT64_C(1) << '"');
        set->words[1] = UINT64_MAX;
        set->words[3] |= UINT64_C(0x001FFFFFFFFFFFFC); /* C2 to F4 */
        break;
    case SLM_JSON_CHARS_UTF8: set->words[2] |= utf8_next(count, value); break;
    case SLM_JSON_CHARS_ESCAPE: add_signs("\"\\/bfnrtu", set); break;
    case SLM_JSON_CHARS_PAIR: slm__byte_set_add(set, '\\'); break;
    case SLM_JSON_CHARS_PAIR_ESCAPE: slm__byte_set_add(set, 'u'); break;
    case SLM_JSON_CHARS_HEX: add_signs(count == 1 && value == 0xD ? "0123456789ABab" : "0123456789ABCDEFabcdef", set); break;
    case SLM_JSON_CHARS_PAIR_HEX: add_signs(count == 0 ? "Dd" : count == 1 ? "CDEFcdef" : "0123456789ABCDEFabcdef", set); break;
    }
}

void slm__lifted_first(const struct slm_program_automaton *automaton, const struct slm_lifted *place, struct slm_byte_set *set)
{
    struct slm_byte_set candidates = {{0}};
    if (place->chars == 0) {
        const uint32_t *row = automaton->next + (size_t)place->state * automaton->class_count;
        for (uint32_t c = 0; c < automaton->class_count; c++) {
            const bool begins = automaton->sets[c].words[2] == 0; /* of a class that leads on, either all bytes begin a character or none */
            const bool any = place->least == NULL || place->left > 0 || !begins;
            if (any && is_alive((struct bound){place->left - begins, place->least}, row[c])) {
                slm__byte_set_unite(&candidates, &automaton->sets[c]);
            }
        }
        candidates.words[0] &= ~(UINT64_C(0xFFFFFFFF) | UINT64_C(1) << '"');
        candidates.words[1] &= ~(UINT64_C(1) << ('\\' - 64));
        slm__byte_set_unite(set, &candidates);
        candidates = (struct slm_byte_set){{0}};
        slm__byte_set_add(&candidates, '\\');
    } else {
        slm__json_chars_first(place->chars, &candidates);
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        struct slm_lifted copy = *place;
        if (slm__byte_set_has(&candidates, (uint8_t)byte) && slm__lifted_step(automaton, &copy, (uint8_t)byte)) {
            slm__byte_set_add(set, (uint8_t)byte);
        }
    }
}
