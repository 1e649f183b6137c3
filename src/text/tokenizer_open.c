/* SPDX-License-Identifier: MIT */
/* Validation of a tokenizer section: one pass over its tables, after which no read of the other files can leave them. */
#include "text/tokenizer.h" /* struct slm_tokenizer */

#include "text/tokenizer_steps.h" /* slm__tokenizer_check_steps */

#include <math.h> /* HUGE_VAL */

/* Bytes of one element of each table that this version reads; 0 for those it skips. */
static const uint8_t element_bytes[SLM_TOKENIZER_TABLES_END] = {
    [SLM_TOKENIZER_STEPS] = SLM_TOKENIZER_STEP_BYTES,
    [SLM_TOKENIZER_TEXTS] = 1,
    [SLM_TOKENIZER_OFFSETS] = 4,
    [SLM_TOKENIZER_BYTES] = 1,
    [SLM_TOKENIZER_FLAGS] = 1,
    [SLM_TOKENIZER_HASH] = SLM_TOKENIZER_HASH_BYTES,
    [SLM_TOKENIZER_BYTE_IDS] = 4,
    [SLM_TOKENIZER_MERGES] = SLM_TOKENIZER_MERGE_BYTES,
    [SLM_TOKENIZER_ADDED] = SLM_TOKENIZER_ADDED_BYTES,
    [SLM_TOKENIZER_ADDED_ROOTS] = 4,
    [SLM_TOKENIZER_ADDED_NODES] = SLM_TOKENIZER_NODE_BYTES,
    [SLM_TOKENIZER_ADDED_EDGES] = SLM_TOKENIZER_EDGE_BYTES,
    [SLM_TOKENIZER_PREFIX] = 4,
    [SLM_TOKENIZER_SUFFIX] = 4,
    [SLM_TOKENIZER_SCORES] = 8,
    [SLM_TOKENIZER_TEXT_OFFSETS] = 4,
    [SLM_TOKENIZER_TEXT_BYTES] = 1,
    [SLM_TOKENIZER_FALLBACK] = 4,
    [SLM_TOKENIZER_TRIE] = SLM_TOKENIZER_TRIE_BYTES,
};

static const char *const table_names[SLM_TOKENIZER_TABLES_END] = {
    "",       "steps",        "texts",       "token offsets", "token bytes", "token flags", "token hash", "byte ids",
    "merges", "added tokens", "added roots", "added nodes",   "added edges", "prefix",      "suffix",     "scores",
    "",       "text offsets", "text bytes",  "fallback",      "trie",
};

static uint64_t elements(const struct slm_tokenizer *t, uint32_t table) { return t->lengths[table] / element_bytes[table]; }

static slm_status bad(slm_error *error, uint32_t table, const char *what)
{
    return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer section: table '%s': %s", table_names[table], what);
}

/* Never, as the compiler sees it in builds without. */
static bool is_unigram(const struct slm_tokenizer *t) { return SLM_WITH_VARIANTS && t->model == SLM_TOKENIZER_UNIGRAM; }

static bool model_known(uint32_t model, uint32_t flags)
{
    const uint32_t byte_level = SLM_TOKENIZER_IGNORE_MERGES | SLM_TOKENIZER_BYTE_LEVEL | SLM_TOKENIZER_FUSE_UNKNOWN;
    const uint32_t characters =
        SLM_TOKENIZER_IGNORE_MERGES | SLM_TOKENIZER_BYTE_FALLBACK | SLM_TOKENIZER_FUSE_UNKNOWN | SLM_TOKENIZER_WORD_STARTS;
    switch (model) {
    case SLM_TOKENIZER_BPE: return (flags & ~((flags & SLM_TOKENIZER_BYTE_LEVEL) != 0 ? byte_level : characters)) == 0;
    case SLM_TOKENIZER_UNIGRAM: return (flags & ~(uint32_t)SLM_TOKENIZER_BYTE_FALLBACK) == 0;
    case SLM_TOKENIZER_WORDPIECE: return flags == 0;
    default: return false;
    }
}

static slm_status open_header(struct slm_tokenizer *t, slm_error *error)
{
    struct slm_span section = t->section;
    if (section.length < SLM_TOKENIZER_HEADER_BYTES) {
        return slm__fail(error, SLM_E_TRUNCATED, "tokenizer section: %llu bytes are too few for its header",
                         (unsigned long long)section.length);
    }
    if (slm__load_u32(section.data + SLM_TOKENIZER_AT_MAGIC) != SLM_TOKENIZER_MAGIC) {
        return slm__fail(error, SLM_E_BAD_MAGIC, "tokenizer section: does not begin with STOK");
    }
    uint32_t version = slm__load_u32(section.data + SLM_TOKENIZER_AT_VERSION);
    if (version != SLM_TOKENIZER_VERSION) {
        return slm__fail(error, SLM_E_VERSION, "tokenizer section: version %u, this library reads %d", (unsigned)version,
                         SLM_TOKENIZER_VERSION);
    }
    uint64_t bytes = slm__load_u64(section.data + SLM_TOKENIZER_AT_BYTES);
    if (bytes > section.length) {
        return slm__fail(error, SLM_E_TRUNCATED, "tokenizer section: %llu bytes of %llu are there", (unsigned long long)section.length,
                         (unsigned long long)bytes);
    }
    for (size_t i = SLM_TOKENIZER_AT_RESERVED; i < SLM_TOKENIZER_HEADER_BYTES; i++) {
        if (section.data[i] != 0) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "tokenizer section: header byte %u is not zero", (unsigned)i);
        }
    }
    t->token_count = slm__load_u32(section.data + SLM_TOKENIZER_AT_TOKENS);
    t->model = slm__load_u32(section.data + SLM_TOKENIZER_AT_MODEL);
    t->model_flags = slm__load_u32(section.data + SLM_TOKENIZER_AT_MODEL_FLAGS);
    t->unknown = slm__load_u32(section.data + SLM_TOKENIZER_AT_UNKNOWN);
    if (t->token_count == 0 || t->token_count > SLM_TOKENIZER_TOKENS_MAX) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer section: %u tokens, 1 to %d are supported", (unsigned)t->token_count,
                         SLM_TOKENIZER_TOKENS_MAX);
    }
    if (!SLM_WITH_VARIANTS && t->model != SLM_TOKENIZER_BPE) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "tokenizer section: model %u is not BPE, and others are left out (WITH_VARIANTS=0)",
                         (unsigned)t->model);
    }
    if (!model_known(t->model, t->model_flags)) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "tokenizer section: model %u with flags %u is not known here", (unsigned)t->model,
                         (unsigned)t->model_flags);
    }
    if (t->unknown == SLM_TOKENIZER_NONE && t->model != SLM_TOKENIZER_BPE) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer section: model %u needs an unknown token", (unsigned)t->model);
    }
    if (t->unknown != SLM_TOKENIZER_NONE && t->unknown >= t->token_count) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer section: unknown token %u of %u tokens", (unsigned)t->unknown,
                         (unsigned)t->token_count);
    }
    return SLM_OK;
}

static slm_status open_directory(struct slm_tokenizer *t, slm_error *error)
{
    uint64_t bytes = slm__load_u64(t->section.data + SLM_TOKENIZER_AT_BYTES);
    uint32_t count = slm__load_u32(t->section.data + SLM_TOKENIZER_AT_TABLES);
    uint64_t data_start = SLM_TOKENIZER_HEADER_BYTES + (uint64_t)count * SLM_TOKENIZER_ENTRY_BYTES;
    if (count > SLM_TOKENIZER_TABLES_MAX || data_start > bytes) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer section: directory of %u tables", (unsigned)count);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = t->section.data + SLM_TOKENIZER_HEADER_BYTES + (size_t)i * SLM_TOKENIZER_ENTRY_BYTES;
        uint32_t table = slm__load_u32(entry);
        uint32_t flags = slm__load_u32(entry + 4);
        uint64_t offset = slm__load_u64(entry + 8);
        uint64_t length = slm__load_u64(entry + 16);
        if (offset % SLM_TOKENIZER_ALIGNMENT != 0 || offset < data_start || offset > bytes || length > bytes - offset) {
            return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer section: table %u at %llu with %llu bytes lies outside or askew",
                             (unsigned)table, (unsigned long long)offset, (unsigned long long)length);
        }
        if (table >= SLM_TOKENIZER_TABLES_END || element_bytes[table] == 0) {
            if ((flags & 1) != 0) {
                return slm__fail(error, SLM_E_UNSUPPORTED, "tokenizer section: table %u is not known to this version", (unsigned)table);
            }
            continue;
        }
        if (t->tables[table] != NULL) {
            return bad(error, table, "occurs twice");
        }
        if (length % element_bytes[table] != 0) {
            return bad(error, table, "is no whole number of elements");
        }
        t->tables[table] = t->section.data + offset;
        t->lengths[table] = length;
    }
    return SLM_OK;
}

static bool power_of_two(uint64_t value) { return value != 0 && (value & (value - 1)) == 0 && value <= (uint64_t)1 << 31; }

/* Whether the model needs the table. */
static bool needed(const struct slm_tokenizer *t, uint32_t table)
{
    switch (table) {
    case SLM_TOKENIZER_SCORES:
    case SLM_TOKENIZER_TRIE: return is_unigram(t);
    case SLM_TOKENIZER_TEXT_OFFSETS:
    case SLM_TOKENIZER_TEXT_BYTES: return (t->model_flags & SLM_TOKENIZER_BYTE_LEVEL) == 0;
    case SLM_TOKENIZER_FALLBACK: return (t->model_flags & SLM_TOKENIZER_BYTE_FALLBACK) != 0;
    default: return element_bytes[table] != 0;
    }
}

/* Sizes of the tables that not every model has. */
static slm_status check_model_sizes(struct slm_tokenizer *t, slm_error *error)
{
    if (needed(t, SLM_TOKENIZER_TEXT_OFFSETS) && elements(t, SLM_TOKENIZER_TEXT_OFFSETS) != (uint64_t)t->token_count + 1) {
        return bad(error, SLM_TOKENIZER_TEXT_OFFSETS, "has not one entry more than there are tokens");
    }
    if (needed(t, SLM_TOKENIZER_FALLBACK) && elements(t, SLM_TOKENIZER_FALLBACK) != 256) {
        return bad(error, SLM_TOKENIZER_FALLBACK, "has not 256 entries");
    }
    if (is_unigram(t)) {
        if (elements(t, SLM_TOKENIZER_SCORES) != t->token_count) {
            return bad(error, SLM_TOKENIZER_SCORES, "has not one entry for each token");
        }
        if (elements(t, SLM_TOKENIZER_TRIE) == 0 || elements(t, SLM_TOKENIZER_TRIE) > UINT32_MAX / 2) {
            return bad(error, SLM_TOKENIZER_TRIE, "is empty or too large");
        }
        t->trie_count = (uint32_t)elements(t, SLM_TOKENIZER_TRIE);
    }
    return SLM_OK;
}

/* Tables whose size follows from others; and those that must exist. */
static slm_status check_sizes(struct slm_tokenizer *t, slm_error *error)
{
    for (uint32_t table = 1; table < SLM_TOKENIZER_TABLES_END; table++) {
        if (needed(t, table) && t->tables[table] == NULL) {
            return bad(error, table, "is missing");
        }
    }
    if (elements(t, SLM_TOKENIZER_OFFSETS) != (uint64_t)t->token_count + 1) {
        return bad(error, SLM_TOKENIZER_OFFSETS, "has not one entry more than there are tokens");
    }
    if (elements(t, SLM_TOKENIZER_FLAGS) != t->token_count) {
        return bad(error, SLM_TOKENIZER_FLAGS, "has not one entry for each token");
    }
    if (elements(t, SLM_TOKENIZER_BYTE_IDS) != 256) {
        return bad(error, SLM_TOKENIZER_BYTE_IDS, "has not 256 entries");
    }
    if (elements(t, SLM_TOKENIZER_ADDED_ROOTS) != 512) {
        return bad(error, SLM_TOKENIZER_ADDED_ROOTS, "has not 512 entries");
    }
    if (!power_of_two(elements(t, SLM_TOKENIZER_HASH))) {
        return bad(error, SLM_TOKENIZER_HASH, "its number of slots is no power of two");
    }
    if (!power_of_two(elements(t, SLM_TOKENIZER_MERGES))) {
        return bad(error, SLM_TOKENIZER_MERGES, "its number of slots is no power of two");
    }
    if (elements(t, SLM_TOKENIZER_ADDED) > t->token_count) {
        return bad(error, SLM_TOKENIZER_ADDED, "has more entries than there are tokens");
    }
    t->hash_mask = (uint32_t)(elements(t, SLM_TOKENIZER_HASH) - 1);
    t->merge_mask = (uint32_t)(elements(t, SLM_TOKENIZER_MERGES) - 1);
    t->added_count = (uint32_t)elements(t, SLM_TOKENIZER_ADDED);
    return check_model_sizes(t, error);
}

/* The offsets of one table into another; *longest is the longest text. */
static slm_status check_offsets(const struct slm_tokenizer *t, uint32_t table, uint32_t bytes, uint32_t *longest, slm_error *error)
{
    uint32_t previous = slm__tokenizer_u32(t, table, 0);
    *longest = 0;
    for (uint32_t i = 0; i < t->token_count; i++) {
        uint32_t next = slm__tokenizer_u32(t, table, (uint64_t)i + 1);
        uint32_t length = next - previous; /* huge when offsets descend */
        *longest = length > *longest ? length : *longest;
        previous = next;
    }
    if (*longest > SLM_TOKENIZER_TOKEN_BYTES_MAX) {
        return bad(error, table, "a token is longer than 1024 bytes, or offsets descend");
    }
    return previous <= t->lengths[bytes] ? SLM_OK : bad(error, table, "a token ends behind the bytes of all tokens");
}

/* The score of unknown characters: 10 below the worst token's. */
static slm_status check_scores(struct slm_tokenizer *t, slm_error *error)
{
    double least = HUGE_VAL;
    for (uint32_t i = 0; i < t->token_count; i++) {
        uint64_t bits = slm__load_u64(t->tables[SLM_TOKENIZER_SCORES] + 8 * (size_t)i);
        double score;
        memcpy(&score, &bits, sizeof score);
        if (score != score || score < -1e300) {
            return bad(error, SLM_TOKENIZER_SCORES, "a score is no number, or too low");
        }
        least = score < least ? score : least;
    }
    t->unknown_score = least - 10.0;
    return SLM_OK;
}

static slm_status check_tokens(struct slm_tokenizer *t, slm_error *error)
{
    bool byte_level = (t->model_flags & SLM_TOKENIZER_BYTE_LEVEL) != 0;
    t->text_offsets = byte_level ? SLM_TOKENIZER_OFFSETS : SLM_TOKENIZER_TEXT_OFFSETS;
    t->text_bytes = byte_level ? SLM_TOKENIZER_BYTES : SLM_TOKENIZER_TEXT_BYTES;
    SLM_TRY(check_offsets(t, SLM_TOKENIZER_OFFSETS, SLM_TOKENIZER_BYTES, &t->longest_token, error));
    SLM_TRY(check_offsets(t, t->text_offsets, t->text_bytes, &t->longest_token, error));
    if (is_unigram(t)) {
        SLM_TRY(check_scores(t, error));
    }
    uint8_t flags = 0;
    for (uint32_t i = 0; i < t->token_count; i++) {
        flags |= t->tables[SLM_TOKENIZER_FLAGS][i];
    }
    if ((flags & ~SLM_TOKEN_KNOWN_FLAGS) != 0) {
        return bad(error, SLM_TOKENIZER_FLAGS, "a token has an unknown flag");
    }
    return SLM_OK;
}

/* True if every element begins with an id or, where `none`, NONE. */
static bool ids_valid(const struct slm_tokenizer *t, uint32_t table, bool none)
{
    const uint8_t *data = t->tables[table];
    uint32_t limit = t->token_count;
    uint32_t wrong = 0;
    for (uint64_t at = 0; at < t->lengths[table]; at += element_bytes[table]) {
        uint32_t id = slm__load_u32(data + at);
        wrong |= (uint32_t)(id >= limit) & (uint32_t) !(none && id == SLM_TOKENIZER_NONE);
    }
    return wrong == 0;
}

/* A merge slot is empty (left NONE) or holds three ids; the rank may be anything. */
static bool merges_valid(const struct slm_tokenizer *t)
{
    const uint8_t *slot = t->tables[SLM_TOKENIZER_MERGES];
    const uint8_t *end = slot + t->lengths[SLM_TOKENIZER_MERGES];
    uint32_t limit = t->token_count;
    uint32_t wrong = 0;
    for (; slot < end; slot += SLM_TOKENIZER_MERGE_BYTES) {
        uint32_t left = slm__load_u32(slot);
        uint32_t outside =
            (uint32_t)(left >= limit) | (uint32_t)(slm__load_u32(slot + 4) >= limit) | (uint32_t)(slm__load_u32(slot + 12) >= limit);
        wrong |= outside & (uint32_t)(left != SLM_TOKENIZER_NONE);
    }
    return wrong == 0;
}

static bool trie_valid(const struct slm_tokenizer *t)
{
    for (uint32_t i = 0; i < t->trie_count; i++) {
        uint32_t id = slm__load_u32(t->tables[SLM_TOKENIZER_TRIE] + SLM_TOKENIZER_TRIE_BYTES * (size_t)i + 8);
        if (id >= t->token_count && id != SLM_TOKENIZER_NONE) {
            return false;
        }
    }
    return true;
}

/* Tables of ids, first in each element; where `none`, NONE is one too. */
static slm_status check_ids(const struct slm_tokenizer *t, slm_error *error)
{
    static const struct {
        uint8_t table;
        bool none;
    } lists[] = {{SLM_TOKENIZER_HASH, true},   {SLM_TOKENIZER_BYTE_IDS, true}, {SLM_TOKENIZER_FALLBACK, true},
                 {SLM_TOKENIZER_ADDED, false}, {SLM_TOKENIZER_PREFIX, false},  {SLM_TOKENIZER_SUFFIX, false}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const uint32_t table = lists[i].table;
        const bool short_list = table == SLM_TOKENIZER_PREFIX || table == SLM_TOKENIZER_SUFFIX;
        if (short_list && elements(t, table) > SLM_TOKENIZER_EXTRA_IDS_MAX) {
            return bad(error, table, "more than 64 ids");
        }
        if (needed(t, table) && !ids_valid(t, table, lists[i].none)) {
            return bad(error, table, "an id is outside the vocabulary");
        }
    }
    if (is_unigram(t) && !trie_valid(t)) {
        return bad(error, SLM_TOKENIZER_TRIE, "an id is outside the vocabulary");
    }
    return merges_valid(t) ? SLM_OK : bad(error, SLM_TOKENIZER_MERGES, "an id is outside the vocabulary");
}

static bool text_range_valid(const struct slm_tokenizer *t, uint32_t offset, uint32_t length)
{
    uint64_t bytes = t->lengths[SLM_TOKENIZER_TEXTS];
    return offset <= bytes && length <= bytes - offset;
}

/* The added tokens and the trie over their texts: a walk from a root only goes to higher nodes, so it ends. */
static slm_status check_added(const struct slm_tokenizer *t, slm_error *error)
{
    for (uint32_t i = 0; i < t->added_count; i++) {
        const uint8_t *record = t->tables[SLM_TOKENIZER_ADDED] + (size_t)i * SLM_TOKENIZER_ADDED_BYTES;
        if ((slm__load_u32(record + 4) & ~(uint32_t)SLM_ADDED_KNOWN_FLAGS) != 0) {
            return bad(error, SLM_TOKENIZER_ADDED, "an entry has an unknown flag");
        }
        if (!text_range_valid(t, slm__load_u32(record + 8), slm__load_u32(record + 12))) {
            return bad(error, SLM_TOKENIZER_ADDED, "a text lies outside the texts");
        }
    }
    uint64_t nodes = elements(t, SLM_TOKENIZER_ADDED_NODES);
    uint64_t edges = elements(t, SLM_TOKENIZER_ADDED_EDGES);
    for (uint32_t i = 0; i < 512; i++) {
        uint32_t child = slm__tokenizer_u32(t, SLM_TOKENIZER_ADDED_ROOTS, i);
        if (child != 0 && child >= nodes) {
            return bad(error, SLM_TOKENIZER_ADDED_ROOTS, "a node does not exist");
        }
    }
    for (uint64_t i = 0; i < nodes; i++) {
        const uint8_t *node = t->tables[SLM_TOKENIZER_ADDED_NODES] + i * SLM_TOKENIZER_NODE_BYTES;
        uint32_t first = slm__load_u32(node);
        uint32_t count = slm__load_u32(node + 4);
        uint32_t added = slm__load_u32(node + 8);
        if (count > 256 || first > edges || count > edges - first || (added != SLM_TOKENIZER_NONE && added >= t->added_count)) {
            return bad(error, SLM_TOKENIZER_ADDED_NODES, "a node refers to what does not exist");
        }
        for (uint32_t k = 0; k < count; k++) {
            uint32_t child = slm__tokenizer_u32(t, SLM_TOKENIZER_ADDED_EDGES, 2 * ((uint64_t)first + k) + 1);
            if (child <= i || child >= nodes) {
                return bad(error, SLM_TOKENIZER_ADDED_EDGES, "an edge does not lead to a later node");
            }
        }
    }
    return SLM_OK;
}

slm_status slm__tokenizer_open(struct slm_tokenizer *tokenizer, struct slm_span section, slm_error *error)
{
    struct slm_tokenizer opened = {0};
    opened.section = section;
    SLM_TRY(open_header(&opened, error));
    SLM_TRY(open_directory(&opened, error));
    SLM_TRY(check_sizes(&opened, error));
    SLM_TRY(slm__tokenizer_check_steps(&opened, error));
    SLM_TRY(check_tokens(&opened, error));
    SLM_TRY(check_ids(&opened, error));
    SLM_TRY(check_added(&opened, error));
    *tokenizer = opened;
    return SLM_OK;
}

uint32_t slm__tokenizer_size(const struct slm_tokenizer *tokenizer) { return tokenizer->token_count; }

slm_status slm__tokenizer_token_bytes(const struct slm_tokenizer *tokenizer, int32_t id, struct slm_span *bytes, uint32_t *token_flags)
{
    if (id < 0 || (uint32_t)id >= tokenizer->token_count) {
        return SLM_E_BAD_TOKEN;
    }
    *bytes = slm__tokenizer_bytes(tokenizer, (uint32_t)id);
    if (token_flags != NULL) {
        *token_flags = tokenizer->tables[SLM_TOKENIZER_FLAGS][id];
    }
    return SLM_OK;
}
