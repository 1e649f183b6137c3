/* SPDX-License-Identifier: MIT */
/* Cutting a text into the pieces that the model sees one at a time: regular expressions as hand-written state machines. */
#ifndef SLM_TEXT_PRETOKENIZE_H
#define SLM_TEXT_PRETOKENIZE_H

#include "base/span.h" /* struct slm_span */

struct slm_pretokenizer {
    uint32_t kind; /* enum slm_tokenizer_pretokenizer, but METASPACE, which changes the text */
    uint32_t value;
    struct slm_span text;
};

/* End of the piece that starts at `position` < text.length; *dropped: it is no piece of the result. `text` holds the whole text that
 * this step cuts (what lies before `position` has no influence, what lies behind has). It is valid UTF-8 unless the step is one that
 * looks at bytes. Pieces cover the text; each call takes time in the order of the piece and the run of like characters behind it. */
size_t slm__pretokenize_next(const struct slm_pretokenizer *step, struct slm_span text, size_t position, bool *dropped);

#endif
