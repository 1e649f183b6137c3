/* SPDX-License-Identifier: MIT */
/*
 * The tokens of a vocabulary as byte tries, for asking which of them a grammar allows next; used in place from a section of the .slm file
 * (described in TOKENIZER.md), or built in memory.
 *
 * A trie is a list of nodes in depth-first order, so that walking is reading forward, and leaving out a subtree is adding a number. Every
 * token is in one of them: plain ones that stay inside a JSON string when it stands between two characters (those of few kinds of
 * characters apart, in slices), those that do so with escapes, and all others. What is allowed inside a string is known without walking:
 * plain tokens that need at most k characters, and slices, are ready masks, and tokens that close the string are found by what they hold
 * behind its quote.
 */
#ifndef SLM_TEXT_VOCABULARY_TRIE_H
#define SLM_TEXT_VOCABULARY_TRIE_H

#include "base/buffer.h"    /* struct slm_buffer */
#include "text/tokenizer.h" /* struct slm_tokenizer */

enum {
    SLM_VOCABULARY_MAGIC = 0x49525456, /* "VTRI" */
    SLM_VOCABULARY_VERSION = 2,
    SLM_VOCABULARY_HEADER_BYTES = 128,
    SLM_VOCABULARY_DEPTH_MAX = 1023, /* bytes of a token; longer ones are in no trie */
    SLM_VOCABULARY_NODES_MAX = (1 << 22) - 1,
    SLM_VOCABULARY_NO_TOKEN = 0xFFFFFF,
    SLM_VOCABULARY_CHARACTERS_MAX = 254, /* of a string that one token needs; tokens that need more are in no trie */
    SLM_VOCABULARY_LEVELS = 25           /* ready masks: at most 1, 2 .. 24 characters; any number */
};

enum slm_vocabulary_trie {
    SLM_VOCABULARY_LOWER,   /* slices: at most 24 of the characters a-z */
    SLM_VOCABULARY_LETTERS, /* A-Z too */
    SLM_VOCABULARY_WORD,    /* 0-9 and _ too */
    SLM_VOCABULARY_SPACED,  /* a space, and letters behind it */
    SLM_VOCABULARY_FOREIGN, /* letters, spaces, and all beyond ASCII but U+2028 and U+2029 */
    SLM_VOCABULARY_PLAIN,   /* other characters that stand for themselves */
    SLM_VOCABULARY_ESCAPED, /* others that stay inside a string */
    SLM_VOCABULARY_OTHERS,
    SLM_VOCABULARY_CLOSING, /* what is behind the quote in tokens that close a string; "tokens" are groups */
    SLM_VOCABULARY_TRIES,
    SLM_VOCABULARY_SLICES = SLM_VOCABULARY_PLAIN
};

/* token << 8 | byte, and size of the subtree with the node << 10 | depth (1: first byte). */
struct slm_trie_node {
    uint32_t token_byte;
    uint32_t size_depth;
};

struct slm_token_alias {
    uint32_t token; /* has the same bytes */
    uint32_t as;
};

struct slm_vocabulary {
    uint32_t token_count;
    uint32_t mask_bytes; /* bit t % 8 of byte t / 8; a multiple of 64 */
    uint32_t longest;    /* bytes of a token */
    uint32_t alias_count;
    uint32_t escaped_count;
    uint32_t long_count;
    uint32_t group_count;
    uint32_t node_count[SLM_VOCABULARY_TRIES];
    const uint32_t *roots[SLM_VOCABULARY_TRIES]; /* [256]: node of a first byte + 1, or 0 */
    const struct slm_trie_node *nodes[SLM_VOCABULARY_TRIES];
    const struct slm_token_alias *aliases;
    const uint32_t *escaped; /* token << 8 | characters: those of ESCAPED, fewest characters first */
    const uint32_t *longs;   /* the same: plain tokens of more characters than there are levels for */
    const uint32_t *groups;  /* [group_count + 1]: first of `closing`; group 0: nothing behind the quote */
    const uint32_t *closing; /* token << 8 | characters in front of the quote */
    const uint8_t *levels;   /* [SLM_VOCABULARY_LEVELS][mask_bytes]: of PLAIN and the slices */
    const uint8_t *slices;   /* [SLM_VOCABULARY_SLICES][mask_bytes] */
};

/* Append the section of a tokenizer. Special and unused tokens are in no trie. Errors: SLM_E_NO_MEMORY, SLM_E_LIMIT. */
slm_status slm__vocabulary_build(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, struct slm_buffer *section,
                                 slm_error *error);
/* Check a section of a vocabulary with `token_count` ids and make the view. `section` is 64-aligned and stays.
 * Errors: SLM_E_BAD_MAGIC, SLM_E_VERSION, SLM_E_TRUNCATED, SLM_E_BAD_VALUE. */
slm_status slm__vocabulary_open(struct slm_vocabulary *vocabulary, struct slm_span section, uint32_t token_count, slm_error *error);

/* Whether a section has the version that is read here. */
static inline bool slm__vocabulary_is_known(struct slm_span section)
{
    return section.length >= SLM_VOCABULARY_HEADER_BYTES && slm__load_u32(section.data + 4) == SLM_VOCABULARY_VERSION;
}

/* Bytes of the longest token that `text` begins with, and that token; 0: there is none. */
size_t slm__vocabulary_longest(const struct slm_vocabulary *vocabulary, struct slm_span text, int32_t *token);

static inline uint32_t slm__trie_token(struct slm_trie_node node) { return node.token_byte >> 8; }
static inline uint8_t slm__trie_byte(struct slm_trie_node node) { return (uint8_t)node.token_byte; }
static inline uint32_t slm__trie_size(struct slm_trie_node node) { return node.size_depth >> 10; }
static inline uint32_t slm__trie_depth(struct slm_trie_node node) { return node.size_depth & SLM_VOCABULARY_DEPTH_MAX; }
static inline uint32_t slm__listed_token(uint32_t entry) { return entry >> 8; }
static inline uint32_t slm__listed_characters(uint32_t entry) { return entry & 0xFF; }
/* The ready mask of plain tokens that need at most `characters` > 0; those of `longs` may be missing. */
static inline const uint8_t *slm__vocabulary_level(const struct slm_vocabulary *vocabulary, uint32_t characters)
{
    const uint32_t level = characters > SLM_VOCABULARY_CHARACTERS_MAX ? SLM_VOCABULARY_LEVELS
                           : characters < SLM_VOCABULARY_LEVELS       ? characters
                                                                      : SLM_VOCABULARY_LEVELS - 1;
    return vocabulary->levels + (size_t)(level - 1) * vocabulary->mask_bytes;
}

#endif
