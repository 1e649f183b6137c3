/* SPDX-License-Identifier: MIT */
/* Work space for the tokenization of words, one after another: it grows to the longest. */
#ifndef SLM_TEXT_WORD_SCRATCH_H
#define SLM_TEXT_WORD_SCRATCH_H

#include "base/memory.h" /* struct slm_memory */
#include "base/status.h" /* slm_status, slm_error */

enum { SLM_BPE_SHORT = 32 }; /* bytes of a word that BPE merges without memory */

struct slm_word_scratch {
    const struct slm_memory *memory;
    uint8_t *block; /* of `bytes` bytes, aligned to 64; NULL at first */
    size_t bytes;
    uint32_t ids[SLM_BPE_SHORT];
};

void slm__word_scratch_init(struct slm_word_scratch *scratch, const struct slm_memory *memory);
void slm__word_scratch_free(struct slm_word_scratch *scratch);
/* Room for `length` + 1 times `each` bytes, with some to spare for the next words; what was there is lost. Errors: SLM_E_NO_MEMORY,
 * SLM_E_LIMIT (2^28 bytes of a word). */
slm_status slm__word_scratch_reserve(struct slm_word_scratch *scratch, size_t length, size_t each, slm_error *error);

#endif
