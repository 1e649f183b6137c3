/* SPDX-License-Identifier: MIT */
/* The stages of a tokenizer.json around its model: what it names is translated to steps, what is not known is refused by name. */
#ifndef SLM_IMPORT_TOKENIZER_JSON_PIPELINE_H
#define SLM_IMPORT_TOKENIZER_JSON_PIPELINE_H

#include "base/json.h"            /* struct slm_json */
#include "text/text_vocabulary.h" /* struct slm_text_vocabulary, struct slm_tokenizer_spec */

/* One stage as it is being translated. */
struct slm_pipeline {
    struct slm_tokenizer_spec *spec;
    struct slm_text_vocabulary *vocabulary; /* gets what the decoder replaces */
    struct slm_arena *arena;                /* for decoded parameters */
    bool byte_level;                        /* a pre-tokenizer ByteLevel has come */
    bool fused;                             /* a decoder Fuse has come */
    slm_error *error;
};

/* Add normalizer, pre_tokenizer, decoder and post_processor of the whole document `root`, which has `token_count` ids, to `spec`;
 * model and the flag BYTE_LEVEL of a byte-level pipeline are set. Errors: SLM_E_UNSUPPORTED (named), SLM_E_BAD_VALUE, SLM_E_LIMIT,
 * SLM_E_NO_MEMORY. */
slm_status slm__import_tokenizer_pipeline(const struct slm_json *root, uint32_t token_count, struct slm_arena *arena,
                                          struct slm_tokenizer_spec *spec, struct slm_text_vocabulary *vocabulary, slm_error *error);

/* ---- For the files of the stages ---- */

/* Translate one object of a stage; `last` if nothing follows it. */
slm_status slm__import_normalizer(struct slm_pipeline *pipeline, const struct slm_json *object, bool last);
slm_status slm__import_pretokenizer(struct slm_pipeline *pipeline, const struct slm_json *object, bool last);
slm_status slm__import_decoder(struct slm_pipeline *pipeline, const struct slm_json *object, bool last);

/* "stage 'type': what", SLM_E_UNSUPPORTED. */
slm_status slm__import_unsupported(slm_error *error, const char *stage, const struct slm_json *object, const char *what);

/* Add a step with its texts; an absent text is empty. */
slm_status slm__import_step(struct slm_pipeline *pipeline, uint32_t stage, uint32_t kind, uint32_t value, struct slm_span text,
                            struct slm_span second);

/* The text of a string, "(none)" for anything else. */
struct slm_span slm__import_text(const struct slm_json *value);

#endif
