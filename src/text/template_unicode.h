/* SPDX-License-Identifier: MIT */
/* What the template language needs of Unicode: Python's white space, line ends, printable characters, simple case. */
#ifndef SLM_TEXT_TEMPLATE_UNICODE_H
#define SLM_TEXT_TEMPLATE_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

bool slm__tu_space(uint32_t code);     /* str.isspace */
bool slm__tu_line_end(uint32_t code);  /* where str.splitlines cuts */
bool slm__tu_printable(uint32_t code); /* repr shows it as it is; unassigned characters count as printable */
/* One to one mappings of Latin, Greek and Cyrillic letters; everything else is its own case. */
uint32_t slm__tu_lower(uint32_t code);
uint32_t slm__tu_upper(uint32_t code);
bool slm__tu_cased(uint32_t code); /* has a lower or an upper form of its own */

#endif
