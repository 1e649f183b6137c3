/* SPDX-License-Identifier: MIT */
/* What token_matcher.c and token_mask.c share. */
#ifndef SLM_GRAMMAR_TOKEN_MASK_H
#define SLM_GRAMMAR_TOKEN_MASK_H

#include "grammar/token_matcher.h" /* struct slm_token_matcher */

/* Compact the states; `living`, of which the first is the current one, change in place, and so does current, whatever is returned. Masks
 * are forgotten. SLM_E_LIMIT. */
slm_status slm__matcher_make_room(struct slm_token_matcher *matcher, slm_state *living, uint32_t count, slm_error *error);
slm_status slm__matcher_fail_full(slm_error *error);
/* *state behind one more byte, DEAD when it is not allowed; current may get another number. SLM_E_LIMIT. */
slm_status slm__matcher_step(struct slm_token_matcher *matcher, slm_state *state, uint8_t byte, slm_error *error);

#endif
