/* SPDX-License-Identifier: MIT */
/* The four normalization forms of valid UTF-8, with the tables of Unicode 9 that the reference tokenizer has. Text that is in its
 * form already, nearly all there is, is recognised in one pass and not copied. */
#ifndef SLM_TEXT_UNICODE_NORMALIZE_H
#define SLM_TEXT_UNICODE_NORMALIZE_H

#include "base/buffer.h" /* struct slm_buffer */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

/* Generated: see unicode_normalize_generated.c. */
extern const uint32_t slm__unicode_decomposition_count;
extern const uint32_t slm__unicode_composition_count;
extern const uint64_t slm__unicode_decompositions[];
extern const uint16_t slm__unicode_compositions[];

/* Numbered as the normalizers of tokenizer_layout.h. */
enum slm_unicode_form { SLM_UNICODE_NFC = 1, SLM_UNICODE_NFD = 2, SLM_UNICODE_NFKC = 3, SLM_UNICODE_NFKD = 4 };

/* True if `text` holds no character that the form may change: *text is its own normal form. */
bool slm__unicode_is_normal(enum slm_unicode_form form, struct slm_span text);

/* Append the normal form of `text` to `out`. Scratch comes from out's memory and is given back.
 * Errors: SLM_E_NO_MEMORY, SLM_E_LIMIT. Takes O(n log n). */
slm_status slm__unicode_normalize(enum slm_unicode_form form, struct slm_span text, struct slm_buffer *out, slm_error *error);

#endif
