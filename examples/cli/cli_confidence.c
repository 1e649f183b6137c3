/* SPDX-License-Identifier: MIT */
/* Fields of an answer for people and programs (see cli_confidence.h). */
#include "examples/cli/cli_confidence.h" /* struct cli_confidence */

#include "examples/cli/cli_json.h"  /* cli_json_add_string, cli_json_add_number */
#include "examples/cli/cli_model.h" /* cli_error_empty */

#include <stdlib.h>
#include <string.h>

int cli_confidence_measure(struct cli_confidence *confidence, const struct cli_answer *answer)
{
    slm_error error = cli_error_empty();
    const slm_token *tokens = (const slm_token *)(const void *)answer->tokens.bytes;
    const uint64_t count = answer->tokens.length / sizeof *tokens;
    slm_status status = slm_answer_fields(answer->text.bytes, answer->text.length, tokens, count, NULL, 0, &confidence->count, NULL, 0,
                                          &confidence->path_bytes, &error);
    if (status == SLM_E_BUFFER_TOO_SMALL) {
        confidence->fields = calloc((size_t)confidence->count, sizeof *confidence->fields);
        confidence->paths = malloc((size_t)confidence->path_bytes + 1);
        if (confidence->fields == NULL || confidence->paths == NULL) {
            return cli_fail_memory("run");
        }
        confidence->fields[0].struct_size = sizeof *confidence->fields;
        status = slm_answer_fields(answer->text.bytes, answer->text.length, tokens, count, confidence->fields, confidence->count,
                                   &confidence->count, confidence->paths, confidence->path_bytes, &confidence->path_bytes, &error);
    }
    return status == SLM_OK ? -1 : cli_fail("run", "--confidence: %s", error.message);
}

static int holds_others(const struct cli_answer *answer, const slm_answer_field *field)
{
    return answer->text.bytes[field->begin] == '{' || answer->text.bytes[field->begin] == '[';
}

uint64_t cli_confidence_weakest(const struct cli_confidence *confidence, const struct cli_answer *answer)
{
    uint64_t weakest = 0;
    for (uint64_t i = 0; i < confidence->count; i++) {
        const slm_answer_field *field = &confidence->fields[i];
        if (!holds_others(answer, field) && (weakest == 0 || field->probability < confidence->fields[weakest].probability)) {
            weakest = i;
        }
    }
    return weakest;
}

void cli_confidence_put(const struct cli_confidence *confidence, const struct cli_answer *answer, struct cli_output *output)
{
    for (uint64_t i = 0; i < confidence->count; i++) {
        const slm_answer_field *field = &confidence->fields[i];
        if (holds_others(answer, field)) {
            continue;
        }
        (void)cli_put_format(output, "%-16.*s %-18.*s %7.3f %%   (unconstrained %7.3f %%)\n", (int)field->path_length,
                             confidence->paths + field->path_begin, (int)field->length, answer->text.bytes + field->begin,
                             100 * field->probability, 100 * field->probability_unconstrained);
    }
    (void)cli_put_flush(output);
}

void cli_confidence_add_json(const struct cli_confidence *confidence, struct cli_text *line)
{
    cli_text_add_string(line, ",\"fields\":[");
    for (uint64_t i = 0; i < confidence->count; i++) {
        const slm_answer_field *field = &confidence->fields[i];
        cli_text_add_string(line, i > 0 ? ",{\"path\":" : "{\"path\":");
        cli_json_add_string(line, confidence->paths + field->path_begin, (size_t)field->path_length);
        cli_text_format(line, ",\"begin\":%llu,\"length\":%llu,\"probability\":", (unsigned long long)field->begin,
                        (unsigned long long)field->length);
        cli_json_add_number(line, field->probability);
        cli_text_add_string(line, ",\"probability_unconstrained\":");
        cli_json_add_number(line, field->probability_unconstrained);
        cli_text_add_string(line, "}");
    }
    cli_text_add_string(line, "]");
}

void cli_confidence_free(struct cli_confidence *confidence)
{
    free(confidence->fields);
    free(confidence->paths);
    confidence->fields = NULL;
    confidence->paths = NULL;
}
