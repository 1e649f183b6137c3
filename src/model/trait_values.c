/* SPDX-License-Identifier: MIT */
/* Numbers of the metadata, each within its range. */
#include "model/trait_values.h"
#include <math.h>

slm_status slm__required_u64(const struct slm_weight_file *file, const char *key, uint64_t low, uint64_t high, uint32_t *value,
                             slm_error *error)
{
    uint64_t wide = 0;
    if (!slm__meta_u64(file, key, &wide)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the metadata key %s is missing or no integer", key);
    }
    if (wide < low || wide > high) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is %llu, outside %llu .. %llu", key, (unsigned long long)wide, (unsigned long long)low,
                         (unsigned long long)high);
    }
    *value = (uint32_t)wide;
    return SLM_OK;
}

slm_status slm__required_f32(const struct slm_weight_file *file, const char *key, float *value, slm_error *error)
{
    double wide = 0;
    if (!slm__meta_f64(file, key, &wide)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the metadata key %s is missing or no floating-point number", key);
    }
    if (!(fabs(wide) <= 1e30)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is not a finite number of reasonable size", key);
    }
    *value = (float)wide;
    return SLM_OK;
}

slm_status slm__optional_u64(const struct slm_weight_file *file, const char *key, uint64_t low, uint64_t high, uint32_t *value,
                             slm_error *error)
{
    return slm__meta_has(file, key) ? slm__required_u64(file, key, low, high, value, error) : SLM_OK;
}

slm_status slm__optional_f32(const struct slm_weight_file *file, const char *key, float *value, slm_error *error)
{
    return slm__meta_has(file, key) ? slm__required_f32(file, key, value, error) : SLM_OK;
}
