/* SPDX-License-Identifier: MIT */
/*
 * slm_grammar.h - grammars: what an answer may look like; a part of slm.h, which includes it.
 *
 * A grammar is compiled once, is immutable, and may be used by any number of sessions, matchers and threads at once. It knows bytes, no
 * vocabulary: tokens may end anywhere, also inside a character. An answer can never run into a dead end.
 */
#ifndef SLM_GRAMMAR_H
#define SLM_GRAMMAR_H

#include "slm.h" /* handles, slm_status, slm_error, the rules for every function */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct slm_grammar slm_grammar;

enum {
    SLM_GRAMMAR_SCHEMA = 1, /* JSON Schema (drafts 4 to 2020-12): JSON texts that are valid */
    SLM_GRAMMAR_REGEX = 2,  /* regular expression (ECMA-262 without back-references) that the whole text matches */
    SLM_GRAMMAR_GBNF = 3    /* rules: root ::= "yes" | "no" */
};

enum { /* of schemas */
    SLM_GRAMMAR_SPACES = 1,    /* white space between the parts of JSON; default: none */
    SLM_GRAMMAR_ANY_ORDER = 2, /* members in any order; default: in that of `properties`, others behind them */
    SLM_GRAMMAR_LENIENT = 4    /* what cannot be enforced is a line in the log; default: an error that names its place in the schema */
};

typedef struct slm_grammar_options {
    uint32_t struct_size;
    uint32_t flags;
    uint64_t max_bytes;  /* of the grammar, and of what compiling needs; 0: 64 MB */
    uint32_t max_depth;  /* nesting of rules and values while matching; 0: 1024 */
    uint32_t reserved;
} slm_grammar_options;

/* Compile `text`. Errors: SLM_E_SYNTAX (line and column, or the place in the schema), SLM_E_UNSUPPORTED (what cannot be enforced),
 * SLM_E_BAD_VALUE (also: nothing satisfies it), SLM_E_LIMIT, SLM_E_ENCODING, SLM_E_NO_MEMORY. */
SLM_API slm_status slm_grammar_compile(slm_engine *engine, int32_t kind, const char *text, uint64_t length,
                                       const slm_grammar_options *options, slm_grammar **grammar, slm_error *error);

/* From now on answers of the session are texts of the grammar; NULL: any text again. Each append begins a new answer, and so does going on
 * after a stop. The mask comes before the settings of slm_sampling; the eos token is allowed where the text is complete; SLM_STOP_GRAMMAR
 * tells that nothing can follow. SLM_SESSION_JUMP is for speed. When max_tokens or the context run out the answer takes the shortest way
 * to its end, so that it is always complete; SLM_E_LIMIT when max_tokens is less than that takes. Forks have the same grammar at the same
 * place, a rewind inside the answer takes the grammar back, also when the answer was complete; snapshots have no grammar: after
 * slm_session_restore() the next token begins a text of the session's own. The grammar must outlive its sessions. Errors: SLM_E_ARGUMENT
 * (grammar_bytes of the pool, or of a session without one, are too few: the message says how many), SLM_E_NO_TOKENIZER, SLM_E_LIMIT,
 * SLM_E_NO_MEMORY (files without the vocabulary section only: it is made once). */
SLM_API slm_status slm_session_set_grammar(slm_session *session, slm_grammar *grammar, slm_error *error);

/* A value of a JSON answer: the answer itself, a member of an object, an element of an array. */
typedef struct slm_answer_field {
    uint32_t struct_size;
    uint32_t tokens;      /* that share a byte with it */
    uint64_t path_begin;  /* its JSON pointer ("/items/0/name"; of the whole answer "") in `paths` */
    uint64_t path_length;
    uint64_t begin;       /* in `text`, quotes and brackets included */
    uint64_t length;
    double probability;   /* product of its tokens' probabilities among those that the grammar allowed: how sure the model was */
    double probability_unconstrained; /* the same among all tokens */
} slm_answer_field;

/* The values of an answer in the order of their begin, objects and arrays before what they hold. `tokens` are those of the answer, all of
 * them, as slm_session_next() gave them (only text_length, logprob and allowed_logprob are read; tokens[0].struct_size is the size of all
 * elements); their texts together are `text`. With stop strings, which hold text back, put the lengths of slm_token_bytes() in;
 * sessions with SLM_SESSION_JUMP give texts that are not their token's alone.
 * *count values have paths of *path_bytes bytes together; if `fields` (fields[0].struct_size must be set) or `paths` have no room for them,
 * SLM_E_BUFFER_TOO_SMALL. Nothing is allocated. Errors: SLM_E_ARGUMENT, SLM_E_SYNTAX (the text is not whole JSON), SLM_E_LIMIT (deeper
 * than 128 levels), SLM_E_STRUCT_SIZE. */
SLM_API slm_status slm_answer_fields(const char *text, uint64_t length, const slm_token *tokens, uint64_t token_count,
                                     slm_answer_field *fields, uint64_t capacity, uint64_t *count, char *paths, uint64_t path_capacity,
                                     uint64_t *path_bytes, slm_error *error);

typedef struct slm_grammar_info {
    uint32_t struct_size;
    uint32_t nodes;
    uint64_t bytes;    /* that it holds */
    uint64_t shortest; /* bytes of the shortest text, or a few more */
} slm_grammar_info;

SLM_API slm_status slm_grammar_get_info(const slm_grammar *grammar, slm_grammar_info *info, slm_error *error);
/* Before the engine. SLM_E_BUSY while a session or matcher uses it. NULL is fine. */
SLM_API slm_status slm_grammar_destroy(slm_grammar *grammar);

/* A matcher follows a grammar token by token, for programs with a sampling loop of their own. One thread at a time. */
typedef struct slm_matcher slm_matcher;

typedef struct slm_matcher_options {
    uint32_t struct_size;
    uint32_t history;     /* most tokens that it reads; 0: 4096 */
    uint64_t cache_bytes; /* for states and masks, about; 0: 2 MB */
    void *block;          /* memory for the matcher, or NULL: one allocation by the engine's allocator */
    uint64_t block_bytes; /* at least slm_matcher_plan()'s, aligned to 64 */
} slm_matcher_options;

SLM_API slm_status slm_matcher_plan(slm_model *model, slm_grammar *grammar, const slm_matcher_options *options, uint64_t *bytes,
                                    slm_error *error);
SLM_API slm_status slm_matcher_create(slm_model *model, slm_grammar *grammar, const slm_matcher_options *options,
                                      slm_matcher **matcher, slm_error *error);
SLM_API slm_status slm_matcher_destroy(slm_matcher *matcher);
/* Read tokens. SLM_E_BAD_TOKEN: the grammar does not allow one of them, none was read. A token that ends the text is allowed where the
 * text is complete. */
SLM_API slm_status slm_matcher_accept(slm_matcher *matcher, const int32_t *tokens, uint64_t count, slm_error *error);
/* The tokens that may come next: bit t % 8 of byte t / 8, valid until the next call on the matcher; none when nothing can follow.
 * SLM_E_BAD_VALUE: the vocabulary has no token for what has to come. */
SLM_API slm_status slm_matcher_mask(slm_matcher *matcher, const uint8_t **mask, uint64_t *bytes, slm_error *error);
/* The bytes that have to come next because nothing else can, at most 4096 of them. */
SLM_API slm_status slm_matcher_forced(slm_matcher *matcher, char *text, uint64_t capacity, uint64_t *needed, slm_error *error);
/* Keep the first `tokens` tokens. */
SLM_API slm_status slm_matcher_rewind(slm_matcher *matcher, uint64_t tokens, slm_error *error);
/* Make `matcher` what `from` is; both are of one grammar and one model. */
SLM_API slm_status slm_matcher_copy(slm_matcher *matcher, const slm_matcher *from, slm_error *error);

typedef struct slm_matcher_info {
    uint32_t struct_size;
    uint32_t tokens;   /* read so far */
    uint32_t complete; /* 1: the text may end here */
    uint32_t finished; /* 1: nothing can follow */
    uint64_t shortest; /* bytes to the nearest end, or a few more */
} slm_matcher_info;

SLM_API slm_status slm_matcher_get_info(const slm_matcher *matcher, slm_matcher_info *info, slm_error *error);

#ifdef __cplusplus
}
#endif
#endif /* SLM_GRAMMAR_H */
