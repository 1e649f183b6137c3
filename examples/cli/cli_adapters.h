/* SPDX-License-Identifier: MIT */
/* --lora ADAPTER or ADAPTER=WEIGHT: paths and weights as the library takes them. */
#ifndef SLM_CLI_ADAPTERS_H
#define SLM_CLI_ADAPTERS_H

#include <slm.h>

#include "examples/cli/cli_options.h" /* struct cli_strings */

struct cli_adapters {
    slm_string *paths;
    float *weights;
    uint64_t count;
};

/* Reads the words of --lora. What follows the last "=" is the weight when it is a number, else part of the path. Returns -1 to go on, or
 * the exit code with a message. To be freed in either case; paths point into the words. */
int cli_adapters_read(struct cli_adapters *adapters, const char *command, const struct cli_strings *words);
void cli_adapters_free(struct cli_adapters *adapters);

#endif
