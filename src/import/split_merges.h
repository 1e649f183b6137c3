/* SPDX-License-Identifier: MIT */
/* The list of merges that scores or ranks of tokens stand for: every way to cut a token into two tokens. */
#ifndef SLM_IMPORT_SPLIT_MERGES_H
#define SLM_IMPORT_SPLIT_MERGES_H

#include "text/vocabulary_index.h" /* struct slm_vocabulary_index, struct slm_tokenizer_spec */

/* Fill the merges of `spec`: tokens of the model with higher scores first (scores: [token_count]); of one score those with the longer
 * left part, counted in characters, where `longer_first`, then longer right part; then by ids. `parts` says of each token whether it can
 * be part or result of a merge (1) or not (0); NULL: all of the model's. Lists lie in `arena`. Errors: SLM_E_NO_MEMORY, SLM_E_LIMIT. */
slm_status slm__split_merges(const struct slm_vocabulary_index *index, const float *scores, const uint8_t *parts, bool longer_first,
                             struct slm_arena *arena, struct slm_tokenizer_spec *spec, slm_error *error);

#endif
