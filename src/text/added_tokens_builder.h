/* SPDX-License-Identifier: MIT */
/* The trie over the texts of added tokens, built once at conversion; added_tokens.c walks it. */
#ifndef SLM_TEXT_ADDED_TOKENS_BUILDER_H
#define SLM_TEXT_ADDED_TOKENS_BUILDER_H

#include "base/arena.h"             /* struct slm_arena */
#include "text/tokenizer_builder.h" /* struct slm_tokenizer_spec */

struct slm_added_node {
    uint32_t first_edge;
    uint32_t edge_count;
    uint32_t added; /* index of the added token that ends here, or SLM_TOKENIZER_NONE */
};

struct slm_added_edge {
    uint32_t byte;
    uint32_t child;
};

struct slm_added_trie {
    uint32_t roots[2][256];       /* first byte to node, or 0: of the tokens searched in raw text, in normalized text */
    struct slm_added_node *nodes; /* node 0 is none; children have higher numbers than their parents */
    struct slm_added_edge *edges;
    uint32_t node_count;
    uint32_t edge_count;
};

/* The text of an added token as it is searched: normalized where its flags say so. What changes lies in `arena`. The reference also
 * decodes such a token to its normalized text, and no longer takes it for special if that differs from its content. */
slm_status slm__added_searched_text(const struct slm_tokenizer_spec *spec, const struct slm_tokenizer_added *added, struct slm_arena *arena,
                                    struct slm_span *text, slm_error *error);

/* Arrays lie in `arena`. Texts of normalized tokens are normalized as the specification says. */
slm_status slm__added_trie_build(const struct slm_tokenizer_spec *spec, struct slm_arena *arena, struct slm_added_trie *trie,
                                 slm_error *error);

#endif
