/* SPDX-License-Identifier: MIT */
/* Single numbers of a file's metadata with their ranges checked: what traits are read with. Errors name the key. */
#ifndef SLM_MODEL_TRAIT_VALUES_H
#define SLM_MODEL_TRAIT_VALUES_H

#include "format/weight_file.h" /* struct slm_weight_file */

/* An integer in low .. high. */
slm_status slm__required_u64(const struct slm_weight_file *file, const char *key, uint64_t low, uint64_t high, uint32_t *value,
                             slm_error *error);
/* A finite number of at most 1e30. */
slm_status slm__required_f32(const struct slm_weight_file *file, const char *key, float *value, slm_error *error);
/* Left out: the value stays as it is. */
slm_status slm__optional_u64(const struct slm_weight_file *file, const char *key, uint64_t low, uint64_t high, uint32_t *value,
                             slm_error *error);
slm_status slm__optional_f32(const struct slm_weight_file *file, const char *key, float *value, slm_error *error);

#endif
