/* SPDX-License-Identifier: MIT */
/* The tables of a .slm file: what metadata and directory have in common (a head, fixed records sorted by name, bytes behind them), and the
 * tensor directory itself. Every field has one legal value or range; anything else is named and refused. */
#include "base/byte_reader.h"       /* slm__load_u32, slm__load_u64 */
#include "base/memory.h"            /* slm__u64_mul */
#include "format/format_layout.h"   /* record layout, limits */
#include "format/weight_sections.h" /* declarations of this file */

bool slm__name_valid(struct slm_span name)
{
    if (name.length < 1 || name.length > SLM_FORMAT_MAX_NAME) {
        return false;
    }
    for (size_t i = 0; i < name.length; i++) {
        if (name.data[i] < '!' || name.data[i] > '~') {
            return false;
        }
    }
    return true;
}

bool slm__all_zero(const uint8_t *data, uint64_t length)
{
    for (uint64_t i = 0; i < length; i++) {
        if (data[i] != 0) {
            return false;
        }
    }
    return true;
}

uint64_t slm__tensor_bytes(uint32_t kind, uint32_t type, uint32_t rows, uint32_t cols)
{
    if (rows < 1 || rows > SLM_FORMAT_MAX_DIMENSION || cols < 1 || cols > SLM_FORMAT_MAX_DIMENSION || type >= SLM_WEIGHT_TYPES) {
        return 0;
    }
    if (kind == SLM_TENSOR_VECTOR) {
        return type == SLM_WEIGHT_F32 && cols == 1 ? (uint64_t)slm__padded_rows(rows) * 4 : 0;
    }
    return kind == SLM_TENSOR_MATRIX ? slm__padded_rows(rows) / SLM_PANEL_ROWS * slm__panel_bytes((enum slm_weight_type)type, cols) : 0;
}

const uint8_t *slm__table_record(struct slm_span table, uint32_t index, uint32_t record_bytes)
{
    return table.data + SLM_TABLE_HEAD + (size_t)index * record_bytes;
}

struct slm_span slm__table_span(struct slm_span table, const uint8_t *record, uint32_t offset_at, uint32_t length_at)
{
    return slm__span(table.data + slm__load_u32(record + offset_at), slm__load_u32(record + length_at));
}

uint32_t slm__table_find(struct slm_span table, uint32_t count, uint32_t record_bytes, uint32_t offset_at, uint32_t length_at,
                         struct slm_span name)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = slm__span_order(slm__table_span(table, slm__table_record(table, middle, record_bytes), offset_at, length_at), name);
        if (order == 0) {
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return count;
}

slm_status slm__table_check(struct slm_span table, uint32_t record_bytes, uint32_t limit, const char *what, uint32_t *count,
                            slm_error *error)
{
    if (table.length < SLM_TABLE_HEAD) {
        return slm__fail(error, SLM_E_TRUNCATED, "%s section: %zu bytes, a table needs at least %d", what, table.length, SLM_TABLE_HEAD);
    }
    *count = slm__load_u32(table.data);
    if (*count > limit) {
        return slm__fail(error, SLM_E_LIMIT, "%s section: %u entries, at most %u are supported", what, *count, limit);
    }
    if (slm__load_u32(table.data + 4) != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s section: reserved bytes of its head are not zero", what);
    }
    if ((uint64_t)*count * record_bytes > table.length - SLM_TABLE_HEAD) {
        return slm__fail(error, SLM_E_TRUNCATED, "%s section: %zu bytes do not hold %u entries", what, table.length, *count);
    }
    return SLM_OK;
}

/* Name at exactly `expected`, valid, behind `previous` in order. */
static slm_status check_name(struct slm_span table, const uint8_t *record, uint32_t index, uint64_t expected, struct slm_span previous,
                             slm_error *error)
{
    uint32_t offset = slm__load_u32(record + SLM_TENSOR_NAME_OFFSET), length = slm__load_u32(record + SLM_TENSOR_NAME_LENGTH);
    if (offset != expected) {
        return slm__fail(error, SLM_E_BAD_VALUE, "directory entry %u: its name is at byte %u, expected at %llu", index, offset,
                         (unsigned long long)expected);
    }
    if (length > table.length - offset) {
        return slm__fail(error, SLM_E_TRUNCATED, "directory entry %u: a name of %u bytes at byte %u exceeds the section's %zu bytes", index,
                         length, offset, table.length);
    }
    struct slm_span name = slm__span(table.data + offset, length);
    if (!slm__name_valid(name)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "directory entry %u: its name \"%.*s\" is not 1 to %d printable ASCII characters", index,
                         SLM_SPAN_ARGS(name), SLM_FORMAT_MAX_NAME);
    }
    if (index > 0 && slm__span_order(previous, name) >= 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "directory entry %u: \"%.*s\" after \"%.*s\" is not in ascending order", index,
                         SLM_SPAN_ARGS(name), SLM_SPAN_ARGS(previous));
    }
    return SLM_OK;
}

static slm_status check_shape(struct slm_span name, const uint8_t *record, slm_error *error)
{
    uint32_t kind = slm__load_u32(record + SLM_TENSOR_KIND), type = slm__load_u32(record + SLM_TENSOR_TYPE);
    uint32_t rows = slm__load_u32(record + SLM_TENSOR_ROWS), cols = slm__load_u32(record + SLM_TENSOR_COLS);
    if (kind != SLM_TENSOR_VECTOR && kind != SLM_TENSOR_MATRIX) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "tensor \"%.*s\": kind %u is unknown to this version", SLM_SPAN_ARGS(name), kind);
    }
    if (type == SLM_WEIGHT_NONE || type >= SLM_WEIGHT_TYPES) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "tensor \"%.*s\": weight type %u is unknown to this version", SLM_SPAN_ARGS(name), type);
    }
    if (slm__tensor_bytes(kind, type, rows, cols) == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tensor \"%.*s\": a %s of type %u and shape [%u, %u] is not legal", SLM_SPAN_ARGS(name),
                         kind == SLM_TENSOR_VECTOR ? "vector" : "matrix", type, rows, cols);
    }
    if (slm__load_u32(record + SLM_TENSOR_RESERVED) != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tensor \"%.*s\": reserved bytes are not zero", SLM_SPAN_ARGS(name));
    }
    return SLM_OK;
}

/* The tensor lies at `expected` of the data section and has the size of its shape; *end is the byte behind it. */
static slm_status check_extent(const struct slm_weight_file *file, struct slm_span name, const uint8_t *record, uint64_t expected,
                               uint64_t *end, slm_error *error)
{
    uint64_t offset = slm__load_u64(record + SLM_TENSOR_OFFSET), length = slm__load_u64(record + SLM_TENSOR_LENGTH);
    uint64_t bytes = slm__tensor_bytes(slm__load_u32(record + SLM_TENSOR_KIND), slm__load_u32(record + SLM_TENSOR_TYPE),
                                       slm__load_u32(record + SLM_TENSOR_ROWS), slm__load_u32(record + SLM_TENSOR_COLS));
    if (length != bytes) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tensor \"%.*s\": %llu bytes are stated, its shape takes %llu", SLM_SPAN_ARGS(name),
                         (unsigned long long)length, (unsigned long long)bytes);
    }
    if (offset != expected) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tensor \"%.*s\": offset %llu of the data section, expected %llu", SLM_SPAN_ARGS(name),
                         (unsigned long long)offset, (unsigned long long)expected);
    }
    if (length > file->data_length - offset) {
        return slm__fail(error, SLM_E_TRUNCATED, "tensor \"%.*s\": %llu bytes at offset %llu exceed the data section's %llu bytes",
                         SLM_SPAN_ARGS(name), (unsigned long long)length, (unsigned long long)offset,
                         (unsigned long long)file->data_length);
    }
    *end = offset + length;
    return SLM_OK;
}

slm_status slm__directory_check(struct slm_weight_file *file, slm_error *error)
{
    struct slm_span table = file->directory, previous = {NULL, 0};
    uint32_t count = 0;
    SLM_TRY(slm__table_check(table, SLM_TENSOR_BYTES, SLM_FORMAT_MAX_TENSORS, "directory", &count, error));
    uint64_t name_end = SLM_TABLE_HEAD + (uint64_t)count * SLM_TENSOR_BYTES, data_end = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *record = slm__table_record(table, i, SLM_TENSOR_BYTES);
        SLM_TRY(check_name(table, record, i, name_end, previous, error));
        struct slm_span name = slm__table_span(table, record, SLM_TENSOR_NAME_OFFSET, SLM_TENSOR_NAME_LENGTH);
        SLM_TRY(check_shape(name, record, error));
        SLM_TRY(check_extent(file, name, record, data_end, &data_end, error));
        name_end += name.length;
        previous = name;
    }
    if (name_end != table.length) {
        return slm__fail(error, SLM_E_BAD_VALUE, "directory section: %zu bytes, its entries end at byte %llu", table.length,
                         (unsigned long long)name_end);
    }
    if (data_end != file->data_length) {
        return slm__fail(error, SLM_E_BAD_VALUE, "data section: %llu bytes, the tensors end at byte %llu",
                         (unsigned long long)file->data_length, (unsigned long long)data_end);
    }
    file->tensor_count = count;
    return SLM_OK;
}

void slm__weight_file_tensor(const struct slm_weight_file *file, uint32_t index, struct slm_tensor *tensor)
{
    const uint8_t *record = slm__table_record(file->directory, index, SLM_TENSOR_BYTES);
    *tensor = (struct slm_tensor){
        .name = slm__table_span(file->directory, record, SLM_TENSOR_NAME_OFFSET, SLM_TENSOR_NAME_LENGTH),
        .kind = slm__load_u32(record + SLM_TENSOR_KIND),
        .type = (enum slm_weight_type)slm__load_u32(record + SLM_TENSOR_TYPE),
        .rows = slm__load_u32(record + SLM_TENSOR_ROWS),
        .cols = slm__load_u32(record + SLM_TENSOR_COLS),
        .bytes = slm__load_u64(record + SLM_TENSOR_LENGTH),
        .crc = slm__load_u32(record + SLM_TENSOR_CRC),
        .data = file->data + file->data_offset + slm__load_u64(record + SLM_TENSOR_OFFSET),
    };
}

bool slm__weight_file_find(const struct slm_weight_file *file, const char *name, struct slm_tensor *tensor)
{
    uint32_t index = slm__table_find(file->directory, file->tensor_count, SLM_TENSOR_BYTES, SLM_TENSOR_NAME_OFFSET, SLM_TENSOR_NAME_LENGTH,
                                     slm__span_text(name));
    if (index == file->tensor_count) {
        return false;
    }
    slm__weight_file_tensor(file, index, tensor);
    return true;
}
