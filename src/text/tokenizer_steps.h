/* SPDX-License-Identifier: MIT */
/* The pipeline of a tokenizer section: its check, and its steps as the code that runs them wants them. */
#ifndef SLM_TEXT_TOKENIZER_STEPS_H
#define SLM_TEXT_TOKENIZER_STEPS_H

#include "text/pretokenize.h"     /* struct slm_pretokenizer */
#include "text/text_normalizer.h" /* struct slm_normalizer */
#include "text/tokenizer.h"       /* struct slm_tokenizer */

/* Check all steps of a section whose header, directory and table sizes are checked, and fill the fields that follow from them.
 * Errors: SLM_E_UNSUPPORTED, SLM_E_BAD_VALUE. */
slm_status slm__tokenizer_check_steps(struct slm_tokenizer *tokenizer, slm_error *error);

/* Normalizer `index` < normalizer_count; pre-tokenizer `index` from there to step_count - 1. */
struct slm_normalizer slm__tokenizer_normalizer(const struct slm_tokenizer *tokenizer, uint32_t index);
struct slm_pretokenizer slm__tokenizer_pretokenizer(const struct slm_tokenizer *tokenizer, uint32_t index);

#endif
