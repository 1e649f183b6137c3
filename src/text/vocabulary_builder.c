/* SPDX-License-Identifier: MIT */
/* Building a vocabulary section: tokens sorted by their bytes become tries in one pass; tokens that close a string a trie of what is behind
 * its quote. */
#include "text/vocabulary_trie.h"
#include "base/heap_sort.h"  /* slm__heap_sort */
#include "text/json_chars.h" /* slm__json_chars_step */

/* A token to place; `bytes` is what the trie is made of. */
struct entry {
    uint64_t head; /* the first eight bytes, big-endian: decides most comparisons */
    const uint8_t *bytes;
    uint32_t length;
    uint32_t token;
    uint16_t need; /* characters of a JSON string */
    uint16_t trie; /* enum slm_vocabulary_trie */
};

struct builder {
    const struct slm_tokenizer *tokenizer;
    struct entry *entries;
    uint32_t count;
    uint32_t longest;
    struct slm_buffer nodes;
    struct slm_buffer aliases;
    struct slm_buffer groups;
    struct slm_buffer closing;
    uint32_t roots[SLM_VOCABULARY_TRIES][256];
    uint32_t node_count[SLM_VOCABULARY_TRIES];
};

/* ---- The list of tokens ---- */

static int compare(const struct entry *x, const struct entry *y)
{
    if (x->trie != y->trie) {
        return x->trie < y->trie ? -1 : 1;
    }
    if (x->head != y->head) {
        return x->head < y->head ? -1 : 1;
    }
    const int order = memcmp(x->bytes, y->bytes, x->length < y->length ? x->length : y->length);
    if (order != 0) {
        return order;
    }
    return x->length != y->length ? (x->length < y->length ? -1 : 1) : x->token < y->token ? -1 : 1;
}

static bool less(const void *items, uint32_t a, uint32_t b)
{
    const struct entry *entries = items;
    return compare(&entries[a], &entries[b]) < 0;
}

static bool needs_less(const void *items, uint32_t a, uint32_t b)
{
    const uint32_t *list = items;
    const uint32_t x = slm__listed_characters(list[a]);
    const uint32_t y = slm__listed_characters(list[b]);
    return x != y ? x < y : list[a] < list[b];
}

static void swap_entries(void *items, uint32_t a, uint32_t b)
{
    struct entry *entries = items;
    const struct entry kept = entries[a];
    entries[a] = entries[b];
    entries[b] = kept;
}

static void swap_words(void *items, uint32_t a, uint32_t b)
{
    uint32_t *list = items;
    const uint32_t kept = list[a];
    list[a] = list[b];
    list[b] = kept;
}

static void add_entry(struct builder *builder, struct slm_span bytes, uint32_t token, uint32_t need, enum slm_vocabulary_trie trie)
{
    struct entry *entry = &builder->entries[builder->count++];
    *entry = (struct entry){0, bytes.data, (uint32_t)bytes.length, token, (uint16_t)need, (uint16_t)trie};
    for (size_t i = 0; i < 8; i++) {
        entry->head = entry->head << 8 | (i < bytes.length ? bytes.data[i] : 0);
    }
}

/* The slice of plain characters, or PLAIN. */
static enum slm_vocabulary_trie slice_of(struct slm_span bytes, uint32_t characters)
{
    bool upper = false, digits = false, spaces = false, inner = false, foreign = false;
    bool others = characters >= SLM_VOCABULARY_LEVELS;
    for (size_t i = 0; i < bytes.length; i++) {
        const uint8_t byte = bytes.data[i];
        const bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        upper = upper || (letter && byte <= 'Z');
        digits = digits || (byte >= '0' && byte <= '9') || byte == '_';
        spaces = spaces || byte == ' ';
        inner = inner || (byte == ' ' && i > 0);
        foreign = foreign || byte >= 0x80;
        others = others || (!letter && byte < 0x80 && !(byte >= '0' && byte <= '9') && byte != '_' && byte != ' ');
    }
    if (others || (digits && (spaces || foreign))) {
        return SLM_VOCABULARY_PLAIN;
    }
    return foreign || inner ? SLM_VOCABULARY_FOREIGN
           : spaces         ? SLM_VOCABULARY_SPACED
           : digits         ? SLM_VOCABULARY_WORD
           : upper          ? SLM_VOCABULARY_LETTERS
                            : SLM_VOCABULARY_LOWER;
}

/* Where a token belongs, by reading it as the inside of a JSON string. */
static void add_token(struct builder *builder, uint32_t token, struct slm_span bytes)
{
    uint32_t state = 0;
    uint32_t done = 0;
    bool plain = true;
    size_t i = 0;
    for (; i < bytes.length; i++) {
        uint32_t code = 0;
        const enum slm_json_chars_result result = slm__json_chars_step(&state, bytes.data[i], &code);
        if (result == SLM_JSON_CHARS_REFUSED) {
            break;
        }
        done += result == SLM_JSON_CHARS_DONE;
        plain = plain && bytes.data[i] != '\\' && (result != SLM_JSON_CHARS_DONE || (code != 0x2028 && code != 0x2029));
    }
    const uint32_t need = done + (state != 0);
    plain = plain && state == 0; /* a part of a character may become U+2028 */
    if (need > SLM_VOCABULARY_CHARACTERS_MAX) {
        return;
    }
    if (i == bytes.length) {
        add_entry(builder, bytes, token, need, plain ? slice_of(bytes, need) : SLM_VOCABULARY_ESCAPED);
        return;
    }
    add_entry(builder, bytes, token, 0, SLM_VOCABULARY_OTHERS);
    if (state == 0 && bytes.data[i] == '"') {
        add_entry(builder, slm__span(bytes.data + i + 1, bytes.length - i - 1), token, done, SLM_VOCABULARY_CLOSING);
    }
}

static void list_tokens(struct builder *builder)
{
    for (uint32_t token = 0; token < builder->tokenizer->token_count; token++) {
        const uint8_t flags = builder->tokenizer->tables[SLM_TOKENIZER_FLAGS][token];
        const struct slm_span bytes = slm__tokenizer_bytes(builder->tokenizer, token);
        if ((flags & (SLM_TOKEN_SPECIAL | SLM_TOKEN_UNUSED)) == 0 && bytes.length > 0 && bytes.length <= SLM_VOCABULARY_DEPTH_MAX) {
            add_token(builder, token, bytes);
            builder->longest = bytes.length > builder->longest ? (uint32_t)bytes.length : builder->longest;
        }
    }
    slm__heap_sort(builder->entries, builder->count, less, swap_entries);
}

/* ---- Tries ---- */

/* What a node that ends `entry` refers to. Equal bytes: aliases of the first token, and members of one group. */
static uint32_t end_of_entry(struct builder *builder, const struct entry *entry)
{
    if (entry->trie != SLM_VOCABULARY_CLOSING) {
        return entry->token;
    }
    const uint32_t first = (uint32_t)(builder->closing.length / sizeof(uint32_t));
    slm__buffer_append_u32(&builder->groups, first);
    return (uint32_t)(builder->groups.length / sizeof(uint32_t)) - 1;
}

static void add_nodes(struct builder *builder, const struct entry *entry, uint32_t common, uint32_t used, uint32_t *path)
{
    const uint32_t end = end_of_entry(builder, entry);
    for (uint32_t depth = common; depth < entry->length; depth++) {
        const struct slm_trie_node node = {(depth + 1 == entry->length ? end : SLM_VOCABULARY_NO_TOKEN) << 8 | entry->bytes[depth], 0};
        path[depth] = used + depth - common;
        if (depth == 0) {
            builder->roots[entry->trie][entry->bytes[0]] = path[0] + 1;
        }
        slm__buffer_append(&builder->nodes, &node, sizeof node);
    }
}

/* Nodes of one trie, from the sorted tokens. */
static void add_trie(struct builder *builder, enum slm_vocabulary_trie trie)
{
    uint32_t path[SLM_VOCABULARY_DEPTH_MAX + 1]; /* nodes of the bytes so far */
    static const struct entry none = {0};
    const struct entry *last = &none;
    const size_t first = builder->nodes.length / sizeof(struct slm_trie_node);
    for (uint32_t i = 0; i <= builder->count; i++) {
        const struct entry *entry = i < builder->count ? &builder->entries[i] : &none;
        if (i < builder->count && entry->trie != (uint16_t)trie) {
            continue;
        }
        uint32_t common = 0;
        while (common < entry->length && common < last->length && entry->bytes[common] == last->bytes[common]) {
            common++;
        }
        struct slm_trie_node *nodes = (struct slm_trie_node *)(void *)builder->nodes.data + first;
        const uint32_t used = (uint32_t)(builder->nodes.length / sizeof *nodes - first);
        const bool again = i < builder->count && last != &none && common == entry->length && common == last->length;
        for (uint32_t depth = common; depth < last->length && !again && builder->nodes.status == SLM_OK; depth++) { /* complete now */
            nodes[path[depth]].size_depth = (used - path[depth]) << 10 | (depth + 1);
        }
        if (again && trie != SLM_VOCABULARY_CLOSING) {
            const struct slm_token_alias alias = {entry->token, last->token};
            slm__buffer_append(&builder->aliases, &alias, sizeof alias);
            continue;
        }
        if (i < builder->count && !again) {
            add_nodes(builder, entry, common, used, path);
        }
        if (i < builder->count && trie == SLM_VOCABULARY_CLOSING) {
            slm__buffer_append_u32(&builder->closing, entry->token << 8 | entry->need);
        }
        last = entry;
    }
    builder->node_count[trie] = (uint32_t)(builder->nodes.length / sizeof(struct slm_trie_node) - first);
}

/* Group 0 is for nothing behind the quote, also when no token is so. */
static void begin_groups(struct builder *builder)
{
    for (uint32_t i = 0; i < builder->count; i++) {
        if (builder->entries[i].trie == SLM_VOCABULARY_CLOSING && builder->entries[i].length == 0) {
            return; /* it will be the first of the sorted ones */
        }
    }
    slm__buffer_append_u32(&builder->groups, 0);
}

/* ---- Lists and masks ---- */

/* Tokens of a trie that need more than `above` characters, fewest first. Returns their number. */
static uint32_t add_list(const struct builder *builder, enum slm_vocabulary_trie trie, uint32_t above, struct slm_buffer *section)
{
    const size_t start = section->length;
    uint32_t count = 0;
    for (uint32_t i = 0; i < builder->count; i++) {
        const struct entry *entry = &builder->entries[i];
        if (entry->trie == (uint16_t)trie && entry->need > above) {
            slm__buffer_append_u32(section, entry->token << 8 | entry->need);
            count++;
        }
    }
    if (section->status == SLM_OK) {
        slm__heap_sort(section->data + start, count, needs_less, swap_words);
    }
    slm__buffer_align(section, 64);
    return count;
}

static void put(uint8_t *mask, uint32_t token) { mask[token / 8] |= (uint8_t)(1u << (token % 8)); }

/* Of all plain tokens by the characters they need, then of each slice. */
static void add_masks(const struct builder *builder, struct slm_buffer *section)
{
    const size_t mask_bytes = (size_t)slm__round_up(builder->tokenizer->token_count, 512) / 8;
    const size_t start = section->length;
    static const uint8_t zeros[64] = {0};
    for (size_t i = 0; i < (SLM_VOCABULARY_LEVELS + SLM_VOCABULARY_SLICES) * mask_bytes / 64; i++) {
        slm__buffer_append(section, zeros, sizeof zeros);
    }
    for (uint32_t i = 0; i < builder->count && section->status == SLM_OK; i++) {
        const struct entry *entry = &builder->entries[i];
        for (uint32_t level = 1; level <= SLM_VOCABULARY_LEVELS && entry->trie <= SLM_VOCABULARY_PLAIN; level++) {
            if (entry->need <= level || level == SLM_VOCABULARY_LEVELS) {
                put(section->data + start + (level - 1) * mask_bytes, entry->token);
            }
        }
        if (entry->trie < SLM_VOCABULARY_SLICES) {
            put(section->data + start + (SLM_VOCABULARY_LEVELS + entry->trie) * mask_bytes, entry->token);
        }
    }
}

static void write_section(struct builder *builder, struct slm_buffer *section)
{
    const size_t start = section->length;
    uint32_t header[SLM_VOCABULARY_HEADER_BYTES / 4] = {SLM_VOCABULARY_MAGIC, SLM_VOCABULARY_VERSION, 0, 0, builder->tokenizer->token_count,
                                                        SLM_VOCABULARY_LEVELS};
    memcpy(header + 6, builder->node_count, sizeof builder->node_count);
    slm__buffer_append(section, header, sizeof header);
    slm__buffer_append(section, builder->roots, sizeof builder->roots);
    slm__buffer_append(section, builder->nodes.data, builder->nodes.length);
    slm__buffer_align(section, 64);
    slm__buffer_append(section, builder->aliases.data, builder->aliases.length);
    slm__buffer_align(section, 64);
    uint32_t *counts = header + 6 + SLM_VOCABULARY_TRIES;
    counts[0] = (uint32_t)(builder->aliases.length / sizeof(struct slm_token_alias));
    counts[1] = add_list(builder, SLM_VOCABULARY_ESCAPED, 0, section);
    counts[2] = add_list(builder, SLM_VOCABULARY_PLAIN, SLM_VOCABULARY_LEVELS - 1, section);
    counts[3] = (uint32_t)(builder->groups.length / sizeof(uint32_t));
    counts[4] = (uint32_t)(builder->closing.length / sizeof(uint32_t));
    counts[5] = builder->longest;
    slm__buffer_append(section, builder->groups.data, builder->groups.length);
    slm__buffer_append_u32(section, counts[4]);
    slm__buffer_align(section, 64);
    slm__buffer_append(section, builder->closing.data, builder->closing.length);
    slm__buffer_align(section, 64);
    add_masks(builder, section);
    if (section->status == SLM_OK) {
        memcpy(section->data + start, header, sizeof header);
        slm__store_u64(section->data + start + 8, section->length - start);
    }
}

static slm_status build(struct builder *builder, struct slm_buffer *section, slm_error *error)
{
    list_tokens(builder);
    begin_groups(builder);
    for (int trie = 0; trie < SLM_VOCABULARY_TRIES; trie++) {
        add_trie(builder, (enum slm_vocabulary_trie)trie);
        if (builder->node_count[trie] > SLM_VOCABULARY_NODES_MAX) {
            return slm__fail(error, SLM_E_LIMIT, "the vocabulary has too many bytes for a trie: more than %d nodes",
                             SLM_VOCABULARY_NODES_MAX);
        }
    }
    const struct slm_buffer *const buffers[] = {&builder->nodes, &builder->aliases, &builder->groups, &builder->closing};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        if (buffers[i]->status != SLM_OK) {
            return slm__buffer_failure(buffers[i], error);
        }
    }
    write_section(builder, section);
    return section->status != SLM_OK ? slm__buffer_failure(section, error) : SLM_OK;
}

slm_status slm__vocabulary_build(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, struct slm_buffer *section,
                                 slm_error *error)
{
    struct builder builder = {.tokenizer = tokenizer};
    const size_t bytes = (2 * (size_t)tokenizer->token_count + 1) * sizeof *builder.entries;
    builder.entries = slm__allocate(memory, bytes, 64);
    if (builder.entries == NULL) {
        return slm__fail_memory(error, bytes);
    }
    struct slm_buffer *const buffers[] = {&builder.nodes, &builder.aliases, &builder.groups, &builder.closing};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        slm__buffer_init(buffers[i], memory, SIZE_MAX / 4);
    }
    const slm_status status = build(&builder, section, error);
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        slm__buffer_free(buffers[i]);
    }
    slm__release(memory, builder.entries, bytes);
    return status;
}
