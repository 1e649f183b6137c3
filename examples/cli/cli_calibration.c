/* SPDX-License-Identifier: MIT */
/* Temperature scaling: one number, by golden section over its logarithm, since the loss has one valley (see cli_calibration.h). */
#include "examples/cli/cli_calibration.h" /* struct cli_calibration */

#include "examples/cli/cli_input.h"      /* cli_input_read */
#include "examples/cli/cli_json.h"       /* struct cli_json */
#include "examples/cli/cli_output.h"     /* cli_fail */
#include "examples/cli/cli_system.h"     /* cli_path_kind, cli_file_open */
#include "examples/cli/cli_whole_file.h" /* struct cli_whole_file */

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 15, STEPS = 60 };

int cli_labelled_add(struct cli_labelled *labelled, const double *scores, size_t truth)
{
    if (labelled->rows == labelled->capacity) {
        const size_t grown = labelled->capacity == 0 ? 256 : 2 * labelled->capacity;
        double *more = realloc(labelled->scores, grown * labelled->labels * sizeof *more);
        labelled->scores = more != NULL ? more : labelled->scores;
        size_t *truths = more != NULL ? realloc(labelled->truths, grown * sizeof *truths) : NULL;
        if (truths == NULL) {
            return -1;
        }
        labelled->truths = truths;
        labelled->capacity = grown;
    }
    memcpy(labelled->scores + labelled->rows * labelled->labels, scores, labelled->labels * sizeof *scores);
    labelled->truths[labelled->rows++] = truth;
    return 0;
}

void cli_labelled_free(struct cli_labelled *labelled)
{
    free(labelled->scores);
    free(labelled->truths);
}

void cli_softmax(const double *scores, size_t count, double temperature, double *probabilities)
{
    double best = -HUGE_VAL, sum = 0;
    for (size_t i = 0; i < count; i++) {
        best = scores[i] > best ? scores[i] : best;
    }
    for (size_t i = 0; i < count; i++) {
        probabilities[i] = exp((scores[i] - best) / temperature);
        sum += probabilities[i];
    }
    for (size_t i = 0; i < count; i++) {
        probabilities[i] /= sum;
    }
}

/* Mean of -ln p(truth); what is below 1e-300 counts as that. */
static double mean_loss(const struct cli_labelled *labelled, double temperature, double *scratch)
{
    double loss = 0;
    for (size_t r = 0; r < labelled->rows; r++) {
        cli_softmax(labelled->scores + r * labelled->labels, labelled->labels, temperature, scratch);
        const double p = scratch[labelled->truths[r]];
        loss -= log(p > 1e-300 ? p : 1e-300);
    }
    return loss / (double)labelled->rows;
}

/* |accuracy - confidence| over bins of equal width, weighted by their rows. */
static double calibration_error(const struct cli_labelled *labelled, double temperature, double *scratch, double *accuracy)
{
    double confidence[BINS] = {0}, hits[BINS] = {0}, error = 0, right = 0;
    for (size_t r = 0; r < labelled->rows; r++) {
        size_t best = 0;
        cli_softmax(labelled->scores + r * labelled->labels, labelled->labels, temperature, scratch);
        for (size_t i = 1; i < labelled->labels; i++) {
            best = scratch[i] > scratch[best] ? i : best;
        }
        const int bin = scratch[best] >= 1 ? BINS - 1 : (int)(scratch[best] * BINS);
        confidence[bin] += scratch[best];
        hits[bin] += best == labelled->truths[r];
        right += best == labelled->truths[r];
    }
    for (int b = 0; b < BINS; b++) {
        error += fabs(hits[b] - confidence[b]);
    }
    *accuracy = right / (double)labelled->rows;
    return error / (double)labelled->rows;
}

void cli_calibration_fit(struct cli_calibration *calibration, const struct cli_labelled *labelled)
{
    const double ratio = (sqrt(5) - 1) / 2;
    double low = log(0.02), high = log(50), *scratch = calloc(labelled->labels, sizeof *scratch);
    calibration->temperature = 1;
    if (scratch == NULL || labelled->rows == 0) {
        free(scratch);
        return;
    }
    double a = high - ratio * (high - low), b = low + ratio * (high - low);
    double at_a = mean_loss(labelled, exp(a), scratch), at_b = mean_loss(labelled, exp(b), scratch);
    for (int step = 0; step < STEPS; step++) {
        if (at_a <= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - ratio * (high - low);
            at_a = mean_loss(labelled, exp(a), scratch);
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + ratio * (high - low);
            at_b = mean_loss(labelled, exp(b), scratch);
        }
    }
    calibration->temperature = exp((low + high) / 2);
    calibration->rows = labelled->rows;
    for (int after = 0; after < 2; after++) {
        const double temperature = after ? calibration->temperature : 1;
        calibration->loss[after] = mean_loss(labelled, temperature, scratch);
        calibration->error[after] = calibration_error(labelled, temperature, scratch, &calibration->accuracy);
    }
    free(scratch);
}

/* ---- the file */

int cli_calibration_read(struct cli_calibration *calibration, const char *command, const char *path)
{
    struct cli_text text = {0};
    struct cli_json json = {0};
    int code = cli_input_read(command, path, "the file of a calibration", &text);
    if (code < 0) {
        const int parsed = cli_json_parse(&json, text.bytes, text.length) == 0 && json.values[0].kind == CLI_JSON_OBJECT;
        const struct cli_json_value *temperature = parsed ? cli_json_member(&json, json.values, "temperature") : NULL;
        const struct cli_json_value *key = parsed ? cli_json_member(&json, json.values, "key") : NULL;
        *calibration = (struct cli_calibration){0};
        if (temperature != NULL && temperature->kind == CLI_JSON_NUMBER) {
            calibration->temperature = strtod(temperature->text, NULL);
        }
        if (key != NULL && key->kind == CLI_JSON_STRING && key->length == 16) {
            calibration->key = strtoull(key->text, NULL, 16);
        }
        const int sound = calibration->temperature > 0 && calibration->temperature < 1e6 && calibration->key != 0;
        code = sound ? -1 : cli_fail(command, "%s is no calibration", path);
    }
    cli_json_free(&json);
    cli_text_free(&text);
    return code;
}

int cli_calibration_may_replace(const char *path)
{
    static const char begin[] = "{\"temperature\":";
    char bytes[sizeof begin - 1];
    FILE *file = cli_path_kind(path) == CLI_PATH_FILE ? cli_file_open(path, "rb") : NULL;
    if (file == NULL) {
        return 1;
    }
    const size_t length = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    return length == 0 || (length == sizeof bytes && memcmp(bytes, begin, sizeof bytes) == 0);
}

int cli_calibration_write(const struct cli_calibration *calibration, const char *path)
{
    struct cli_whole_file whole;
    if (cli_whole_create(&whole, path) != 0) {
        return -1;
    }
    if (fprintf(whole.file,
                "{\"temperature\":%.9g,\"key\":\"%016llx\",\"rows\":%llu,\"accuracy\":%.6g,\"loss_before\":%.6g,\"loss_after\":%.6g,"
                "\"calibration_error_before\":%.6g,\"calibration_error_after\":%.6g}\n",
                calibration->temperature, (unsigned long long)calibration->key, (unsigned long long)calibration->rows,
                calibration->accuracy, calibration->loss[0], calibration->loss[1], calibration->error[0], calibration->error[1]) < 0) {
        cli_whole_abandon(&whole);
        return -1;
    }
    return cli_whole_finish(&whole);
}
