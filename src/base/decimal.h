/* SPDX-License-Identifier: MIT */
/* Decimal text <-> binary64, correctly rounded, independent of the locale. */
#ifndef SLM_BASE_DECIMAL_H
#define SLM_BASE_DECIMAL_H

#include "base/span.h" /* struct slm_span */

/* [-+]digits[.digits][(e|E)[-+]digits]; false when `text` is not wholly of this form. Rounds to nearest even; too large: infinity. */
bool slm__decimal_parse(struct slm_span text, double *value);
/* Shortest digits that give `value` back, as Python's repr writes them: "1.0", "1e-05", "1e+16", "inf", "-inf", "nan". Returns the
 * length; text gets a NUL. */
size_t slm__decimal_format(double value, char text[32]);

#endif
