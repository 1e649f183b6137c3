/* SPDX-License-Identifier: MIT */
/*
 * safetensors (see cli_safetensors.h): 8 bytes header length N, N bytes of JSON, then the tensors' bytes, all
 * little-endian; floats and ints are written as they lie in memory, since libslm's machines are little-endian.
 */
#include "examples/cli/cli_safetensors.h" /* struct cli_safetensors_writer */

#include "examples/cli/cli_input.h"  /* cli_input_read */
#include "examples/cli/cli_json.h"   /* struct cli_json */
#include "examples/cli/cli_output.h" /* cli_fail */
#include "examples/cli/cli_system.h" /* cli_file_seek */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_LIMIT = 100 * 1000 * 1000 }; /* bytes of a header that is read */

static uint64_t read_u64(const char bytes[8])
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) {
        value = value << 8 | (unsigned char)bytes[i];
    }
    return value;
}

/* Where the tensor `name` of values of four bytes lies in the data, from the parsed header. NULL, or what is wrong. */
static const char *locate(const struct cli_json *json, const char *name, const char *dtype, uint64_t data_bytes, uint64_t *start,
                          uint64_t *count)
{
    const int ids = strcmp(dtype, "I32") == 0;
    const struct cli_json_value *tensor = cli_json_member(json, json->values, name);
    if (tensor == NULL) {
        return ids ? "the tensor is missing; it must hold int32 token ids of shape [n]" : "the tensor is missing";
    }
    const struct cli_json_value *type = cli_json_member(json, tensor, "dtype");
    const struct cli_json_value *shape = cli_json_member(json, tensor, "shape");
    const struct cli_json_value *offsets = cli_json_member(json, tensor, "data_offsets");
    if (type == NULL || type->kind != CLI_JSON_STRING || type->length != 3 || memcmp(type->text, dtype, 3) != 0) {
        return ids ? "the tensor must have dtype I32" : "the tensor must have dtype F32";
    }
    if (shape == NULL || shape->kind != CLI_JSON_ARRAY || (ids && shape->length != 1)) {
        return "the tensor must have one dimension";
    }
    int64_t size = 1;
    for (size_t i = 0; i < shape->length; i++) {
        int64_t side = 0;
        if (cli_json_integer(shape + 1 + i, 0, INT32_MAX, &side) != 0 || side > INT32_MAX / (size > 0 ? size : 1)) {
            return ids ? "the tensor must have one dimension" : "the tensor's shape is not possible";
        }
        size *= side;
    }
    int64_t from = 0;
    int64_t to = 0;
    if (offsets == NULL || offsets->kind != CLI_JSON_ARRAY || offsets->length != 2 ||
        cli_json_integer(offsets + 1, 0, INT64_MAX, &from) != 0 || cli_json_integer(offsets + 2, from, INT64_MAX, &to) != 0 ||
        (uint64_t)to > data_bytes || to - from != size * 4) {
        return "the tensor's data_offsets do not fit its shape or the file";
    }
    *start = (uint64_t)from;
    *count = (uint64_t)size;
    return NULL;
}

static const char *parse(const char *bytes, size_t length, const char *name, const char *dtype, void **values, size_t *count)
{
    if (length < 8 || read_u64(bytes) > length - 8 || read_u64(bytes) > HEADER_LIMIT) {
        return "this is no safetensors file, or it is truncated";
    }
    const size_t header = (size_t)read_u64(bytes);
    struct cli_json json = {0};
    uint64_t start = 0;
    uint64_t size = 0;
    const char *wrong = "the header is no JSON object";
    if (cli_json_parse(&json, bytes + 8, header) == 0 && json.values[0].kind == CLI_JSON_OBJECT) {
        wrong = locate(&json, name, dtype, length - 8 - header, &start, &size);
    }
    cli_json_free(&json);
    if (wrong != NULL) {
        return wrong;
    }
    *count = (size_t)size;
    *values = calloc(*count + 1, 4);
    if (*values == NULL) {
        return "memory could not be allocated";
    }
    memcpy(*values, bytes + 8 + header + start, *count * 4);
    return NULL;
}

int cli_safetensors_read(const char *command, const char *path, const char *name, const char *dtype, void **values, size_t *count)
{
    struct cli_text bytes = {0};
    int code = cli_input_read(command, path, "a safetensors file", &bytes);
    const char *wrong = code < 0 ? parse(bytes.bytes, bytes.length, name, dtype, values, count) : NULL;
    code = wrong != NULL ? cli_fail(command, "%s: tensor '%s': %s", path, name, wrong) : code;
    cli_text_free(&bytes);
    return code;
}

/* Header length and header, padded with blanks to 8 bytes. */
static void build_header(struct cli_safetensors_writer *writer, struct cli_text *header, const char *const *names, const uint64_t *columns,
                         size_t count, uint64_t rows)
{
    uint64_t offset = 0;
    cli_text_add(header, "\0\0\0\0\0\0\0\0{", 9);
    for (size_t i = 0; i < count; i++) {
        const uint64_t bytes = rows * columns[i] * sizeof(float);
        cli_text_add_string(header, i > 0 ? "," : "");
        cli_json_add_string(header, names[i], strlen(names[i]));
        cli_text_format(header, ":{\"dtype\":\"F32\",\"shape\":[%llu,%llu],\"data_offsets\":[%llu,%llu]}", (unsigned long long)rows,
                        (unsigned long long)columns[i], (unsigned long long)offset, (unsigned long long)(offset + bytes));
        writer->start[i] = offset;
        writer->columns[i] = columns[i];
        offset += bytes;
    }
    cli_text_add(header, "}", 1);
    while (header->length % 8 != 0 && !header->failed) {
        cli_text_add(header, " ", 1);
    }
    for (size_t i = 0; i < count; i++) {
        writer->start[i] += header->length;
    }
    for (size_t i = 0; i < 8 && !header->failed; i++) {
        header->bytes[i] = (char)(((uint64_t)header->length - 8) >> (8 * i) & 255);
    }
}

int cli_safetensors_create(struct cli_safetensors_writer *writer, const char *path, const char *const *names, const uint64_t *columns,
                           size_t count, uint64_t rows, char *message, size_t capacity)
{
    *writer = (struct cli_safetensors_writer){0};
    struct cli_text header = {0};
    build_header(writer, &header, names, columns, count, rows);
    if (header.failed) {
        cli_text_free(&header);
        (void)snprintf(message, capacity, "%s: memory could not be allocated", path);
        return -1;
    }
    const int written =
        cli_whole_create(&writer->whole, path) == 0 && fwrite(header.bytes, 1, header.length, writer->whole.file) == header.length;
    const int number = errno;
    cli_text_free(&header);
    if (!written) {
        (void)snprintf(message, capacity, "cannot write %s: %s", path, strerror(number));
        cli_safetensors_abandon(writer);
        return -1;
    }
    return 0;
}

int cli_safetensors_put_rows(struct cli_safetensors_writer *writer, size_t matrix, uint64_t first, uint64_t rows, const float *values,
                             char *message, size_t capacity)
{
    FILE *file = writer->whole.file;
    const uint64_t columns = writer->columns[matrix];
    const size_t count = (size_t)(rows * columns);
    const uint64_t position = writer->start[matrix] + first * columns * sizeof *values;
    if (cli_file_seek(file, (int64_t)position) != 0 || fwrite(values, sizeof *values, count, file) != count) {
        (void)snprintf(message, capacity, "cannot write %s: %s", writer->whole.path, strerror(errno));
        return -1;
    }
    return 0;
}

int cli_safetensors_finish(struct cli_safetensors_writer *writer, char *message, size_t capacity)
{
    if (cli_whole_finish(&writer->whole) != 0) {
        (void)snprintf(message, capacity, "cannot write %s: %s", writer->whole.path, strerror(errno));
        return -1;
    }
    return 0;
}

void cli_safetensors_abandon(struct cli_safetensors_writer *writer) { cli_whole_abandon(&writer->whole); }
