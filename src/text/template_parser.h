/* SPDX-License-Identifier: MIT */
/* What the two halves of the parser share: the token stream, and the entry points into expressions. */
#ifndef SLM_TEXT_TEMPLATE_PARSER_H
#define SLM_TEXT_TEMPLATE_PARSER_H

#include "base/format_check.h"    /* SLM_FORMAT */
#include "text/template_lexer.h"  /* struct slm_ttoken */
#include "text/template_syntax.h" /* struct slm_texpr, struct slm_tnode */

struct slm_tparser {
    struct slm_tmachine *machine;
    const struct slm_ttoken *token;     /* the current one */
    struct slm_tmacro_syntax *in_macro; /* whose body is being parsed, or NULL */
    unsigned depth;
    unsigned loops;
    bool soft; /* within an if: unknown filters and tests are an error only when evaluated */
};

/* SLM_E_SYNTAX at the current token. */
slm_status slm__tp_fail(const struct slm_tparser *p, const char *format, ...) SLM_FORMAT(2, 3);
slm_status slm__tp_fail_token(const struct slm_tparser *p, const char *expected);
slm_status slm__tp_enter(struct slm_tparser *p);
bool slm__tp_is(const struct slm_tparser *p, const char *operation); /* the current token is this operator */
bool slm__tp_is_name(const struct slm_tparser *p, const char *name);
bool slm__tp_skip(struct slm_tparser *p, const char *operation);
bool slm__tp_skip_name(struct slm_tparser *p, const char *name);
slm_status slm__tp_expect(struct slm_tparser *p, const char *operation);
slm_status slm__tp_expect_name(struct slm_tparser *p, struct slm_span *name);

slm_status slm__tp_expression(struct slm_tparser *p, const struct slm_texpr **out);
/* a, b, c or a single expression. `conditions`: "x if y" is allowed; otherwise it ends before "if". */
slm_status slm__tp_tuple(struct slm_tparser *p, bool conditions, const struct slm_texpr **out);
/* What a for or set gives values to: name, (a, b), and with `attributes` name.attribute. */
slm_status slm__tp_target(struct slm_tparser *p, bool attributes, const struct slm_texpr **out);
/* "name(arguments) | name ..." applied to `base` (may be NULL); at the first name. */
slm_status slm__tp_filters(struct slm_tparser *p, const struct slm_texpr *base, const struct slm_texpr **out);
/* A primary expression with its calls, for a call block. */
slm_status slm__tp_call(struct slm_tparser *p, const struct slm_texpr **out);

#endif
