/* SPDX-License-Identifier: MIT */
/* The table of keywords, found by length and text. */
#include "grammar/schema_keywords.h"

struct keyword {
    uint8_t length;
    char text[23];
};

static const struct keyword keywords[SLM_KEYWORD_COUNT] = {
#define KEYWORD_ROW(name, text) {sizeof(text) - 1, text},
    SLM_SCHEMA_KEYWORDS(KEYWORD_ROW)
#undef KEYWORD_ROW
};

enum slm_keyword slm__keyword_find(struct slm_span text)
{
    if (text.length < 2 || text.length >= sizeof keywords[0].text) {
        return SLM_KEYWORD_COUNT;
    }
    for (uint32_t i = 0; i < SLM_KEYWORD_COUNT; i++) {
        if (keywords[i].length == text.length && keywords[i].text[1] == (char)text.data[1] &&
            memcmp(keywords[i].text, text.data, text.length) == 0) {
            return (enum slm_keyword)i;
        }
    }
    return SLM_KEYWORD_COUNT;
}

const char *slm__keyword_name(enum slm_keyword keyword) { return keyword < SLM_KEYWORD_COUNT ? keywords[keyword].text : "?"; }
