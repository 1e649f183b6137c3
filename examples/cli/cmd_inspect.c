/* SPDX-License-Identifier: MIT */
/*
 * slm inspect: what a .slm file, a checkpoint folder, a GGUF or a safetensors file is. The library describes it as
 * JSON; here that is printed as it is (--json) or as indented lines. --verify compares every checksum of a .slm file.
 */
#include "examples/cli/commands.h" /* cli_command_inspect */

#include "examples/cli/cli_json.h"     /* struct cli_json */
#include "examples/cli/cli_model.h"    /* cli_model_open */
#include "examples/cli/cli_output.h"   /* struct cli_output */
#include "examples/cli/cli_terminal.h" /* struct cli_progress */

#include <string.h>

struct inspect_options {
    int32_t verify;
    int32_t json;
};

static const struct cli_option inspect_rows[] = {
    {"--verify", NULL, NULL, "Read a whole .slm file and compare its checksums.", CLI_FLAG, offsetof(struct inspect_options, verify), 0, 0},
    {"--json", NULL, NULL, "Print one JSON object.", CLI_FLAG, offsetof(struct inspect_options, json), 0, 0},
};

static int run_inspect(int argc, char **argv);

const struct cli_command cli_command_inspect = {
    .name = "inspect",
    .summary = "describe a .slm file, or a checkpoint before its conversion",
    .arguments = "SRC [OPTIONS]",
    .notes = "SRC is a .slm file, a checkpoint folder, a .gguf or a .safetensors file. Exit code 1: it is damaged, or convert would\n"
             "refuse it; the message says why. The weights' values are not read: a NaN among them is found by convert only.\n"
             "A library built with WITH_CONVERT=0 has neither convert nor inspect.",
    .groups = {{inspect_rows, sizeof inspect_rows / sizeof inspect_rows[0], 0}},
    .run = run_inspect,
};

static int describe(const struct cli_model *opened, const char *path, struct cli_text *json)
{
    slm_error error = cli_error_empty();
    slm_status status = SLM_E_BUFFER_TOO_SMALL;
    uint64_t needed = 64 * 1024;
    while (status == SLM_E_BUFFER_TOO_SMALL) {
        if (needed > SIZE_MAX / 4 || cli_text_reserve(json, (size_t)needed) != 0) {
            return cli_fail_memory("inspect");
        }
        status = slm_inspect(opened->engine, path, SLM_NUL_TERMINATED, json->bytes, json->capacity, &needed, &error);
    }
    if (status != SLM_OK) {
        return cli_fail_library("inspect", status, &error);
    }
    json->length = (size_t)needed;
    json->bytes[json->length] = '\0';
    return -1;
}

static void put_scalar(struct cli_output *output, const struct cli_json_value *value)
{
    static const char *const words[] = {"-", "no", "yes"};
    if (value->kind <= CLI_JSON_TRUE) {
        (void)cli_put_format(output, "%s", words[value->kind]);
    } else {
        (void)cli_put(output, value->text, value->length);
    }
}

/* All scalars within a value, on one line: "name embed  type i8  shape 1024 x 128". */
static void put_flat(struct cli_output *output, const struct cli_json *json, const struct cli_json_value *value)
{
    int follows = 0; /* an element of a list follows another */
    for (size_t at = (size_t)(value - json->values); at < value->next; at++) {
        const struct cli_json_value *each = &json->values[at];
        const int named = each->key != NULL && each != value;
        if (named) {
            (void)cli_put_format(output, "%s", at > (size_t)(value - json->values) + 1 ? "  " : "");
            (void)cli_put(output, each->key, each->key_length);
            (void)cli_put(output, " ", 1);
            follows = 0;
        }
        if (each->kind < CLI_JSON_ARRAY) {
            (void)cli_put_format(output, "%s", follows ? " x " : "");
            put_scalar(output, each);
            follows = 1;
        }
    }
}

/* "key: value" lines; the members of an object are indented, each element of a list of objects is one line. The reader
 * limits the depth. */
static void put_members(struct cli_output *output, const struct cli_json *json, const struct cli_json_value *object, int indent)
{
    size_t at = (size_t)(object - json->values) + 1;
    for (size_t i = 0; i < object->length; i++) {
        const struct cli_json_value *member = &json->values[at];
        at = member->next;
        (void)cli_put_format(output, "%*s", indent, "");
        if (member->key != NULL) {
            (void)cli_put(output, member->key, member->key_length);
            (void)cli_put(output, ": ", 2);
        }
        const int lines = member->kind == CLI_JSON_OBJECT
                              ? object->kind == CLI_JSON_OBJECT
                              : member->kind == CLI_JSON_ARRAY && member->length > 0 && member[1].kind >= CLI_JSON_ARRAY;
        if (lines) {
            (void)cli_put(output, "\n", 1);
            put_members(output, json, member, indent + 2);
        } else {
            put_flat(output, json, member);
            (void)cli_put(output, "\n", 1);
        }
    }
}

static int put_description(struct cli_output *output, const struct cli_text *text, const struct inspect_options *options)
{
    struct cli_json json = {0};
    int code = -1;
    if (cli_json_parse(&json, text->bytes, text->length) != 0) {
        code = cli_fail("inspect", "the description is not valid JSON at byte %zu: %s", json.position, json.problem);
    } else {
        const struct cli_json_value *kind = cli_json_member(&json, json.values, "kind");
        if (options->verify && (kind == NULL || kind->length != 3 || memcmp(kind->text, "slm", 3) != 0)) {
            code = cli_fail_usage("inspect", "--verify compares the checksums of a .slm file; this source has none");
        } else if (options->json) {
            (void)cli_put_text(output, text);
            (void)cli_put(output, "\n", 1);
        } else {
            put_members(output, &json, json.values, 0);
        }
    }
    cli_json_free(&json);
    return code;
}

static int verify(struct cli_model *opened, const char *path, struct cli_output *output)
{
    struct cli_progress progress = cli_progress_begin();
    slm_error error = cli_error_empty();
    slm_model *model = NULL;
    slm_status status = slm_model_open_file(opened->engine, path, SLM_NUL_TERMINATED, NULL, &model, &error);
    if (status == SLM_OK) {
        opened->model = model;
        cli_signals_begin();
        status = slm_model_verify(model, cli_progress_update, &progress, &error);
        cli_signals_end();
        cli_progress_end(&progress);
    }
    if (status != SLM_OK) {
        return cli_fail_library("inspect", status, &error);
    }
    (void)cli_put_format(output, "verified: every checksum is right\n");
    return -1;
}

static int inspect(struct cli_model *opened, const char *path, const struct inspect_options *options)
{
    struct cli_output output = cli_output_stdout();
    struct cli_text text = {0};
    int code = describe(opened, path, &text);
    if (code < 0) {
        code = put_description(&output, &text, options);
    }
    cli_text_free(&text);
    if (code < 0 && options->verify) {
        struct cli_output messages = {options->json ? stderr : stdout, 0};
        code = verify(opened, path, &messages);
    }
    const int finished = cli_output_finish(&output, "inspect");
    return code >= 0 ? code : finished;
}

static int run_inspect(int argc, char **argv)
{
    struct inspect_options options = {0};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_inspect, argc, argv, &options, &words);
    if (code < 0 && words.count != 1) {
        code = cli_fail_usage("inspect", words.count == 0 ? "inspect what? Give a file or a folder" : "one file or folder is expected");
    }
    if (code < 0) {
        struct cli_model opened;
        const struct cli_model_options engine = {0};
        code = cli_model_open_engine(&opened, "inspect", &engine);
        if (code < 0) {
            code = inspect(&opened, words.items[0], &options);
        }
        cli_model_close(&opened);
    }
    cli_strings_free(&words);
    return code;
}
