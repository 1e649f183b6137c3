/* SPDX-License-Identifier: MIT */
/* What a checkpoint stores beyond what its configuration promises: is it harmless, or would leaving it out change the output in silence? */
#ifndef SLM_IMPORT_CHECKPOINT_LEFTOVERS_H
#define SLM_IMPORT_CHECKPOINT_LEFTOVERS_H

#include "import/checkpoint.h" /* struct slm_checkpoint */

/* A tied model that stores an output head all the same: the tie stands when both are equal; else the head is taken, with a warning, as
 * transformers does. */
slm_status slm__checkpoint_settle_head(struct slm_checkpoint *checkpoint, slm_error *error);
/* Refuse tensors that no target uses, but for those known to be harmless and biases that are all zero. */
slm_status slm__checkpoint_check_leftovers(struct slm_checkpoint *checkpoint, slm_error *error);

#endif
