/* SPDX-License-Identifier: MIT */
/* One block, made anew when a word is too long for it. */
#include "text/word_scratch.h" /* struct slm_word_scratch */

static const size_t LIMIT = (size_t)1 << 28;

void slm__word_scratch_init(struct slm_word_scratch *scratch, const struct slm_memory *memory)
{
    scratch->memory = memory;
    scratch->block = NULL;
    scratch->bytes = 0;
}

void slm__word_scratch_free(struct slm_word_scratch *scratch)
{
    slm__release(scratch->memory, scratch->block, scratch->bytes);
    scratch->block = NULL;
    scratch->bytes = 0;
}

slm_status slm__word_scratch_reserve(struct slm_word_scratch *scratch, size_t length, size_t each, slm_error *error)
{
    if (length > LIMIT) {
        return slm__fail(error, SLM_E_LIMIT, "a single word of %llu bytes, at most %llu are supported", (unsigned long long)length,
                         (unsigned long long)LIMIT);
    }
    if ((length + 1) * each <= scratch->bytes) {
        return SLM_OK;
    }
    const size_t bytes = (length + length / 2 + 64) * each;
    slm__word_scratch_free(scratch);
    scratch->block = slm__allocate(scratch->memory, bytes, 64);
    if (scratch->block == NULL) {
        return slm__fail_memory(error, bytes);
    }
    scratch->bytes = bytes;
    return SLM_OK;
}
