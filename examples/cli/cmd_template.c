/* SPDX-License-Identifier: MIT */
/* slm template: one conversation as JSON on standard input, the prompt on standard output, and nothing else. */
#include "examples/cli/commands.h" /* cli_command_template */

#include "examples/cli/cli_input.h"    /* cli_input_read */
#include "examples/cli/cli_output.h"   /* struct cli_output */
#include "examples/cli/cli_prompt.h"   /* cli_prompt_render */
#include "examples/cli/cli_terminal.h" /* cli_parse_time */

#include <string.h>

struct template_options {
    struct cli_model_options model;
    const char *file;
    const char *now;
    int32_t normalize;
    int32_t strict;
};

static const struct cli_option template_rows[] = {
    {"--template", NULL, "FILE", "A Jinja file instead of the model's chat template.", CLI_STRING, offsetof(struct template_options, file),
     0, 0},
    {"--now", NULL, "TIME", "What strftime_now sees, as YYYY-MM-DDTHH:MM:SS; default: the clock.", CLI_STRING,
     offsetof(struct template_options, now), 0, 0},
    {"--normalize", NULL, NULL,
     "Mend messages that are legal but break templates (lists of text parts,\narguments as JSON text, content "
     "missing beside tool calls).",
     CLI_FLAG, offsetof(struct template_options, normalize), 0, 0},
    {"--strict", NULL, NULL, "Render the messages exactly as given (the default here).", CLI_FLAG,
     offsetof(struct template_options, strict), 0, 0},
};

static int run_template(int argc, char **argv);

const struct cli_command cli_command_template = {
    .name = "template",
    .summary = "render a conversation through a chat template",
    .arguments = "[-m FILE.slm | --template FILE.jinja] [OPTIONS] < REQUEST.json",
    .notes =
        "Reads one object: {\"messages\":[…],\"tools\":[…],\"add_generation_prompt\":true,\"extra\":{…}}; all but messages may be left\n"
        "out, \"extra\" holds further variables of the template. Writes the prompt, without a line feed of its own.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_PATH, offsetof(struct template_options, model)},
               {template_rows, sizeof template_rows / sizeof template_rows[0], 0}},
    .run = run_template,
};

static int render(const struct cli_model *opened, const slm_chat_options *options)
{
    struct cli_text request = {0};
    struct cli_text prompt = {0};
    int code = cli_text_read_all(&request, stdin) == 0 ? -1 : cli_fail("template", "standard input cannot be read");
    if (code < 0) {
        code = cli_prompt_render(opened, options, &request, &prompt);
    }
    if (code < 0) {
        struct cli_output output = cli_output_stdout();
        (void)cli_put_text(&output, &prompt);
        code = cli_output_finish(&output, "template");
    }
    cli_text_free(&request);
    cli_text_free(&prompt);
    return code;
}

static int template_with_options(const struct template_options *options)
{
    slm_chat_options chat = {.struct_size = sizeof chat, .flags = options->normalize ? 0 : SLM_CHAT_STRICT};
    if (options->normalize && options->strict) {
        return cli_fail_usage("template", "give --normalize or --strict, not both");
    }
    if (options->now != NULL) {
        chat.now = cli_parse_time(options->now);
        if (chat.now < 0) {
            return cli_fail_usage("template", "option '--now' takes YYYY-MM-DDTHH:MM:SS, not '%s'", options->now);
        }
    }
    struct cli_text source = {0};
    struct cli_model opened = {.command = "template"};
    int code = options->file != NULL ? cli_input_read("template", options->file, "a file with a template", &source) : -1;
    if (code < 0 && options->file != NULL) {
        chat.template_text = source.bytes;
        chat.template_length = source.length;
    }
    if (code < 0) {
        code = options->file != NULL && options->model.path == NULL ? cli_model_open_engine(&opened, "template", &options->model)
                                                                    : cli_model_open(&opened, "template", &options->model);
    }
    if (code < 0) {
        code = render(&opened, &chat);
    }
    cli_model_close(&opened);
    cli_text_free(&source);
    return code;
}

static int run_template(int argc, char **argv)
{
    struct template_options options = {0};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_template, argc, argv, &options, &words);
    if (code < 0 && words.count > 0) {
        code =
            cli_fail_usage("template", "no argument is expected, but there is '%s'; the request comes from standard input", words.items[0]);
    }
    if (code < 0) {
        code = template_with_options(&options);
    }
    cli_strings_free(&words);
    return code;
}
