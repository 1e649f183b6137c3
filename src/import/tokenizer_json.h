/* SPDX-License-Identifier: MIT */
/* Reading a tokenizer.json (the format of Hugging Face tokenizers) into a tokenizer section. */
#ifndef SLM_IMPORT_TOKENIZER_JSON_H
#define SLM_IMPORT_TOKENIZER_JSON_H

#include "base/buffer.h" /* struct slm_buffer */
#include "base/memory.h" /* struct slm_memory */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

/* Append the section of `json_text` to `section`, which is empty. Messages begin with `file_name`. vocab_limit: rows of the embedding,
 * which no token id may reach; 0: no model is known. What this version does not know is refused by name, never approximated.
 * Errors: SLM_E_SYNTAX, SLM_E_ENCODING, SLM_E_LIMIT, SLM_E_BAD_VALUE, SLM_E_UNSUPPORTED, SLM_E_NO_MEMORY. */
slm_status slm__import_tokenizer_json(const struct slm_memory *memory, struct slm_span json_text, const char *file_name,
                                      uint32_t vocab_limit, struct slm_buffer *section, slm_error *error);

#endif
