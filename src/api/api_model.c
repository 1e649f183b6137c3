/* SPDX-License-Identifier: MIT */
/* Models: open, describe, verify, close. */
#include "api/handles.h"
#include "model/vision_tower.h" /* struct slm_vision_tower */
#include <string.h>

/* Room for the handle and its tables, in one block. */
static uint64_t handle_bytes(const struct slm_transformer_tables *tables)
{
    struct slm_carver carver = {NULL, 0};
    slm__carve(&carver, sizeof(struct slm_model));
    slm__carve(&carver, tables->layers * sizeof(struct slm_layer));
    slm__carve(&carver, tables->experts * sizeof(struct slm_mlp));
    slm__carve(&carver, tables->vision_layers != 0 ? sizeof(struct slm_vision_tower) : 0);
    slm__carve(&carver, tables->vision_layers * sizeof(struct slm_layer));
    return carver.used;
}

static slm_status take_block(struct slm_engine *engine, const slm_model_options *options, uint64_t bytes, struct slm_model **model,
                             slm_error *error)
{
    void *block = options->block;
    if (block == NULL) {
        block = slm__allocate(&engine->memory, (size_t)bytes, 64);
        if (block == NULL) {
            return slm__fail_memory(error, bytes);
        }
    } else if (options->block_bytes < bytes || (uintptr_t)block % 64 != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "the block has %llu bytes; a model handle needs %llu at a multiple of 64",
                         (unsigned long long)options->block_bytes, (unsigned long long)bytes);
    }
    memset(block, 0, (size_t)bytes);
    *model = block;
    (*model)->block = options->block == NULL ? block : NULL;
    (*model)->block_bytes = bytes;
    return SLM_OK;
}

/* How embeddings are made: as the file says, else the mean of an encoder and a decoder's last token, normalised. */
static slm_status bind_embedding(struct slm_model *model, slm_error *error)
{
    uint64_t pooling = model->transformer.bidirectional ? SLM_POOLING_MEAN : SLM_POOLING_LAST, normalize = 1;
    (void)slm__meta_u64(&model->file, "embedding.pooling", &pooling);
    (void)slm__meta_u64(&model->file, "embedding.normalize", &normalize);
    if (pooling < SLM_POOLING_MEAN || pooling > SLM_POOLING_FIRST || normalize > 1) {
        return slm__fail(error, SLM_E_BAD_VALUE, "embedding.%s is %llu, outside %d .. %d", normalize > 1 ? "normalize" : "pooling",
                         (unsigned long long)(normalize > 1 ? normalize : pooling), normalize > 1 ? 0 : SLM_POOLING_MEAN,
                         normalize > 1 ? 1 : SLM_POOLING_FIRST);
    }
    model->runtime.pooling = (int32_t)pooling;
    model->runtime.normalize = normalize != 0;
    return SLM_OK;
}

static slm_status bind_model(struct slm_model *model, const struct slm_transformer_tables *tables, slm_error *error)
{
    struct slm_runtime_model *runtime = &model->runtime;
    struct slm_carver carver = {(uint8_t *)model, 0};
    slm__carve(&carver, sizeof *model);
    struct slm_layer *layers = slm__carve(&carver, tables->layers * sizeof *layers);
    struct slm_mlp *experts = slm__carve(&carver, tables->experts * sizeof *experts);
    struct slm_vision_tower *vision = slm__carve(&carver, tables->vision_layers != 0 ? sizeof *vision : 0);
    struct slm_layer *vision_layers = slm__carve(&carver, tables->vision_layers * sizeof *vision_layers);
    if (tables->layers > 0) {
        if (tables->vision_layers > 0) {
            vision->body.layers = vision_layers;
        }
        SLM_TRY(slm__transformer_bind(&model->transformer, &model->file, layers, experts, vision, error));
    }
    if (model->file.tokenizer.length > 0) {
        SLM_TRY(slm__tokenizer_open(&model->tokenizer, model->file.tokenizer, error));
        runtime->tokenizer = &model->tokenizer;
        if (!slm__vocabulary_is_known(model->file.vocabulary)) {
            model->file.vocabulary.length = 0; /* optional: it is built when it is asked for */
        }
        if (SLM_WITH_GRAMMAR && model->file.vocabulary.length > 0) {
            SLM_TRY(slm__vocabulary_open(&model->vocabulary, model->file.vocabulary, model->tokenizer.token_count, error));
        }
    }
    runtime->transformer = &model->transformer;
    runtime->file = &model->file;
    runtime->kernels = &model->engine->kernels;
    runtime->team = model->engine->team;
    runtime->memory = &model->engine->memory;
    runtime->users = &model->users;
    SLM_TRY(SLM_WITH_SCORES ? bind_embedding(model, error) : SLM_OK);
    (void)slm__meta_text(&model->file, "text.chat_template", &runtime->chat_template);
    (void)slm__meta_text(&model->file, "text.template_tokens", &runtime->template_tokens);
    return SLM_OK;
}

/* Everything behind the bytes: validation, the handle, the views. */
static slm_status open_bytes(struct slm_engine *engine, struct slm_span bytes, const slm_model_options *options, struct slm_model **result,
                             slm_error *error)
{
    struct slm_weight_file file;
    struct slm_model *model = NULL;
    struct slm_transformer_tables tables = {0};
    SLM_TRY(slm__weight_file_open(&file, bytes.data, bytes.length, error));
    SLM_TRY(slm__transformer_tables(&file, &tables, error));
    SLM_TRY(take_block(engine, options, handle_bytes(&tables), &model, error));
    model->engine = engine;
    model->file = file;
    const slm_status status = bind_model(model, &tables, error);
    if (status != SLM_OK) {
        slm__release(&engine->memory, model->block, (size_t)model->block_bytes);
        return status;
    }
    atomic_fetch_add(&engine->models, 1);
    *result = model;
    return SLM_OK;
}

static slm_status model_options(slm_model_options *known, const slm_model_options *given, slm_error *error)
{
    SLM_TRY(slm__options_in(known, sizeof *known, given, error));
    if ((known->flags & ~(uint32_t)SLM_MODEL_READ) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", known->flags);
    }
    return SLM_OK;
}

static slm_status open_mapped(struct slm_engine *engine, const char *path, const slm_model_options *options, struct slm_model **model,
                              slm_error *error)
{
    struct slm_mapping mapping;
    SLM_TRY(slm__map_file(&mapping, path, error));
    const slm_status status = open_bytes(engine, slm__span(mapping.data, (size_t)mapping.size), options, model, error);
    if (status != SLM_OK) {
        slm__unmap(&mapping);
        return slm__fail_in(error, status, "%s", path);
    }
    (*model)->source = SLM_SOURCE_MAPPED;
    (*model)->mapping = mapping;
    return SLM_OK;
}

static slm_status open_read(struct slm_engine *engine, const char *path, const slm_model_options *options, struct slm_model **model,
                            slm_error *error)
{
    struct slm_span bytes = {NULL, 0};
    SLM_TRY(slm__file_load(path, &engine->memory, UINT64_MAX, &bytes, error));
    const slm_status status = open_bytes(engine, bytes, options, model, error);
    if (status != SLM_OK) {
        slm__release(&engine->memory, (void *)(uintptr_t)bytes.data, bytes.length);
        return slm__fail_in(error, status, "%s", path);
    }
    (*model)->source = SLM_SOURCE_OWNED;
    (*model)->owned = bytes;
    return SLM_OK;
}

static slm_status model_path(const char *path, uint64_t length, char name[SLM_PATH_BYTES], slm_error *error)
{
    SLM_TRY(slm__path_in(path, length, name, error));
    if (SLM_WITH_MESSAGES && slm__path_is_folder(name)) { /* opening it fails too, with a shorter sentence */
        return slm__fail(error, SLM_E_FILE_MISSING,
                         "%s is a folder; a .slm file, which slm_convert() makes of a checkpoint's folder, is expected", name);
    }
    return SLM_OK;
}

slm_status slm_model_open_file(slm_engine *engine, const char *path, uint64_t path_length, const slm_model_options *options,
                               slm_model **model, slm_error *error)
{
    char name[SLM_PATH_BYTES];
    slm_model_options known;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__require(model, "model", error));
    SLM_TRY(model_path(path, path_length, name, error));
    SLM_TRY(model_options(&known, options, error));
    return (known.flags & SLM_MODEL_READ) != 0 ? open_read(engine, name, &known, model, error)
                                               : open_mapped(engine, name, &known, model, error);
}

slm_status slm_model_open_memory(slm_engine *engine, const void *bytes, uint64_t length, const slm_model_options *options,
                                 slm_model **model, slm_error *error)
{
    slm_model_options known;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__require(model, "model", error));
    SLM_TRY(slm__require(bytes, "bytes", error));
    SLM_TRY(model_options(&known, options, error));
    if (length > SIZE_MAX / 2) {
        return slm__fail(error, SLM_E_ARGUMENT, "length is %llu bytes, which cannot be", (unsigned long long)length);
    }
    return open_bytes(engine, slm__span(bytes, (size_t)length), &known, model, error);
}

slm_status slm__model_adopt(struct slm_engine *engine, struct slm_span image, struct slm_model **model, slm_error *error)
{
    const slm_model_options none = {.struct_size = sizeof none};
    const slm_status status = open_bytes(engine, image, &none, model, error);
    if (status != SLM_OK) {
        slm__release(&engine->memory, (void *)(uintptr_t)image.data, image.length);
        return status;
    }
    (*model)->source = SLM_SOURCE_OWNED;
    (*model)->owned = image;
    return SLM_OK;
}

slm_status slm_model_plan(slm_engine *engine, const char *path, uint64_t path_length, const slm_model_options *options,
                          slm_model_memory *memory, slm_error *error)
{
    char name[SLM_PATH_BYTES];
    slm_model_options known;
    slm_model_memory plan = {.struct_size = sizeof plan};
    struct slm_mapping mapping;
    struct slm_weight_file file;
    struct slm_transformer_tables tables = {0};
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(model_path(path, path_length, name, error));
    SLM_TRY(model_options(&known, options, error));
    SLM_TRY(slm__map_file(&mapping, name, error));
    slm_status status = slm__weight_file_open(&file, mapping.data, mapping.size, error);
    if (status == SLM_OK) {
        status = slm__transformer_tables(&file, &tables, error);
    }
    plan.mapped_bytes = mapping.size;
    slm__unmap(&mapping);
    if (status != SLM_OK) {
        return slm__fail_in(error, status, "%s", name);
    }
    plan.handle_bytes = handle_bytes(&tables);
    return slm__struct_out(memory, &plan, sizeof plan, error);
}

slm_status slm_model_close(slm_model *model)
{
    if (model == NULL) {
        return SLM_OK;
    }
    if (atomic_load(&model->users) != 0) {
        return SLM_E_BUSY;
    }
    struct slm_engine *engine = model->engine;
    if (SLM_WITH_GRAMMAR) {
        slm__model_free_vocabulary(model);
    }
    if (model->source == SLM_SOURCE_MAPPED) {
        slm__unmap(&model->mapping);
    } else if (model->source == SLM_SOURCE_OWNED) {
        slm__release(&engine->memory, (void *)(uintptr_t)model->owned.data, model->owned.length);
    }
    slm__release(&engine->memory, model->block, (size_t)model->block_bytes);
    atomic_fetch_sub(&engine->models, 1);
    return SLM_OK;
}

slm_status slm_model_verify(const slm_model *model, slm_progress_fn *progress, void *user, slm_error *error)
{
    SLM_TRY(slm__require(model, "model", error));
    return slm__weight_file_verify(&model->file, progress, user, error);
}
