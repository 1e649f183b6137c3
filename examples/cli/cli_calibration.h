/* SPDX-License-Identifier: MIT */
/* The temperature that makes probabilities of labels honest: fitting it, measuring it, and the small file beside the model. */
#ifndef SLM_CLI_CALIBRATION_H
#define SLM_CLI_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

struct cli_calibration {
    double temperature;
    uint64_t key; /* cli_labels_key() */
    uint64_t rows;
    double loss[2];  /* mean negative log-likelihood before and after */
    double error[2]; /* expected calibration error before and after */
    double accuracy;
};

/* Scores of many texts and the label that each has. */
struct cli_labelled {
    double *scores; /* [rows][labels] */
    size_t *truths;
    size_t rows, capacity, labels;
};

/* Add a row; 0, or -1 without memory. */
int cli_labelled_add(struct cli_labelled *labelled, const double *scores, size_t truth);
void cli_labelled_free(struct cli_labelled *labelled);
/* Softmax of scores / temperature. */
void cli_softmax(const double *scores, size_t count, double temperature, double *probabilities);
/* The temperature with the least negative log-likelihood, and what it changes. key stays. */
void cli_calibration_fit(struct cli_calibration *calibration, const struct cli_labelled *labelled);

/* -1 to go on, or the exit code after a message. */
int cli_calibration_read(struct cli_calibration *calibration, const char *command, const char *path);
/* Whether nothing is lost when a calibration is written there: no file, a calibration, an empty file, a device. */
int cli_calibration_may_replace(const char *path);
/* 0, or -1: errno says why. */
int cli_calibration_write(const struct cli_calibration *calibration, const char *path);

#endif
