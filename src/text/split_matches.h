/* SPDX-License-Identifier: MIT */
/* Split patterns that match parts of a text: what lies between two matches is a piece too. */
#ifndef SLM_TEXT_SPLIT_MATCHES_H
#define SLM_TEXT_SPLIT_MATCHES_H

#include "base/span.h" /* struct slm_span */

/* End of the piece that starts at `position` < text.length, the end of the piece before: a match, or all up to the next one. pattern:
 * enum slm_split_pattern from SLM_SPLIT_THREE_DIGITS on; no other pattern has a match. */
size_t slm__split_matches(uint32_t pattern, struct slm_span text, size_t position);

/* True if `text` is the class of SLM_SPLIT_CASED_LETTERS as its regular expression has it between the brackets. */
bool slm__split_is_cased_class(struct slm_span text);

#endif
