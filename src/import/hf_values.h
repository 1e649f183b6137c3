/* SPDX-License-Identifier: MIT */
/* Values of config.json by key, each with its kind checked. A key that is absent or null leaves the value as it is. */
#ifndef SLM_IMPORT_HF_VALUES_H
#define SLM_IMPORT_HF_VALUES_H

#include "base/json.h" /* struct slm_json */

/* An integer from 1 to 2147483647; refused when absent and `required`. */
slm_status slm__hf_size(const struct slm_json *root, const char *key, bool required, uint32_t *value, slm_error *error);
slm_status slm__hf_bool(const struct slm_json *root, const char *key, bool *value, slm_error *error);
/* A number in least .. most. */
slm_status slm__hf_real(const struct slm_json *root, const char *key, double least, double most, double *value, slm_error *error);

#endif
