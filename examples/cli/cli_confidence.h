/* SPDX-License-Identifier: MIT */
/* How sure the model was of each value of a JSON answer: a table, or members of a JSON object. */
#ifndef SLM_CLI_CONFIDENCE_H
#define SLM_CLI_CONFIDENCE_H

#include "examples/cli/cli_answer.h" /* struct cli_answer */

struct cli_confidence {
    slm_answer_field *fields; /* fields[0] is the whole answer */
    char *paths;
    uint64_t count;
    uint64_t path_bytes;
};

/* Of a JSON answer. -1, or the exit code after a message; free it in any case. */
int cli_confidence_measure(struct cli_confidence *confidence, const struct cli_answer *answer);
/* The value that is not certain: the least probable one that holds no others. 0: there is none. */
uint64_t cli_confidence_weakest(const struct cli_confidence *confidence, const struct cli_answer *answer);
/* A line for each value that holds no others: path, value, probability, unconstrained. */
void cli_confidence_put(const struct cli_confidence *confidence, const struct cli_answer *answer, struct cli_output *output);
/* ,"fields":[{"path":...,"begin":...,"length":...,"probability":...,"probability_unconstrained":...}, ...] */
void cli_confidence_add_json(const struct cli_confidence *confidence, struct cli_text *line);
void cli_confidence_free(struct cli_confidence *confidence);

#endif
