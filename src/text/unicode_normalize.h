/* SPDX-License-Identifier: MIT */
/* Normalization Form C of valid UTF-8, with the tables of Unicode 9 that the reference tokenizer has. Text that is in form C
 * already, nearly all there is, is recognised in one pass and not copied. */
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

/* True if `text` holds no character that form C may change: *text is its own normal form. */
bool slm__unicode_nfc_quick(struct slm_span text);

/* Append the normal form of `text` to `out`. Scratch comes from out's memory and is given back.
 * Errors: SLM_E_NO_MEMORY, SLM_E_LIMIT. Takes O(n log n). */
slm_status slm__unicode_nfc(struct slm_span text, struct slm_buffer *out, slm_error *error);

#endif
