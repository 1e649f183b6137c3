/* SPDX-License-Identifier: MIT */
/* Decoding the byte alphabet. */
#include "text/gpt2_vocabulary.h"

#include "base/utf8.h"                 /* slm__utf8_decode */
#include "text/added_tokens_builder.h" /* slm__added_searched_text */
#include "text/vocabulary_index.h"     /* slm__vocabulary_index_make */

/* The byte that a character of the alphabet stands for, or -1. The printable characters of Latin-1 stand for themselves, the other
 * 68 bytes are U+0100 and so on in order: 0-32, 127-160, 173. */
static int alphabet_byte(uint32_t code)
{
    if ((code >= 33 && code <= 126) || (code >= 161 && code <= 172) || (code >= 174 && code <= 255)) {
        return (int)code;
    }
    if (code >= 256 && code < 256 + 33) {
        return (int)(code - 256);
    }
    if (code >= 256 + 33 && code < 256 + 67) {
        return (int)(code - (256 + 33)) + 127;
    }
    return code == 256 + 67 ? 173 : -1;
}

/* Bytes of a token's text; false: a character is outside the alphabet and *bytes is the text itself. */
static bool decode_alphabet(struct slm_span text, uint8_t *target, struct slm_span *bytes)
{
    size_t written = 0;
    for (size_t position = 0; position < text.length;) {
        struct slm_utf8 c = slm__utf8_decode(text.data + position, text.length - position);
        int byte = c.valid ? alphabet_byte(c.code) : -1;
        if (byte < 0) {
            *bytes = text;
            return false;
        }
        target[written++] = (uint8_t)byte;
        position += c.length;
    }
    *bytes = slm__span(target, written);
    return true;
}

bool slm__gpt2_split_merge(struct slm_span text, struct slm_gpt2_merge *merge)
{
    const uint8_t *space = text.length == 0 ? NULL : memchr(text.data, ' ', text.length);
    if (space == NULL) {
        return false;
    }
    size_t left = (size_t)(space - text.data);
    merge->left = slm__span(text.data, left);
    merge->right = slm__span(space + 1, text.length - left - 1);
    return left > 0 && merge->right.length > 0 && memchr(merge->right.data, ' ', merge->right.length) == NULL;
}

/* Added tokens whose text normalization changes stand for the changed text. */
static slm_status fill_normalized(struct slm_arena *arena, const struct slm_tokenizer_spec *spec, struct slm_tokenizer_token *tokens,
                                  uint32_t token_count, slm_error *error)
{
    for (uint32_t i = 0; i < spec->added_count; i++) {
        struct slm_span searched;
        SLM_TRY(slm__added_searched_text(spec, &spec->added[i], arena, &searched, error));
        if (spec->added[i].id >= token_count || slm__span_equal(searched, spec->added[i].content)) {
            continue;
        }
        uint8_t *bytes = slm__arena_take(arena, searched.length);
        if (bytes == NULL) {
            return slm__arena_failure(arena, error);
        }
        decode_alphabet(searched, bytes, &tokens[spec->added[i].id].bytes);
        tokens[spec->added[i].id].in_model = false;
    }
    return SLM_OK;
}

static slm_status fill_tokens(const struct slm_gpt2_vocabulary *v, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                              slm_error *error)
{
    struct slm_tokenizer_token *tokens = slm__arena_take(arena, (size_t)v->token_count * sizeof *tokens);
    if (tokens == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t id = 0; id < v->token_count; id++) {
        struct slm_span text = v->tokens[id].text;
        if (text.data == NULL) {
            tokens[id].flags = SLM_TOKEN_UNUSED;
            continue;
        }
        uint8_t *bytes = slm__arena_take(arena, text.length);
        if (bytes == NULL) {
            return slm__arena_failure(arena, error);
        }
        tokens[id].in_model = decode_alphabet(text, bytes, &tokens[id].bytes) && v->tokens[id].in_model;
    }
    SLM_TRY(fill_normalized(arena, spec, tokens, v->token_count, error));
    spec->tokens = tokens;
    spec->token_count = v->token_count;
    return SLM_OK;
}

slm_status slm__tokenizer_spec_from_gpt2(const struct slm_gpt2_vocabulary *vocabulary, struct slm_arena *arena,
                                         struct slm_tokenizer_spec *spec, slm_error *error)
{
    struct slm_vocabulary_index index;
    SLM_TRY(slm__vocabulary_index_make(vocabulary->tokens, vocabulary->token_count, arena, &index, error));
    SLM_TRY(fill_tokens(vocabulary, arena, spec, error));
    SLM_TRY(slm__vocabulary_merges(&index, vocabulary->merges, vocabulary->merge_count, arena, spec, error));
    spec->model = SLM_TOKENIZER_BPE;
    spec->model_flags |= SLM_TOKENIZER_BYTE_LEVEL;
    return SLM_OK;
}

bool slm__tokenizer_spec_pipeline(struct slm_tokenizer_spec *spec, struct slm_span name)
{
    static const struct {
        char name[16];
        uint32_t pattern;
        bool nfc, digits, ignore_merges;
    } pipelines[] = {
        {"llama-bpe", SLM_SPLIT_LLAMA3, false, false, true}, {"llama3", SLM_SPLIT_LLAMA3, false, false, true},
        {"llama-v3", SLM_SPLIT_LLAMA3, false, false, true},  {"smaug-bpe", SLM_SPLIT_LLAMA3, false, false, true},
        {"qwen2", SLM_SPLIT_QWEN2, true, false, false},      {"gpt-2", SLM_SPLIT_GPT2, false, false, false},
        {"phi-2", SLM_SPLIT_GPT2, false, false, false},      {"mpt", SLM_SPLIT_GPT2, true, false, false},
        {"olmo", SLM_SPLIT_GPT2, true, false, false},        {"smollm", SLM_SPLIT_GPT2, false, true, false},
        {"starcoder", SLM_SPLIT_GPT2, false, true, false},   {"refact", SLM_SPLIT_GPT2, false, true, false},
        {"tekken", SLM_SPLIT_TEKKEN, false, false, true},    {"gpt-4o", SLM_SPLIT_O200K, false, false, true},
    };
    for (size_t i = 0; i < sizeof pipelines / sizeof pipelines[0]; i++) {
        if (!slm__span_is(name, pipelines[i].name)) {
            continue;
        }
        bool fits = !pipelines[i].nfc || slm__tokenizer_spec_step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_NFC, 0);
        fits = fits && (!pipelines[i].digits || slm__tokenizer_spec_step(spec, SLM_TOKENIZER_PRETOKENIZER, SLM_PRETOKENIZER_DIGITS, 1));
        fits = fits && slm__tokenizer_spec_step(spec, SLM_TOKENIZER_PRETOKENIZER, SLM_PRETOKENIZER_REGEX, pipelines[i].pattern);
        spec->model_flags |= pipelines[i].ignore_merges ? SLM_TOKENIZER_IGNORE_MERGES : 0;
        return fits && slm__tokenizer_spec_step(spec, SLM_TOKENIZER_DECODER, SLM_DECODER_BYTE_LEVEL, 0);
    }
    return false;
}
