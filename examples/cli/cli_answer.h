/* SPDX-License-Identifier: MIT */
/* One answer of the model: prompt in, tokens out, streamed and timed. What run and chat share. */
#ifndef SLM_CLI_ANSWER_H
#define SLM_CLI_ANSWER_H

#include "examples/cli/cli_output.h" /* struct cli_output */
#include "examples/cli/cli_prompt.h" /* struct cli_ids */

struct cli_images;

/* What the model thought of one token: `count` alternatives follow it. */
struct cli_logprob {
    slm_token_logprob token;
    uint32_t count;
};

struct cli_answer {
    const struct cli_images *images; /* what image tokens of the prompt stand for; NULL: there are none */
    const slm_model_info *info;      /* with images */
    struct cli_ids ids;              /* the new tokens, the eos token included */
    struct cli_text text;
    struct cli_text logprobs; /* struct cli_logprob and its slm_token_logprob for each token of sessions with top_logprobs */
    struct cli_text tokens;   /* struct slm_token of each token, for slm_answer_fields() */
    int32_t stop;             /* SLM_STOP_... */
    uint64_t prefilled;       /* tokens that were appended */
    double prefill_seconds;
    double first_seconds; /* from the start to the first token */
    double later_seconds; /* from the first token to the last */
};

/* Append `count` ids to the session and generate until a stop; text goes to `stream` (NULL: not at all) as it becomes certain.
 * A signal ends it with SLM_STOP_CANCELLED. Whatever is returned, the answer so far is in `answer`, which the caller frees. */
slm_status cli_answer_generate(struct cli_answer *answer, slm_session *session, const int32_t *ids, size_t count, struct cli_output *stream,
                               slm_error *error);
void cli_answer_free(struct cli_answer *answer);

/* "eos", "length", "stop", "context", "cancelled", "grammar" */
const char *cli_stop_name(int32_t stop);
/* Tokens per second of prompt and answer; 0 when there is nothing to measure. */
double cli_answer_prefill_rate(const struct cli_answer *answer);
double cli_answer_decode_rate(const struct cli_answer *answer);

#endif
