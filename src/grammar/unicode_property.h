/* SPDX-License-Identifier: MIT */
/* The Unicode properties that \p{...} of a pattern may name. Tables by generate_unicode_properties.py; about 40 kB. */
#ifndef SLM_GRAMMAR_UNICODE_PROPERTY_H
#define SLM_GRAMMAR_UNICODE_PROPERTY_H

#include "base/span.h"        /* struct slm_span */
#include "grammar/code_set.h" /* struct slm_code_collector */

struct slm_category_name {
    char name[28];
    uint32_t value;
};

/* Lists of names end with an empty one. */
extern const struct slm_category_name slm__category_names[];
extern const struct slm_category_name slm__script_names[];
extern const struct slm_category_name slm__binary_names[];
extern const uint32_t slm__category_run_count;
extern const uint32_t slm__category_runs[];
extern const uint32_t slm__script_run_count;
extern const uint32_t slm__script_runs[];
extern const uint32_t slm__binary_ends[];

/* Add the code points of \p{name} (`name` without the braces); false: no such property is known. */
bool slm__unicode_property(struct slm_code_collector *codes, struct slm_span name);

#endif
