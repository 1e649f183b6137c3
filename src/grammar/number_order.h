/* SPDX-License-Identifier: MIT */
/* Numbers compared as texts: exact for any digits and exponents, without memory. */
#ifndef SLM_GRAMMAR_NUMBER_ORDER_H
#define SLM_GRAMMAR_NUMBER_ORDER_H

#include "base/span.h" /* struct slm_span */

/* -1, 0, 1: a < b, a = b, a > b. Both are texts of JSON numbers. */
int slm__number_order(struct slm_span a, struct slm_span b);
/* Has the value no fraction? ("1.0", "10e-1" have none.) */
bool slm__number_is_integer(struct slm_span text);

#endif
