/* SPDX-License-Identifier: MIT */
/* The configuration of a model from the keys of its GGUF file. */
#ifndef SLM_IMPORT_GGUF_CONFIG_H
#define SLM_IMPORT_GGUF_CONFIG_H

#include "import/family_config.h" /* struct slm_family_config */
#include "import/gguf_reader.h"   /* struct slm_gguf */
#include "base/log.h"             /* struct slm_log */

/* Needs the sorted tensors too: the vocabulary is the embedding's, and a model without output matrix is tied. */
slm_status slm__gguf_config_read(const struct slm_gguf *gguf, const struct slm_tensor_set *set, struct slm_family_config *config,
                                 const struct slm_log *log, slm_error *error);

#endif
