/* SPDX-License-Identifier: MIT */
/* slm tokenize: text to token ids and back, for one text or for a stream of JSON lines. */
#include "examples/cli/commands.h" /* cli_command_tokenize */

#include "examples/cli/cli_lines.h"  /* cli_lines_each */
#include "examples/cli/cli_output.h" /* struct cli_output */
#include "examples/cli/cli_prompt.h" /* cli_prompt_tokenize, cli_prompt_detokenize */

#include <string.h>

struct tokenize_options {
    struct cli_model_options model;
    const char *tokenizer;
    int32_t jsonl;
    int32_t json;
    int32_t plain;
    int32_t decode;
    int32_t no_special;
};

static const struct cli_option tokenize_rows[] = {
    {"--tokenizer", NULL, "FILE", "A tokenizer.json instead of a model.", CLI_STRING, offsetof(struct tokenize_options, tokenizer), 0, 0},
    {"--jsonl", NULL, NULL,
     "Read {\"text\":…,\"add_special_tokens\":…} per line from standard input, write\n"
     "{\"ids\":[…],\"decoded\":…,\"decoded_skip\":…} per line.",
     CLI_FLAG, offsetof(struct tokenize_options, jsonl), 0, 0},
    {"--decode", NULL, NULL, "From ids to text: the argument is 1,2,3; with --jsonl read {\"ids\":[…]}.", CLI_FLAG,
     offsetof(struct tokenize_options, decode), 0, 0},
    {"--plain", NULL, NULL, "Special tokens written in the text are ordinary text, and none is added\nunless the line asks for it.",
     CLI_FLAG, offsetof(struct tokenize_options, plain), 0, 0},
    {"--no-special", NULL, NULL, "Do not add the model's special tokens (bos …).", CLI_FLAG, offsetof(struct tokenize_options, no_special),
     0, 0},
    {"--json", NULL, NULL, "For a text argument: print the object that --jsonl prints.", CLI_FLAG, offsetof(struct tokenize_options, json),
     0, 0},
};

static int run_tokenize(int argc, char **argv);

const struct cli_command cli_command_tokenize = {
    .name = "tokenize",
    .summary = "text to token ids, and back",
    .arguments = "[-m FILE.slm | --tokenizer tokenizer.json] (TEXT | --jsonl) [OPTIONS]",
    .notes = "\"decoded\" is the text of the ids with special tokens, \"decoded_skip\" without. \"add_special_tokens\" may be left out:\n"
             "then it is true, or false with --plain or --no-special.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_PATH, offsetof(struct tokenize_options, model)},
               {tokenize_rows, sizeof tokenize_rows / sizeof tokenize_rows[0], 0}},
    .run = run_tokenize,
};

/* What one line or argument needs; kept from line to line, so that nothing is allocated again. */
struct tokenize_work {
    struct cli_model opened;
    const struct tokenize_options *options;
    struct cli_output output;
    struct cli_ids ids;
    struct cli_text text;
    struct cli_text result;
};

/* {"ids":[…],"decoded":…,"decoded_skip":…} */
static int put_object(struct tokenize_work *work)
{
    struct cli_text *result = &work->result;
    cli_text_clear(result);
    cli_text_add_string(result, "{\"ids\":");
    cli_json_add_ids(result, work->ids.items, work->ids.count);
    for (uint32_t flags = 0; flags <= SLM_DETOKENIZE_SKIP_SPECIAL; flags++) {
        const int code = cli_prompt_detokenize(&work->opened, &work->ids, flags, &work->text);
        if (code >= 0) {
            return code;
        }
        cli_text_add_string(result, flags == 0 ? ",\"decoded\":" : ",\"decoded_skip\":");
        cli_json_add_string(result, work->text.bytes, work->text.length);
    }
    cli_text_add_string(result, "}\n");
    return result->failed ? cli_fail_memory("tokenize") : cli_put_text(&work->output, result) == 0 ? -1 : CLI_FAILED;
}

static uint32_t tokenize_flags(const struct tokenize_options *options, int add_special)
{
    return (add_special ? SLM_TOKENIZE_ADD_SPECIAL : 0u) | (options->plain ? SLM_TOKENIZE_PLAIN : 0u);
}

static int default_add_special(const struct tokenize_options *options) { return !options->plain && !options->no_special; }

/* Tokenize the "text" of a line. *wrong says what is wrong with the line; else -1 or an exit code is returned. */
static int read_text(struct tokenize_work *work, const struct cli_json *json, const char **wrong)
{
    const struct cli_json_value *text = cli_json_member(json, json->values, "text");
    const struct cli_json_value *add = cli_json_member(json, json->values, "add_special_tokens");
    if (text == NULL || text->kind != CLI_JSON_STRING) {
        *wrong = "\"text\" must be a string";
        return -1;
    }
    if (add != NULL && add->kind != CLI_JSON_TRUE && add->kind != CLI_JSON_FALSE) {
        *wrong = "\"add_special_tokens\" must be true or false";
        return -1;
    }
    const int add_special = add != NULL ? add->kind == CLI_JSON_TRUE : default_add_special(work->options);
    return cli_prompt_tokenize(&work->opened, text->text, text->length, tokenize_flags(work->options, add_special), &work->ids);
}

static int take_line(void *context, const struct cli_json *json, const char **wrong)
{
    struct tokenize_work *work = context;
    int code = -1;
    if (work->options->decode) {
        work->ids.count = 0;
        *wrong = cli_lines_add_ids(cli_json_member(json, json->values, "ids"), &work->ids);
    } else {
        code = read_text(work, json, wrong);
    }
    code = code < 0 && *wrong == NULL ? put_object(work) : code;
    *wrong = work->output.error != 0 ? "" : *wrong;
    return code;
}

static int take_argument(struct tokenize_work *work, const char *word)
{
    const struct tokenize_options *options = work->options;
    int code = -1;
    if (options->decode) {
        if (cli_ids_parse(&work->ids, word) != 0) {
            return cli_fail_usage("tokenize", "--decode takes token ids such as 1,2,3, not '%s'", word);
        }
    } else {
        code = cli_prompt_tokenize(&work->opened, word, strlen(word), tokenize_flags(options, default_add_special(options)), &work->ids);
    }
    if (code >= 0 || options->json) {
        return code >= 0 ? code : put_object(work);
    }
    if (options->decode) {
        code = cli_prompt_detokenize(&work->opened, &work->ids, 0, &work->result);
    } else {
        for (size_t i = 0; i < work->ids.count; i++) {
            cli_text_format(&work->result, "%s%d", i > 0 ? " " : "", (int)work->ids.items[i]);
        }
    }
    if (code < 0) {
        (void)cli_put_text(&work->output, &work->result);
        (void)cli_put(&work->output, "\n", 1);
    }
    return code;
}

static int tokenize_with_options(const struct tokenize_options *options, const struct cli_strings *words)
{
    if (options->jsonl ? words->count > 0 : words->count != 1) {
        return cli_fail_usage("tokenize", options->jsonl ? "with --jsonl the texts come from standard input, not as arguments"
                                                         : "one text is expected (quote it), or --jsonl");
    }
    if (options->tokenizer != NULL && options->model.path != NULL) {
        return cli_fail_usage("tokenize", "give -m or --tokenizer, not both");
    }
    struct tokenize_work work = {.options = options, .output = cli_output_stdout()};
    int code = options->tokenizer != NULL ? cli_model_open_tokenizer(&work.opened, "tokenize", options->tokenizer)
                                          : cli_model_open(&work.opened, "tokenize", &options->model);
    if (code < 0 && !work.opened.info.has_tokenizer) {
        code = cli_fail("tokenize", "the model has no tokenizer; it was converted from a checkpoint without one");
    }
    if (code < 0) {
        code =
            options->jsonl ? cli_lines_each("tokenize", "{\"text\":\"Hello\"}", take_line, &work) : take_argument(&work, words->items[0]);
    }
    const int finished = cli_output_finish(&work.output, "tokenize");
    cli_ids_free(&work.ids);
    cli_text_free(&work.text);
    cli_text_free(&work.result);
    cli_model_close(&work.opened);
    return code >= 0 ? code : finished;
}

static int run_tokenize(int argc, char **argv)
{
    struct tokenize_options options = {0};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_tokenize, argc, argv, &options, &words);
    if (code < 0) {
        code = tokenize_with_options(&options, &words);
    }
    cli_strings_free(&words);
    return code;
}
