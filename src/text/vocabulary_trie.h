/* SPDX-License-Identifier: MIT */
/*
 * The tokens of a vocabulary as byte tries, for asking which of them a grammar allows next; used in place from a section of the .slm file
 * (described in TOKENIZER.md), or built in memory.
 *
 * Two tries: tokens that stay inside a JSON string when it stands between two characters (content), and all others. A trie is a list of
 * nodes in depth-first order, so that walking is reading forward, and leaving out a subtree is adding a number. For content tokens there
 * are also ready masks: those that need at most k characters of the string.
 */
#ifndef SLM_TEXT_VOCABULARY_TRIE_H
#define SLM_TEXT_VOCABULARY_TRIE_H

#include "base/buffer.h"    /* struct slm_buffer */
#include "text/tokenizer.h" /* struct slm_tokenizer */

enum {
    SLM_VOCABULARY_MAGIC = 0x49525456, /* "VTRI" */
    SLM_VOCABULARY_VERSION = 1,
    SLM_VOCABULARY_HEADER_BYTES = 64,
    SLM_VOCABULARY_DEPTH_MAX = 1023, /* bytes of a token; longer ones are in no trie */
    SLM_VOCABULARY_NODES_MAX = (1 << 22) - 1,
    SLM_VOCABULARY_NO_TOKEN = 0xFFFFFF,
    SLM_VOCABULARY_LEVELS = 25 /* ready masks: at most 1, 2 .. 24 characters; any number */
};

enum slm_vocabulary_trie { SLM_VOCABULARY_CONTENT, SLM_VOCABULARY_OTHERS, SLM_VOCABULARY_TRIES };

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
    uint32_t node_count[SLM_VOCABULARY_TRIES];
    const uint32_t *roots[SLM_VOCABULARY_TRIES]; /* [256]: node of a first byte + 1, or 0 */
    const struct slm_trie_node *nodes[SLM_VOCABULARY_TRIES];
    const struct slm_token_alias *aliases;
    const uint8_t *levels; /* [SLM_VOCABULARY_LEVELS][mask_bytes] */
};

/* Append the section of a tokenizer. Special and unused tokens are in no trie. Errors: SLM_E_NO_MEMORY, SLM_E_LIMIT. */
slm_status slm__vocabulary_build(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, struct slm_buffer *section,
                                 slm_error *error);
/* Check a section of a vocabulary with `token_count` ids and make the view. `section` is 64-aligned and stays.
 * Errors: SLM_E_BAD_MAGIC, SLM_E_VERSION, SLM_E_TRUNCATED, SLM_E_BAD_VALUE. */
slm_status slm__vocabulary_open(struct slm_vocabulary *vocabulary, struct slm_span section, uint32_t token_count, slm_error *error);

static inline uint32_t slm__trie_token(struct slm_trie_node node) { return node.token_byte >> 8; }
static inline uint8_t slm__trie_byte(struct slm_trie_node node) { return (uint8_t)node.token_byte; }
static inline uint32_t slm__trie_size(struct slm_trie_node node) { return node.size_depth >> 10; }
static inline uint32_t slm__trie_depth(struct slm_trie_node node) { return node.size_depth & SLM_VOCABULARY_DEPTH_MAX; }
/* The ready mask of content tokens that need at most `characters`; exact says whether these are all that fit. */
static inline const uint8_t *slm__vocabulary_level(const struct slm_vocabulary *vocabulary, uint32_t characters, bool *exact)
{
    uint32_t level = characters < SLM_VOCABULARY_LEVELS ? characters : SLM_VOCABULARY_LEVELS - 1;
    if (characters >= vocabulary->longest) {
        level = SLM_VOCABULARY_LEVELS; /* no token is longer */
    }
    *exact = characters < SLM_VOCABULARY_LEVELS || level == SLM_VOCABULARY_LEVELS;
    return vocabulary->levels + (size_t)(level - 1) * vocabulary->mask_bytes;
}

#endif
