/* SPDX-License-Identifier: MIT */
/*
 * The head's length is not written anywhere, so it is read in growing windows: when the parser needs more than the window and the file has
 * it, the window is enlarged and parsing starts again. Counts and lengths are compared with what is left of the file before anything is
 * taken for them.
 */
#include "import/gguf_reader.h"

#include "base/byte_reader.h" /* slm__load_u32, slm__load_u64 */
#include "base/heap_sort.h"   /* slm__heap_sort */
#include <inttypes.h>         /* PRIu64 */

static const size_t FIRST_WINDOW = (size_t)1 << 20;
static const uint64_t HEAD_LIMIT = (uint64_t)256 << 20;
static const size_t KEYS_LIMIT = (size_t)256 << 20;

enum { ARRAY_DEPTH = 4, DIMENSIONS = 4, NAME_BYTES = 65535, DEFAULT_ALIGNMENT = 32, MAGIC_BYTES = 4 };

static const uint8_t value_bytes[SLM_GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}; /* 0: string, array */

/* A cursor over the head. */
struct head_parser {
    const uint8_t *window;
    uint64_t window_bytes;
    uint64_t file_bytes;
    uint64_t position;
    uint64_t wanted; /* not 0: the window is too small, this many bytes are needed */
    slm_error *error;
};

static slm_status too_short(struct head_parser *parser, const char *what)
{
    return slm__fail(parser->error, SLM_E_TRUNCATED, "the file ends inside %s (byte %" PRIu64 " of %" PRIu64 ")", what, parser->position,
                     parser->file_bytes);
}

/* The next `count` bytes in *bytes. */
static slm_status take(struct head_parser *parser, uint64_t count, const char *what, const uint8_t **bytes)
{
    if (count > parser->file_bytes - parser->position) {
        return too_short(parser, what);
    }
    if (count > parser->window_bytes - parser->position) {
        parser->wanted = parser->position + count;
        if (parser->wanted > HEAD_LIMIT) {
            return slm__fail(parser->error, SLM_E_LIMIT, "keys and tensor entries take more than %" PRIu64 " bytes", HEAD_LIMIT);
        }
        return SLM_E_TRUNCATED; /* seen by the caller, who reads more */
    }
    *bytes = parser->window + parser->position;
    parser->position += count;
    return SLM_OK;
}

static slm_status take_u32(struct head_parser *parser, const char *what, uint32_t *value)
{
    const uint8_t *bytes = NULL;
    SLM_TRY(take(parser, 4, what, &bytes));
    *value = slm__load_u32(bytes);
    return SLM_OK;
}

static slm_status take_u64(struct head_parser *parser, const char *what, uint64_t *value)
{
    const uint8_t *bytes = NULL;
    SLM_TRY(take(parser, 8, what, &bytes));
    *value = slm__load_u64(bytes);
    return SLM_OK;
}

static slm_status take_string(struct head_parser *parser, const char *what, struct slm_span *text)
{
    uint64_t length = 0;
    const uint8_t *bytes = NULL;
    SLM_TRY(take_u64(parser, what, &length));
    if (length > parser->file_bytes - parser->position) {
        return slm__fail(parser->error, SLM_E_TRUNCATED, "%s: a string of %" PRIu64 " bytes passes the end of the file", what, length);
    }
    SLM_TRY(take(parser, length, what, &bytes));
    *text = slm__span(bytes, (size_t)length);
    return SLM_OK;
}

/* ---- keys */

/* Skip the items of an array; recursion is at most ARRAY_DEPTH deep. */
static slm_status skip_items(struct head_parser *parser, uint32_t item_type, uint64_t count, int depth)
{
    const char *what = "an array";
    const uint8_t *bytes = NULL;
    if (item_type >= SLM_GGUF_TYPES) {
        return slm__fail(parser->error, SLM_E_BAD_VALUE, "value type %" PRIu32 " of an array's items is unknown", item_type);
    }
    if (depth > ARRAY_DEPTH) {
        return slm__fail(parser->error, SLM_E_LIMIT, "arrays nest deeper than %d", ARRAY_DEPTH);
    }
    const uint64_t least = item_type == SLM_GGUF_STRING ? 8 : item_type == SLM_GGUF_ARRAY ? 12 : value_bytes[item_type];
    uint64_t total;
    if (!slm__u64_mul(count, least, &total) || total > parser->file_bytes - parser->position) {
        return slm__fail(parser->error, SLM_E_TRUNCATED, "an array of %" PRIu64 " items passes the end of the file", count);
    }
    if (item_type != SLM_GGUF_STRING && item_type != SLM_GGUF_ARRAY) {
        return take(parser, total, what, &bytes);
    }
    for (uint64_t i = 0; i < count; i++) {
        if (item_type == SLM_GGUF_STRING) {
            struct slm_span text;
            SLM_TRY(take_string(parser, what, &text));
        } else {
            uint32_t inner_type = 0;
            uint64_t inner_count = 0;
            SLM_TRY(take_u32(parser, what, &inner_type));
            SLM_TRY(take_u64(parser, what, &inner_count));
            SLM_TRY(skip_items(parser, inner_type, inner_count, depth + 1));
        }
    }
    return SLM_OK;
}

static slm_status parse_value(struct head_parser *parser, struct slm_gguf_key *key)
{
    const uint8_t *bytes = NULL;
    switch (key->type) {
    case SLM_GGUF_STRING: return take_string(parser, "a value", &key->value);
    case SLM_GGUF_ARRAY: {
        SLM_TRY(take_u32(parser, "an array", &key->item_type));
        SLM_TRY(take_u64(parser, "an array", &key->count));
        const uint64_t begin = parser->position;
        SLM_TRY(skip_items(parser, key->item_type, key->count, 1));
        key->value = slm__span(parser->window + begin, (size_t)(parser->position - begin));
        return SLM_OK;
    }
    default:
        if (key->type >= SLM_GGUF_TYPES) {
            return slm__fail(parser->error, SLM_E_BAD_VALUE, "value type %" PRIu32 " is unknown", key->type);
        }
        SLM_TRY(take(parser, value_bytes[key->type], "a value", &bytes));
        key->value = slm__span(bytes, value_bytes[key->type]);
        return SLM_OK;
    }
}

static slm_status parse_keys(struct slm_gguf *gguf, struct head_parser *parser, uint64_t count)
{
    gguf->keys = slm__arena_take(&gguf->arena, (size_t)count * sizeof *gguf->keys); /* count <= file size / 13 */
    if (gguf->keys == NULL) {
        return slm__arena_failure(&gguf->arena, parser->error);
    }
    for (gguf->key_count = 0; gguf->key_count < count; gguf->key_count++) {
        struct slm_gguf_key *key = &gguf->keys[gguf->key_count];
        SLM_TRY(take_string(parser, "a key", &key->name));
        SLM_TRY(take_u32(parser, "a key's type", &key->type));
        const slm_status status = parse_value(parser, key);
        if (status != SLM_OK) {
            return parser->wanted != 0 ? status : slm__fail_in(parser->error, status, "key %.*s", SLM_SPAN_ARGS(key->name));
        }
    }
    return SLM_OK;
}

static bool key_less(const void *items, uint32_t a, uint32_t b)
{
    const struct slm_gguf_key *keys = items;
    return slm__span_order(keys[a].name, keys[b].name) < 0;
}

static void key_swap(void *items, uint32_t a, uint32_t b)
{
    struct slm_gguf_key *keys = items, saved = keys[a];
    keys[a] = keys[b];
    keys[b] = saved;
}

static slm_status sort_keys(struct slm_gguf *gguf, slm_error *error)
{
    slm__heap_sort(gguf->keys, gguf->key_count, key_less, key_swap);
    for (uint32_t i = 1; i < gguf->key_count; i++) {
        if (slm__span_equal(gguf->keys[i - 1].name, gguf->keys[i].name)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "key %.*s is given twice", SLM_SPAN_ARGS(gguf->keys[i].name));
        }
    }
    return SLM_OK;
}

/* ---- tensor entries */

static slm_status check_type(struct head_parser *parser, struct slm_source_tensor *tensor, uint32_t type)
{
    tensor->type = slm__value_type_of_gguf(type);
    if (tensor->type != NULL) {
        return SLM_OK;
    }
    const char *removed = slm__gguf_removed_type(type);
    if (removed != NULL) {
        return slm__fail(parser->error, SLM_E_UNSUPPORTED, "tensor %.*s has type %" PRIu32 " (%s), which was removed from the format",
                         SLM_SPAN_ARGS(tensor->name), type, removed);
    }
    return slm__fail(parser->error, SLM_E_BAD_VALUE, "type %" PRIu32 " of tensor %.*s is unknown", type, SLM_SPAN_ARGS(tensor->name));
}

/* GGUF's first dimension is the row length; ours is the last. */
static slm_status parse_shape(struct head_parser *parser, struct slm_source_tensor *tensor, uint64_t *values)
{
    const struct slm_span name = tensor->name;
    SLM_TRY(take_u32(parser, "a tensor's entry", &tensor->dimensions));
    if (tensor->dimensions > DIMENSIONS) {
        return slm__fail(parser->error, SLM_E_BAD_VALUE, "tensor %.*s has %" PRIu32 " dimensions, the format allows %d",
                         SLM_SPAN_ARGS(name), tensor->dimensions, DIMENSIONS);
    }
    if (tensor->dimensions == 0) {
        return slm__fail(parser->error, SLM_E_BAD_VALUE, "tensor %.*s has no dimensions", SLM_SPAN_ARGS(name));
    }
    *values = 1;
    for (uint32_t i = tensor->dimensions; i > 0; i--) {
        SLM_TRY(take_u64(parser, "a tensor's entry", &tensor->shape[i - 1]));
        if (tensor->shape[i - 1] == 0) {
            return slm__fail(parser->error, SLM_E_BAD_VALUE, "a dimension of tensor %.*s is 0", SLM_SPAN_ARGS(name));
        }
        if (!slm__u64_mul(*values, tensor->shape[i - 1], values)) {
            return slm__fail(parser->error, SLM_E_BAD_VALUE, "the number of values of tensor %.*s does not fit into 64 bits",
                             SLM_SPAN_ARGS(name));
        }
    }
    return SLM_OK;
}

static slm_status parse_tensor(struct head_parser *parser, struct slm_source_tensor *tensor)
{
    uint32_t type = 0;
    uint64_t values = 0;
    SLM_TRY(take_string(parser, "a tensor's name", &tensor->name));
    SLM_TRY(parse_shape(parser, tensor, &values));
    SLM_TRY(take_u32(parser, "a tensor's entry", &type));
    SLM_TRY(take_u64(parser, "a tensor's entry", &tensor->offset));
    SLM_TRY(check_type(parser, tensor, type));
    const uint64_t row = tensor->shape[tensor->dimensions - 1];
    if (row % tensor->type->block_values != 0) {
        return slm__fail(parser->error, SLM_E_BAD_VALUE, "a row of tensor %.*s has %" PRIu64 " values, no whole number of %s blocks of %u",
                         SLM_SPAN_ARGS(tensor->name), row, tensor->type->name, (unsigned)tensor->type->block_values);
    }
    if (!slm__u64_mul(values / tensor->type->block_values, tensor->type->block_bytes, &tensor->bytes)) {
        return slm__fail(parser->error, SLM_E_BAD_VALUE, "the size of tensor %.*s does not fit into 64 bits", SLM_SPAN_ARGS(tensor->name));
    }
    return SLM_OK;
}

static slm_status parse_tensors(struct slm_tensor_set *set, uint32_t file, struct head_parser *parser, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct slm_source_tensor *tensor = slm__tensor_set_add(set);
        if (tensor == NULL) {
            return slm__arena_failure(&set->arena, parser->error);
        }
        tensor->file = file;
        SLM_TRY(parse_tensor(parser, tensor));
        const char *name = slm__arena_text(&set->arena, tensor->name); /* the window goes, names stay */
        if (name == NULL) {
            return slm__arena_failure(&set->arena, parser->error);
        }
        tensor->name = slm__span(name, tensor->name.length);
    }
    return SLM_OK;
}

static slm_status place_tensors(const struct slm_gguf *gguf, struct slm_tensor_set *set, uint32_t first, const struct head_parser *parser)
{
    uint64_t alignment = DEFAULT_ALIGNMENT;
    const struct slm_gguf_key *key = slm__gguf_find(gguf, "general.alignment");
    if (key != NULL && (key->type != SLM_GGUF_U32 || !slm__gguf_u64(key, &alignment))) {
        return slm__fail(parser->error, SLM_E_BAD_VALUE, "general.alignment is no u32");
    }
    if (alignment < 1 || alignment > 1u << 24 || (alignment & (alignment - 1)) != 0) {
        return slm__fail(parser->error, SLM_E_BAD_VALUE, "general.alignment is %" PRIu64 ", a power of two up to 2^24 is expected",
                         alignment);
    }
    const uint64_t data = slm__round_up(parser->position, alignment);
    for (uint32_t i = first; i < set->tensor_count; i++) {
        struct slm_source_tensor *tensor = &set->tensors[i];
        if (tensor->offset % alignment != 0) {
            return slm__fail(parser->error, SLM_E_BAD_VALUE,
                             "the offset %" PRIu64 " of tensor %.*s is no multiple of the alignment %" PRIu64, tensor->offset,
                             SLM_SPAN_ARGS(tensor->name), alignment);
        }
        uint64_t end;
        if (!slm__u64_add(tensor->offset, data, &tensor->offset) || !slm__u64_add(tensor->offset, tensor->bytes, &end) ||
            end > parser->file_bytes) {
            return slm__fail(parser->error, SLM_E_TRUNCATED,
                             "tensor %.*s (%" PRIu64 " bytes) passes the end of the file of %" PRIu64 " bytes", SLM_SPAN_ARGS(tensor->name),
                             tensor->bytes, parser->file_bytes);
        }
    }
    return SLM_OK;
}

/* ---- the head */

static slm_status parse_counts(struct head_parser *parser, uint64_t *tensors, uint64_t *keys)
{
    const uint8_t *magic = NULL;
    uint32_t version = 0;
    SLM_TRY(take(parser, MAGIC_BYTES, "the magic", &magic));
    if (memcmp(magic, "GGUF", MAGIC_BYTES) != 0) {
        return slm__fail(parser->error, SLM_E_BAD_MAGIC, "the file does not begin with GGUF: it is no model that can be converted");
    }
    SLM_TRY(take_u32(parser, "the version", &version));
    if (version != 2 && version != 3) {
        return slm__fail(parser->error, SLM_E_VERSION, "GGUF version %" PRIu32 " is not supported (supported: 2 and 3, little-endian)",
                         version);
    }
    SLM_TRY(take_u64(parser, "the counts", tensors));
    SLM_TRY(take_u64(parser, "the counts", keys));
    const uint64_t left = parser->file_bytes - parser->position;
    if (*keys > left / 13) { /* length of the name, type, one byte of value */
        return slm__fail(parser->error, SLM_E_BAD_VALUE, "%" PRIu64 " keys cannot be in a file of %" PRIu64 " bytes", *keys,
                         parser->file_bytes);
    }
    if (*tensors > left / 32) { /* length of the name, dimensions, one dimension, type, offset */
        return slm__fail(parser->error, SLM_E_BAD_VALUE, "%" PRIu64 " tensors cannot be in a file of %" PRIu64 " bytes", *tensors,
                         parser->file_bytes);
    }
    return SLM_OK;
}

static slm_status parse_head(struct slm_gguf *gguf, struct slm_tensor_set *set, uint32_t file, struct head_parser *parser)
{
    const uint32_t first = set->tensor_count;
    uint64_t tensors = 0, keys = 0;
    SLM_TRY(parse_counts(parser, &tensors, &keys));
    SLM_TRY(parse_keys(gguf, parser, keys));
    SLM_TRY(parse_tensors(set, file, parser, tensors));
    SLM_TRY(sort_keys(gguf, parser->error));
    return place_tensors(gguf, set, first, parser);
}

static slm_status read_window(struct slm_gguf *gguf, const struct slm_file *file, uint64_t bytes, slm_error *error)
{
    slm__release(gguf->memory, gguf->head, gguf->head_bytes);
    gguf->head_bytes = (size_t)(bytes < file->size ? bytes : file->size);
    gguf->head = slm__allocate(gguf->memory, gguf->head_bytes, 64);
    if (gguf->head == NULL && gguf->head_bytes > 0) {
        const uint64_t wanted = gguf->head_bytes;
        gguf->head_bytes = 0;
        return slm__fail_memory(error, wanted);
    }
    return gguf->head_bytes > 0 ? slm__file_read(file, 0, gguf->head, gguf->head_bytes, error) : SLM_OK;
}

static slm_status read_head(struct slm_gguf *gguf, struct slm_tensor_set *set, uint32_t file, slm_error *error)
{
    const struct slm_file *source = &set->files[file].file;
    const uint32_t first = set->tensor_count;
    for (uint64_t window = FIRST_WINDOW;;) {
        SLM_TRY(read_window(gguf, source, window, error));
        slm__arena_free(&gguf->arena);
        set->tensor_count = first;
        struct head_parser parser = {gguf->head, gguf->head_bytes, source->size, 0, 0, error};
        const slm_status status = parse_head(gguf, set, file, &parser);
        if (status == SLM_OK || parser.wanted == 0 || parser.wanted > HEAD_LIMIT) {
            return status;
        }
        window = 4 * window > parser.wanted ? 4 * window : parser.wanted;
    }
}

slm_status slm__gguf_open(struct slm_gguf *gguf, struct slm_tensor_set *set, const struct slm_memory *memory, const char *path,
                          slm_error *error)
{
    uint32_t file;
    memset(gguf, 0, sizeof *gguf);
    gguf->memory = memory;
    slm__arena_init(&gguf->arena, memory, KEYS_LIMIT);
    SLM_TRY(slm__tensor_set_open(set, path, &file, error));
    const slm_status status = read_head(gguf, set, file, error);
    if (status != SLM_OK) {
        return slm__fail_in(error, status, "%s", set->files[file].name);
    }
    SLM_TRY(slm__tensor_set_sort(set, error)); /* before the places: of a tensor given twice, both would lie at one */
    return slm__tensor_set_check_layout(set, file, 0, 0, error);
}

void slm__gguf_free(struct slm_gguf *gguf)
{
    if (gguf->memory != NULL) {
        slm__release(gguf->memory, gguf->head, gguf->head_bytes);
        slm__arena_free(&gguf->arena);
        memset(gguf, 0, sizeof *gguf);
    }
}
