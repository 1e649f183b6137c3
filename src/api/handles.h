/* SPDX-License-Identifier: MIT */
/* What the opaque handles contain. struct slm_pool and struct slm_session are those of src/runtime/. */
#ifndef SLM_API_HANDLES_H
#define SLM_API_HANDLES_H

#include "base/file.h"            /* struct slm_mapping */
#include "base/log.h"             /* struct slm_log */
#include "base/memory.h"          /* struct slm_memory */
#include "base/parallel.h"        /* struct slm_team */
#include "format/weight_file.h"   /* struct slm_weight_file */
#include "runtime/pool.h"         /* struct slm_runtime_model */
#include "text/vocabulary_trie.h" /* struct slm_vocabulary */
#include <stdatomic.h>

struct slm_engine {
    struct slm_memory memory;
    struct slm_log log;
    struct slm_team *team; /* in `storage` */
    struct slm_kernels kernels;
    atomic_uint models; /* open ones */
    bool in_place;      /* the caller's memory */
    char cpu_name[64];
    struct slm_team_storage storage;
};

/* Where the bytes of a model come from. */
enum slm_model_source { SLM_SOURCE_CALLER, SLM_SOURCE_MAPPED, SLM_SOURCE_OWNED };

struct slm_model {
    struct slm_engine *engine;
    enum slm_model_source source;
    struct slm_mapping mapping; /* SLM_SOURCE_MAPPED */
    struct slm_span owned;      /* SLM_SOURCE_OWNED: allocated by the engine with alignment `owned_alignment` */
    struct slm_weight_file file;
    struct slm_transformer transformer;
    struct slm_tokenizer tokenizer;
    struct slm_vocabulary vocabulary; /* when the file has one */
    _Atomic(struct slm_built_vocabulary *) built_vocabulary;
    struct slm_runtime_model runtime;
    atomic_uint users; /* pools and adapters */
    void *block;       /* what was allocated for the handle; NULL: the caller's */
    uint64_t block_bytes;
};

/* Copy options of any age into `known` (zeroed): at most known_size bytes; `given` may be NULL. SLM_E_STRUCT_SIZE for a size below 4 or a
 * non-zero byte beyond known_size. */
slm_status slm__options_in(void *known, uint32_t known_size, const void *given, slm_error *error);
/* Copy a result into the caller's struct of any age: what both know, but for struct_size. */
slm_status slm__struct_out(void *given, const void *known, uint32_t known_size, slm_error *error);
/* Resolve SLM_NUL_TERMINATED; SLM_E_ARGUMENT "NAME is NULL" when text is NULL and length is not 0. */
slm_status slm__text_in(const char *text, uint64_t length, const char *name, struct slm_span *span, slm_error *error);
/* A path: not empty, no NUL inside, shorter than SLM_PATH_BYTES; copied with its NUL. */
slm_status slm__path_in(const char *path, uint64_t length, char copy[SLM_PATH_BYTES], slm_error *error);
/* "NAME is NULL" */
slm_status slm__require(const void *pointer, const char *name, slm_error *error);
/* A field that means nothing yet has to be 0. */
slm_status slm__require_zero(int64_t value, const char *name, slm_error *error);
/* The model can run: it is more than a tokenizer. */
slm_status slm__require_weights(const struct slm_model *model, slm_error *error);
/* The tokens of a model as tries; built at the first call when its file has none. SLM_E_NO_TOKENIZER. */
slm_status slm__model_vocabulary(struct slm_model *model, const struct slm_vocabulary **vocabulary, slm_error *error);
void slm__model_free_vocabulary(struct slm_model *model);
/* Open a model over bytes that the engine allocated (alignment 4096); takes them over, also on failure. */
slm_status slm__model_adopt(struct slm_engine *engine, struct slm_span image, struct slm_model **model, slm_error *error);

#endif
