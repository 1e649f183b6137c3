/* SPDX-License-Identifier: MIT */
/* What tests of the public API share: an allocator that counts and can fail, a model made from a reference checkpoint, checks with
 * messages. */
#ifndef SLM_TESTS_API_FIXTURE_H
#define SLM_TESTS_API_FIXTURE_H

#define _POSIX_C_SOURCE 200809L /* posix_memalign, usleep */
#define _DEFAULT_SOURCE

#include "tests/golden_tensors.h" /* golden_root */
#include <setjmp.h>
#include <slm.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <cmocka.h>

static slm_error error = {sizeof error, 0, ""};

#define CHECK_OK(call)                                                  \
  do {                                                                  \
    const slm_status check_status = (call);                             \
    if (check_status != SLM_OK) {                                       \
      fail_msg("%s: %s", slm_status_name(check_status), error.message); \
    }                                                                   \
  } while (0)

/* Counts what is alive; fails the call number fail_at (from 1) when that is not 0. */
struct counting_allocator {
    uint64_t calls, live_blocks, live_bytes, fail_at;
};

static inline void *counting_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct counting_allocator *counter = user;
    void *block = NULL;
    if (++counter->calls == counter->fail_at ||
        posix_memalign(&block, alignment < sizeof(void *) ? sizeof(void *) : alignment, bytes) != 0) {
        return NULL;
    }
    counter->live_blocks++;
    counter->live_bytes += bytes;
    return block;
}

static inline void counting_release(void *user, void *block, uint64_t bytes)
{
    struct counting_allocator *counter = user;
    counter->live_blocks--;
    counter->live_bytes -= bytes;
    free(block);
}

static inline slm_engine_options counting_options(struct counting_allocator *counter)
{
    return (slm_engine_options){
        .struct_size = sizeof(slm_engine_options), .allocate = counting_allocate, .release = counting_release, .memory_user = counter};
}

/* Path of a temporary file of this process; `name` tells several apart. */
static inline const char *temporary_path(const char *name, char path[256])
{
    snprintf(path, 256, "/tmp/slm-test-%ld-%s", (long)getpid(), name);
    return path;
}

/* $SLM_GOLDEN/models/<folder> converted to `type` into `target`. */
static inline void convert_golden(slm_engine *engine, const char *folder, int32_t type, const char *target)
{
    char source[512];
    const slm_convert_options options = {.struct_size = sizeof options, .type = type, .head_type = type == SLM_TYPE_F32 ? SLM_TYPE_F32 : 0};
    snprintf(source, sizeof source, "%s/models/%s", golden_root(), folder);
    CHECK_OK(slm_convert(engine, source, SLM_NUL_TERMINATED, target, SLM_NUL_TERMINATED, &options, NULL, &error));
}

/* Convert and open; nothing is left on disk. */
static inline slm_model *golden_model(slm_engine *engine, const char *folder, int32_t type)
{
    char target[256];
    slm_model *model = NULL;
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    convert_golden(engine, folder, type, temporary_path("model.slm", target));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    return model;
}

/* `count` token ids below `vocab`, always the same. */
static inline void some_tokens(int32_t *ids, uint32_t count, uint32_t vocab)
{
    uint32_t state = 12345;
    for (uint32_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        ids[i] = (int32_t)((state >> 8) % vocab);
    }
}

#endif
