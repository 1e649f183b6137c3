/* SPDX-License-Identifier: MIT */
/*
 * slm run: one prompt, one answer. Without any argument it shows what the library does: a customer's message, the
 * demonstration model's answer as it streams, and how fast it came.
 */
#include "examples/cli/commands.h" /* cli_command_run */

#include "examples/cli/cli_answer.h"     /* cli_answer_generate */
#include "examples/cli/cli_confidence.h" /* struct cli_confidence */
#include "examples/cli/cli_constraint.h" /* struct cli_constraint */
#include "examples/cli/cli_image.h"      /* struct cli_images */
#include "examples/cli/cli_input.h"      /* cli_input_read */
#include "examples/cli/cli_json.h"       /* cli_json_add_string, cli_json_add_ids */
#include "examples/cli/cli_sampling.h"   /* struct cli_sampling */
#include "examples/cli/cli_terminal.h"   /* cli_signals_begin */

#include <string.h>

static const char demonstration_message[] =
    "Hello, my parcel 48213 never came and nobody picks up the phone. This is a disgrace. I want my money back, or you will hear from "
    "my lawyer.";

/* Below it an answer of the demonstration goes to a person. */
#define ENOUGH_CONFIDENCE 0.7

struct run_options {
    struct cli_model_options model;
    struct cli_sampling_options sampling;
    struct cli_constraint_options constraint;
    const char *ids;
    const char *system;
    const char *tools;
    struct cli_strings images;
    int64_t tokens;
    int64_t context;
    int64_t logprobs;
    int64_t speculate;
    int32_t raw;
    int32_t trust_messages;
    int32_t ignore_eos;
    int32_t confidence;
    int32_t json;
};

static const struct cli_option run_rows[] = {
    {"--tokens", "-n", "N", "At most N new tokens; default 128.", CLI_INTEGER, offsetof(struct run_options, tokens), 1, 1e9},
    {"--ids", NULL, "1,2,3", "The prompt as token ids, taken as they are.", CLI_STRING, offsetof(struct run_options, ids), 0, 0},
    {"--system", NULL, "TEXT", "A system message in front of the prompt; needs a chat template.", CLI_STRING,
     offsetof(struct run_options, system), 0, 0},
    {"--tools", NULL, "F.json", "Functions that the model may call: a JSON list as in a request.", CLI_STRING,
     offsetof(struct run_options, tools), 0, 0},
    {"--image", NULL, "FILE", "An image in front of the prompt (PNG, JPEG, PPM), for models that see;\nmay be given several times.",
     CLI_STRINGS, offsetof(struct run_options, images), 0, 0},
    {"--raw", NULL, NULL, "No chat template: the model continues the text.", CLI_FLAG, offsetof(struct run_options, raw), 0, 0},
    {"--trust-messages", NULL, NULL, "Special tokens written in messages count as such.", CLI_FLAG,
     offsetof(struct run_options, trust_messages), 0, 0},
    {"--context", NULL, "C", "Size of the context in tokens; default: prompt + N.", CLI_INTEGER, offsetof(struct run_options, context), 1,
     1e9},
    {"--speculate", NULL, "N",
     "Guess up to N tokens ahead from the text so far (8 is good):\nthe same answer, sooner where it repeats the prompt.", CLI_INTEGER,
     offsetof(struct run_options, speculate), 0, 64},
    {"--ignore-eos", NULL, NULL, "Go on after an end-of-text token.", CLI_FLAG, offsetof(struct run_options, ignore_eos), 0, 0},
    {"--logprobs", NULL, "N",
     "With --json: log-probabilities of the new tokens, and the N most probable\ntokens in each one's place (1 to 20).", CLI_INTEGER,
     offsetof(struct run_options, logprobs), 1, SLM_TOP_LOGPROBS_MAX},
    {"--confidence", NULL, NULL,
     "With --schema: how sure the model was of each value: its probability among the\nvalues that the schema allows, and among all texts.",
     CLI_FLAG, offsetof(struct run_options, confidence), 0, 0},
    {"--json", NULL, NULL,
     "Print one JSON object: ids, text, stop, prompt_tokens,\nprefill_tokens_per_second, decode_tokens_per_second;\nwith --tools also the "
     "message: its content, reasoning, calls.",
     CLI_FLAG, offsetof(struct run_options, json), 0, 0},
};

static int run_run(int argc, char **argv);

const struct cli_command cli_command_run = {
    .name = "run",
    .summary = "answer one prompt",
    .arguments = "[-m FILE.slm] [PROMPT | - | --ids 1,2,3] [OPTIONS]",
    .notes = "Without PROMPT a built-in message is answered, by the demonstration model under its schema;\n"
             "'-' reads the prompt from standard input.\n"
             "The prompt becomes a user's message in the model's chat template; a model without template continues it (as --raw).\n"
             "Special tokens in it are plain text, as everywhere in messages, unless --trust-messages is given.\n"
             "--schema, --regex and --grammar leave the model only tokens that keep to them; before -n or the context run out, the answer\n"
             "takes the shortest way to its end, so that it is always complete.\n"
             "Sampling is greedy unless --temp is given; the checkpoint's own sampling defaults are used by 'slm chat' only.\n"
             "The answer goes to standard output, the speed to standard error.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_ALL, offsetof(struct run_options, model)},
               {run_rows, sizeof run_rows / sizeof run_rows[0], 0},
               {cli_constraint_rows, CLI_CONSTRAINT_ROWS, offsetof(struct run_options, constraint)},
               {cli_sampling_rows, CLI_SAMPLING_ROWS, offsetof(struct run_options, sampling)}},
    .run = run_run,
};

/* The prompt's text: the words joined by blanks, standard input for "-", or the built-in message. */
static int collect_text(const struct cli_strings *words, struct cli_text *text)
{
    if (words->count == 1 && strcmp(words->items[0], "-") == 0) {
        if (cli_text_read_all(text, stdin) != 0) {
            return cli_fail("run", "standard input cannot be read");
        }
        return -1;
    }
    for (size_t i = 0; i < words->count; i++) {
        cli_text_add_string(text, i > 0 ? " " : "");
        cli_text_add_string(text, words->items[i]);
    }
    if (words->count == 0) {
        cli_text_add_string(text, demonstration_message);
    }
    return text->failed ? cli_fail_memory("run") : -1;
}

static int read_tools(const char *path, struct cli_text *tools)
{
    struct cli_json json = {0};
    if (path == NULL) {
        return -1;
    }
    int code = cli_input_read("run", path, "a file with a list of functions", tools);
    if (code < 0 && cli_json_parse(&json, tools->bytes, tools->length) != 0) {
        code = cli_fail("run", "%s: byte %zu: %s", path, json.position + 1, json.problem);
    } else if (code < 0 && json.values[0].kind != CLI_JSON_ARRAY) {
        code = cli_fail("run", "%s: a list of functions is expected", path);
    }
    cli_json_free(&json);
    return code;
}

static int render_message(const struct cli_model *opened, const struct run_options *options, const struct cli_text *tools,
                          const struct cli_text *text, struct cli_ids *ids)
{
    struct cli_text request = {0};
    const size_t valid = cli_utf8_valid_prefix(text->bytes, text->length);
    if (valid < text->length) {
        return cli_fail("run", "the prompt is not valid UTF-8 (byte %zu)", valid);
    }
    if (options->system != NULL && cli_utf8_valid_prefix(options->system, strlen(options->system)) < strlen(options->system)) {
        return cli_fail("run", "--system is not valid UTF-8 (byte %zu)", cli_utf8_valid_prefix(options->system, strlen(options->system)));
    }
    cli_text_add_string(&request, "{\"messages\":[");
    if (options->system != NULL) {
        cli_message_add(&request, "system", options->system, strlen(options->system));
        cli_text_add_string(&request, ",");
    }
    cli_message_add_images(&request, "user", options->images.count, text->bytes, text->length);
    cli_text_add_string(&request, "],\"add_generation_prompt\":true");
    if (options->tools != NULL) {
        cli_text_add_string(&request, ",\"tools\":");
        cli_text_add(&request, tools->bytes, tools->length);
    }
    cli_text_add_string(&request, "}");
    const int code = cli_prompt_chat(opened, &request, options->trust_messages, ids);
    cli_text_free(&request);
    return code;
}

static int parse_ids(const char *text, struct cli_ids *ids)
{
    const int status = text != NULL ? cli_ids_parse(ids, text) : 0;
    return status == 0    ? -1
           : status == -2 ? cli_fail_memory("run")
                          : cli_fail_usage("run", "option '--ids' takes token ids such as 1,2,3, not '%s'", text);
}

static int make_prompt(const struct cli_model *opened, const struct run_options *options, const struct cli_text *tools,
                       const struct cli_strings *words, struct cli_ids *ids)
{
    if (options->ids != NULL) {
        return -1; /* parsed before the model was opened */
    }
    if ((options->tools != NULL || options->system != NULL) && !opened->info.has_chat_template) {
        return cli_fail_usage("run", "the model has no chat template, so it cannot be told of %s",
                              options->tools != NULL ? "--tools" : "--system");
    }
    struct cli_text text = {0};
    int code = collect_text(words, &text);
    if (code < 0 && opened->info.has_chat_template && !options->raw) {
        code = render_message(opened, options, tools, &text, ids);
    } else if (code < 0) {
        if (!options->raw) {
            cli_remark("run", "note", "the model has no chat template; it continues the prompt as it is (--raw)");
        }
        code = cli_prompt_tokenize(opened, text.bytes, text.length, SLM_TOKENIZE_ADD_SPECIAL, ids);
    }
    cli_text_free(&text);
    if (code < 0 && ids->count == 0) {
        return cli_fail("run", "the prompt is empty; give at least one token");
    }
    return code;
}

/* The prompt must leave room for one token of the answer. */
static int check_length(const struct cli_model *opened, const struct run_options *options, size_t tokens)
{
    const uint64_t model = opened->info.max_context > 0 ? opened->info.max_context : UINT32_MAX;
    const char *plural = tokens == 1 ? "" : "s";
    if (tokens >= model) {
        return cli_fail("run", "the prompt has %zu token%s; the model takes at most %llu, and the answer", tokens, plural,
                        (unsigned long long)model - 1);
    }
    if (options->context > 0 && tokens >= (uint64_t)options->context) {
        return cli_fail("run", "the prompt has %zu token%s; --context %lld leaves no room for an answer", tokens, plural,
                        (long long)options->context);
    }
    return -1;
}

static int open_session(const struct cli_model *opened, struct run_options *options, const struct cli_constraint *constraint,
                        size_t prompt_tokens, slm_session **session)
{
    struct cli_sampling made = {0};
    int code = check_length(opened, options, prompt_tokens);
    code = code < 0 ? cli_sampling_make(&made, "run", &options->sampling, NULL) : code;
    if (code < 0) {
        const uint64_t wanted = prompt_tokens + (uint64_t)options->tokens;
        const uint64_t most = opened->info.max_context > prompt_tokens ? opened->info.max_context : UINT32_MAX;
        const slm_session_options session_options = {
            .struct_size = sizeof session_options,
            .flags = (options->ignore_eos ? (uint32_t)SLM_SESSION_IGNORE_EOS : 0u) |
                     (options->tools != NULL ? (uint32_t)SLM_SESSION_SHOW_SPECIAL : 0u) |
                     (options->constraint.no_jump || options->logprobs > 0 || options->confidence ? 0u : (uint32_t)SLM_SESSION_JUMP),
            .context = options->context > 0 ? (uint32_t)options->context : (uint32_t)(wanted < most ? wanted : most),
            .max_tokens = (uint32_t)options->tokens,
            .kv_type = opened->kv_type,
            .adapter_rank = opened->adapter_rank,
            .top_logprobs = (uint32_t)options->logprobs,
            .speculate = (uint32_t)options->speculate,
            .sampling = &made.sampling,
            .stop = made.stop,
            .stop_count = options->sampling.stop.count,
            .grammar_bytes = constraint->grammar_bytes,
        };
        slm_error error = cli_error_empty();
        const slm_status status = slm_session_create(opened->model, NULL, &session_options, session, &error);
        code = status == SLM_OK ? cli_model_adapt(opened, *session) : cli_fail_library("run", status, &error);
        code = code < 0 ? cli_constraint_set(constraint, opened, *session) : code;
    }
    cli_sampling_free(&made, &options->sampling);
    return code;
}

/* The answer as a message with its content, reasoning and calls. -1, or an exit code. */
static int add_message(const struct cli_model *opened, const struct cli_text *tools, const struct cli_text *answer, struct cli_text *line)
{
    struct cli_text message = {0};
    slm_error error = cli_error_empty();
    const slm_chat_parse_options options = {.struct_size = sizeof options, .tools = tools->bytes, .tools_length = tools->length};
    slm_status status = SLM_E_BUFFER_TOO_SMALL;
    uint64_t needed = answer->length * 2 + 256;
    while (status == SLM_E_BUFFER_TOO_SMALL) {
        if (needed > SIZE_MAX / 4 || cli_text_reserve(&message, (size_t)needed) != 0) {
            cli_text_free(&message);
            return cli_fail_memory("run");
        }
        status = slm_chat_parse(opened->engine, opened->model, answer->bytes, answer->length, &options, message.bytes, message.capacity,
                                &needed, &error);
    }
    if (status == SLM_OK) {
        cli_text_add_string(line, ",\"message\":");
        cli_text_add(line, message.bytes, (size_t)needed);
    }
    cli_text_free(&message);
    return status == SLM_OK ? -1 : cli_fail_library("run", status, &error);
}

/* "id":…,"token":…,"logprob":…: the token's own bytes, of which what is no UTF-8 becomes U+FFFD. */
static int add_token(const struct cli_model *opened, slm_token_logprob token, struct cli_text *line)
{
    char bytes[4096];
    uint64_t length = 0;
    slm_error error = cli_error_empty();
    cli_text_format(line, "\"id\":%d,\"token\":", (int)token.token);
    const slm_status status = opened->info.has_tokenizer && (uint32_t)token.token < opened->info.token_count
                                  ? slm_token_bytes(opened->model, token.token, bytes, sizeof bytes, &length, &error)
                                  : SLM_OK;
    if (status != SLM_OK) {
        return cli_fail_library("run", status, &error);
    }
    cli_json_add_lossy(line, bytes, (size_t)length);
    cli_text_add_string(line, ",\"logprob\":");
    cli_json_add_number(line, (double)token.logprob);
    return -1;
}

static int add_logprobs(const struct cli_model *opened, const struct cli_text *logprobs, struct cli_text *line)
{
    int code = -1;
    cli_text_add_string(line, ",\"logprobs\":[");
    for (size_t at = 0; at < logprobs->length && code < 0;) {
        struct cli_logprob entry;
        memcpy(&entry, logprobs->bytes + at, sizeof entry);
        cli_text_add_string(line, at > 0 ? ",{" : "{");
        at += sizeof entry;
        code = add_token(opened, entry.token, line);
        cli_text_add_string(line, ",\"top\":[");
        for (uint32_t i = 0; i < entry.count && code < 0; i++, at += sizeof entry.token) {
            memcpy(&entry.token, logprobs->bytes + at, sizeof entry.token);
            cli_text_add_string(line, i > 0 ? ",{" : "{");
            code = add_token(opened, entry.token, line);
            cli_text_add_string(line, "}");
        }
        cli_text_add_string(line, "]}");
    }
    cli_text_add_string(line, "]");
    return code;
}

/* -1, or an exit code. */
static int put_json(struct cli_output *output, const struct cli_model *opened, const struct cli_text *tools,
                    const struct cli_answer *answer, const struct cli_confidence *confidence, size_t prompt_tokens)
{
    int code = -1;
    struct cli_text line = {0};
    cli_text_add_string(&line, "{\"ids\":");
    cli_json_add_ids(&line, answer->ids.items, answer->ids.count);
    cli_text_add_string(&line, ",\"text\":");
    cli_json_add_string(&line, answer->text.bytes, answer->text.length);
    cli_text_format(&line, ",\"stop\":\"%s\",\"prompt_tokens\":%zu,\"prefill_tokens_per_second\":", cli_stop_name(answer->stop),
                    prompt_tokens);
    cli_json_add_number(&line, cli_answer_prefill_rate(answer));
    cli_text_add_string(&line, ",\"decode_tokens_per_second\":");
    cli_json_add_number(&line, cli_answer_decode_rate(answer));
    if (answer->logprobs.length > 0) {
        code = add_logprobs(opened, &answer->logprobs, &line);
    }
    if (confidence->count > 0) {
        cli_confidence_add_json(confidence, &line);
    }
    if (tools != NULL && code < 0) {
        code = add_message(opened, tools, &answer->text, &line);
    }
    cli_text_add_string(&line, "}\n");
    if (code < 0) {
        (void)cli_put_text(output, &line);
    }
    cli_text_free(&line);
    return code;
}

/* A person takes over where the answer asks for one, and where the model was not sure of it. */
static void put_decision(struct cli_output *output, const struct cli_answer *answer, const struct cli_confidence *confidence)
{
    const slm_answer_field *weakest = &confidence->fields[cli_confidence_weakest(confidence, answer)];
    const int asks = strstr(answer->text.bytes, "\"escalate\":true") != NULL;
    (void)cli_put_format(output, "\ndecision  ");
    if (asks || weakest->probability < ENOUGH_CONFIDENCE) {
        (void)cli_put_format(output, "a person takes over: %s%s%.*s is %.1f %% sure\n", asks ? "the message asks for it" : "",
                             asks ? "; least certain: " : "", (int)weakest->path_length, confidence->paths + weakest->path_begin,
                             100 * weakest->probability);
    } else {
        (void)cli_put_format(output, "handled by the program: every field is at least %.1f %% sure\n", 100 * weakest->probability);
    }
}

/* What follows a streamed answer: ids where there is no text, the speed, on standard error unless it is the show. */
static void put_summary(struct cli_output *output, const struct cli_model *opened, const struct cli_answer *answer,
                        const struct cli_confidence *confidence, int is_show)
{
    if (!opened->info.has_tokenizer) {
        struct cli_text line = {0};
        cli_json_add_ids(&line, answer->ids.items, answer->ids.count);
        (void)cli_put_text(output, &line);
        cli_text_free(&line);
    }
    (void)cli_put(output, "\n", 1);
    (void)cli_put_flush(output);
    if (confidence->count > 0) {
        (void)cli_put(output, "\n", 1);
        cli_confidence_put(confidence, answer, output);
    }
    if (is_show && confidence->count > 0) {
        put_decision(output, answer, confidence);
    }
    char speed[200];
    (void)snprintf(speed, sizeof speed, "%zu token%s, %.1f tokens/s; first token after %.1f ms (prompt of %llu token%s)", answer->ids.count,
                   answer->ids.count == 1 ? "" : "s", cli_answer_decode_rate(answer), answer->first_seconds * 1e3,
                   (unsigned long long)answer->prefilled, answer->prefilled == 1 ? "" : "s");
    if (is_show) {
        (void)cli_put_format(output, "\nspeed     %s\n", speed);
    } else {
        (void)fprintf(stderr, "%s\n", speed);
    }
}

static int answer_prompt(const struct cli_model *opened, const struct run_options *options, const struct cli_text *tools,
                         const struct cli_images *images, slm_session *session, const struct cli_ids *ids, int is_show)
{
    int code = -1;
    struct cli_output output = cli_output_stdout();
    struct cli_answer answer = {.images = images->count > 0 ? images : NULL, .info = &opened->info};
    slm_error error = cli_error_empty();
    if (is_show) {
        (void)cli_put_format(&output, "message   %s\n\nanswer    ", demonstration_message);
        (void)cli_put_flush(&output);
    }
    const slm_status status = cli_answer_generate(&answer, session, ids->items, ids->count, options->json ? NULL : &output, &error);
    struct cli_confidence confidence = {0};
    if (status == SLM_OK && answer.stop != SLM_STOP_CANCELLED && options->confidence) {
        code = cli_confidence_measure(&confidence, &answer);
    }
    if (status == SLM_OK && code < 0 && options->json) {
        code = put_json(&output, opened, options->tools != NULL ? tools : NULL, &answer, &confidence, ids->count);
    } else if (status == SLM_OK && code < 0) {
        put_summary(&output, opened, &answer, &confidence, is_show);
    }
    cli_confidence_free(&confidence);
    const int finished = cli_output_finish(&output, "run");
    code = code < 0 ? finished : code;
    if (status != SLM_OK) {
        code = cli_fail_library("run", status, &error);
    } else if (answer.stop == SLM_STOP_CANCELLED) {
        code = cli_fail("run", "cancelled");
    }
    cli_answer_free(&answer);
    return code;
}

static int check_images(const struct cli_model *opened, const struct run_options *options)
{
    if (options->images.count > 0 && opened->info.image_tokens == 0) {
        return cli_fail("run", "the model takes no images; leave out --image");
    }
    if (options->images.count > 0 && options->ids == NULL && !opened->info.has_chat_template) {
        return cli_fail_usage("run", "the model has no chat template, so it cannot be shown where --image belongs; give --ids");
    }
    return -1;
}

static int run_with_options(struct run_options *options, const struct cli_strings *words)
{
    if (options->logprobs != 0 && !options->json) {
        return cli_fail_usage("run", "--logprobs are part of the JSON object; add --json");
    }
    if (options->confidence && options->constraint.schema == NULL) {
        return cli_fail_usage("run", "--confidence is for the values of JSON; add --schema");
    }
    if (options->ids != NULL && (words->count > 0 || options->system != NULL || options->raw || options->tools != NULL)) {
        return cli_fail_usage("run", "--ids is the whole prompt; leave out PROMPT, --system, --tools and --raw");
    }
    if (options->raw && options->images.count > 0) {
        return cli_fail_usage("run", "--image has its place in the chat template; leave out --raw, or give --ids");
    }
    if (options->raw && (options->tools != NULL || options->system != NULL)) {
        return cli_fail_usage("run", "%s for the chat template; leave out --raw", options->tools != NULL ? "--tools are" : "--system is");
    }
    struct cli_text tools = {0};
    struct cli_model opened = {0};
    struct cli_ids ids = {0};
    struct cli_images images = {0};
    struct cli_constraint constraint = {0};
    slm_session *session = NULL;
    int code = cli_sampling_check("run", &options->sampling);
    code = code < 0 ? cli_constraint_check("run", &options->constraint) : code;
    code = code < 0 ? parse_ids(options->ids, &ids) : code;
    code = code < 0 ? read_tools(options->tools, &tools) : code;
    code = code < 0 ? cli_images_read(&images, "run", &options->images) : code;
    code = code < 0 ? cli_model_open(&opened, "run", &options->model) : code;
    code = code < 0 ? check_images(&opened, options) : code;
    const int is_show = words->count == 0 && options->ids == NULL && !options->json;
    if (code < 0 && is_show && opened.is_demonstration && cli_constraint_is_free(&options->constraint)) {
        options->confidence = 1;
        code = cli_constraint_open_demonstration(&constraint, &opened);
    } else if (code < 0) {
        code = cli_constraint_open(&constraint, &opened, &options->constraint);
    }
    if (code < 0) {
        code = make_prompt(&opened, options, &tools, words, &ids);
    }
    if (code < 0 && images.count > 0) {
        code = cli_images_check(&images, &opened, &ids);
    }
    if (code < 0) {
        code = open_session(&opened, options, &constraint, ids.count, &session);
    }
    if (code < 0) {
        cli_signals_begin();
        code = answer_prompt(&opened, options, &tools, &images, session, &ids, is_show);
        cli_signals_end();
    }
    (void)slm_session_destroy(session);
    cli_constraint_close(&constraint);
    cli_ids_free(&ids);
    cli_images_free(&images);
    cli_text_free(&tools);
    cli_model_close(&opened);
    return code;
}

static int run_run(int argc, char **argv)
{
    struct run_options options = {.sampling = cli_sampling_defaults(), .tokens = 128};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_run, argc, argv, &options, &words);
    if (code < 0) {
        code = run_with_options(&options, &words);
    }
    cli_strings_free(&words);
    cli_strings_free(&options.model.lora);
    cli_strings_free(&options.images);
    cli_strings_free(&options.sampling.stop);
    cli_strings_free(&options.sampling.bias);
    return code;
}
