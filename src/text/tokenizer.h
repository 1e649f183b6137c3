/* SPDX-License-Identifier: MIT */
/*
 * Text to token ids and back, from the tables of a tokenizer section used in place. The struct is a plain view: no allocation, shared
 * by any number of threads, valid as long as the section. slm__tokenizer_open() checks everything that memory safety depends on; what
 * it does not check (is this merge where its hash says?) can only make a forged section give strange ids.
 */
#ifndef SLM_TEXT_TOKENIZER_H
#define SLM_TEXT_TOKENIZER_H

#include "base/buffer.h"           /* struct slm_buffer */
#include "base/byte_reader.h"      /* slm__load_u32 */
#include "base/memory.h"           /* struct slm_memory */
#include "base/span.h"             /* struct slm_span */
#include "base/status.h"           /* slm_status, slm_error */
#include "text/tokenizer_layout.h" /* tables, flags, kinds */

struct slm_tokenizer {
    struct slm_span section;
    const uint8_t *tables[SLM_TOKENIZER_TABLES_END]; /* start of each table, or NULL */
    uint64_t lengths[SLM_TOKENIZER_TABLES_END];      /* bytes of each */
    uint32_t token_count;
    uint32_t model;       /* enum slm_tokenizer_model */
    uint32_t model_flags; /* enum slm_tokenizer_model_flags */
    uint32_t unknown;     /* id or NONE */
    uint32_t hash_mask;   /* slots - 1 */
    uint32_t merge_mask;
    uint32_t text_offsets;  /* table with the offsets of the texts by which the model finds its tokens */
    uint32_t text_bytes;    /* ... and the one with the texts */
    uint32_t trie_count;    /* Unigram: units of its trie */
    double unknown_score;   /* Unigram */
    struct slm_span inside; /* WordPiece: prefix of tokens inside a word */
    uint32_t longest_word;  /* WordPiece: characters */
    uint32_t added_count;
    uint32_t longest_token;    /* bytes of the texts */
    uint32_t normalizer_count; /* steps of this stage, the first ones */
    uint32_t step_count;       /* of normalizers and pre-tokenizers */
    uint32_t decoder;          /* enum slm_tokenizer_decoder: the first one */
    uint32_t decoder_value;
    struct slm_span decoder_text;
    uint32_t strip_count; /* how often strip_text is taken off the start */
    struct slm_span strip_text;
    bool guarded; /* a view for untrusted text: the model does not know the texts of special tokens. False when opened */
};

/* A range of bytes of a text. */
struct slm_text_range {
    uint64_t start;
    uint64_t end;
};

/* `section` is 64-aligned in memory. Errors: SLM_E_BAD_MAGIC, SLM_E_VERSION, SLM_E_TRUNCATED, SLM_E_BAD_VALUE, SLM_E_UNSUPPORTED. */
slm_status slm__tokenizer_open(struct slm_tokenizer *tokenizer, struct slm_span section, slm_error *error);

/* Number of token ids: the highest one + 1. */
uint32_t slm__tokenizer_size(const struct slm_tokenizer *tokenizer);

/* Encode `text`. flags: SLM_TOKENIZE_... of slm.h. *count is the number of ids; if that exceeds `capacity` nothing is written and
 * SLM_E_BUFFER_TOO_SMALL is returned. Scratch comes from `memory` and is given back. O(n log n).
 * Errors: also SLM_E_NO_MEMORY, SLM_E_LIMIT (text of 2 GB), SLM_E_ENCODING (strict). */
slm_status slm__tokenizer_encode(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, struct slm_span text,
                                 uint32_t flags, int32_t *ids, uint64_t capacity, uint64_t *count, slm_error *error);

/* The same, where special tokens are not recognised if they touch one of the `untrusted` ranges (ascending, apart, within the
 * text); with no range it is slm__tokenizer_encode(). A special token that is searched in normalized text is not recognised in any
 * piece that holds untrusted bytes and that normalization changes. In a piece that holds untrusted bytes the model does not give
 * special tokens either (but for unknown characters); with SLM_TOKENIZE_PLAIN it does where it knows their text, as the reference. */
slm_status slm__tokenizer_encode_origins(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, struct slm_span text,
                                         const struct slm_text_range *untrusted, uint64_t untrusted_count, uint32_t flags, int32_t *ids,
                                         uint64_t capacity, uint64_t *count, slm_error *error);

/* Append the text of `n` ids. flags: SLM_DETOKENIZE_... of slm.h. An id without token gives no text; SLM_E_BAD_TOKEN for one below 0
 * or not below slm__tokenizer_size(). On failure `out` may hold a part. */
slm_status slm__tokenizer_decode(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, const int32_t *ids, uint64_t n,
                                 uint32_t flags, struct slm_buffer *out, slm_error *error);

/* What one token stands for in the middle of a text, in place; token_flags (enum slm_token_flags) may be NULL. SLM_E_BAD_TOKEN. */
slm_status slm__tokenizer_token_bytes(const struct slm_tokenizer *tokenizer, int32_t id, struct slm_span *bytes, uint32_t *token_flags);

/* ---- For the other files of this folder: reads of validated tables ---- */

static inline uint32_t slm__tokenizer_u32(const struct slm_tokenizer *tokenizer, uint32_t table, uint64_t index)
{
    return slm__load_u32(tokenizer->tables[table] + 4 * index);
}

/* Is `id` < token_count an added token that is special? */
bool slm__tokenizer_is_control(const struct slm_tokenizer *tokenizer, uint32_t id);

/* Bytes of token `id` < token_count. */
static inline struct slm_span slm__tokenizer_bytes(const struct slm_tokenizer *tokenizer, uint32_t id)
{
    uint32_t start = slm__tokenizer_u32(tokenizer, SLM_TOKENIZER_OFFSETS, id);
    uint32_t end = slm__tokenizer_u32(tokenizer, SLM_TOKENIZER_OFFSETS, (uint64_t)id + 1);
    return slm__span(tokenizer->tables[SLM_TOKENIZER_BYTES] + start, end - start);
}

/* Its text as the model finds it. */
static inline struct slm_span slm__tokenizer_text(const struct slm_tokenizer *tokenizer, uint32_t id)
{
    uint32_t start = slm__tokenizer_u32(tokenizer, tokenizer->text_offsets, id);
    uint32_t end = slm__tokenizer_u32(tokenizer, tokenizer->text_offsets, (uint64_t)id + 1);
    return slm__span(tokenizer->tables[tokenizer->text_bytes] + start, end - start);
}

static inline struct slm_span slm__tokenizer_step_text(const struct slm_tokenizer *tokenizer, const uint8_t *step, uint32_t offset)
{
    return slm__span(tokenizer->tables[SLM_TOKENIZER_TEXTS] + slm__load_u32(step + offset), slm__load_u32(step + offset + 4));
}

#endif
