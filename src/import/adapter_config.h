/* SPDX-License-Identifier: MIT */
/* adapter_config.json of peft: what it decides about LoRA deltas, and what is refused. */
#ifndef SLM_IMPORT_ADAPTER_CONFIG_H
#define SLM_IMPORT_ADAPTER_CONFIG_H

#include "base/json.h" /* struct slm_json */

/* Refuse by name what is not LoRA as adapter.h has it. Messages do not name the file. */
slm_status slm__adapter_config_check(const struct slm_json *root, slm_error *error);
/* The factor of B A for a module ("model.layers.0.self_attn.q_proj") whose A has `rank` rows: alpha / rank, or alpha / sqrt(rank). */
slm_status slm__adapter_config_scale(const struct slm_json *root, struct slm_span module, uint32_t rank, double *scale, slm_error *error);

#endif
