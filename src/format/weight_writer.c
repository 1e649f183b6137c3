/* SPDX-License-Identifier: MIT */
/* The writer: declarations are collected in an arena and sorted; begin lays out the file; tensors stream through with a running checksum;
 * directory and header come last, so an unfinished file never has a valid header. The order of declaration leaves no trace. */
#include "format/weight_writer.h"   /* declarations of this file */
#include "base/byte_reader.h"       /* slm__store_u32, slm__store_u64 */
#include "base/checksum.h"          /* slm__crc32c */
#include "base/utf8.h"              /* slm__utf8_valid_prefix */
#include "format/format_layout.h"   /* layout, limits */
#include "format/weight_sections.h" /* slm__name_valid, slm__tensor_bytes */

#define ARENA_LIMIT ((size_t)1 << 30)

struct slm_writer_meta {
    struct slm_span key, value;
    uint32_t type;
};

struct slm_writer_tensor {
    struct slm_span name;
    uint32_t kind, type, rows, cols;
    uint64_t offset, bytes, written; /* offset: in the data section */
    uint32_t crc;
};

void slm__writer_init(struct slm_weight_writer *writer, const struct slm_memory *memory, const struct slm_sink *sink)
{
    *writer = (struct slm_weight_writer){.sink = *sink, .memory = *memory, .minimum_reader = SLM_FORMAT_MINIMUM};
    slm__arena_init(&writer->arena, memory, ARENA_LIMIT);
}

void slm__writer_free(struct slm_weight_writer *writer)
{
    slm__arena_free(&writer->arena);
    *writer = (struct slm_weight_writer){.sink = writer->sink, .memory = writer->memory, .arena = writer->arena};
}

/* Room for one more entry of `bytes` in an array that doubles; the old one stays in the arena. */
static void *grow(struct slm_weight_writer *writer, void *entries, uint32_t count, uint32_t *capacity, size_t bytes)
{
    if (count < *capacity) {
        return entries;
    }
    uint32_t larger = *capacity == 0 ? 64 : 2 * *capacity;
    void *copy = slm__arena_take(&writer->arena, larger * bytes);
    if (copy != NULL) {
        if (count > 0) {
            memcpy(copy, entries, count * bytes);
        }
        *capacity = larger;
    }
    return copy;
}

static slm_status check_declaration(const struct slm_weight_writer *writer, struct slm_span name, uint32_t count, uint32_t limit,
                                    slm_error *error)
{
    if (writer->begun) {
        return slm__fail(error, SLM_E_INTERNAL, "\"%.*s\" is declared after the file was begun", SLM_SPAN_ARGS(name));
    }
    if (!slm__name_valid(name)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the name \"%.*s\" is not 1 to %d printable ASCII characters", SLM_SPAN_ARGS(name),
                         SLM_FORMAT_MAX_NAME);
    }
    if (count >= limit) {
        return slm__fail(error, SLM_E_LIMIT, "\"%.*s\" is one more than the %u entries that a file may have", SLM_SPAN_ARGS(name), limit);
    }
    return SLM_OK;
}

static slm_status copy_span(struct slm_weight_writer *writer, struct slm_span source, struct slm_span *copy, slm_error *error)
{
    const char *text = slm__arena_text(&writer->arena, source);
    if (text == NULL) {
        return slm__arena_failure(&writer->arena, error);
    }
    *copy = slm__span(text, source.length);
    return SLM_OK;
}

static slm_status add_meta(struct slm_weight_writer *writer, const char *key, uint32_t type, struct slm_span value, slm_error *error)
{
    struct slm_writer_meta meta = {.type = type};
    SLM_TRY(check_declaration(writer, slm__span_text(key), writer->meta_count, SLM_FORMAT_MAX_METAS, error));
    if (value.length > SLM_FORMAT_MAX_METADATA) {
        return slm__fail(error, SLM_E_LIMIT, "metadata \"%s\": %zu bytes, at most %u are supported", key, value.length,
                         SLM_FORMAT_MAX_METADATA);
    }
    SLM_TRY(slm__metadata_check_value(slm__span_text(key), type, value, error));
    SLM_TRY(copy_span(writer, slm__span_text(key), &meta.key, error));
    SLM_TRY(copy_span(writer, value, &meta.value, error));
    struct slm_writer_meta *metas = grow(writer, writer->metas, writer->meta_count, &writer->meta_capacity, sizeof *metas);
    if (metas == NULL) {
        return slm__arena_failure(&writer->arena, error);
    }
    writer->metas = metas;
    metas[writer->meta_count++] = meta;
    return SLM_OK;
}

slm_status slm__writer_meta_u64(struct slm_weight_writer *writer, const char *key, uint64_t value, slm_error *error)
{
    uint8_t bytes[8];
    slm__store_u64(bytes, value);
    return add_meta(writer, key, SLM_META_U64, slm__span(bytes, sizeof bytes), error);
}

slm_status slm__writer_meta_f64(struct slm_weight_writer *writer, const char *key, double value, slm_error *error)
{
    uint64_t bits;
    uint8_t bytes[8];
    memcpy(&bits, &value, sizeof bits);
    slm__store_u64(bytes, bits);
    return add_meta(writer, key, SLM_META_F64, slm__span(bytes, sizeof bytes), error);
}

slm_status slm__writer_meta_text(struct slm_weight_writer *writer, const char *key, struct slm_span text, slm_error *error)
{
    return add_meta(writer, key, SLM_META_TEXT, text, error);
}

/* Room for the bytes of an array. */
static slm_status take_array(struct slm_weight_writer *writer, const char *key, uint32_t count, uint8_t **bytes, slm_error *error)
{
    if (count > SLM_FORMAT_MAX_METADATA / 4) {
        return slm__fail(error, SLM_E_LIMIT, "metadata \"%s\": %u elements, at most %u are supported", key, count,
                         SLM_FORMAT_MAX_METADATA / 4);
    }
    *bytes = slm__arena_take(&writer->arena, (size_t)count * 4);
    return *bytes == NULL ? slm__arena_failure(&writer->arena, error) : SLM_OK;
}

slm_status slm__writer_meta_u32s(struct slm_weight_writer *writer, const char *key, const uint32_t *values, uint32_t count,
                                 slm_error *error)
{
    uint8_t *bytes = NULL;
    SLM_TRY(take_array(writer, key, count, &bytes, error));
    for (uint32_t i = 0; i < count; i++) {
        slm__store_u32(bytes + (size_t)i * 4, values[i]);
    }
    return add_meta(writer, key, SLM_META_U32_ARRAY, slm__span(bytes, (size_t)count * 4), error);
}

slm_status slm__writer_meta_f32s(struct slm_weight_writer *writer, const char *key, const float *values, uint32_t count, slm_error *error)
{
    uint8_t *bytes = NULL;
    SLM_TRY(take_array(writer, key, count, &bytes, error));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        slm__store_u32(bytes + (size_t)i * 4, bits);
    }
    return add_meta(writer, key, SLM_META_F32_ARRAY, slm__span(bytes, (size_t)count * 4), error);
}

void slm__writer_needs(struct slm_weight_writer *writer, uint32_t version)
{
    writer->minimum_reader = version > writer->minimum_reader ? version : writer->minimum_reader;
}

void slm__writer_tokenizer(struct slm_weight_writer *writer, struct slm_span section)
{
    if (!writer->begun) {
        writer->tokenizer = section;
    }
}

void slm__writer_vocabulary(struct slm_weight_writer *writer, struct slm_span section)
{
    if (!writer->begun) {
        writer->vocabulary = section;
    }
}

slm_status slm__writer_add_tensor(struct slm_weight_writer *writer, const char *name, uint32_t kind, enum slm_weight_type type,
                                  uint32_t rows, uint32_t cols, uint32_t *id, slm_error *error)
{
    struct slm_writer_tensor tensor = {.kind = kind, .type = (uint32_t)type, .rows = rows, .cols = cols};
    SLM_TRY(check_declaration(writer, slm__span_text(name), writer->tensor_count, SLM_FORMAT_MAX_TENSORS, error));
    tensor.bytes = slm__tensor_bytes(kind, tensor.type, rows, cols);
    if (tensor.bytes == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tensor \"%s\": a %s of type %u and shape [%u, %u] is not legal", name,
                         kind == SLM_TENSOR_VECTOR ? "vector" : "matrix", tensor.type, rows, cols);
    }
    SLM_TRY(copy_span(writer, slm__span_text(name), &tensor.name, error));
    struct slm_writer_tensor *tensors = grow(writer, writer->tensors, writer->tensor_count, &writer->tensor_capacity, sizeof *tensors);
    if (tensors == NULL) {
        return slm__arena_failure(&writer->arena, error);
    }
    writer->tensors = tensors;
    *id = writer->tensor_count;
    tensors[writer->tensor_count++] = tensor;
    return SLM_OK;
}

/* Move order[root] down the heap of `count` until no child is larger. */
static void sift(const struct slm_span *names, uint32_t *order, uint32_t root, uint32_t count)
{
    for (uint32_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && slm__span_order(names[order[child]], names[order[child + 1]]) < 0) {
            child++;
        }
        if (slm__span_order(names[order[root]], names[order[child]]) >= 0) {
            return;
        }
        uint32_t held = order[root];
        order[root] = order[child];
        order[child] = held;
        root = child;
    }
}

/* Indices of `names` in ascending order (heap sort: no memory, no bad case). */
static void sort_names(const struct slm_span *names, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    for (uint32_t i = count / 2; i-- > 0;) {
        sift(names, order, i, count);
    }
    for (uint32_t end = count; end-- > 1;) {
        uint32_t held = order[0];
        order[0] = order[end];
        order[end] = held;
        sift(names, order, 0, end);
    }
}

/* Sorted indices of the first span of each of `count` entries; a name that occurs twice is refused. */
static slm_status make_order(struct slm_weight_writer *writer, const void *entries, size_t entry_bytes, uint32_t count, const char *what,
                             uint32_t **result, slm_error *error)
{
    struct slm_span *names = slm__arena_take(&writer->arena, count * sizeof *names);
    uint32_t *order = slm__arena_take(&writer->arena, count * sizeof *order);
    if (names == NULL || order == NULL) {
        return slm__arena_failure(&writer->arena, error);
    }
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&names[i], (const uint8_t *)entries + i * entry_bytes, sizeof *names);
    }
    sort_names(names, order, count);
    for (uint32_t i = 1; i < count; i++) {
        if (slm__span_equal(names[order[i - 1]], names[order[i]])) {
            return slm__fail(error, SLM_E_BAD_VALUE, "%s \"%.*s\" is declared twice", what, SLM_SPAN_ARGS(names[order[i]]));
        }
    }
    *result = order;
    return SLM_OK;
}

static uint32_t section_count(const struct slm_weight_writer *writer)
{
    return 2 + (writer->tokenizer.length > 0 ? 1u : 0u) + (writer->vocabulary.length > 0 ? 1u : 0u) + (writer->tensor_count > 0 ? 1u : 0u);
}

static uint32_t header_length(const struct slm_weight_writer *writer) { return SLM_HEADER_BYTES + SLM_ENTRY_BYTES * section_count(writer); }

/* Offsets of tensors (by name) and length of the data section. */
static slm_status lay_out_tensors(struct slm_weight_writer *writer, slm_error *error)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < writer->tensor_count; i++) {
        struct slm_writer_tensor *tensor = &writer->tensors[writer->tensor_order[i]];
        tensor->offset = end;
        end += tensor->bytes; /* one tensor has at most 2^50 bytes, so end < 2^63 is seen before it wraps */
        if (end > (uint64_t)1 << 62) {
            return slm__fail(error, SLM_E_LIMIT, "tensor \"%.*s\": the file would be larger than 2^62 bytes", SLM_SPAN_ARGS(tensor->name));
        }
    }
    writer->data_length = end;
    return SLM_OK;
}

static slm_status lay_out(struct slm_weight_writer *writer, slm_error *error)
{
    writer->directory_length = SLM_TABLE_HEAD + (uint64_t)writer->tensor_count * SLM_TENSOR_BYTES;
    for (uint32_t i = 0; i < writer->tensor_count; i++) {
        writer->directory_length += writer->tensors[i].name.length;
    }
    writer->metadata_length = SLM_TABLE_HEAD + (uint64_t)writer->meta_count * SLM_META_BYTES;
    for (uint32_t i = 0; i < writer->meta_count; i++) {
        const struct slm_writer_meta *meta = &writer->metas[writer->meta_order[i]];
        writer->metadata_length = slm__round_up(writer->metadata_length, 8) + meta->key.length;
        writer->metadata_length = slm__round_up(writer->metadata_length, 8) + meta->value.length;
    }
    if (writer->metadata_length > SLM_FORMAT_MAX_METADATA) {
        return slm__fail(error, SLM_E_LIMIT, "%llu bytes of metadata, at most %u are supported",
                         (unsigned long long)writer->metadata_length, SLM_FORMAT_MAX_METADATA);
    }
    SLM_TRY(lay_out_tensors(writer, error));
    writer->metadata_offset = slm__round_up(header_length(writer), SLM_FORMAT_ALIGN_SECTION);
    writer->directory_offset = slm__round_up(writer->metadata_offset + writer->metadata_length, SLM_FORMAT_ALIGN_SECTION);
    writer->file_size = writer->directory_offset + writer->directory_length;
    if (writer->tokenizer.length > 0) {
        writer->tokenizer_offset = slm__round_up(writer->file_size, SLM_FORMAT_ALIGN_SECTION);
        writer->file_size = writer->tokenizer_offset + writer->tokenizer.length;
    }
    if (writer->vocabulary.length > 0) {
        writer->vocabulary_offset = slm__round_up(writer->file_size, SLM_FORMAT_ALIGN_SECTION);
        writer->file_size = writer->vocabulary_offset + writer->vocabulary.length;
    }
    if (writer->tensor_count > 0) {
        writer->data_offset = slm__round_up(writer->file_size, SLM_FORMAT_ALIGN_DATA);
        writer->file_size = writer->data_offset + writer->data_length;
    }
    return SLM_OK;
}

static slm_status put(struct slm_weight_writer *writer, uint64_t offset, const void *data, size_t length, slm_error *error)
{
    return writer->sink.write(writer->sink.context, offset, data, length, error);
}

/* Zeros from `from` to `to`, less than a page. */
static slm_status put_padding(struct slm_weight_writer *writer, uint64_t from, uint64_t to, slm_error *error)
{
    static const uint8_t zeros[SLM_FORMAT_ALIGN_DATA] = {0};
    return from == to ? SLM_OK : put(writer, from, zeros, (size_t)(to - from), error);
}

static slm_status put_metadata(struct slm_weight_writer *writer, slm_error *error)
{
    uint8_t *section = slm__arena_take(&writer->arena, (size_t)writer->metadata_length);
    if (section == NULL) {
        return slm__arena_failure(&writer->arena, error);
    }
    slm__store_u32(section, writer->meta_count);
    uint64_t end = SLM_TABLE_HEAD + (uint64_t)writer->meta_count * SLM_META_BYTES;
    for (uint32_t i = 0; i < writer->meta_count; i++) {
        const struct slm_writer_meta *meta = &writer->metas[writer->meta_order[i]];
        uint8_t *record = section + SLM_TABLE_HEAD + (size_t)i * SLM_META_BYTES;
        uint64_t key = slm__round_up(end, 8), value = slm__round_up(key + meta->key.length, 8);
        slm__store_u32(record + SLM_META_KEY_OFFSET, (uint32_t)key);
        slm__store_u32(record + SLM_META_KEY_LENGTH, (uint32_t)meta->key.length);
        slm__store_u32(record + SLM_META_TYPE, meta->type);
        slm__store_u32(record + SLM_META_VALUE_OFFSET, (uint32_t)value);
        slm__store_u32(record + SLM_META_VALUE_LENGTH, (uint32_t)meta->value.length);
        memcpy(section + key, meta->key.data, meta->key.length);
        if (meta->value.length > 0) {
            memcpy(section + value, meta->value.data, meta->value.length);
        }
        end = value + meta->value.length;
    }
    writer->metadata_crc = slm__crc32c(0, section, (size_t)writer->metadata_length);
    return put(writer, writer->metadata_offset, section, (size_t)writer->metadata_length, error);
}

slm_status slm__writer_begin(struct slm_weight_writer *writer, slm_error *error)
{
    if (writer->begun) {
        return slm__fail(error, SLM_E_INTERNAL, "the file was begun already");
    }
    SLM_TRY(make_order(writer, writer->metas, sizeof *writer->metas, writer->meta_count, "metadata", &writer->meta_order, error));
    SLM_TRY(make_order(writer, writer->tensors, sizeof *writer->tensors, writer->tensor_count, "tensor", &writer->tensor_order, error));
    SLM_TRY(lay_out(writer, error));
    SLM_TRY(writer->sink.reserve(writer->sink.context, writer->file_size, error));
    writer->begun = true;
    SLM_TRY(put_padding(writer, header_length(writer), writer->metadata_offset, error));
    SLM_TRY(put_metadata(writer, error));
    SLM_TRY(put_padding(writer, writer->metadata_offset + writer->metadata_length, writer->directory_offset, error));
    uint64_t end = writer->directory_offset + writer->directory_length;
    if (writer->tokenizer.length > 0) {
        SLM_TRY(put_padding(writer, end, writer->tokenizer_offset, error));
        SLM_TRY(put(writer, writer->tokenizer_offset, writer->tokenizer.data, writer->tokenizer.length, error));
        end = writer->tokenizer_offset + writer->tokenizer.length;
    }
    if (writer->vocabulary.length > 0) {
        SLM_TRY(put_padding(writer, end, writer->vocabulary_offset, error));
        SLM_TRY(put(writer, writer->vocabulary_offset, writer->vocabulary.data, writer->vocabulary.length, error));
        end = writer->vocabulary_offset + writer->vocabulary.length;
    }
    return writer->tensor_count > 0 ? put_padding(writer, end, writer->data_offset, error) : SLM_OK;
}

slm_status slm__writer_write_tensor(struct slm_weight_writer *writer, uint32_t id, const void *data, size_t length, slm_error *error)
{
    if (!writer->begun || id >= writer->tensor_count) {
        return slm__fail(error, SLM_E_INTERNAL, "tensor number %u is written before the file was begun, or was not declared", id);
    }
    struct slm_writer_tensor *tensor = &writer->tensors[id];
    if (length > tensor->bytes - tensor->written) {
        return slm__fail(error, SLM_E_INTERNAL, "tensor \"%.*s\": %zu bytes after %llu are more than its %llu bytes",
                         SLM_SPAN_ARGS(tensor->name), length, (unsigned long long)tensor->written, (unsigned long long)tensor->bytes);
    }
    if (length == 0) {
        return SLM_OK;
    }
    SLM_TRY(put(writer, writer->data_offset + tensor->offset + tensor->written, data, length, error));
    tensor->crc = slm__crc32c(tensor->crc, data, length);
    tensor->written += length;
    return SLM_OK;
}

static slm_status put_directory(struct slm_weight_writer *writer, uint32_t *crc, slm_error *error)
{
    uint8_t *section = slm__arena_take(&writer->arena, (size_t)writer->directory_length);
    if (section == NULL) {
        return slm__arena_failure(&writer->arena, error);
    }
    slm__store_u32(section, writer->tensor_count);
    uint64_t end = SLM_TABLE_HEAD + (uint64_t)writer->tensor_count * SLM_TENSOR_BYTES;
    for (uint32_t i = 0; i < writer->tensor_count; i++) {
        const struct slm_writer_tensor *tensor = &writer->tensors[writer->tensor_order[i]];
        uint8_t *record = section + SLM_TABLE_HEAD + (size_t)i * SLM_TENSOR_BYTES;
        if (tensor->written != tensor->bytes) {
            return slm__fail(error, SLM_E_INTERNAL, "tensor \"%.*s\": only %llu of %llu bytes were written", SLM_SPAN_ARGS(tensor->name),
                             (unsigned long long)tensor->written, (unsigned long long)tensor->bytes);
        }
        slm__store_u32(record + SLM_TENSOR_NAME_OFFSET, (uint32_t)end);
        slm__store_u32(record + SLM_TENSOR_NAME_LENGTH, (uint32_t)tensor->name.length);
        slm__store_u32(record + SLM_TENSOR_KIND, tensor->kind);
        slm__store_u32(record + SLM_TENSOR_TYPE, tensor->type);
        slm__store_u32(record + SLM_TENSOR_ROWS, tensor->rows);
        slm__store_u32(record + SLM_TENSOR_COLS, tensor->cols);
        slm__store_u64(record + SLM_TENSOR_OFFSET, tensor->offset);
        slm__store_u64(record + SLM_TENSOR_LENGTH, tensor->bytes);
        slm__store_u32(record + SLM_TENSOR_CRC, tensor->crc);
        memcpy(section + end, tensor->name.data, tensor->name.length);
        end += tensor->name.length;
    }
    *crc = slm__crc32c(0, section, (size_t)writer->directory_length);
    return put(writer, writer->directory_offset, section, (size_t)writer->directory_length, error);
}

static uint8_t *put_entry(uint8_t *entry, uint32_t id, uint32_t flags, uint64_t offset, uint64_t length, uint32_t crc)
{
    slm__store_u32(entry + SLM_ENTRY_ID, id);
    slm__store_u32(entry + SLM_ENTRY_FLAGS, flags);
    slm__store_u64(entry + SLM_ENTRY_OFFSET, offset);
    slm__store_u64(entry + SLM_ENTRY_LENGTH, length);
    slm__store_u32(entry + SLM_ENTRY_CRC, crc);
    return entry + SLM_ENTRY_BYTES;
}

slm_status slm__writer_finish(struct slm_weight_writer *writer, slm_error *error)
{
    if (!writer->begun) {
        return slm__fail(error, SLM_E_INTERNAL, "the file is finished before it was begun");
    }
    uint32_t directory_crc = 0, length = header_length(writer);
    SLM_TRY(put_directory(writer, &directory_crc, error));
    uint8_t header[SLM_HEADER_BYTES + 5 * SLM_ENTRY_BYTES] = {0};
    memcpy(header + SLM_HEADER_MAGIC, SLM_FORMAT_MAGIC, sizeof SLM_FORMAT_MAGIC - 1);
    const bool newest = writer->vocabulary.length > 0;
    slm__store_u32(header + SLM_HEADER_VERSION, newest ? SLM_FORMAT_VOCABULARY : writer->minimum_reader);
    slm__store_u32(header + SLM_HEADER_MIN_READER, writer->minimum_reader);
    slm__store_u64(header + SLM_HEADER_FILE_SIZE, writer->file_size);
    slm__store_u32(header + SLM_HEADER_SECTIONS, section_count(writer));
    slm__store_u32(header + SLM_HEADER_LENGTH, length);
    uint8_t *entry = header + SLM_HEADER_BYTES;
    entry = put_entry(entry, SLM_SECTION_METADATA, 0, writer->metadata_offset, writer->metadata_length, writer->metadata_crc);
    entry = put_entry(entry, SLM_SECTION_DIRECTORY, 0, writer->directory_offset, writer->directory_length, directory_crc);
    if (writer->tokenizer.length > 0) {
        uint32_t crc = slm__crc32c(0, writer->tokenizer.data, writer->tokenizer.length);
        entry = put_entry(entry, SLM_SECTION_TOKENIZER, 0, writer->tokenizer_offset, writer->tokenizer.length, crc);
    }
    if (writer->vocabulary.length > 0) {
        uint32_t crc = slm__crc32c(0, writer->vocabulary.data, writer->vocabulary.length);
        entry = put_entry(entry, SLM_SECTION_VOCABULARY, 0, writer->vocabulary_offset, writer->vocabulary.length, crc);
    }
    if (writer->tensor_count > 0) {
        put_entry(entry, SLM_SECTION_DATA, SLM_SECTION_PAGE, writer->data_offset, writer->data_length, 0);
    }
    slm__store_u32(header + SLM_HEADER_CRC, slm__crc32c(0, header, length));
    return put(writer, 0, header, length, error);
}
