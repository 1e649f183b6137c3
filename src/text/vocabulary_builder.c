/* SPDX-License-Identifier: MIT */
/* Building a vocabulary section: tokens sorted by their bytes become tries in one pass. */
#include "base/heap_sort.h"  /* slm__heap_sort */
#include "text/json_chars.h" /* slm__json_chars_step */
#include "text/vocabulary_trie.h"

/* A token to place. */
struct entry {
    uint64_t head; /* its first eight bytes, big-endian: decides most comparisons */
    uint32_t token;
    uint32_t need; /* characters of a JSON string, or 0: no content */
};

struct builder {
    const struct slm_tokenizer *tokenizer;
    struct entry *entries;
    uint32_t count;
    uint32_t longest;
    struct slm_buffer nodes;
    struct slm_buffer aliases;
    uint32_t roots[SLM_VOCABULARY_TRIES][256];
    uint32_t node_count[SLM_VOCABULARY_TRIES];
};

static int compare(const struct builder *builder, const struct entry *x, const struct entry *y)
{
    if (x->head != y->head) {
        return x->head < y->head ? -1 : 1;
    }
    const struct slm_span a = slm__tokenizer_bytes(builder->tokenizer, x->token);
    const struct slm_span b = slm__tokenizer_bytes(builder->tokenizer, y->token);
    const int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);
    if (order != 0) {
        return order;
    }
    return a.length != b.length ? (a.length < b.length ? -1 : 1) : x->token < y->token ? -1 : 1;
}

static bool less(const void *items, uint32_t a, uint32_t b)
{
    const struct builder *builder = items;
    return compare(builder, &builder->entries[a], &builder->entries[b]) < 0;
}

static void swap(void *items, uint32_t a, uint32_t b)
{
    struct entry *entries = ((struct builder *)items)->entries;
    const struct entry kept = entries[a];
    entries[a] = entries[b];
    entries[b] = kept;
}

/* Characters of a JSON string that the bytes begin, when they stay inside it; else 0. */
static uint32_t characters_needed(struct slm_span bytes)
{
    uint32_t state = 0;
    uint32_t done = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        uint32_t code;
        const enum slm_json_chars_result result = slm__json_chars_step(&state, bytes.data[i], &code);
        if (result == SLM_JSON_CHARS_REFUSED) {
            return 0;
        }
        done += result == SLM_JSON_CHARS_DONE;
    }
    return done + (state != 0);
}

static void list_tokens(struct builder *builder)
{
    for (uint32_t token = 0; token < builder->tokenizer->token_count; token++) {
        const uint8_t flags = builder->tokenizer->tables[SLM_TOKENIZER_FLAGS][token];
        const struct slm_span bytes = slm__tokenizer_bytes(builder->tokenizer, token);
        if ((flags & (SLM_TOKEN_SPECIAL | SLM_TOKEN_UNUSED)) != 0 || bytes.length == 0 || bytes.length > SLM_VOCABULARY_DEPTH_MAX) {
            continue;
        }
        struct entry *entry = &builder->entries[builder->count++];
        *entry = (struct entry){0, token, characters_needed(bytes)};
        for (size_t i = 0; i < 8; i++) {
            entry->head = entry->head << 8 | (i < bytes.length ? bytes.data[i] : 0);
        }
        builder->longest = bytes.length > builder->longest ? (uint32_t)bytes.length : builder->longest;
    }
    slm__heap_sort(builder, builder->count, less, swap);
}

/* Nodes of one trie, from the sorted tokens. */
static void add_trie(struct builder *builder, enum slm_vocabulary_trie trie)
{
    uint32_t path[SLM_VOCABULARY_DEPTH_MAX + 1]; /* nodes of the bytes so far */
    struct slm_span last = {NULL, 0};
    const size_t first = builder->nodes.length / sizeof(struct slm_trie_node);
    uint32_t last_token = 0;
    for (uint32_t i = 0; i <= builder->count; i++) {
        if (i < builder->count && (builder->entries[i].need == 0) != (trie == SLM_VOCABULARY_OTHERS)) {
            continue;
        }
        const struct slm_span bytes =
            i < builder->count ? slm__tokenizer_bytes(builder->tokenizer, builder->entries[i].token) : slm__span(NULL, 0);
        size_t common = 0;
        while (common < bytes.length && common < last.length && bytes.data[common] == last.data[common]) {
            common++;
        }
        struct slm_trie_node *nodes = (struct slm_trie_node *)(void *)builder->nodes.data + first;
        const uint32_t used = (uint32_t)(builder->nodes.length / sizeof *nodes - first);
        if (i < builder->count && common == bytes.length && common == last.length) {
            const struct slm_token_alias alias = {builder->entries[i].token, last_token};
            slm__buffer_append(&builder->aliases, &alias, sizeof alias);
            continue;
        }
        for (size_t depth = common; depth < last.length && builder->nodes.status == SLM_OK; depth++) { /* these are complete */
            nodes[path[depth]].size_depth = (used - path[depth]) << 10 | (uint32_t)(depth + 1);
        }
        for (size_t depth = common; depth < bytes.length; depth++) {
            const uint32_t token = depth + 1 == bytes.length ? builder->entries[i].token : SLM_VOCABULARY_NO_TOKEN;
            const struct slm_trie_node node = {token << 8 | bytes.data[depth], 0};
            path[depth] = used + (uint32_t)(depth - common);
            if (depth == 0) {
                builder->roots[trie][bytes.data[0]] = path[0] + 1;
            }
            slm__buffer_append(&builder->nodes, &node, sizeof node);
        }
        last = bytes;
        last_token = i < builder->count ? builder->entries[i].token : 0;
    }
    builder->node_count[trie] = (uint32_t)(builder->nodes.length / sizeof(struct slm_trie_node) - first);
}

static void add_levels(const struct builder *builder, struct slm_buffer *section)
{
    const size_t mask_bytes = (size_t)slm__round_up(builder->tokenizer->token_count, 512) / 8;
    const size_t start = section->length;
    static const uint8_t zeros[64] = {0};
    for (size_t i = 0; i < SLM_VOCABULARY_LEVELS * mask_bytes / 64; i++) {
        slm__buffer_append(section, zeros, sizeof zeros);
    }
    for (uint32_t i = 0; i < builder->count && section->status == SLM_OK; i++) {
        const struct entry *entry = &builder->entries[i];
        for (uint32_t level = entry->need; level > 0 && level <= SLM_VOCABULARY_LEVELS; level++) {
            section->data[start + (level - 1) * mask_bytes + entry->token / 8] |= (uint8_t)(1u << (entry->token % 8));
        }
        if (entry->need > SLM_VOCABULARY_LEVELS) {
            section->data[start + (SLM_VOCABULARY_LEVELS - 1) * mask_bytes + entry->token / 8] |= (uint8_t)(1u << (entry->token % 8));
        }
    }
}

static void write_section(struct builder *builder, struct slm_buffer *section)
{
    const size_t start = section->length;
    const uint32_t header[16] = {SLM_VOCABULARY_MAGIC,
                                 SLM_VOCABULARY_VERSION,
                                 0,
                                 0,
                                 builder->tokenizer->token_count,
                                 SLM_VOCABULARY_LEVELS,
                                 builder->node_count[0],
                                 builder->node_count[1],
                                 (uint32_t)(builder->aliases.length / sizeof(struct slm_token_alias)),
                                 builder->longest};
    slm__buffer_append(section, header, sizeof header);
    slm__buffer_append(section, builder->roots, sizeof builder->roots);
    slm__buffer_append(section, builder->nodes.data, builder->nodes.length);
    slm__buffer_align(section, 64);
    slm__buffer_append(section, builder->aliases.data, builder->aliases.length);
    slm__buffer_align(section, 64);
    add_levels(builder, section);
    if (section->status == SLM_OK) {
        slm__store_u64(section->data + start + 8, section->length - start);
    }
}

slm_status slm__vocabulary_build(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, struct slm_buffer *section,
                                 slm_error *error)
{
    struct builder builder = {.tokenizer = tokenizer};
    const size_t bytes = ((size_t)tokenizer->token_count + 1) * sizeof *builder.entries;
    builder.entries = slm__allocate(memory, bytes, 64);
    if (builder.entries == NULL) {
        return slm__fail_memory(error, bytes);
    }
    slm__buffer_init(&builder.nodes, memory, SIZE_MAX / 4);
    slm__buffer_init(&builder.aliases, memory, SIZE_MAX / 4);
    list_tokens(&builder);
    add_trie(&builder, SLM_VOCABULARY_CONTENT);
    add_trie(&builder, SLM_VOCABULARY_OTHERS);
    slm_status status = SLM_OK;
    if (builder.nodes.status != SLM_OK || builder.aliases.status != SLM_OK) {
        status = slm__fail_memory(error, builder.nodes.capacity + builder.aliases.capacity);
    } else if (builder.node_count[0] > SLM_VOCABULARY_NODES_MAX || builder.node_count[1] > SLM_VOCABULARY_NODES_MAX) {
        status =
            slm__fail(error, SLM_E_LIMIT, "the vocabulary has too many bytes for a trie: more than %d nodes", SLM_VOCABULARY_NODES_MAX);
    } else {
        write_section(&builder, section);
        status = section->status != SLM_OK ? slm__buffer_failure(section, error) : SLM_OK;
    }
    slm__buffer_free(&builder.nodes);
    slm__buffer_free(&builder.aliases);
    slm__release(memory, builder.entries, bytes);
    return status;
}
