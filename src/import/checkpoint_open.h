/* SPDX-License-Identifier: MIT */
/* Which kind of checkpoint a path is, and everything about it up to the first byte of output. */
#ifndef SLM_IMPORT_CHECKPOINT_OPEN_H
#define SLM_IMPORT_CHECKPOINT_OPEN_H

#include "import/checkpoint.h" /* struct slm_checkpoint */

/* `checkpoint` was initialised; it is to be freed also after a failure. All that can refuse a checkpoint without reading its weights
 * refuses it here. */
slm_status slm__checkpoint_open(struct slm_checkpoint *checkpoint, const char *path, slm_error *error);

#endif
