/* SPDX-License-Identifier: MIT */
/* slm grammar: checks texts against schemas, regular expressions and grammars, token by token, and times the masks. */
#include "examples/cli/commands.h" /* cli_command_grammar */

#include "examples/cli/cli_json.h"     /* struct cli_json */
#include "examples/cli/cli_lines.h"    /* cli_lines_each */
#include "examples/cli/cli_output.h"   /* struct cli_output */
#include "examples/cli/cli_terminal.h" /* cli_seconds */

#include <stdlib.h>
#include <string.h>

enum { BLOCK_ALIGNMENT = 64 }; /* of slm_matcher_options.block */

struct grammar_options {
    struct cli_model_options model;
    const char *tokenizer;
    int32_t jsonl;
    int32_t in_order;
    int32_t spaces;
    int32_t lenient;
    int32_t times;
};

static const struct cli_option grammar_rows[] = {
    {"--tokenizer", NULL, "FILE", "A tokenizer.json instead of a model.", CLI_STRING, offsetof(struct grammar_options, tokenizer), 0, 0},
    {"--jsonl", NULL, NULL,
     "Read {\"name\":…,\"schema\"|\"regex\"|\"grammar\":…,\"tests\":[{\"data\":…}|{\"text\":…}]} per line\n"
     "from standard input, write one object per line.",
     CLI_FLAG, offsetof(struct grammar_options, jsonl), 0, 0},
    {"--in-order", NULL, NULL,
     "Members of objects only in the order of the schema's properties, as answers\nare generated; default: in any.", CLI_FLAG,
     offsetof(struct grammar_options, in_order), 0, 0},
    {"--spaces", NULL, NULL, "White space between the parts of JSON.", CLI_FLAG, offsetof(struct grammar_options, spaces), 0, 0},
    {"--lenient", NULL, NULL, "What a schema cannot enforce is a warning instead of an error.", CLI_FLAG,
     offsetof(struct grammar_options, lenient), 0, 0},
    {"--times", NULL, NULL, "Add the time of every mask: \"mask_us\".", CLI_FLAG, offsetof(struct grammar_options, times), 0, 0},
};

static int run_grammar(int argc, char **argv);

const struct cli_command cli_command_grammar = {
    .name = "grammar",
    .summary = "check texts against a schema, a regular expression or a grammar",
    .arguments = "[-m FILE.slm | --tokenizer tokenizer.json] --jsonl [OPTIONS]",
    .notes = "\"data\" is any JSON value, taken as compact text with its keys in their order; \"text\" is taken as it is. A result is\n"
             "{\"name\":…,\"compile\":\"ok\"|\"error\",\"message\":…,\"compile_us\":…,\"results\":[true,false,…],\"masks\":n,\n"
             "\"mask_us_total\":…,\"mask_us_max\":…,\"first_mask_us\":…}: every token of an accepted text was allowed by the mask before\n"
             "it, and the text is complete. Times are microseconds; those of compiling and of the first mask add up to the time to\n"
             "the first mask.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_PATH, offsetof(struct grammar_options, model)},
               {grammar_rows, sizeof grammar_rows / sizeof grammar_rows[0], 0}},
    .run = run_grammar,
};

/* What the lines share. */
struct grammar_work {
    struct cli_model opened;
    const struct grammar_options *options;
    struct cli_output output;
    struct cli_ids ids;
    struct cli_text text;
    struct cli_text line;
    struct cli_text times;
    unsigned char *memory; /* of the matchers, one after the other */
    uint64_t block_bytes;  /* behind its first multiple of BLOCK_ALIGNMENT */
};

/* Of one line. */
struct check {
    slm_grammar *grammar;
    slm_matcher *matcher;
    double compile_us;
    double first_mask_us;
    double total_us;
    double longest_us;
    uint64_t masks;
    slm_error error;
};

static int grammar_kind(const struct cli_json *json, const struct cli_json_value **source)
{
    static const char *const names[] = {"schema", "regex", "grammar"};
    int kind = 0;
    for (int i = 0; i < 3; i++) {
        const struct cli_json_value *value = cli_json_member(json, json->values, names[i]);
        if (value != NULL) {
            kind = kind == 0 ? i + 1 : -1;
            *source = value;
        }
    }
    return kind > 0 && (kind == SLM_GRAMMAR_SCHEMA || (*source)->kind == CLI_JSON_STRING) ? kind : 0;
}

static slm_status compile(struct grammar_work *work, struct check *check, int kind, const struct cli_json_value *source)
{
    const slm_grammar_options options = {.struct_size = sizeof options,
                                         .flags = (work->options->in_order ? 0u : SLM_GRAMMAR_ANY_ORDER) |
                                                  (work->options->spaces ? SLM_GRAMMAR_SPACES : 0u) |
                                                  (work->options->lenient ? SLM_GRAMMAR_LENIENT : 0u)};
    const int schema = kind == SLM_GRAMMAR_SCHEMA;
    const double start = cli_seconds();
    slm_status status = slm_grammar_compile(work->opened.engine, kind, schema ? source->source : source->text,
                                            schema ? source->source_length : source->length, &options, &check->grammar, &check->error);
    slm_matcher_options matcher = {.struct_size = sizeof matcher, .history = 1 << 20};
    uint64_t bytes = 0;
    if (status == SLM_OK) {
        status = slm_matcher_plan(work->opened.model, check->grammar, &matcher, &bytes, &check->error);
    }
    if (status == SLM_OK && bytes > work->block_bytes) {
        free(work->memory);
        work->block_bytes = bytes + bytes / 4;
        work->memory = malloc((size_t)work->block_bytes + BLOCK_ALIGNMENT);
        work->block_bytes = work->memory != NULL ? work->block_bytes : 0;
    }
    if (work->memory != NULL) {
        matcher.block = work->memory + (BLOCK_ALIGNMENT - (uintptr_t)work->memory % BLOCK_ALIGNMENT);
        matcher.block_bytes = work->block_bytes;
    }
    if (status == SLM_OK) {
        status = slm_matcher_create(work->opened.model, check->grammar, &matcher, &check->matcher, &check->error);
    }
    check->compile_us = (cli_seconds() - start) * 1e6;
    return status;
}

/* The mask before the next token, timed. */
static slm_status take_mask(struct grammar_work *work, struct check *check, const uint8_t **mask)
{
    uint64_t bytes = 0;
    const double start = cli_seconds();
    const slm_status status = slm_matcher_mask(check->matcher, mask, &bytes, &check->error);
    const double us = (cli_seconds() - start) * 1e6;
    check->first_mask_us = check->masks == 0 ? us : check->first_mask_us;
    check->longest_us = us > check->longest_us ? us : check->longest_us;
    check->total_us += us;
    check->masks++;
    if (work->options->times) {
        cli_text_format(&work->times, "%s%.3f", work->times.length > 0 ? "," : "", us);
    }
    return status;
}

/* Feed one text: 1 accepted, 0 not; -1: the grammar failed, see check->error. */
static int feed(struct grammar_work *work, struct check *check)
{
    slm_matcher_info info = {.struct_size = sizeof info};
    const uint8_t *mask = NULL;
    if (slm_matcher_rewind(check->matcher, 0, &check->error) != SLM_OK) {
        return -1;
    }
    for (size_t i = 0; i < work->ids.count; i++) {
        const int32_t id = work->ids.items[i];
        slm_status status = take_mask(work, check, &mask);
        if (status == SLM_E_BAD_VALUE || (status == SLM_OK && (mask[id / 8] >> (id % 8) & 1) == 0)) {
            return 0;
        }
        status = status == SLM_OK ? slm_matcher_accept(check->matcher, &id, 1, &check->error) : status;
        if (status != SLM_OK) {
            return -1;
        }
    }
    return slm_matcher_get_info(check->matcher, &info, &check->error) == SLM_OK ? (int)info.complete : -1;
}

static int test_text(struct grammar_work *work, const struct cli_json *json, const struct cli_json_value *test, const char **wrong)
{
    const struct cli_json_value *data = test->kind == CLI_JSON_OBJECT ? cli_json_member(json, test, "data") : NULL;
    const struct cli_json_value *text = test->kind == CLI_JSON_OBJECT ? cli_json_member(json, test, "text") : NULL;
    if ((data == NULL) == (text == NULL) || (text != NULL && text->kind != CLI_JSON_STRING)) {
        *wrong = "a test is expected to hold \"data\", any value, or \"text\", a string";
        return -1;
    }
    cli_text_clear(&work->text);
    if (data != NULL) {
        cli_json_add_value(&work->text, json, data);
    } else {
        cli_text_add(&work->text, text->text, text->length);
    }
    return work->text.failed ? cli_fail_memory("grammar")
                             : cli_prompt_tokenize(&work->opened, work->text.bytes != NULL ? work->text.bytes : "", work->text.length,
                                                   SLM_TOKENIZE_PLAIN, &work->ids);
}

static int run_tests(struct grammar_work *work, struct check *check, const struct cli_json *json, const struct cli_json_value *tests,
                     const char **wrong)
{
    const struct cli_json_value *test = tests + 1;
    for (size_t i = 0; i < tests->length; i++) {
        const int code = test_text(work, json, test, wrong);
        if (code >= 0 || *wrong != NULL) {
            return code;
        }
        const int accepted = feed(work, check);
        cli_text_format(&work->line, "%s%s", i > 0 ? "," : "", accepted > 0 ? "true" : "false");
        test = json->values + test->next;
    }
    return -1;
}

static int check_line(struct grammar_work *work, struct check *check, const struct cli_json *json, const char **wrong)
{
    const struct cli_json_value *name = cli_json_member(json, json->values, "name");
    const struct cli_json_value *tests = cli_json_member(json, json->values, "tests");
    const struct cli_json_value *source = NULL;
    const int kind = grammar_kind(json, &source);
    if (kind == 0 || (name != NULL && name->kind != CLI_JSON_STRING) || (tests != NULL && tests->kind != CLI_JSON_ARRAY)) {
        *wrong = "one of \"schema\", \"regex\", \"grammar\" is expected, the latter two as strings, and \"tests\", a list";
        return -1;
    }
    const slm_status status = compile(work, check, kind, source);
    cli_text_clear(&work->line);
    cli_text_clear(&work->times);
    cli_text_add_string(&work->line, "{\"name\":");
    cli_json_add_string(&work->line, name != NULL ? name->text : "", name != NULL ? name->length : 0);
    cli_text_format(&work->line, ",\"compile\":\"%s\",\"compile_us\":%.1f,\"results\":[", status == SLM_OK ? "ok" : "error",
                    check->compile_us);
    if (status == SLM_OK && tests != NULL) {
        const int code = run_tests(work, check, json, tests, wrong);
        if (code >= 0 || *wrong != NULL) {
            return code;
        }
    }
    cli_text_add_string(&work->line, "],\"message\":");
    cli_json_add_string(&work->line, check->error.message, strlen(check->error.message));
    cli_text_format(&work->line, ",\"masks\":%llu,\"mask_us_total\":%.1f,\"mask_us_max\":%.1f,\"first_mask_us\":%.1f",
                    (unsigned long long)check->masks, check->total_us, check->longest_us, check->first_mask_us);
    if (work->options->times) {
        cli_text_add_string(&work->line, ",\"mask_us\":[");
        cli_text_add(&work->line, work->times.bytes != NULL ? work->times.bytes : "", work->times.length);
        cli_text_add_string(&work->line, "]");
    }
    cli_text_add_string(&work->line, "}\n");
    if (work->line.failed || work->times.failed) {
        return cli_fail_memory("grammar");
    }
    return cli_put_text(&work->output, &work->line) == 0 && cli_put_flush(&work->output) == 0 ? -1 : CLI_FAILED;
}

static int take_line(void *context, const struct cli_json *json, const char **wrong)
{
    struct check check = {.error = cli_error_empty()};
    const int code = check_line(context, &check, json, wrong);
    slm_matcher_destroy(check.matcher);
    slm_grammar_destroy(check.grammar);
    return code;
}

/* Build the vocabulary before anything is timed. */
static int warm_up(struct grammar_work *work)
{
    struct check check = {.error = cli_error_empty()};
    const struct cli_json_value any = {.kind = CLI_JSON_STRING, .text = "[a-z]", .length = 5};
    const slm_status status = compile(work, &check, SLM_GRAMMAR_REGEX, &any);
    const int code = status == SLM_OK ? -1 : cli_fail_library("grammar", status, &check.error);
    slm_matcher_destroy(check.matcher);
    slm_grammar_destroy(check.grammar);
    return code;
}

static int grammar_with_options(const struct grammar_options *options, const struct cli_strings *words)
{
    if (!options->jsonl || words->count > 0) {
        return cli_fail_usage("grammar", "--jsonl is expected, and nothing but options: the lines come from standard input");
    }
    if (options->tokenizer != NULL && options->model.path != NULL) {
        return cli_fail_usage("grammar", "give -m or --tokenizer, not both");
    }
    struct grammar_work work = {.options = options, .output = cli_output_stdout()};
    int code = options->tokenizer != NULL ? cli_model_open_tokenizer(&work.opened, "grammar", options->tokenizer)
                                          : cli_model_open(&work.opened, "grammar", &options->model);
    if (code < 0) {
        code = warm_up(&work);
    }
    if (code < 0) {
        code = cli_lines_each("grammar", "{\"schema\":{\"type\":\"integer\"},\"tests\":[{\"data\":1}]}", take_line, &work);
    }
    const int finished = cli_output_finish(&work.output, "grammar");
    cli_ids_free(&work.ids);
    cli_text_free(&work.text);
    cli_text_free(&work.line);
    cli_text_free(&work.times);
    free(work.memory);
    cli_model_close(&work.opened);
    return code >= 0 ? code : finished;
}

static int run_grammar(int argc, char **argv)
{
    struct grammar_options options = {0};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_grammar, argc, argv, &options, &words);
    if (code < 0) {
        code = grammar_with_options(&options, &words);
    }
    cli_strings_free(&words);
    return code;
}
