/* SPDX-License-Identifier: MIT */
/* SentencePiece's precompiled character map: a double-array trie from short texts to their replacements. */
#ifndef SLM_TEXT_PRECOMPILED_MAP_H
#define SLM_TEXT_PRECOMPILED_MAP_H

#include "base/buffer.h" /* struct slm_buffer */
#include "base/span.h"   /* struct slm_span */

/* True if `map` has the form u32 bytes of the trie (a multiple of 4, not 0), trie, replacements: valid UTF-8, each ended by a NUL. */
bool slm__precompiled_valid(struct slm_span map);

/* Append `text`, mapped by a valid `map`: a grapheme cluster of less than six bytes as a whole where the map knows its beginning, all
 * else character by character. */
void slm__precompiled_apply(struct slm_span map, struct slm_span text, struct slm_buffer *out);

#endif
