/* SPDX-License-Identifier: MIT */
/* Names of modules in adapter_config.json's alpha_pattern: regular expressions, as Python's re has them, that the end of a name matches. */
#ifndef SLM_IMPORT_MODULE_PATTERN_H
#define SLM_IMPORT_MODULE_PATTERN_H

#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

/* Whether `name` matches (.*\.)?(pattern)$. Literals, ".", classes, escapes, groups, "|", "*", "+", "?" are supported; anything else is
 * refused by name. The time is linear in the name's length. */
slm_status slm__module_pattern_match(struct slm_span pattern, struct slm_span name, bool *matches, slm_error *error);

#endif
