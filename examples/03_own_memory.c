/* SPDX-License-Identifier: MIT */
/*
 * The caller owns the memory: an allocator that counts, a model opened from bytes (they could lie in ROM), and a pool
 * planned to the byte and placed into a static block. Running the model (append and next) allocates nothing.
 * usage: 03_own_memory MODEL.slm
 */
#include <slm.h>
#include <stdio.h>
#include <stdlib.h>

/* What a small device would set aside: the model (its ROM), the pool, the engine. */
static _Alignas(64) unsigned char model_block[16u << 20];
static _Alignas(64) unsigned char pool_block[16u << 20];
static _Alignas(64) unsigned char engine_block[1u << 16];

struct counter {
    uint64_t calls;
    uint64_t bytes; /* held now */
};

static void *count_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct counter *counter = user;
    void *memory = aligned_alloc((size_t)alignment, (size_t)((bytes + alignment - 1) / alignment * alignment));
    counter->calls++;
    counter->bytes += memory != NULL ? bytes : 0;
    return memory;
}

static void count_release(void *user, void *memory, uint64_t bytes)
{
    ((struct counter *)user)->bytes -= bytes;
    free(memory);
}

/* One message through template and tokenizer; these two may use the allocator for a moment. */
static slm_status make_prompt(slm_engine *engine, slm_model *model, int32_t ids[256], uint64_t *count, slm_error *error)
{
    static const char request[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Please cancel order 77120.\"}]}";
    char prompt[1024];
    uint64_t length = 0;
    const slm_status status = slm_chat_render(engine, model, request, sizeof request - 1, NULL, prompt, sizeof prompt, &length, error);
    return status != SLM_OK ? status : slm_tokenize(model, prompt, length, 0, ids, 256, count, error);
}

static slm_status answer(slm_session *session, const int32_t *ids, uint64_t count, slm_error *error)
{
    slm_token token = {.struct_size = sizeof token};
    slm_status status = slm_session_append(session, ids, count, NULL, error);
    while (status == SLM_OK && token.stop == SLM_STOP_NONE) {
        status = slm_session_next(session, &token, error);
        (void)fwrite(token.text, 1, status == SLM_OK ? (size_t)token.text_length : 0, stdout);
    }
    return status;
}

static slm_status run(slm_engine *engine, slm_model *model, const struct counter *counter, slm_error *error)
{
    slm_pool *pool = NULL;
    slm_session *session = NULL;
    slm_pool_memory memory = {.struct_size = sizeof memory};
    slm_pool_options options = {.struct_size = sizeof options, .context = 256, .batch = 64};
    int32_t ids[256];
    uint64_t count = 0;
    slm_status status = slm_pool_plan(model, &options, &memory, error);
    options.block = pool_block;
    options.block_bytes = sizeof pool_block;
    if (status == SLM_OK) {
        status = slm_pool_create(model, &options, &pool, error);
    }
    if (status == SLM_OK) {
        status = slm_session_create(model, pool, NULL, &session, error);
    }
    if (status == SLM_OK) {
        status = make_prompt(engine, model, ids, &count, error);
    }
    const uint64_t calls_before = counter->calls;
    if (status == SLM_OK) {
        status = answer(session, ids, count, error);
    }
    if (status == SLM_OK) {
        (void)printf("\npool: %llu bytes planned; allocator: %llu bytes held, %llu calls while running the model\n",
                     (unsigned long long)memory.total_bytes, (unsigned long long)counter->bytes,
                     (unsigned long long)(counter->calls - calls_before));
    }
    (void)slm_session_destroy(session);
    (void)slm_pool_destroy(pool);
    return status;
}

int main(int argc, char **argv)
{
    struct counter counter = {0, 0};
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    slm_error error = {.struct_size = sizeof error};
    const slm_engine_options options = {
        .struct_size = sizeof options, .allocate = count_allocate, .release = count_release, .memory_user = &counter};
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    const size_t length = file != NULL ? fread(model_block, 1, sizeof model_block, file) : 0;
    if (file == NULL || fclose(file) != 0) {
        (void)fprintf(stderr, "usage: 03_own_memory MODEL.slm (a file that can be read)\n");
        return 2;
    }
    slm_status status = slm_engine_init_in_place(engine_block, sizeof engine_block, &options, &engine, &error);
    if (status == SLM_OK) {
        status = slm_model_open_memory(engine, model_block, length, NULL, &model, &error);
    }
    if (status == SLM_OK) {
        status = run(engine, model, &counter, &error);
    }
    (void)slm_model_close(model);
    (void)slm_engine_destroy(engine);
    if (status != SLM_OK || counter.bytes != 0) {
        (void)fprintf(stderr, "03_own_memory: %s\n", status != SLM_OK ? error.message : "memory was not given back");
        return 1;
    }
    return 0;
}
