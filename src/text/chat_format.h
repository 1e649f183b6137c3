/* SPDX-License-Identifier: MIT */
/* What the answers of each format are marked with. */
#ifndef SLM_TEXT_CHAT_FORMAT_H
#define SLM_TEXT_CHAT_FORMAT_H

#include "text/chat_call.h" /* struct slm_chat_marker */

/* Pairs of markers around something. */
struct slm_chat_block {
    const char *open;
    const char *close;
    bool reasoning; /* else the answer proper, which is content */
};

struct slm_chat_format {
    const struct slm_chat_marker *calls;
    size_t call_count;
    const struct slm_chat_block *blocks;
    size_t block_count;
    bool bare_calls;   /* the whole answer may be a JSON object that is a call; further ones behind a semicolon */
    bool json_in_code; /* behind <|python_tag|> a brace begins such an object too */
};

/* `format` is one of SLM_CHAT_FORMAT_..., not AUTO. */
const struct slm_chat_format *slm__chat_format(int32_t format);

#endif
