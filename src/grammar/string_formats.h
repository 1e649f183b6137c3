/* SPDX-License-Identifier: MIT */
/* The values of JSON Schema's `format` as regular languages. */
#ifndef SLM_GRAMMAR_STRING_FORMATS_H
#define SLM_GRAMMAR_STRING_FORMATS_H

#include "grammar/regular.h" /* struct slm_regular, struct slm_regular_space */

enum slm_format {
    SLM_FORMAT_UNKNOWN,     /* no format of JSON Schema: an annotation */
    SLM_FORMAT_ENFORCED,    /* slm__format_language() gives its language, exactly or a subset of it */
    SLM_FORMAT_UNSUPPORTED, /* a format of JSON Schema that is not regular and has no useful regular part */
    SLM_FORMAT_NUMBER       /* OpenAPI's formats of numbers (int32, double ...): nothing to say about texts */
};

enum slm_format slm__format_find(struct slm_span name);
/* Is the language of an enforced format all of it? Only then is the complement what the format refuses. */
bool slm__format_is_whole(struct slm_span name);
/* SLM_E_UNSUPPORTED for names that are not SLM_FORMAT_ENFORCED. */
slm_status slm__format_language(const struct slm_regular_space *space, struct slm_span name, struct slm_regular *result, slm_error *error);

#endif
