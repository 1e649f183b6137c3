/* SPDX-License-Identifier: MIT */
/*
 * slm chat: a conversation, line by line. Each turn renders the whole conversation; the session keeps the part that
 * it has computed already and computes only what is new.
 */
#include "examples/cli/commands.h" /* cli_command_chat */

#include "examples/cli/chat_history.h"   /* struct chat_history */
#include "examples/cli/cli_answer.h"     /* cli_answer_generate */
#include "examples/cli/cli_constraint.h" /* struct cli_constraint */
#include "examples/cli/cli_sampling.h"   /* struct cli_sampling */
#include "examples/cli/cli_terminal.h"   /* cli_is_terminal, cli_signals_begin */

#include <string.h>

struct chat_options {
    struct cli_model_options model;
    struct cli_sampling_options sampling;
    struct cli_constraint_options constraint;
    const char *system;
    const char *history;
    int64_t tokens;
    int64_t context;
    int64_t speculate;
    int32_t trust_messages;
};

static const struct cli_option chat_rows[] = {
    {"--tokens", "-n", "N", "At most N tokens an answer; default 256.", CLI_INTEGER, offsetof(struct chat_options, tokens), 1, 1e9},
    {"--system", NULL, "TEXT", "A system message in front of the conversation.", CLI_STRING, offsetof(struct chat_options, system), 0, 0},
    {"--context", NULL, "C", "Size of the context in tokens; default: the model's, at most 4096.", CLI_INTEGER,
     offsetof(struct chat_options, context), 16, 1e9},
    {"--speculate", NULL, "N",
     "Guess up to N tokens ahead from the text so far (8 is good):\nthe same answers, sooner where they repeat it.", CLI_INTEGER,
     offsetof(struct chat_options, speculate), 0, 64},
    {"--history", NULL, "keep|none",
     "Does the model see earlier turns? Default keep; none for the\ndemonstration model, which knows single "
     "messages only.",
     CLI_STRING, offsetof(struct chat_options, history), 0, 0},
    {"--trust-messages", NULL, NULL, "Special tokens written in messages count as such.", CLI_FLAG,
     offsetof(struct chat_options, trust_messages), 0, 0},
};

static int run_chat(int argc, char **argv);

const struct cli_command cli_command_chat = {
    .name = "chat",
    .summary = "talk with a model",
    .arguments = "[-m FILE.slm] [OPTIONS]",
    .notes = "Type a message and press Enter. Ctrl-C stops the answer, /reset forgets the conversation, /exit or Ctrl-D ends.\n"
             "When the context is full the oldest turns are dropped; the system message stays.\n"
             "Sampling follows the checkpoint's own defaults; options replace them one by one (--temp 0: greedy).\n"
             "When standard input is no terminal, each line is a message.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_ALL, offsetof(struct chat_options, model)},
               {chat_rows, sizeof chat_rows / sizeof chat_rows[0], 0},
               {cli_constraint_rows, CLI_CONSTRAINT_ROWS, offsetof(struct chat_options, constraint)},
               {cli_sampling_rows, CLI_SAMPLING_ROWS, offsetof(struct chat_options, sampling)}},
    .run = run_chat,
};

struct chat {
    struct cli_model opened;
    struct cli_constraint constraint;
    slm_session *session;
    size_t context; /* the session's, in tokens */
    size_t reserve; /* tokens kept free for an answer */
    int keep_history;
    int trust_messages;
    int failed; /* a turn failed: the exit code, when nobody sits there */
    struct chat_history history;
    struct cli_output output;
};

/* The ids of the whole conversation. -1, or an exit code. */
static int tokenize_history(struct chat *chat, struct cli_ids *ids)
{
    struct cli_text request = {0};
    chat_history_request(&chat->history, &request);
    const int code = cli_prompt_chat(&chat->opened, &request, chat->trust_messages, ids);
    cli_text_free(&request);
    return code;
}

/* The ids of as much of the conversation as fits the context together with an answer. -1, or an exit code. */
static int fit_history(struct chat *chat, struct cli_ids *ids)
{
    size_t dropped = 0;
    for (;;) {
        const int code = tokenize_history(chat, ids);
        if (code >= 0) {
            return code;
        }
        if (ids->count + chat->reserve <= chat->context) {
            break;
        }
        if (chat_history_drop_oldest_turn(&chat->history) != 0) {
            if (ids->count < chat->context) {
                break; /* a single message may use the room of the answer, but for one token */
            }
            return cli_fail("chat",
                            "the message has %zu tokens with the template, more than the context of %zu; shorten it or give --context",
                            ids->count, chat->context);
        }
        dropped++;
    }
    if (dropped > 0) {
        cli_remark("chat", "note", "the context is full: the oldest %zu turn%s %s dropped", dropped, dropped > 1 ? "s" : "",
                   dropped > 1 ? "were" : "was");
    }
    return -1;
}

/* Keep what the session has in common with `ids`, forget the rest; *kept is what it has then. */
static slm_status rewind_to_common(slm_session *session, const struct cli_ids *ids, size_t *kept, slm_error *error)
{
    uint64_t count = 0;
    struct cli_ids present = {0};
    slm_status status = slm_session_tokens(session, NULL, 0, &count, error);
    if (status == SLM_OK || status == SLM_E_BUFFER_TOO_SMALL) {
        status = cli_ids_reserve(&present, (size_t)count) == 0 ? slm_session_tokens(session, present.items, present.capacity, &count, error)
                                                               : SLM_E_NO_MEMORY;
    }
    if (status != SLM_OK) {
        cli_ids_free(&present);
        return status;
    }
    size_t common = 0;
    while (common < count && common + 1 < ids->count && present.items[common] == ids->items[common]) {
        common++; /* one id at least is left to append: the answer needs its logits */
    }
    cli_ids_free(&present);
    status = slm_session_rewind(session, common, error);
    if (status == SLM_E_REWIND_LIMIT) {
        common = 0;
        status = slm_session_rewind(session, 0, error);
    }
    *kept = common;
    return status;
}

static slm_status answer_history(struct chat *chat, const struct cli_ids *ids, struct cli_answer *answer, slm_error *error)
{
    size_t kept = 0;
    const slm_status status = rewind_to_common(chat->session, ids, &kept, error);
    if (status != SLM_OK) {
        return status;
    }
    return cli_answer_generate(answer, chat->session, ids->items + kept, ids->count - kept, &chat->output, error);
}

static void end_answer(struct chat *chat, const struct cli_answer *answer)
{
    (void)cli_put(&chat->output, "\n", 1);
    (void)cli_put_flush(&chat->output);
    if (answer->stop == SLM_STOP_CANCELLED) {
        cli_remark("chat", "note", "answer stopped");
    } else if (answer->stop == SLM_STOP_CONTEXT) {
        cli_remark("chat", "note", "the context is full; the answer is cut off");
    } else if (answer->stop == SLM_STOP_LENGTH) {
        cli_remark("chat", "note", "the answer was cut after %zu token%s (-n)", answer->ids.count, answer->ids.count == 1 ? "" : "s");
    }
}

/* Is a line text? Else a complaint; of many lines it says which. */
static int is_text(struct chat *chat, const struct cli_text *line, size_t number, int interactive)
{
    const size_t valid = cli_utf8_valid_prefix(line->bytes, line->length);
    if (valid == line->length) {
        return 1;
    }
    chat->failed = interactive ? cli_fail("chat", "the prompt is not valid UTF-8 (byte %zu)", valid)
                               : cli_fail("chat", "line %zu: the prompt is not valid UTF-8 (byte %zu)", number, valid);
    return 0;
}

/* One message and its answer. A failed turn leaves the conversation as it was before. */
static void take_turn(struct chat *chat, const char *text, size_t length)
{
    struct cli_ids ids = {0};
    struct cli_answer answer = {0};
    slm_error error = cli_error_empty();
    if (!chat->keep_history) {
        chat_history_clear(&chat->history);
    }
    if (chat_history_add(&chat->history, 1, text, length) != 0) {
        chat->failed = cli_fail_memory("chat");
        return;
    }
    int code = fit_history(chat, &ids);
    if (code < 0) {
        const slm_status status = answer_history(chat, &ids, &answer, &error);
        if (status != SLM_OK) {
            code = cli_fail_library("chat", status, &error);
        } else {
            end_answer(chat, &answer);
            code = chat_history_add(&chat->history, 0, answer.text.bytes, answer.text.length) == 0 ? -1 : cli_fail_memory("chat");
        }
    }
    if (code >= 0) {
        chat->failed = code;
        chat_history_drop_last(&chat->history);
    }
    cli_ids_free(&ids);
    cli_answer_free(&answer);
}

/* Lines until the end of input. Gives the exit code. */
static int converse(struct chat *chat)
{
    struct cli_text line = {0};
    const int interactive = cli_is_terminal(stdin);
    int state = 1;
    size_t number = 0;
    while (chat->output.error == 0 && !cli_signals_terminated()) {
        if (interactive) {
            (void)fputs("> ", stderr);
            (void)fflush(stderr);
        }
        state = cli_text_read_line(&line, stdin);
        if (state == -2 && interactive && !cli_signals_terminated()) {
            (void)cli_signals_taken();
            (void)fputs("\n(/exit or Ctrl-D ends)\n", stderr);
            continue;
        }
        if (state <= 0 || strcmp(line.bytes, "/exit") == 0) {
            break;
        }
        number++;
        if (line.length > 0 && line.bytes[line.length - 1] == '\r') {
            line.bytes[--line.length] = '\0';
        }
        if (strcmp(line.bytes, "/reset") == 0) {
            chat_history_clear(&chat->history);
            cli_remark("chat", "note", "the conversation is forgotten");
        } else if (strspn(line.bytes, " \t") < line.length && is_text(chat, &line, number, interactive)) {
            take_turn(chat, line.bytes, line.length);
        }
    }
    if (interactive && state == 0) {
        (void)fputc('\n', stderr);
    }
    cli_text_free(&line);
    if (state < 0 || cli_signals_terminated()) {
        return state != -1 ? cli_fail("chat", "interrupted") : cli_fail("chat", "standard input cannot be read");
    }
    const int code = cli_output_finish(&chat->output, "chat");
    return code != CLI_OK ? code : interactive ? CLI_OK : chat->failed;
}

static int open_session(struct chat *chat, struct chat_options *options)
{
    struct cli_sampling made;
    int code = cli_sampling_make(&made, "chat", &options->sampling, &chat->opened.info);
    if (code < 0) {
        const slm_session_options session_options = {
            .struct_size = sizeof session_options,
            .context = (uint32_t)options->context,
            .max_tokens = (uint32_t)options->tokens,
            .kv_type = chat->opened.kv_type,
            .adapter_rank = chat->opened.adapter_rank,
            .speculate = (uint32_t)options->speculate,
            .sampling = &made.sampling,
            .stop = made.stop,
            .stop_count = options->sampling.stop.count,
            .grammar_bytes = chat->constraint.grammar_bytes,
        };
        slm_error error = cli_error_empty();
        slm_session_info info = {.struct_size = sizeof info};
        slm_status status = slm_session_create(chat->opened.model, NULL, &session_options, &chat->session, &error);
        if (status == SLM_OK) {
            status = slm_session_get_info(chat->session, &info, &error);
        }
        chat->context = info.context;
        const size_t quarter = chat->context / 4;
        chat->reserve = (size_t)options->tokens < quarter ? (size_t)options->tokens : quarter;
        code = status == SLM_OK ? cli_model_adapt(&chat->opened, chat->session) : cli_fail_library("chat", status, &error);
        code = code < 0 ? cli_constraint_set(&chat->constraint, &chat->opened, chat->session) : code;
    }
    cli_sampling_free(&made, &options->sampling);
    return code;
}

static int chat_with_options(struct chat_options *options)
{
    const char *mode = options->history;
    if (mode != NULL && strcmp(mode, "keep") != 0 && strcmp(mode, "none") != 0) {
        return cli_fail_usage("chat", "option '--history' takes keep or none, not '%s'", mode);
    }
    const size_t valid = options->system != NULL ? cli_utf8_valid_prefix(options->system, strlen(options->system)) : 0;
    if (options->system != NULL && valid < strlen(options->system)) {
        return cli_fail("chat", "--system is not valid UTF-8 (byte %zu)", valid);
    }
    struct chat chat = {.history = {.system = options->system}, .output = cli_output_stdout(), .trust_messages = options->trust_messages};
    int code = cli_model_open(&chat.opened, "chat", &options->model);
    chat.keep_history = mode != NULL ? strcmp(mode, "keep") == 0 : !chat.opened.is_demonstration;
    if (code < 0 && !chat.opened.info.has_chat_template) {
        code = cli_fail("chat", "the model has no chat template; 'slm run --raw' continues a text with it");
    }
    code = code < 0 ? cli_constraint_open(&chat.constraint, &chat.opened, &options->constraint) : code;
    if (code < 0) {
        code = open_session(&chat, options);
    }
    if (code < 0) {
        if (cli_is_terminal(stdin)) {
            (void)fprintf(stderr, "Ctrl-C stops an answer, /reset starts anew, /exit or Ctrl-D ends. Context: %zu tokens.%s\n",
                          chat.context, chat.keep_history ? "" : " Each line stands alone.");
        }
        cli_signals_begin();
        code = converse(&chat);
        cli_signals_end();
    }
    (void)slm_session_destroy(chat.session);
    cli_constraint_close(&chat.constraint);
    chat_history_free(&chat.history);
    cli_model_close(&chat.opened);
    return code;
}

static int run_chat(int argc, char **argv)
{
    struct chat_options options = {.sampling = cli_sampling_defaults(), .tokens = 256};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_chat, argc, argv, &options, &words);
    if (code < 0 && words.count > 0) {
        code = cli_fail_usage("chat", "no argument is expected, but there is '%s'; messages are typed, or come from standard input",
                              words.items[0]);
    }
    code = code < 0 ? cli_sampling_check("chat", &options.sampling) : code;
    code = code < 0 ? cli_constraint_check("chat", &options.constraint) : code;
    if (code < 0) {
        code = chat_with_options(&options);
    }
    cli_strings_free(&words);
    cli_strings_free(&options.model.lora);
    cli_strings_free(&options.sampling.stop);
    cli_strings_free(&options.sampling.bias);
    return code;
}
