/* SPDX-License-Identifier: MIT */
/* A match is a run of characters of one class, in most patterns with one character of white space before it. */
#include "text/split_matches.h"

#include "base/utf8.h"             /* slm__utf8_decode, slm__utf8_encode */
#include "text/tokenizer_layout.h" /* enum slm_split_pattern */
#include "text/unicode_classes.h"  /* slm__unicode */

/* First and last character of each range of the pattern's class. */
static const uint32_t cased_letters[][2] = {
    {0x41, 0x5A},       {0x61, 0x7A},       {0xB5, 0xB5},       {0xC0, 0xD6},       {0xD8, 0xF6},       {0xF8, 0x1BA},
    {0x1BC, 0x1BF},     {0x1C4, 0x293},     {0x295, 0x2AF},     {0x370, 0x373},     {0x376, 0x376},     {0x377, 0x377},
    {0x37B, 0x37D},     {0x37F, 0x37F},     {0x386, 0x386},     {0x388, 0x38A},     {0x38C, 0x38C},     {0x38E, 0x3A1},
    {0x3A3, 0x3F5},     {0x3F7, 0x481},     {0x48A, 0x52F},     {0x531, 0x556},     {0x10A0, 0x10C5},   {0x13A0, 0x13F5},
    {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},   {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},
    {0x1E00, 0x1F15},   {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},
    {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},   {0x1FBE, 0x1FBE},
    {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},   {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},
    {0x1FF6, 0x1FFC},   {0x2102, 0x2102},   {0x2107, 0x2107},   {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},
    {0x2124, 0x2124},   {0x2126, 0x2126},   {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},
    {0x213C, 0x213F},   {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2183},   {0x2184, 0x2184},   {0x2C00, 0x2C7B},
    {0x2C7E, 0x2CE4},   {0x2CEB, 0x2CEE},   {0x2CF2, 0x2CF2},   {0x2CF3, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},
    {0xA722, 0xA76F},   {0xA771, 0xA787},   {0xA78B, 0xA78E},   {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},
    {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB}, {0x10C80, 0x10CB2},
    {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943},
};
static const uint32_t listed_signs[][2] = {{'!', '/'}, {':', '~'}, {0x2018, 0x201F}, {0x3000, 0x3002}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E}};
static const uint32_t east_asian[][2] = {{0x800, 0x9FA5}, {0xAC00, 0xD7FF}};

static bool in_ranges(const uint32_t ranges[][2], size_t count, uint32_t code)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (code > ranges[middle][1]) {
            low = middle + 1;
        } else if (code >= ranges[middle][0]) {
            return true;
        } else {
            count = middle;
        }
    }
    return false;
}

#define IN(ranges, code) in_ranges(ranges, sizeof(ranges) / sizeof((ranges)[0]), code)

static bool ascii_letter(uint32_t code) { return (code | 0x20) >= 'a' && (code | 0x20) <= 'z'; }

static bool in_class(uint32_t pattern, uint32_t code)
{
    if (code < 0x80 && pattern == SLM_SPLIT_CASED_LETTERS) {
        return ascii_letter(code);
    }
    if (code < 0x80 && pattern == SLM_SPLIT_LISTED_SIGNS) {
        return (code >= '!' && code <= '/') || (code >= ':' && code <= '~');
    }
    switch (pattern) {
    case SLM_SPLIT_LINE_ENDS: return code == '\r' || code == '\n';
    case SLM_SPLIT_LETTERS: return (slm__unicode(code) & SLM_UNICODE_LETTER) != 0;
    case SLM_SPLIT_SIGNS: return (slm__unicode(code) & SLM_UNICODE_PUNCTUATION) != 0;
    case SLM_SPLIT_EAST_ASIAN: return code >= east_asian[0][0] && IN(east_asian, code);
    case SLM_SPLIT_CASED_LETTERS: return IN(cased_letters, code);
    case SLM_SPLIT_LISTED_SIGNS: return IN(listed_signs, code);
    default: return false;
    }
}

static struct slm_utf8 next_character(struct slm_span text, size_t position)
{
    struct slm_utf8 none = {UINT32_MAX, 0, false, false};
    if (position < text.length && text.data[position] < 0x80) {
        struct slm_utf8 ascii = {text.data[position], 1, true, false};
        return ascii;
    }
    return position < text.length ? slm__utf8_decode(text.data + position, text.length - position) : none;
}

static bool is_space(struct slm_utf8 c) { return c.length != 0 && (slm__unicode(c.code) & SLM_UNICODE_SPACE) != 0; }

/* [\r\n], [class]+ or \s?[class]+ : the end of the match, or `position`. */
static size_t match_class(uint32_t pattern, struct slm_span text, size_t position)
{
    bool space_before = pattern != SLM_SPLIT_LINE_ENDS && pattern != SLM_SPLIT_EAST_ASIAN;
    struct slm_utf8 c = next_character(text, position);
    size_t end = position;
    if (space_before && is_space(c) && !in_class(pattern, c.code)) {
        end += c.length;
        c = next_character(text, end);
    }
    if (c.length == 0 || !in_class(pattern, c.code)) {
        return position;
    }
    do {
        end += c.length;
        c = next_character(text, end);
    } while (c.length != 0 && in_class(pattern, c.code) && pattern != SLM_SPLIT_LINE_ENDS);
    return end;
}

/* [0-9][0-9][0-9] */
static size_t match_three_digits(struct slm_span text, size_t position)
{
    size_t end = position;
    while (end < text.length && end < position + 3 && text.data[end] >= '0' && text.data[end] <= '9') {
        end++;
    }
    return end == position + 3 ? end : position;
}

/* \s+$ where $ stands before a line feed or at the end: the end of the match, or `position`; *next is where to look on. */
static size_t match_end_space(struct slm_span text, size_t position, size_t *next)
{
    size_t end = position;
    size_t line_end = position;
    struct slm_utf8 c = next_character(text, position);
    while (is_space(c)) {
        line_end = c.code == '\n' && end > position ? end : line_end;
        end += c.length;
        c = next_character(text, end);
    }
    *next = end > position ? end : position + c.length;
    return end == text.length ? end : line_end;
}

/* The match at `position`, or `position`; *next is the first place behind it where another could begin. */
static size_t match_at(uint32_t pattern, struct slm_span text, size_t position, size_t *next)
{
    if (pattern == SLM_SPLIT_END_SPACE) {
        return match_end_space(text, position, next);
    }
    if (pattern == SLM_SPLIT_THREE_DIGITS) {
        *next = position + 1;
        return match_three_digits(text, position);
    }
    *next = position + next_character(text, position).length;
    return match_class(pattern, text, position);
}

size_t slm__split_matches(uint32_t pattern, struct slm_span text, size_t position)
{
    size_t next = position;
    size_t end = match_at(pattern, text, position, &next);
    if (end > position) {
        return end;
    }
    while (next < text.length) {
        position = next;
        if (match_at(pattern, text, position, &next) > position) {
            return position;
        }
    }
    return text.length;
}

bool slm__split_is_cased_class(struct slm_span text)
{
    size_t position = 0;
    for (size_t i = 0; i < sizeof cased_letters / sizeof cased_letters[0]; i++) {
        uint8_t expected[12];
        unsigned length = slm__utf8_encode(cased_letters[i][0], expected);
        if (cased_letters[i][1] != cased_letters[i][0]) {
            expected[length++] = '-';
            length += slm__utf8_encode(cased_letters[i][1], expected + length);
        }
        if (text.length - position < length || memcmp(text.data + position, expected, length) != 0) {
            return false;
        }
        position += length;
    }
    return position == text.length;
}
