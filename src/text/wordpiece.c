/* SPDX-License-Identifier: MIT */
/* Tokens inside a word are stored with their prefix, so it is put before each candidate; words are short, lookups are few. */
#include "text/wordpiece.h"

#include "text/bpe_merge.h" /* slm__tokenizer_find */

static uint32_t count_characters(struct slm_span word)
{
    uint32_t count = 0;
    for (size_t i = 0; i < word.length; i++) {
        count += (word.data[i] & 0xC0) != 0x80;
    }
    return count;
}

/* The longest token at the start of `rest`, which is inside a word or not; *length is what it takes. */
static uint32_t longest_token(const struct slm_tokenizer *t, struct slm_span rest, bool inside, size_t *length)
{
    uint8_t candidate[2 * SLM_TOKENIZER_TOKEN_BYTES_MAX];
    size_t prefix = inside ? t->inside.length : 0;
    size_t end = rest.length;
    if (prefix >= t->longest_token) {
        return SLM_TOKENIZER_NONE;
    }
    if (end > t->longest_token - prefix) {
        end = t->longest_token - prefix;
    }
    if (prefix > 0) {
        memcpy(candidate, t->inside.data, prefix);
    }
    memcpy(candidate + prefix, rest.data, end);
    for (; end > 0; end--) {
        bool whole = end == rest.length || (rest.data[end] & 0xC0) != 0x80;
        uint32_t id = whole ? slm__tokenizer_find(t, slm__span(candidate, prefix + end)) : SLM_TOKENIZER_NONE;
        if (id != SLM_TOKENIZER_NONE) {
            *length = end;
            return id;
        }
    }
    return SLM_TOKENIZER_NONE;
}

uint32_t slm__wordpiece_word(const struct slm_tokenizer *tokenizer, struct slm_span word, uint32_t *ids)
{
    uint32_t count = 0;
    if (count_characters(word) > tokenizer->longest_word) {
        ids[0] = tokenizer->unknown;
        return 1;
    }
    for (size_t position = 0; position < word.length;) {
        size_t length = 0;
        struct slm_span rest = slm__span(word.data + position, word.length - position);
        ids[count] = longest_token(tokenizer, rest, position > 0, &length);
        if (ids[count] == SLM_TOKENIZER_NONE) {
            ids[0] = tokenizer->unknown;
            return 1;
        }
        count++;
        position += length;
    }
    return count;
}
