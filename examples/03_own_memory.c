/* SPDX-License-Identifier: MIT */
/*
 * The caller owns the memory: an allocator that counts, a model opened from bytes (they could lie in ROM), and a pool
 * planned to the byte and placed into a static block. After the session exists nothing is allocated any more.
 * usage: 03_own_memory MODEL.slm
 */
#include <slm.h>
#include <stdio.h>
#include <stdlib.h>

/* What a small device would set aside. */
static _Alignas(64) unsigned char pool_block[16u << 20];
static _Alignas(64) unsigned char engine_block[1u << 16];

struct counter {
    uint64_t calls;
    uint64_t bytes; /* held now */
};

static void *count_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct counter *counter = user;
    const uint64_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc((size_t)alignment, (size_t)rounded);
    counter->calls++;
    counter->bytes += memory != NULL ? bytes : 0;
    return memory;
}

static void count_release(void *user, void *memory, uint64_t bytes)
{
    struct counter *counter = user;
    counter->bytes -= memory != NULL ? bytes : 0;
    free(memory);
}

/* The file's bytes, aligned to 64, or NULL. */
static void *read_file(const char *path, uint64_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return NULL;
    }
    const long size = ftell(file);
    void *bytes = size > 0 ? aligned_alloc(64, ((size_t)size + 63) / 64 * 64) : NULL;
    if (bytes != NULL && (fseek(file, 0, SEEK_SET) != 0 || fread(bytes, 1, (size_t)size, file) != (size_t)size)) {
        free(bytes);
        bytes = NULL;
    }
    (void)fclose(file);
    *length = (uint64_t)size;
    return bytes;
}

static slm_status run(slm_engine *engine, const void *bytes, uint64_t length, const struct counter *counter, slm_error *error)
{
    slm_model *model = NULL;
    slm_pool *pool = NULL;
    slm_session *session = NULL;
    slm_pool_memory memory = {.struct_size = sizeof memory};
    slm_pool_options options = {.struct_size = sizeof options, .context = 256, .batch = 64};
    char answer[1024];
    uint64_t needed = 0;
    slm_status status = slm_model_open_memory(engine, bytes, length, NULL, &model, error);
    if (status == SLM_OK) {
        status = slm_pool_plan(model, &options, &memory, error);
    }
    options.block = pool_block;
    options.block_bytes = sizeof pool_block;
    if (status == SLM_OK) {
        status = slm_pool_create(model, &options, &pool, error);
    }
    if (status == SLM_OK) {
        status = slm_session_create(model, pool, NULL, &session, error);
    }
    const uint64_t calls_before = counter->calls;
    if (status == SLM_OK) {
        status = slm_generate(session, "Please cancel order 77120.", SLM_NUL_TERMINATED, NULL, answer, sizeof answer, &needed, NULL, error);
    }
    if (status == SLM_OK) {
        (void)printf("%.*s\npool: %llu bytes planned; allocator: %llu bytes held, %llu calls while generating\n", (int)needed, answer,
                     (unsigned long long)memory.total_bytes, (unsigned long long)counter->bytes,
                     (unsigned long long)(counter->calls - calls_before));
    }
    (void)slm_session_destroy(session);
    (void)slm_pool_destroy(pool);
    (void)slm_model_close(model);
    return status;
}

int main(int argc, char **argv)
{
    struct counter counter = {0, 0};
    slm_engine *engine = NULL;
    slm_error error = {.struct_size = sizeof error};
    const slm_engine_options options = {
        .struct_size = sizeof options, .allocate = count_allocate, .release = count_release, .memory_user = &counter};
    uint64_t length = 0;
    void *bytes = argc == 2 ? read_file(argv[1], &length) : NULL;
    if (bytes == NULL) {
        (void)fprintf(stderr, "usage: 03_own_memory MODEL.slm (a file that can be read)\n");
        return 2;
    }
    slm_status status = slm_engine_init_in_place(engine_block, sizeof engine_block, &options, &engine, &error);
    if (status == SLM_OK) {
        status = run(engine, bytes, length, &counter, &error);
    }
    (void)slm_engine_destroy(engine);
    free(bytes);
    if (status != SLM_OK || counter.bytes != 0) {
        (void)fprintf(stderr, "03_own_memory: %s\n", status != SLM_OK ? error.message : "memory was not given back");
        return 1;
    }
    return 0;
}
