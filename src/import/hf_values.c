/* SPDX-License-Identifier: MIT */
/* Numbers come as 100000, 500000.0 or 1e-05; most keys can be null. */
#include "import/hf_values.h"

slm_status slm__hf_size(const struct slm_json *root, const char *key, bool required, uint32_t *value, slm_error *error)
{
    const struct slm_json *item = slm__json_present(root, key);
    if (item == NULL) {
        return required ? slm__fail(error, SLM_E_BAD_VALUE, "%s is missing", key) : SLM_OK;
    }
    int64_t number;
    if (item->type != SLM_JSON_NUMBER) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no number", key);
    }
    if (!slm__json_i64(item, &number) || number < 1 || number > INT32_MAX) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is %.*s, expected is an integer from 1 to 2147483647", key, SLM_SPAN_ARGS(item->text));
    }
    *value = (uint32_t)number;
    return SLM_OK;
}

slm_status slm__hf_bool(const struct slm_json *root, const char *key, bool *value, slm_error *error)
{
    const struct slm_json *item = slm__json_present(root, key);
    if (item == NULL) {
        return SLM_OK;
    }
    if (item->type != SLM_JSON_TRUE && item->type != SLM_JSON_FALSE) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is neither true nor false", key);
    }
    *value = item->type == SLM_JSON_TRUE;
    return SLM_OK;
}

slm_status slm__hf_real(const struct slm_json *root, const char *key, double least, double most, double *value, slm_error *error)
{
    const struct slm_json *item = slm__json_present(root, key);
    if (item == NULL) {
        return SLM_OK;
    }
    if (item->type != SLM_JSON_NUMBER || !slm__json_f64(item, value)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is no number", key);
    }
    if (!(*value >= least && *value <= most)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is %.*s, out of range", key, SLM_SPAN_ARGS(item->text));
    }
    return SLM_OK;
}
