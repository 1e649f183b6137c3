/* SPDX-License-Identifier: MIT */
/* Writing a tokenizer section: header and directory first as zeros, the tables one after another, then the header again with what
 * is known by then; at last the finished section is opened and each token is merged from its bytes to learn which are whole. */
#include "text/tokenizer_builder.h"

#include "base/arena.h"                /* struct slm_arena */
#include "base/byte_reader.h"          /* slm__store_u32, slm__store_u64 */
#include "text/added_tokens_builder.h" /* slm__added_trie_build */
#include "text/bpe_merge.h"            /* slm__bpe_word */
#include "text/tokenizer_hash.h"       /* slm__tokenizer_hash, slm__tokenizer_pair_hash */
#include "text/unigram.h"              /* slm__unigram_word */
#include "text/unigram_trie.h"         /* slm__unigram_trie_build */
#include "text/wordpiece.h"            /* slm__wordpiece_word */

enum { TABLES_ALWAYS = SLM_TOKENIZER_SUFFIX, TABLES_MOST = SLM_TOKENIZER_TABLES_END }; /* 1 to 14, in this order; then some of the rest */

struct builder {
    const struct slm_tokenizer_spec *spec;
    struct slm_arena arena;
    struct slm_buffer *section;
    uint32_t text_bytes; /* in table TEXTS so far */
    uint32_t tables;     /* begun so far */
    uint32_t model_flags;
    slm_error *error;
};

void slm__tokenizer_spec_init(struct slm_tokenizer_spec *spec)
{
    memset(spec, 0, sizeof *spec);
    spec->unknown = SLM_TOKENIZER_NONE;
}

bool slm__tokenizer_spec_step(struct slm_tokenizer_spec *spec, uint32_t stage, uint32_t kind, uint32_t value)
{
    if (spec->step_count == SLM_TOKENIZER_SPEC_STEPS) {
        return false;
    }
    struct slm_tokenizer_step step = {stage, kind, 0, value, {NULL, 0}, {NULL, 0}};
    spec->steps[spec->step_count++] = step;
    return true;
}

static bool byte_level(const struct slm_tokenizer_spec *spec) { return (spec->model_flags & SLM_TOKENIZER_BYTE_LEVEL) != 0; }

/* By what the model finds the token. */
static struct slm_span model_text(const struct slm_tokenizer_spec *spec, uint32_t id)
{
    return byte_level(spec) ? spec->tokens[id].bytes : spec->tokens[id].text;
}

static slm_status check_tokens(const struct builder *b)
{
    const struct slm_tokenizer_spec *spec = b->spec;
    if (spec->token_count == 0 || spec->token_count > SLM_TOKENIZER_TOKENS_MAX) {
        return slm__fail(b->error, SLM_E_LIMIT, "tokenizer: %u tokens, 1 to %d are supported", (unsigned)spec->token_count,
                         SLM_TOKENIZER_TOKENS_MAX);
    }
    uint64_t total = 0;
    for (uint32_t i = 0; i < spec->token_count; i++) {
        size_t text = byte_level(spec) ? 0 : spec->tokens[i].text.length;
        size_t length = spec->tokens[i].bytes.length > text ? spec->tokens[i].bytes.length : text;
        if (length > SLM_TOKENIZER_TOKEN_BYTES_MAX) {
            return slm__fail(b->error, SLM_E_LIMIT, "tokenizer: token %u has %llu bytes, at most %d are supported", (unsigned)i,
                             (unsigned long long)length, SLM_TOKENIZER_TOKEN_BYTES_MAX);
        }
        total += length;
    }
    if (total > UINT32_MAX) {
        return slm__fail(b->error, SLM_E_LIMIT, "tokenizer: tokens of %llu bytes together", (unsigned long long)total);
    }
    return SLM_OK;
}

static slm_status check_merges(const struct builder *b)
{
    const struct slm_tokenizer_spec *spec = b->spec;
    for (uint32_t i = 0; i < spec->merge_count; i++) {
        struct slm_tokenizer_merge merge = spec->merges[i];
        uint32_t count = spec->token_count;
        if (merge.left >= count || merge.right >= count || merge.result >= count) {
            return slm__fail(b->error, SLM_E_BAD_VALUE, "tokenizer: merge %u names token %u, %u or %u of %u", (unsigned)i,
                             (unsigned)merge.left, (unsigned)merge.right, (unsigned)merge.result, (unsigned)count);
        }
        if (model_text(spec, merge.left).length == 0 || model_text(spec, merge.right).length == 0) {
            return slm__fail(b->error, SLM_E_BAD_VALUE, "tokenizer: merge %u has an empty part, so it yields its other part", (unsigned)i);
        }
    }
    return SLM_OK;
}

static slm_status check_ids(const struct builder *b)
{
    const struct slm_tokenizer_spec *spec = b->spec;
    for (uint32_t i = 0; i < spec->added_count; i++) {
        const struct slm_tokenizer_added *added = &spec->added[i];
        if (added->id >= spec->token_count || added->content.length == 0 || added->content.length > SLM_TOKENIZER_TOKEN_BYTES_MAX) {
            return slm__fail(b->error, SLM_E_BAD_VALUE, "tokenizer: added token %u of %llu bytes: its id is below %u, its length 1 to %d",
                             (unsigned)added->id, (unsigned long long)added->content.length, (unsigned)spec->token_count,
                             SLM_TOKENIZER_TOKEN_BYTES_MAX);
        }
    }
    if (spec->prefix_count > SLM_TOKENIZER_EXTRA_IDS_MAX || spec->suffix_count > SLM_TOKENIZER_EXTRA_IDS_MAX) {
        return slm__fail(b->error, SLM_E_LIMIT, "tokenizer: the post-processor adds more than %d tokens", SLM_TOKENIZER_EXTRA_IDS_MAX);
    }
    return SLM_OK;
}

/* Begin a table: aligned, its start in the directory. */
static size_t begin_table(struct builder *b, uint32_t table)
{
    slm__buffer_align(b->section, SLM_TOKENIZER_ALIGNMENT);
    if (b->section->status == SLM_OK) {
        uint8_t *entry = b->section->data + SLM_TOKENIZER_HEADER_BYTES + (size_t)b->tables++ * SLM_TOKENIZER_ENTRY_BYTES;
        slm__store_u32(entry, table);
        slm__store_u32(entry + 4, 1);
        slm__store_u64(entry + 8, b->section->length);
    }
    return b->section->length;
}

/* End the table that was begun last. */
static void end_table(struct builder *b, size_t start)
{
    if (b->section->status == SLM_OK) {
        uint8_t *entry = b->section->data + SLM_TOKENIZER_HEADER_BYTES + (size_t)(b->tables - 1) * SLM_TOKENIZER_ENTRY_BYTES;
        slm__store_u64(entry + 16, b->section->length - start);
    }
}

static void append_u32(struct builder *b, uint32_t value) { slm__buffer_append_u32(b->section, value); }

/* One text of the pipeline, then those of the added tokens: the order in which write_texts() appends them. */
static void append_text_reference(struct builder *b, struct slm_span text)
{
    append_u32(b, b->text_bytes);
    append_u32(b, (uint32_t)text.length);
    b->text_bytes += (uint32_t)text.length;
}

static void write_steps(struct builder *b)
{
    size_t start = begin_table(b, SLM_TOKENIZER_STEPS);
    for (uint32_t i = 0; i < b->spec->step_count; i++) {
        const struct slm_tokenizer_step *step = &b->spec->steps[i];
        append_u32(b, step->stage);
        append_u32(b, step->kind);
        append_u32(b, step->flags);
        append_u32(b, step->value);
        append_text_reference(b, step->text);
        append_text_reference(b, step->second);
    }
    end_table(b, start);
}

static void write_texts(struct builder *b)
{
    size_t start = begin_table(b, SLM_TOKENIZER_TEXTS);
    for (uint32_t i = 0; i < b->spec->step_count; i++) {
        slm__buffer_append(b->section, b->spec->steps[i].text.data, b->spec->steps[i].text.length);
        slm__buffer_append(b->section, b->spec->steps[i].second.data, b->spec->steps[i].second.length);
    }
    for (uint32_t i = 0; i < b->spec->added_count; i++) {
        slm__buffer_append(b->section, b->spec->added[i].content.data, b->spec->added[i].content.length);
    }
    end_table(b, start);
}

/* Offsets and bytes of what all tokens stand for, or of their texts. */
static void write_token_texts(struct builder *b, uint32_t offsets, uint32_t bytes, bool texts)
{
    const struct slm_tokenizer_spec *spec = b->spec;
    size_t start = begin_table(b, offsets);
    uint32_t offset = 0;
    append_u32(b, 0);
    for (uint32_t i = 0; i < spec->token_count; i++) {
        offset += (uint32_t)(texts ? spec->tokens[i].text.length : spec->tokens[i].bytes.length);
        append_u32(b, offset);
    }
    end_table(b, start);
    start = begin_table(b, bytes);
    for (uint32_t i = 0; i < spec->token_count; i++) {
        struct slm_span text = texts ? spec->tokens[i].text : spec->tokens[i].bytes;
        slm__buffer_append(b->section, text.data, text.length);
    }
    end_table(b, start);
}

static slm_status write_tokens(struct builder *b)
{
    const struct slm_tokenizer_spec *spec = b->spec;
    write_token_texts(b, SLM_TOKENIZER_OFFSETS, SLM_TOKENIZER_BYTES, false);
    uint8_t *flags = slm__arena_take(&b->arena, spec->token_count);
    if (flags == NULL) {
        return slm__arena_failure(&b->arena, b->error);
    }
    for (uint32_t i = 0; i < spec->token_count; i++) {
        flags[i] = spec->tokens[i].flags;
    }
    for (uint32_t i = 0; i < spec->added_count; i++) {
        struct slm_span searched;
        SLM_TRY(slm__added_searched_text(spec, &spec->added[i], &b->arena, &searched, b->error));
        bool same = slm__span_equal(searched, spec->added[i].content);
        uint32_t special = same && (spec->added[i].flags & SLM_ADDED_SPECIAL) != 0 ? SLM_TOKEN_SPECIAL : 0;
        flags[spec->added[i].id] = (uint8_t)(flags[spec->added[i].id] | SLM_TOKEN_ADDED | special);
    }
    size_t start = begin_table(b, SLM_TOKENIZER_FLAGS);
    slm__buffer_append(b->section, flags, spec->token_count);
    end_table(b, start);
    return SLM_OK;
}

/* Least power of two with at least `count` * 3 / 2 slots. */
static uint32_t slots_for(uint32_t count)
{
    uint32_t slots = 16;
    while (slots < count + count / 2) {
        slots *= 2;
    }
    return slots;
}

static bool token_findable(const struct slm_tokenizer_spec *spec, uint32_t id)
{
    return spec->tokens[id].in_model && model_text(spec, id).length > 0 && (spec->tokens[id].flags & SLM_TOKEN_UNUSED) == 0;
}

/* Fill a table of `slots` slots with all findable tokens; false when one finds no slot near its home. */
static bool fill_hash(const struct slm_tokenizer_spec *spec, uint32_t *table, uint32_t slots)
{
    memset(table, 0xFF, (size_t)slots * SLM_TOKENIZER_HASH_BYTES);
    for (uint32_t id = 0; id < spec->token_count; id++) {
        if (!token_findable(spec, id)) {
            continue;
        }
        uint64_t hash = slm__tokenizer_hash(model_text(spec, id));
        uint32_t i = 0;
        while (i < SLM_TOKENIZER_PROBES && table[2 * (size_t)(((uint32_t)hash + i) & (slots - 1))] != SLM_TOKENIZER_NONE) {
            i++;
        }
        if (i == SLM_TOKENIZER_PROBES) {
            return false;
        }
        size_t slot = ((uint32_t)hash + i) & (slots - 1);
        table[2 * slot] = id;
        table[2 * slot + 1] = (uint32_t)(hash >> 32);
    }
    return true;
}

static bool fill_merges(const struct slm_tokenizer_spec *spec, uint32_t *table, uint32_t slots)
{
    memset(table, 0xFF, (size_t)slots * SLM_TOKENIZER_MERGE_BYTES);
    for (uint32_t rank = 0; rank < spec->merge_count; rank++) {
        struct slm_tokenizer_merge merge = spec->merges[rank];
        uint32_t hash = slm__tokenizer_pair_hash(merge.left, merge.right);
        uint32_t i = 0;
        uint32_t *slot = NULL;
        for (; i < SLM_TOKENIZER_PROBES; i++) {
            slot = table + 4 * (size_t)((hash + i) & (slots - 1));
            if (slot[0] == SLM_TOKENIZER_NONE || (slot[0] == merge.left && slot[1] == merge.right)) {
                break;
            }
        }
        if (i == SLM_TOKENIZER_PROBES) {
            return false;
        }
        slot[0] = merge.left;
        slot[1] = merge.right;
        slot[2] = rank;
        slot[3] = merge.result;
    }
    return true;
}

typedef bool fill_table(const struct slm_tokenizer_spec *spec, uint32_t *table, uint32_t slots);

/* Write a hash table, doubled until every entry lies near its home. */
static slm_status write_hashed(struct builder *b, uint32_t table, uint32_t count, uint32_t slot_bytes, fill_table *fill)
{
    for (uint32_t slots = slots_for(count); slots <= (uint32_t)1 << 27; slots *= 2) {
        size_t bytes = (size_t)slots * slot_bytes;
        uint32_t *values = slm__allocate(&b->arena.memory, bytes, 64);
        if (values == NULL) {
            return slm__fail_memory(b->error, bytes);
        }
        bool filled = fill(b->spec, values, slots);
        if (filled) {
            size_t start = begin_table(b, table);
            for (size_t i = 0; i < bytes / 4; i++) {
                append_u32(b, values[i]);
            }
            end_table(b, start);
        }
        slm__release(&b->arena.memory, values, bytes);
        if (filled) {
            return SLM_OK;
        }
    }
    return slm__fail(b->error, SLM_E_LIMIT, "tokenizer: the entries of table %u fit no hash table", (unsigned)table);
}

static slm_status write_lookup(struct builder *b)
{
    const struct slm_tokenizer_spec *spec = b->spec;
    SLM_TRY(write_hashed(b, SLM_TOKENIZER_HASH, spec->token_count, SLM_TOKENIZER_HASH_BYTES, fill_hash));
    uint32_t byte_ids[256];
    memset(byte_ids, 0xFF, sizeof byte_ids);
    for (uint32_t id = spec->token_count; id-- > 0;) {
        if (token_findable(spec, id) && model_text(spec, id).length == 1) {
            byte_ids[model_text(spec, id).data[0]] = id;
        }
    }
    size_t start = begin_table(b, SLM_TOKENIZER_BYTE_IDS);
    for (uint32_t i = 0; i < 256; i++) {
        append_u32(b, byte_ids[i]);
    }
    end_table(b, start);
    return write_hashed(b, SLM_TOKENIZER_MERGES, spec->merge_count, SLM_TOKENIZER_MERGE_BYTES, fill_merges);
}

static slm_status write_added(struct builder *b)
{
    const struct slm_tokenizer_spec *spec = b->spec;
    size_t start = begin_table(b, SLM_TOKENIZER_ADDED);
    for (uint32_t i = 0; i < spec->added_count; i++) {
        append_u32(b, spec->added[i].id);
        append_u32(b, spec->added[i].flags);
        append_text_reference(b, spec->added[i].content);
        for (int k = 0; k < 4; k++) {
            append_u32(b, 0);
        }
    }
    end_table(b, start);
    struct slm_added_trie trie;
    SLM_TRY(slm__added_trie_build(spec, &b->arena, &trie, b->error));
    start = begin_table(b, SLM_TOKENIZER_ADDED_ROOTS);
    for (uint32_t i = 0; i < 512; i++) {
        append_u32(b, trie.roots[i / 256][i % 256]);
    }
    end_table(b, start);
    start = begin_table(b, SLM_TOKENIZER_ADDED_NODES);
    for (uint32_t i = 0; i < trie.node_count; i++) {
        append_u32(b, trie.nodes[i].first_edge);
        append_u32(b, trie.nodes[i].edge_count);
        append_u32(b, trie.nodes[i].added);
        append_u32(b, 0);
    }
    end_table(b, start);
    start = begin_table(b, SLM_TOKENIZER_ADDED_EDGES);
    for (uint32_t i = 0; i < trie.edge_count; i++) {
        append_u32(b, trie.edges[i].byte);
        append_u32(b, trie.edges[i].child);
    }
    end_table(b, start);
    return SLM_OK;
}

static void write_extra_ids(struct builder *b, uint32_t table, const uint32_t *ids, uint32_t count)
{
    size_t start = begin_table(b, table);
    for (uint32_t i = 0; i < count; i++) {
        append_u32(b, ids[i]);
    }
    end_table(b, start);
}

static void write_header(struct builder *b)
{
    uint8_t *header = b->section->data;
    slm__store_u32(header + SLM_TOKENIZER_AT_MAGIC, SLM_TOKENIZER_MAGIC);
    slm__store_u32(header + SLM_TOKENIZER_AT_VERSION, SLM_TOKENIZER_VERSION);
    slm__store_u64(header + SLM_TOKENIZER_AT_BYTES, b->section->length);
    slm__store_u32(header + SLM_TOKENIZER_AT_TABLES, b->tables);
    slm__store_u32(header + SLM_TOKENIZER_AT_TOKENS, b->spec->token_count);
    slm__store_u32(header + SLM_TOKENIZER_AT_MODEL, b->spec->model);
    slm__store_u32(header + SLM_TOKENIZER_AT_MODEL_FLAGS, b->model_flags);
    slm__store_u32(header + SLM_TOKENIZER_AT_UNKNOWN, b->spec->unknown);
}

/* True if no merge reaches across the start of a U+2581 behind another character, and U+2581 is a token, which ends all unknowns. */
static bool words_start_at_marks(const struct slm_tokenizer_spec *spec)
{
    static const uint8_t mark[3] = {0xE2, 0x96, 0x81};
    bool known = false;
    if (spec->model != SLM_TOKENIZER_BPE || byte_level(spec) || (spec->model_flags & SLM_TOKENIZER_IGNORE_MERGES) != 0) {
        return false;
    }
    for (uint32_t id = 0; id < spec->token_count; id++) {
        known |= token_findable(spec, id) && slm__span_equal(model_text(spec, id), slm__span(mark, sizeof mark));
    }
    for (uint32_t i = 0; i < spec->merge_count && known; i++) {
        struct slm_span text = model_text(spec, spec->merges[i].result);
        for (size_t at = 1; at + sizeof mark <= text.length; at++) {
            bool behind_mark = at >= sizeof mark && memcmp(text.data + at - sizeof mark, mark, sizeof mark) == 0;
            known &= behind_mark || memcmp(text.data + at, mark, sizeof mark) != 0;
        }
    }
    return known;
}

static void write_scores(struct builder *b)
{
    size_t start = begin_table(b, SLM_TOKENIZER_SCORES);
    for (uint32_t i = 0; i < b->spec->token_count; i++) {
        uint64_t bits;
        memcpy(&bits, &b->spec->scores[i], sizeof bits);
        slm__buffer_append_u64(b->section, bits);
    }
    end_table(b, start);
}

static slm_status write_trie(struct builder *b)
{
    const struct slm_tokenizer_spec *spec = b->spec;
    struct slm_span *texts = slm__arena_take(&b->arena, (size_t)spec->token_count * sizeof *texts);
    struct slm_unigram_trie trie;
    if (texts == NULL) {
        return slm__arena_failure(&b->arena, b->error);
    }
    for (uint32_t id = 0; id < spec->token_count; id++) {
        texts[id] = token_findable(spec, id) ? spec->tokens[id].text : slm__span(NULL, 0);
    }
    SLM_TRY(slm__unigram_trie_build(texts, spec->token_count, &b->arena, &trie, b->error));
    size_t start = begin_table(b, SLM_TOKENIZER_TRIE);
    for (uint32_t i = 0; i < trie.count; i++) {
        append_u32(b, trie.units[i].base);
        append_u32(b, trie.units[i].parent);
        append_u32(b, trie.units[i].id);
    }
    end_table(b, start);
    slm__unigram_trie_free(&trie);
    return SLM_OK;
}

/* Tables that only some models have, ascending. */
static slm_status write_model_tables(struct builder *b)
{
    if (b->spec->model == SLM_TOKENIZER_UNIGRAM) {
        write_scores(b);
    }
    if (!byte_level(b->spec)) {
        write_token_texts(b, SLM_TOKENIZER_TEXT_OFFSETS, SLM_TOKENIZER_TEXT_BYTES, true);
    }
    if ((b->spec->model_flags & SLM_TOKENIZER_BYTE_FALLBACK) != 0) {
        write_extra_ids(b, SLM_TOKENIZER_FALLBACK, b->spec->fallback, 256);
    }
    return b->spec->model == SLM_TOKENIZER_UNIGRAM ? write_trie(b) : SLM_OK;
}

/* How many tables there will be. */
static uint32_t count_tables(const struct slm_tokenizer_spec *spec)
{
    uint32_t count = TABLES_ALWAYS + (byte_level(spec) ? 0U : 2U) + (spec->model == SLM_TOKENIZER_UNIGRAM ? 2U : 0U);
    return count + ((spec->model_flags & SLM_TOKENIZER_BYTE_FALLBACK) != 0 ? 1U : 0U);
}

static slm_status write_tables(struct builder *b)
{
    static const uint8_t zeros[SLM_TOKENIZER_HEADER_BYTES + TABLES_MOST * SLM_TOKENIZER_ENTRY_BYTES] = {0};
    slm__buffer_append(b->section, zeros, SLM_TOKENIZER_HEADER_BYTES + (size_t)count_tables(b->spec) * SLM_TOKENIZER_ENTRY_BYTES);
    write_steps(b);
    uint32_t step_texts = b->text_bytes;
    write_texts(b);
    SLM_TRY(write_tokens(b));
    SLM_TRY(write_lookup(b));
    b->text_bytes = step_texts;
    SLM_TRY(write_added(b));
    write_extra_ids(b, SLM_TOKENIZER_PREFIX, b->spec->prefix, b->spec->prefix_count);
    write_extra_ids(b, SLM_TOKENIZER_SUFFIX, b->spec->suffix, b->spec->suffix_count);
    SLM_TRY(write_model_tables(b));
    slm__buffer_align(b->section, SLM_TOKENIZER_ALIGNMENT);
    if (b->section->status != SLM_OK) {
        return slm__buffer_failure(b->section, b->error);
    }
    write_header(b);
    return SLM_OK;
}

/* Whether the model turns the text of token `id` into this token. */
static slm_status is_whole(const struct slm_tokenizer *t, struct slm_word_scratch *scratch, uint32_t id, bool *whole, slm_error *error)
{
    uint32_t pieces[SLM_WORDPIECE_CHARACTERS_MAX];
    const uint32_t *ids = pieces;
    size_t count = 0;
    struct slm_span text = slm__tokenizer_text(t, id);
    if (t->model == SLM_TOKENIZER_WORDPIECE) {
        count = slm__wordpiece_word(t, text, pieces);
    } else if (t->model == SLM_TOKENIZER_UNIGRAM) {
        SLM_TRY(slm__unigram_word(t, scratch, text, &ids, &count, error));
    } else {
        SLM_TRY(slm__bpe_word(t, scratch, text, &ids, &count, error));
    }
    *whole = count == 1 && ids[0] == id;
    return SLM_OK;
}

/* Open the section, which checks it, and set the flag WHOLE of each token that its own text leads to. */
static slm_status mark_whole_tokens(struct builder *b)
{
    struct slm_tokenizer t;
    SLM_TRY(slm__tokenizer_open(&t, slm__span(b->section->data, b->section->length), b->error));
    uint8_t *flags = b->section->data + (t.tables[SLM_TOKENIZER_FLAGS] - b->section->data);
    struct slm_word_scratch scratch;
    slm__word_scratch_init(&scratch, &b->arena.memory);
    slm_status status = SLM_OK;
    for (uint32_t id = 0; id < t.token_count && status == SLM_OK; id++) {
        bool whole = false;
        if (token_findable(b->spec, id)) {
            status = is_whole(&t, &scratch, id, &whole, b->error);
        }
        flags[id] |= whole ? SLM_TOKEN_WHOLE : 0;
    }
    slm__word_scratch_free(&scratch);
    return status;
}

slm_status slm__tokenizer_build(const struct slm_tokenizer_spec *spec, const struct slm_memory *memory, struct slm_buffer *section,
                                slm_error *error)
{
    struct builder b;
    memset(&b, 0, sizeof b);
    b.spec = spec;
    b.section = section;
    b.error = error;
    SLM_TRY(check_tokens(&b));
    SLM_TRY(check_merges(&b));
    SLM_TRY(check_ids(&b));
    b.model_flags = spec->model_flags | (words_start_at_marks(spec) ? SLM_TOKENIZER_WORD_STARTS : 0);
    slm__arena_init(&b.arena, memory, SIZE_MAX);
    slm_status status = write_tables(&b);
    if (status == SLM_OK) {
        status = mark_whole_tokens(&b);
    }
    slm__arena_free(&b.arena);
    return status;
}
