/* SPDX-License-Identifier: MIT */
/* Both kinds of file give tokens by id; added tokens lie behind them or repeat one of them. */
#include "import/plain_tokenizer.h"

#include "base/json.h"                  /* slm__json_parse and access */
#include "import/sentencepiece_model.h" /* slm__sentencepiece_model_read */
#include "import/split_merges.h"        /* slm__split_merges */
#include "import/tiktoken_ranks.h"      /* slm__tiktoken_read */

struct reader {
    const struct slm_plain_tokenizer *source;
    struct slm_arena arena;
    const struct slm_json *config; /* NULL: none */
    struct slm_tokenizer_spec spec;
    struct slm_tokenizer_added *added;
    uint32_t added_count;
    uint32_t room; /* highest id of an added token + 1 */
    slm_error *error;
};

/* The id that a key of added_tokens_decoder is. */
static bool key_id(struct slm_span key, uint32_t *id)
{
    *id = 0;
    for (size_t i = 0; i < key.length; i++) {
        if (key.data[i] < '0' || key.data[i] > '9' || *id > SLM_TOKENIZER_TOKENS_MAX) {
            return false;
        }
        *id = *id * 10 + (uint32_t)(key.data[i] - '0');
    }
    return key.length > 0;
}

static uint32_t flag(const struct slm_json *token, const char *key, uint32_t value)
{
    return slm__json_is_true(slm__json_get(token, key)) ? value : 0;
}

static slm_status read_added(struct reader *r)
{
    const struct slm_json *list = slm__json_present(r->config, "added_tokens_decoder");
    uint32_t limit = r->source->vocab_limit != 0 ? r->source->vocab_limit : (uint32_t)SLM_TOKENIZER_TOKENS_MAX;
    if (list == NULL || list->type != SLM_JSON_OBJECT) {
        return SLM_OK;
    }
    r->added = slm__arena_take(&r->arena, (size_t)list->count * sizeof *r->added);
    if (r->added == NULL) {
        return slm__arena_failure(&r->arena, r->error);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const struct slm_json *token = &list->items[i];
        const struct slm_json *content = slm__json_get(token, "content");
        struct slm_tokenizer_added *added = &r->added[i];
        bool number = key_id(list->keys[i], &added->id) && added->id < limit;
        if (!number || list->duplicate_keys || content == NULL || content->type != SLM_JSON_STRING || content->text.length == 0) {
            return slm__fail(r->error, SLM_E_BAD_VALUE,
                             "tokenizer_config.json: added_tokens_decoder: '%.*s' is no id below %u of its own with a content",
                             SLM_SPAN_ARGS(list->keys[i]), (unsigned)limit);
        }
        added->content = content->text;
        added->flags = flag(token, "special", SLM_ADDED_SPECIAL) | flag(token, "lstrip", SLM_ADDED_LSTRIP) |
                       flag(token, "rstrip", SLM_ADDED_RSTRIP) | flag(token, "single_word", SLM_ADDED_SINGLE_WORD) |
                       flag(token, "normalized", SLM_ADDED_NORMALIZED);
        r->room = added->id >= r->room ? added->id + 1 : r->room;
    }
    r->added_count = list->count;
    return SLM_OK;
}

/* Whether tokenizer_config.json wants the token `id` at an end. */
static bool adds(const struct reader *r, const char *key, bool otherwise, int64_t id)
{
    const struct slm_json *value = slm__json_present(r->config, key);
    return id >= 0 && id < (int64_t)r->spec.token_count && (value == NULL ? otherwise : slm__json_is_true(value));
}

static void add_ends(struct reader *r, int64_t bos, int64_t eos)
{
    if (adds(r, "add_bos_token", true, bos)) {
        r->spec.prefix[r->spec.prefix_count++] = (uint32_t)bos;
    }
    if (adds(r, "add_eos_token", false, eos)) {
        r->spec.suffix[r->spec.suffix_count++] = (uint32_t)eos;
    }
}

static slm_status other_text(struct reader *r, const struct slm_tokenizer_added *added, struct slm_span text)
{
    return slm__fail(r->error, SLM_E_BAD_VALUE, "token %u is '%.*s', but '%.*s' in tokenizer_config.json", (unsigned)added->id,
                     SLM_SPAN_ARGS(text), SLM_SPAN_ARGS(added->content));
}

static slm_status read_sentencepiece(struct reader *r)
{
    struct slm_sentencepiece_model model;
    SLM_TRY(slm__sentencepiece_model_read(r->source->file, r->room, &r->arena, &model, r->error));
    for (uint32_t i = 0; i < r->added_count; i++) {
        const struct slm_tokenizer_added *added = &r->added[i];
        struct slm_span *text = &model.texts[added->id];
        if (text->data != NULL && !slm__span_equal(*text, added->content)) {
            return other_text(r, added, *text);
        }
        if (text->data == NULL) {
            *text = added->content;
            model.types[added->id] = SLM_PIECE_CONTROL;
        }
    }
    uint32_t count = model.count > r->room ? model.count : r->room;
    for (uint32_t id = model.count; id < count; id++) {
        model.types[id] = SLM_PIECE_CONTROL; /* behind the file's pieces: added tokens and gaps */
    }
    struct slm_sentencepiece pieces = {model.texts, model.scores,   model.types,        count,
                                       r->added,    r->added_count, model.space_prefix, model.count};
    SLM_TRY(slm__tokenizer_spec_from_pieces(&pieces, &r->arena, &r->spec, r->error));
    add_ends(r, model.bos, model.eos);
    return SLM_OK;
}

/* The tokens' bytes, those of added tokens too. */
static slm_status fill_tokens(struct reader *r, const struct slm_tiktoken_ranks *ranks, uint32_t count)
{
    struct slm_tokenizer_token *tokens = slm__arena_take(&r->arena, (size_t)count * sizeof *tokens);
    if (tokens == NULL) {
        return slm__arena_failure(&r->arena, r->error);
    }
    for (uint32_t id = 0; id < count; id++) {
        tokens[id].bytes = ranks->tokens[id].text;
        tokens[id].in_model = ranks->tokens[id].in_model;
        tokens[id].flags = tokens[id].bytes.data == NULL ? SLM_TOKEN_UNUSED : 0;
    }
    r->spec.tokens = tokens;
    r->spec.token_count = count;
    return SLM_OK;
}

static slm_status read_tiktoken(struct reader *r)
{
    struct slm_tiktoken_ranks ranks;
    SLM_TRY(slm__tiktoken_read(r->source->file, r->room, &r->arena, &ranks, r->error));
    uint32_t count = ranks.count > r->room ? ranks.count : r->room;
    for (uint32_t i = 0; i < r->added_count; i++) {
        struct slm_span *text = &ranks.tokens[r->added[i].id].text;
        if (text->data != NULL && !slm__span_equal(*text, r->added[i].content)) {
            return other_text(r, &r->added[i], *text);
        }
        *text = r->added[i].content;
    }
    if (!slm__tokenizer_spec_pipeline(&r->spec, r->source->pipeline)) {
        return slm__fail(r->error, SLM_E_UNSUPPORTED,
                         "a tiktoken file does not say how text is split, and no rule is known for this family");
    }
    float *scores = slm__arena_take(&r->arena, (size_t)count * sizeof *scores);
    if (scores == NULL) {
        return slm__arena_failure(&r->arena, r->error);
    }
    for (uint32_t rank = 0; rank < count; rank++) {
        scores[rank] = -(float)rank; /* exact below 2^24 */
    }
    struct slm_vocabulary_index index;
    SLM_TRY(slm__vocabulary_index_make(ranks.tokens, count, &r->arena, &index, r->error));
    SLM_TRY(fill_tokens(r, &ranks, count));
    SLM_TRY(slm__split_merges(&index, scores, NULL, false, &r->arena, &r->spec, r->error));
    r->spec.model = SLM_TOKENIZER_BPE;
    r->spec.model_flags |= SLM_TOKENIZER_BYTE_LEVEL;
    r->spec.added = r->added;
    r->spec.added_count = r->added_count;
    add_ends(r, r->source->bos, -1);
    return SLM_OK;
}

static slm_status read_source(struct reader *r)
{
    if (r->source->config.length > 0) {
        SLM_TRY(slm__json_parse(&r->arena, r->source->config, &r->config, r->error));
    }
    SLM_TRY(read_added(r));
    SLM_TRY(slm__tiktoken_likely(r->source->file) ? read_tiktoken(r) : read_sentencepiece(r));
    if (r->source->vocab_limit != 0 && r->spec.token_count > r->source->vocab_limit) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "%u tokens, the embedding has %u rows", (unsigned)r->spec.token_count,
                         (unsigned)r->source->vocab_limit);
    }
    return SLM_OK;
}

slm_status slm__import_plain_tokenizer(const struct slm_memory *memory, const struct slm_plain_tokenizer *source,
                                       struct slm_buffer *section, slm_error *error)
{
    struct reader reader;
    memset(&reader, 0, sizeof reader);
    slm__arena_init(&reader.arena, memory, (size_t)1 << 30);
    slm__tokenizer_spec_init(&reader.spec);
    reader.source = source;
    reader.error = error;
    slm_status status = read_source(&reader);
    if (status == SLM_OK) {
        status = slm__tokenizer_build(&reader.spec, memory, section, error);
    }
    slm__arena_free(&reader.arena);
    return status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "%s", source->file_name);
}
