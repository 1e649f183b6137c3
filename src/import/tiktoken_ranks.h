/* SPDX-License-Identifier: MIT */
/* A tiktoken file: a line for each token, its bytes in base64 and its rank, which is its id. */
#ifndef SLM_IMPORT_TIKTOKEN_RANKS_H
#define SLM_IMPORT_TIKTOKEN_RANKS_H

#include "base/arena.h"           /* struct slm_arena */
#include "text/gpt2_vocabulary.h" /* struct slm_gpt2_token */

struct slm_tiktoken_ranks {
    struct slm_gpt2_token *tokens; /* [room] by rank; texts are the tokens' bytes */
    uint32_t count;                /* highest rank + 1 */
};

/* True if the first line of `file` is of this form. */
bool slm__tiktoken_likely(struct slm_span file);

/* room: entries that the array must have at least. Array and texts lie in `arena`.
 * Errors: SLM_E_SYNTAX, SLM_E_BAD_VALUE, SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__tiktoken_read(struct slm_span file, uint32_t room, struct slm_arena *arena, struct slm_tiktoken_ranks *ranks,
                              slm_error *error);

#endif
