/* SPDX-License-Identifier: MIT */
/*
 * The split patterns. Each function carries its regular expression; the alternatives are tried in the written order, as a
 * backtracking engine does, and every one of them is deterministic enough to need no backtracking here.
 * L, N, M, s are \p{L}, \p{N}, \p{M}, \s; "other" is [^\s\p{L}\p{N}].
 */
#include "text/pretokenize.h"

#include "base/utf8.h"             /* slm__utf8_decode */
#include "text/split_matches.h"    /* slm__split_matches */
#include "text/tokenizer_layout.h" /* enum slm_tokenizer_pretokenizer, enum slm_split_pattern */
#include "text/unicode_classes.h"  /* slm__unicode */
#include "text/unicode_text.h"     /* slm__unicode_text */

enum {
    SPACE = SLM_UNICODE_SPACE,
    LETTER = SLM_UNICODE_LETTER,
    NUMBER = SLM_UNICODE_NUMBER,
    NOT_OTHER = SPACE | LETTER | NUMBER,
    /* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] and [\p{Ll}\p{Lm}\p{Lo}\p{M}] of tekken and o200k, and what is in both */
    HEAD = SLM_UNICODE_UPPER | SLM_UNICODE_OTHER_LETTER | SLM_UNICODE_MARK,
    TAIL = SLM_UNICODE_LOWER | SLM_UNICODE_OTHER_LETTER | SLM_UNICODE_MARK,
    HEAD_AND_TAIL = SLM_UNICODE_OTHER_LETTER | SLM_UNICODE_MARK
};

/* A character: its properties and code; of the end of the text length 0 and nothing else. */
struct letter {
    uint32_t bits;
    uint32_t code;
    uint32_t length;
};

static inline struct letter peek(struct slm_span text, size_t position)
{
    struct letter letter = {0, UINT32_MAX, 0};
    if (position < text.length) {
        uint8_t lead = text.data[position];
        if (lead < 0x80) {
            letter.code = lead;
            letter.length = 1;
        } else {
            struct slm_utf8 c = slm__utf8_decode(text.data + position, text.length - position);
            letter.code = c.code;
            letter.length = c.length;
        }
        letter.bits = slm__unicode(letter.code);
    }
    return letter;
}

static inline bool is_other(struct letter c) { return c.length != 0 && (c.bits & NOT_OTHER) == 0; }

static inline bool is_line_end(struct letter c) { return c.code == '\r' || c.code == '\n'; }

/* End of the run of characters with one of `bits`. */
static size_t skip(struct slm_span text, size_t position, uint32_t bits)
{
    struct letter c = peek(text, position);
    while ((c.bits & bits) != 0) {
        position += c.length;
        c = peek(text, position);
    }
    return position;
}

static size_t skip_other(struct slm_span text, size_t position)
{
    struct letter c = peek(text, position);
    while (is_other(c)) {
        position += c.length;
        c = peek(text, position);
    }
    return position;
}

/* Lower case of an ASCII letter, and 's' for the long s, which (?i:s) matches as well. */
static uint32_t fold(uint32_t code)
{
    if (code >= 'A' && code <= 'Z') {
        return code + 32;
    }
    return code == 0x17F ? 's' : code;
}

/* 's|'t|'re|'ve|'m|'ll|'d with or without case: the end of the match, or `position`. */
static size_t contraction(struct slm_span text, size_t position, bool ignore_case)
{
    if (position >= text.length || text.data[position] != '\'') {
        return position;
    }
    struct letter first = peek(text, position + 1);
    struct letter second = peek(text, position + 1 + first.length);
    uint32_t a = ignore_case ? fold(first.code) : first.code;
    uint32_t b = ignore_case ? fold(second.code) : second.code;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') {
        return position + 1 + first.length;
    }
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) {
        return position + 1 + first.length + second.length;
    }
    return position;
}

/* \s+(?!\S)|\s+ : the run of white space, without its last character if something follows, unless it is the only one. */
static size_t space_run(struct slm_span text, size_t position)
{
    size_t last = position;
    struct letter c = peek(text, position);
    size_t end = position;
    while ((c.bits & SPACE) != 0) {
        last = end;
        end += c.length;
        c = peek(text, end);
    }
    return end == text.length || last == position ? end : last;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ : up to the last line end of the run, if it has one. */
static size_t space_lines(struct slm_span text, size_t position)
{
    size_t lines = position;
    size_t end = position;
    struct letter c = peek(text, position);
    while ((c.bits & SPACE) != 0) {
        end += c.length;
        if (is_line_end(c)) {
            lines = end;
        }
        c = peek(text, end);
    }
    return lines > position ? lines : space_run(text, position);
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static size_t next_gpt2(struct slm_span text, size_t position)
{
    size_t end = contraction(text, position, false);
    if (end > position) {
        return end;
    }
    size_t start = position + (text.data[position] == ' ');
    struct letter c = peek(text, start);
    if ((c.bits & LETTER) != 0) {
        return skip(text, start, LETTER);
    }
    if ((c.bits & NUMBER) != 0) {
        return skip(text, start, NUMBER);
    }
    return is_other(c) ? skip_other(text, start) : space_run(text, position);
}

/* \p{N}{1,limit} */
static size_t next_digits(struct slm_span text, size_t position, unsigned limit)
{
    struct letter c = peek(text, position);
    for (unsigned i = 0; i < limit && (c.bits & NUMBER) != 0; i++) {
        position += c.length;
        c = peek(text, position);
    }
    return position;
}

/* ` ?[^\s\p{L}\p{N}]+[\r\n]*` (with `slash`: [\r\n/]*), or `position`. */
static size_t next_symbols(struct slm_span text, size_t position, bool slash)
{
    size_t start = position + (text.data[position] == ' ');
    size_t end = skip_other(text, start);
    if (end == start) {
        return position;
    }
    while (end < text.length && (text.data[end] == '\r' || text.data[end] == '\n' || (slash && text.data[end] == '/'))) {
        end++;
    }
    return end;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t next_cl100k(struct slm_span text, size_t position, unsigned digits)
{
    struct letter c = peek(text, position);
    if ((c.bits & LETTER) != 0) {
        return skip(text, position + c.length, LETTER);
    }
    size_t end = contraction(text, position, true);
    if (end > position) {
        return end;
    }
    if ((c.bits & NUMBER) != 0) {
        return next_digits(text, position, digits);
    }
    if (!is_line_end(c)) {
        end = skip(text, position + c.length, LETTER);
        if (end > position + c.length) {
            return end;
        }
    }
    end = next_symbols(text, position, false);
    return end > position ? end : space_lines(text, position);
}

/* [head]*[tail]+ : the greedy head gives back until the tail has a character. End of the match, or `position`. */
static size_t head_then_tail(struct slm_span text, size_t position)
{
    size_t end = position;
    size_t after_both = position;
    struct letter c = peek(text, end);
    while ((c.bits & HEAD) != 0) {
        end += c.length;
        if ((c.bits & HEAD_AND_TAIL) != 0) {
            after_both = end;
        }
        c = peek(text, end);
    }
    return (c.bits & TAIL) != 0 ? skip(text, end, TAIL) : after_both;
}

/* [^\r\n\p{L}\p{N}]?[head]*[tail]+|[^\r\n\p{L}\p{N}]?[head]+[tail]* : end of the match, or `position`. */
static size_t next_cased(struct slm_span text, size_t position)
{
    struct letter c = peek(text, position);
    bool lead = !is_line_end(c) && (c.bits & (LETTER | NUMBER)) == 0;
    size_t after_lead = position + c.length;
    size_t end = lead ? head_then_tail(text, after_lead) : after_lead;
    if (lead && end > after_lead) {
        return end;
    }
    end = head_then_tail(text, position);
    if (end > position) {
        return end;
    }
    /* No tail can follow a head any more, or the first form had matched. */
    end = lead ? skip(text, after_lead, HEAD) : after_lead;
    return lead && end > after_lead ? end : skip(text, position, HEAD);
}

/* The above, with `contractions` followed by (?i:'s|'t|'re|'ve|'m|'ll|'d)?, then
 * \p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t next_o200k(struct slm_span text, size_t position, unsigned digits, bool contractions)
{
    size_t end = next_cased(text, position);
    if (end > position) {
        return contractions ? contraction(text, end, true) : end;
    }
    end = next_digits(text, position, digits);
    if (end > position) {
        return end;
    }
    end = next_symbols(text, position, true);
    return end > position ? end : space_lines(text, position);
}

static size_t next_regex(uint32_t pattern, struct slm_span text, size_t position)
{
    switch (pattern) {
    case SLM_SPLIT_GPT2: return next_gpt2(text, position);
    case SLM_SPLIT_LLAMA3: return next_cl100k(text, position, 3);
    case SLM_SPLIT_QWEN2: return next_cl100k(text, position, 1);
    case SLM_SPLIT_TEKKEN: return next_o200k(text, position, 1, false);
    case SLM_SPLIT_O200K: return next_o200k(text, position, 3, true);
    default: return SLM_WITH_VARIANTS ? slm__split_matches(pattern, text, position) : text.length;
    }
}

/* Numeric characters apart from the others, one by one or in runs. */
static size_t next_numeric(struct slm_span text, size_t position, bool runs)
{
    struct letter c = peek(text, position);
    bool numeric = (c.bits & SLM_UNICODE_NUMERIC) != 0;
    do {
        position += c.length;
        c = peek(text, position);
    } while (c.length != 0 && ((c.bits & SLM_UNICODE_NUMERIC) != 0) == numeric && !(numeric && !runs));
    return position;
}

/* The same of bytes that stand for characters of the byte alphabet, where six others than the digits are numeric: U+00B2, U+00B3,
 * U+00B9, U+00BC to U+00BE, each for the byte of its own number. */
static bool numeric_byte(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || byte == 0xB2 || byte == 0xB3 || byte == 0xB9 || (byte >= 0xBC && byte <= 0xBE);
}

static size_t next_numeric_bytes(struct slm_span text, size_t position, bool runs)
{
    bool numeric = numeric_byte(text.data[position]);
    do {
        position++;
    } while (position < text.length && numeric_byte(text.data[position]) == numeric && !(numeric && !runs));
    return position;
}

/* What a character is for the steps that know space, signs and the rest. */
enum word_part { REST, DROPPED_SPACE, SIGN };

static enum word_part word_part(uint32_t kind, struct letter c)
{
    if (kind != SLM_PRETOKENIZER_PUNCTUATION && (c.bits & SPACE) != 0) {
        return DROPPED_SPACE;
    }
    bool sign = kind != SLM_PRETOKENIZER_WHITESPACE && (slm__unicode_text(c.code) & SLM_UNICODE_BERT_PUNCTUATION) != 0;
    return sign ? SIGN : REST;
}

/* Runs of space and of the rest; signs one by one, or with `sign_runs` runs of them too. */
static size_t next_word(uint32_t kind, bool sign_runs, struct slm_span text, size_t position, bool *dropped)
{
    struct letter c = peek(text, position);
    enum word_part part = word_part(kind, c);
    *dropped = part == DROPPED_SPACE;
    do {
        position += c.length;
        c = peek(text, position);
    } while (c.length != 0 && word_part(kind, c) == part && (part != SIGN || sign_runs));
    return position;
}

static bool string_at(struct slm_span text, size_t position, struct slm_span string)
{
    return text.length - position >= string.length && memcmp(text.data + position, string.data, string.length) == 0;
}

static size_t next_string(const struct slm_pretokenizer *step, struct slm_span text, size_t position, bool *dropped)
{
    bool match = string_at(text, position, step->text);
    *dropped = match && step->value == SLM_STRING_DROPPED;
    if (match) {
        position += step->text.length;
        if (step->value != SLM_STRING_WITH_NEXT) {
            return position;
        }
    }
    while (position < text.length && !string_at(text, position, step->text)) {
        position++;
    }
    bool take = !match && step->value == SLM_STRING_WITH_PREVIOUS && position < text.length;
    return take ? position + step->text.length : position;
}

size_t slm__pretokenize_next(const struct slm_pretokenizer *step, struct slm_span text, size_t position, bool *dropped)
{
    size_t end = text.length;
    bool runs = (step->value & SLM_DIGITS_EACH) == 0;
    *dropped = false;
    switch (step->kind) {
    case SLM_PRETOKENIZER_REGEX: end = next_regex(step->value, text, position); break;
    case SLM_PRETOKENIZER_DIGITS:
        end = (step->value & SLM_DIGITS_BYTES) != 0 ? next_numeric_bytes(text, position, runs) : next_numeric(text, position, runs);
        break;
    case SLM_PRETOKENIZER_PUNCTUATION:
    case SLM_PRETOKENIZER_WHITESPACE:
    case SLM_PRETOKENIZER_BERT: end = !SLM_WITH_VARIANTS ? end : next_word(step->kind, step->value != 0, text, position, dropped); break;
    case SLM_PRETOKENIZER_STRING: end = next_string(step, text, position, dropped); break;
    default: break;
    }
    return end > position ? end : text.length;
}
