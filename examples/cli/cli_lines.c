/* SPDX-License-Identifier: MIT */
/* Lines are parsed one by one into the same buffers (see cli_lines.h). */
#include "examples/cli/cli_lines.h" /* cli_line_fn */

#include "examples/cli/cli_output.h" /* cli_fail */

#include <string.h>

const char *cli_lines_add_ids(const struct cli_json_value *list, struct cli_ids *ids)
{
    if (list == NULL || list->kind != CLI_JSON_ARRAY) {
        return "token ids must be a list";
    }
    if (cli_ids_reserve(ids, ids->count + list->length) != 0) {
        return "memory could not be allocated";
    }
    const struct cli_json_value *item = list + 1;
    for (size_t i = 0; i < list->length; i++, item++) { /* numbers: each is one value */
        int64_t id = 0;
        if (cli_json_integer(item, INT32_MIN, INT32_MAX, &id) != 0) {
            return "token ids must be whole numbers of 32 bits";
        }
        ids->items[ids->count + i] = (int32_t)id;
    }
    ids->count += list->length;
    return NULL;
}

static int take_line(const char *command, const char *example, struct cli_json *json, const struct cli_text *line, size_t number,
                     cli_line_fn *take, void *context)
{
    const char *wrong = NULL;
    int code = -1;
    if (cli_json_parse(json, line->bytes, line->length) != 0) {
        return cli_fail(command, "line %zu of standard input, byte %zu: %s", number, json->position + 1, json->problem);
    }
    if (json->values[0].kind != CLI_JSON_OBJECT) {
        return cli_fail(command, "line %zu of standard input: an object is expected, such as %s", number, example);
    }
    code = take(context, json, &wrong);
    if (wrong != NULL && wrong[0] != '\0') {
        return cli_fail(command, "line %zu of standard input: %s", number, wrong);
    }
    if (code >= 0 && wrong == NULL) {
        cli_remark(command, "note", "this was line %zu of standard input", number);
    }
    return code;
}

int cli_lines_each(const char *command, const char *example, cli_line_fn *take, void *context)
{
    struct cli_text line = {0};
    struct cli_json json = {0};
    int code = -1, state = 0;
    for (size_t number = 1; code < 0 && (state = cli_text_read_line(&line, stdin)) > 0; number++) {
        if (strspn(line.bytes, " \t\r") < line.length) {
            code = take_line(command, example, &json, &line, number, take, context);
        }
    }
    cli_text_free(&line);
    cli_json_free(&json);
    return code < 0 && state == -2 ? cli_fail(command, "cancelled")
           : code < 0 && state < 0 ? cli_fail(command, "standard input cannot be read, or a line is too long for the memory")
                                   : code;
}
