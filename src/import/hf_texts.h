/* SPDX-License-Identifier: MIT */
/* The texts of a Hugging Face folder: chat template and the special tokens that it sees, licence and notice, name. */
#ifndef SLM_IMPORT_HF_TEXTS_H
#define SLM_IMPORT_HF_TEXTS_H

#include "import/checkpoint.h" /* struct slm_checkpoint */

slm_status slm__hf_texts_read(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error);

#endif
