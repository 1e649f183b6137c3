/* SPDX-License-Identifier: MIT */
/* Embeddings of many texts in the free sessions of a pool. */
#ifndef SLM_RUNTIME_EMBED_H
#define SLM_RUNTIME_EMBED_H

#include "runtime/pool.h" /* struct slm_pool */

/* `options` is of the known size and its numbers are checked; `embeddings` is large enough: [count][hidden]. */
slm_status slm__embed(struct slm_pool *pool, const slm_input *inputs, uint64_t count, const slm_embed_options *options, float *embeddings,
                      slm_error *error);

#endif
