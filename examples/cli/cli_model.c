/* SPDX-License-Identifier: MIT */
/* Opening the engine and the model that the options name, or the built-in one (see cli_model.h). */
#include "examples/cli/cli_model.h" /* struct cli_model */

#include "examples/cli/cli_adapters.h" /* cli_adapters_read */
#include "examples/cli/cli_input.h"    /* cli_input_read */
#include "examples/cli/cli_output.h"   /* cli_fail_library, cli_remark */
#include "examples/cli/cli_text.h"     /* struct cli_text */

#include <stdlib.h>
#include <string.h>

/* Written by embed_file.c when the program is built; a length of 0 means: built without a model. */
extern const unsigned char slm_demo_model[];
extern const unsigned long long slm_demo_model_length;

const struct cli_option cli_model_rows[] = {
    {"--model", "-m", "FILE.slm", "The model; without it the built-in demonstration model is used.", CLI_STRING,
     offsetof(struct cli_model_options, path), 0, 0},
    {"--threads", "-t", "N", "Threads; default: what the process may use, 1 for the demonstration model.", CLI_INTEGER,
     offsetof(struct cli_model_options, threads), 1, 1024},
    {"--isa", NULL, "TIER", "Use at most this instruction set: scalar, avx2, avxvnni, avx512vnni,\nneon, neon_dotprod, neon_i8mm.",
     CLI_STRING, offsetof(struct cli_model_options, isa), 0, 0},
    {"--kv", NULL, "TYPE", "Type of the KV cache: f32, f16 or i8; default f16 (encoders: f32).", CLI_STRING,
     offsetof(struct cli_model_options, kv), 0, 0},
    {"--lora", NULL, "ADAPTER", "Run with a LoRA adapter (peft folder or GGUF); ADAPTER=WEIGHT scales it.\nMay be given several times.",
     CLI_STRINGS, offsetof(struct cli_model_options, lora), 0, 0},
};

static const char *const type_names[] = {"default", "f32", "f16", "bf16", "i8", "i4"};

int32_t cli_type_from_name(const char *name)
{
    if (name == NULL) {
        return SLM_TYPE_DEFAULT;
    }
    for (int32_t type = SLM_TYPE_F32; type <= SLM_TYPE_I4; type++) {
        if (strcmp(name, type_names[type]) == 0) {
            return type;
        }
    }
    return -1;
}

const char *cli_type_name(int32_t type) { return type >= SLM_TYPE_F32 && type <= SLM_TYPE_I4 ? type_names[type] : "?"; }

slm_error cli_error_empty(void) { return (slm_error){.struct_size = sizeof(slm_error)}; }

/* The library's log hook: warnings go to standard error, the rest is dropped. */
static void log_line(void *user, int32_t level, const char *message)
{
    const struct cli_model *opened = user;
    if (level == SLM_LOG_WARNING) {
        cli_remark(opened->command, "warning", "%s", message);
    }
}

static int parse_engine_options(struct cli_model *opened, const struct cli_model_options *options, slm_engine_options *engine)
{
    if (options->isa != NULL) {
        engine->isa = slm_isa_from_name(options->isa, SLM_NUL_TERMINATED);
        if (engine->isa < 0) {
            return cli_fail_usage(opened->command, "option '--isa': there is no instruction set '%s'", options->isa);
        }
    }
    if (options->kv == NULL) {
        opened->kv_type = SLM_KV_DEFAULT;
    } else if (strcmp(options->kv, "f16") == 0) {
        opened->kv_type = SLM_KV_F16;
    } else if (strcmp(options->kv, "f32") == 0) {
        opened->kv_type = SLM_KV_F32;
    } else if (strcmp(options->kv, "i8") == 0) {
        opened->kv_type = SLM_KV_I8;
    } else {
        return cli_fail_usage(opened->command, "option '--kv' takes f32, f16 or i8, not '%s'", options->kv);
    }
    engine->threads = (uint32_t)options->threads;
    return -1;
}

int cli_model_open_engine(struct cli_model *opened, const char *command, const struct cli_model_options *options)
{
    *opened = (struct cli_model){.command = command};
    slm_engine_options engine = {.struct_size = sizeof engine, .log = log_line, .log_user = opened};
    const int code = parse_engine_options(opened, options, &engine);
    if (code >= 0) {
        return code;
    }
    slm_error error = cli_error_empty();
    const slm_status status = slm_engine_create(&engine, &opened->engine, &error);
    return status == SLM_OK ? -1 : cli_fail_library(command, status, &error);
}

int cli_model_adopt(struct cli_model *opened, slm_model *model)
{
    slm_error error = cli_error_empty();
    opened->model = model;
    opened->info = (slm_model_info){.struct_size = sizeof opened->info};
    const slm_status status = slm_model_get_info(model, &opened->info, &error);
    return status == SLM_OK ? -1 : cli_fail_library(opened->command, status, &error);
}

/* The adapters of --lora. -1, or the exit code after a message; what was opened is closed with the model. */
static int open_adapters(struct cli_model *opened, const struct cli_strings *words)
{
    struct cli_adapters read;
    slm_error error = cli_error_empty();
    int code = cli_adapters_read(&read, opened->command, words);
    opened->adapters = code < 0 ? calloc((size_t)read.count, sizeof(slm_adapter *)) : NULL;
    if (code < 0 && opened->adapters == NULL) {
        code = cli_fail_memory(opened->command);
    }
    for (uint64_t i = 0; code < 0 && i < read.count; i++) {
        slm_adapter_info info = {.struct_size = sizeof info};
        slm_status status = slm_adapter_open(opened->model, read.paths[i].text, read.paths[i].length, &opened->adapters[i], &error);
        if (status == SLM_OK) {
            opened->adapter_count++;
            status = slm_adapter_get_info(opened->adapters[i], &info, &error);
        }
        opened->adapter_rank = info.rank > opened->adapter_rank ? info.rank : opened->adapter_rank;
        code = status == SLM_OK ? -1 : cli_fail_library(opened->command, status, &error);
    }
    opened->adapter_weights = read.weights;
    read.weights = NULL;
    cli_adapters_free(&read);
    return code;
}

int cli_model_open(struct cli_model *opened, const char *command, const struct cli_model_options *options)
{
    struct cli_model_options chosen = *options;
    if (options->path == NULL && options->threads == 0) {
        chosen.threads = 1; /* a step of the demonstration model takes microseconds: less than waiting for a second thread */
    }
    const int code = cli_model_open_engine(opened, command, &chosen);
    if (code >= 0) {
        return code;
    }
    slm_error error = cli_error_empty();
    slm_model *model = NULL;
    slm_status status = SLM_OK;
    if (options->path != NULL) {
        status = slm_model_open_file(opened->engine, options->path, SLM_NUL_TERMINATED, NULL, &model, &error);
    } else if (slm_demo_model_length == 0) {
        return cli_fail(command, "this program was built without the demonstration model; name a model with -m FILE.slm");
    } else {
        opened->is_demonstration = 1;
        status = slm_model_open_memory(opened->engine, slm_demo_model, slm_demo_model_length, NULL, &model, &error);
    }
    const int adopted = status == SLM_OK ? cli_model_adopt(opened, model) : cli_fail_library(command, status, &error);
    return adopted < 0 && options->lora.count > 0 ? open_adapters(opened, &options->lora) : adopted;
}

int cli_model_adapt(const struct cli_model *opened, slm_session *session)
{
    slm_error error = cli_error_empty();
    const slm_status status = slm_session_set_adapters(session, opened->adapters, opened->adapter_weights, opened->adapter_count, &error);
    return status == SLM_OK ? -1 : cli_fail_library(opened->command, status, &error);
}

void cli_model_close(struct cli_model *opened)
{
    for (uint32_t i = 0; i < opened->adapter_count; i++) {
        (void)slm_adapter_close(opened->adapters[i]);
    }
    free(opened->adapters);
    free(opened->adapter_weights);
    opened->adapters = NULL;
    opened->adapter_weights = NULL;
    opened->adapter_count = 0;
    (void)slm_model_close(opened->model);
    (void)slm_engine_destroy(opened->engine);
    opened->model = NULL;
    opened->engine = NULL;
}

int cli_model_open_tokenizer(struct cli_model *opened, const char *command, const char *path)
{
    const struct cli_model_options engine = {.threads = 1};
    int code = cli_model_open_engine(opened, command, &engine);
    if (code >= 0) {
        return code;
    }
    struct cli_text text = {0};
    slm_error error = cli_error_empty();
    slm_model *model = NULL;
    code = cli_input_read(command, path, "a tokenizer.json", &text);
    if (code < 0) {
        const slm_status status = slm_model_open_tokenizer(opened->engine, text.bytes, text.length, &model, &error);
        code = status == SLM_OK           ? -1
               : error.message[0] != '\0' ? cli_fail(command, "%s: %s", path, error.message)
                                          : cli_fail_library(command, status, &error);
    }
    cli_text_free(&text);
    return code < 0 ? cli_model_adopt(opened, model) : code;
}
