/* SPDX-License-Identifier: MIT */
/* The tokenizer "llama" of GGUF: SentencePiece's BPE as tokens, scores and types. */
#ifndef SLM_IMPORT_GGUF_SENTENCEPIECE_H
#define SLM_IMPORT_GGUF_SENTENCEPIECE_H

#include "import/gguf_reader.h"     /* struct slm_gguf */
#include "text/tokenizer_builder.h" /* struct slm_tokenizer_spec */

/* Fill `spec` but for the ids at the ends; vocab: rows of the embedding. Lists lie in `arena`.
 * Errors: SLM_E_BAD_VALUE, SLM_E_ENCODING, SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__gguf_sentencepiece(const struct slm_gguf *gguf, uint32_t vocab, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                                   slm_error *error);

#endif
