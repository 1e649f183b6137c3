/* SPDX-License-Identifier: MIT */
/* Whether an object's keys are all different, in time linear in their number. */
#ifndef SLM_BASE_JSON_KEYS_H
#define SLM_BASE_JSON_KEYS_H

#include "base/memory.h" /* struct slm_memory */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

/* Sets *found. Many keys need a table of 8 to 16 bytes a key from `memory`, given back before the return. */
slm_status slm__json_has_duplicates(const struct slm_span *keys, uint32_t count, const struct slm_memory *memory, bool *found,
                                    slm_error *error);

#endif
