/* SPDX-License-Identifier: MIT */
/* slm embed: texts to embeddings, as JSON lines or a NumPy file. */
#include "examples/cli/commands.h" /* cli_command_embed */

#include "examples/cli/cli_lines.h"    /* cli_lines_each */
#include "examples/cli/cli_npy.h"      /* struct cli_npy */
#include "examples/cli/cli_output.h"   /* struct cli_output */
#include "examples/cli/cli_terminal.h" /* cli_signals_begin, cli_signals_taken */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct embed_options {
    struct cli_model_options model;
    const char *pooling;
    const char *normalize;
    const char *npy;
    int64_t context;
    int32_t jsonl;
    int32_t truncate;
    int32_t plain;
};

static const struct cli_option embed_rows[] = {
    {"--jsonl", NULL, NULL, "Read {\"text\":…} or {\"ids\":[…]} per line from standard input,\nwrite {\"embedding\":[…]} per line.",
     CLI_FLAG, offsetof(struct embed_options, jsonl), 0, 0},
    {"--npy", NULL, "FILE", "Write all embeddings to this NumPy file (f32 [n, size]) instead.", CLI_STRING,
     offsetof(struct embed_options, npy), 0, 0},
    {"--pooling", NULL, "WHAT",
     "mean, last or first (cls) token; default: what the model's file says,\nelse mean for an encoder, last for a "
     "decoder.",
     CLI_STRING, offsetof(struct embed_options, pooling), 0, 0},
    {"--normalize", NULL, "yes|no", "To length 1; default: what the model's file says, else yes.", CLI_STRING,
     offsetof(struct embed_options, normalize), 0, 0},
    {"--truncate", NULL, NULL, "Cut texts that are longer than the context.", CLI_FLAG, offsetof(struct embed_options, truncate), 0, 0},
    {"--plain", NULL, NULL, "Special tokens written in a text are ordinary text.", CLI_FLAG, offsetof(struct embed_options, plain), 0, 0},
    {"--context", NULL, "C", "Longest text in tokens; default: the model's, at most 4096.", CLI_INTEGER,
     offsetof(struct embed_options, context), 1, 1e9},
};

static int run_embed(int argc, char **argv);

const struct cli_command cli_command_embed = {
    .name = "embed",
    .summary = "texts to embeddings",
    .arguments = "-m FILE.slm (TEXT… | --jsonl) [OPTIONS]",
    .notes = "Works with encoders (BERT) and with every other model. The model's special tokens are added to a text; \"ids\" are taken as\n"
             "they are. Lines are answered in groups of 64.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_ALL, offsetof(struct embed_options, model)},
               {embed_rows, sizeof embed_rows / sizeof embed_rows[0], 0}},
    .run = run_embed,
};

enum { GROUP = 64 };

/* Texts wait in one buffer, ids in another, until a group is complete. */
struct embed_work {
    const struct embed_options *options;
    struct cli_model opened;
    slm_pool *pool;
    slm_embed_options embed;
    struct cli_output output;
    struct cli_npy npy;
    struct cli_text texts;
    struct cli_ids ids;
    slm_input inputs[GROUP]; /* text and ids hold offsets until the group is computed */
    size_t begins[GROUP];
    size_t waiting;
    uint64_t done;     /* inputs of the groups before */
    float *embeddings; /* [GROUP][size] */
    struct cli_text line;
};

static int put_embedding(struct embed_work *work, const float *values)
{
    cli_text_clear(&work->line);
    cli_text_add_string(&work->line, "{\"embedding\":");
    for (uint32_t i = 0; i < work->opened.info.hidden_size; i++) {
        cli_text_add_string(&work->line, i > 0 ? "," : "[");
        cli_json_add_number(&work->line, (double)values[i]);
    }
    cli_text_add_string(&work->line, "]}\n");
    return work->line.failed ? cli_fail_memory("embed") : cli_put_text(&work->output, &work->line) == 0 ? -1 : CLI_FAILED;
}

static int32_t stop_on_signal(void *user, uint64_t done, uint64_t total, const char *what)
{
    (void)user, (void)done, (void)total, (void)what;
    return cli_signals_taken();
}

static int compute_group(struct embed_work *work)
{
    const uint64_t size = work->opened.info.hidden_size;
    slm_error error = cli_error_empty();
    for (size_t i = 0; i < work->waiting; i++) {
        slm_input *input = &work->inputs[i];
        if (input->id_count > 0) {
            input->ids = work->ids.items + work->begins[i];
        } else {
            input->text = work->texts.bytes + work->begins[i];
        }
    }
    const slm_status status = slm_embed(work->pool, work->inputs, work->waiting, &work->embed, work->embeddings, GROUP * size, &error);
    if (status == SLM_E_CANCELLED) {
        return cli_fail("embed", "cancelled");
    }
    if (status != SLM_OK) {
        const int code = cli_fail_library("embed", status, &error);
        if (work->options->jsonl) {
            cli_remark("embed", "note", "input 0 was line %llu of standard input, empty lines not counted",
                       (unsigned long long)work->done + 1);
        }
        return code;
    }
    int code = -1;
    for (size_t i = 0; i < work->waiting && code < 0; i++) {
        const float *values = work->embeddings + i * size;
        code = work->options->npy == NULL                 ? put_embedding(work, values)
               : cli_npy_put_row(&work->npy, values) == 0 ? -1
                                                          : cli_fail("embed", "%s: writing failed", work->options->npy);
    }
    work->done += work->waiting;
    work->waiting = 0;
    work->ids.count = 0;
    cli_text_clear(&work->texts);
    return code < 0 && cli_put_flush(&work->output) != 0 ? CLI_FAILED : code;
}

static int add_text(struct embed_work *work, const char *text, size_t length)
{
    work->begins[work->waiting] = work->texts.length;
    work->inputs[work->waiting++] = (slm_input){.text_length = length};
    cli_text_add(&work->texts, text, length);
    cli_text_add(&work->texts, "", 1); /* never an empty buffer */
    return work->texts.failed ? cli_fail_memory("embed") : work->waiting == GROUP ? compute_group(work) : -1;
}

static int take_line(void *context, const struct cli_json *json, const char **wrong)
{
    struct embed_work *work = context;
    const struct cli_json_value *text = cli_json_member(json, json->values, "text"), *ids = cli_json_member(json, json->values, "ids");
    int code = -1;
    if ((text == NULL) == (ids == NULL) || (text != NULL && text->kind != CLI_JSON_STRING)) {
        *wrong = "either \"text\", a string, or \"ids\", a list, is expected";
        return -1;
    }
    if (text != NULL) {
        code = add_text(work, text->text, text->length);
    } else {
        work->begins[work->waiting] = work->ids.count;
        *wrong = cli_lines_add_ids(ids, &work->ids);
        if (*wrong == NULL && ids->length == 0) {
            *wrong = "\"ids\" is empty";
        }
        if (*wrong != NULL) {
            return -1;
        }
        work->inputs[work->waiting++] = (slm_input){.id_count = ids->length};
        code = work->waiting == GROUP ? compute_group(work) : -1;
    }
    if (code >= 0) {
        *wrong = ""; /* of some line of the group: the message says which input */
    }
    return code;
}

static int read_choices(struct embed_work *work)
{
    static const char *const names[] = {"mean", "last", "first", "cls"};
    const struct embed_options *options = work->options;
    work->embed = (slm_embed_options){.struct_size = sizeof work->embed,
                                      .flags = (options->truncate ? (uint32_t)SLM_EMBED_TRUNCATE : 0u) |
                                               (options->plain ? (uint32_t)SLM_EMBED_PLAIN : 0u),
                                      .progress = stop_on_signal};
    for (int i = 0; i < 4 && options->pooling != NULL; i++) {
        if (strcmp(options->pooling, names[i]) == 0) {
            work->embed.pooling = i < 3 ? SLM_POOLING_MEAN + i : SLM_POOLING_FIRST;
        }
    }
    if (options->pooling != NULL && work->embed.pooling == 0) {
        return cli_fail_usage("embed", "option '--pooling' takes mean, last, first or cls, not '%s'", options->pooling);
    }
    if (options->normalize != NULL) {
        work->embed.normalize = strcmp(options->normalize, "yes") == 0  ? SLM_NORMALIZE_YES
                                : strcmp(options->normalize, "no") == 0 ? SLM_NORMALIZE_NO
                                                                        : -1;
    }
    return work->embed.normalize < 0 ? cli_fail_usage("embed", "option '--normalize' takes yes or no, not '%s'", options->normalize) : -1;
}

/* A decoder's pool has room for one long text or several short ones. */
static int open_pool(struct embed_work *work)
{
    const uint32_t most = work->opened.info.max_context, asked = (uint32_t)work->options->context;
    const uint32_t context = asked != 0 ? asked : most < 4096 ? most : 4096;
    const slm_pool_options options = {.struct_size = sizeof options,
                                      .sessions = work->opened.info.encoder ? 0 : 8,
                                      .context = context,
                                      .kv_type = work->opened.kv_type,
                                      .kv_tokens = work->opened.info.encoder ? 0 : (uint64_t)context + 8 * 64,
                                      .adapter_rank = work->opened.adapter_rank};
    slm_error error = cli_error_empty();
    const slm_status status = slm_pool_create(work->opened.model, &options, &work->pool, &error);
    if (status != SLM_OK) {
        return cli_fail_library("embed", status, &error);
    }
    work->embed.adapters = (slm_adapter *const *)work->opened.adapters;
    work->embed.adapter_weights = work->opened.adapter_weights;
    work->embed.adapter_count = work->opened.adapter_count;
    work->embeddings = calloc(GROUP, work->opened.info.hidden_size * sizeof *work->embeddings);
    return work->embeddings != NULL ? -1 : cli_fail_memory("embed");
}

static int compute_all(struct embed_work *work, const struct cli_strings *words)
{
    int code = -1;
    if (work->options->npy != NULL && cli_npy_create(&work->npy, work->options->npy, work->opened.info.hidden_size) != 0) {
        code = cli_fail("embed", "%s: %s", work->options->npy, strerror(errno));
        (void)cli_npy_finish(&work->npy, 0);
        return code;
    }
    if (work->options->jsonl) {
        code = cli_lines_each("embed", "{\"text\":\"Hello\"}", take_line, work);
    }
    for (size_t i = 0; i < words->count && code < 0; i++) {
        code = add_text(work, words->items[i], strlen(words->items[i]));
    }
    code = code < 0 && work->waiting > 0 ? compute_group(work) : code;
    if (work->options->npy != NULL && cli_npy_finish(&work->npy, code < 0) != 0) {
        code = code < 0 ? cli_fail("embed", "%s: writing failed", work->options->npy) : code;
    }
    return code;
}

static int embed_with_options(const struct embed_options *options, const struct cli_strings *words)
{
    if (options->jsonl ? words->count > 0 : words->count == 0) {
        return cli_fail_usage("embed", options->jsonl ? "with --jsonl the texts come from standard input, not as arguments"
                                                      : "texts are expected (quote each), or --jsonl");
    }
    struct embed_work work = {.options = options, .output = cli_output_stdout()};
    int code = read_choices(&work);
    code = code < 0 ? cli_model_open(&work.opened, "embed", &options->model) : code;
    code = code < 0 ? open_pool(&work) : code;
    if (code < 0) {
        cli_signals_begin();
        code = compute_all(&work, words);
        cli_signals_end();
    }
    const int finished = cli_output_finish(&work.output, "embed");
    (void)slm_pool_destroy(work.pool);
    cli_model_close(&work.opened);
    cli_text_free(&work.texts);
    cli_text_free(&work.line);
    cli_ids_free(&work.ids);
    free(work.embeddings);
    return code >= 0 ? code : finished;
}

static int run_embed(int argc, char **argv)
{
    struct embed_options options = {0};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_embed, argc, argv, &options, &words);
    if (code < 0) {
        code = embed_with_options(&options, &words);
    }
    cli_strings_free(&words);
    cli_strings_free(&options.model.lora);
    return code;
}
