/* SPDX-License-Identifier: MIT */
/* The .slm container: what the writer writes the reader reads back; every damaged file gives the status and the sentence that its defect
 * deserves; opening never reads tensor data. */
#define _GNU_SOURCE
#include "base/byte_reader.h"     /* slm__load_u32, slm__store_u32 ... */
#include "base/checksum.h"        /* slm__crc32c */
#include "base/file.h"            /* slm__output_create, slm__map_file */
#include "format/format_layout.h" /* offsets of fields */
#include "format/sink_file.h"     /* slm__sink_file */
#include "format/sink_memory.h"   /* slm__sink_memory */
#include "format/weight_file.h"   /* the reader */
#include "format/weight_writer.h" /* the writer */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- an allocator that fails when told, and counts ---- */

struct counter {
    long until_failure; /* 0: the next allocation fails; negative: none does */
    long live_bytes;
};

static void *counted_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct counter *counter = user;
    if (counter->until_failure == 0) {
        return NULL;
    }
    counter->until_failure -= counter->until_failure > 0;
    void *block = NULL;
    if (posix_memalign(&block, alignment < sizeof(void *) ? sizeof(void *) : (size_t)alignment, (size_t)bytes) != 0) {
        return NULL;
    }
    memset(block, 0xa5, (size_t)bytes);
    counter->live_bytes += (long)bytes;
    return block;
}

static void counted_release(void *user, void *memory, uint64_t bytes)
{
    struct counter *counter = user;
    counter->live_bytes -= (long)bytes;
    free(memory);
}

static struct slm_memory counted(struct counter *counter)
{
    struct slm_memory memory = {counted_allocate, counted_release, counter};
    return memory;
}

/* ---- the sample file: each value type, each weight type, a tokenizer ---- */

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

static uint8_t sample_byte(uint32_t tensor, uint64_t at) { return (uint8_t)(tensor * 40 + at * 7 + at / 256); }

static slm_status declare_metas(struct slm_weight_writer *writer, slm_error *error)
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
static slm_status write_sample(struct slm_weight_writer *writer, bool backwards, size_t piece, slm_error *error)
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
static struct slm_sink_memory make_sample(bool backwards, size_t piece)
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
static uint64_t walk(const struct slm_weight_file *file)
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

/* ---- round trip ---- */

static void sample_is_read_back(void **state)
{
    (void)state;
    struct slm_sink_memory target = make_sample(false, 4096);
    struct slm_weight_file file;
    slm_error error = {sizeof error, 0, ""};
    assert_int_equal(slm__weight_file_open(&file, target.data, target.size, &error), SLM_OK);
    assert_int_equal(slm__weight_file_verify(&file, NULL, NULL, &error), SLM_OK);
    assert_int_equal(file.tensor_count, SAMPLE_TENSORS);
    assert_int_equal(file.tokenizer.length, TOKENIZER_BYTES);
    assert_int_equal(file.data_offset % 4096, 0);
    for (uint32_t i = 0; i < SAMPLE_TENSORS; i++) {
        struct slm_tensor tensor;
        assert_true(slm__weight_file_find(&file, samples[i].name, &tensor));
        assert_int_equal(tensor.kind, samples[i].kind);
        assert_int_equal(tensor.type, samples[i].type);
        assert_int_equal(tensor.rows, samples[i].rows);
        assert_int_equal(tensor.cols, samples[i].cols);
        assert_int_equal(tensor.bytes, sample_bytes[i]);
        for (uint64_t b = 0; b < tensor.bytes; b++) {
            assert_int_equal(tensor.data[b], sample_byte(i, b));
        }
    }
    struct slm_tensor none;
    assert_false(slm__weight_file_find(&file, "m.i", &none));
    assert_false(slm__weight_file_find(&file, "", &none));
    assert_false(slm__weight_file_find(&file, "z", &none));
    slm__sink_memory_free(&target);
}

static void metadata_is_read_back(void **state)
{
    (void)state;
    struct slm_sink_memory target = make_sample(false, 4096);
    struct slm_weight_file file;
    uint64_t number = 0;
    double real = 0;
    struct slm_span text = {NULL, 0}, values = {NULL, 0};
    uint32_t count = 0;
    assert_int_equal(slm__weight_file_open(&file, target.data, target.size, NULL), SLM_OK);
    assert_int_equal(file.metadata_count, SAMPLE_METAS);
    assert_true(slm__meta_u64(&file, "a.number", &number) && number == 0x1122334455667788u);
    assert_true(slm__meta_f64(&file, "b.real", &real) && real == 1e-5);
    assert_true(slm__meta_text(&file, "c.text", &text) && slm__span_is(text, "gr\xc3\xbc\xc3\x9f"));
    assert_true(slm__meta_u32s(&file, "d.integers", &values, &count) && count == 3);
    assert_int_equal(slm__meta_u32_at(values, 1), 0xffffffffu);
    assert_int_equal(slm__meta_u32_at(values, 2), 7);
    assert_true(slm__meta_f32s(&file, "e.floats", &values, &count) && count == 2);
    assert_true(slm__meta_f32_at(values, 1) == -3.0f);
    assert_true(slm__meta_has(&file, "a.number"));
    assert_false(slm__meta_has(&file, "a.numbe"));
    assert_false(slm__meta_f64(&file, "a.number", &real)); /* another type */
    assert_false(slm__meta_u32s(&file, "e.floats", &values, &count));
    slm__sink_memory_free(&target);
}

static void order_and_pieces_leave_no_trace(void **state)
{
    (void)state;
    struct slm_sink_memory a = make_sample(false, 4096), b = make_sample(true, 61);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    slm__sink_memory_free(&a);
    slm__sink_memory_free(&b);
}

static void file_sink_writes_the_same_bytes(void **state)
{
    (void)state;
    char path[64];
    slm_error error = {sizeof error, 0, ""};
    struct slm_output *output = malloc(sizeof *output);
    struct slm_memory memory = slm__memory_default();
    struct slm_weight_writer writer;
    struct slm_mapping mapping = {0};
    struct slm_sink_memory expected = make_sample(false, 4096);
    snprintf(path, sizeof path, "/tmp/test_weight_file.%ld.slm", (long)getpid());
    assert_non_null(output);
    assert_int_equal(slm__output_create(output, path, &error), SLM_OK);
    struct slm_sink sink = slm__sink_file(output);
    slm__writer_init(&writer, &memory, &sink);
    assert_int_equal(write_sample(&writer, true, 1000, &error), SLM_OK);
    slm__writer_free(&writer);
    assert_int_equal(slm__output_commit(output, &error), SLM_OK);
    assert_int_equal(slm__map_file(&mapping, path, &error), SLM_OK);
    assert_int_equal(mapping.size, expected.size);
    assert_memory_equal(mapping.data, expected.data, expected.size);
    slm__unmap(&mapping);
    unlink(path);
    free(output);
    slm__sink_memory_free(&expected);
}

static void many_tensors_are_sorted_and_found(void **state)
{
    enum { MANY = 700 };
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_sink_memory target;
    struct slm_weight_writer writer;
    struct slm_weight_file file;
    static const float zeros[16] = {0};
    uint32_t ids[MANY];
    char name[32];
    slm__sink_memory_init(&target, &memory, 1 << 24);
    struct slm_sink sink = slm__sink_memory(&target);
    slm__writer_init(&writer, &memory, &sink);
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "layers.%u.norm", i * 331 % MANY);
        assert_int_equal(slm__writer_add_tensor(&writer, name, SLM_TENSOR_VECTOR, SLM_WEIGHT_F32, 1 + i % 16, 1, &ids[i], NULL), SLM_OK);
    }
    assert_int_equal(slm__writer_begin(&writer, NULL), SLM_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(slm__writer_write_tensor(&writer, ids[i], zeros, 64, NULL), SLM_OK);
    }
    assert_int_equal(slm__writer_finish(&writer, NULL), SLM_OK);
    assert_int_equal(slm__weight_file_open(&file, target.data, target.size, NULL), SLM_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        struct slm_tensor tensor;
        snprintf(name, sizeof name, "layers.%u.norm", i * 331 % MANY);
        assert_true(slm__weight_file_find(&file, name, &tensor));
        assert_int_equal(tensor.rows, 1 + i % 16);
    }
    slm__writer_free(&writer);
    slm__sink_memory_free(&target);
}

/* FORMAT.md section 11: a file of one text and one vector, byte for byte. */
static void worked_example_of_a_file(void **state)
{
    (void)state;
    static const float one[16] = {1.0f};
    static const char expected[] =
        "736C6D1A0D0A00010100000001000000401000000000000003000000A0000000C8738FB5000000000000000000000000"
        "000000000000000000000000000000000100000000000000C000000000000000340000000000000003EFEF8F00000000"
        "0200000000000000000100000000000042000000000000005D34DAF20000000004000000010000000010000000000000"
        "400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0100000000000000200000000C0000000300000030000000040000000000000067656E6572616C2E6E616D6500000000"
        "74696E790000000000000000000000000100000000000000380000000A00000001000000010000000100000001000000"
        "0000000000000000400000000000000064DFE9960000000066696E616C5F6E6F726D";
    struct slm_memory memory = slm__memory_default();
    struct slm_sink_memory target;
    struct slm_weight_writer writer;
    uint32_t id;
    slm__sink_memory_init(&target, &memory, 1 << 24);
    struct slm_sink sink = slm__sink_memory(&target);
    slm__writer_init(&writer, &memory, &sink);
    assert_int_equal(slm__writer_meta_text(&writer, "general.name", slm__span_text("tiny"), NULL), SLM_OK);
    assert_int_equal(slm__writer_add_tensor(&writer, "final_norm", SLM_TENSOR_VECTOR, SLM_WEIGHT_F32, 1, 1, &id, NULL), SLM_OK);
    assert_int_equal(slm__writer_begin(&writer, NULL), SLM_OK);
    assert_int_equal(slm__writer_write_tensor(&writer, id, one, sizeof one, NULL), SLM_OK);
    assert_int_equal(slm__writer_finish(&writer, NULL), SLM_OK);
    assert_int_equal(target.size, 4096 + 64);
    for (size_t i = 0; i < 322; i++) {
        char hex[3];
        snprintf(hex, sizeof hex, "%02X", target.data[i]);
        assert_memory_equal(hex, expected + 2 * i, 2);
    }
    slm__writer_free(&writer);
    slm__sink_memory_free(&target);
}

/* ---- the writer's own refusals ---- */

static void writer_refuses_bad_declarations(void **state)
{
    (void)state;
    slm_error error = {sizeof error, 0, ""};
    struct slm_memory memory = slm__memory_default();
    struct slm_sink_memory target;
    struct slm_weight_writer writer;
    uint32_t id;
    char long_name[257];
    const uint64_t nan_bits = 0x7ff8000000000000u;
    double not_a_number;
    memcpy(&not_a_number, &nan_bits, sizeof not_a_number);
    memset(long_name, 'x', 256);
    long_name[256] = '\0';
    slm__sink_memory_init(&target, &memory, 1 << 20);
    struct slm_sink sink = slm__sink_memory(&target);
    slm__writer_init(&writer, &memory, &sink);
    assert_int_equal(slm__writer_meta_u64(&writer, "", 1, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__writer_meta_u64(&writer, "two words", 1, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__writer_meta_u64(&writer, long_name, 1, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__writer_meta_f64(&writer, "nan", not_a_number, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__writer_meta_text(&writer, "text", slm__span("\xff", 1), &error), SLM_E_ENCODING);
    assert_int_equal(slm__writer_add_tensor(&writer, "a", SLM_TENSOR_VECTOR, SLM_WEIGHT_F16, 4, 1, &id, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__writer_add_tensor(&writer, "a", SLM_TENSOR_VECTOR, SLM_WEIGHT_F32, 4, 2, &id, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__writer_add_tensor(&writer, "a", SLM_TENSOR_MATRIX, SLM_WEIGHT_I4, 0, 2, &id, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__writer_add_tensor(&writer, "a", SLM_TENSOR_MATRIX, SLM_WEIGHT_I4, 2, (1u << 24) + 1, &id, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__writer_add_tensor(&writer, "a", 3, SLM_WEIGHT_I4, 2, 2, &id, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__writer_add_tensor(&writer, "a", SLM_TENSOR_MATRIX, SLM_WEIGHT_I4, 2, 2, &id, &error), SLM_OK);
    assert_int_equal(slm__writer_add_tensor(&writer, "a", SLM_TENSOR_MATRIX, SLM_WEIGHT_I8, 2, 2, &id, &error), SLM_OK);
    assert_int_equal(slm__writer_begin(&writer, &error), SLM_E_BAD_VALUE);
    assert_string_equal(error.message, "tensor \"a\" is declared twice");
    slm__writer_free(&writer);
    slm__sink_memory_free(&target);
}

static void writer_refuses_calls_out_of_order(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_sink_memory target;
    struct slm_weight_writer writer;
    uint8_t bytes[128] = {0};
    uint32_t id = 0;
    slm__sink_memory_init(&target, &memory, 1 << 20);
    struct slm_sink sink = slm__sink_memory(&target);
    slm__writer_init(&writer, &memory, &sink);
    assert_int_equal(slm__writer_write_tensor(&writer, 0, bytes, 64, NULL), SLM_E_INTERNAL);
    assert_int_equal(slm__writer_finish(&writer, NULL), SLM_E_INTERNAL);
    assert_int_equal(slm__writer_add_tensor(&writer, "a", SLM_TENSOR_VECTOR, SLM_WEIGHT_F32, 4, 1, &id, NULL), SLM_OK);
    assert_int_equal(slm__writer_begin(&writer, NULL), SLM_OK);
    assert_int_equal(slm__writer_begin(&writer, NULL), SLM_E_INTERNAL);
    assert_int_equal(slm__writer_meta_u64(&writer, "late", 1, NULL), SLM_E_INTERNAL);
    assert_int_equal(slm__writer_write_tensor(&writer, id + 1, bytes, 64, NULL), SLM_E_INTERNAL);
    assert_int_equal(slm__writer_write_tensor(&writer, id, bytes, 65, NULL), SLM_E_INTERNAL);
    assert_int_equal(slm__writer_write_tensor(&writer, id, bytes, 60, NULL), SLM_OK);
    assert_int_equal(slm__writer_finish(&writer, NULL), SLM_E_INTERNAL); /* four bytes are missing */
    assert_int_equal(slm__writer_write_tensor(&writer, id, bytes, 4, NULL), SLM_OK);
    assert_int_equal(slm__writer_finish(&writer, NULL), SLM_OK);
    slm__writer_free(&writer);
    slm__sink_memory_free(&target);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    long n = 0;
    slm_status status;
    do {
        struct counter counter = {n++, 0};
        struct slm_memory memory = counted(&counter);
        struct slm_sink_memory target;
        struct slm_weight_writer writer;
        slm_error error = {sizeof error, 0, ""};
        slm__sink_memory_init(&target, &memory, 1 << 20);
        struct slm_sink sink = slm__sink_memory(&target);
        slm__writer_init(&writer, &memory, &sink);
        status = write_sample(&writer, false, 4096, &error);
        assert_true(status == SLM_OK || (status == SLM_E_NO_MEMORY && error.message[0] != '\0'));
        slm__writer_free(&writer);
        slm__writer_free(&writer);
        slm__sink_memory_free(&target);
        assert_int_equal(counter.live_bytes, 0);
        assert_true(n < 1000);
    } while (status != SLM_OK);
    assert_true(n > 3);
}

static void memory_sink_has_a_limit(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_sink_memory target;
    struct slm_weight_writer writer;
    slm__sink_memory_init(&target, &memory, 5000);
    struct slm_sink sink = slm__sink_memory(&target);
    slm__writer_init(&writer, &memory, &sink);
    assert_int_equal(write_sample(&writer, false, 4096, NULL), SLM_E_LIMIT);
    assert_null(target.data);
    slm__writer_free(&writer);
}

/* ---- damaged files ---- */

/* Bring the checksums that open compares up to date after an edit. Only for files whose section table still makes sense. */
static void fix_checksums(uint8_t *data, uint64_t size)
{
    uint32_t sections = slm__load_u32(data + SLM_HEADER_SECTIONS), length = slm__load_u32(data + SLM_HEADER_LENGTH);
    for (uint32_t i = 0; i < sections && i < 4; i++) {
        uint8_t *entry = data + SLM_HEADER_BYTES + i * SLM_ENTRY_BYTES;
        uint64_t offset = slm__load_u64(entry + SLM_ENTRY_OFFSET), bytes = slm__load_u64(entry + SLM_ENTRY_LENGTH);
        if (i < 3 && offset <= size && bytes <= size - offset) {
            slm__store_u32(entry + SLM_ENTRY_CRC, slm__crc32c(0, data + offset, (size_t)bytes));
        }
    }
    slm__store_u32(data + SLM_HEADER_CRC, 0);
    slm__store_u32(data + SLM_HEADER_CRC, slm__crc32c(0, data, length <= size ? length : 64));
}

enum place { HEADER, SECTION, META, META_HEAD, META_BYTES, DIRECTORY, DIRECTORY_HEAD, DIRECTORY_BYTES, GAP };

/* Address of a field: of entry `index`; of the bytes of a key, value or name; of the gap before a section. */
static uint8_t *field(struct slm_sink_memory *target, const struct slm_weight_file *file, enum place place, uint32_t index, uint32_t at)
{
    uint8_t *metadata = target->data + (file->metadata.data - file->data), *directory = target->data + (file->directory.data - file->data);
    uint8_t *entry = target->data + SLM_HEADER_BYTES + index * SLM_ENTRY_BYTES;
    switch (place) {
    case HEADER: return target->data + at;
    case SECTION: return entry + at;
    case META: return metadata + SLM_TABLE_HEAD + index * SLM_META_BYTES + at;
    case META_HEAD: return metadata + at;
    case META_BYTES: return metadata + slm__load_u32(metadata + SLM_TABLE_HEAD + index * SLM_META_BYTES + SLM_META_VALUE_OFFSET) + (int32_t)at;
    case DIRECTORY: return directory + SLM_TABLE_HEAD + index * SLM_TENSOR_BYTES + at;
    case DIRECTORY_HEAD: return directory + at;
    case DIRECTORY_BYTES: return directory + slm__load_u32(directory + SLM_TABLE_HEAD + index * SLM_TENSOR_BYTES) + at;
    case GAP: return target->data + slm__load_u64(entry + SLM_ENTRY_OFFSET) - 1;
    }
    return NULL;
}

struct defect {
    enum place place;
    uint32_t index, at;
    uint32_t width; /* bytes to write: 1, 4, 8 */
    uint64_t value;
    slm_status status;
    const char *message; /* must occur in the sentence */
    bool stale;          /* leave the checksums as they were */
};

static const struct defect defects[] = {
    {HEADER, 0, 0, 1, 'S', SLM_E_BAD_MAGIC, "not a .slm file", false},
    {HEADER, 0, 5, 1, '\r', SLM_E_BAD_MAGIC, "not a .slm file", false},
    {HEADER, 0, 7, 1, 2, SLM_E_VERSION, "generation 2", false},
    {HEADER, 0, SLM_HEADER_MIN_READER, 4, 2, SLM_E_VERSION, "format version 2", true},
    {HEADER, 0, SLM_HEADER_MIN_READER, 4, 0, SLM_E_BAD_VALUE, "minimum reader version 0", false},
    {HEADER, 0, SLM_HEADER_VERSION, 4, 0, SLM_E_BAD_VALUE, "format version 0", false},
    {HEADER, 0, SLM_HEADER_SECTIONS, 4, 0, SLM_E_BAD_VALUE, "0 sections", true},
    {HEADER, 0, SLM_HEADER_SECTIONS, 4, 65, SLM_E_BAD_VALUE, "65 sections", true},
    {HEADER, 0, SLM_HEADER_SECTIONS, 4, 3, SLM_E_BAD_VALUE, "does not fit 3 sections", true},
    {HEADER, 0, SLM_HEADER_LENGTH, 4, 0xffffffffu, SLM_E_BAD_VALUE, "length of 4294967295", true},
    {HEADER, 0, SLM_HEADER_VERSION, 4, 7, SLM_E_CHECKSUM, "header: checksum", true},
    {HEADER, 0, SLM_HEADER_CRC, 4, 0, SLM_E_CHECKSUM, "header: checksum 00000000", true},
    {HEADER, 0, SLM_HEADER_RESERVED, 1, 1, SLM_E_BAD_VALUE, "reserved", false},
    {HEADER, 0, 63, 1, 1, SLM_E_BAD_VALUE, "reserved", false},
    {HEADER, 0, SLM_HEADER_FILE_SIZE, 8, UINT64_MAX, SLM_E_TRUNCATED, "18446744073709551615", false},
    {HEADER, 0, SLM_HEADER_FILE_SIZE, 8, 4096, SLM_E_BAD_VALUE, "follow the file's end at byte 4096", false},
    {SECTION, 2, SLM_ENTRY_ID, 4, 5, SLM_E_UNSUPPORTED, "section 00000005", false},
    {SECTION, 2, SLM_ENTRY_ID, 4, 0, SLM_E_UNSUPPORTED, "section 00000000", false},
    {SECTION, 2, SLM_ENTRY_ID, 4, 1, SLM_E_BAD_VALUE, "section 00000001 occurs twice", false},
    {SECTION, 0, SLM_ENTRY_ID, 4, 0x80000000u, SLM_E_BAD_VALUE, "metadata section is missing", false},
    {SECTION, 1, SLM_ENTRY_ID, 4, 0x80000000u, SLM_E_BAD_VALUE, "directory section is missing", false},
    {SECTION, 0, SLM_ENTRY_FLAGS, 4, 2, SLM_E_BAD_VALUE, "flags 00000002", false},
    {SECTION, 3, SLM_ENTRY_FLAGS, 4, 0, SLM_E_BAD_VALUE, "flags 00000000", false},
    {SECTION, 1, SLM_ENTRY_RESERVED, 4, 1, SLM_E_BAD_VALUE, "section 00000002: reserved", false},
    {SECTION, 1, SLM_ENTRY_OFFSET, 8, 192, SLM_E_BAD_VALUE, "section 00000002: offset 192", false},
    {SECTION, 1, SLM_ENTRY_OFFSET, 8, UINT64_MAX - 63, SLM_E_BAD_VALUE, "section 00000002: offset", false},
    {SECTION, 0, SLM_ENTRY_LENGTH, 8, 0, SLM_E_BAD_VALUE, "section 00000001 is empty", false},
    {SECTION, 0, SLM_ENTRY_LENGTH, 8, UINT64_MAX, SLM_E_TRUNCATED, "section 00000001: 18446744073709551615 bytes", false},
    {SECTION, 3, SLM_ENTRY_LENGTH, 8, 64, SLM_E_BAD_VALUE, "its sections end at byte 4160", false},
    {SECTION, 0, SLM_ENTRY_CRC, 4, 0, SLM_E_CHECKSUM, "header", true},
    {GAP, 3, 0, 1, 1, SLM_E_BAD_VALUE, "padding before it is not zero", false},
    {META_BYTES, 2, 0, 1, 'X', SLM_E_CHECKSUM, "section 00000001: checksum", true},
    {META_HEAD, 0, 0, 4, 65537, SLM_E_LIMIT, "65537 entries", false},
    {META_HEAD, 0, 0, 4, 60000, SLM_E_TRUNCATED, "do not hold 60000 entries", false},
    {META_HEAD, 0, 0, 4, 4, SLM_E_BAD_VALUE, "metadata entry 0: its key is at byte", false},
    {META_HEAD, 0, 4, 4, 1, SLM_E_BAD_VALUE, "metadata section: reserved", false},
    {META, 1, SLM_META_KEY_OFFSET, 4, 0xfffffff8u, SLM_E_BAD_VALUE, "metadata entry 1: its key is at byte 4294967288", false},
    {META, 1, SLM_META_KEY_LENGTH, 4, 0, SLM_E_BAD_VALUE, "metadata entry 1: its key \"\"", false},
    {META, 1, SLM_META_KEY_LENGTH, 4, 0xffffffffu, SLM_E_TRUNCATED, "metadata entry 1: a key of 4294967295 bytes", false},
    {META, 1, SLM_META_KEY_LENGTH, 4, 7, SLM_E_BAD_VALUE, "metadata entry 1: its key", false},
    {META, 2, SLM_META_VALUE_OFFSET, 4, 8, SLM_E_BAD_VALUE, "metadata entry 2: its value is at byte 8", false},
    {META, 4, SLM_META_VALUE_LENGTH, 4, 0x7fffffffu, SLM_E_TRUNCATED, "metadata entry 4: a value of 2147483647 bytes", false},
    {META, 4, SLM_META_VALUE_LENGTH, 4, 4, SLM_E_BAD_VALUE, "its entries end at byte", false},
    {META, 0, SLM_META_TYPE, 4, 0, SLM_E_UNSUPPORTED, "\"a.number\": value type 0", false},
    {META, 0, SLM_META_TYPE, 4, 6, SLM_E_UNSUPPORTED, "\"a.number\": value type 6", false},
    {META, 2, SLM_META_TYPE, 4, 1, SLM_E_BAD_VALUE, "\"c.text\": 6 bytes are not legal for value type 1", false},
    {META, 2, SLM_META_TYPE, 4, 4, SLM_E_BAD_VALUE, "\"c.text\": 6 bytes are not legal for value type 4", false},
    {META, 3, SLM_META_RESERVED, 4, 1, SLM_E_BAD_VALUE, "\"d.integers\": reserved", false},
    {META_BYTES, 1, 4, 4, 0x7ff00000u, SLM_E_BAD_VALUE, "\"b.real\": the value is not a finite number", false},
    {META_BYTES, 4, 4, 4, 0xff800000u, SLM_E_BAD_VALUE, "\"e.floats\": element 1", false},
    {META_BYTES, 2, 2, 1, 'x', SLM_E_ENCODING, "\"c.text\": byte 3", false},
    {META_BYTES, 2, 6, 1, 1, SLM_E_BAD_VALUE, "metadata entry 3: the padding before its key", false},
    {META_BYTES, 0, (uint32_t)-8, 1, ' ', SLM_E_BAD_VALUE, "metadata entry 0: its key \" .number\"", false},
    {META_BYTES, 0, (uint32_t)-8, 1, 'z', SLM_E_BAD_VALUE, "\"b.real\" after \"z.number\"", false},
    {DIRECTORY_HEAD, 0, 0, 4, (1u << 20) + 1, SLM_E_LIMIT, "1048577 entries", false},
    {DIRECTORY_HEAD, 0, 0, 4, 1u << 20, SLM_E_TRUNCATED, "do not hold 1048576 entries", false},
    {DIRECTORY_HEAD, 0, 0, 4, 5, SLM_E_BAD_VALUE, "directory entry 0: its name is at byte", false},
    {DIRECTORY_HEAD, 0, 4, 4, 9, SLM_E_BAD_VALUE, "directory section: reserved", false},
    {DIRECTORY, 1, SLM_TENSOR_NAME_OFFSET, 4, 0xffffffffu, SLM_E_BAD_VALUE, "directory entry 1: its name is at byte 4294967295", false},
    {DIRECTORY, 1, SLM_TENSOR_NAME_LENGTH, 4, 0xffffffffu, SLM_E_TRUNCATED, "directory entry 1: a name of 4294967295 bytes", false},
    {DIRECTORY, 1, SLM_TENSOR_NAME_LENGTH, 4, 0, SLM_E_BAD_VALUE, "directory entry 1: its name \"\"", false},
    {DIRECTORY, 5, SLM_TENSOR_NAME_LENGTH, 4, 2, SLM_E_TRUNCATED, "directory entry 5: a name of 2 bytes", false},
    {DIRECTORY_BYTES, 1, 0, 1, 0x7f, SLM_E_BAD_VALUE, "directory entry 1: its name", false},
    {DIRECTORY_BYTES, 1, 0, 1, 'a', SLM_E_BAD_VALUE, "\"a.f16\" after \"m.bf16\"", false},
    {DIRECTORY, 0, SLM_TENSOR_KIND, 4, 0, SLM_E_UNSUPPORTED, "\"m.bf16\": kind 0", false},
    {DIRECTORY, 0, SLM_TENSOR_KIND, 4, 3, SLM_E_UNSUPPORTED, "\"m.bf16\": kind 3", false},
    {DIRECTORY, 0, SLM_TENSOR_KIND, 4, 1, SLM_E_BAD_VALUE, "\"m.bf16\": a vector of type 3 and shape [3, 5]", false},
    {DIRECTORY, 3, SLM_TENSOR_TYPE, 4, 0, SLM_E_UNSUPPORTED, "\"m.i4\": weight type 0", false},
    {DIRECTORY, 3, SLM_TENSOR_TYPE, 4, 6, SLM_E_UNSUPPORTED, "\"m.i4\": weight type 6", false},
    {DIRECTORY, 3, SLM_TENSOR_TYPE, 4, 0xffffffffu, SLM_E_UNSUPPORTED, "\"m.i4\": weight type 4294967295", false},
    {DIRECTORY, 3, SLM_TENSOR_TYPE, 4, 4, SLM_E_BAD_VALUE, "\"m.i4\": 960 bytes are stated, its shape takes 1664", false},
    {DIRECTORY, 3, SLM_TENSOR_ROWS, 4, 0, SLM_E_BAD_VALUE, "\"m.i4\": a matrix of type 5 and shape [0, 65]", false},
    {DIRECTORY, 3, SLM_TENSOR_ROWS, 4, (1u << 24) + 1, SLM_E_BAD_VALUE, "shape [16777217, 65]", false},
    {DIRECTORY, 3, SLM_TENSOR_ROWS, 4, 0xffffffffu, SLM_E_BAD_VALUE, "shape [4294967295, 65]", false},
    {DIRECTORY, 3, SLM_TENSOR_COLS, 4, 0, SLM_E_BAD_VALUE, "shape [16, 0]", false},
    {DIRECTORY, 3, SLM_TENSOR_COLS, 4, 1u << 24, SLM_E_BAD_VALUE, "\"m.i4\": 960 bytes are stated", false},
    {DIRECTORY, 5, SLM_TENSOR_COLS, 4, 2, SLM_E_BAD_VALUE, "\"v\": a vector of type 1 and shape [17, 2]", false},
    {DIRECTORY, 5, SLM_TENSOR_ROWS, 4, 16, SLM_E_BAD_VALUE, "\"v\": 128 bytes are stated, its shape takes 64", false},
    {DIRECTORY, 2, SLM_TENSOR_OFFSET, 8, 0, SLM_E_BAD_VALUE, "\"m.f32\": offset 0 of the data section", false},
    {DIRECTORY, 2, SLM_TENSOR_OFFSET, 8, UINT64_MAX, SLM_E_BAD_VALUE, "\"m.f32\": offset 18446744073709551615", false},
    {DIRECTORY, 2, SLM_TENSOR_LENGTH, 8, UINT64_MAX, SLM_E_BAD_VALUE, "\"m.f32\": 18446744073709551615 bytes", false},
    {DIRECTORY, 4, SLM_TENSOR_RESERVED, 4, 1, SLM_E_BAD_VALUE, "\"m.i8\": reserved", false},
};

static void each_defect_has_its_status_and_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++) {
        const struct defect *defect = &defects[i];
        struct slm_sink_memory target = make_sample(false, 4096);
        struct slm_weight_file file, untouched, before;
        slm_error error = {sizeof error, 0, ""};
        assert_int_equal(slm__weight_file_open(&file, target.data, target.size, NULL), SLM_OK);
        uint8_t *at = field(&target, &file, defect->place, defect->index, defect->at);
        for (uint32_t b = 0; b < defect->width; b++) {
            at[b] = (uint8_t)(defect->value >> (8 * b));
        }
        if (!defect->stale) {
            fix_checksums(target.data, target.size);
        }
        memset(&untouched, 0x5a, sizeof untouched);
        before = untouched;
        slm_status status = slm__weight_file_open(&untouched, target.data, target.size, &error);
        if (status != defect->status || strstr(error.message, defect->message) == NULL) {
            fail_msg("defect %zu (%s): status %d: %s", i, defect->message, status, error.message);
        }
        assert_memory_equal(&untouched, &before, sizeof before); /* a failed open writes nothing */
        slm__sink_memory_free(&target);
    }
}

/* Make the data section `change` bytes longer or shorter, the file with it. */
static void resize_data(struct slm_sink_memory *target, int64_t change)
{
    uint8_t *length = target->data + SLM_HEADER_BYTES + 3 * SLM_ENTRY_BYTES + SLM_ENTRY_LENGTH;
    uint64_t size = target->size + (uint64_t)change;
    uint8_t *data = aligned_alloc(4096, (size_t)slm__round_up(size, 4096));
    assert_non_null(data);
    slm__store_u64(length, slm__load_u64(length) + (uint64_t)change);
    slm__store_u64(target->data + SLM_HEADER_FILE_SIZE, size);
    memset(data, 0, (size_t)size);
    memcpy(data, target->data, (size_t)(size < target->size ? size : target->size));
    free(target->data); /* of the default allocator */
    target->data = data;
    target->size = size;
    fix_checksums(data, size);
}

static void data_section_fits_the_tensors_exactly(void **state)
{
    (void)state;
    struct slm_weight_file file;
    slm_error error = {sizeof error, 0, ""};
    struct slm_sink_memory target = make_sample(false, 4096);
    resize_data(&target, -64);
    assert_int_equal(slm__weight_file_open(&file, target.data, target.size, &error), SLM_E_TRUNCATED);
    assert_non_null(strstr(error.message, "tensor \"v\": 128 bytes at offset"));
    free(target.data);
    target = make_sample(false, 4096);
    resize_data(&target, 64);
    assert_int_equal(slm__weight_file_open(&file, target.data, target.size, &error), SLM_E_BAD_VALUE);
    assert_non_null(strstr(error.message, "the tensors end at byte"));
    free(target.data);
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    struct slm_sink_memory target = make_sample(false, 4096);
    for (size_t length = 0; length < target.size; length += length > 5000 && length + 200 < target.size ? 97 : 1) {
        struct slm_weight_file file;
        uint8_t *copy = NULL; /* of exactly this size, so that a sanitizer sees any read behind it */
        assert_int_equal(posix_memalign((void **)&copy, 64, length == 0 ? 1 : length), 0);
        memcpy(copy, target.data, length);
        slm_error error = {sizeof error, 0, ""};
        assert_int_equal(slm__weight_file_open(&file, copy, length, &error), SLM_E_TRUNCATED);
        assert_true(error.message[0] != '\0');
        free(copy);
    }
    slm__sink_memory_free(&target);
}

/* Any byte, several values, checksums left alone: refused by open, or found by verify. */
static void every_flipped_byte_is_found(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    struct slm_sink_memory target = make_sample(false, 4096);
    for (size_t at = 0; at < target.size; at++) {
        for (size_t f = 0; f < sizeof flips; f++) {
            struct slm_weight_file file;
            target.data[at] ^= flips[f];
            if (slm__weight_file_open(&file, target.data, target.size, NULL) == SLM_OK) {
                walk(&file);
                assert_int_equal(slm__weight_file_verify(&file, NULL, NULL, NULL), SLM_E_CHECKSUM);
            }
            target.data[at] ^= flips[f];
        }
    }
    slm__sink_memory_free(&target);
}

/* The same with correct checksums, as an attacker would write them: every structural check stands alone. */
static void every_flipped_byte_of_the_tables_is_survived(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x07, 0x40, 0x7f, 0x80, 0xff};
    struct slm_sink_memory target = make_sample(false, 4096);
    uint32_t accepted = 0;
    uint8_t *copy = aligned_alloc(4096, (size_t)slm__round_up(target.size, 4096));
    assert_non_null(copy);
    for (size_t at = 0; at < 1200; at++) {
        for (size_t v = 0; v < sizeof values; v++) {
            struct slm_weight_file file;
            memcpy(copy, target.data, (size_t)target.size);
            copy[at] = values[v];
            fix_checksums(copy, target.size);
            if (slm__weight_file_open(&file, copy, target.size, NULL) == SLM_OK) {
                walk(&file);
                accepted++;
            }
        }
    }
    assert_true(accepted > 100); /* harmless changes: letters of names, values */
    free(copy);
    slm__sink_memory_free(&target);
}

/* ---- opening ---- */

static void misaligned_or_missing_bytes_are_an_argument_error(void **state)
{
    (void)state;
    struct slm_sink_memory target = make_sample(false, 4096);
    struct slm_weight_file file;
    assert_int_equal(slm__weight_file_open(&file, target.data + 8, target.size - 8, NULL), SLM_E_ARGUMENT);
    assert_int_equal(slm__weight_file_open(&file, NULL, 0, NULL), SLM_E_ARGUMENT);
    slm__sink_memory_free(&target);
}

static void unknown_optional_section_is_skipped(void **state)
{
    (void)state;
    struct slm_sink_memory target = make_sample(false, 4096);
    struct slm_weight_file file;
    uint8_t *entry = target.data + SLM_HEADER_BYTES + 2 * SLM_ENTRY_BYTES;
    slm__store_u32(entry + SLM_ENTRY_ID, 0xc0000123u);
    fix_checksums(target.data, target.size);
    assert_int_equal(slm__weight_file_open(&file, target.data, target.size, NULL), SLM_OK);
    assert_int_equal(file.tokenizer.length, 0);
    assert_int_equal(slm__weight_file_verify(&file, NULL, NULL, NULL), SLM_OK);
    target.data[slm__load_u64(entry + SLM_ENTRY_OFFSET)] ^= 1;
    assert_int_equal(slm__weight_file_verify(&file, NULL, NULL, NULL), SLM_E_CHECKSUM);
    slm__sink_memory_free(&target);
}

static void newer_version_with_old_minimum_is_read(void **state)
{
    (void)state;
    struct slm_sink_memory target = make_sample(false, 4096);
    struct slm_weight_file file;
    slm__store_u32(target.data + SLM_HEADER_VERSION, 9);
    fix_checksums(target.data, target.size);
    assert_int_equal(slm__weight_file_open(&file, target.data, target.size, NULL), SLM_OK);
    slm__sink_memory_free(&target);
}

static void file_without_tensors_is_legal(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_sink_memory target;
    struct slm_weight_writer writer;
    struct slm_weight_file file;
    slm__sink_memory_init(&target, &memory, 1 << 20);
    struct slm_sink sink = slm__sink_memory(&target);
    slm__writer_init(&writer, &memory, &sink);
    slm__writer_tokenizer(&writer, slm__span("tok", 3));
    assert_int_equal(slm__writer_meta_text(&writer, "empty", slm__span(NULL, 0), NULL), SLM_OK);
    assert_int_equal(slm__writer_meta_u32s(&writer, "none", NULL, 0, NULL), SLM_OK);
    assert_int_equal(slm__writer_begin(&writer, NULL), SLM_OK);
    assert_int_equal(slm__writer_finish(&writer, NULL), SLM_OK);
    assert_int_equal(slm__weight_file_open(&file, target.data, target.size, NULL), SLM_OK);
    assert_int_equal(slm__weight_file_verify(&file, NULL, NULL, NULL), SLM_OK);
    assert_int_equal(file.tensor_count, 0);
    assert_int_equal(file.data_length, 0);
    assert_true(slm__span_is(file.tokenizer, "tok"));
    struct slm_span text;
    assert_true(slm__meta_text(&file, "empty", &text) && text.length == 0);
    slm__writer_free(&writer);
    slm__sink_memory_free(&target);
}

/* The pages of the data section can not be read; opening and looking up do not notice. */
static void opening_does_not_touch_tensor_data(void **state)
{
    (void)state;
    struct slm_sink_memory target = make_sample(false, 4096);
    struct slm_weight_file file;
    struct slm_tensor tensor;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (page > 4096) {
        skip();
    }
    uint8_t *pages = mmap(NULL, (size_t)target.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    memcpy(pages, target.data, (size_t)target.size);
    assert_int_equal(mprotect(pages + 4096, (size_t)target.size - 4096, PROT_NONE), 0);
    assert_int_equal(mprotect(pages, 4096, PROT_READ), 0);
    assert_int_equal(slm__weight_file_open(&file, pages, target.size, NULL), SLM_OK);
    assert_int_equal(file.data_offset, 4096);
    assert_true(slm__weight_file_find(&file, "v", &tensor));
    munmap(pages, (size_t)target.size);
    slm__sink_memory_free(&target);
}

static int32_t count_reports(void *user, uint64_t done, uint64_t total, const char *what)
{
    uint64_t *last = user;
    assert_true(done > *last && done <= total && what != NULL);
    *last = done;
    return 0;
}

static int32_t stop_at_once(void *user, uint64_t done, uint64_t total, const char *what)
{
    (void)user, (void)done, (void)total, (void)what;
    return 1;
}

static void verify_reports_names_and_stops(void **state)
{
    (void)state;
    struct slm_sink_memory target = make_sample(false, 4096);
    struct slm_weight_file file;
    slm_error error = {sizeof error, 0, ""};
    uint64_t last = 0;
    assert_int_equal(slm__weight_file_open(&file, target.data, target.size, NULL), SLM_OK);
    assert_int_equal(slm__weight_file_verify(&file, count_reports, &last, &error), SLM_OK);
    assert_int_equal(last, target.size);
    assert_int_equal(slm__weight_file_verify(&file, stop_at_once, NULL, &error), SLM_E_CANCELLED);
    target.data[target.size - 1] ^= 0x10;
    assert_int_equal(slm__weight_file_verify(&file, NULL, NULL, &error), SLM_E_CHECKSUM);
    assert_non_null(strstr(error.message, "tensor \"v\": checksum"));
    slm__sink_memory_free(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_is_read_back),
        cmocka_unit_test(metadata_is_read_back),
        cmocka_unit_test(order_and_pieces_leave_no_trace),
        cmocka_unit_test(file_sink_writes_the_same_bytes),
        cmocka_unit_test(many_tensors_are_sorted_and_found),
        cmocka_unit_test(worked_example_of_a_file),
        cmocka_unit_test(writer_refuses_bad_declarations),
        cmocka_unit_test(writer_refuses_calls_out_of_order),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(memory_sink_has_a_limit),
        cmocka_unit_test(each_defect_has_its_status_and_sentence),
        cmocka_unit_test(data_section_fits_the_tensors_exactly),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(every_flipped_byte_is_found),
        cmocka_unit_test(every_flipped_byte_of_the_tables_is_survived),
        cmocka_unit_test(misaligned_or_missing_bytes_are_an_argument_error),
        cmocka_unit_test(unknown_optional_section_is_skipped),
        cmocka_unit_test(newer_version_with_old_minimum_is_read),
        cmocka_unit_test(file_without_tensors_is_legal),
        cmocka_unit_test(opening_does_not_touch_tensor_data),
        cmocka_unit_test(verify_reports_names_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
