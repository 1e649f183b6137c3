/* SPDX-License-Identifier: MIT */
/* slm convert: a checkpoint folder or GGUF file becomes a .slm file. The work is slm_convert()'s. */
#include "examples/cli/commands.h" /* cli_command_convert */

#include "examples/cli/cli_adapters.h" /* struct cli_adapters */
#include "examples/cli/cli_json.h"     /* cli_json_add_string */
#include "examples/cli/cli_model.h"    /* cli_model_open_engine, cli_type_from_name */
#include "examples/cli/cli_output.h"   /* cli_fail_library */
#include "examples/cli/cli_terminal.h" /* struct cli_progress */

#include <string.h>

struct convert_options {
    const char *output;
    const char *type;
    const char *head_type;
    struct cli_strings adapters; /* "PATH" or "PATH=WEIGHT" */
    int64_t threads;
    int32_t text_only;
    int32_t json;
};

static const struct cli_option convert_rows[] = {
    {"--output", "-o", "OUT.slm",
     "The file to write; an existing .slm file is replaced when all went well\n(of a symbolic link the link, not its target).", CLI_STRING,
     offsetof(struct convert_options, output), 0, 0},
    {"--type", NULL, "TYPE", "Type of the layers' matrices: f32, f16, bf16, i8 or i4; default i8.", CLI_STRING,
     offsetof(struct convert_options, type), 0, 0},
    {"--head-type", NULL, "TYPE",
     "Type of embedding and output head, and of the part that sees;\ndefault i8 for i8 and i4, else as --type.", CLI_STRING,
     offsetof(struct convert_options, head_type), 0, 0},
    {"--lora", NULL, "ADAPTER",
     "Merge a LoRA adapter (a folder in peft's layout, or a GGUF file) into\nthe weights; ADAPTER=WEIGHT scales it. May be given several "
     "times.",
     CLI_STRINGS, offsetof(struct convert_options, adapters), 0, 0},
    {"--text-only", NULL, NULL, "Leave out the part that sees of a model that takes images.", CLI_FLAG,
     offsetof(struct convert_options, text_only), 0, 0},
    {"--threads", "-t", "N", "Threads; the result does not depend on them.", CLI_INTEGER, offsetof(struct convert_options, threads), 1,
     1024},
    {"--json", NULL, NULL, "Print one JSON object about the result.", CLI_FLAG, offsetof(struct convert_options, json), 0, 0},
};

static int run_convert(int argc, char **argv);

const struct cli_command cli_command_convert = {
    .name = "convert",
    .summary = "make a .slm file from a Hugging Face folder or a GGUF file",
    .arguments = "SRC -o OUT.slm [OPTIONS]",
    .notes = "SRC is a folder with config.json and *.safetensors (GPTQ and AWQ too), or a .gguf file (of a split one, the first part).\n"
             "'slm inspect SRC' says beforehand what would happen. The same source gives the same bytes everywhere.\n"
             "A library built with WITH_CONVERT=0 has neither convert nor inspect.",
    .groups = {{convert_rows, sizeof convert_rows / sizeof convert_rows[0], 0}},
    .run = run_convert,
};

static void put_result(struct cli_output *output, const char *source, const struct convert_options *options, const char *type,
                       const slm_convert_result *result, double seconds)
{
    if (!options->json) {
        (void)cli_put_format(output, "%s: %u tensors, %llu parameters, %s, %.1f MB (source %.1f MB), %.1f s\n", options->output,
                             result->tensors, (unsigned long long)result->parameters, type, (double)result->file_bytes / 1e6,
                             (double)result->source_bytes / 1e6, seconds);
        (void)cli_put_format(output, "relative rms error of the weights: layers %.3g, head %.3g\n", result->body_error, result->head_error);
        return;
    }
    struct cli_text line = {0};
    cli_text_add_string(&line, "{\"source\":");
    cli_json_add_string(&line, source, strlen(source));
    cli_text_add_string(&line, ",\"output\":");
    cli_json_add_string(&line, options->output, strlen(options->output));
    cli_text_format(&line,
                    ",\"type\":\"%s\",\"tensors\":%u,\"parameters\":%llu,\"source_bytes\":%llu,\"file_bytes\":%llu,\"body_error\":", type,
                    result->tensors, (unsigned long long)result->parameters, (unsigned long long)result->source_bytes,
                    (unsigned long long)result->file_bytes);
    cli_json_add_number(&line, result->body_error);
    cli_text_add_string(&line, ",\"head_error\":");
    cli_json_add_number(&line, result->head_error);
    cli_text_add_string(&line, ",\"seconds\":");
    cli_json_add_number(&line, seconds);
    cli_text_add_string(&line, "}\n");
    (void)cli_put_text(output, &line);
    cli_text_free(&line);
}

static int convert(const struct cli_model *opened, const char *source, const struct convert_options *options,
                   const struct cli_adapters *adapters, int32_t type, int32_t head_type)
{
    struct cli_progress progress = cli_progress_begin();
    const slm_convert_options convert_options = {
        .struct_size = sizeof convert_options,
        .flags = options->text_only ? SLM_CONVERT_TEXT_ONLY : 0,
        .type = type,
        .head_type = head_type,
        .progress = cli_progress_update,
        .progress_user = &progress,
        .adapters = adapters->paths,
        .adapter_weights = adapters->weights,
        .adapter_count = adapters->count,
    };
    slm_convert_result result = {.struct_size = sizeof result};
    slm_error error = cli_error_empty();
    const double start = cli_seconds();
    cli_signals_begin();
    const slm_status status =
        slm_convert(opened->engine, source, SLM_NUL_TERMINATED, options->output, SLM_NUL_TERMINATED, &convert_options, &result, &error);
    cli_signals_end();
    cli_progress_end(&progress);
    if (status != SLM_OK) {
        return cli_fail_library("convert", status, &error);
    }
    struct cli_output output = cli_output_stdout();
    put_result(&output, source, options, cli_type_name(type == SLM_TYPE_DEFAULT ? SLM_TYPE_I8 : type), &result, cli_seconds() - start);
    return cli_output_finish(&output, "convert");
}

static int convert_with_options(const struct convert_options *options, const struct cli_strings *words)
{
    static const char types[] = "f32, f16, bf16, i8 or i4";
    if (words->count != 1) {
        return cli_fail_usage("convert", words->count == 0 ? "which checkpoint? Give a folder or a .gguf file"
                                                           : "one source is expected; quote a path that has blanks");
    }
    if (options->output == NULL) {
        return cli_fail_usage("convert", "where to? Give -o OUT.slm");
    }
    const int32_t type = cli_type_from_name(options->type);
    const int32_t head_type = cli_type_from_name(options->head_type);
    if (type < 0 || head_type < 0) {
        return cli_fail_usage("convert", "option '%s' takes %s, not '%s'", type < 0 ? "--type" : "--head-type", types,
                              type < 0 ? options->type : options->head_type);
    }
    struct cli_model opened;
    const struct cli_model_options engine = {.threads = options->threads};
    int code = cli_model_open_engine(&opened, "convert", &engine);
    struct cli_adapters adapters = {NULL, NULL, 0};
    if (code < 0) {
        code = cli_adapters_read(&adapters, "convert", &options->adapters);
    }
    if (code < 0) {
        code = convert(&opened, words->items[0], options, &adapters, type, head_type);
    }
    cli_adapters_free(&adapters);
    cli_model_close(&opened);
    return code;
}

static int run_convert(int argc, char **argv)
{
    struct convert_options options = {0};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_convert, argc, argv, &options, &words);
    if (code < 0) {
        code = convert_with_options(&options, &words);
    }
    cli_strings_free(&options.adapters);
    cli_strings_free(&words);
    return code;
}
