/* SPDX-License-Identifier: MIT */
/* The texts of a model's tokens to ids while a tokenizer is made, and with them the ids that a list of merges names. */
#ifndef SLM_TEXT_VOCABULARY_INDEX_H
#define SLM_TEXT_VOCABULARY_INDEX_H

#include "text/gpt2_vocabulary.h" /* struct slm_gpt2_token, struct slm_gpt2_merge */

struct slm_vocabulary_index {
    const struct slm_gpt2_token *tokens; /* borrowed */
    uint32_t token_count;
    uint32_t *slots;
    uint32_t mask;
};

/* Index all tokens of the model; the table lies in `arena`. Errors: SLM_E_BAD_VALUE (a text twice), SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__vocabulary_index_make(const struct slm_gpt2_token *tokens, uint32_t token_count, struct slm_arena *arena,
                                      struct slm_vocabulary_index *index, slm_error *error);

/* The id of the model's token with this text, or SLM_TOKENIZER_NONE. */
uint32_t slm__vocabulary_find(const struct slm_vocabulary_index *index, struct slm_span text);

/* Fill the merges of `spec`. Errors: SLM_E_BAD_VALUE (unknown tokens, unknown result, an empty part), SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__vocabulary_merges(const struct slm_vocabulary_index *index, const struct slm_gpt2_merge *merges, uint32_t merge_count,
                                  struct slm_arena *arena, struct slm_tokenizer_spec *spec, slm_error *error);

#endif
