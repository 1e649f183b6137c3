/* SPDX-License-Identifier: MIT */
/* The metadata section: typed values under sorted keys. Checked once, then found by binary search, in place. */
#include "base/byte_reader.h"       /* slm__load_u32, slm__load_u64 */
#include "base/memory.h"            /* slm__round_up */
#include "base/utf8.h"              /* slm__utf8_valid_prefix */
#include "format/format_layout.h"   /* record layout, limits */
#include "format/weight_sections.h" /* tables and names */

enum { VALUE_ALIGN = 8 };

static struct slm_span key_of(struct slm_span table, const uint8_t *record)
{
    return slm__table_span(table, record, SLM_META_KEY_OFFSET, SLM_META_KEY_LENGTH);
}

static struct slm_span value_of(struct slm_span table, const uint8_t *record)
{
    return slm__table_span(table, record, SLM_META_VALUE_OFFSET, SLM_META_VALUE_LENGTH);
}

/* The bytes that `record` names lie at `*end` rounded up to 8, with zeros between; *end moves behind them. */
static slm_status check_place(struct slm_span table, const uint8_t *record, uint32_t index, bool is_key, uint64_t *end, slm_error *error)
{
    const char *what = is_key ? "key" : "value";
    uint64_t offset = slm__load_u32(record + (is_key ? SLM_META_KEY_OFFSET : SLM_META_VALUE_OFFSET));
    uint64_t length = slm__load_u32(record + (is_key ? SLM_META_KEY_LENGTH : SLM_META_VALUE_LENGTH));
    uint64_t expected = slm__round_up(*end, VALUE_ALIGN);
    if (offset != expected) {
        return slm__fail(error, SLM_E_BAD_VALUE, "metadata entry %u: its %s is at byte %llu, expected at %llu", index, what,
                         (unsigned long long)offset, (unsigned long long)expected);
    }
    if (offset > table.length || length > table.length - offset) {
        return slm__fail(error, SLM_E_TRUNCATED, "metadata entry %u: a %s of %llu bytes at byte %llu exceeds the section's %zu bytes",
                         index, what, (unsigned long long)length, (unsigned long long)offset, table.length);
    }
    if (!slm__all_zero(table.data + *end, offset - *end)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "metadata entry %u: the padding before its %s is not zero", index, what);
    }
    *end = offset + length;
    return SLM_OK;
}

static slm_status check_key(struct slm_span key, uint32_t index, struct slm_span previous, slm_error *error)
{
    if (!slm__name_valid(key)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "metadata entry %u: its key \"%.*s\" is not 1 to %d printable ASCII characters", index,
                         SLM_SPAN_ARGS(key), SLM_FORMAT_MAX_NAME);
    }
    if (index > 0 && slm__span_order(previous, key) >= 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "metadata entry %u: \"%.*s\" after \"%.*s\" is not in ascending order", index,
                         SLM_SPAN_ARGS(key), SLM_SPAN_ARGS(previous));
    }
    return SLM_OK;
}

/* Exponent all ones: infinite or not a number. */
static bool f32_finite(uint32_t bits) { return (bits & 0x7f800000u) != 0x7f800000u; }
static bool f64_finite(uint64_t bits) { return (bits & 0x7ff0000000000000u) != 0x7ff0000000000000u; }

static slm_status check_floats(struct slm_span key, struct slm_span value, slm_error *error)
{
    for (size_t i = 0; i < value.length; i += 4) {
        if (!f32_finite(slm__load_u32(value.data + i))) {
            return slm__fail(error, SLM_E_BAD_VALUE, "metadata \"%.*s\": element %zu is not a finite number", SLM_SPAN_ARGS(key), i / 4);
        }
    }
    return SLM_OK;
}

slm_status slm__metadata_check_value(struct slm_span key, uint32_t type, struct slm_span value, slm_error *error)
{
    if (type < SLM_META_U64 || type > SLM_META_F32_ARRAY) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "metadata \"%.*s\": value type %u is unknown to this version", SLM_SPAN_ARGS(key), type);
    }
    bool number = type == SLM_META_U64 || type == SLM_META_F64, array = type == SLM_META_U32_ARRAY || type == SLM_META_F32_ARRAY;
    if ((number && value.length != 8) || (array && value.length % 4 != 0)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "metadata \"%.*s\": %zu bytes are not legal for value type %u", SLM_SPAN_ARGS(key),
                         value.length, type);
    }
    if (type == SLM_META_F64 && !f64_finite(slm__load_u64(value.data))) {
        return slm__fail(error, SLM_E_BAD_VALUE, "metadata \"%.*s\": the value is not a finite number", SLM_SPAN_ARGS(key));
    }
    if (type == SLM_META_F32_ARRAY) {
        return check_floats(key, value, error);
    }
    if (type == SLM_META_TEXT) {
        size_t valid = slm__utf8_valid_prefix(value);
        if (valid != value.length) {
            return slm__fail(error, SLM_E_ENCODING, "metadata \"%.*s\": byte %zu of the text is not valid UTF-8", SLM_SPAN_ARGS(key),
                             valid);
        }
    }
    return SLM_OK;
}

slm_status slm__metadata_check(struct slm_weight_file *file, slm_error *error)
{
    struct slm_span table = file->metadata, previous = {NULL, 0};
    uint32_t count = 0;
    if (table.length > SLM_FORMAT_MAX_METADATA) {
        return slm__fail(error, SLM_E_LIMIT, "metadata section: %zu bytes, at most %u are supported", table.length,
                         SLM_FORMAT_MAX_METADATA);
    }
    SLM_TRY(slm__table_check(table, SLM_META_BYTES, SLM_FORMAT_MAX_METAS, "metadata", &count, error));
    uint64_t end = SLM_TABLE_HEAD + (uint64_t)count * SLM_META_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *record = slm__table_record(table, i, SLM_META_BYTES);
        SLM_TRY(check_place(table, record, i, true, &end, error));
        SLM_TRY(check_key(key_of(table, record), i, previous, error));
        SLM_TRY(check_place(table, record, i, false, &end, error));
        struct slm_span key = key_of(table, record);
        SLM_TRY(slm__metadata_check_value(key, slm__load_u32(record + SLM_META_TYPE), value_of(table, record), error));
        if (slm__load_u32(record + SLM_META_RESERVED) != 0) {
            return slm__fail(error, SLM_E_BAD_VALUE, "metadata \"%.*s\": reserved bytes are not zero", SLM_SPAN_ARGS(key));
        }
        previous = key;
    }
    if (end != table.length) {
        return slm__fail(error, SLM_E_BAD_VALUE, "metadata section: %zu bytes, its entries end at byte %llu", table.length,
                         (unsigned long long)end);
    }
    file->metadata_count = count;
    return SLM_OK;
}

/* The value of `key` if it is there and, unless `type` is 0, of that type. */
static bool find(const struct slm_weight_file *file, const char *key, uint32_t type, struct slm_span *value)
{
    uint32_t index = slm__table_find(file->metadata, file->metadata_count, SLM_META_BYTES, SLM_META_KEY_OFFSET, SLM_META_KEY_LENGTH,
                                     slm__span_text(key));
    if (index == file->metadata_count) {
        return false;
    }
    const uint8_t *record = slm__table_record(file->metadata, index, SLM_META_BYTES);
    if (type != 0 && slm__load_u32(record + SLM_META_TYPE) != type) {
        return false;
    }
    *value = value_of(file->metadata, record);
    return true;
}

bool slm__meta_has(const struct slm_weight_file *file, const char *key)
{
    struct slm_span value;
    return find(file, key, 0, &value);
}

bool slm__meta_u64(const struct slm_weight_file *file, const char *key, uint64_t *value)
{
    struct slm_span bytes;
    if (!find(file, key, SLM_META_U64, &bytes)) {
        return false;
    }
    *value = slm__load_u64(bytes.data);
    return true;
}

bool slm__meta_f64(const struct slm_weight_file *file, const char *key, double *value)
{
    struct slm_span bytes;
    if (!find(file, key, SLM_META_F64, &bytes)) {
        return false;
    }
    uint64_t bits = slm__load_u64(bytes.data);
    memcpy(value, &bits, sizeof *value);
    return true;
}

bool slm__meta_text(const struct slm_weight_file *file, const char *key, struct slm_span *text)
{
    return find(file, key, SLM_META_TEXT, text);
}

static bool find_array(const struct slm_weight_file *file, const char *key, uint32_t type, struct slm_span *bytes, uint32_t *count)
{
    struct slm_span value;
    if (!find(file, key, type, &value)) {
        return false;
    }
    *bytes = value;
    *count = (uint32_t)(value.length / 4);
    return true;
}

bool slm__meta_u32s(const struct slm_weight_file *file, const char *key, struct slm_span *bytes, uint32_t *count)
{
    return find_array(file, key, SLM_META_U32_ARRAY, bytes, count);
}

bool slm__meta_f32s(const struct slm_weight_file *file, const char *key, struct slm_span *bytes, uint32_t *count)
{
    return find_array(file, key, SLM_META_F32_ARRAY, bytes, count);
}

uint32_t slm__meta_u32_at(struct slm_span bytes, uint32_t index) { return slm__load_u32(bytes.data + (size_t)index * 4); }

float slm__meta_f32_at(struct slm_span bytes, uint32_t index)
{
    uint32_t bits = slm__meta_u32_at(bytes, index);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void slm__meta_entry(const struct slm_weight_file *file, uint32_t index, struct slm_span *key, uint32_t *type, struct slm_span *value)
{
    const uint8_t *record = slm__table_record(file->metadata, index, SLM_META_BYTES);
    *key = key_of(file->metadata, record);
    *type = slm__load_u32(record + SLM_META_TYPE);
    *value = value_of(file->metadata, record);
}
