/* SPDX-License-Identifier: MIT */
/* Extended grapheme clusters (UAX 29): what a reader takes for one character. */
#ifndef SLM_TEXT_GRAPHEME_H
#define SLM_TEXT_GRAPHEME_H

#include "base/span.h" /* struct slm_span */

/* End of the cluster that starts at `position` < text.length. `text` is valid UTF-8 and `position` is a cluster's start. */
size_t slm__grapheme_end(struct slm_span text, size_t position);

#endif
