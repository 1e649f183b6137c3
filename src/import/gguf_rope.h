/* SPDX-License-Identifier: MIT */
/* Rotary embedding as a GGUF file states it: keys, and tensors of factors. */
#ifndef SLM_IMPORT_GGUF_ROPE_H
#define SLM_IMPORT_GGUF_ROPE_H

#include "import/family_config.h" /* struct slm_family_config */
#include "import/gguf_keys.h"     /* struct slm_gguf_keys */

/* Fill rope, rope_sets and rotary. Needs checked sizes. */
slm_status slm__gguf_rope_read(const struct slm_gguf_keys *keys, const struct slm_tensor_set *set, struct slm_family_config *config);

#endif
