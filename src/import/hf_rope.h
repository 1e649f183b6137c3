/* SPDX-License-Identifier: MIT */
/* The rotary keys of config.json: rope_theta and rope_scaling (transformers 4), or rope_parameters (transformers 5). */
#ifndef SLM_IMPORT_HF_ROPE_H
#define SLM_IMPORT_HF_ROPE_H

#include "base/json.h"            /* struct slm_json */
#include "import/family_config.h" /* struct slm_family_config */

/* Fill rope, rope_sets, rotary, query_beta and query_length; a yarn model's max_context grows to factor x original. Needs checked sizes. */
slm_status slm__hf_rope_read(const struct slm_json *root, struct slm_family_config *config, slm_error *error);

#endif
