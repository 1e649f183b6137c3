/* SPDX-License-Identifier: MIT */
/* Reading safetensors: every malformed file is refused with the defect's name, odd ones are accepted, every prefix and every flipped byte
 * of a good file ends in a status. */
#define _GNU_SOURCE
#include "tests/unit/import_fixture.h"

#include "import/safetensors_reader.h" /* slm__safetensors_add_file */

static slm_status read_file(struct import_fixture *fixture, const char *path, uint32_t *tensors)
{
    struct slm_tensor_set set;
    fixture->error.message[0] = 0;
    slm__tensor_set_init(&set, &fixture->memory);
    const slm_status status = slm__safetensors_add_file(&set, &fixture->memory, path, &fixture->error);
    *tensors = set.tensor_count;
    slm__tensor_set_free(&set);
    return status;
}

static void refuse_one(const struct import_case *one, void *user)
{
    struct import_fixture *fixture = user;
    char path[1024];
    uint32_t tensors;
    snprintf(path, sizeof path, "%s/import/bad/%s", golden_root(), one->file);
    const slm_status status = read_file(fixture, path, &tensors);
    if (status == SLM_OK || strstr(fixture->error.message, one->file) == NULL) {
        fail_msg("%s (%s): status %d, message \"%s\"", one->file, one->what, status, fixture->error.message);
    }
}

static void malformed_files_are_refused_by_name(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    const bool there = import_each_case("bad", "EXPECT.tsv", "safetensors", refuse_one, &fixture);
    import_end(&fixture);
    if (!there) {
        skip();
    }
}

static void accept_one(const struct import_case *one, void *user)
{
    struct import_fixture *fixture = user;
    char path[1024];
    uint32_t tensors;
    snprintf(path, sizeof path, "%s/import/odd/%s", golden_root(), one->file);
    if (read_file(fixture, path, &tensors) != SLM_OK) {
        fail_msg("%s (%s): %s", one->file, one->what, fixture->error.message);
    }
}

static void odd_files_are_accepted(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    const bool there = import_each_case("odd", "ACCEPT.tsv", "safetensors", accept_one, &fixture);
    import_end(&fixture);
    if (!there) {
        skip();
    }
}

/* A header in a file of the fixture's folder, with `data_bytes` zero bytes behind. */
static slm_status read_header(struct import_fixture *fixture, const char *header, size_t data_bytes)
{
    char path[256], file[4096] = {0};
    const size_t length = strlen(header);
    uint32_t tensors;
    for (int i = 0; i < 8; i++) {
        file[i] = (char)(length >> (8 * i) & 255);
    }
    memcpy(file + 8, header, length);
    import_write(import_path(fixture, "one.safetensors", path), file, 8 + length + data_bytes);
    return read_file(fixture, path, &tensors);
}

/* What the golden files do not have: gaps, bytes behind the last tensor, sizes in bits. */
static void data_are_covered_without_gaps(void **state)
{
    (void)state;
    struct import_fixture fixture;
    import_begin(&fixture, 1);
    assert_int_equal(read_header(&fixture, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8), SLM_OK);
    assert_int_equal(read_header(&fixture, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9), SLM_E_BAD_VALUE);
    assert_int_equal(read_header(&fixture, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12), SLM_E_BAD_VALUE);
    assert_int_equal(read_header(&fixture, "{\"a\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]}}", 2), SLM_OK);
    assert_int_equal(read_header(&fixture, "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2), SLM_E_BAD_VALUE);
    assert_int_equal(read_header(&fixture, "{\"a\":{\"dtype\":\"U8\",\"shape\":[2,0],\"data_offsets\":[0,0]}}", 0), SLM_OK);
    assert_int_equal(read_header(&fixture, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1e0],\"data_offsets\":[0,1]}}", 1), SLM_E_BAD_VALUE);
    assert_int_equal(read_header(&fixture, "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1),
                     SLM_E_BAD_VALUE);
    import_end(&fixture);
}

/* The base file cut at every length, and each of its bytes changed: a status each time. */
static void prefixes_and_flips(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char path[256];
    size_t length = 0;
    uint32_t tensors;
    import_begin(&fixture, 1);
    if (!import_base(&fixture)) {
        import_end(&fixture);
        print_message("skipped: there is no import/bad/base in %s\n", golden_root());
        skip();
    }
    char *data = golden_load(import_path(&fixture, "model.safetensors", path), &length);
    assert_non_null(data);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    setbuf(file, NULL);
    const size_t head = 8 + ((size_t)(uint8_t)data[0] | (size_t)(uint8_t)data[1] << 8);
    for (size_t i = 0; i < head + 64; i++) {
        const char changed = (char)(data[i] ^ (1 << (i % 8)));
        fseek(file, (long)i, SEEK_SET);
        fwrite(&changed, 1, 1, file);
        read_file(&fixture, path, &tensors);
        fseek(file, (long)i, SEEK_SET);
        fwrite(&data[i], 1, 1, file);
    }
    assert_int_equal(read_file(&fixture, path, &tensors), SLM_OK);
    for (size_t cut = length; cut-- > 0;) {
        assert_int_equal(ftruncate(fileno(file), (off_t)cut), 0);
        if (cut < head || cut % 61 == 0 || cut + 64 > length) {
            assert_int_not_equal(read_file(&fixture, path, &tensors), SLM_OK);
        }
    }
    fclose(file);
    free(data);
    import_end(&fixture);
}

static void shards_are_found_by_the_index(void **state)
{
    (void)state;
    struct import_fixture fixture;
    char folder[1024], index[1100];
    struct slm_tensor_set set;
    import_begin(&fixture, 1);
    snprintf(folder, sizeof folder, "%s/models/llama31", golden_root());
    snprintf(index, sizeof index, "%s/model.safetensors.index.json", folder);
    if (!slm__file_exists(index)) {
        import_end(&fixture);
        print_message("skipped: there is no %s\n", index);
        skip();
    }
    slm__tensor_set_init(&set, &fixture.memory);
    assert_int_equal(slm__safetensors_add_shards(&set, &fixture.memory, folder, index, &fixture.error), SLM_OK);
    assert_int_equal(set.file_count, 3);
    assert_non_null(slm__tensor_set_find(&set, "model.layers.2.mlp.down_proj.weight"));
    assert_null(slm__tensor_set_find(&set, "model.layers.3.mlp.down_proj.weight"));
    slm__tensor_set_free(&set);

    /* an index that points outside its folder, or to a file without the tensor */
    char path[256];
    import_write_text(&fixture, "model.safetensors.index.json", "{\"weight_map\": {\"a\": \"../a.safetensors\"}}");
    slm__tensor_set_init(&set, &fixture.memory);
    assert_int_equal(slm__safetensors_add_shards(&set, &fixture.memory, fixture.folder,
                                                 import_path(&fixture, "model.safetensors.index.json", path), &fixture.error),
                     SLM_E_BAD_VALUE);
    slm__tensor_set_free(&set);
    assert_int_equal(read_header(&fixture, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1), SLM_OK);
    import_write_text(&fixture, "model.safetensors.index.json", "{\"weight_map\": {\"b\": \"one.safetensors\"}}");
    slm__tensor_set_init(&set, &fixture.memory);
    assert_int_equal(slm__safetensors_add_shards(&set, &fixture.memory, fixture.folder, path, &fixture.error), SLM_E_BAD_VALUE);
    slm__tensor_set_free(&set);
    import_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_files_are_refused_by_name), cmocka_unit_test(odd_files_are_accepted),
        cmocka_unit_test(data_are_covered_without_gaps),       cmocka_unit_test(prefixes_and_flips),
        cmocka_unit_test(shards_are_found_by_the_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
