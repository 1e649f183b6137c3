/* SPDX-License-Identifier: MIT */
/* Template source to tokens: delimiters, whitespace control (trim_blocks and lstrip_blocks are on), literals, operators. */
#ifndef SLM_TEXT_TEMPLATE_LEXER_H
#define SLM_TEXT_TEMPLATE_LEXER_H

#include "text/template_machine.h" /* struct slm_tmachine */

enum slm_ttoken_type {
    SLM_TT_END, /* of the template */
    SLM_TT_DATA,
    SLM_TT_PRINT_BEGIN,
    SLM_TT_PRINT_END,
    SLM_TT_BLOCK_BEGIN,
    SLM_TT_BLOCK_END,
    SLM_TT_NAME,
    SLM_TT_STRING, /* text: between the quotes, escapes as written */
    SLM_TT_INTEGER,
    SLM_TT_FLOAT,
    SLM_TT_OPERATOR /* text: the operator */
};

struct slm_ttoken {
    uint8_t type;
    uint32_t line;
    uint32_t column;
    struct slm_span text;
};

/* All tokens, ended by SLM_TT_END. */
slm_status slm__template_lex(struct slm_tmachine *m, struct slm_span source, const struct slm_ttoken **tokens, size_t *count);

#endif
