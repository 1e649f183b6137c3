/* SPDX-License-Identifier: MIT */
/* slm classify: a label with its probability for every row of a CSV or JSON-lines file, in order, resumable. */
#include "examples/cli/commands.h" /* cli_command_classify */

#include "examples/cli/cli_calibration.h" /* cli_softmax, cli_calibration_read */
#include "examples/cli/cli_labels.h"      /* struct cli_labels */
#include "examples/cli/cli_output.h"      /* struct cli_output */
#include "examples/cli/cli_results.h"     /* cli_results_open */
#include "examples/cli/cli_rows.h"        /* struct cli_rows */
#include "examples/cli/cli_system.h"      /* cli_path_kind, cli_same_file */
#include "examples/cli/cli_terminal.h"    /* struct cli_progress */

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct classify_options {
    struct cli_model_options model;
    struct cli_labels_options labels;
    struct cli_score_options score;
    struct cli_rows_options rows;
    const char *out;
    const char *calibration;
    double temperature;
    double escalate;
    int32_t resume;
};

static const struct cli_option classify_rows[] = {
    {"--out", "-o", "FILE", "Where to write the rows with their labels; default: standard output.", CLI_STRING,
     offsetof(struct classify_options, out), 0, 0},
    {"--resume", NULL, NULL,
     "Go on where an interrupted run of the same command stopped; needs --out.\nRefused when its first row would come out otherwise now.",
     CLI_FLAG, offsetof(struct classify_options, resume), 0, 0},
    {"--escalate-below", NULL, "P", "Mark rows whose probability is below P: for a larger model, or a person.", CLI_NUMBER,
     offsetof(struct classify_options, escalate), 0, 1},
    {"--calibration", NULL, "FILE", "What 'slm calibrate' wrote; default: MODEL.calibration, if it is there.", CLI_STRING,
     offsetof(struct classify_options, calibration), 0, 0},
    {"--temperature", NULL, "T", "Divide scores by T instead of by the calibrated temperature.", CLI_NUMBER,
     offsetof(struct classify_options, temperature), 0.001, 1000},
};

static int run_classify(int argc, char **argv);

const struct cli_command cli_command_classify = {
    .name = "classify",
    .summary = "a label with its probability for every row of a file",
    .arguments = "-m FILE.slm --labels FILE (TEXT | --in F.csv [--out G.csv]) [OPTIONS]",
    .notes = "Each row is written as it was, with the label, its probability, the margin to the second, and the entropy in nats:\n"
             "columns predicted, probability, margin, entropy (and escalate) of a CSV file, the member \"prediction\" of a JSON object.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_ALL, offsetof(struct classify_options, model)},
               {cli_rows_rows, CLI_ROWS_ROWS, offsetof(struct classify_options, rows)},
               {classify_rows, sizeof classify_rows / sizeof classify_rows[0], 0},
               {cli_labels_rows, CLI_LABELS_ROWS, offsetof(struct classify_options, labels)},
               {cli_score_rows, CLI_SCORE_ROWS, offsetof(struct classify_options, score)}},
    .run = run_classify,
};

struct classify_work {
    const struct classify_options *options;
    struct cli_labels labels;
    struct cli_rows rows;
    struct cli_results results;
    double temperature;
    double *probabilities;
    struct cli_text header;
    struct cli_text line;
};

/* ---- one row */

struct verdict {
    size_t label;
    double probability, margin, entropy;
    int escalate;
};

static struct verdict judge(const struct classify_work *work)
{
    const double *p = work->probabilities;
    struct verdict verdict = {0, p[0], 0, 0, 0};
    double second = 0;
    for (size_t i = 1; i < work->labels.count; i++) {
        if (p[i] > verdict.probability) {
            second = verdict.probability;
            verdict.label = i;
            verdict.probability = p[i];
        } else if (p[i] > second) {
            second = p[i];
        }
    }
    for (size_t i = 0; i < work->labels.count; i++) {
        verdict.entropy -= p[i] > 0 ? p[i] * log(p[i]) : 0;
    }
    verdict.margin = verdict.probability - second;
    verdict.escalate = verdict.probability < work->options->escalate;
    return verdict;
}

/* {"label":…,"probability":…,…} */
static void add_object(struct classify_work *work, const struct verdict *verdict)
{
    const char *name = work->labels.names[verdict->label];
    const double numbers[] = {verdict->probability, verdict->margin, verdict->entropy};
    static const char *const keys[] = {",\"probability\":", ",\"margin\":", ",\"entropy\":"};
    cli_text_add_string(&work->line, "{\"label\":");
    cli_json_add_string(&work->line, name, strlen(name));
    for (int i = 0; i < 3; i++) {
        cli_text_add_string(&work->line, keys[i]);
        cli_json_add_number(&work->line, numbers[i]);
    }
    for (size_t i = 0; i < work->labels.count; i++) {
        cli_text_add_string(&work->line, i == 0 ? ",\"probabilities\":[" : ",");
        cli_json_add_number(&work->line, work->probabilities[i]);
    }
    cli_text_add_string(&work->line, "]");
    if (work->options->escalate > 0) {
        cli_text_add_string(&work->line, verdict->escalate ? ",\"escalate\":true" : ",\"escalate\":false");
    }
    cli_text_add_string(&work->line, "}");
}

static void add_fields(struct classify_work *work, const struct verdict *verdict)
{
    const char *name = work->labels.names[verdict->label];
    const double numbers[] = {verdict->probability, verdict->margin, verdict->entropy};
    cli_text_add_string(&work->line, ",");
    cli_csv_add(&work->line, name, strlen(name));
    for (int i = 0; i < 3; i++) {
        cli_text_add_string(&work->line, ",");
        cli_json_add_number(&work->line, numbers[i]);
    }
    if (work->options->escalate > 0) {
        cli_text_add_string(&work->line, verdict->escalate ? ",yes" : ",no");
    }
}

static int classify_text(struct classify_work *work, const char *text, size_t length, struct verdict *verdict)
{
    const int code = cli_labels_score(&work->labels, text, length);
    if (code < 0) {
        cli_softmax(work->labels.scores, work->labels.count, work->temperature, work->probabilities);
        *verdict = judge(work);
    }
    return code;
}

/* Bytes of the row that a line of results begins with. */
static struct cli_text kept_bytes(const struct classify_work *work)
{
    if (work->rows.is_csv) {
        return work->rows.csv.raw;
    }
    struct cli_text kept = work->rows.line;
    while (kept.length > 0 && kept.bytes[kept.length - 1] != '}') {
        kept.length--;
    }
    kept.length -= kept.length > 0 ? 1 : 0;
    return kept;
}

/* work->line: the row as it was, and the verdict. */
static void make_line(struct classify_work *work, const struct verdict *verdict)
{
    cli_text_clear(&work->line);
    if (work->rows.is_csv) {
        cli_text_add(&work->line, work->rows.csv.raw.bytes, work->rows.csv.raw.length);
        add_fields(work, verdict);
    } else {
        const struct cli_text kept = kept_bytes(work);
        cli_text_add(&work->line, kept.bytes, kept.length);
        cli_text_add_string(&work->line, ",\"prediction\":");
        add_object(work, verdict);
        cli_text_add_string(&work->line, "}");
    }
}

/* The result of an object is put beside its members. */
static int check_member(const struct classify_work *work)
{
    const struct cli_rows *rows = &work->rows;
    if (rows->is_csv || cli_json_member(&rows->json, rows->json.values, "prediction") == NULL) {
        return -1;
    }
    return cli_fail("classify", "the object has a member \"prediction\", as the results have: rename or remove it");
}

static int classify_row(struct classify_work *work)
{
    struct verdict verdict = {0};
    int code = check_member(work);
    code = code < 0 ? classify_text(work, work->rows.texts[0], work->rows.lengths[0], &verdict) : code;
    if (code >= 0) {
        cli_remark("classify", "note", "this was row %llu of %s", (unsigned long long)work->rows.number, work->rows.name);
        return code;
    }
    make_line(work, &verdict);
    cli_text_add_string(&work->line, "\n");
    return work->line.failed ? cli_fail_memory("classify") : cli_results_put(&work->results, &work->line);
}

/* ---- all rows */

/* Bytes of a result that a message shows: of an object without the probabilities of all labels. */
static int shown_bytes(const char *result)
{
    const char *end = strstr(result, ",\"margin\":");
    return (int)(end != NULL ? (size_t)(end - result) : strlen(result));
}

/* The first row comes out as the run before wrote it behind the `kept` bytes of the row, or model, labels, prompt or options are others
 * now. As was_done(). */
static int check_first(struct classify_work *work, const struct cli_text *row, size_t kept)
{
    struct verdict verdict = {0};
    if (classify_text(work, work->rows.texts[0], work->rows.lengths[0], &verdict) >= 0) {
        return -1;
    }
    make_line(work, &verdict);
    if (work->line.failed) {
        (void)cli_fail_memory("classify");
        return -1;
    }
    const char *before = row->bytes + kept + 1, *now = work->line.bytes + kept + 1;
    if (strcmp(before, now) != 0) {
        (void)cli_fail("classify",
                       "%s, row 1: it says %.*s, and would now be %.*s: model, labels, prompt or options are not those that it was written "
                       "with; give these, or another name with --out",
                       work->options->out, shown_bytes(before), before, shown_bytes(now), now);
        return -1;
    }
    return 1;
}

/* Whether the run before did the row: 1, 0, or -1 after a message: what is there belongs to other rows, or to another command. */
static int was_done(struct classify_work *work)
{
    const struct cli_text kept = kept_bytes(work), *row;
    const int whole = cli_results_next(&work->results, &row);
    const size_t common = row->length < kept.length ? row->length : kept.length;
    if ((whole && row->length <= kept.length) || (common > 0 && memcmp(row->bytes, kept.bytes, common) != 0)) {
        (void)cli_fail("classify", "%s, row %llu: it is not that of %s; --resume goes on with the results of the same rows only",
                       work->options->out, (unsigned long long)work->rows.number, work->rows.name);
        return -1;
    }
    if (whole && work->rows.number == 1) {
        return check_first(work, row, kept.length);
    }
    return whole || cli_results_cut(&work->results) < 0 ? whole : -1;
}

/* More results than rows. */
static int check_end(struct classify_work *work)
{
    const struct cli_text *row;
    if (cli_results_next(&work->results, &row) != 0) {
        return cli_fail("classify", "%s has more rows than %s; --resume goes on with the results of the same rows only", work->options->out,
                        work->rows.name);
    }
    return cli_results_cut(&work->results);
}

static int classify_rows_left(struct classify_work *work, struct cli_progress *progress)
{
    int got, code = -1;
    while (code < 0 && (got = cli_rows_next(&work->rows)) == 1) {
        const int done = work->results.resuming ? was_done(work) : 0;
        if (done != 0) {
            code = done > 0 ? -1 : CLI_FAILED;
            continue;
        }
        code = classify_row(work);
        if (code < 0 && work->rows.size > 0 &&
            cli_progress_update(progress, cli_rows_position(&work->rows), work->rows.size, "classify") != 0) {
            code = cli_fail("classify", "cancelled after row %llu%s", (unsigned long long)work->rows.number,
                            work->options->out != NULL ? "; the same command with --resume goes on" : "");
        }
    }
    if (code < 0 && got == 0 && work->results.resuming) {
        return check_end(work);
    }
    return code < 0 && got < 0 ? CLI_FAILED : code;
}

/* The header of a CSV file with the columns of results, which it must not have. */
static int make_header(struct classify_work *work)
{
    static const char *const names[] = {"predicted", "probability", "margin", "entropy", "escalate"};
    const struct cli_csv *csv = &work->rows.csv;
    size_t length = 0;
    cli_text_add(&work->header, csv->raw.bytes, csv->raw.length);
    for (int n = 0; n < (work->options->escalate > 0 ? 5 : 4); n++) {
        for (size_t i = 0; i < csv->count; i++) {
            if (strcmp(cli_csv_field(csv, i, &length), names[n]) == 0) {
                return cli_fail("classify", "%s: the header has a column '%s', as the results have: rename or remove it", work->rows.name,
                                names[n]);
            }
        }
        cli_text_add_string(&work->header, ",");
        cli_text_add_string(&work->header, names[n]);
    }
    cli_text_add_string(&work->header, "\n");
    return -1;
}

static int classify_file(struct classify_work *work)
{
    const struct classify_options *options = work->options;
    int code = cli_rows_open(&work->rows, "classify", &options->rows, NULL);
    code = code < 0 && work->rows.is_csv ? make_header(work) : code;
    code = code < 0 ? cli_results_open(&work->results, "classify", options->out, options->resume, work->rows.is_csv ? &work->header : NULL)
                    : code;
    if (code < 0) {
        struct cli_progress progress = cli_progress_begin();
        cli_signals_begin();
        code = classify_rows_left(work, &progress);
        cli_signals_end();
        cli_progress_end(&progress);
    }
    const int finished = cli_results_close(&work->results);
    return code >= 0 ? code : finished;
}

static int classify_argument(struct classify_work *work, const char *text)
{
    struct cli_output output = cli_output_stdout();
    struct verdict verdict = {0};
    int code = classify_text(work, text, strlen(text), &verdict);
    if (code < 0) {
        add_object(work, &verdict);
        cli_text_add_string(&work->line, "\n");
        (void)cli_put_text(&output, &work->line);
    }
    const int finished = cli_output_finish(&output, "classify");
    return code >= 0 ? code : finished;
}

/* The temperature that the options, or the file beside the model, say. */
static int find_temperature(struct classify_work *work)
{
    const struct classify_options *options = work->options;
    struct cli_calibration calibration;
    struct cli_text path = {0};
    work->temperature = options->temperature > 0 ? options->temperature : 1;
    if (options->temperature > 0 || (options->calibration == NULL && options->model.path == NULL)) {
        return -1;
    }
    cli_text_add_string(&path, options->calibration != NULL ? options->calibration : options->model.path);
    cli_text_add_string(&path, options->calibration != NULL ? "" : ".calibration");
    int code = path.failed ? cli_fail_memory("classify") : -1;
    const int wanted = code < 0 && (options->calibration != NULL || cli_path_kind(path.bytes) == CLI_PATH_FILE);
    code = wanted ? cli_calibration_read(&calibration, "classify", path.bytes) : code;
    if (wanted && code < 0 && calibration.key == cli_labels_key(&work->labels)) {
        work->temperature = calibration.temperature;
    } else if (wanted && code < 0) {
        cli_remark("classify", "note", "%s belongs to other labels, another prompt or other options: it is not used", path.bytes);
    }
    cli_text_free(&path);
    return code;
}

static int classify_with_options(const struct classify_options *options, const struct cli_strings *words)
{
    if (options->rows.in != NULL ? words->count > 0 : words->count != 1) {
        return cli_fail_usage("classify", options->rows.in != NULL ? "with --in there is no other argument"
                                                                   : "one text is expected (quote it), or --in FILE");
    }
    if ((options->resume && options->out == NULL) || (options->out != NULL && options->rows.in == NULL)) {
        return cli_fail_usage("classify", options->resume ? "--resume needs --out" : "--out needs --in");
    }
    if (options->out != NULL && cli_same_file(options->out, options->rows.in)) {
        return cli_fail_usage("classify", "the output %s is the input; give another", options->out);
    }
    struct classify_work work = {.options = options};
    int code = cli_labels_open(&work.labels, "classify", &options->model, &options->labels, &options->score);
    code = code < 0 ? find_temperature(&work) : code;
    work.probabilities = calloc(work.labels.count + 1, sizeof *work.probabilities);
    if (code < 0) {
        code = work.probabilities == NULL ? cli_fail_memory("classify")
               : options->rows.in != NULL ? classify_file(&work)
                                          : classify_argument(&work, words->items[0]);
    }
    cli_rows_close(&work.rows);
    cli_labels_close(&work.labels);
    cli_text_free(&work.header);
    cli_text_free(&work.line);
    free(work.probabilities);
    return code;
}

static int run_classify(int argc, char **argv)
{
    struct classify_options options = {0};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_classify, argc, argv, &options, &words);
    if (code < 0) {
        code = classify_with_options(&options, &words);
    }
    cli_strings_free(&words);
    cli_strings_free(&options.model.lora);
    return code;
}
