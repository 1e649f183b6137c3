/* SPDX-License-Identifier: MIT */
/* Values by the short name of a key. */
#include "import/gguf_keys.h"

#include <inttypes.h> /* PRIu64 */
#include <stdio.h>    /* snprintf into a buffer */

const struct slm_gguf_key *slm__gguf_keys_find(const struct slm_gguf_keys *keys, const char *name, char key[SLM_GGUF_KEY_BYTES])
{
    snprintf(key, SLM_GGUF_KEY_BYTES, "%s.%s", keys->prefix, name);
    return slm__gguf_find(keys->gguf, key);
}

slm_status slm__gguf_keys_size(const struct slm_gguf_keys *keys, const char *name, bool required, uint32_t least, uint32_t *value)
{
    char key[SLM_GGUF_KEY_BYTES];
    uint64_t number = 0;
    const struct slm_gguf_key *found = slm__gguf_keys_find(keys, name, key);
    if (found == NULL) {
        return required ? slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s is missing", key) : SLM_OK;
    }
    if (found->type == SLM_GGUF_ARRAY) {
        return slm__fail(keys->error, SLM_E_UNSUPPORTED, "key %s is an array (one value for each layer), which is not supported", key);
    }
    if (!slm__gguf_u64(found, &number)) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s is no unsigned integer", key);
    }
    if (number < least || number > INT32_MAX) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s is %" PRIu64 ", expected is %" PRIu32 " to 2147483647", key, number, least);
    }
    *value = (uint32_t)number;
    return SLM_OK;
}

slm_status slm__gguf_keys_real(const struct slm_gguf_keys *keys, const char *name, double least, double most, double *value)
{
    char key[SLM_GGUF_KEY_BYTES];
    const struct slm_gguf_key *found = slm__gguf_keys_find(keys, name, key);
    if (found == NULL) {
        return SLM_OK;
    }
    if (!slm__gguf_f64(found, value)) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s is no number", key);
    }
    if (!(*value >= least && *value <= most)) {
        return slm__fail(keys->error, SLM_E_BAD_VALUE, "key %s is out of range", key);
    }
    return SLM_OK;
}
