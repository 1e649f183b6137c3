/* SPDX-License-Identifier: MIT */
/* Splitting PATH=WEIGHT. */
#include "examples/cli/cli_adapters.h"

#include "examples/cli/cli_output.h" /* cli_fail_memory */

#include <stdlib.h>
#include <string.h>

int cli_adapters_read(struct cli_adapters *adapters, const char *command, const struct cli_strings *words)
{
    *adapters =
        (struct cli_adapters){calloc(words->count + 1, sizeof *adapters->paths), calloc(words->count + 1, sizeof *adapters->weights), 0};
    if (adapters->paths == NULL || adapters->weights == NULL) {
        return cli_fail_memory(command);
    }
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i], *mark = strrchr(word, '=');
        char *end = NULL;
        const double weight = mark != NULL ? strtod(mark + 1, &end) : 1.0;
        const int weighted = mark != NULL && end != mark + 1 && *end == '\0';
        adapters->paths[i] = (slm_string){word, weighted ? (uint64_t)(mark - word) : strlen(word)};
        adapters->weights[i] = weighted ? (float)weight : 1.0f;
    }
    adapters->count = words->count;
    return -1;
}

void cli_adapters_free(struct cli_adapters *adapters)
{
    free(adapters->paths);
    free(adapters->weights);
}
