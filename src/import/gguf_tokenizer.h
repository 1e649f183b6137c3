/* SPDX-License-Identifier: MIT */
/* The tokenizer embedded in a GGUF file, and the texts around it. */
#ifndef SLM_IMPORT_GGUF_TOKENIZER_H
#define SLM_IMPORT_GGUF_TOKENIZER_H

#include "import/checkpoint.h"  /* struct slm_checkpoint */
#include "import/gguf_reader.h" /* struct slm_gguf */

/* Build the tokenizer section: byte-level BPE ("gpt2") with a known splitting rule, SentencePiece's BPE ("llama"), WordPiece ("bert") or
 * Unigram ("t5"); others leave the section empty, with a warning. */
slm_status slm__gguf_tokenizer_read(struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, slm_error *error);
/* Name, chat template, special tokens as the template sees them, licence. */
slm_status slm__gguf_texts_read(struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, slm_error *error);

#endif
