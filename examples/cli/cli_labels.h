/* SPDX-License-Identifier: MIT */
/* What score, classify and calibrate share: a model with a pool, a list of labels, the prompt that a text is put into, scores. */
#ifndef SLM_CLI_LABELS_H
#define SLM_CLI_LABELS_H

#include "examples/cli/cli_model.h"  /* struct cli_model */
#include "examples/cli/cli_prompt.h" /* struct cli_ids */

/* How labels are counted; rows of the options. */
struct cli_score_options {
    int64_t context;
    int32_t joint;
    int32_t eos;
    int32_t length;
};
extern const struct cli_option cli_score_rows[];
enum { CLI_SCORE_ROWS = 4 };

/* What a text is put into; rows of the options. */
struct cli_labels_options {
    const char *labels;
    const char *prompt;
    const char *prefix;
    const char *suffix;
    int32_t raw;
    int32_t prior;
};
extern const struct cli_option cli_labels_rows[];
enum { CLI_LABELS_ROWS = 6 };

struct cli_labels {
    const struct cli_labels_options *options;
    const struct cli_score_options *score;
    struct cli_model opened;
    slm_pool *pool;
    struct cli_text file;    /* the labels' names, a NUL behind each */
    struct cli_text endings; /* the same with the suffix: what is scored */
    struct cli_text listed;  /* "a, b, c" */
    slm_input *inputs;
    const char **names;
    size_t count;
    slm_label_score *results;
    double *priors;
    double *scores; /* of the last text */
    struct cli_text filled;
    struct cli_ids ids;
};

/* Each returns -1 to go on, or the exit code after a message. */
int cli_pool_open(const struct cli_model *opened, const struct cli_score_options *options, slm_pool **pool);
int cli_labels_open(struct cli_labels *labels, const char *command, const struct cli_model_options *model,
                    const struct cli_labels_options *options, const struct cli_score_options *score);
/* labels->scores of a text. */
int cli_labels_score(struct cli_labels *labels, const char *text, size_t length);
void cli_labels_close(struct cli_labels *labels);
/* The options of slm_score() that these make; adapters are those of --lora. */
slm_score_options cli_score_make(const struct cli_model *opened, const struct cli_score_options *options);
/* A number that changes with the labels, the prompt and how they are counted: what a calibration belongs to. */
uint64_t cli_labels_key(const struct cli_labels *labels);

#endif
