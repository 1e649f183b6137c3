/* SPDX-License-Identifier: MIT */
/* What config.json says about single layers: which have the attention window, which rotate and how, which have experts. */
#ifndef SLM_IMPORT_HF_LAYERS_H
#define SLM_IMPORT_HF_LAYERS_H

#include "base/json.h"            /* struct slm_json */
#include "base/log.h"             /* struct slm_log */
#include "import/family_config.h" /* struct slm_family_config */

/* Fill config->layer and window. Needs checked sizes and the rope sets. */
slm_status slm__hf_layers_read(const struct slm_json *root, struct slm_family_config *config, const struct slm_log *log, slm_error *error);

#endif
