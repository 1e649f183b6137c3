/* SPDX-License-Identifier: MIT */
/*
 * The pipelines that tokenizer.json spells out are implied here by the model's name and a few flags. WordPiece's tokens stand in GGUF
 * with U+2581 in front where a word begins, and plain inside words; control tokens as they are.
 */
#include "import/gguf_text_tokenizer.h"

#include "import/gguf_tokens.h"    /* slm__gguf_tokens_read */
#include "text/precompiled_map.h"  /* slm__precompiled_valid */
#include "text/text_vocabulary.h"  /* slm__tokenizer_spec_from_texts */
#include "text/tokenizer_layout.h" /* steps */
#include <inttypes.h>              /* PRIu32 */
#include <math.h>                  /* INFINITY */

static const char MARK[] = "\xE2\x96\x81";             /* U+2581 */
static const char INSIDE[] = "##";                     /* before a token inside a word, as WordPiece writes it */
enum { WORD_CHARACTERS = 100 };                        /* the longest word that is looked up */
enum { CLS_ID = 101, SEP_ID = 102, UNKNOWN_ID = 100 }; /* of BERT's own vocabulary, where a file does not name them */

static bool flag_of(const struct slm_gguf *gguf, const char *key, bool otherwise)
{
    uint64_t value;
    return slm__gguf_u64(slm__gguf_find(gguf, key), &value) ? value != 0 : otherwise;
}

static slm_status step(struct slm_tokenizer_spec *spec, uint32_t stage, uint32_t kind, uint32_t value, const char *text, const char *second,
                       slm_error *error)
{
    if (!slm__tokenizer_spec_step(spec, stage, kind, value)) {
        return slm__fail(error, SLM_E_LIMIT, "the pipeline has more than %d steps", SLM_TOKENIZER_SPEC_STEPS);
    }
    spec->steps[spec->step_count - 1].text = slm__span_text(text);
    spec->steps[spec->step_count - 1].second = slm__span_text(second);
    return SLM_OK;
}

/* Control tokens, the unknown one, and those that the user defined are added tokens, which the model does not find. */
static slm_status set_added(const struct slm_gguf_tokens *tokens, struct slm_arena *arena, struct slm_gpt2_token *list,
                            struct slm_tokenizer_spec *spec, slm_error *error)
{
    struct slm_tokenizer_added *added = slm__arena_take(arena, (size_t)tokens->count * sizeof *added);
    if (added == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t id = 0; id < tokens->count; id++) {
        const uint8_t type = tokens->types[id];
        const bool special = type == SLM_PIECE_CONTROL || type == SLM_PIECE_UNKNOWN || id == spec->unknown;
        list[id].in_model = list[id].text.data != NULL && !special && type != SLM_PIECE_USER && type != SLM_PIECE_UNUSED;
        if (list[id].text.data != NULL && (special || type == SLM_PIECE_USER)) {
            added[spec->added_count++] = (struct slm_tokenizer_added){id, special ? (uint32_t)SLM_ADDED_SPECIAL : 0, tokens->texts[id]};
        }
        if (type == SLM_PIECE_UNUSED) {
            list[id].text = slm__span(NULL, 0);
        }
    }
    spec->added = added;
    return SLM_OK;
}

/* ---- WordPiece */

/* The id named by one of two keys, else `otherwise`. */
static slm_status named_id(const struct slm_gguf *gguf, const char *key, const char *second, uint32_t otherwise, uint32_t count,
                           uint32_t *id, slm_error *error)
{
    uint64_t value = otherwise;
    if (!slm__gguf_u64(slm__gguf_find(gguf, key), &value)) {
        (void)slm__gguf_u64(slm__gguf_find(gguf, second), &value);
    }
    if (value >= count) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is %" PRIu64 ", there are %" PRIu32 " tokens", key, value, count);
    }
    *id = (uint32_t)value;
    return SLM_OK;
}

/* A token as WordPiece writes it: ## in front inside words, nothing where one begins. */
static slm_status wordpiece_text(struct slm_span text, uint8_t type, struct slm_arena *arena, struct slm_span *written, slm_error *error)
{
    const size_t mark = sizeof MARK - 1, inside = sizeof INSIDE - 1;
    *written = text;
    if (type == SLM_PIECE_CONTROL || type == SLM_PIECE_UNKNOWN || text.data == NULL) {
        return SLM_OK;
    }
    if (text.length >= mark && memcmp(text.data, MARK, mark) == 0) {
        *written = text.length > mark ? slm__span(text.data + mark, text.length - mark) : slm__span(NULL, 0);
        return SLM_OK;
    }
    uint8_t *copy = slm__arena_take(arena, inside + text.length);
    if (copy == NULL) {
        return slm__arena_failure(arena, error);
    }
    memcpy(copy, INSIDE, inside);
    memcpy(copy + inside, text.data, text.length);
    *written = slm__span(copy, inside + text.length);
    return SLM_OK;
}

static slm_status add_wordpiece_steps(const struct slm_gguf *gguf, struct slm_tokenizer_spec *spec, slm_error *error)
{
    const bool lowercase = flag_of(gguf, "tokenizer.ggml.normalizer.lowercase", true);
    SLM_TRY(step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_BERT, SLM_BERT_CLEAN | SLM_BERT_IDEOGRAPHS, "", "", error));
    if (flag_of(gguf, "tokenizer.ggml.normalizer.strip_accents", lowercase)) {
        SLM_TRY(step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_NFD, 0, "", "", error));
        SLM_TRY(step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_STRIP_ACCENTS, 1, "", "", error));
    }
    if (lowercase) {
        SLM_TRY(step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_LOWERCASE, 0, "", "", error));
    }
    SLM_TRY(step(spec, SLM_TOKENIZER_PRETOKENIZER, SLM_PRETOKENIZER_BERT, 0, "", "", error));
    SLM_TRY(step(spec, SLM_TOKENIZER_DECODER, SLM_DECODER_WORDPIECE, 1, INSIDE, "", error));
    return step(spec, SLM_TOKENIZER_PARAMETERS, SLM_PARAMETERS_WORDPIECE, WORD_CHARACTERS, INSIDE, "", error);
}

slm_status slm__gguf_wordpiece(const struct slm_gguf *gguf, uint32_t vocab, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                               slm_error *error)
{
    struct slm_gguf_tokens tokens;
    SLM_TRY(slm__gguf_tokens_read(gguf, vocab, false, arena, &tokens, error));
    struct slm_gpt2_token *list = slm__arena_take(arena, (size_t)tokens.count * sizeof *list);
    uint32_t cls = 0, sep = 0;
    if (list == NULL) {
        return slm__arena_failure(arena, error);
    }
    SLM_TRY(named_id(gguf, "tokenizer.ggml.unknown_token_id", "", UNKNOWN_ID, tokens.count, &spec->unknown, error));
    SLM_TRY(named_id(gguf, "tokenizer.ggml.cls_token_id", "tokenizer.ggml.bos_token_id", CLS_ID, tokens.count, &cls, error));
    SLM_TRY(named_id(gguf, "tokenizer.ggml.seperator_token_id", "tokenizer.ggml.eos_token_id", SEP_ID, tokens.count, &sep, error));
    for (uint32_t id = 0; id < tokens.count; id++) {
        const uint8_t type = id == spec->unknown ? (uint8_t)SLM_PIECE_UNKNOWN : tokens.types[id];
        SLM_TRY(wordpiece_text(tokens.texts[id], type, arena, &list[id].text, error));
    }
    SLM_TRY(set_added(&tokens, arena, list, spec, error));
    list[spec->unknown].in_model = true; /* the model gives it for what it does not know */
    SLM_TRY(add_wordpiece_steps(gguf, spec, error));
    if (flag_of(gguf, "tokenizer.ggml.add_bos_token", true)) {
        spec->prefix[spec->prefix_count++] = cls;
    }
    if (flag_of(gguf, "tokenizer.ggml.add_sep_token", true)) {
        spec->suffix[spec->suffix_count++] = sep;
    }
    const struct slm_text_vocabulary vocabulary = {.tokens = list, .token_count = tokens.count};
    spec->model = SLM_TOKENIZER_WORDPIECE;
    return slm__tokenizer_spec_from_texts(&vocabulary, arena, spec, error);
}

/* ---- Unigram */

static slm_status add_character_map(const struct slm_gguf *gguf, struct slm_tokenizer_spec *spec, slm_error *error)
{
    const struct slm_gguf_key *map = slm__gguf_find(gguf, "tokenizer.ggml.precompiled_charsmap");
    if (map == NULL || (map->type == SLM_GGUF_ARRAY && map->count == 0)) {
        return SLM_OK;
    }
    if ((!slm__gguf_is_array(map, SLM_GGUF_U8) && !slm__gguf_is_array(map, SLM_GGUF_I8)) || !slm__precompiled_valid(map->value)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "key tokenizer.ggml.precompiled_charsmap is no character map");
    }
    SLM_TRY(step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_PRECOMPILED, 0, "", "", error));
    spec->steps[spec->step_count - 1].text = map->value;
    return SLM_OK;
}

static slm_status add_unigram_steps(const struct slm_gguf *gguf, struct slm_tokenizer_spec *spec, slm_error *error)
{
    const bool prefix = flag_of(gguf, "tokenizer.ggml.add_space_prefix", true);
    const uint32_t scheme = prefix ? SLM_METASPACE_ALWAYS : SLM_METASPACE_NEVER;
    SLM_TRY(add_character_map(gguf, spec, error));
    if (flag_of(gguf, "tokenizer.ggml.remove_extra_whitespaces", false)) {
        SLM_TRY(step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_STRIP, SLM_STRIP_RIGHT, "", "", error));
        SLM_TRY(step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_REPLACE, SLM_REPLACE_RUNS, " ", MARK, error));
    }
    SLM_TRY(step(spec, SLM_TOKENIZER_PRETOKENIZER, SLM_PRETOKENIZER_METASPACE, scheme | SLM_METASPACE_SPLIT, MARK, "", error));
    return step(spec, SLM_TOKENIZER_DECODER, SLM_DECODER_METASPACE, prefix, MARK, "", error);
}

slm_status slm__gguf_unigram(const struct slm_gguf *gguf, uint32_t vocab, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                             slm_error *error)
{
    struct slm_gguf_tokens tokens;
    SLM_TRY(slm__gguf_tokens_read(gguf, vocab, true, arena, &tokens, error));
    struct slm_gpt2_token *list = slm__arena_take(arena, (size_t)tokens.count * sizeof *list);
    double *scores = slm__arena_take(arena, (size_t)tokens.count * sizeof *scores);
    if (list == NULL || scores == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t id = 0; id < tokens.count; id++) {
        const uint8_t type = tokens.types[id];
        list[id].text = tokens.texts[id];
        spec->unknown = type == SLM_PIECE_UNKNOWN && spec->unknown == SLM_TOKENIZER_NONE ? id : spec->unknown;
        spec->model_flags |= type == SLM_PIECE_BYTE ? (uint32_t)SLM_TOKENIZER_BYTE_FALLBACK : 0;
    }
    if (spec->unknown == SLM_TOKENIZER_NONE) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer.ggml.token_type names no unknown token (2), which a Unigram model needs");
    }
    SLM_TRY(set_added(&tokens, arena, list, spec, error));
    for (uint32_t id = 0; id < tokens.count; id++) {
        scores[id] = list[id].in_model ? (double)tokens.scores[id] : INFINITY;
    }
    SLM_TRY(add_unigram_steps(gguf, spec, error));
    const struct slm_text_vocabulary vocabulary = {.tokens = list,
                                                   .token_count = tokens.count,
                                                   .scores = scores,
                                                   .byte_tokens = (spec->model_flags & SLM_TOKENIZER_BYTE_FALLBACK) != 0};
    spec->model = SLM_TOKENIZER_UNIGRAM;
    return slm__tokenizer_spec_from_texts(&vocabulary, arena, spec, error);
}
