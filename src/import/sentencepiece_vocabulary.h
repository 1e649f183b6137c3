/* SPDX-License-Identifier: MIT */
/* SentencePiece's BPE as pieces with scores and types, which a tokenizer.model and GGUF keys both have. */
#ifndef SLM_IMPORT_SENTENCEPIECE_VOCABULARY_H
#define SLM_IMPORT_SENTENCEPIECE_VOCABULARY_H

#include "base/arena.h"             /* struct slm_arena */
#include "text/tokenizer_builder.h" /* struct slm_tokenizer_spec */

/* The same numbers in both formats. */
enum slm_piece_type {
    SLM_PIECE_NORMAL = 1,
    SLM_PIECE_UNKNOWN = 2,
    SLM_PIECE_CONTROL = 3,
    SLM_PIECE_USER = 4,
    SLM_PIECE_UNUSED = 5,
    SLM_PIECE_BYTE = 6
};

struct slm_sentencepiece {
    const struct slm_span *texts; /* [count] by id, valid UTF-8; data NULL: no token. Borrowed */
    const float *scores;          /* [count] */
    const uint8_t *types;         /* [count] enum slm_piece_type */
    uint32_t count;
    const struct slm_tokenizer_added *added; /* further added tokens, whose texts are in `texts` with type CONTROL or USER */
    uint32_t added_count;
    bool space_prefix;    /* text gets a space in front */
    uint32_t model_count; /* tokens of the model, the first ones */
};

/* Fill `spec` but for the ids at the ends: merges in the order of the scores, unknown and control pieces as special added tokens, user
 * defined ones as added tokens, byte fallback, spaces as U+2581. Errors: SLM_E_BAD_VALUE, SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__tokenizer_spec_from_pieces(const struct slm_sentencepiece *pieces, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                                           slm_error *error);

#endif
