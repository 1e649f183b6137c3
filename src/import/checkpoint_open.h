/* SPDX-License-Identifier: MIT */
/* Which kind of checkpoint a path is, and everything about it up to the first byte of output. */
#ifndef SLM_IMPORT_CHECKPOINT_OPEN_H
#define SLM_IMPORT_CHECKPOINT_OPEN_H

#include "import/checkpoint.h" /* struct slm_checkpoint */

/* `checkpoint` was initialised; it is to be freed also after a failure. All that can refuse a checkpoint without reading its weights
 * refuses it here. */
slm_status slm__checkpoint_open(struct slm_checkpoint *checkpoint, const char *path, slm_error *error);

/* Do the first bytes of a file (zero beyond its end) fit a safetensors file? */
bool slm__looks_like_safetensors(const uint8_t start[9], uint64_t file_bytes);

#endif
