/* SPDX-License-Identifier: MIT */
/* GGUF blocks as w = step * (q - zero), for those types whose codes i4 or i8 can keep. */
#ifndef SLM_IMPORT_GGUF_STEPS_H
#define SLM_IMPORT_GGUF_STEPS_H

#include "import/value_types.h" /* slm_block_steps_fn */

slm_block_steps_fn slm__steps_q4_0, slm__steps_q4_1, slm__steps_q5_0, slm__steps_q4_k, slm__steps_iq4_nl, slm__steps_tq1_0,
    slm__steps_tq2_0;

#endif
