/* SPDX-License-Identifier: MIT */
/* What each token stands for in the middle of a text is worked out here, once, by the rules of the decoder. */
#include "text/text_vocabulary.h"

#include "text/added_tokens_builder.h" /* slm__added_searched_text */
#include "text/text_normalizer.h"      /* slm__text_replace */
#include "text/wordpiece_cleanup.h"    /* slm__wordpiece_cleanup */

struct maker {
    const struct slm_text_vocabulary *vocabulary;
    struct slm_arena *arena;
    struct slm_tokenizer_spec *spec;
    const struct slm_tokenizer_step *decoder; /* the first one */
    struct slm_tokenizer_token *tokens;
    slm_error *error;
};

static int hex_digit(uint8_t character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    uint8_t lower = character | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte of a text like <0x0A>, or -1. The reference's parser also takes <0x+A>. */
static int byte_of(struct slm_span text)
{
    if (text.length != 6 || memcmp(text.data, "<0x", 3) != 0 || text.data[5] != '>') {
        return -1;
    }
    int high = text.data[3] == '+' ? 0 : hex_digit(text.data[3]);
    int low = hex_digit(text.data[4]);
    return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/* A copy in the arena with `more` spare bytes. */
static slm_status copy_text(struct maker *m, struct slm_span text, size_t more, uint8_t **copy)
{
    *copy = slm__arena_take(m->arena, text.length + more);
    if (*copy == NULL) {
        return slm__arena_failure(m->arena, m->error);
    }
    if (text.length > 0) {
        memcpy(*copy + more, text.data, text.length);
    }
    return SLM_OK;
}

/* WordPiece: without the prefix, or behind a space; cleaned. */
static slm_status wordpiece_bytes(struct maker *m, struct slm_span text, struct slm_span *bytes)
{
    struct slm_span prefix = m->decoder->text;
    uint8_t *copy = NULL;
    SLM_TRY(copy_text(m, text, 1, &copy));
    copy[0] = ' ';
    size_t length = text.length + 1;
    if (text.length >= prefix.length && memcmp(copy + 1, prefix.data, prefix.length) == 0) {
        copy += 1 + prefix.length;
        length -= 1 + prefix.length;
    }
    *bytes = slm__span(copy, m->decoder->value != 0 ? slm__wordpiece_cleanup(copy, length) : length);
    return SLM_OK;
}

static slm_status replace(struct maker *m, struct slm_normalizer step, struct slm_span *text)
{
    struct slm_buffer out;
    slm_status status = SLM_OK;
    slm__buffer_init(&out, &m->arena->memory, SIZE_MAX);
    if (slm__text_replace(&step, *text, &out)) {
        uint8_t *copy = NULL;
        status = copy_text(m, slm__span(out.data, out.length), 0, &copy);
        *text = slm__span(copy, out.length);
    }
    status = out.status == SLM_OK ? status : slm__buffer_failure(&out, m->error);
    slm__buffer_free(&out);
    return status;
}

/* What the token with this text stands for. */
static slm_status decode_token(struct maker *m, struct slm_span text, struct slm_tokenizer_token *token)
{
    static const uint8_t all_bytes[1] = {0};
    token->text = text;
    token->bytes = text;
    if (m->decoder->kind == SLM_DECODER_WORDPIECE) {
        return wordpiece_bytes(m, text, &token->bytes);
    }
    if (m->decoder->kind == SLM_DECODER_METASPACE) {
        struct slm_normalizer step = {SLM_NORMALIZER_REPLACE, SLM_REPLACE_EACH, m->decoder->text, slm__span_text(" ")};
        return replace(m, step, &token->bytes);
    }
    for (uint32_t i = 0; i < m->vocabulary->replace_count; i++) {
        SLM_TRY(replace(m, m->vocabulary->replaces[i], &token->bytes));
    }
    int byte = m->vocabulary->byte_tokens ? byte_of(token->bytes) : -1;
    if (byte >= 0) {
        uint8_t *copy = NULL;
        SLM_TRY(copy_text(m, slm__span(all_bytes, 1), 0, &copy));
        copy[0] = (uint8_t)byte;
        token->bytes = slm__span(copy, 1);
        token->flags |= SLM_TOKEN_BYTE;
    }
    return SLM_OK;
}

/* Added tokens whose text normalization changes stand for the changed text. The model still finds those it has by their own, unless the
 * decoder needs their text. */
static slm_status decode_changed(struct maker *m)
{
    for (uint32_t i = 0; i < m->spec->added_count; i++) {
        const struct slm_tokenizer_added *added = &m->spec->added[i];
        struct slm_span searched;
        SLM_TRY(slm__added_searched_text(m->spec, added, m->arena, &searched, m->error));
        if (added->id < m->vocabulary->token_count && !slm__span_equal(searched, added->content)) {
            struct slm_tokenizer_token *token = &m->tokens[added->id];
            const struct slm_span text = token->text;
            token->flags &= (uint8_t)~SLM_TOKEN_BYTE;
            SLM_TRY(decode_token(m, searched, token));
            token->in_model &= m->decoder->kind == SLM_DECODER_BYTE_FALLBACK;
            token->text = token->in_model ? text : token->text;
        }
    }
    return SLM_OK;
}

/* The tokens that the model takes for bytes of characters it does not know. */
static void find_fallback(const struct slm_vocabulary_index *index, struct slm_tokenizer_spec *spec)
{
    static const char digits[] = "0123456789ABCDEF";
    for (uint32_t byte = 0; byte < 256; byte++) {
        const uint8_t name[6] = {'<', '0', 'x', (uint8_t)digits[byte / 16], (uint8_t)digits[byte % 16], '>'};
        spec->fallback[byte] = slm__vocabulary_find(index, slm__span(name, sizeof name));
    }
}

slm_status slm__tokenizer_spec_from_texts(const struct slm_text_vocabulary *vocabulary, struct slm_arena *arena,
                                          struct slm_tokenizer_spec *spec, slm_error *error)
{
    struct maker m = {vocabulary, arena, spec, NULL, NULL, error};
    struct slm_vocabulary_index index;
    for (uint32_t i = spec->step_count; i-- > 0;) {
        m.decoder = spec->steps[i].stage == SLM_TOKENIZER_DECODER ? &spec->steps[i] : m.decoder;
    }
    if (m.decoder == NULL) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer: there is no decoder");
    }
    SLM_TRY(slm__vocabulary_index_make(vocabulary->tokens, vocabulary->token_count, arena, &index, error));
    m.tokens = slm__arena_take(arena, (size_t)vocabulary->token_count * sizeof *m.tokens);
    if (m.tokens == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t id = 0; id < vocabulary->token_count; id++) {
        if (vocabulary->tokens[id].text.data == NULL) {
            m.tokens[id].flags = SLM_TOKEN_UNUSED;
            continue;
        }
        m.tokens[id].in_model = vocabulary->tokens[id].in_model;
        SLM_TRY(decode_token(&m, vocabulary->tokens[id].text, &m.tokens[id]));
    }
    SLM_TRY(decode_changed(&m));
    SLM_TRY(slm__vocabulary_merges(&index, vocabulary->merges, vocabulary->merge_count, arena, spec, error));
    find_fallback(&index, spec);
    spec->tokens = m.tokens;
    spec->token_count = vocabulary->token_count;
    spec->scores = vocabulary->scores;
    return SLM_OK;
}
