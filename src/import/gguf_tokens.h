/* SPDX-License-Identifier: MIT */
/* The arrays in which GGUF keeps a vocabulary: texts, scores, types. */
#ifndef SLM_IMPORT_GGUF_TOKENS_H
#define SLM_IMPORT_GGUF_TOKENS_H

#include "import/gguf_reader.h"              /* struct slm_gguf */
#include "import/sentencepiece_vocabulary.h" /* enum slm_piece_type */

struct slm_gguf_tokens {
    struct slm_span *texts; /* [count] by id, valid UTF-8; data NULL: empty */
    float *scores;          /* [count]; NULL unless they were asked for */
    uint8_t *types;         /* [count] enum slm_piece_type */
    uint32_t count;
};

/* Read tokenizer.ggml.tokens, .token_type and, when `scored`, .scores; at most `vocab` tokens. Only without scores may the types be absent
 * or 0, which both mean normal. The arrays lie in `arena`, the texts in the file's head. Errors: SLM_E_BAD_VALUE, SLM_E_ENCODING,
 * SLM_E_NO_MEMORY. */
slm_status slm__gguf_tokens_read(const struct slm_gguf *gguf, uint32_t vocab, bool scored, struct slm_arena *arena,
                                 struct slm_gguf_tokens *tokens, slm_error *error);

#endif
