/* SPDX-License-Identifier: MIT */
/* A small .slm file with each value type, each weight type and a tokenizer, for the tests of the container. */
#ifndef SLM_TESTS_WEIGHT_FILE_SAMPLE_H
#define SLM_TESTS_WEIGHT_FILE_SAMPLE_H

#include "base/byte_reader.h"     /* slm__load_u32, slm__store_u32 ... */
#include "base/checksum.h"        /* slm__crc32c */
#include "format/format_layout.h" /* offsets of fields */
#include "format/sink_memory.h"   /* slm__sink_memory */
#include "format/weight_file.h"   /* struct slm_weight_file */
#include "format/weight_writer.h" /* the writer */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SAMPLE_TENSORS = 6, SAMPLE_METAS = 5, TOKENIZER_BYTES = 100 };
/* In sorted order, as the directory has them. */
static const struct {
    const char *name;
    uint32_t kind;
    enum slm_weight_type type;
    uint32_t rows, cols;
} samples[SAMPLE_TENSORS] = {
    {"m.bf16", SLM_TENSOR_MATRIX, SLM_WEIGHT_BF16, 3, 5}, {"m.f16", SLM_TENSOR_MATRIX, SLM_WEIGHT_F16, 17, 1},
    {"m.f32", SLM_TENSOR_MATRIX, SLM_WEIGHT_F32, 1, 33},  {"m.i4", SLM_TENSOR_MATRIX, SLM_WEIGHT_I4, 16, 65},
    {"m.i8", SLM_TENSOR_MATRIX, SLM_WEIGHT_I8, 2, 31},    {"v", SLM_TENSOR_VECTOR, SLM_WEIGHT_F32, 17, 1},
};
static const uint64_t sample_bytes[SAMPLE_TENSORS] = {1024, 2048, 4096, 768 + 64 + 64 + 64, 576, 128};

static inline uint8_t sample_byte(uint32_t tensor, uint64_t at) { return (uint8_t)(tensor * 40 + at * 7 + at / 256); }

static inline slm_status declare_metas(struct slm_weight_writer *writer, slm_error *error)
{
    static const uint32_t integers[3] = {1, 0xffffffffu, 7};
    static const float floats[2] = {0.5f, -3.0f};
    SLM_TRY(slm__writer_meta_f32s(writer, "e.floats", floats, 2, error));
    SLM_TRY(slm__writer_meta_u64(writer, "a.number", 0x1122334455667788u, error));
    SLM_TRY(slm__writer_meta_text(writer, "c.text", slm__span_text("gr\xc3\xbc\xc3\x9f"), error));
    SLM_TRY(slm__writer_meta_u32s(writer, "d.integers", integers, 3, error));
    return slm__writer_meta_f64(writer, "b.real", 1e-5, error);
}

/* Tensors are declared and written first to last or last to first, in pieces of `piece` bytes. */
static inline slm_status write_sample(struct slm_weight_writer *writer, bool backwards, size_t piece, slm_error *error)
{
    static uint8_t tokenizer[TOKENIZER_BYTES];
    uint32_t ids[SAMPLE_TENSORS];
    memset(tokenizer, 0x77, sizeof tokenizer);
    slm__writer_tokenizer(writer, slm__span(tokenizer, sizeof tokenizer));
    SLM_TRY(declare_metas(writer, error));
    for (uint32_t n = 0; n < SAMPLE_TENSORS; n++) {
        uint32_t i = backwards ? SAMPLE_TENSORS - 1 - n : n;
        SLM_TRY(slm__writer_add_tensor(writer, samples[i].name, samples[i].kind, samples[i].type, samples[i].rows, samples[i].cols, &ids[i],
                                       error));
    }
    SLM_TRY(slm__writer_begin(writer, error));
    for (uint32_t n = 0; n < SAMPLE_TENSORS; n++) {
        uint32_t i = backwards ? n : SAMPLE_TENSORS - 1 - n;
        for (uint64_t at = 0; at < sample_bytes[i];) {
            uint8_t bytes[4096];
            size_t count = sample_bytes[i] - at < piece ? (size_t)(sample_bytes[i] - at) : piece;
            for (size_t b = 0; b < count; b++) {
                bytes[b] = sample_byte(i, at + b);
            }
            SLM_TRY(slm__writer_write_tensor(writer, ids[i], bytes, count, error));
            at += count;
        }
    }
    return slm__writer_finish(writer, error);
}

/* The sample in memory of the default allocator. */
static inline struct slm_sink_memory make_sample(bool backwards, size_t piece)
{
    slm_error error = {sizeof error, 0, ""};
    struct slm_memory memory = slm__memory_default();
    struct slm_sink_memory target;
    struct slm_weight_writer writer;
    slm__sink_memory_init(&target, &memory, 1 << 20);
    struct slm_sink sink = slm__sink_memory(&target);
    slm__writer_init(&writer, &memory, &sink);
    if (write_sample(&writer, backwards, piece, &error) != SLM_OK) {
        fail_msg("%s", error.message);
    }
    slm__writer_free(&writer);
    return target;
}

/* Look at everything, so that a sanitizer sees every access that an opened file allows. */
static inline uint64_t walk(const struct slm_weight_file *file)
{
    uint64_t sum = file->tokenizer.length;
    for (uint32_t i = 0; i < file->tensor_count; i++) {
        struct slm_tensor tensor;
        slm__weight_file_tensor(file, i, &tensor);
        assert_int_equal((uintptr_t)tensor.data % 64, 0);
        for (uint64_t b = 0; b < tensor.bytes; b++) {
            sum += tensor.data[b];
        }
        for (size_t b = 0; b < tensor.name.length; b++) {
            sum += tensor.name.data[b];
        }
    }
    for (uint32_t i = 0; i < file->metadata_count; i++) {
        struct slm_span key, value;
        uint32_t type;
        slm__meta_entry(file, i, &key, &type, &value);
        for (size_t b = 0; b < value.length; b++) {
            sum += value.data[b];
        }
        for (size_t b = 0; b < key.length; b++) {
            sum += key.data[b];
        }
    }
    return sum;
}

/* Bring the checksums that open compares up to date after an edit. Only for files whose section table still makes sense. */
static inline void fix_checksums(uint8_t *data, uint64_t size)
{
    uint32_t sections = slm__load_u32(data + SLM_HEADER_SECTIONS), length = slm__load_u32(data + SLM_HEADER_LENGTH);
    for (uint32_t i = 0; i < sections && i < 4 && length <= size; i++) {
        uint8_t *entry = data + SLM_HEADER_BYTES + i * SLM_ENTRY_BYTES;
        uint64_t offset = slm__load_u64(entry + SLM_ENTRY_OFFSET), bytes = slm__load_u64(entry + SLM_ENTRY_LENGTH);
        if (i < 3 && offset <= size && bytes <= size - offset) {
            slm__store_u32(entry + SLM_ENTRY_CRC, slm__crc32c(0, data + offset, (size_t)bytes));
        }
    }
    slm__store_u32(data + SLM_HEADER_CRC, 0);
    slm__store_u32(data + SLM_HEADER_CRC, slm__crc32c(0, data, length <= size ? length : 64));
}

#endif
