/* SPDX-License-Identifier: MIT */
/* The text goes into the prompt, the prompt through the chat template, the beginning of the answer behind it (see cli_labels.h). */
#include "examples/cli/cli_labels.h" /* struct cli_labels */

#include "examples/cli/cli_input.h"    /* cli_input_open */
#include "examples/cli/cli_output.h"   /* cli_fail */
#include "examples/cli/cli_terminal.h" /* cli_signals_taken */

#include <stdlib.h>
#include <string.h>

enum {
    FORKS = 32,
    PROMPTS = 2 /* kept, so that what prompts begin with alike is computed once: the last one, and the one without content */
};
static const char default_prompt[] = "Classify the text. Answer with one of these labels: {labels}.\n\nText: {text}";
static const char no_content[] = "N/A";

const struct cli_option cli_score_rows[] = {
    {"--context", NULL, "C", "Longest prompt and label in tokens; default: the model's, at most 4096.", CLI_INTEGER,
     offsetof(struct cli_score_options, context), 2, 1e9},
    {"--joint", NULL, NULL, "Tokenize prompt and label as one text, not the label alone.", CLI_FLAG,
     offsetof(struct cli_score_options, joint), 0, 0},
    {"--eos", NULL, NULL, "The end of the answer behind a label counts too.", CLI_FLAG, offsetof(struct cli_score_options, eos), 0, 0},
    {"--length", NULL, NULL, "Divide each label's logarithm by its number of tokens.", CLI_FLAG, offsetof(struct cli_score_options, length),
     0, 0},
};

const struct cli_option cli_labels_rows[] = {
    {"--labels", NULL, "FILE", "The labels, one a line.", CLI_STRING, offsetof(struct cli_labels_options, labels), 0, 0},
    {"--prompt", NULL, "TEXT",
     "What the model is asked; {text} and {labels} are filled in. Default:\n\"Classify the text. Answer with one "
     "of these labels: {labels}. Text: {text}\"",
     CLI_STRING, offsetof(struct cli_labels_options, prompt), 0, 0},
    {"--prefix", NULL, "TEXT", "The beginning of the answer, in front of every label.", CLI_STRING,
     offsetof(struct cli_labels_options, prefix), 0, 0},
    {"--suffix", NULL, "TEXT", "Behind every label, counted as part of it.", CLI_STRING, offsetof(struct cli_labels_options, suffix), 0, 0},
    {"--raw", NULL, NULL, "No chat template: the model continues the prompt.", CLI_FLAG, offsetof(struct cli_labels_options, raw), 0, 0},
    {"--prior", NULL, NULL, "Subtract what each label gets when the text is N/A.", CLI_FLAG, offsetof(struct cli_labels_options, prior), 0,
     0},
};

static int32_t stop_on_signal(void *user, uint64_t done, uint64_t total, const char *what)
{
    (void)user, (void)done, (void)total, (void)what;
    return cli_signals_taken();
}

slm_score_options cli_score_make(const struct cli_model *opened, const struct cli_score_options *options)
{
    return (slm_score_options){.struct_size = sizeof(slm_score_options),
                               .flags = (options->joint ? (uint32_t)SLM_SCORE_JOINT : 0u) | (options->eos ? (uint32_t)SLM_SCORE_EOS : 0u) |
                                        (options->length ? (uint32_t)SLM_SCORE_LENGTH : 0u),
                               .progress = stop_on_signal,
                               .adapters = (slm_adapter *const *)opened->adapters,
                               .adapter_weights = opened->adapter_weights,
                               .adapter_count = opened->adapter_count};
}

int cli_pool_open(const struct cli_model *opened, const struct cli_score_options *options, slm_pool **pool)
{
    const uint32_t most = opened->info.max_context < 4096 ? opened->info.max_context : 4096;
    const uint32_t context = options->context > 0 ? (uint32_t)options->context : most;
    const slm_pool_options made = {.struct_size = sizeof made,
                                   .sessions = FORKS + 1,
                                   .context = context,
                                   .kv_type = opened->kv_type,
                                   .kv_tokens = (uint64_t)context + FORKS * 128,
                                   .prefixes = PROMPTS,
                                   .adapter_rank = opened->adapter_rank};
    slm_error error = cli_error_empty();
    const slm_status status = slm_pool_create(opened->model, &made, pool, &error);
    return status == SLM_OK ? -1 : cli_fail_library(opened->command, status, &error);
}

/* ---- labels */

static int read_file(struct cli_labels *labels, const char *path)
{
    FILE *file = cli_input_open(labels->opened.command, path, "a file of labels");
    if (file == NULL) {
        return CLI_FAILED;
    }
    struct cli_text line = {0};
    int got = 1, whole = 1;
    unsigned long long number = 1;
    for (; whole && (got = cli_text_read_line(&line, file)) > 0; number++) { /* a byte order mark is not part of the first label */
        const size_t mark = number == 1 && line.length >= 3 && memcmp(line.bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        const size_t end = line.length > mark && line.bytes[line.length - 1] == '\r' ? line.length - 1 : line.length;
        whole = line.length == 0 || memchr(line.bytes, '\0', line.length) == NULL;
        if (end > mark) {
            cli_text_add(&labels->file, line.bytes + mark, end - mark);
            cli_text_add(&labels->file, "", 1);
            labels->count++;
        }
    }
    (void)fclose(file);
    cli_text_free(&line);
    if (!whole) {
        return cli_fail(labels->opened.command, "%s, line %llu: a label cannot hold a NUL byte", path, number - 1);
    }
    if (got < 0 || labels->file.failed) {
        return cli_fail(labels->opened.command, "%s: reading failed", path);
    }
    return labels->count > 0 ? -1 : cli_fail(labels->opened.command, "%s: it has no labels; one a line is expected", path);
}

/* What can only be a slip: the same label twice would share its probability, and a prompt without the text would not know it. */
static int check_labels(const struct cli_labels *labels)
{
    if (labels->options->prompt != NULL && strstr(labels->options->prompt, "{text}") == NULL) {
        return cli_fail(labels->opened.command, "--prompt has no {text}, where the text is put: every answer would be the same");
    }
    const char *name = labels->file.bytes;
    for (size_t i = 0; i < labels->count; i++, name += strlen(name) + 1) {
        const char *before = labels->file.bytes;
        for (size_t j = 0; j < i; j++, before += strlen(before) + 1) {
            if (strcmp(before, name) == 0) {
                return cli_fail(labels->opened.command, "%s: label \"%s\" is there twice (the %zu. and the %zu.)", labels->options->labels,
                                name, j + 1, i + 1);
            }
        }
    }
    return -1;
}

/* Names, what is scored, and the list for the prompt. */
static int make_inputs(struct cli_labels *labels)
{
    const char *suffix = labels->options->suffix != NULL ? labels->options->suffix : "";
    labels->inputs = calloc(labels->count, sizeof *labels->inputs);
    labels->names = calloc(labels->count, sizeof *labels->names);
    labels->results = calloc(labels->count, sizeof *labels->results);
    labels->priors = calloc(labels->count, sizeof *labels->priors);
    labels->scores = calloc(labels->count, sizeof *labels->scores);
    if (labels->inputs == NULL || labels->names == NULL || labels->results == NULL || labels->priors == NULL || labels->scores == NULL) {
        return cli_fail_memory(labels->opened.command);
    }
    labels->results[0].struct_size = sizeof labels->results[0];
    const char *name = labels->file.bytes;
    for (size_t i = 0; i < labels->count; i++, name += strlen(name) + 1) {
        labels->names[i] = name;
        cli_text_add_string(&labels->endings, name);
        cli_text_add_string(&labels->endings, suffix);
        cli_text_add(&labels->endings, "", 1);
        cli_text_add_string(&labels->listed, i > 0 ? ", " : "");
        cli_text_add_string(&labels->listed, name);
    }
    const char *ending = labels->endings.bytes;
    for (size_t i = 0; i < labels->count && !labels->endings.failed; i++, ending += strlen(ending) + 1) {
        labels->inputs[i] = (slm_input){.text = ending, .text_length = SLM_NUL_TERMINATED};
    }
    return labels->endings.failed || labels->listed.failed ? cli_fail_memory(labels->opened.command) : -1;
}

/* ---- the prompt */

static void fill_prompt(struct cli_labels *labels, const char *text, size_t length)
{
    const char *at = labels->options->prompt != NULL ? labels->options->prompt : default_prompt;
    cli_text_clear(&labels->filled);
    while (*at != '\0') {
        if (strncmp(at, "{text}", 6) == 0) {
            cli_text_add(&labels->filled, text, length);
            at += 6;
        } else if (strncmp(at, "{labels}", 8) == 0) {
            cli_text_add(&labels->filled, labels->listed.bytes, labels->listed.length);
            at += 8;
        } else {
            cli_text_add(&labels->filled, at++, 1);
        }
    }
}

/* The rendered prompt and the beginning of the answer, as ids. */
static int chat_context(struct cli_labels *labels, slm_input *context)
{
    struct cli_text request = {0};
    struct cli_ids prefix = {0};
    const size_t valid = cli_utf8_valid_prefix(labels->filled.bytes, labels->filled.length);
    if (valid < labels->filled.length) {
        return cli_fail(labels->opened.command, "the prompt is not valid UTF-8 (byte %zu)", valid);
    }
    cli_text_add_string(&request, "{\"messages\":[");
    cli_message_add(&request, "user", labels->filled.bytes, labels->filled.length);
    cli_text_add_string(&request, "],\"add_generation_prompt\":true}");
    int code = cli_prompt_chat(&labels->opened, &request, 0, &labels->ids);
    if (code < 0 && labels->options->prefix != NULL) {
        code = cli_prompt_tokenize(&labels->opened, labels->options->prefix, strlen(labels->options->prefix), 0, &prefix);
    }
    if (code < 0 && prefix.count > 0) {
        if (cli_ids_reserve(&labels->ids, labels->ids.count + prefix.count) != 0) {
            code = cli_fail_memory(labels->opened.command);
        } else {
            memcpy(labels->ids.items + labels->ids.count, prefix.items, prefix.count * sizeof *prefix.items);
            labels->ids.count += prefix.count;
        }
    }
    *context = (slm_input){.ids = labels->ids.items, .id_count = labels->ids.count};
    cli_ids_free(&prefix);
    cli_text_free(&request);
    return code;
}

/* results of a text. */
static int score_text(struct cli_labels *labels, const char *text, size_t length)
{
    slm_input context;
    fill_prompt(labels, text, length);
    if (labels->opened.info.has_chat_template && !labels->options->raw) {
        const int code = chat_context(labels, &context);
        if (code >= 0) {
            return code;
        }
    } else {
        cli_text_add_string(&labels->filled, labels->options->prefix != NULL ? labels->options->prefix : "");
        context = (slm_input){.text = labels->filled.bytes, .text_length = labels->filled.length};
    }
    if (labels->filled.failed) {
        return cli_fail_memory(labels->opened.command);
    }
    const slm_score_options options = cli_score_make(&labels->opened, labels->score);
    slm_error error = cli_error_empty();
    const slm_status status = slm_score(labels->pool, &context, labels->inputs, labels->count, &options, labels->results, &error);
    return status == SLM_OK            ? -1
           : status == SLM_E_CANCELLED ? cli_fail(labels->opened.command, "cancelled")
                                       : cli_fail_library(labels->opened.command, status, &error);
}

int cli_labels_score(struct cli_labels *labels, const char *text, size_t length)
{
    const int code = score_text(labels, text, length);
    for (size_t i = 0; i < labels->count && code < 0; i++) {
        labels->scores[i] = labels->results[i].score - labels->priors[i];
    }
    return code;
}

static int score_prior(struct cli_labels *labels)
{
    const int code = labels->options->prior ? score_text(labels, no_content, strlen(no_content)) : -1;
    for (size_t i = 0; i < labels->count && labels->options->prior && code < 0; i++) {
        labels->priors[i] = labels->results[i].score;
    }
    return code;
}

int cli_labels_open(struct cli_labels *labels, const char *command, const struct cli_model_options *model,
                    const struct cli_labels_options *options, const struct cli_score_options *score)
{
    *labels = (struct cli_labels){.options = options, .score = score, .opened = {.command = command}};
    if (options->labels == NULL) {
        return cli_fail_usage(command, "option '--labels' is needed: a file with one label a line");
    }
    int code = read_file(labels, options->labels);
    code = code < 0 ? check_labels(labels) : code;
    code = code < 0 ? cli_model_open(&labels->opened, command, model) : code;
    if (code < 0 && labels->opened.info.encoder) {
        code = cli_fail(command, "the model is an encoder, which has no next token: it cannot score labels; see 'slm embed'");
    }
    const int chat = labels->opened.info.has_chat_template && !options->raw;
    if (code < 0 && score->joint && chat) {
        code = cli_fail_usage(command, "--joint needs --raw: behind a chat template labels are tokenized alone");
    }
    code = code < 0 ? make_inputs(labels) : code;
    code = code < 0 ? cli_pool_open(&labels->opened, score, &labels->pool) : code;
    return code < 0 ? score_prior(labels) : code;
}

void cli_labels_close(struct cli_labels *labels)
{
    (void)slm_pool_destroy(labels->pool);
    cli_model_close(&labels->opened);
    cli_text_free(&labels->file);
    cli_text_free(&labels->endings);
    cli_text_free(&labels->listed);
    cli_text_free(&labels->filled);
    cli_ids_free(&labels->ids);
    free(labels->inputs);
    free(labels->names);
    free(labels->results);
    free(labels->priors);
    free(labels->scores);
}

/* FNV-1a, with a separator behind each part. */
static uint64_t mix(uint64_t hash, const char *text, size_t length)
{
    for (size_t i = 0; i <= length; i++) {
        hash = (hash ^ (i < length ? (unsigned char)text[i] : 0x1ffu)) * 0x100000001b3u;
    }
    return hash;
}

uint64_t cli_labels_key(const struct cli_labels *labels)
{
    const struct cli_labels_options *options = labels->options;
    const char *const parts[] = {options->prompt,
                                 options->prefix,
                                 options->suffix,
                                 options->raw ? "raw" : NULL,
                                 options->prior ? "prior" : NULL,
                                 labels->score->joint ? "joint" : NULL,
                                 labels->score->eos ? "eos" : NULL,
                                 labels->score->length ? "length" : NULL};
    uint64_t hash = mix(0xcbf29ce484222325u, labels->file.bytes, labels->file.length);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        hash = mix(hash, parts[i] != NULL ? parts[i] : "", parts[i] != NULL ? strlen(parts[i]) : 0);
    }
    return hash;
}
