/* SPDX-License-Identifier: MIT */
/* The spaces that decoders of WordPiece take out: before signs and in contractions. */
#ifndef SLM_TEXT_WORDPIECE_CLEANUP_H
#define SLM_TEXT_WORDPIECE_CLEANUP_H

#include <stddef.h>
#include <stdint.h>

/* Clean `length` bytes in place, as one token's text; returns the new length. */
size_t slm__wordpiece_cleanup(uint8_t *text, size_t length);

#endif
