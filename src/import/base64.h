/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648) with padding, as tiktoken's and tokenizer.json's files have it. */
#ifndef SLM_IMPORT_BASE64_H
#define SLM_IMPORT_BASE64_H

#include "base/span.h" /* struct slm_span */

/* Bytes that base64 of `length` characters has at most. */
static inline size_t slm__base64_limit(size_t length) { return length / 4 * 3; }

/* Decode into `bytes`, which has room for slm__base64_limit(); false when `text` is no base64 with padding. */
bool slm__base64_decode(struct slm_span text, uint8_t *bytes, size_t *count);

#endif
