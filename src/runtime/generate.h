/* SPDX-License-Identifier: MIT */
/* Prompt in, text out: the chat template, tokenizer, prefill and decoding loop behind slm_generate(). */
#ifndef SLM_RUNTIME_GENERATE_H
#define SLM_RUNTIME_GENERATE_H

#include "runtime/session.h" /* struct slm_session */

/* `options` and `result` are of the known size. text may be NULL. */
slm_status slm__generate(struct slm_session *session, struct slm_span prompt, const slm_generate_options *options, char *text,
                         uint64_t capacity, uint64_t *needed, slm_generate_result *result, slm_error *error);

#endif
