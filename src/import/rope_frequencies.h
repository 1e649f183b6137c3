/* SPDX-License-Identifier: MIT */
/* Inverse frequencies of rotary embedding, computed once at conversion; the runtime reads the table. */
#ifndef SLM_IMPORT_ROPE_FREQUENCIES_H
#define SLM_IMPORT_ROPE_FREQUENCIES_H

#include "import/family_config.h" /* struct slm_rope_config */

/* frequencies[i], i < rotary_dim / 2, in radians per position; with longrope's long factors when `longer`. Computed in f64 with our own exp
 * and log and rounded once, so that every machine gets the same bits. */
void slm__rope_frequencies(const struct slm_rope_config *rope, uint32_t rotary_dim, bool longer, float *frequencies);

/* yarn's attention factor where the checkpoint gives none: m(mscale) / m(mscale_all_dim) if both are set, else m(1), with
 * m(s) = 0.1 s ln(factor) + 1. */
double slm__yarn_attention_factor(double factor, double mscale, double mscale_all_dim);

/* longrope's where the checkpoint gives none: sqrt(1 + ln(factor) / ln(original)), 1 when nothing is extended. */
double slm__longrope_attention_factor(double factor, double original);

#endif
