/* SPDX-License-Identifier: MIT */
/* Cutting a text into the pieces that the model sees one at a time: regular expressions as hand-written state machines. */
#ifndef SLM_TEXT_PRETOKENIZE_H
#define SLM_TEXT_PRETOKENIZE_H

#include "base/span.h" /* struct slm_span */

/* End of the piece that starts at `position` < text.length, for a pre-tokenizer of kind enum slm_tokenizer_pretokenizer with its
 * value. `text` is valid UTF-8 and holds the whole text that this step cuts (what lies before `position` has no influence, what
 * lies behind has). Pieces cover the text; each call takes time in the order of the piece and the run of like characters behind it. */
size_t slm__pretokenize_next(uint32_t kind, uint32_t value, struct slm_span text, size_t position);

#endif
