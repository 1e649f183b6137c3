/* SPDX-License-Identifier: MIT */
/* Byte-pair encoding of one word: of all neighbours that form a pair of the merge list the one of lowest rank is joined, leftmost
 * first, until none is left. */
#ifndef SLM_TEXT_BPE_MERGE_H
#define SLM_TEXT_BPE_MERGE_H

#include "text/tokenizer.h"      /* struct slm_tokenizer */
#include "text/tokenizer_hash.h" /* slm__tokenizer_hash */
#include "text/word_scratch.h"   /* struct slm_word_scratch */

/* The ids of `word`: *ids stays valid until the next call. O(n log n). Errors: SLM_E_NO_MEMORY, SLM_E_LIMIT (2^28 bytes). */
slm_status slm__bpe_word(const struct slm_tokenizer *tokenizer, struct slm_word_scratch *scratch, struct slm_span word,
                         const uint32_t **ids, size_t *count, slm_error *error);

/* The model's token of exactly this text, or SLM_TOKENIZER_NONE; a guarded tokenizer gives no special tokens. */
static inline uint32_t slm__tokenizer_find(const struct slm_tokenizer *tokenizer, struct slm_span bytes)
{
    uint64_t hash = slm__tokenizer_hash(bytes);
    uint32_t tag = (uint32_t)(hash >> 32);
    const uint8_t *slots = tokenizer->tables[SLM_TOKENIZER_HASH];
    for (uint32_t i = 0; i < SLM_TOKENIZER_PROBES; i++) {
        const uint8_t *slot = slots + (size_t)(((uint32_t)hash + i) & tokenizer->hash_mask) * SLM_TOKENIZER_HASH_BYTES;
        uint32_t id = slm__load_u32(slot);
        if (id == SLM_TOKENIZER_NONE) {
            break;
        }
        if (slm__load_u32(slot + 4) == tag && slm__span_equal(slm__tokenizer_text(tokenizer, id), bytes)) {
            return SLM_WITH_CHAT && tokenizer->guarded && slm__tokenizer_is_control(tokenizer, id) ? SLM_TOKENIZER_NONE : id;
        }
    }
    return SLM_TOKENIZER_NONE;
}

#endif
