/* SPDX-License-Identifier: MIT */
/* Decoding the byte alphabet, and finding the ids that a list of merges names. */
#include "text/gpt2_vocabulary.h"

#include "base/utf8.h"                 /* slm__utf8_decode */
#include "text/added_tokens_builder.h" /* slm__added_searched_text */
#include "text/tokenizer_hash.h"       /* slm__tokenizer_hash */

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

/* Texts of the model's tokens to ids: open addressing, id + 1 in a slot. */
struct text_index {
    const struct slm_gpt2_token *tokens;
    uint32_t *slots;
    uint32_t mask;
};

/* The slot that holds `text`, or the empty one where it belongs. */
static uint32_t *index_slot(const struct text_index *index, struct slm_span text)
{
    uint32_t at = (uint32_t)slm__tokenizer_hash(text) & index->mask;
    while (index->slots[at] != 0 && !slm__span_equal(index->tokens[index->slots[at] - 1].text, text)) {
        at = (at + 1) & index->mask;
    }
    return &index->slots[at];
}

static slm_status make_index(const struct slm_gpt2_vocabulary *v, struct slm_arena *arena, struct text_index *index, slm_error *error)
{
    uint32_t slots = 16;
    while (slots / 2 < v->token_count) {
        slots *= 2;
    }
    index->tokens = v->tokens;
    index->mask = slots - 1;
    index->slots = slm__arena_take(arena, (size_t)slots * sizeof *index->slots);
    if (index->slots == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t id = 0; id < v->token_count; id++) {
        if (v->tokens[id].text.data == NULL || !v->tokens[id].in_model) {
            continue;
        }
        uint32_t *slot = index_slot(index, v->tokens[id].text);
        if (*slot != 0) {
            return slm__fail(error, SLM_E_BAD_VALUE, "tokens %u and %u have the same text '%.*s'", (unsigned)(*slot - 1), (unsigned)id,
                             SLM_SPAN_ARGS(v->tokens[id].text));
        }
        *slot = id + 1;
    }
    return SLM_OK;
}

/* A token outside the model whose text the model has under another id would be ambiguous. */
static slm_status check_outside(const struct slm_gpt2_vocabulary *v, const struct text_index *index, slm_error *error)
{
    for (uint32_t id = 0; id < v->token_count; id++) {
        uint32_t found = v->tokens[id].text.data == NULL || v->tokens[id].in_model ? 0 : *index_slot(index, v->tokens[id].text);
        if (found != 0) {
            return slm__fail(error, SLM_E_BAD_VALUE, "added token '%.*s' has id %u, but %u in the model's vocabulary",
                             SLM_SPAN_ARGS(v->tokens[id].text), (unsigned)id, (unsigned)(found - 1));
        }
    }
    return SLM_OK;
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

/* left and right written together, in `joined`, which is large enough. */
static struct slm_span join(struct slm_gpt2_merge merge, uint8_t *joined)
{
    memcpy(joined, merge.left.data, merge.left.length);
    memcpy(joined + merge.left.length, merge.right.data, merge.right.length);
    return slm__span(joined, merge.left.length + merge.right.length);
}

static slm_status find_merge(const struct text_index *index, uint32_t rank, struct slm_gpt2_merge merge,
                             struct slm_tokenizer_merge *result, slm_error *error)
{
    uint8_t joined[4 * SLM_TOKENIZER_TOKEN_BYTES_MAX];
    uint32_t left = *index_slot(index, merge.left);
    uint32_t right = *index_slot(index, merge.right);
    if (left == 0 || right == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "merge %u: its part '%.*s' is not in the vocabulary", (unsigned)rank,
                         SLM_SPAN_ARGS(left == 0 ? merge.left : merge.right));
    }
    if (merge.left.length == 0 || merge.right.length == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "merge %u of '%.*s' and '%.*s' has an empty part, so it yields its other part",
                         (unsigned)rank, SLM_SPAN_ARGS(merge.left), SLM_SPAN_ARGS(merge.right));
    }
    if (merge.left.length > sizeof joined / 2 || merge.right.length > sizeof joined / 2) {
        return slm__fail(error, SLM_E_LIMIT, "merge %u has a part longer than %u bytes", (unsigned)rank, (unsigned)(sizeof joined / 2));
    }
    struct slm_span whole = join(merge, joined);
    uint32_t id = *index_slot(index, whole);
    if (id == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "merge %u: its result '%.*s' is not in the vocabulary", (unsigned)rank,
                         SLM_SPAN_ARGS(whole));
    }
    result->left = left - 1;
    result->right = right - 1;
    result->result = id - 1;
    return SLM_OK;
}

slm_status slm__tokenizer_spec_from_gpt2(const struct slm_gpt2_vocabulary *vocabulary, struct slm_arena *arena,
                                         struct slm_tokenizer_spec *spec, slm_error *error)
{
    if (vocabulary->token_count > SLM_TOKENIZER_TOKENS_MAX) {
        return slm__fail(error, SLM_E_LIMIT, "tokenizer: %u tokens, at most %d are supported", (unsigned)vocabulary->token_count,
                         SLM_TOKENIZER_TOKENS_MAX);
    }
    struct text_index index;
    SLM_TRY(make_index(vocabulary, arena, &index, error));
    SLM_TRY(check_outside(vocabulary, &index, error));
    SLM_TRY(fill_tokens(vocabulary, arena, spec, error));
    struct slm_tokenizer_merge *merges = slm__arena_take(arena, (size_t)vocabulary->merge_count * sizeof *merges);
    if (merges == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t rank = 0; rank < vocabulary->merge_count; rank++) {
        SLM_TRY(find_merge(&index, rank, vocabulary->merges[rank], &merges[rank], error));
    }
    spec->merges = merges;
    spec->merge_count = vocabulary->merge_count;
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
        {"llama-bpe", SLM_SPLIT_LLAMA3, false, false, true},  {"llama3", SLM_SPLIT_LLAMA3, false, false, true},
        {"llama-v3", SLM_SPLIT_LLAMA3, false, false, true},   {"smaug-bpe", SLM_SPLIT_LLAMA3, false, false, true},
        {"qwen2", SLM_SPLIT_QWEN2, true, false, false},       {"gpt-2", SLM_SPLIT_GPT2, false, false, false},
        {"phi-2", SLM_SPLIT_GPT2, false, false, false},       {"mpt", SLM_SPLIT_GPT2, true, false, false},
        {"olmo", SLM_SPLIT_GPT2, true, false, false},         {"smollm", SLM_SPLIT_GPT2, false, true, false},
        {"starcoder", SLM_SPLIT_GPT2, false, true, false},    {"refact", SLM_SPLIT_GPT2, false, true, false},
        {"tekken", SLM_SPLIT_TEKKEN, false, false, true},     {"gpt-4o", SLM_SPLIT_O200K, false, false, true},
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
