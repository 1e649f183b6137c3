/* SPDX-License-Identifier: MIT */
/* The model and the added tokens of a tokenizer.json: vocabulary as an object or, of Unigram, as a list with scores; merges in both of
 * their forms; flags. Ids are checked before any table of their size is made. */
#include "import/tokenizer_json.h"

#include "base/json.h"                      /* slm__json_parse and access */
#include "import/tokenizer_json_pipeline.h" /* slm__import_tokenizer_pipeline */
#include "text/text_vocabulary.h"           /* slm__tokenizer_spec_from_texts, slm__tokenizer_spec_from_gpt2 */

#include <math.h> /* HUGE_VAL */

struct reader {
    struct slm_arena arena;
    const struct slm_json *root;
    uint32_t vocab_limit;
    struct slm_tokenizer_spec spec;
    struct slm_gpt2_token *tokens; /* [token_count] by id */
    uint32_t token_count;
    double *scores; /* Unigram: [token_count] */
    struct slm_tokenizer_added *added;
    struct slm_text_vocabulary texts;
    slm_error *error;
};

/* The field's value where it must be absent, null, false, 0 or "" to be supported. */
static slm_status check_absent(struct reader *r, const struct slm_json *model, const char *key)
{
    const struct slm_json *value = slm__json_present(model, key);
    double number = 0;
    bool empty = value == NULL || value->type == SLM_JSON_FALSE || (value->type == SLM_JSON_STRING && value->text.length == 0) ||
                 (slm__json_f64(value, &number) && number <= 0);
    if (!empty) {
        return slm__fail(r->error, SLM_E_UNSUPPORTED, "model: '%s' is set, which is not supported", key);
    }
    return SLM_OK;
}

/* The id of a token within the bounds that the model or, without one, the number of tokens sets. */
static slm_status read_id(struct reader *r, const struct slm_json *value, struct slm_span name, uint64_t bound, uint32_t *id)
{
    int64_t number = 0;
    if (!slm__json_i64(value, &number)) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "the id of token '%.*s' is no 64-bit integer", SLM_SPAN_ARGS(name));
    }
    if (number < 0 || (uint64_t)number >= bound) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "token '%.*s' has id %lld, which is %s (%llu ids are possible)", SLM_SPAN_ARGS(name),
                         (long long)number, number < 0 ? "negative" : "beyond the model's vocabulary", (unsigned long long)bound);
    }
    *id = (uint32_t)number;
    return SLM_OK;
}

static slm_status take_token(struct reader *r, uint32_t id, struct slm_span text, bool in_model)
{
    if (r->tokens[id].text.data != NULL) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "tokens '%.*s' and '%.*s' have the same id %u", SLM_SPAN_ARGS(r->tokens[id].text),
                         SLM_SPAN_ARGS(text), (unsigned)id);
    }
    r->tokens[id].text = slm__span(text.data == NULL ? (const uint8_t *)"" : text.data, text.length);
    r->tokens[id].in_model = in_model;
    return SLM_OK;
}

/* How many ids there may be: the model's rows, or without a model four times the number of tokens, so that a table stays in
 * proportion to the file. */
static uint64_t id_bound(const struct reader *r, uint64_t tokens)
{
    uint64_t bound = r->vocab_limit != 0 ? r->vocab_limit : 4 * tokens + 65536;
    return bound < SLM_TOKENIZER_TOKENS_MAX ? bound : SLM_TOKENIZER_TOKENS_MAX;
}

static const struct slm_json *added_content(const struct slm_json *added)
{
    const struct slm_json *content = slm__json_get(added, "content");
    return content != NULL && content->type == SLM_JSON_STRING && content->text.length > 0 ? content : NULL;
}

/* Highest id + 1 of vocabulary and added tokens, all checked. */
static slm_status count_ids(struct reader *r, const struct slm_json *vocab, const struct slm_json *added)
{
    uint64_t bound = id_bound(r, (uint64_t)vocab->count + (added == NULL ? 0 : added->count));
    uint32_t id = 0;
    if (vocab->type == SLM_JSON_ARRAY) {
        if (vocab->count > bound) {
            return slm__fail(r->error, SLM_E_BAD_VALUE, "model: 'vocab' has %u tokens, %llu are possible", (unsigned)vocab->count,
                             (unsigned long long)bound);
        }
        r->token_count = vocab->count;
    }
    for (uint32_t i = 0; vocab->type == SLM_JSON_OBJECT && i < vocab->count; i++) {
        SLM_TRY(read_id(r, &vocab->items[i], vocab->keys[i], bound, &id));
        r->token_count = id >= r->token_count ? id + 1 : r->token_count;
    }
    for (uint32_t i = 0; added != NULL && i < added->count; i++) {
        const struct slm_json *content = added_content(&added->items[i]);
        if (content == NULL) {
            return slm__fail(r->error, SLM_E_BAD_VALUE, "added_tokens: entry %u has no content", (unsigned)i);
        }
        SLM_TRY(read_id(r, slm__json_get(&added->items[i], "id"), content->text, bound, &id));
        r->token_count = id >= r->token_count ? id + 1 : r->token_count;
    }
    return SLM_OK;
}

/* Unigram: a list of pairs of text and score, by id. */
static slm_status read_scores(struct reader *r, const struct slm_json *vocab)
{
    r->scores = slm__arena_take(&r->arena, (size_t)r->token_count * sizeof *r->scores);
    if (r->scores == NULL) {
        return slm__arena_failure(&r->arena, r->error);
    }
    for (uint32_t id = 0; id < r->token_count; id++) {
        r->scores[id] = HUGE_VAL; /* until the model has it */
    }
    for (uint32_t id = 0; id < vocab->count; id++) {
        const struct slm_json *pair = &vocab->items[id];
        bool fits = pair->type == SLM_JSON_ARRAY && pair->count == 2 && pair->items[0].type == SLM_JSON_STRING &&
                    slm__json_f64(&pair->items[1], &r->scores[id]) && r->scores[id] > -1e300 && r->scores[id] < 1e300;
        if (!fits) {
            return slm__fail(r->error, SLM_E_BAD_VALUE, "model: entry %u of 'vocab' is no text with a score", (unsigned)id);
        }
        SLM_TRY(take_token(r, id, pair->items[0].text, true));
    }
    r->texts.scores = r->scores;
    return SLM_OK;
}

static slm_status read_vocabulary(struct reader *r, const struct slm_json *vocab)
{
    r->tokens = slm__arena_take(&r->arena, (size_t)r->token_count * sizeof *r->tokens);
    if (r->tokens == NULL) {
        return slm__arena_failure(&r->arena, r->error);
    }
    if (vocab->type == SLM_JSON_ARRAY) {
        return read_scores(r, vocab);
    }
    for (uint32_t i = 0; i < vocab->count; i++) {
        int64_t id = 0;
        (void)slm__json_i64(&vocab->items[i], &id); /* checked by count_ids */
        SLM_TRY(take_token(r, (uint32_t)id, vocab->keys[i], true));
    }
    return SLM_OK;
}

static uint32_t added_flags(const struct slm_json *token)
{
    static const struct {
        const char *key;
        uint32_t flag;
    } flags[] = {{"special", SLM_ADDED_SPECIAL},
                 {"lstrip", SLM_ADDED_LSTRIP},
                 {"rstrip", SLM_ADDED_RSTRIP},
                 {"single_word", SLM_ADDED_SINGLE_WORD},
                 {"normalized", SLM_ADDED_NORMALIZED}};
    uint32_t result = 0;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        result |= slm__json_is_true(slm__json_get(token, flags[i].key)) ? flags[i].flag : 0;
    }
    return result;
}

/* An added token repeats the text of the model's token of its id, or brings a new one. */
static slm_status read_added(struct reader *r, const struct slm_json *list)
{
    uint32_t count = list == NULL ? 0 : list->count;
    uint8_t *seen = slm__arena_take(&r->arena, r->token_count);
    r->added = slm__arena_take(&r->arena, (size_t)count * sizeof *r->added);
    if (seen == NULL || r->added == NULL) {
        return slm__arena_failure(&r->arena, r->error);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct slm_span content = added_content(&list->items[i])->text;
        int64_t id = 0;
        (void)slm__json_i64(slm__json_get(&list->items[i], "id"), &id);
        if (seen[id] != 0 || r->tokens[id].text.data == NULL || !slm__span_equal(r->tokens[id].text, content)) {
            SLM_TRY(take_token(r, (uint32_t)id, content, false));
        }
        seen[id] = 1;
        r->added[i].id = (uint32_t)id;
        r->added[i].flags = added_flags(&list->items[i]);
        r->added[i].content = content;
    }
    r->spec.added = r->added;
    r->spec.added_count = count;
    return SLM_OK;
}

static slm_status read_merges(struct reader *r, const struct slm_json *list)
{
    if (list == NULL || list->type != SLM_JSON_ARRAY) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "model: 'merges' is no array");
    }
    struct slm_gpt2_merge *merges = slm__arena_take(&r->arena, (size_t)list->count * sizeof *merges);
    if (merges == NULL) {
        return slm__arena_failure(&r->arena, r->error);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const struct slm_json *item = &list->items[i];
        bool pair = item->type == SLM_JSON_ARRAY && item->count == 2 && item->items[0].type == SLM_JSON_STRING &&
                    item->items[1].type == SLM_JSON_STRING;
        if (pair) {
            merges[i].left = item->items[0].text;
            merges[i].right = item->items[1].text;
        } else if (item->type != SLM_JSON_STRING || !slm__gpt2_split_merge(item->text, &merges[i])) {
            return slm__fail(r->error, SLM_E_BAD_VALUE, "model: merge %u is neither two strings nor one of two parts with a space between",
                             (unsigned)i);
        }
    }
    r->texts.merges = merges;
    r->texts.merge_count = list->count;
    return SLM_OK;
}

/* The model's kind and what must not be set with it. */
static slm_status check_model(struct reader *r, const struct slm_json *model)
{
    static const char *const absent[] = {"dropout", "continuing_subword_prefix", "end_of_word_suffix"};
    static const struct {
        const char *type;
        uint32_t model;
        enum slm_json_type vocab;
    } models[] = {{"BPE", SLM_TOKENIZER_BPE, SLM_JSON_OBJECT},
                  {"Unigram", SLM_TOKENIZER_UNIGRAM, SLM_JSON_ARRAY},
                  {"WordPiece", SLM_TOKENIZER_WORDPIECE, SLM_JSON_OBJECT}};
    const struct slm_json *type = slm__json_get(model, "type");
    size_t kind = 0;
    while (kind < 3 && !slm__json_is_string(type, models[kind].type)) {
        kind++;
    }
    if (kind == 3) {
        struct slm_span name = slm__import_text(type);
        return slm__fail(r->error, SLM_E_UNSUPPORTED, "model: type '%.*s' is not known; BPE, Unigram and WordPiece are",
                         SLM_SPAN_ARGS(name));
    }
    r->spec.model = models[kind].model;
    for (size_t i = 0; r->spec.model == SLM_TOKENIZER_BPE && i < sizeof absent / sizeof absent[0]; i++) {
        SLM_TRY(check_absent(r, model, absent[i]));
    }
    const struct slm_json *vocab = slm__json_get(model, "vocab");
    if (vocab == NULL || vocab->type != models[kind].vocab || vocab->count == 0) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "model: 'vocab' is no %s with tokens, as %s needs",
                         models[kind].vocab == SLM_JSON_OBJECT ? "object" : "array", models[kind].type);
    }
    if (vocab->duplicate_keys) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "model: 'vocab' has a token twice");
    }
    return SLM_OK;
}

/* The unknown token: its number in Unigram, else its text. */
static slm_status read_unknown(struct reader *r, const struct slm_json *model, const struct slm_json *vocab)
{
    const struct slm_json *unknown = slm__json_present(model, r->spec.model == SLM_TOKENIZER_UNIGRAM ? "unk_id" : "unk_token");
    int64_t id = 0;
    if (unknown == NULL) {
        return r->spec.model == SLM_TOKENIZER_BPE
                   ? SLM_OK
                   : slm__fail(r->error, SLM_E_UNSUPPORTED, "model: there is no unknown token; BPE alone is known without");
    }
    if (r->spec.model == SLM_TOKENIZER_UNIGRAM) {
        if (!slm__json_i64(unknown, &id) || id < 0 || id >= (int64_t)vocab->count) {
            return slm__fail(r->error, SLM_E_BAD_VALUE, "model: 'unk_id' is not in the vocabulary");
        }
        r->spec.unknown = (uint32_t)id;
        return SLM_OK;
    }
    for (uint32_t i = 0; unknown->type == SLM_JSON_STRING && i < vocab->count; i++) {
        if (slm__span_equal(vocab->keys[i], unknown->text) && slm__json_i64(&vocab->items[i], &id)) {
            r->spec.unknown = (uint32_t)id;
            return SLM_OK;
        }
    }
    return slm__fail(r->error, SLM_E_BAD_VALUE, "model: 'unk_token' is not in the vocabulary");
}

static slm_status read_model_flags(struct reader *r, const struct slm_json *model)
{
    static const struct {
        const char *key;
        uint32_t flag;
    } flags[] = {{"ignore_merges", SLM_TOKENIZER_IGNORE_MERGES},
                 {"fuse_unk", SLM_TOKENIZER_FUSE_UNKNOWN},
                 {"byte_fallback", SLM_TOKENIZER_BYTE_FALLBACK}};
    for (size_t i = 0; i < 3; i++) {
        bool of_bpe = flags[i].flag != SLM_TOKENIZER_BYTE_FALLBACK;
        bool possible = r->spec.model == SLM_TOKENIZER_BPE || (!of_bpe && r->spec.model == SLM_TOKENIZER_UNIGRAM);
        r->spec.model_flags |= possible && slm__json_is_true(slm__json_get(model, flags[i].key)) ? flags[i].flag : 0;
    }
    return (r->spec.model_flags & SLM_TOKENIZER_BYTE_LEVEL) != 0 ? check_absent(r, model, "byte_fallback") : SLM_OK;
}

/* WordPiece's two parameters, behind all other steps. */
static slm_status read_parameters(struct reader *r, const struct slm_json *model)
{
    const struct slm_json *prefix = slm__json_get(model, "continuing_subword_prefix");
    int64_t characters = 100;
    const struct slm_json *limit = slm__json_present(model, "max_input_chars_per_word");
    if ((limit != NULL && !slm__json_i64(limit, &characters)) || characters < 1 || characters > SLM_WORDPIECE_CHARACTERS_MAX) {
        return slm__fail(r->error, SLM_E_LIMIT, "model: 'max_input_chars_per_word' is no number from 1 to %d",
                         SLM_WORDPIECE_CHARACTERS_MAX);
    }
    if (prefix == NULL || prefix->type != SLM_JSON_STRING || prefix->text.length > 16) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "model: 'continuing_subword_prefix' is no string of up to 16 bytes");
    }
    if (!slm__tokenizer_spec_step(&r->spec, SLM_TOKENIZER_PARAMETERS, SLM_PARAMETERS_WORDPIECE, (uint32_t)characters)) {
        return slm__fail(r->error, SLM_E_LIMIT, "the pipeline has more than %d steps", SLM_TOKENIZER_SPEC_STEPS);
    }
    r->spec.steps[r->spec.step_count - 1].text = prefix->text;
    return SLM_OK;
}

/* All that the tokens' texts are needed for. */
static slm_status make_spec(struct reader *r, const struct slm_json *model)
{
    bool byte_level = (r->spec.model_flags & SLM_TOKENIZER_BYTE_LEVEL) != 0;
    r->texts.tokens = r->tokens;
    r->texts.token_count = r->token_count;
    if (r->spec.model == SLM_TOKENIZER_BPE) {
        SLM_TRY(read_merges(r, slm__json_get(model, "merges")));
    } else if (byte_level) {
        return slm__fail(r->error, SLM_E_UNSUPPORTED, "pre_tokenizer 'ByteLevel' is known with BPE alone");
    }
    if (r->spec.model == SLM_TOKENIZER_WORDPIECE) {
        SLM_TRY(read_parameters(r, model));
    }
    if (byte_level) {
        struct slm_gpt2_vocabulary vocabulary = {r->tokens, r->token_count, r->texts.merges, r->texts.merge_count};
        return slm__tokenizer_spec_from_gpt2(&vocabulary, &r->arena, &r->spec, r->error);
    }
    return slm__tokenizer_spec_from_texts(&r->texts, &r->arena, &r->spec, r->error);
}

static slm_status read_document(struct reader *r)
{
    const struct slm_json *model = slm__json_get(r->root, "model");
    const struct slm_json *added = slm__json_present(r->root, "added_tokens");
    if (model == NULL || model->type != SLM_JSON_OBJECT) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "there is no object 'model'");
    }
    if (added != NULL && added->type != SLM_JSON_ARRAY) {
        return slm__fail(r->error, SLM_E_BAD_VALUE, "'added_tokens' is no array");
    }
    SLM_TRY(check_model(r, model));
    const struct slm_json *vocab = slm__json_get(model, "vocab");
    SLM_TRY(count_ids(r, vocab, added));
    SLM_TRY(read_vocabulary(r, vocab));
    SLM_TRY(read_added(r, added));
    SLM_TRY(read_unknown(r, model, vocab));
    SLM_TRY(slm__import_tokenizer_pipeline(r->root, r->token_count, &r->arena, &r->spec, &r->texts, r->error));
    SLM_TRY(read_model_flags(r, model));
    return make_spec(r, model);
}

slm_status slm__import_tokenizer_json(const struct slm_memory *memory, struct slm_span json_text, const char *file_name,
                                      uint32_t vocab_limit, struct slm_buffer *section, slm_error *error)
{
    struct reader reader;
    memset(&reader, 0, sizeof reader);
    slm__arena_init(&reader.arena, memory, SIZE_MAX);
    slm__tokenizer_spec_init(&reader.spec);
    reader.vocab_limit = vocab_limit;
    reader.error = error;
    slm_status status = slm__json_parse(&reader.arena, json_text, &reader.root, error);
    if (status == SLM_OK) {
        status = read_document(&reader);
    }
    if (status == SLM_OK) {
        status = slm__tokenizer_build(&reader.spec, memory, section, error);
    }
    slm__arena_free(&reader.arena);
    return status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "%s", file_name);
}
