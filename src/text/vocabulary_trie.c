/* SPDX-License-Identifier: MIT */
/* Checking a vocabulary section: every number that a walk depends on. */
#include "text/vocabulary_trie.h"

/* Offsets of roots, nodes, aliases, masks and of the end, for counts from the header. */
static void lay_out(uint32_t tokens, const uint32_t nodes[SLM_VOCABULARY_TRIES], uint32_t aliases, uint64_t offsets[5])
{
    const uint64_t mask_bytes = slm__round_up(tokens, 512) / 8;
    offsets[0] = SLM_VOCABULARY_HEADER_BYTES;
    offsets[1] = offsets[0] + SLM_VOCABULARY_TRIES * 256 * sizeof(uint32_t);
    offsets[2] = slm__round_up(offsets[1] + ((uint64_t)nodes[0] + nodes[1]) * sizeof(struct slm_trie_node), 64);
    offsets[3] = slm__round_up(offsets[2] + (uint64_t)aliases * sizeof(struct slm_token_alias), 64);
    offsets[4] = offsets[3] + SLM_VOCABULARY_LEVELS * mask_bytes;
}

/* Depth-first order: every subtree lies within that of its parent, one level deeper. */
static bool trie_holds(const struct slm_vocabulary *vocabulary, enum slm_vocabulary_trie trie)
{
    uint32_t ends[SLM_VOCABULARY_DEPTH_MAX + 1];
    const uint32_t count = vocabulary->node_count[trie];
    uint32_t top = 0;
    ends[0] = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct slm_trie_node node = vocabulary->nodes[trie][i];
        const uint32_t size = slm__trie_size(node);
        const uint32_t token = slm__trie_token(node);
        while (i == ends[top]) {
            top--; /* ends[0] is count */
        }
        if (slm__trie_depth(node) != top + 1 || size == 0 || size > ends[top] - i || top == SLM_VOCABULARY_DEPTH_MAX ||
            (token != SLM_VOCABULARY_NO_TOKEN && token >= vocabulary->token_count) || slm__trie_depth(node) > vocabulary->longest) {
            return false;
        }
        ends[++top] = i + size;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        const uint32_t root = vocabulary->roots[trie][byte];
        if (root > count || (root > 0 && (slm__trie_depth(vocabulary->nodes[trie][root - 1]) != 1 ||
                                          slm__trie_byte(vocabulary->nodes[trie][root - 1]) != byte))) {
            return false;
        }
    }
    return true;
}

slm_status slm__vocabulary_open(struct slm_vocabulary *vocabulary, struct slm_span section, uint32_t token_count, slm_error *error)
{
    if (section.length < SLM_VOCABULARY_HEADER_BYTES) {
        return slm__fail(error, SLM_E_TRUNCATED, "the vocabulary section has %zu bytes, less than its header", section.length);
    }
    const uint32_t *header = (const uint32_t *)(const void *)section.data;
    if (header[0] != SLM_VOCABULARY_MAGIC) {
        return slm__fail(error, SLM_E_BAD_MAGIC, "the vocabulary section does not begin with VTRI");
    }
    if (header[1] != SLM_VOCABULARY_VERSION) {
        return slm__fail(error, SLM_E_VERSION, "the vocabulary section has version %u; this library reads version %d", header[1],
                         SLM_VOCABULARY_VERSION);
    }
    uint64_t offsets[5];
    lay_out(header[4], header + 6, header[8], offsets);
    if (header[4] != token_count || header[5] != SLM_VOCABULARY_LEVELS || header[6] > SLM_VOCABULARY_NODES_MAX ||
        header[7] > SLM_VOCABULARY_NODES_MAX || header[8] > token_count || header[9] > SLM_VOCABULARY_DEPTH_MAX ||
        slm__load_u64(section.data + 8) != section.length || offsets[4] != section.length) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the vocabulary section's header does not fit its length or the tokenizer's %u tokens",
                         token_count);
    }
    *vocabulary = (struct slm_vocabulary){.token_count = token_count,
                                          .mask_bytes = (uint32_t)(slm__round_up(token_count, 512) / 8),
                                          .longest = header[9],
                                          .alias_count = header[8],
                                          .node_count = {header[6], header[7]}};
    vocabulary->roots[0] = (const uint32_t *)(const void *)(section.data + offsets[0]);
    vocabulary->roots[1] = vocabulary->roots[0] + 256;
    vocabulary->nodes[0] = (const struct slm_trie_node *)(const void *)(section.data + offsets[1]);
    vocabulary->nodes[1] = vocabulary->nodes[0] + header[6];
    vocabulary->aliases = (const struct slm_token_alias *)(const void *)(section.data + offsets[2]);
    vocabulary->levels = section.data + offsets[3];
    for (uint32_t i = 0; i < vocabulary->alias_count; i++) {
        if (vocabulary->aliases[i].token >= token_count || vocabulary->aliases[i].as >= token_count) {
            return slm__fail(error, SLM_E_BAD_VALUE, "the vocabulary section's alias %u is outside the vocabulary", i);
        }
    }
    if (!trie_holds(vocabulary, SLM_VOCABULARY_CONTENT) || !trie_holds(vocabulary, SLM_VOCABULARY_OTHERS)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the vocabulary section's tries are damaged");
    }
    return SLM_OK;
}
