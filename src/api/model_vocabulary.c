/* SPDX-License-Identifier: MIT */
/* The vocabulary of a model as tries: from its file, or, where that has none, built when it is first asked for and kept with the model. */
#include "api/handles.h"

struct slm_built_vocabulary {
    struct slm_vocabulary view;
    struct slm_buffer section;
};

static void free_built(struct slm_model *model, struct slm_built_vocabulary *built)
{
    slm__buffer_free(&built->section);
    slm__release(&model->engine->memory, built, sizeof *built);
}

slm_status slm__model_vocabulary(struct slm_model *model, const struct slm_vocabulary **vocabulary, slm_error *error)
{
    if (model->runtime.tokenizer == NULL) {
        return slm__fail(error, SLM_E_NO_TOKENIZER, "the model has no tokenizer: a grammar needs the texts of its tokens");
    }
    if (model->file.vocabulary.length > 0) {
        *vocabulary = &model->vocabulary;
        return SLM_OK;
    }
    struct slm_built_vocabulary *built = atomic_load(&model->built_vocabulary);
    if (built == NULL) {
        built = slm__allocate(&model->engine->memory, sizeof *built, 64);
        if (built == NULL) {
            return slm__fail_memory(error, sizeof *built);
        }
        slm__buffer_init(&built->section, &model->engine->memory, SIZE_MAX / 2);
        slm_status status = slm__vocabulary_build(&model->tokenizer, &model->engine->memory, &built->section, error);
        if (status == SLM_OK) {
            status = slm__vocabulary_open(&built->view, slm__span(built->section.data, built->section.length), model->tokenizer.token_count,
                                          error);
        }
        if (status != SLM_OK) {
            free_built(model, built);
            return status;
        }
        struct slm_built_vocabulary *other = NULL;
        if (!atomic_compare_exchange_strong(&model->built_vocabulary, &other, built)) { /* another thread was first */
            free_built(model, built);
            built = other;
        }
    }
    *vocabulary = &built->view;
    return SLM_OK;
}

void slm__model_free_vocabulary(struct slm_model *model)
{
    struct slm_built_vocabulary *built = atomic_load(&model->built_vocabulary);
    if (built != NULL) {
        free_built(model, built);
    }
}
