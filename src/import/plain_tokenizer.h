/* SPDX-License-Identifier: MIT */
/* Tokenizers of checkpoints without a tokenizer.json: SentencePiece's tokenizer.model or a tiktoken file, with the added tokens that
 * tokenizer_config.json lists. */
#ifndef SLM_IMPORT_PLAIN_TOKENIZER_H
#define SLM_IMPORT_PLAIN_TOKENIZER_H

#include "base/buffer.h" /* struct slm_buffer */
#include "base/memory.h" /* struct slm_memory */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

struct slm_plain_tokenizer {
    struct slm_span file;     /* which of the two it is, it says itself */
    const char *file_name;    /* messages begin with it */
    struct slm_span config;   /* text of tokenizer_config.json, or empty */
    struct slm_span pipeline; /* tiktoken: name of the splitting rule as GGUF has it (gpt2_vocabulary.h); empty: not known */
    uint32_t vocab_limit;     /* rows of the embedding; 0: no model is known */
    int64_t bos;              /* tiktoken: the model's begin token, or negative */
};

/* Append the section to `section`, which is empty. Errors: as slm__import_tokenizer_json(). */
slm_status slm__import_plain_tokenizer(const struct slm_memory *memory, const struct slm_plain_tokenizer *source,
                                       struct slm_buffer *section, slm_error *error);

#endif
