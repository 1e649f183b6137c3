/* SPDX-License-Identifier: MIT */
/* UTF-8 one character at a time, strictly (no overlong forms, no surrogates, nothing above U+10FFFF). */
#ifndef SLM_BASE_UTF8_H
#define SLM_BASE_UTF8_H

#include "base/span.h" /* struct slm_span */

struct slm_utf8 {
    uint32_t code;   /* the character; U+FFFD for an invalid part */
    uint32_t length; /* bytes it takes; of an invalid part its maximal length (Unicode 3.9, as Rust and Python do), >= 1 */
    bool valid;
    bool incomplete; /* invalid only because the text ends: more bytes could make it valid */
};

/* The character at the start of `length` > 0 bytes. */
struct slm_utf8 slm__utf8_decode(const uint8_t *bytes, size_t length);
/* Write `code` (a valid scalar value); returns 1 to 4. */
unsigned slm__utf8_encode(uint32_t code, uint8_t bytes[4]);
/* Length of the longest valid prefix; equals text.length when all is valid. */
size_t slm__utf8_valid_prefix(struct slm_span text);
/* Make a text safe to show, in place: bytes of control characters and of invalid UTF-8 become '?'. Returns its length, which is `length`,
 * or less when `cut` says that the text was cut at its end: then a part of a character there is dropped. */
size_t slm__utf8_printable(char *text, size_t length, bool cut);

#endif
