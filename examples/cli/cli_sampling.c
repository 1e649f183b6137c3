/* SPDX-License-Identifier: MIT */
/* Sampling options (see cli_sampling.h). */
#include "examples/cli/cli_sampling.h" /* struct cli_sampling */

#include "examples/cli/cli_output.h" /* cli_fail_usage, cli_fail_memory */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct cli_option cli_sampling_rows[CLI_SAMPLING_ROWS] = {
    {"--temp", NULL, "T", "Temperature; 0: always the most likely token.", CLI_NUMBER, offsetof(struct cli_sampling_options, temperature),
     0, 100},
    {"--top-k", NULL, "K", "Draw from the K most likely tokens; 0: from all.", CLI_INTEGER, offsetof(struct cli_sampling_options, top_k), 0,
     1e9},
    {"--top-p", NULL, "P", "Draw from the fewest tokens that have probability P together.", CLI_NUMBER,
     offsetof(struct cli_sampling_options, top_p), 0, 1},
    {"--min-p", NULL, "P", "Drop tokens less likely than P times the most likely one.", CLI_NUMBER,
     offsetof(struct cli_sampling_options, min_p), 0, 1},
    {"--repeat-penalty", NULL, "X", "Divide the logits of tokens seen by X; 1: off.", CLI_NUMBER,
     offsetof(struct cli_sampling_options, repeat_penalty), 0, 100},
    {"--frequency-penalty", NULL, "X", "Subtract X for each time a token was seen.", CLI_NUMBER,
     offsetof(struct cli_sampling_options, frequency_penalty), -100, 100},
    {"--presence-penalty", NULL, "X", "Subtract X once when a token was seen.", CLI_NUMBER,
     offsetof(struct cli_sampling_options, presence_penalty), -100, 100},
    {"--seed", NULL, "N", "Seed of the draws; the same seed gives the same tokens. Default 0.", CLI_U64,
     offsetof(struct cli_sampling_options, seed), 0, 0},
    {"--stop", NULL, "TEXT", "Stop before this text; may be given 16 times.", CLI_STRINGS, offsetof(struct cli_sampling_options, stop), 0,
     0},
    {"--logit-bias", NULL, "ID=V", "Add V to the logit of token ID; -inf forbids it. May be repeated.", CLI_STRINGS,
     offsetof(struct cli_sampling_options, bias), 0, 0},
};

struct cli_sampling_options cli_sampling_defaults(void)
{
    return (struct cli_sampling_options){.temperature = -1, .top_p = -1, .min_p = -1, .repeat_penalty = -1, .top_k = -1};
}

static void fill_numbers(slm_sampling *sampling, const struct cli_sampling_options *options, const slm_model_info *defaults)
{
    if (defaults != NULL) {
        sampling->temperature = defaults->default_temperature;
        sampling->top_p = defaults->default_top_p;
        sampling->top_k = defaults->default_top_k;
        sampling->repetition_penalty = defaults->default_repetition_penalty;
    }
    if (options->temperature >= 0) {
        sampling->temperature = (float)options->temperature;
    }
    if (options->top_p >= 0) {
        sampling->top_p = (float)options->top_p;
    }
    if (options->min_p >= 0) {
        sampling->min_p = (float)options->min_p;
    }
    if (options->repeat_penalty >= 0) {
        sampling->repetition_penalty = (float)options->repeat_penalty;
    }
    if (options->top_k >= 0) {
        sampling->top_k = (uint32_t)options->top_k;
    }
    sampling->frequency_penalty = (float)options->frequency_penalty;
    sampling->presence_penalty = (float)options->presence_penalty;
    sampling->seed = options->seed;
}

/* "ID=V" */
static int parse_bias(const char *text, slm_logit_bias *bias)
{
    char *end = NULL;
    errno = 0;
    const long token = strtol(text, &end, 10);
    if (end == text || *end != '=' || token < 0 || token > INT32_MAX || errno != 0) {
        return -1;
    }
    const char *value = end + 1;
    bias->token = (int32_t)token;
    bias->bias = (float)strtod(value, &end);
    return end == value || *end != '\0' || bias->bias != bias->bias ? -1 : 0;
}

int cli_sampling_check(const char *command, const struct cli_sampling_options *options)
{
    for (size_t i = 0; i < options->bias.count; i++) {
        slm_logit_bias bias;
        if (parse_bias(options->bias.items[i], &bias) != 0) {
            return cli_fail_usage(command, "option '--logit-bias' takes ID=VALUE, not '%s'", options->bias.items[i]);
        }
    }
    return -1;
}

int cli_sampling_make(struct cli_sampling *made, const char *command, struct cli_sampling_options *options, const slm_model_info *defaults)
{
    *made = (struct cli_sampling){.sampling = {.struct_size = sizeof(slm_sampling)}};
    fill_numbers(&made->sampling, options, defaults);
    made->bias = calloc(options->bias.count + 1, sizeof *made->bias);
    made->stop = calloc(options->stop.count + 1, sizeof *made->stop);
    if (made->bias == NULL || made->stop == NULL) {
        return cli_fail_memory(command);
    }
    for (size_t i = 0; i < options->bias.count; i++) {
        (void)parse_bias(options->bias.items[i], &made->bias[i]); /* checked before */
    }
    for (size_t i = 0; i < options->stop.count; i++) {
        made->stop[i] = (slm_string){options->stop.items[i], strlen(options->stop.items[i])};
    }
    made->sampling.bias = options->bias.count > 0 ? made->bias : NULL;
    made->sampling.bias_count = options->bias.count;
    return -1;
}

void cli_sampling_free(struct cli_sampling *made, struct cli_sampling_options *options)
{
    free(made->bias);
    free(made->stop);
    cli_strings_free(&options->stop);
    cli_strings_free(&options->bias);
}
