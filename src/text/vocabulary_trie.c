/* SPDX-License-Identifier: MIT */
/* Checking a vocabulary section: every number that a walk depends on. */
#include "text/vocabulary_trie.h"

/* Places of the counts in the header, behind magic, version and length. */
enum {
    AT_TOKENS = 4,
    AT_LEVELS,
    AT_NODES,
    AT_ALIASES = AT_NODES + SLM_VOCABULARY_TRIES,
    AT_ESCAPED,
    AT_LONGS,
    AT_GROUPS,
    AT_CLOSING,
    AT_LONGEST
};

enum { ROOTS, NODES, ALIASES, ESCAPED, LONGS, GROUPS, CLOSING, MASKS, END, TABLES };

/* Offsets of the tables, each a multiple of 64, and of the end. */
static void lay_out(const uint32_t *header, uint64_t offsets[TABLES])
{
    uint64_t nodes = 0;
    for (int trie = 0; trie < SLM_VOCABULARY_TRIES; trie++) {
        nodes += header[AT_NODES + trie];
    }
    const uint64_t bytes[END] = {SLM_VOCABULARY_TRIES * 256 * sizeof(uint32_t),
                                 nodes * sizeof(struct slm_trie_node),
                                 (uint64_t)header[AT_ALIASES] * sizeof(struct slm_token_alias),
                                 (uint64_t)header[AT_ESCAPED] * sizeof(uint32_t),
                                 (uint64_t)header[AT_LONGS] * sizeof(uint32_t),
                                 ((uint64_t)header[AT_GROUPS] + 1) * sizeof(uint32_t),
                                 (uint64_t)header[AT_CLOSING] * sizeof(uint32_t),
                                 (SLM_VOCABULARY_LEVELS + SLM_VOCABULARY_SLICES) * (slm__round_up(header[AT_TOKENS], 512) / 8)};
    offsets[ROOTS] = SLM_VOCABULARY_HEADER_BYTES;
    for (int table = 0; table < END; table++) {
        offsets[table + 1] = slm__round_up(offsets[table] + bytes[table], 64);
    }
}

/* Depth-first order: every subtree lies within that of its parent, one level deeper. */
static bool trie_holds(const struct slm_vocabulary *vocabulary, enum slm_vocabulary_trie trie)
{
    uint32_t ends[SLM_VOCABULARY_DEPTH_MAX + 1];
    const uint32_t count = vocabulary->node_count[trie];
    const uint32_t tokens = trie == SLM_VOCABULARY_CLOSING ? vocabulary->group_count : vocabulary->token_count;
    uint32_t top = 0;
    ends[0] = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct slm_trie_node node = vocabulary->nodes[trie][i];
        const uint32_t size = slm__trie_size(node);
        const uint32_t token = slm__trie_token(node);
        while (i == ends[top]) {
            top--; /* ends[0] is count */
        }
        if (slm__trie_depth(node) != top + 1 || slm__trie_depth(node) > vocabulary->longest || size == 0 || size > ends[top] - i ||
            (token != SLM_VOCABULARY_NO_TOKEN && token >= tokens)) {
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

static bool list_holds(const struct slm_vocabulary *vocabulary, const uint32_t *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slm__listed_token(list[i]) >= vocabulary->token_count) {
            return false;
        }
    }
    return true;
}

static slm_status check_header(struct slm_span section, uint32_t token_count, uint64_t offsets[TABLES], slm_error *error)
{
    const uint32_t *header = (const uint32_t *)(const void *)section.data;
    if (section.length < SLM_VOCABULARY_HEADER_BYTES) {
        return slm__fail(error, SLM_E_TRUNCATED, "the vocabulary section has %zu bytes, less than its header", section.length);
    }
    if (header[0] != SLM_VOCABULARY_MAGIC) {
        return slm__fail(error, SLM_E_BAD_MAGIC, "the vocabulary section does not begin with VTRI");
    }
    if (header[1] != SLM_VOCABULARY_VERSION) {
        return slm__fail(error, SLM_E_VERSION, "the vocabulary section has version %u; this library reads version %d", header[1],
                         SLM_VOCABULARY_VERSION);
    }
    lay_out(header, offsets);
    bool counts = header[AT_TOKENS] == token_count && header[AT_LEVELS] == SLM_VOCABULARY_LEVELS &&
                  header[AT_LONGEST] <= SLM_VOCABULARY_DEPTH_MAX && header[AT_GROUPS] > 0 && header[AT_GROUPS] < SLM_VOCABULARY_NO_TOKEN;
    for (int trie = 0; trie < SLM_VOCABULARY_TRIES; trie++) {
        counts = counts && header[AT_NODES + trie] <= SLM_VOCABULARY_NODES_MAX;
    }
    if (!counts || slm__load_u64(section.data + 8) != section.length || offsets[END] != section.length) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the vocabulary section's header does not fit its length or the tokenizer's %u tokens",
                         token_count);
    }
    return SLM_OK;
}

static const uint32_t *table_at(struct slm_span section, uint64_t offset)
{
    return (const uint32_t *)(const void *)(section.data + offset);
}

slm_status slm__vocabulary_open(struct slm_vocabulary *vocabulary, struct slm_span section, uint32_t token_count, slm_error *error)
{
    uint64_t offsets[TABLES];
    const uint32_t *header = (const uint32_t *)(const void *)section.data;
    SLM_TRY(check_header(section, token_count, offsets, error));
    *vocabulary = (struct slm_vocabulary){.token_count = token_count,
                                          .mask_bytes = (uint32_t)(slm__round_up(token_count, 512) / 8),
                                          .longest = header[AT_LONGEST],
                                          .alias_count = header[AT_ALIASES],
                                          .escaped_count = header[AT_ESCAPED],
                                          .long_count = header[AT_LONGS],
                                          .group_count = header[AT_GROUPS],
                                          .aliases = (const struct slm_token_alias *)(const void *)(section.data + offsets[ALIASES]),
                                          .escaped = table_at(section, offsets[ESCAPED]),
                                          .longs = table_at(section, offsets[LONGS]),
                                          .groups = table_at(section, offsets[GROUPS]),
                                          .closing = table_at(section, offsets[CLOSING]),
                                          .levels = section.data + offsets[MASKS]};
    vocabulary->slices = vocabulary->levels + SLM_VOCABULARY_LEVELS * (size_t)vocabulary->mask_bytes;
    const struct slm_trie_node *nodes = (const struct slm_trie_node *)(const void *)(section.data + offsets[NODES]);
    for (int trie = 0; trie < SLM_VOCABULARY_TRIES; trie++) {
        vocabulary->node_count[trie] = header[AT_NODES + trie];
        vocabulary->roots[trie] = table_at(section, offsets[ROOTS]) + 256 * (size_t)trie;
        vocabulary->nodes[trie] = nodes;
        nodes += header[AT_NODES + trie];
        if (!trie_holds(vocabulary, (enum slm_vocabulary_trie)trie)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "trie %d of the vocabulary section is damaged", trie);
        }
    }
    bool holds = list_holds(vocabulary, vocabulary->escaped, vocabulary->escaped_count) &&
                 list_holds(vocabulary, vocabulary->longs, vocabulary->long_count) &&
                 list_holds(vocabulary, vocabulary->closing, header[AT_CLOSING]) && vocabulary->groups[0] == 0 &&
                 vocabulary->groups[vocabulary->group_count] == header[AT_CLOSING];
    for (uint32_t i = 0; i < vocabulary->group_count && holds; i++) {
        holds = vocabulary->groups[i] <= vocabulary->groups[i + 1];
    }
    for (uint32_t i = 0; i < vocabulary->alias_count && holds; i++) {
        holds = vocabulary->aliases[i].token < token_count && vocabulary->aliases[i].as < token_count;
    }
    return holds ? SLM_OK : slm__fail(error, SLM_E_BAD_VALUE, "a list of the vocabulary section names a token outside the vocabulary");
}

/* The longest token of one trie that `text` begins with. */
static size_t longest_in(const struct slm_vocabulary *vocabulary, enum slm_vocabulary_trie trie, struct slm_span text, int32_t *token)
{
    const struct slm_trie_node *nodes = vocabulary->nodes[trie];
    const uint32_t root = vocabulary->roots[trie][text.data[0]];
    size_t longest = 0;
    if (root == 0) {
        return 0;
    }
    uint32_t at = root - 1;
    for (size_t depth = 1;; depth++) {
        const uint32_t end = at + slm__trie_size(nodes[at]);
        if (slm__trie_token(nodes[at]) != SLM_VOCABULARY_NO_TOKEN) {
            longest = depth;
            *token = (int32_t)slm__trie_token(nodes[at]);
        }
        uint32_t child = at + 1;
        while (child < end && depth < text.length && slm__trie_byte(nodes[child]) != text.data[depth]) {
            child += slm__trie_size(nodes[child]);
        }
        if (child >= end || depth >= text.length) {
            return longest;
        }
        at = child;
    }
}

size_t slm__vocabulary_longest(const struct slm_vocabulary *vocabulary, struct slm_span text, int32_t *token)
{
    size_t longest = 0;
    for (enum slm_vocabulary_trie trie = SLM_VOCABULARY_LOWER; text.length > 0 && trie <= SLM_VOCABULARY_OTHERS; trie++) {
        int32_t found = -1;
        const size_t length = longest_in(vocabulary, trie, text, &found);
        if (length > longest) {
            longest = length;
            *token = found;
        }
    }
    return longest;
}
