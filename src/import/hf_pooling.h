/* SPDX-License-Identifier: MIT */
/* What a sentence-transformers folder says about embeddings: modules.json, and the configuration of its pooling module. */
#ifndef SLM_IMPORT_HF_POOLING_H
#define SLM_IMPORT_HF_POOLING_H

#include "import/checkpoint.h" /* struct slm_checkpoint */

/* Set config.pooling and config.normalize; a folder without modules.json leaves them. Modules and modes that would change the embedding and
 * are not known are refused by name. */
slm_status slm__hf_pooling_read(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error);

#endif
