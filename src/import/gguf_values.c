/* SPDX-License-Identifier: MIT */
/* Looking up keys of a GGUF file and reading their values. The reader has checked all lengths. */
#include "import/gguf_reader.h"

#include "base/byte_reader.h" /* slm__load_u32, slm__load_u64 */

const struct slm_gguf_key *slm__gguf_find(const struct slm_gguf *gguf, const char *name)
{
    const struct slm_span wanted = slm__span_text(name);
    uint32_t low = 0, high = gguf->key_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct slm_span found = gguf->keys[middle].name;
        const size_t shorter = found.length < wanted.length ? found.length : wanted.length;
        int order = shorter == 0 ? 0 : memcmp(found.data, wanted.data, shorter);
        order = order != 0 ? order : (found.length > wanted.length) - (found.length < wanted.length);
        if (order == 0) {
            return &gguf->keys[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static bool load_integer(const uint8_t *bytes, uint32_t type, int64_t *value)
{
    switch (type) {
    case SLM_GGUF_U8:
    case SLM_GGUF_BOOL: *value = bytes[0]; return true;
    case SLM_GGUF_I8: *value = (int8_t)bytes[0]; return true;
    case SLM_GGUF_U16: *value = bytes[0] | bytes[1] << 8; return true;
    case SLM_GGUF_I16: *value = (int16_t)(bytes[0] | bytes[1] << 8); return true;
    case SLM_GGUF_U32: *value = slm__load_u32(bytes); return true;
    case SLM_GGUF_I32: *value = (int32_t)slm__load_u32(bytes); return true;
    case SLM_GGUF_U64:
    case SLM_GGUF_I64: *value = (int64_t)slm__load_u64(bytes); return true; /* above 2^63: negative, refused */
    default: return false;
    }
}

bool slm__gguf_u64(const struct slm_gguf_key *key, uint64_t *value)
{
    int64_t number;
    if (key == NULL || !load_integer(key->value.data, key->type, &number) || number < 0) {
        return false;
    }
    *value = (uint64_t)number;
    return true;
}

bool slm__gguf_f64(const struct slm_gguf_key *key, double *value)
{
    int64_t number;
    if (key == NULL) {
        return false;
    }
    if (key->type == SLM_GGUF_F32) {
        const uint32_t bits = slm__load_u32(key->value.data);
        float narrow;
        memcpy(&narrow, &bits, sizeof narrow);
        *value = (double)narrow;
        return true;
    }
    if (key->type == SLM_GGUF_F64) {
        const uint64_t bits = slm__load_u64(key->value.data);
        memcpy(value, &bits, sizeof *value);
        return true;
    }
    if (key->type == SLM_GGUF_BOOL || !load_integer(key->value.data, key->type, &number)) {
        return false;
    }
    *value = (double)number;
    return true;
}

bool slm__gguf_text(const struct slm_gguf_key *key, struct slm_span *value)
{
    if (key == NULL || key->type != SLM_GGUF_STRING) {
        return false;
    }
    *value = key->value;
    return true;
}

bool slm__gguf_is_array(const struct slm_gguf_key *key, uint32_t item_type)
{
    return key != NULL && key->type == SLM_GGUF_ARRAY && key->item_type == item_type;
}

uint64_t slm__gguf_item_u64(const struct slm_gguf_key *key, uint64_t index)
{
    const uint64_t bytes = key->value.length / key->count;
    int64_t value = 0;
    load_integer(key->value.data + index * bytes, key->item_type, &value);
    return value < 0 ? UINT64_MAX : (uint64_t)value;
}

struct slm_span slm__gguf_next_text(const struct slm_gguf_key *key, uint64_t *cursor)
{
    const uint8_t *bytes = key->value.data + *cursor;
    const uint64_t length = slm__load_u64(bytes);
    *cursor += 8 + length;
    return slm__span(bytes + 8, (size_t)length);
}
