/* SPDX-License-Identifier: MIT */
/* Descriptions of LoRA adapters as JSON objects. */
#ifndef SLM_IMPORT_INSPECT_ADAPTER_H
#define SLM_IMPORT_INSPECT_ADAPTER_H

#include "base/buffer.h"           /* struct slm_buffer */
#include "import/import_context.h" /* struct slm_import_context */

/* Whether `path` is a folder with adapter_config.json and no config.json, or a GGUF file that calls itself an adapter. A damaged file is
 * none, so that opening it as a checkpoint says what is wrong. Errors: SLM_E_NO_MEMORY. */
slm_status slm__is_adapter(const struct slm_import_context *context, const char *path, bool *adapter, slm_error *error);
/* What a conversion would merge from it; fails where that would fail whatever the base. */
slm_status slm__inspect_adapter(const struct slm_import_context *context, const char *path, struct slm_buffer *json, slm_error *error);

#endif
