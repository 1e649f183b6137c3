/* SPDX-License-Identifier: MIT */
/* Jumping ahead: bytes that a grammar leaves no choice of, as the tokens that the tokenizer makes of them. */
#ifndef SLM_RUNTIME_JUMP_H
#define SLM_RUNTIME_JUMP_H

#include <stdint.h>

struct slm_session;

enum { SLM_JUMP_TOKENS = 64 };

/* The tokens of what has to follow in the session's answer, tokenized alone; without the last one, which together with what comes behind
 * might be another. Takes no memory but the pool's. 0: there are none, tokenizing does not give the same bytes, or the tokens that are left
 * for the answer are few. */
uint32_t slm__jump_tokens(struct slm_session *session, int32_t ids[SLM_JUMP_TOKENS]);

#endif
