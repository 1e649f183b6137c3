/* SPDX-License-Identifier: MIT */
/* Properties of code points as the regular expressions of tokenizers see them. Tables by generate_unicode.py; 32 kB. */
#ifndef SLM_TEXT_UNICODE_CLASSES_H
#define SLM_TEXT_UNICODE_CLASSES_H

#include <stdint.h>

enum slm_unicode {
    SLM_UNICODE_SPACE = 1,         /* \s */
    SLM_UNICODE_UPPER = 2,         /* \p{Lu} \p{Lt} */
    SLM_UNICODE_LOWER = 4,         /* \p{Ll} */
    SLM_UNICODE_OTHER_LETTER = 8,  /* \p{Lm} \p{Lo} */
    SLM_UNICODE_MARK = 16,         /* \p{M} */
    SLM_UNICODE_NUMBER = 32,       /* \p{N} */
    SLM_UNICODE_NUMERIC = 64,      /* Rust's char::is_numeric: \p{N} of a newer Unicode */
    SLM_UNICODE_PUNCTUATION = 128, /* \p{P} */
    SLM_UNICODE_WORD = 256,        /* \w */
    SLM_UNICODE_NFC_SLOW = 512,    /* may change under NFC, alone or together with what precedes it */
    SLM_UNICODE_LETTER = SLM_UNICODE_UPPER | SLM_UNICODE_LOWER | SLM_UNICODE_OTHER_LETTER
};

extern const uint32_t slm__unicode_limits[3];
extern const uint8_t slm__unicode_index[];
extern const uint8_t slm__unicode_blocks[];
extern const uint16_t slm__unicode_properties[];
extern const uint8_t slm__unicode_combining[];

/* The number of a code point's class; any 32-bit value is fine. */
static inline uint32_t slm__unicode_class(uint32_t code)
{
    uint32_t block = 0;
    if (code < slm__unicode_limits[0]) {
        block = code / 128;
    } else if (code >= 0xE0000 && code < slm__unicode_limits[1]) {
        block = slm__unicode_limits[2] + (code - 0xE0000) / 128;
    } else {
        return 0;
    }
    return slm__unicode_blocks[slm__unicode_index[block] * 128U + code % 128];
}

/* Bits of enum slm_unicode. */
static inline uint32_t slm__unicode(uint32_t code) { return slm__unicode_properties[slm__unicode_class(code)]; }

/* Canonical combining class (of Unicode 9). */
static inline uint32_t slm__unicode_ccc(uint32_t code) { return slm__unicode_combining[slm__unicode_class(code)]; }

#endif
