/* SPDX-License-Identifier: MIT */
/* The way GPT-2 writes byte-level vocabularies as text, which tokenizer.json and GGUF share: every byte is one printable character
 * (a space is U+0120), and a merge is the texts of its two parts. */
#ifndef SLM_TEXT_GPT2_VOCABULARY_H
#define SLM_TEXT_GPT2_VOCABULARY_H

#include "base/arena.h"             /* struct slm_arena */
#include "text/tokenizer_builder.h" /* struct slm_tokenizer_spec */

struct slm_gpt2_token {
    struct slm_span text; /* in the byte alphabet; data NULL: the id has no token */
    bool in_model;        /* false: only an added token, which the merges cannot reach */
};

struct slm_gpt2_merge {
    struct slm_span left;
    struct slm_span right;
};

struct slm_gpt2_vocabulary {
    const struct slm_gpt2_token *tokens; /* [token_count] by id */
    uint32_t token_count;
    const struct slm_gpt2_merge *merges; /* [merge_count] by rank */
    uint32_t merge_count;
};

/* Cut "left right" at its one space; false if there is none or more than one, or a part is empty. */
bool slm__gpt2_split_merge(struct slm_span text, struct slm_gpt2_merge *merge);

/* Fill tokens, merges, model and its flag BYTE_LEVEL of `spec`, whose added tokens and steps are there already. A token with a
 * character outside the alphabet stands for its own text and cannot be found by the model. Arrays lie in `arena`; texts outside the
 * alphabet point into the source.
 * Errors: SLM_E_BAD_VALUE (a text twice; a merge of unknown tokens, with unknown result, with an empty part), SLM_E_NO_MEMORY. */
slm_status slm__tokenizer_spec_from_gpt2(const struct slm_gpt2_vocabulary *vocabulary, struct slm_arena *arena,
                                         struct slm_tokenizer_spec *spec, slm_error *error);

/* Add the pipeline (normalizer, pre-tokenizers, decoder, ignore_merges) that GGUF files name in tokenizer.ggml.pre; false when the
 * name is not known. */
bool slm__tokenizer_spec_pipeline(struct slm_tokenizer_spec *spec, struct slm_span name);

#endif
