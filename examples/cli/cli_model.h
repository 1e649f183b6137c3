/* SPDX-License-Identifier: MIT */
/* The options that every command with a model takes, and what they open: an engine and a model. */
#ifndef SLM_CLI_MODEL_H
#define SLM_CLI_MODEL_H

#include "examples/cli/cli_options.h" /* struct cli_option */

#include <slm.h>

struct cli_model_options {
    const char *path; /* NULL: the built-in demonstration model */
    const char *isa;
    const char *kv;
    int64_t threads;
    struct cli_strings lora; /* the words of --lora; the command frees them */
};

/* Rows of struct cli_model_options: model; threads and tier; KV cache; adapters. A command takes a beginning of them. */
extern const struct cli_option cli_model_rows[];
enum { CLI_MODEL_ROWS_PATH = 1, CLI_MODEL_ROWS_ENGINE = 3, CLI_MODEL_ROWS_KV = 4, CLI_MODEL_ROWS_ALL = 5 };

struct cli_model {
    const char *command; /* for messages */
    slm_engine *engine;
    slm_model *model;
    slm_model_info info;
    int32_t kv_type;
    int is_demonstration;
    slm_adapter **adapters; /* of --lora */
    float *adapter_weights;
    uint32_t adapter_count;
    uint32_t adapter_rank; /* for the options of sessions and pools */
};

/* Each returns -1 to go on, or the exit code after a message. cli_model_close() may be called after any of them. */
int cli_model_open_engine(struct cli_model *opened, const char *command, const struct cli_model_options *options);
int cli_model_open(struct cli_model *opened, const char *command, const struct cli_model_options *options);
/* A model without weights from a tokenizer.json. */
int cli_model_open_tokenizer(struct cli_model *opened, const char *command, const char *path);
/* Take over a model that was opened with the engine of `opened`: look up its numbers. */
int cli_model_adopt(struct cli_model *opened, slm_model *model);
/* Give a session the adapters of --lora; it was created with adapter_rank. -1, or the exit code after a message. */
int cli_model_adapt(const struct cli_model *opened, slm_session *session);
void cli_model_close(struct cli_model *opened);

/* The number of a type name ("f32" ... "i4"), 0 for NULL, -1 for another word; and back. */
int32_t cli_type_from_name(const char *name);
const char *cli_type_name(int32_t type);
/* An slm_error that is ready to be filled. */
slm_error cli_error_empty(void);

#endif
