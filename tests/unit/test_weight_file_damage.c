/* SPDX-License-Identifier: MIT */
/* Damaged and hostile .slm files: every defect gives the status and the sentence it deserves, and nothing reads where it must not. */
#define _GNU_SOURCE
#include "tests/unit/weight_file_sample.h" /* make_sample, fix_checksums */

/* ---- one defect each ---- */

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
    case META_BYTES:
        return metadata + slm__load_u32(metadata + SLM_TABLE_HEAD + index * SLM_META_BYTES + SLM_META_VALUE_OFFSET) + (int32_t)at;
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
    {HEADER, 0, SLM_HEADER_MIN_READER, 4, 5, SLM_E_VERSION, "format version 5", true},
    {HEADER, 0, SLM_HEADER_MIN_READER, 4, 0, SLM_E_BAD_VALUE, "minimum reader version 0", false},
    {HEADER, 0, SLM_HEADER_VERSION, 4, 0, SLM_E_BAD_VALUE, "format version 0", false},
    {HEADER, 0, SLM_HEADER_SECTIONS, 4, 0, SLM_E_BAD_VALUE, "header: 0 sections", true},
    {HEADER, 0, SLM_HEADER_SECTIONS, 4, 65, SLM_E_BAD_VALUE, "header: 65 sections", true},
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
    {SECTION, 1, SLM_ENTRY_LENGTH, 8, 322, SLM_E_BAD_VALUE, "directory section: 322 bytes, its entries end at byte 321", false},
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

/* A file of a metadata and a directory section that hold zeros only. */
static slm_status open_zeros(uint64_t metadata, uint64_t directory, slm_error *error)
{
    const uint64_t first = 128, second = slm__round_up(first + metadata, 64), size = second + directory;
    struct slm_weight_file file;
    uint8_t *data = NULL;
    assert_int_equal(posix_memalign((void **)&data, 64, (size_t)size), 0);
    memset(data, 0, (size_t)size);
    memcpy(data, SLM_FORMAT_MAGIC, 8);
    slm__store_u32(data + SLM_HEADER_VERSION, 1);
    slm__store_u32(data + SLM_HEADER_MIN_READER, 1);
    slm__store_u64(data + SLM_HEADER_FILE_SIZE, size);
    slm__store_u32(data + SLM_HEADER_SECTIONS, 2);
    slm__store_u32(data + SLM_HEADER_LENGTH, 128);
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *entry = data + SLM_HEADER_BYTES + i * SLM_ENTRY_BYTES;
        slm__store_u32(entry + SLM_ENTRY_ID, i == 0 ? SLM_SECTION_METADATA : SLM_SECTION_DIRECTORY);
        slm__store_u64(entry + SLM_ENTRY_OFFSET, i == 0 ? first : second);
        slm__store_u64(entry + SLM_ENTRY_LENGTH, i == 0 ? metadata : directory);
    }
    fix_checksums(data, size);
    slm_status status = slm__weight_file_open(&file, data, size, error);
    free(data);
    return status;
}

static void sections_have_a_least_and_a_largest_size(void **state)
{
    (void)state;
    slm_error error = {sizeof error, 0, ""};
    assert_int_equal(open_zeros(8, 8, &error), SLM_OK);
    assert_int_equal(open_zeros(7, 8, &error), SLM_E_TRUNCATED);
    assert_string_equal(error.message, "metadata section: 7 bytes, a table needs at least 8");
    assert_int_equal(open_zeros(8, 4, &error), SLM_E_TRUNCATED);
    assert_string_equal(error.message, "directory section: 4 bytes, a table needs at least 8");
    assert_int_equal(open_zeros(SLM_FORMAT_MAX_METADATA + 1, 8, &error), SLM_E_LIMIT);
    assert_string_equal(error.message, "metadata section: 67108865 bytes, at most 67108864 are supported");
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    struct slm_sink_memory target = make_sample(false, 4096);
    for (size_t length = 0; length<target.size; length += length> 5000 && length + 200 < target.size ? 97 : 1) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_defect_has_its_status_and_sentence),
        cmocka_unit_test(data_section_fits_the_tensors_exactly),
        cmocka_unit_test(sections_have_a_least_and_a_largest_size),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(every_flipped_byte_is_found),
        cmocka_unit_test(every_flipped_byte_of_the_tables_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
