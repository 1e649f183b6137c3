/* SPDX-License-Identifier: MIT */
/* Unigram: of all ways to write a word as tokens the one with the highest sum of scores. */
#ifndef SLM_TEXT_UNIGRAM_H
#define SLM_TEXT_UNIGRAM_H

#include "text/tokenizer.h"    /* struct slm_tokenizer */
#include "text/word_scratch.h" /* struct slm_word_scratch */

/* The ids of `word`, which is valid UTF-8: *ids stays valid until the next call. Time: bytes of the word times the longest token.
 * Errors: SLM_E_NO_MEMORY, SLM_E_LIMIT (2^28 bytes). */
slm_status slm__unigram_word(const struct slm_tokenizer *tokenizer, struct slm_word_scratch *scratch, struct slm_span word,
                             const uint32_t **ids, size_t *count, slm_error *error);

#endif
