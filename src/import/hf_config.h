/* SPDX-License-Identifier: MIT */
/* config.json and generation_config.json of Hugging Face checkpoints, in the layouts of transformers 4 and 5. */
#ifndef SLM_IMPORT_HF_CONFIG_H
#define SLM_IMPORT_HF_CONFIG_H

#include "base/json.h"            /* struct slm_json */
#include "base/log.h"             /* struct slm_log */
#include "import/family_config.h" /* struct slm_family_config */

/* Sampling defaults of a checkpoint; 0: not given. */
struct slm_generation_defaults {
    double temperature;
    double top_p;
    double repetition_penalty;
    uint32_t top_k;
};

/* Fill `config` from the parsed config.json. Messages do not name the file. */
slm_status slm__hf_config_read(const struct slm_json *root, struct slm_family_config *config, const struct slm_log *log, slm_error *error);
/* What generation_config.json decides: eos, bos, pad override config.json's; sampling defaults. */
slm_status slm__hf_generation_read(const struct slm_json *root, struct slm_family_config *config, struct slm_generation_defaults *defaults,
                                   const struct slm_log *log, slm_error *error);
/* bos, eos and pad ids; ids beyond the vocabulary are dropped with a warning (class defaults of larger models). Needs config->vocab. */
slm_status slm__hf_special_ids(const struct slm_json *root, const char *file, struct slm_family_config *config, const struct slm_log *log,
                               slm_error *error);

#endif
