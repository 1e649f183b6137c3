/* SPDX-License-Identifier: MIT */
/* WordPiece (tokenizer.ggml.model "bert") and Unigram ("t5") from the keys of a GGUF file. */
#ifndef SLM_IMPORT_GGUF_TEXT_TOKENIZER_H
#define SLM_IMPORT_GGUF_TEXT_TOKENIZER_H

#include "import/gguf_reader.h"     /* struct slm_gguf */
#include "text/tokenizer_builder.h" /* struct slm_tokenizer_spec */

/* Fill `spec`, [CLS] and [SEP] at the ends too. `vocab`: rows of the embedding. */
slm_status slm__gguf_wordpiece(const struct slm_gguf *gguf, uint32_t vocab, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                               slm_error *error);
/* Fill `spec` but for the ids at the ends. */
slm_status slm__gguf_unigram(const struct slm_gguf *gguf, uint32_t vocab, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                             slm_error *error);

#endif
