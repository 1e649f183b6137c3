/* SPDX-License-Identifier: MIT */
/* Token ids of the inputs of one call (texts, or ids given in their place), one list behind the other. */
#ifndef SLM_RUNTIME_INPUT_IDS_H
#define SLM_RUNTIME_INPUT_IDS_H

#include "base/buffer.h"  /* struct slm_buffer */
#include "runtime/pool.h" /* struct slm_runtime_model */

struct slm_input_ids {
    struct slm_buffer ids;  /* int32_t */
    struct slm_buffer ends; /* uint64_t: where each list ends, in ids */
};

void slm__input_ids_init(struct slm_input_ids *lists, const struct slm_runtime_model *model);
void slm__input_ids_free(struct slm_input_ids *lists);
/* Tokenize `text` behind `ids` (SLM_TOKENIZE_... flags). SLM_E_NO_TOKENIZER, SLM_E_NO_MEMORY. */
slm_status slm__tokenize_behind(const struct slm_runtime_model *model, struct slm_span text, uint32_t flags, struct slm_buffer *ids,
                                slm_error *error);
/* Add the list of one input. Ids beyond the vocabulary are SLM_E_BAD_TOKEN. */
slm_status slm__input_ids_add(struct slm_input_ids *lists, const struct slm_runtime_model *model, const slm_input *input, uint32_t flags,
                              slm_error *error);
/* The list of number `index`. */
const int32_t *slm__input_ids_at(const struct slm_input_ids *lists, uint64_t index, uint64_t *count);

#endif
