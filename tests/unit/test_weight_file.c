/* SPDX-License-Identifier: MIT */
/* The .slm container: what the writer writes the reader reads back, the same content gives the same bytes, and opening never reads tensor
 * data. */
#define _GNU_SOURCE
#include "base/file.h"                     /* slm__output_create, slm__map_file */
#include "format/sink_file.h"              /* slm__sink_file */
#include "tests/unit/weight_file_sample.h" /* make_sample */

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

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
    static const char expected[] = "736C6D1A0D0A00010100000001000000401000000000000003000000A0000000C8738FB5000000000000000000000000"
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
    assert_int_equal(slm__writer_add_tensor(&writer, "a", SLM_TENSOR_MATRIX, SLM_WEIGHT_I4, 2, (1u << 24) + 1, &id, &error),
                     SLM_E_BAD_VALUE);
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
        cmocka_unit_test(misaligned_or_missing_bytes_are_an_argument_error),
        cmocka_unit_test(unknown_optional_section_is_skipped),
        cmocka_unit_test(newer_version_with_old_minimum_is_read),
        cmocka_unit_test(file_without_tensors_is_legal),
        cmocka_unit_test(opening_does_not_touch_tensor_data),
        cmocka_unit_test(verify_reports_names_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
