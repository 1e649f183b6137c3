/* SPDX-License-Identifier: MIT */
/* The state machine of the inside of a JSON string. */
#include "text/json_chars.h"

static uint32_t pack(enum slm_json_chars_mode mode, uint32_t count, uint32_t value, uint32_t high)
{
    return (uint32_t)mode | count << 3 | value << 5 | high << 17;
}

uint32_t slm__json_escape_code(uint8_t sign)
{
    switch (sign) {
    case '"':
    case '\\':
    case '/': return sign;
    case 'b': return 8;
    case 'f': return 12;
    case 'n': return 10;
    case 'r': return 13;
    case 't': return 9;
    default: return UINT32_MAX;
    }
}

int slm__hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The first byte of a character. */
static enum slm_json_chars_result begin(uint32_t *state, uint8_t byte, uint32_t *code)
{
    if (byte == '\\') {
        *state = pack(SLM_JSON_CHARS_ESCAPE, 0, 0, 0);
        return SLM_JSON_CHARS_INSIDE;
    }
    if (byte < 0x20 || byte == '"' || (byte >= 0x80 && byte < 0xC2) || byte > 0xF4) {
        return SLM_JSON_CHARS_REFUSED;
    }
    if (byte < 0x80) {
        *code = byte;
        return SLM_JSON_CHARS_DONE;
    }
    uint32_t more = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    *state = pack(SLM_JSON_CHARS_UTF8, more, byte & (0x3Fu >> more), 0);
    return SLM_JSON_CHARS_INSIDE;
}

/* A further byte of a character: no overlong forms, no surrogates, nothing above U+10FFFF. */
static enum slm_json_chars_result go_on(uint32_t *state, uint8_t byte, uint32_t *code)
{
    uint32_t more = slm__json_chars_count(*state);
    uint32_t value = slm__json_chars_value(*state);
    uint32_t first = (more == 2 && value == 0) ? 0xA0 : (more == 3 && value == 0) ? 0x90 : 0x80;
    uint32_t last = (more == 2 && value == 0xD) ? 0x9F : (more == 3 && value == 4) ? 0x8F : 0xBF;
    if (byte < first || byte > last) {
        return SLM_JSON_CHARS_REFUSED;
    }
    value = value << 6 | (byte & 0x3F);
    if (more == 1) {
        *code = value;
        *state = 0;
        return SLM_JSON_CHARS_DONE;
    }
    *state = pack(SLM_JSON_CHARS_UTF8, more - 1, value, 0);
    return SLM_JSON_CHARS_INSIDE;
}

static enum slm_json_chars_result escape(uint32_t *state, uint8_t byte, uint32_t *code)
{
    if (byte == 'u') {
        *state = pack(SLM_JSON_CHARS_HEX, 0, 0, 0);
        return SLM_JSON_CHARS_INSIDE;
    }
    if (slm__json_escape_code(byte) == UINT32_MAX) {
        return SLM_JSON_CHARS_REFUSED;
    }
    *code = slm__json_escape_code(byte);
    *state = 0;
    return SLM_JSON_CHARS_DONE;
}

static enum slm_json_chars_result hex(uint32_t *state, uint8_t byte, uint32_t *code)
{
    const bool second = slm__json_chars_mode(*state) == SLM_JSON_CHARS_PAIR_HEX;
    const uint32_t count = slm__json_chars_count(*state);
    const int digit = slm__hex_digit(byte);
    uint32_t value = slm__json_chars_value(*state);
    if (digit < 0 || (second && count == 0 && digit != 0xD) || (second && count == 1 && digit < 0xC) ||
        (!second && count == 1 && value == 0xD && digit >= 0xC)) {
        return SLM_JSON_CHARS_REFUSED;
    }
    value = value << 4 | (uint32_t)digit;
    if (count < 3) {
        *state = pack(slm__json_chars_mode(*state), count + 1, value, slm__json_chars_high(*state));
        return SLM_JSON_CHARS_INSIDE;
    }
    if (!second && value >= 0xD800 && value <= 0xDBFF) {
        *state = pack(SLM_JSON_CHARS_PAIR, 0, 0, value & 0x3FF);
        return SLM_JSON_CHARS_INSIDE;
    }
    *code = second ? 0x10000 + (slm__json_chars_high(*state) << 10 | (value & 0x3FF)) : value;
    *state = 0;
    return SLM_JSON_CHARS_DONE;
}

enum slm_json_chars_result slm__json_chars_step(uint32_t *state, uint8_t byte, uint32_t *code)
{
    switch (slm__json_chars_mode(*state)) {
    case SLM_JSON_CHARS_BETWEEN: return begin(state, byte, code);
    case SLM_JSON_CHARS_UTF8: return go_on(state, byte, code);
    case SLM_JSON_CHARS_ESCAPE: return escape(state, byte, code);
    case SLM_JSON_CHARS_HEX:
    case SLM_JSON_CHARS_PAIR_HEX: return hex(state, byte, code);
    case SLM_JSON_CHARS_PAIR:
    case SLM_JSON_CHARS_PAIR_ESCAPE: break;
    }
    const bool escaped = slm__json_chars_mode(*state) == SLM_JSON_CHARS_PAIR_ESCAPE;
    if (byte != (escaped ? 'u' : '\\')) {
        return SLM_JSON_CHARS_REFUSED;
    }
    *state = pack(escaped ? SLM_JSON_CHARS_PAIR_HEX : SLM_JSON_CHARS_PAIR_ESCAPE, 0, 0, slm__json_chars_high(*state));
    return SLM_JSON_CHARS_INSIDE;
}

/* D8 to DB as the first of `count` digits so far. */
static bool is_first_surrogate(uint32_t count, uint32_t value)
{
    return count >= 2 && value >> (4 * (count - 2)) >= 0xD8 && value >> (4 * (count - 2)) <= 0xDB;
}

uint32_t slm__json_chars_merge(uint32_t state)
{
    const enum slm_json_chars_mode mode = slm__json_chars_mode(state);
    const uint32_t count = slm__json_chars_count(state);
    uint32_t value = slm__json_chars_value(state);
    switch (mode) {
    case SLM_JSON_CHARS_UTF8:
        value = (count == 2 && (value == 0 || value == 0xD)) || (count == 3 && (value == 0 || value == 4)) ? value : 1;
        break;
    case SLM_JSON_CHARS_HEX: /* only surrogates differ from others: D as the first digit, 8 to B as the second */
        if (count == 1) {
            value = value == 0xD ? 0xD : 0;
        } else if (count >= 2) {
            value = is_first_surrogate(count, value) ? 0xD8u << (4 * (count - 2)) : 0;
        }
        break;
    default: value = 0; break;
    }
    return pack(mode, count, value, 0);
}

uint32_t slm__json_chars_rest(uint32_t state)
{
    enum { DIGITS = 4, PAIR = 6 };
    const uint32_t count = slm__json_chars_count(state);
    switch (slm__json_chars_mode(state)) {
    case SLM_JSON_CHARS_BETWEEN: return 0;
    case SLM_JSON_CHARS_UTF8: return count;
    case SLM_JSON_CHARS_ESCAPE: return 1;
    case SLM_JSON_CHARS_HEX: return DIGITS - count + (is_first_surrogate(count, slm__json_chars_value(state)) ? PAIR : 0);
    case SLM_JSON_CHARS_PAIR: return PAIR;
    case SLM_JSON_CHARS_PAIR_ESCAPE: return PAIR - 1;
    case SLM_JSON_CHARS_PAIR_HEX: break;
    }
    return DIGITS - count;
}
