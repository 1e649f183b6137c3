/* SPDX-License-Identifier: MIT */
/* A whole model in one GGUF file or in the parts of a split one. */
#ifndef SLM_IMPORT_GGUF_MODEL_H
#define SLM_IMPORT_GGUF_MODEL_H

#include "import/checkpoint.h" /* struct slm_checkpoint */

/* Fill everything but the plan. Of a split model `path` is the first part. */
slm_status slm__gguf_model_open(struct slm_checkpoint *checkpoint, const char *path, slm_error *error);

#endif
