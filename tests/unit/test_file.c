/* SPDX-License-Identifier: MIT */
/* Files: reading with bounds, refusing what is no file, mapping, and output that appears only when complete. */
#define _GNU_SOURCE    /* mkdtemp, truncate */
#include "base/file.h" /* slm__file_open ... */

#include <setjmp.h>
#include <stdarg.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/slm-test-file-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int count_entries(void)
{
    DIR *open_folder = opendir(folder);
    int entries = 0;
    while (readdir(open_folder) != NULL) {
        entries++;
    }
    closedir(open_folder);
    return entries - 2;
}

static void reads_inside_bounds(void **state)
{
    (void)state;
    write_file("a", "0123456789");
    struct slm_file file;
    slm_error error = {sizeof error, 0, ""};
    char text[16] = "";
    assert_int_equal(slm__file_open(&file, path_of("a"), &error), SLM_OK);
    assert_int_equal(file.size, 10);
    assert_int_equal(slm__file_read(&file, 3, text, 4, &error), SLM_OK);
    assert_string_equal(text, "3456");
    assert_int_equal(slm__file_read(&file, 10, text, 0, &error), SLM_OK);
    assert_int_equal(slm__file_read(&file, 8, text, 3, &error), SLM_E_TRUNCATED);
    assert_int_equal(slm__file_read(&file, UINT64_MAX, text, 2, &error), SLM_E_TRUNCATED);
    assert_int_equal(truncate(path_of("a"), 5), 0);
    assert_int_equal(slm__file_read(&file, 3, text, 4, &error), SLM_E_TRUNCATED);
    slm__file_close(&file);
    slm__file_close(&file);
    unlink(path_of("a"));
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    struct slm_file file;
    slm_error error = {sizeof error, 0, ""};
    char message[400];
    assert_int_equal(slm__file_open(&file, path_of("missing"), &error), SLM_E_FILE_MISSING);
    snprintf(message, sizeof message, "cannot open %s: no such file or folder", path_of("missing"));
    assert_string_equal(error.message, message);
    assert_int_equal(slm__file_open(&file, folder, &error), SLM_E_FILE_MISSING);
    assert_non_null(strstr(error.message, "it is a folder"));
    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
    assert_int_equal(slm__file_open(&file, path_of("pipe"), &error), SLM_E_FILE_MISSING); /* and does not wait for a writer */
    assert_int_equal(slm__file_open(&file, "/dev/null", &error), SLM_E_FILE_MISSING);
    assert_int_equal(file.handle, -1);
    unlink(path_of("pipe"));
    assert_true(slm__path_is_folder(folder));
    assert_false(slm__file_exists(folder));
    assert_false(slm__path_is_folder(path_of("missing")));
}

static void loads_whole_files(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_span data;
    slm_error error = {sizeof error, 0, ""};
    write_file("b", "some bytes");
    assert_true(slm__file_exists(path_of("b")));
    assert_int_equal(slm__file_load(path_of("b"), &memory, 10, &data, &error), SLM_OK);
    assert_true(slm__span_is(data, "some bytes"));
    assert_int_equal((uintptr_t)data.data % 64, 0);
    slm__release(&memory, (void *)(uintptr_t)data.data, data.length);
    assert_int_equal(slm__file_load(path_of("b"), &memory, 9, &data, &error), SLM_E_LIMIT);
    write_file("b", "");
    assert_int_equal(slm__file_load(path_of("b"), &memory, 10, &data, &error), SLM_OK);
    assert_null(data.data);
    assert_int_equal(data.length, 0);
    unlink(path_of("b"));
}

static void maps_files(void **state)
{
    (void)state;
    struct slm_mapping mapping;
    slm_error error = {sizeof error, 0, ""};
    write_file("c", "mapped");
    assert_int_equal(slm__map_file(&mapping, path_of("c"), &error), SLM_OK);
    assert_int_equal(mapping.size, 6);
    assert_memory_equal(mapping.data, "mapped", 6);
    assert_int_equal((uintptr_t)mapping.data % 4096, 0);
    slm__unmap(&mapping);
    slm__unmap(&mapping);
    assert_null(mapping.data);
    write_file("c", "");
    assert_int_equal(slm__map_file(&mapping, path_of("c"), &error), SLM_OK);
    assert_null(mapping.data);
    assert_int_equal(slm__map_file(&mapping, folder, &error), SLM_E_FILE_MISSING);
    unlink(path_of("c"));
}

static void output_appears_when_complete(void **state)
{
    (void)state;
    struct slm_output output;
    slm_error error = {sizeof error, 0, ""};
    write_file("d", "old");
    assert_int_equal(slm__output_create(&output, path_of("d"), &error), SLM_OK);
    assert_int_equal(slm__output_write(&output, 4, "new", 3, &error), SLM_OK);
    assert_int_equal(slm__output_write(&output, 0, "very", 4, &error), SLM_OK);
    struct slm_file file;
    assert_int_equal(slm__file_open(&file, path_of("d"), &error), SLM_OK);
    assert_int_equal(file.size, 3); /* still the old one */
    slm__file_close(&file);
    assert_int_equal(count_entries(), 2);
    assert_int_equal(slm__output_commit(&output, &error), SLM_OK);
    slm__output_abandon(&output);
    assert_int_equal(count_entries(), 1);
    char text[8] = "";
    assert_int_equal(slm__file_open(&file, path_of("d"), &error), SLM_OK);
    assert_int_equal(file.size, 7);
    assert_int_equal(slm__file_read(&file, 0, text, 7, &error), SLM_OK);
    assert_string_equal(text, "verynew");
    slm__file_close(&file);
    unlink(path_of("d"));
}

static void abandoned_output_leaves_nothing(void **state)
{
    (void)state;
    struct slm_output first;
    struct slm_output second;
    slm_error error = {sizeof error, 0, ""};
    assert_int_equal(slm__output_create(&first, path_of("e"), &error), SLM_OK);
    assert_int_equal(slm__output_create(&second, path_of("e"), &error), SLM_OK); /* names do not collide */
    assert_int_equal(count_entries(), 2);
    slm__output_abandon(&first);
    slm__output_abandon(&first);
    slm__output_abandon(&second);
    assert_int_equal(count_entries(), 0);
}

static void unwritable_output(void **state)
{
    (void)state;
    struct slm_output output;
    slm_error error = {sizeof error, 0, ""};
    assert_int_equal(slm__output_create(&output, path_of("no/such/folder"), &error), SLM_E_FILE_WRITE);
    assert_non_null(strstr(error.message, "no such file or folder"));
    assert_int_equal(slm__output_create(&output, folder, &error), SLM_E_FILE_WRITE);
    assert_int_equal(slm__output_create(&output, "/dev/null", &error), SLM_E_FILE_WRITE);
    assert_int_equal(slm__output_create(&output, "", &error), SLM_E_FILE_WRITE);
    /* The folder vanishes before the end. */
    assert_int_equal(mkdir(path_of("gone"), 0700), 0);
    assert_int_equal(slm__output_create(&output, path_of("gone/f"), &error), SLM_OK);
    unlink(output.temporary);
    rmdir(path_of("gone"));
    assert_int_equal(slm__output_commit(&output, &error), SLM_E_FILE_WRITE);
    assert_int_equal(count_entries(), 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_inside_bounds),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(loads_whole_files),
        cmocka_unit_test(maps_files),
        cmocka_unit_test(output_appears_when_complete),
        cmocka_unit_test(abandoned_output_leaves_nothing),
        cmocka_unit_test(unwritable_output),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
