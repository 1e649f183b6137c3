/* SPDX-License-Identifier: MIT */
/* WordPiece: the longest token that a word begins with, then the longest inside it, and so on; a word with a rest is unknown. */
#ifndef SLM_TEXT_WORDPIECE_H
#define SLM_TEXT_WORDPIECE_H

#include "text/tokenizer.h" /* struct slm_tokenizer */

/* The ids of `word`, at most as many as it has bytes, in `ids`, which has room for SLM_WORDPIECE_CHARACTERS_MAX; returns their number. */
uint32_t slm__wordpiece_word(const struct slm_tokenizer *tokenizer, struct slm_span word, uint32_t *ids);

#endif
