/* SPDX-License-Identifier: MIT */
/* From a description of a tokenizer to the bytes of its section. The same description gives the same bytes everywhere. */
#ifndef SLM_TEXT_TOKENIZER_BUILDER_H
#define SLM_TEXT_TOKENIZER_BUILDER_H

#include "base/buffer.h"           /* struct slm_buffer */
#include "base/memory.h"           /* struct slm_memory */
#include "base/span.h"             /* struct slm_span */
#include "base/status.h"           /* slm_status, slm_error */
#include "text/tokenizer_layout.h" /* flags, kinds, limits */

/* A token. All bytes are borrowed until the section is built. */
struct slm_tokenizer_token {
    struct slm_span bytes; /* what it stands for, at most SLM_TOKENIZER_TOKEN_BYTES_MAX */
    struct slm_span text;  /* not byte-level: as the model finds it, of the same limit */
    uint8_t flags;         /* enum slm_token_flags; SPECIAL and ADDED follow from the added tokens, WHOLE is computed */
    bool in_model;         /* the model can find it by its bytes, or text */
};

/* left and right side by side become result. The place in the list is the rank; of two entries for a pair the later counts. */
struct slm_tokenizer_merge {
    uint32_t left;
    uint32_t right;
    uint32_t result;
};

struct slm_tokenizer_added {
    uint32_t id;
    uint32_t flags;          /* enum slm_added_flags */
    struct slm_span content; /* as written in the text */
};

struct slm_tokenizer_step {
    uint32_t stage; /* enum slm_tokenizer_stage; steps are in the order of their stages */
    uint32_t kind;
    uint32_t flags;
    uint32_t value;
    struct slm_span text; /* parameters of later kinds */
    struct slm_span second;
};

enum { SLM_TOKENIZER_SPEC_STEPS = 4 * SLM_TOKENIZER_STEPS_MAX };

struct slm_tokenizer_spec {
    const struct slm_tokenizer_token *tokens; /* [token_count]; an id without token has the flag UNUSED */
    uint32_t token_count;
    const struct slm_tokenizer_merge *merges;
    uint32_t merge_count;
    const struct slm_tokenizer_added *added; /* each id at most once */
    uint32_t added_count;
    uint32_t model;         /* enum slm_tokenizer_model */
    uint32_t model_flags;   /* enum slm_tokenizer_model_flags */
    uint32_t unknown;       /* id or SLM_TOKENIZER_NONE */
    const double *scores;   /* Unigram: [token_count], infinite where the model has no token */
    uint32_t fallback[256]; /* with BYTE_FALLBACK: the token of each byte, or SLM_TOKENIZER_NONE */
    uint32_t step_count;
    struct slm_tokenizer_step steps[SLM_TOKENIZER_SPEC_STEPS];
    uint32_t prefix_count; /* what the post-processor adds */
    uint32_t suffix_count;
    uint32_t prefix[SLM_TOKENIZER_EXTRA_IDS_MAX];
    uint32_t suffix[SLM_TOKENIZER_EXTRA_IDS_MAX];
};

/* An empty specification: no tokens, no unknown token. */
void slm__tokenizer_spec_init(struct slm_tokenizer_spec *spec);
/* Add a step; false when there are too many. Texts can be added to the last step. */
bool slm__tokenizer_spec_step(struct slm_tokenizer_spec *spec, uint32_t stage, uint32_t kind, uint32_t value);

/* Append the section to `section`, which is empty. Scratch comes from `memory` and is given back.
 * Errors: SLM_E_BAD_VALUE, SLM_E_LIMIT, SLM_E_UNSUPPORTED, SLM_E_NO_MEMORY; then `section` may hold a part. */
slm_status slm__tokenizer_build(const struct slm_tokenizer_spec *spec, const struct slm_memory *memory, struct slm_buffer *section,
                                slm_error *error);

#endif
