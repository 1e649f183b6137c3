/* SPDX-License-Identifier: MIT */
/* Descriptions of files and checkpoints as JSON objects. */
#ifndef SLM_IMPORT_INSPECT_H
#define SLM_IMPORT_INSPECT_H

#include "base/buffer.h"           /* struct slm_buffer */
#include "format/weight_file.h"    /* struct slm_weight_file */
#include "import/import_context.h" /* struct slm_import_context */

enum slm_inspect_kind { SLM_INSPECT_CHECKPOINT, SLM_INSPECT_SLM, SLM_INSPECT_SAFETENSORS };

/* What `path` is: by its first bytes and its name. */
slm_status slm__inspect_kind_of(const char *path, enum slm_inspect_kind *kind, slm_error *error);

/* An opened .slm file. */
slm_status slm__inspect_slm(const struct slm_weight_file *file, struct slm_buffer *json, slm_error *error);
/* A folder or GGUF file (also of a LoRA adapter): opened and planned as for a conversion, so that it fails where the conversion would. */
slm_status slm__inspect_checkpoint(const struct slm_import_context *context, const char *path, struct slm_buffer *json, slm_error *error);
/* A single safetensors file: its tensors. */
slm_status slm__inspect_safetensors(const struct slm_import_context *context, const char *path, struct slm_buffer *json, slm_error *error);

#endif
