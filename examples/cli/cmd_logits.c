/* SPDX-License-Identifier: MIT */
/* slm logits: the logits and hidden states of every position of a sequence of token ids, as a safetensors file. */
#include "examples/cli/commands.h" /* cli_command_logits */

#include "examples/cli/cli_model.h"       /* cli_model_open */
#include "examples/cli/cli_output.h"      /* cli_fail_library */
#include "examples/cli/cli_safetensors.h" /* struct cli_safetensors_writer */
#include "examples/cli/cli_system.h"      /* cli_same_file */
#include "examples/cli/cli_terminal.h"    /* struct cli_progress */

#include <stdlib.h>

struct logits_options {
    struct cli_model_options model;
    const char *ids;
    const char *output;
    int64_t chunk;
};

static const struct cli_option logits_rows[] = {
    {"--ids", NULL, "FILE",
     "A safetensors file with input_ids (int32 [n]) and, where ids stand for\nimages, pixel_values (f32 [images, 3, size, size]).",
     CLI_STRING, offsetof(struct logits_options, ids), 0, 0},
    {"--output", "-o", "FILE", "Where to write logits (f32 [n, vocab]) and hidden (f32 [n, hidden_size]).", CLI_STRING,
     offsetof(struct logits_options, output), 0, 0},
    {"--chunk", NULL, "N", "Tokens of one append; the result does not depend on it. Default 64.", CLI_INTEGER,
     offsetof(struct logits_options, chunk), 1, 65536},
};

static int run_logits(int argc, char **argv);

const struct cli_command cli_command_logits = {
    .name = "logits",
    .summary = "logits and hidden states of a sequence of token ids",
    .arguments = "-m FILE.slm --ids IN.safetensors -o OUT.safetensors [OPTIONS]",
    .notes = "hidden is the input of the output head. The file is written row by row, so its size is limited by the disk only.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_ALL, offsetof(struct logits_options, model)},
               {logits_rows, sizeof logits_rows / sizeof logits_rows[0], 0}},
    .run = run_logits,
};

struct logits_work {
    struct cli_model opened;
    slm_session *session;
    struct cli_safetensors_writer writer;
    int32_t *ids;
    size_t count;
    float *pixels; /* [images][3][image_size][image_size]; NULL: no id stands for an image */
    size_t pixel_count;
    size_t images; /* appended */
    size_t chunk;
    float *logits; /* [chunk, vocab] */
    float *hidden; /* [chunk, hidden_size] */
};

static int open_session(struct logits_work *work)
{
    const slm_session_options options = {
        .struct_size = sizeof options,
        .context = (uint32_t)work->count,
        .kv_type = work->opened.kv_type,
        .batch = (uint32_t)work->chunk,
        .adapter_rank = work->opened.adapter_rank,
    };
    slm_error error = cli_error_empty();
    const slm_status status = slm_session_create(work->opened.model, NULL, &options, &work->session, &error);
    return status == SLM_OK ? cli_model_adapt(&work->opened, work->session) : cli_fail_library("logits", status, &error);
}

/* Ids from `first` on that one append takes: all of an image, or text up to the next one and the chunk. */
static size_t rows_from(const struct logits_work *work, size_t first)
{
    const slm_model_info *info = &work->opened.info;
    const size_t left = work->count - first;
    size_t rows = 0;
    if (info->image_tokens > 0 && work->ids[first] == info->image_token) {
        return left < info->image_tokens ? left : info->image_tokens;
    }
    while (rows < work->chunk && rows < left && (info->image_tokens == 0 || work->ids[first + rows] != info->image_token)) {
        rows++;
    }
    return rows;
}

/* The next image in place of its tokens. */
static slm_status append_image(struct logits_work *work, const slm_append_options *append, slm_error *error)
{
    const uint32_t size = work->opened.info.image_size;
    const size_t values = (size_t)3 * size * size;
    const slm_image image = {.struct_size = sizeof image,
                             .format = SLM_IMAGE_VALUES,
                             .width = size,
                             .height = size,
                             .pixels = work->pixels + work->images++ * values,
                             .pixel_bytes = values * sizeof(float)};
    return slm_session_append_image(work->session, &image, append, error);
}

/* Append chunk after chunk and write its rows. */
static int compute_rows(struct logits_work *work, struct cli_progress *progress)
{
    const uint64_t vocab = work->opened.info.vocab_size;
    const uint64_t width = work->opened.info.hidden_size;
    char message[512];
    for (size_t first = 0, rows = 0; first < work->count; first += rows) {
        rows = rows_from(work, first);
        const slm_append_options append = {
            .struct_size = sizeof append,
            .logits = work->logits,
            .logits_capacity = work->chunk * vocab,
            .hidden = work->hidden,
            .hidden_capacity = work->chunk * width,
        };
        slm_error error = cli_error_empty();
        const int sees = work->pixels != NULL && work->ids[first] == work->opened.info.image_token;
        const slm_status status =
            sees ? append_image(work, &append, &error) : slm_session_append(work->session, work->ids + first, rows, &append, &error);
        if (status != SLM_OK) {
            return cli_fail_library("logits", status, &error);
        }
        if (cli_safetensors_put_rows(&work->writer, 0, first, rows, work->logits, message, sizeof message) != 0 ||
            cli_safetensors_put_rows(&work->writer, 1, first, rows, work->hidden, message, sizeof message) != 0) {
            return cli_fail("logits", "%s", message);
        }
        if (cli_progress_update(progress, first + rows, work->count, "logits") != 0) {
            return cli_fail("logits", "cancelled");
        }
    }
    return -1;
}

/* Signals are caught from before the file exists until it is complete or gone. */
static int write_file(struct logits_work *work, const char *path)
{
    static const char *const names[] = {"logits", "hidden"};
    const uint64_t columns[] = {work->opened.info.vocab_size, work->opened.info.hidden_size};
    char message[512];
    cli_signals_begin();
    if (cli_safetensors_create(&work->writer, path, names, columns, 2, work->count, message, sizeof message) != 0) {
        return cli_fail("logits", "%s", message);
    }
    struct cli_progress progress = cli_progress_begin();
    cli_signals_watch(work->session);
    int code = compute_rows(work, &progress);
    cli_progress_end(&progress);
    if (code >= 0) {
        cli_safetensors_abandon(&work->writer);
    } else if (cli_safetensors_finish(&work->writer, message, sizeof message) != 0) {
        code = cli_fail("logits", "%s", message);
    }
    cli_signals_end();
    return code < 0 ? CLI_OK : code;
}

/* pixel_values, where ids stand for images. -1, or an exit code. */
static int read_pixels(struct logits_work *work, const char *path)
{
    const slm_model_info *info = &work->opened.info;
    const size_t values = (size_t)3 * info->image_size * info->image_size;
    void *pixels = NULL;
    size_t places = 0;
    for (size_t i = 0; info->image_tokens > 0 && i < work->count; i++) {
        places += work->ids[i] == info->image_token;
    }
    if (places == 0) {
        return -1;
    }
    const int code = cli_safetensors_read("logits", path, "pixel_values", "F32", &pixels, &work->pixel_count);
    if (code >= 0) {
        return code;
    }
    work->pixels = pixels;
    if (places % info->image_tokens != 0 || work->pixel_count != places / info->image_tokens * values) {
        return cli_fail("logits", "%s: %zu of input_ids stand for images of %u tokens; pixel_values has %zu values, %zu an image", path,
                        places, info->image_tokens, work->pixel_count, values);
    }
    return -1;
}

static int compute(struct logits_work *work, const struct logits_options *options)
{
    void *values = NULL;
    int code = cli_safetensors_read("logits", options->ids, "input_ids", "I32", &values, &work->count);
    if (code >= 0) {
        return code;
    }
    work->ids = values;
    if (work->count == 0) {
        return cli_fail("logits", "%s: input_ids is empty; give at least one token id", options->ids);
    }
    code = read_pixels(work, options->ids);
    if (code >= 0) {
        return code;
    }
    work->chunk = (size_t)options->chunk < work->count ? (size_t)options->chunk : work->count;
    work->chunk = work->chunk < work->opened.info.image_tokens ? work->opened.info.image_tokens : work->chunk;
    work->logits = calloc(work->chunk, work->opened.info.vocab_size * sizeof *work->logits);
    work->hidden = calloc(work->chunk, work->opened.info.hidden_size * sizeof *work->hidden);
    if (work->logits == NULL || work->hidden == NULL) {
        return cli_fail_memory("logits");
    }
    const int opened = open_session(work);
    return opened < 0 ? write_file(work, options->output) : opened;
}

static int run_logits(int argc, char **argv)
{
    struct logits_options options = {.chunk = 64};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_logits, argc, argv, &options, &words);
    if (code < 0 && (words.count > 0 || options.ids == NULL || options.output == NULL)) {
        code = words.count > 0 ? cli_fail_usage("logits", "no argument is expected, but there is '%s'", words.items[0])
                               : cli_fail_usage("logits", "option '%s' is needed", options.ids == NULL ? "--ids" : "-o");
    }
    if (code < 0 && (cli_same_file(options.output, options.ids) || cli_same_file(options.output, options.model.path))) {
        code = cli_fail_usage("logits", "the output %s is the file that %s reads; give another", options.output,
                              cli_same_file(options.output, options.ids) ? "--ids" : "-m");
    }
    if (code < 0) {
        struct logits_work work = {0};
        code = cli_model_open(&work.opened, "logits", &options.model);
        if (code < 0) {
            code = compute(&work, &options);
        }
        (void)slm_session_destroy(work.session);
        cli_model_close(&work.opened);
        free(work.ids);
        free(work.pixels);
        free(work.logits);
        free(work.hidden);
    }
    cli_strings_free(&words);
    cli_strings_free(&options.model.lora);
    return code;
}
