/* SPDX-License-Identifier: MIT */
/* SentencePiece's tokenizer.model: a protobuf message with pieces and the settings that they were trained with. */
#ifndef SLM_IMPORT_SENTENCEPIECE_MODEL_H
#define SLM_IMPORT_SENTENCEPIECE_MODEL_H

#include "import/sentencepiece_vocabulary.h" /* enum slm_piece_type */

struct slm_sentencepiece_model {
    struct slm_span *texts; /* [room] by id; they lie in the file */
    float *scores;          /* [room] */
    uint8_t *types;         /* [room] enum slm_piece_type */
    uint32_t count;         /* pieces of the file */
    bool space_prefix;
    int64_t bos, eos; /* ids, or negative */
};

/* Read a BPE model without character map. room: entries that the arrays must have at least, for tokens from elsewhere; the arrays lie in
 * `arena`. Errors: SLM_E_BAD_VALUE, SLM_E_ENCODING, SLM_E_UNSUPPORTED, SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__sentencepiece_model_read(struct slm_span file, uint32_t room, struct slm_arena *arena,
                                         struct slm_sentencepiece_model *model, slm_error *error);

#endif
