/* SPDX-License-Identifier: MIT */
/* Vocabularies whose tokens are texts, not bytes in an alphabet: SentencePiece's BPE, Unigram, WordPiece. */
#ifndef SLM_TEXT_TEXT_VOCABULARY_H
#define SLM_TEXT_TEXT_VOCABULARY_H

#include "text/text_normalizer.h"  /* struct slm_normalizer */
#include "text/vocabulary_index.h" /* struct slm_gpt2_token, struct slm_gpt2_merge */

enum { SLM_TEXT_VOCABULARY_REPLACES = 4 };

struct slm_text_vocabulary {
    const struct slm_gpt2_token *tokens; /* [token_count] by id; text as the model has it */
    uint32_t token_count;
    const struct slm_gpt2_merge *merges; /* BPE: [merge_count] by rank */
    uint32_t merge_count;
    const double *scores; /* Unigram: [token_count], infinite for tokens outside the model */
    /* What decoding replaces in each token's text, in order. */
    struct slm_normalizer replaces[SLM_TEXT_VOCABULARY_REPLACES];
    uint32_t replace_count;
    bool byte_tokens; /* decoding takes tokens like <0x0A> for bytes */
};

/* Fill tokens, merges, scores and byte tokens of `spec`, whose model, flags, added tokens and steps are there already. Arrays lie in
 * `arena`; texts are borrowed. Errors: SLM_E_BAD_VALUE, SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__tokenizer_spec_from_texts(const struct slm_text_vocabulary *vocabulary, struct slm_arena *arena,
                                          struct slm_tokenizer_spec *spec, slm_error *error);

#endif
