/* SPDX-License-Identifier: MIT */
/*
 * The inside of a JSON string (RFC 8259), byte by byte: characters and escapes, surrogates in pairs only, never invalid UTF-8. One number
 * is all the state; 0 is the place between two characters.
 */
#ifndef SLM_TEXT_JSON_CHARS_H
#define SLM_TEXT_JSON_CHARS_H

#include <stdbool.h>
#include <stdint.h>

enum slm_json_chars_mode {
    SLM_JSON_CHARS_BETWEEN = 0,
    SLM_JSON_CHARS_UTF8 = 1,        /* count: bytes to come, value: bits so far */
    SLM_JSON_CHARS_ESCAPE = 2,      /* behind a backslash */
    SLM_JSON_CHARS_HEX = 3,         /* count: digits so far, value: theirs */
    SLM_JSON_CHARS_PAIR = 4,        /* behind the first of two surrogates; high: its low ten bits */
    SLM_JSON_CHARS_PAIR_ESCAPE = 5, /* ... and a backslash */
    SLM_JSON_CHARS_PAIR_HEX = 6
};

enum { SLM_JSON_CHARS_BITS = 27 }; /* of a state */

enum slm_json_chars_result { SLM_JSON_CHARS_REFUSED, SLM_JSON_CHARS_INSIDE, SLM_JSON_CHARS_DONE };

static inline enum slm_json_chars_mode slm__json_chars_mode(uint32_t state) { return (enum slm_json_chars_mode)(state & 7); }
static inline uint32_t slm__json_chars_count(uint32_t state) { return state >> 3 & 3; }
static inline uint32_t slm__json_chars_value(uint32_t state)
{
    return state >> 5 & (slm__json_chars_mode(state) == SLM_JSON_CHARS_UTF8 ? 0x7FFF : 0xFFF);
}
static inline uint32_t slm__json_chars_high(uint32_t state) { return state >> 17 & 0x3FF; }

/* Read one byte. REFUSED: `state` is unchanged. DONE: a character ends, `state` is 0 and *code the character. */
enum slm_json_chars_result slm__json_chars_step(uint32_t *state, uint8_t byte, uint32_t *code);
/* One state for all those that go on in the same way; for readers that do not look at `code`. */
uint32_t slm__json_chars_merge(uint32_t state);
/* Fewest bytes to the end of the character begun; 0 between two. */
uint32_t slm__json_chars_rest(uint32_t state);
/* The code that an escaped sign such as n stands for, or UINT32_MAX. */
uint32_t slm__json_escape_code(uint8_t sign);
/* 0 to 15, or -1. */
int slm__hex_digit(uint8_t byte);

#endif
