/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions of ECMA-262 as JSON Schema uses them: with the u flag (texts are code points), unanchored (the pattern may match
 * anywhere in the text), without back-references. What browsers take beside the strict syntax (identity escapes of signs, a lone
 * closing bracket) is taken. Look-ahead, look-behind and word boundaries are exact wherever they stand.
 */
#ifndef SLM_GRAMMAR_ECMA_REGEX_H
#define SLM_GRAMMAR_ECMA_REGEX_H

#include "grammar/regular.h" /* struct slm_regular, struct slm_regular_space */

enum slm_regex_match {
    SLM_REGEX_SEARCH, /* texts in which the pattern matches somewhere */
    SLM_REGEX_WHOLE   /* texts that the pattern matches from start to end */
};

/* Errors: SLM_E_SYNTAX and SLM_E_UNSUPPORTED "column N: ...", SLM_E_ENCODING, SLM_E_LIMIT (nesting, size), SLM_E_NO_MEMORY. */
slm_status slm__regex_compile(const struct slm_regular_space *space, struct slm_span pattern, enum slm_regex_match match,
                              struct slm_regular *result, slm_error *error);

#endif
