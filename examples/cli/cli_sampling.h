/* SPDX-License-Identifier: MIT */
/* The sampling options of run and chat, and the slm_sampling that they make. */
#ifndef SLM_CLI_SAMPLING_H
#define SLM_CLI_SAMPLING_H

#include "examples/cli/cli_options.h" /* struct cli_option, struct cli_strings */

#include <slm.h>

struct cli_sampling_options {
    double temperature; /* these five: below 0 when not given */
    double top_p;
    double min_p;
    double repeat_penalty;
    int64_t top_k;
    double frequency_penalty;
    double presence_penalty;
    uint64_t seed;
    struct cli_strings stop;
    struct cli_strings bias; /* "ID=V" */
};

extern const struct cli_option cli_sampling_rows[];
enum { CLI_SAMPLING_ROWS = 10 };

struct cli_sampling {
    slm_sampling sampling;
    slm_logit_bias *bias; /* both freed by cli_sampling_free() */
    slm_string *stop;
};

/* The values before the options are read. */
struct cli_sampling_options cli_sampling_defaults(void);
/* What can be wrong with the options, before a model is opened: -1, or an exit code with a message. */
int cli_sampling_check(const char *command, const struct cli_sampling_options *options);
/* From options that were checked. `defaults`: the checkpoint's sampling for what no option says, or NULL for greedy. -1, or an exit code
 * with a message. */
int cli_sampling_make(struct cli_sampling *made, const char *command, struct cli_sampling_options *options, const slm_model_info *defaults);
void cli_sampling_free(struct cli_sampling *made, struct cli_sampling_options *options);

#endif
