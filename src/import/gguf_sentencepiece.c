/* SPDX-License-Identifier: MIT */
/* GGUF's arrays as pieces. Without add_space_prefix the format's default holds: there is one. */
#include "import/gguf_sentencepiece.h"

#include "import/gguf_tokens.h" /* slm__gguf_tokens_read */

slm_status slm__gguf_sentencepiece(const struct slm_gguf *gguf, uint32_t vocab, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                                   slm_error *error)
{
    struct slm_gguf_tokens tokens;
    uint64_t prefix = 1;
    SLM_TRY(slm__gguf_tokens_read(gguf, vocab, true, arena, &tokens, error));
    (void)slm__gguf_u64(slm__gguf_find(gguf, "tokenizer.ggml.add_space_prefix"), &prefix);
    struct slm_sentencepiece pieces = {tokens.texts, tokens.scores, tokens.types, tokens.count, NULL, 0, prefix != 0, tokens.count};
    return slm__tokenizer_spec_from_pieces(&pieces, arena, spec, error);
}
