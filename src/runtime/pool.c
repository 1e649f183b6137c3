/* SPDX-License-Identifier: MIT */
/* Planning and creating pools. */
#include "runtime/pool.h"
#include "runtime/prefix_cache.h" /* struct slm_prefix */
#include "runtime/session.h"      /* struct slm_session */
#include "sample/sampler.h"       /* slm__sampler_scratch_bytes */
#include <string.h>

enum { DEFAULT_BATCH = 512, DEFAULT_CONTEXT = 4096, MAX_SESSIONS = 4096, MAX_BATCH = 8192 };
#define MAX_GRAMMAR_BYTES ((uint64_t)1 << 32)

/* Those of an encoder live for one layer only: their full precision costs nothing. */
static slm_status kv_type_of(int32_t number, bool bidirectional, enum slm_kv_type *type, slm_error *error)
{
    switch (number) {
    case SLM_KV_DEFAULT: *type = bidirectional ? SLM_CACHE_F32 : SLM_CACHE_F16; return SLM_OK;
    case SLM_KV_F16: *type = SLM_CACHE_F16; return SLM_OK;
    case SLM_KV_F32: *type = SLM_CACHE_F32; return SLM_OK;
    case SLM_KV_I8: *type = SLM_CACHE_I8; return SLM_OK;
    default: return slm__fail(error, SLM_E_ARGUMENT, "kv_type is %d; SLM_KV_F32 (1), F16 (2) and I8 (3) are supported", number);
    }
}

/* Most tiles that layers with a window hold of one session. While tokens are appended that is the window of the old end, in case the
 * call is cancelled, and the window of the present one. */
static uint32_t window_tiles(uint32_t window, uint32_t context_tiles, uint32_t batch)
{
    const uint64_t tiles = (2 * ((uint64_t)window + SLM_WINDOW_RESERVE) + batch) / SLM_TILE + 4;
    return tiles < context_tiles ? (uint32_t)tiles : context_tiles;
}

/* What takes memory only when it is asked for. */
static slm_status optional_shape(const slm_pool_options *options, struct slm_pool_shape *shape, slm_error *error)
{
    shape->adapter_rank = options->adapter_rank;
    shape->speculate = options->speculate;
    shape->prefixes = options->prefixes;
    shape->grammar_bytes = options->grammar_bytes;
    if (!SLM_WITH_REUSE && (shape->speculate | shape->prefixes) != 0) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "this build of libslm has no guesses ahead and keeps no beginnings (WITH_REUSE=0)");
    }
    if (shape->adapter_rank > SLM_LOW_RANK_RANK_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "adapter_rank is %u, at most %d is possible", shape->adapter_rank, SLM_LOW_RANK_RANK_MAX);
    }
    if (shape->speculate > SLM_SPECULATE_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "speculate is %u, at most %d is possible", shape->speculate, SLM_SPECULATE_MAX);
    }
    if (shape->grammar_bytes > MAX_GRAMMAR_BYTES) {
        return slm__fail(error, SLM_E_ARGUMENT, "grammar_bytes is %llu, at most %llu are possible",
                         (unsigned long long)shape->grammar_bytes, (unsigned long long)MAX_GRAMMAR_BYTES);
    }
    if (shape->prefixes > MAX_SESSIONS) {
        return slm__fail(error, SLM_E_ARGUMENT, "prefixes is %u, at most %d are possible", shape->prefixes, MAX_SESSIONS);
    }
    return SLM_OK;
}

slm_status slm__pool_shape(const struct slm_runtime_model *model, const slm_pool_options *options, struct slm_pool_shape *shape,
                           slm_error *error)
{
    const uint32_t most = model->transformer->max_context;
    const bool encoder = SLM_WITH_SCORES && model->transformer->bidirectional;
    const struct slm_vision_tower *vision = slm__vision_of(model->transformer);
    shape->sessions = options->sessions != 0 ? options->sessions : encoder ? SLM_ENCODER_TEXTS : 1;
    shape->context = options->context == 0 ? (most < DEFAULT_CONTEXT ? most : DEFAULT_CONTEXT) : options->context;
    if (shape->sessions > MAX_SESSIONS) {
        return slm__fail(error, SLM_E_ARGUMENT, "sessions is %u, at most %d are possible", shape->sessions, MAX_SESSIONS);
    }
    if (shape->context > most) {
        return slm__fail(error, SLM_E_ARGUMENT, "context is %u, the model was made for at most %u tokens", shape->context, most);
    }
    const uint32_t tiles = slm__kv_tiles(shape->context);
    uint64_t pages = options->kv_tokens == 0 ? (uint64_t)tiles * shape->sessions : (options->kv_tokens + SLM_TILE - 1) / SLM_TILE;
    if (options->kv_tokens > (uint64_t)1 << 40 || pages > UINT32_MAX / 2) {
        return slm__fail(error, SLM_E_ARGUMENT, "kv_tokens is %llu, more than a pool can hold", (unsigned long long)options->kv_tokens);
    }
    shape->batch = options->batch == 0 ? DEFAULT_BATCH : options->batch;
    if (shape->batch > MAX_BATCH) {
        return slm__fail(error, SLM_E_ARGUMENT, "batch is %u, at most %d rows are possible", shape->batch, MAX_BATCH);
    }
    SLM_TRY(optional_shape(options, shape, error));
    if (encoder) { /* a text is computed at once; each ends within a page */
        shape->batch = shape->batch < shape->context ? shape->context : shape->batch;
        pages = options->kv_tokens == 0 ? shape->batch / SLM_TILE + shape->sessions : pages;
    }
    if (vision != NULL && shape->batch < vision->tokens) {
        shape->batch = vision->tokens; /* the tokens of an image see each other: one pass */
    }
    const uint64_t useful = (uint64_t)shape->context * shape->sessions;
    shape->batch = shape->batch > useful ? (uint32_t)useful : shape->batch;
    for (uint32_t c = 0; c < model->transformer->kv_class_count; c++) {
        const uint32_t window = model->transformer->windows[c];
        shape->pages[c] = window == 0 ? (uint32_t)pages : (shape->sessions + shape->prefixes) * window_tiles(window, tiles, shape->batch);
    }
    return kv_type_of(options->kv_type, encoder, &shape->kv_type, error);
}

static void carve_sessions(struct slm_pool *pool, struct slm_carver *carver)
{
    const struct slm_pool_shape *shape = &pool->shape;
    const uint32_t vocab = pool->model->transformer->head.rows, tiles = slm__kv_tiles(shape->context);
    const uint32_t classes = pool->model->transformer->kv_class_count;
    const struct slm_vision_tower *vision = slm__vision_of(pool->model->transformer);
    const uint64_t most_images = vision != NULL ? shape->context / vision->tokens : 0;
    pool->sessions = slm__carve(carver, shape->sessions * sizeof *pool->sessions);
    for (uint32_t i = 0; i < shape->sessions; i++) {
        int32_t *tokens = slm__carve(carver, (uint64_t)shape->context * sizeof *tokens);
        uint32_t *tables = slm__carve(carver, (uint64_t)tiles * classes * sizeof *tables);
        float *logits = slm__carve(carver, (uint64_t)vocab * sizeof *logits);
        uint32_t *images = slm__carve(carver, most_images * sizeof *images);
        float *guessed = slm__carve(carver, (uint64_t)shape->speculate * vocab * sizeof *guessed);
        void *grammar = slm__carve(carver, shape->grammar_bytes);
        if (pool->sessions != NULL) {
            memset(&pool->sessions[i], 0, sizeof pool->sessions[i]);
            pool->sessions[i].pool = pool;
            pool->sessions[i].tokens = tokens;
            for (uint32_t c = 0; c < classes; c++) {
                pool->sessions[i].kv[c].table = tables + (size_t)c * tiles;
                pool->sessions[i].kv[c].capacity = tiles;
            }
            pool->sessions[i].logits = logits;
            pool->sessions[i].images = images;
            pool->sessions[i].guesses.logits = guessed;
            pool->sessions[i].constraint.block = grammar;
        }
    }
}

static void carve_prefixes(struct slm_pool *pool, struct slm_carver *carver)
{
    const struct slm_pool_shape *shape = &pool->shape;
    const uint32_t tiles = slm__kv_tiles(shape->context), classes = pool->model->transformer->kv_class_count;
    pool->prefixes = slm__carve(carver, shape->prefixes * sizeof *pool->prefixes);
    for (uint32_t i = 0; i < shape->prefixes; i++) {
        int32_t *tokens = slm__carve(carver, (uint64_t)shape->context * sizeof *tokens);
        uint32_t *tables = slm__carve(carver, (uint64_t)tiles * classes * sizeof *tables);
        if (pool->prefixes != NULL) {
            memset(&pool->prefixes[i], 0, sizeof pool->prefixes[i]);
            pool->prefixes[i].tokens = tokens;
            for (uint32_t c = 0; c < classes; c++) {
                pool->prefixes[i].kv[c].table = tables + (size_t)c * tiles;
                pool->prefixes[i].kv[c].capacity = tiles;
            }
        }
    }
}

/* Lay everything out; with a NULL base only `memory` is filled. */
static void carve_pool(struct slm_pool *pool, struct slm_carver *carver, slm_pool_memory *memory)
{
    const struct slm_pool_shape *shape = &pool->shape;
    const struct slm_transformer *t = pool->model->transformer;
    slm__carve(carver, sizeof *pool);
    uint64_t mark = carver->used;
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        slm__kv_pages_carve(&pool->pages[c], carver, shape->pages[c], slm__kv_page_bytes(t, c, shape->kv_type));
    }
    memory->kv_bytes = carver->used - mark;
    mark = carver->used;
    slm__workspace_carve(&pool->workspace, carver, t, shape->kv_type, shape->batch, shape->context, shape->adapter_rank,
                         slm__team_threads(pool->model->team));
    if (slm__vision_of(t) != NULL) {
        struct slm_vision_workspace counted, *vision = slm__carve(carver, sizeof *vision);
        slm__vision_workspace_carve(vision != NULL ? vision : &counted, carver, t->vision, slm__team_threads(pool->model->team));
        pool->vision = vision;
    }
    pool->rows = slm__carve(carver, shape->batch * sizeof *pool->rows);
    pool->texts = slm__carve(carver, shape->sessions * sizeof *pool->texts);
    pool->row_scores = slm__carve(carver, shape->batch * sizeof *pool->row_scores);
    pool->logits = slm__carve(carver, (uint64_t)t->head.rows * sizeof *pool->logits);
    pool->allowed_logits = slm__carve(carver, shape->grammar_bytes != 0 ? (uint64_t)t->vocab_size * sizeof *pool->allowed_logits : 0);
    pool->sampler_scratch = slm__carve(carver, t->head.rows != 0 ? slm__sampler_scratch_bytes(t->vocab_size) : 0);
    memory->workspace_bytes = carver->used - mark;
    mark = carver->used;
    carve_sessions(pool, carver);
    if (SLM_WITH_REUSE) {
        carve_prefixes(pool, carver);
    }
    memory->session_bytes = carver->used - mark;
    memory->total_bytes = carver->used;
    memory->page_tokens = SLM_TILE;
}

void slm__pool_plan(const struct slm_runtime_model *model, const struct slm_pool_shape *shape, slm_pool_memory *memory)
{
    struct slm_pool pool = {.model = model, .shape = *shape};
    struct slm_carver carver = {NULL, 0};
    carve_pool(&pool, &carver, memory);
}

slm_status slm__pool_create(const struct slm_runtime_model *model, const slm_pool_options *options, bool is_private,
                            struct slm_pool **result, slm_error *error)
{
    struct slm_pool pool = {.model = model, .private = is_private};
    slm_pool_memory memory = {0};
    SLM_TRY(slm__pool_shape(model, options, &pool.shape, error));
    slm__pool_plan(model, &pool.shape, &memory);
    void *block = options->block;
    if (block == NULL) {
        pool.block_bytes = memory.total_bytes;
        pool.block = block = memory.total_bytes <= SIZE_MAX ? slm__allocate(model->memory, (size_t)memory.total_bytes, 64) : NULL;
        if (block == NULL) {
            return slm__fail_memory(error, memory.total_bytes);
        }
    } else if (options->block_bytes < memory.total_bytes || (uintptr_t)block % 64 != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "the block has %llu bytes at an address that is%s a multiple of 64; %llu bytes are needed",
                         (unsigned long long)options->block_bytes, (uintptr_t)block % 64 == 0 ? "" : " not",
                         (unsigned long long)memory.total_bytes);
    }
    struct slm_carver carver = {block, 0};
    struct slm_pool *self = block;
    *self = pool;
    carve_pool(self, &carver, &memory);
    for (uint32_t c = 0; c < model->transformer->kv_class_count; c++) {
        slm__kv_pages_reset(&self->pages[c]);
    }
    atomic_fetch_add(model->users, 1);
    *result = self;
    return SLM_OK;
}

struct slm_forward slm__pool_forward(struct slm_pool *pool, bool (*cancelled)(const void *context), const void *context)
{
    struct slm_forward forward = {.transformer = pool->model->transformer,
                                  .kernels = pool->model->kernels,
                                  .team = pool->model->team,
                                  .workspace = &pool->workspace,
                                  .cancelled = cancelled,
                                  .cancel_context = context};
    for (uint32_t c = 0; c < SLM_KV_CLASSES; c++) {
        forward.pages[c] = pool->pages[c].base;
    }
    return forward;
}

/* Waking threads costs some microseconds a pass and more on a busy machine: below this many operations one thread is as fast. */
#define ALONE_OPS 16000000u

void slm__pool_run(struct slm_pool *pool, uint64_t rows, slm_team_main_fn *work, void *context)
{
    const struct slm_transformer *t = pool->model->transformer;
    const uint64_t ops = slm__transformer_body_ops(t) + (uint64_t)2 * t->head.rows * t->hidden_size;
    if (rows == 0 || ops < ALONE_OPS / (rows + 1)) {
        slm__team_run_alone(pool->model->team, work, context);
    } else {
        slm__team_run(pool->model->team, work, context);
    }
}

void slm__pool_free(struct slm_pool *pool)
{
    atomic_fetch_sub(pool->model->users, 1);
    if (pool->block != NULL) {
        slm__release(pool->model->memory, pool->block, (size_t)pool->block_bytes);
    }
}
