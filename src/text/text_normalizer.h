/* SPDX-License-Identifier: MIT */
/* The normalizer steps of a tokenizer, from text to text. */
#ifndef SLM_TEXT_TEXT_NORMALIZER_H
#define SLM_TEXT_TEXT_NORMALIZER_H

#include "base/buffer.h" /* struct slm_buffer */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

struct slm_normalizer {
    uint32_t kind; /* enum slm_tokenizer_normalizer */
    uint32_t value;
    struct slm_span text;
    struct slm_span second;
};

/* True if the step is one that slm__text_normalize() knows, with parameters that make sense. */
bool slm__normalizer_known(const struct slm_normalizer *step);

/* Apply `count` known steps, in order, to *text, which is valid UTF-8 and afterwards lies in one of the buffers, or where it lay if
 * nothing changed. Errors: SLM_E_NO_MEMORY, SLM_E_LIMIT. */
slm_status slm__text_normalize(const struct slm_normalizer *steps, uint32_t count, struct slm_span *text, struct slm_buffer buffers[2],
                               slm_error *error);

/* Append `text` with the replacements of a known step of kind REPLACE; true if there was one. */
bool slm__text_replace(const struct slm_normalizer *step, struct slm_span text, struct slm_buffer *out);

#endif
