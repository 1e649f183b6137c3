/* SPDX-License-Identifier: MIT */
/* slm calibrate: from rows whose labels are known, the temperature that makes the probabilities of 'slm classify' honest. */
#include "examples/cli/commands.h" /* cli_command_calibrate */

#include "examples/cli/cli_calibration.h" /* cli_calibration_fit */
#include "examples/cli/cli_labels.h"      /* struct cli_labels */
#include "examples/cli/cli_output.h"      /* struct cli_output */
#include "examples/cli/cli_rows.h"        /* struct cli_rows */
#include "examples/cli/cli_terminal.h"    /* struct cli_progress */

#include <errno.h>
#include <string.h>

struct calibrate_options {
    struct cli_model_options model;
    struct cli_labels_options labels;
    struct cli_score_options score;
    struct cli_rows_options rows;
    const char *out;
    const char *label_column;
    int32_t json;
};

static const struct cli_option calibrate_rows[] = {
    {"--out", "-o", "FILE", "Where to write the calibration; default: MODEL.calibration.", CLI_STRING,
     offsetof(struct calibrate_options, out), 0, 0},
    {"--label-column", NULL, "NAME", "Column or member with the label; default label.", CLI_STRING,
     offsetof(struct calibrate_options, label_column), 0, 0},
    {"--json", NULL, NULL, "Print the calibration as one JSON object.", CLI_FLAG, offsetof(struct calibrate_options, json), 0, 0},
};

static int run_calibrate(int argc, char **argv);

const struct cli_command cli_command_calibrate = {
    .name = "calibrate",
    .summary = "make the probabilities of classify honest, from labelled rows",
    .arguments = "-m FILE.slm --labels FILE --in F.csv [OPTIONS]",
    .notes =
        "Finds the temperature with the least negative log-likelihood and writes it beside the model, where 'slm classify' with the same\n"
        "labels, prompt and options reads it. Prints accuracy, log-likelihood and expected calibration error (15 bins) before and after.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_ALL, offsetof(struct calibrate_options, model)},
               {cli_rows_rows, CLI_ROWS_ROWS, offsetof(struct calibrate_options, rows)},
               {calibrate_rows, sizeof calibrate_rows / sizeof calibrate_rows[0], 0},
               {cli_labels_rows, CLI_LABELS_ROWS, offsetof(struct calibrate_options, labels)},
               {cli_score_rows, CLI_SCORE_ROWS, offsetof(struct calibrate_options, score)}},
    .run = run_calibrate,
};

struct calibrate_work {
    const struct calibrate_options *options;
    struct cli_labels labels;
    struct cli_rows rows;
    struct cli_labelled labelled;
    struct cli_text path; /* of the calibration */
};

/* Where the calibration will be written; nothing else may be there. */
static int choose_path(struct calibrate_work *work)
{
    const char *out = work->options->out;
    cli_text_add_string(&work->path, out != NULL ? out : work->options->model.path);
    cli_text_add_string(&work->path, out != NULL ? "" : ".calibration");
    if (work->path.failed) {
        return cli_fail_memory("calibrate");
    }
    return cli_calibration_may_replace(work->path.bytes)
               ? -1
               : cli_fail("calibrate", "%s exists and is no calibration: remove it, or give another name", work->path.bytes);
}

static int take_row(struct calibrate_work *work)
{
    const struct cli_rows *rows = &work->rows;
    size_t truth = 0;
    while (truth < work->labels.count && (strlen(work->labels.names[truth]) != rows->lengths[1] ||
                                          memcmp(work->labels.names[truth], rows->texts[1], rows->lengths[1]) != 0)) {
        truth++;
    }
    if (truth == work->labels.count) {
        return cli_fail("calibrate", "%s, row %llu: '%.*s' is none of the labels", rows->name, (unsigned long long)rows->number,
                        (int)(rows->lengths[1] < 80 ? rows->lengths[1] : 80), rows->texts[1]);
    }
    const int code = cli_labels_score(&work->labels, rows->texts[0], rows->lengths[0]);
    if (code >= 0) {
        cli_remark("calibrate", "note", "this was row %llu of %s", (unsigned long long)rows->number, rows->name);
        return code;
    }
    return cli_labelled_add(&work->labelled, work->labels.scores, truth) == 0 ? -1 : cli_fail_memory("calibrate");
}

static int take_rows(struct calibrate_work *work)
{
    struct cli_progress progress = cli_progress_begin();
    int got = 0, code = -1;
    cli_signals_begin();
    while (code < 0 && (got = cli_rows_next(&work->rows)) == 1) {
        code = take_row(work);
        if (code < 0 && work->rows.size > 0 &&
            cli_progress_update(&progress, cli_rows_position(&work->rows), work->rows.size, "calibrate") != 0) {
            code = cli_fail("calibrate", "cancelled");
        }
    }
    cli_signals_end();
    cli_progress_end(&progress);
    if (code < 0 && got == 0 && work->labelled.rows == 0) {
        return cli_fail("calibrate", "%s has no rows", work->rows.name);
    }
    return code < 0 && got < 0 ? CLI_FAILED : code;
}

static int put_calibration(const struct calibrate_work *work, const struct cli_calibration *c)
{
    struct cli_output output = cli_output_stdout();
    const char *path = work->path.bytes;
    int code = cli_calibration_write(c, path) == 0 ? -1 : cli_fail("calibrate", "%s: %s", path, strerror(errno));
    if (code < 0 && work->options->json) {
        (void)cli_put_format(&output,
                             "{\"temperature\":%.9g,\"rows\":%llu,\"accuracy\":%.6g,\"loss_before\":%.6g,\"loss_after\":%.6g,"
                             "\"calibration_error_before\":%.6g,\"calibration_error_after\":%.6g}\n",
                             c->temperature, (unsigned long long)c->rows, c->accuracy, c->loss[0], c->loss[1], c->error[0], c->error[1]);
    } else if (code < 0) {
        (void)cli_put_format(&output,
                             "%s: temperature %.4f from %llu rows\naccuracy                    %.4f\n"
                             "negative log-likelihood     %.4f before, %.4f after\nexpected calibration error  %.4f before, %.4f after\n",
                             path, c->temperature, (unsigned long long)c->rows, c->accuracy, c->loss[0], c->loss[1], c->error[0],
                             c->error[1]);
    }
    const int finished = cli_output_finish(&output, "calibrate");
    return code >= 0 ? code : finished;
}

static int calibrate_with_options(const struct calibrate_options *options, const struct cli_strings *words)
{
    if (words->count > 0 || options->rows.in == NULL) {
        return cli_fail_usage("calibrate",
                              words->count > 0 ? "no argument is expected" : "option '--in' is needed: a file with labelled rows");
    }
    if (options->out == NULL && options->model.path == NULL) {
        return cli_fail_usage("calibrate", "the demonstration model has no file to write beside: give --out");
    }
    struct calibrate_work work = {.options = options};
    int code = choose_path(&work);
    code = code < 0 ? cli_labels_open(&work.labels, "calibrate", &options->model, &options->labels, &options->score) : code;
    work.labelled.labels = work.labels.count;
    code = code < 0 ? cli_rows_open(&work.rows, "calibrate", &options->rows, options->label_column) : code;
    code = code < 0 ? take_rows(&work) : code;
    if (code < 0) {
        struct cli_calibration calibration = {.key = cli_labels_key(&work.labels)};
        cli_calibration_fit(&calibration, &work.labelled);
        code = put_calibration(&work, &calibration);
    }
    cli_text_free(&work.path);
    cli_labelled_free(&work.labelled);
    cli_rows_close(&work.rows);
    cli_labels_close(&work.labels);
    return code;
}

static int run_calibrate(int argc, char **argv)
{
    struct calibrate_options options = {.label_column = "label"};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_calibrate, argc, argv, &options, &words);
    if (code < 0) {
        code = calibrate_with_options(&options, &words);
    }
    cli_strings_free(&words);
    cli_strings_free(&options.model.lora);
    return code;
}
