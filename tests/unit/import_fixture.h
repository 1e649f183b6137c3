/* SPDX-License-Identifier: MIT */
/* What the tests of importing share: a context with a log that counts, a folder for files, copies of the good base. */
#ifndef SLM_TESTS_IMPORT_FIXTURE_H
#define SLM_TESTS_IMPORT_FIXTURE_H

#include "base/file.h"              /* slm__file_exists */
#include "import/checkpoint_open.h" /* slm__checkpoint_open */
#include "import/convert.h"         /* slm__convert_checkpoint */
#include "tests/golden_report.h"    /* golden_begin */
#include "tests/golden_tensors.h"   /* golden_load, golden_root */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct import_fixture {
    struct slm_memory memory;
    struct slm_log log;
    struct slm_team_storage storage;
    struct slm_import_context context;
    slm_error error;
    int warnings;
    char last_warning[512];
    char folder[64];
};

static inline void import_count_warning(void *user, int32_t level, const char *message)
{
    struct import_fixture *fixture = user;
    fixture->warnings += level == SLM_LOG_WARNING;
    snprintf(fixture->last_warning, sizeof fixture->last_warning, "%s", message);
}

static inline void import_begin(struct import_fixture *fixture, uint32_t threads)
{
    const struct slm_team_options options = {threads, NULL, NULL};
    memset(fixture, 0, sizeof *fixture);
    fixture->memory = slm__memory_default();
    fixture->log = (struct slm_log){import_count_warning, fixture};
    fixture->context = (struct slm_import_context){&fixture->memory, &fixture->log, slm__team_init(&fixture->storage, &options)};
    fixture->error.struct_size = sizeof fixture->error;
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/slm-import-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
}

static inline void import_end(struct import_fixture *fixture)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", fixture->folder);
    assert_int_equal(system(command), 0);
}

static inline void import_write(const char *path, const void *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* "folder/name" */
static inline const char *import_path(const struct import_fixture *fixture, const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", fixture->folder, name);
    return path;
}

static inline void import_write_text(const struct import_fixture *fixture, const char *name, const char *text)
{
    char path[256];
    import_write(import_path(fixture, name, path), text, strlen(text));
}

static inline bool import_copy(const char *from, const char *to)
{
    size_t length = 0;
    char *data = golden_load(from, &length);
    if (data == NULL) {
        return false;
    }
    import_write(to, data, length);
    free(data);
    return true;
}

/* The good base of golden/import/bad in the fixture's folder; false when it is not there. */
static inline bool import_base(const struct import_fixture *fixture)
{
    static const char *const names[] = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char from[1024], to[256];
        snprintf(from, sizeof from, "%s/import/bad/base/%s", golden_root(), names[i]);
        if (!import_copy(from, import_path(fixture, names[i], to))) {
            return false;
        }
    }
    return true;
}

static inline slm_status import_open(struct import_fixture *fixture, const char *path)
{
    struct slm_checkpoint checkpoint;
    fixture->error.message[0] = 0;
    slm__checkpoint_init(&checkpoint, &fixture->context);
    const slm_status status = slm__checkpoint_open(&checkpoint, path, &fixture->error);
    slm__checkpoint_free(&checkpoint);
    return status;
}

static inline slm_status import_convert(struct import_fixture *fixture, const char *source, const char *destination,
                                        enum slm_weight_type type)
{
    const struct slm_convert_settings settings = {.types = {type, SLM_WEIGHT_NONE}};
    struct slm_convert_report report;
    return slm__convert_checkpoint(&fixture->context, source, destination, &settings, &report, &fixture->error);
}

/* ---- failing memory */

struct import_failing_memory {
    struct slm_memory real;
    long until; /* allocations that still succeed */
    long blocks;
};

static inline void *import_failing_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct import_failing_memory *failing = user;
    if (failing->until-- <= 0) {
        return NULL;
    }
    failing->blocks++;
    return slm__allocate(&failing->real, (size_t)bytes, (size_t)alignment);
}

static inline void import_failing_release(void *user, void *memory, uint64_t bytes)
{
    struct import_failing_memory *failing = user;
    failing->blocks--;
    slm__release(&failing->real, memory, (size_t)bytes);
}

/* Convert with 0, 1, 2 ... allocations that succeed: a status, all given back, no file, until all goes well. */
static inline void import_each_allocation_may_fail(struct import_fixture *fixture, const char *source, const char *destination,
                                                   const struct slm_adapter_choice *adapters, uint32_t adapter_count)
{
    unlink(destination);
    for (long until = 0;; until++) {
        struct import_failing_memory failing = {slm__memory_default(), until, 0};
        const struct slm_memory memory = {import_failing_allocate, import_failing_release, &failing};
        const struct slm_import_context context = {&memory, &fixture->log, fixture->context.team};
        const struct slm_convert_settings settings = {
            .types = {SLM_WEIGHT_I4, SLM_WEIGHT_NONE}, .adapters = adapters, .adapter_count = adapter_count};
        struct slm_convert_report report;
        const slm_status status = slm__convert_checkpoint(&context, source, destination, &settings, &report, &fixture->error);
        assert_int_equal(failing.blocks, 0);
        if (status == SLM_OK) {
            assert_true(until > 20);
            break;
        }
        assert_int_equal(status, SLM_E_NO_MEMORY);
        assert_false(slm__file_exists(destination));
    }
}

/* Rows of a table of golden/import (bad/EXPECT.tsv, odd/ACCEPT.tsv). */
struct import_case {
    char file[96], kind[32], what[256];
};

/* Calls `check`, which fails the test or returns, for each row of one of the kinds (names with spaces between them), each a case of the
 * set "table: kinds"; false when the table is not there. */
static inline bool import_each_case(const char *folder, const char *table, const char *kinds,
                                    void (*check)(const struct import_case *one, void *user), void *user)
{
    char path[1024], name[160], among[160], kind[40];
    snprintf(path, sizeof path, "%s/import/%s/%s", golden_root(), folder, table);
    snprintf(name, sizeof name, "%s: %s", folder, kinds);
    snprintf(among, sizeof among, " %s ", kinds);
    char *text = golden_load(path, NULL);
    if (text == NULL) {
        print_message("skipped: there is no %s\n", path);
        return false;
    }
    bool first = true;
    golden_begin("import", name);
    for (char *line = text, *next = NULL; line != NULL && *line != 0; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = 0;
        }
        struct import_case one;
        if (!first && sscanf(line, "%95[^\t]\t%31[^\t]\t%255[^\n]", one.file, one.kind, one.what) == 3) {
            snprintf(kind, sizeof kind, " %s ", one.kind);
            if (strstr(among, kind) != NULL) {
                check(&one, user);
                golden_case(true);
            }
        }
        first = false;
    }
    free(text);
    return golden_end() == 0;
}

#endif
