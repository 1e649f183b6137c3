/* SPDX-License-Identifier: MIT */
/* slm score: exact log-probabilities of given labels, for a stream of JSON lines. */
#include "examples/cli/commands.h" /* cli_command_score */

#include "examples/cli/cli_labels.h"   /* cli_pool_open, cli_score_make */
#include "examples/cli/cli_lines.h"    /* cli_lines_each */
#include "examples/cli/cli_output.h"   /* struct cli_output */
#include "examples/cli/cli_terminal.h" /* cli_signals_begin */

#include <stdlib.h>

struct score_options {
    struct cli_model_options model;
    struct cli_score_options score;
    const char *prior;
    int32_t jsonl;
};

static const struct cli_option score_rows[] = {
    {"--jsonl", NULL, NULL,
     "Read {\"prompt\":…,\"labels\":[…]} per line from standard input, or \"prompt_ids\"\nand \"label_ids\" (a list of lists), write "
     "{\"logprobs\":[…],\"probabilities\":[…]}.",
     CLI_FLAG, offsetof(struct score_options, jsonl), 0, 0},
    {"--prior", NULL, "TEXT", "A prompt without content: what a label gets there is subtracted\nbefore the probabilities.", CLI_STRING,
     offsetof(struct score_options, prior), 0, 0},
};

static int run_score(int argc, char **argv);

const struct cli_command cli_command_score = {
    .name = "score",
    .summary = "exact log-probabilities of given labels",
    .arguments = "-m FILE.slm --jsonl [OPTIONS]",
    .notes =
        "The prompt is taken as it is, with the model's special tokens in front; labels are tokenized alone. \"logprobs\" are natural\n"
        "logarithms of the probability that the model continues the prompt with the label; \"probabilities\" add to 1.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_ALL, offsetof(struct score_options, model)},
               {score_rows, sizeof score_rows / sizeof score_rows[0], 0},
               {cli_score_rows, CLI_SCORE_ROWS, offsetof(struct score_options, score)}},
    .run = run_score,
};

struct score_work {
    const struct score_options *options;
    struct cli_model opened;
    slm_pool *pool;
    struct cli_output output;
    struct cli_ids ids; /* of the prompt, then of the labels */
    slm_input *inputs;  /* of the labels */
    slm_label_score *results;
    size_t capacity;
    struct cli_text line;
};

static const char *reserve(struct score_work *work, size_t count)
{
    if (count > work->capacity) {
        slm_input *inputs = realloc(work->inputs, count * sizeof *inputs);
        work->inputs = inputs != NULL ? inputs : work->inputs;
        slm_label_score *results = realloc(work->results, count * sizeof *results);
        work->results = results != NULL ? results : work->results;
        if (inputs == NULL || results == NULL) {
            return "memory could not be allocated";
        }
        work->capacity = count;
    }
    return NULL;
}

/* Labels as texts: a list of strings. */
static const char *read_texts(struct score_work *work, const struct cli_json *json, const struct cli_json_value *list)
{
    const struct cli_json_value *item = list + 1;
    for (size_t i = 0; i < list->length; i++, item = json->values + item->next) {
        if (item->kind != CLI_JSON_STRING) {
            return "\"labels\" must be a list of strings";
        }
        work->inputs[i] = (slm_input){.text = item->text, .text_length = item->length};
    }
    return NULL;
}

/* Labels as ids: a list of lists. They lie behind the prompt's; pointers are set when all are there. */
static const char *read_ids(struct score_work *work, const struct cli_json *json, const struct cli_json_value *list, size_t behind)
{
    const struct cli_json_value *item = list + 1;
    for (size_t i = 0; i < list->length; i++, item = json->values + item->next) {
        const char *wrong = cli_lines_add_ids(item, &work->ids);
        if (wrong != NULL) {
            return wrong;
        }
        work->inputs[i] = (slm_input){.id_count = item->length};
    }
    for (size_t i = 0; i < list->length; i++) {
        work->inputs[i].ids = work->ids.items + behind;
        behind += (size_t)work->inputs[i].id_count;
    }
    return NULL;
}

static const char *read_line(struct score_work *work, const struct cli_json *json, slm_input *prompt, size_t *count)
{
    const struct cli_json_value *text = cli_json_member(json, json->values, "prompt");
    const struct cli_json_value *ids = cli_json_member(json, json->values, "prompt_ids");
    const struct cli_json_value *labels = cli_json_member(json, json->values, "labels");
    const struct cli_json_value *label_ids = cli_json_member(json, json->values, "label_ids");
    const struct cli_json_value *list = labels != NULL ? labels : label_ids;
    if ((text == NULL) == (ids == NULL) || (labels == NULL) == (label_ids == NULL)) {
        return "either \"prompt\" or \"prompt_ids\" is expected, and either \"labels\" or \"label_ids\"";
    }
    if ((text != NULL && text->kind != CLI_JSON_STRING) || list->kind != CLI_JSON_ARRAY || list->length == 0) {
        return "\"prompt\" must be a string, and the labels a list that is not empty";
    }
    work->ids.count = 0;
    *count = list->length;
    const char *wrong = ids != NULL ? cli_lines_add_ids(ids, &work->ids) : NULL;
    const size_t behind = work->ids.count;
    wrong = wrong == NULL ? reserve(work, list->length) : wrong;
    if (wrong == NULL && cli_ids_reserve(&work->ids, 1) != 0) {
        wrong = "memory could not be allocated";
    }
    wrong = wrong != NULL ? wrong : labels != NULL ? read_texts(work, json, list) : read_ids(work, json, list, behind);
    *prompt = text != NULL ? (slm_input){.text = text->text, .text_length = text->length}
                           : (slm_input){.ids = work->ids.items, .id_count = behind};
    return wrong;
}

static int put_results(struct score_work *work, size_t count)
{
    cli_text_clear(&work->line);
    for (int which = 0; which < 2; which++) {
        cli_text_add_string(&work->line, which == 0 ? "{\"logprobs\":[" : "],\"probabilities\":[");
        for (size_t i = 0; i < count; i++) {
            cli_text_add_string(&work->line, i > 0 ? "," : "");
            cli_json_add_number(&work->line, which == 0 ? work->results[i].logprob : work->results[i].probability);
        }
    }
    cli_text_add_string(&work->line, "]}\n");
    if (work->line.failed) {
        return cli_fail_memory("score");
    }
    return cli_put_text(&work->output, &work->line) == 0 && cli_put_flush(&work->output) == 0 ? -1 : CLI_FAILED;
}

static int take_line(void *context, const struct cli_json *json, const char **wrong)
{
    struct score_work *work = context;
    slm_input prompt;
    size_t count = 0;
    *wrong = read_line(work, json, &prompt, &count);
    if (*wrong != NULL) {
        return -1;
    }
    const slm_input prior = {.text = work->options->prior, .text_length = SLM_NUL_TERMINATED};
    slm_score_options options = cli_score_make(&work->opened, &work->options->score);
    options.prior = work->options->prior != NULL ? &prior : NULL;
    work->results[0].struct_size = sizeof work->results[0];
    slm_error error = cli_error_empty();
    const slm_status status = slm_score(work->pool, &prompt, work->inputs, count, &options, work->results, &error);
    if (status != SLM_OK) {
        return status == SLM_E_CANCELLED ? cli_fail("score", "cancelled") : cli_fail_library("score", status, &error);
    }
    const int code = put_results(work, count);
    *wrong = work->output.error != 0 ? "" : NULL;
    return code;
}

static int score_with_options(const struct score_options *options, const struct cli_strings *words)
{
    if (!options->jsonl || words->count > 0) {
        return cli_fail_usage("score", "prompts and labels come from standard input: give --jsonl and no other argument");
    }
    struct score_work work = {.options = options, .output = cli_output_stdout()};
    int code = cli_model_open(&work.opened, "score", &options->model);
    code = code < 0 ? cli_pool_open(&work.opened, &options->score, &work.pool) : code;
    if (code < 0) {
        cli_signals_begin();
        code = cli_lines_each("score", "{\"prompt\":\"The sky is\",\"labels\":[\" blue\",\" red\"]}", take_line, &work);
        cli_signals_end();
    }
    const int finished = cli_output_finish(&work.output, "score");
    (void)slm_pool_destroy(work.pool);
    cli_model_close(&work.opened);
    cli_ids_free(&work.ids);
    cli_text_free(&work.line);
    free(work.inputs);
    free(work.results);
    return code >= 0 ? code : finished;
}

static int run_score(int argc, char **argv)
{
    struct score_options options = {0};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_score, argc, argv, &options, &words);
    if (code < 0) {
        code = score_with_options(&options, &words);
    }
    cli_strings_free(&words);
    cli_strings_free(&options.model.lora);
    return code;
}
