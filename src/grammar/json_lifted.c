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

/* Bytes 80 to BF that lead on from `state`, in a row: the rest of a character. */
static uint32_t rest_of_character(const struct slm_program_automaton *automaton, uint32_t state)
{
    uint32_t count = 0;
    for (bool inside = true; inside; count += inside) {
        const uint32_t *row = automaton->next + (size_t)state * automaton->class_count;
        inside = false;
        for (uint32_t c = 0; c < automaton->class_count && !inside; c++) {
            inside = row[c] != SLM_REGULAR_DEAD && automaton->sets[c].words[2] != 0; /* of such a class all bytes are 80 to BF */
            state = inside ? row[c] : state;
        }
    }
    return count;
}

/* From `state`, with `rest` bytes to the end of its character. A nearest word that has no more bytes than code points are left is short
 * enough; where it has more, the nearest one that is short enough has no longer spelling than \uXXXX for each of them. */
static uint32_t cost_at(const struct slm_program_automaton *automaton, struct bound bound, uint32_t state, uint32_t rest)
{
    enum { LONGEST_SPELLING = 6 };
    if (!is_alive(bound, state)) {
        return SLM_COST_NONE;
    }
    const uint32_t cost = automaton->cost[state];
    return bound.least == NULL || cost - rest <= bound.left ? cost : rest + LONGEST_SPELLING * bound.left;
}

/* A way from a state of the automaton over one of a range of characters to the end of a word: what is behind the character costs as much.
 * The search ends when it is not more than `enough`. */
struct search {
    const struct slm_program_automaton *automaton;
    struct bound bound; /* behind the character */
    uint32_t enough;
    uint32_t least; /* found */
};

/* Characters between two of the same UTF-8 length, as far as their first bytes led to `state`. */
static void search_between(struct search *search, uint32_t state, const uint8_t *first, const uint8_t *last, unsigned count, bool at_first,
                           bool at_last)
{
    if (count == 0 || (!at_first && !at_last)) { /* every state leads to a whole word, so inside a character to its end */
        const uint32_t cost = cost_at(search->automaton, search->bound, state, count);
        search->least = cost != SLM_COST_NONE && cost - count < search->least ? cost - count : search->least;
        return;
    }
    const unsigned from = at_first ? first[0] : 0x80;
    const unsigned to = at_last ? last[0] : 0xBF;
    for (unsigned byte = from; byte <= to && search->least > search->enough; byte++) {
        const uint32_t next = slm__automaton_next(search->automaton, state, (uint8_t)byte);
        if (is_alive(search->bound, next)) {
            search_between(search, next, first + 1, last + 1, count - 1, at_first && byte == from, at_last && byte == to);
        }
    }
}

/* Over any character of first..last. */
static uint32_t search_in(struct search *search, uint32_t state, uint32_t first, uint32_t last)
{
    static const struct code_range lengths[] = {{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, 0x10FFFF}};
    search->least = SLM_COST_NONE;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const uint32_t from = first > lengths[i].first ? first : lengths[i].first;
        const uint32_t to = last < lengths[i].last ? last : lengths[i].last;
        if (from <= to) {
            uint8_t from_bytes[4];
            uint8_t to_bytes[4];
            const unsigned count = slm__utf8_encode(from, from_bytes);
            slm__utf8_encode(to, to_bytes);
            search_between(search, state, from_bytes, to_bytes, count, true, true);
        }
    }
    return search->least;
}

static uint32_t least_of(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Over those that may be spelled \uXXXX. */
static uint32_t search_by_number(struct search *search, uint32_t state, uint32_t first, uint32_t last)
{
    uint32_t least = SLM_COST_NONE;
    for (int i = 0; i < SPELLED_RANGES && least > search->enough; i++) {
        const uint32_t from = first > spelled_by_number[i].first ? first : spelled_by_number[i].first;
        const uint32_t to = last < spelled_by_number[i].last ? last : spelled_by_number[i].last;
        least = from <= to ? least_of(least, search_in(search, state, from, to)) : least;
    }
    return least;
}

/* Over an escaped sign: \n. */
static uint32_t search_signs(struct search *search, uint32_t state)
{
    uint32_t least = SLM_COST_NONE;
    for (const char *sign = "\"\\/bfnrt"; *sign != '\0' && least > search->enough; sign++) {
        const uint32_t next = slm__automaton_next(search->automaton, state, (uint8_t)slm__json_escape_code((uint8_t)*sign));
        least = least_of(least, cost_at(search->automaton, search->bound, next, 0));
    }
    return least;
}

enum { DIGITS = 4, PAIR = 6 }; /* bytes */

/* Bytes from inside an escape to the end of a word, by what it may still become; COST_NONE: nothing. Where that is not more than `enough`,
 * it may be more than the fewest. */
static uint32_t escape_cost(const struct slm_program_automaton *automaton, const struct slm_lifted *place, uint32_t enough)
{
    struct search search = {automaton, {place->left - 1, place->least}, enough, SLM_COST_NONE};
    const uint32_t high = 0x10000 + (slm__json_chars_high(place->chars) << 10);
    const uint32_t open_digits = DIGITS - slm__json_chars_count(place->chars);
    const uint32_t first = slm__json_chars_value(place->chars) << (4 * open_digits);
    const uint32_t last = first + (1u << (4 * open_digits)) - 1;
    uint32_t least;
    uint32_t from;
    uint32_t to;
    switch (slm__json_chars_mode(place->chars)) {
    case SLM_JSON_CHARS_ESCAPE:
        least = slm__cost_add(search_signs(&search, place->state), 1);
        if (least > enough) {
            least = least_of(least, slm__cost_add(search_by_number(&search, place->state, 0, 0xFFFF), 1 + DIGITS));
        }
        return least > enough ? least_of(least, slm__cost_add(search_in(&search, place->state, 0x10000, 0x10FFFF), 1 + DIGITS + PAIR))
                              : least;
    case SLM_JSON_CHARS_HEX:
        least = slm__cost_add(search_by_number(&search, place->state, first, last), open_digits);
        from = first > 0xD800 ? first : 0xD800;
        to = last < 0xDBFF ? last : 0xDBFF;
        if (from > to || least <= enough) {
            return least;
        }
        from = 0x10000 + ((from & 0x3FF) << 10);
        to = 0x103FF + ((to & 0x3FF) << 10);
        return least_of(least, slm__cost_add(search_in(&search, place->state, from, to), open_digits + PAIR));
    case SLM_JSON_CHARS_PAIR_HEX:
        from = first > 0xDC00 ? first : 0xDC00;
        to = last < 0xDFFF ? last : 0xDFFF;
        return slm__cost_add(search_in(&search, place->state, high + (from & 0x3FF), high + (to & 0x3FF)), open_digits);
    default: return slm__cost_add(search_in(&search, place->state, high, high + 0x3FF), slm__json_chars_rest(place->chars));
    }
}

static bool escape_lives(const struct slm_program_automaton *automaton, const struct slm_lifted *place)
{
    return escape_cost(automaton, place, SLM_COST_MAX) != SLM_COST_NONE;
}

uint32_t slm__lifted_cost(const struct slm_program_automaton *automaton, const struct slm_lifted *place)
{
    if (place->chars != 0) {
        return escape_cost(automaton, place, 0);
    }
    return cost_at(automaton, (struct bound){place->left, place->least}, place->state,
                   place->least == NULL ? 0 : rest_of_character(automaton, place->state));
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

uint32_t slm__escape_rest(uint32_t chars, uint32_t code)
{
    const uint32_t rest = DIGITS - slm__json_chars_count(chars);
    switch (slm__json_chars_mode(chars)) {
    case SLM_JSON_CHARS_ESCAPE:
        for (const char *sign = "\"\\/bfnrt"; *sign != '\0'; sign++) {
            if (slm__json_escape_code((uint8_t)*sign) == code) {
                return 1;
            }
        }
        return 1 + DIGITS + (code >= 0x10000 ? PAIR : 0);
    case SLM_JSON_CHARS_HEX: return rest + (code >= 0x10000 ? PAIR : 0);
    default: return slm__json_chars_rest(chars);
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
