/* SPDX-License-Identifier: MIT */
/* Code books of GGUF's IQ types; gguf_grids_generated.c says where they come from. A code is an index into one of them. */
#ifndef SLM_IMPORT_GGUF_GRIDS_H
#define SLM_IMPORT_GGUF_GRIDS_H

#include <stdint.h>

/* Eight values, two bits each: 0, 1, 2 stand for 8, 25, 43 (IQ2) or -1, 0, 1 (IQ1). */
extern const uint16_t slm__grid_iq2_xxs[256], slm__grid_iq2_xs[512], slm__grid_iq2_s[1024], slm__grid_iq1[2048];
/* Four values, four bits each, 0..7: 4, 12, 20, 28, 36, 44, 52, 62 (IQ3_XXS) or 1, 3, 5 .. 15 (IQ3_S). */
extern const uint16_t slm__grid_iq3_xxs[256], slm__grid_iq3_s[512];

#endif
