/* SPDX-License-Identifier: MIT */
/* Every number of the header is checked against shape, type, neighbours and file before it is believed; the reference library
 * (huggingface/safetensors) refuses the same files. */
#include "import/safetensors_reader.h"

#include "base/byte_reader.h" /* slm__load_u64 */
#include "base/json.h"        /* slm__json_parse */
#include "base/heap_sort.h"   /* slm__heap_sort */
#include <inttypes.h>         /* PRIu64 */
#include <stdio.h>            /* snprintf into a buffer */

static const uint64_t HEADER_LIMIT = 100000000;         /* bytes, as the reference library has it */
static const size_t TREE_LIMIT = (size_t)1 << 30;       /* of the parsed header */
static const uint64_t INDEX_LIMIT = (uint64_t)64 << 20; /* bytes of model.safetensors.index.json */

/* A number written with digits alone. */
static bool parse_count(const struct slm_json *value, uint64_t *result)
{
    if (value == NULL || value->type != SLM_JSON_NUMBER) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < value->text.length; i++) {
        const uint8_t digit = (uint8_t)(value->text.data[i] - '0');
        if (digit > 9 || !slm__u64_mul(number, 10, &number) || !slm__u64_add(number, digit, &number)) {
            return false;
        }
    }
    *result = number;
    return true;
}

static slm_status parse_shape(const struct slm_json *shape, struct slm_source_tensor *tensor, uint64_t *values, slm_error *error)
{
    const struct slm_span name = tensor->name;
    if (shape == NULL || shape->type != SLM_JSON_ARRAY) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tensor %.*s has no \"shape\" that is an array", SLM_SPAN_ARGS(name));
    }
    if (shape->count > SLM_TENSOR_DIMENSIONS) {
        return slm__fail(error, SLM_E_LIMIT, "tensor %.*s has %" PRIu32 " dimensions, at most %d are supported", SLM_SPAN_ARGS(name),
                         shape->count, SLM_TENSOR_DIMENSIONS);
    }
    *values = 1;
    tensor->dimensions = shape->count;
    for (uint32_t i = 0; i < shape->count; i++) {
        if (!parse_count(&shape->items[i], &tensor->shape[i])) {
            return slm__fail(error, SLM_E_BAD_VALUE, "dimension %.*s of tensor %.*s is no size (an integer from 0 to 2^64-1)",
                             SLM_SPAN_ARGS(shape->items[i].text), SLM_SPAN_ARGS(name));
        }
        if (!slm__u64_mul(*values, tensor->shape[i], values)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "the product of the shape of tensor %.*s does not fit into 64 bits",
                             SLM_SPAN_ARGS(name));
        }
    }
    return SLM_OK;
}

/* The size that type and shape need. */
static slm_status shape_bytes(const struct slm_source_tensor *tensor, uint64_t values, uint64_t *bytes, slm_error *error)
{
    if (values % tensor->type->block_values != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tensor %.*s has %" PRIu64 " values of type %s, no whole number of bytes",
                         SLM_SPAN_ARGS(tensor->name), values, tensor->type->name);
    }
    if (!slm__u64_mul(values / tensor->type->block_values, tensor->type->block_bytes, bytes)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the size of tensor %.*s does not fit into 64 bits", SLM_SPAN_ARGS(tensor->name));
    }
    return SLM_OK;
}

/* data_offsets: [begin, end) in the data of `data_bytes` bytes, which begin at `data_begin` of the file. */
static slm_status parse_place(const struct slm_json *offsets, struct slm_source_tensor *tensor, uint64_t needed, uint64_t data_begin,
                              uint64_t data_bytes, slm_error *error)
{
    const struct slm_span name = tensor->name;
    uint64_t begin, end;
    if (offsets == NULL || offsets->type != SLM_JSON_ARRAY || offsets->count != 2 || !parse_count(&offsets->items[0], &begin) ||
        !parse_count(&offsets->items[1], &end)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "\"data_offsets\" of tensor %.*s is no pair of integers", SLM_SPAN_ARGS(name));
    }
    if (begin > end) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tensor %.*s ends (%" PRIu64 ") before it begins (%" PRIu64 ")", SLM_SPAN_ARGS(name), end,
                         begin);
    }
    if (end > data_bytes) {
        return slm__fail(error, SLM_E_TRUNCATED, "tensor %.*s ends at byte %" PRIu64 " of the data, which has %" PRIu64 " bytes",
                         SLM_SPAN_ARGS(name), end, data_bytes);
    }
    if (end - begin != needed) {
        return slm__fail(error, SLM_E_BAD_VALUE, "tensor %.*s has %" PRIu64 " bytes where its shape and type %s need %" PRIu64,
                         SLM_SPAN_ARGS(name), end - begin, tensor->type->name, needed);
    }
    tensor->offset = data_begin + begin;
    tensor->bytes = needed;
    return SLM_OK;
}

static slm_status parse_tensor(struct slm_tensor_set *set, uint32_t file, struct slm_span name, const struct slm_json *entry,
                               uint64_t data_begin, slm_error *error)
{
    if (entry->type != SLM_JSON_OBJECT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the entry of tensor %.*s is no object", SLM_SPAN_ARGS(name));
    }
    if (entry->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the entry of tensor %.*s has a key twice", SLM_SPAN_ARGS(name));
    }
    struct slm_source_tensor *tensor = slm__tensor_set_add(set);
    const char *copy = tensor != NULL ? slm__arena_text(&set->arena, name) : NULL;
    if (copy == NULL) {
        return slm__arena_failure(&set->arena, error);
    }
    tensor->name = slm__span(copy, name.length);
    tensor->file = file;
    const struct slm_json *dtype = slm__json_get(entry, "dtype");
    tensor->type = dtype != NULL && dtype->type == SLM_JSON_STRING ? slm__value_type_of_dtype(dtype->text) : NULL;
    if (tensor->type == NULL) {
        const struct slm_span shown = dtype != NULL && dtype->type == SLM_JSON_STRING ? dtype->text : slm__span_text("(no text)");
        return slm__fail(error, SLM_E_BAD_VALUE, "dtype %.*s of tensor %.*s is unknown", SLM_SPAN_ARGS(shown), SLM_SPAN_ARGS(name));
    }
    uint64_t values, needed;
    SLM_TRY(parse_shape(slm__json_get(entry, "shape"), tensor, &values, error));
    SLM_TRY(shape_bytes(tensor, values, &needed, error));
    return parse_place(slm__json_get(entry, "data_offsets"), tensor, needed, data_begin, set->files[file].file.size - data_begin, error);
}

static slm_status parse_header(struct slm_tensor_set *set, uint32_t file, const struct slm_json *header, uint64_t data_begin,
                               slm_error *error)
{
    if (header->type != SLM_JSON_OBJECT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the header is no JSON object");
    }
    uint32_t metadata = 0;
    for (uint32_t i = 0; i < header->count; i++) {
        if (slm__span_is(header->keys[i], "__metadata__")) {
            metadata++;
        } else {
            SLM_TRY(parse_tensor(set, file, header->keys[i], &header->items[i], data_begin, error));
        }
    }
    return metadata <= 1 ? SLM_OK : slm__fail(error, SLM_E_BAD_VALUE, "\"__metadata__\" is there twice");
}

/* Read the header's `length` bytes, parse them, add the tensors. */
static slm_status read_header(struct slm_tensor_set *set, const struct slm_memory *memory, uint32_t file, uint64_t length, slm_error *error)
{
    uint8_t *text = slm__allocate(memory, (size_t)length, 64);
    if (text == NULL) {
        return slm__fail_memory(error, length);
    }
    struct slm_arena tree;
    slm__arena_init(&tree, memory, TREE_LIMIT);
    const struct slm_json *header = NULL;
    slm_status status = slm__file_read(&set->files[file].file, 8, text, (size_t)length, error);
    if (status == SLM_OK) {
        status = slm__json_parse(&tree, slm__span(text, (size_t)length), &header, error);
        if (status != SLM_OK) {
            slm__fail_in(error, status, "the header");
        }
    }
    if (status == SLM_OK) {
        status = parse_header(set, file, header, 8 + length, error);
    }
    slm__arena_free(&tree);
    slm__release(memory, text, (size_t)length);
    return status;
}

static slm_status check_header_length(const struct slm_file *file, uint64_t *length, slm_error *error)
{
    uint8_t bytes[8];
    if (file->size == 0) {
        return slm__fail(error, SLM_E_TRUNCATED, "the file is empty, a safetensors file begins with 8 bytes of header length");
    }
    if (file->size < 8) {
        return slm__fail(error, SLM_E_TRUNCATED, "the file ends inside the header length (%" PRIu64 " of 8 bytes)", file->size);
    }
    SLM_TRY(slm__file_read(file, 0, bytes, 8, error));
    *length = slm__load_u64(bytes);
    if (memcmp(bytes, "version ", 8) == 0) {
        return slm__fail(error, SLM_E_BAD_MAGIC, "it is a pointer of Git LFS, not the file itself: fetch it (git lfs pull)");
    }
    if (*length > HEADER_LIMIT) {
        return slm__fail(error, SLM_E_LIMIT, "the header length is %" PRIu64 " bytes, the limit is %" PRIu64, *length, HEADER_LIMIT);
    }
    if (*length > file->size - 8) {
        return slm__fail(error, SLM_E_TRUNCATED, "the header has %" PRIu64 " bytes, the file ends after %" PRIu64 " of them", *length,
                         file->size - 8);
    }
    if (*length == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the header is empty, a JSON object is expected");
    }
    return SLM_OK;
}

slm_status slm__safetensors_add_file(struct slm_tensor_set *set, const struct slm_memory *memory, const char *path, slm_error *error)
{
    uint32_t file;
    uint64_t length = 0;
    SLM_TRY(slm__tensor_set_open(set, path, &file, error));
    slm_status status = check_header_length(&set->files[file].file, &length, error);
    if (status == SLM_OK) {
        status = read_header(set, memory, file, length, error);
    }
    if (status != SLM_OK) {
        return slm__fail_in(error, status, "%s", set->files[file].name);
    }
    SLM_TRY(slm__tensor_set_sort(set, error)); /* before the places: of a tensor given twice, both would lie at one */
    return slm__tensor_set_check_layout(set, file, 8 + length, set->files[file].file.size, error);
}

/* ---- shards */

static bool file_less(const void *items, uint32_t a, uint32_t b)
{
    const struct slm_span *names = items;
    const size_t shorter = names[a].length < names[b].length ? names[a].length : names[b].length;
    const int order = shorter == 0 ? 0 : memcmp(names[a].data, names[b].data, shorter);
    return order != 0 ? order < 0 : names[a].length < names[b].length;
}

static void swap_files(void *items, uint32_t a, uint32_t b)
{
    struct slm_span *names = items, saved = names[a];
    names[a] = names[b];
    names[b] = saved;
}

/* A name in the same folder: no separator, not "." or "..", not too long. */
static bool is_plain_name(struct slm_span name)
{
    if (name.length == 0 || name.length > 255 || name.data[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < name.length; i++) {
        if (name.data[i] == '/' || name.data[i] == '\\' || name.data[i] < 32) {
            return false;
        }
    }
    return true;
}

static slm_status open_shards(struct slm_tensor_set *set, const struct slm_memory *memory, const char *folder, struct slm_arena *tree,
                              const struct slm_json *map, slm_error *error)
{
    struct slm_span *names = slm__arena_take(tree, map->count * sizeof *names);
    if (names == NULL) {
        return slm__arena_failure(tree, error);
    }
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->items[i].type != SLM_JSON_STRING || !is_plain_name(map->items[i].text)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "\"weight_map\" gives no file name in this folder for %.*s",
                             SLM_SPAN_ARGS(map->keys[i]));
        }
        names[i] = map->items[i].text;
    }
    slm__heap_sort(names, map->count, file_less, swap_files);
    for (uint32_t i = 0; i < map->count; i++) {
        if (i > 0 && slm__span_equal(names[i - 1], names[i])) {
            continue;
        }
        char path[SLM_PATH_BYTES];
        const int length = snprintf(path, sizeof path, "%s/%.*s", folder, (int)names[i].length, (const char *)names[i].data);
        if (length < 0 || (size_t)length >= sizeof path) {
            return slm__fail(error, SLM_E_LIMIT, "the path of %.*s is too long", SLM_SPAN_ARGS(names[i]));
        }
        SLM_TRY(slm__safetensors_add_file(set, memory, path, error));
    }
    return SLM_OK;
}

static slm_status check_map(const struct slm_tensor_set *set, struct slm_arena *tree, const struct slm_json *map, slm_error *error)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const char *name = slm__arena_text(tree, map->keys[i]);
        if (name == NULL) {
            return slm__arena_failure(tree, error);
        }
        const struct slm_source_tensor *tensor = slm__tensor_set_find(set, name);
        if (tensor == NULL || !slm__span_is(map->items[i].text, set->files[tensor->file].name)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "\"weight_map\" says that tensor %.*s lies in %.*s, where it is not",
                             SLM_SPAN_ARGS(map->keys[i]), SLM_SPAN_ARGS(map->items[i].text));
        }
    }
    return SLM_OK;
}

static slm_status add_shards(struct slm_tensor_set *set, const struct slm_memory *memory, const char *folder, struct slm_arena *tree,
                             struct slm_span text, slm_error *error)
{
    const struct slm_json *index = NULL;
    SLM_TRY(slm__json_parse(tree, text, &index, error));
    const struct slm_json *map = slm__json_get(index, "weight_map");
    if (map == NULL || map->type != SLM_JSON_OBJECT || map->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "\"weight_map\" is no object with each tensor once");
    }
    SLM_TRY(open_shards(set, memory, folder, tree, map, error));
    return check_map(set, tree, map, error);
}

slm_status slm__safetensors_add_shards(struct slm_tensor_set *set, const struct slm_memory *memory, const char *folder,
                                       const char *index_path, slm_error *error)
{
    struct slm_span text = {NULL, 0};
    SLM_TRY(slm__file_load(index_path, memory, INDEX_LIMIT, &text, error));
    struct slm_arena tree;
    slm__arena_init(&tree, memory, TREE_LIMIT);
    const slm_status status = add_shards(set, memory, folder, &tree, text, error);
    slm__arena_free(&tree);
    slm__release(memory, (void *)(uintptr_t)text.data, text.length);
    return status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "%s", "model.safetensors.index.json");
}
